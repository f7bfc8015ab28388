//! Where exactly a fact stands, so that an analyst can look for himself.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// How a fact came to be readable.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Provenance {
    /// It stands in the artifact as any viewer shows it.
    #[default]
    Live,
    /// It stands only in a transaction log of the hive and was applied by replay.
    TransactionLog,
    /// It stands in the last chunk of a log that was copied while Windows was writing it.
    Unflushed,
    /// It was carved from free space; the rest of the artifact does not vouch for it.
    Recovered,
}

/// The place inside an artifact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// A key or a value of a hive.
    Key {
        /// The key path below the hive's root, for example `ControlSet001\Services\Spooler`.
        path: String,
        /// The value's name; absent where the key itself is cited.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<String>,
        /// Offset of the key or value cell in the hive file after log replay, in bytes.
        offset: u64,
    },
    /// A record of an event log.
    Record {
        /// The channel the record says it belongs to.
        channel: Arc<str>,
        /// The event id.
        event_id: u16,
        /// The record id.
        record_id: u64,
    },
    /// The file as a whole.
    File,
}

/// One piece of evidence behind a statement: artifact, place, provenance.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Citation {
    /// Path of the artifact inside the evidence, with `/` between components.
    pub artifact: Arc<str>,
    /// Where in the artifact.
    #[serde(flatten)]
    pub place: Place,
    /// How it came to be readable.
    pub provenance: Provenance,
}

impl Citation {
    /// The same key, pointing at one of its values (`name` may be `Parameters\ServiceDll`: the sub-key is
    /// moved into the key path).
    #[must_use]
    pub fn value(&self, name: &str, offset: u64, provenance: Provenance) -> Self {
        let Place::Key { path, .. } = &self.place else {
            return self.clone();
        };
        let (path, name) = match name.rsplit_once('\\') {
            Some((subkey, leaf)) => (format!("{path}\\{subkey}"), leaf),
            None => (path.clone(), name),
        };
        Self {
            artifact: Arc::clone(&self.artifact),
            place: Place::Key { path, value: Some(name.to_owned()), offset },
            provenance,
        }
    }
}

impl fmt::Display for Citation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Key { path, value: Some(value), offset } => {
                // A key's default value has no name; this is what the registry editor calls it.
                let value = if value.is_empty() { "(Default)" } else { value };
                write!(f, "{}: {path} -> {value} @0x{offset:x}", self.artifact)?;
            }
            Place::Key { path, value: None, offset } => {
                write!(f, "{}: {path} @0x{offset:x}", self.artifact)?;
            }
            Place::Record { channel, event_id, record_id } => {
                write!(f, "{}: {channel} event {event_id} record {record_id}", self.artifact)?;
            }
            Place::File => write!(f, "{}", self.artifact)?,
        }
        match self.provenance {
            Provenance::Live => Ok(()),
            Provenance::TransactionLog => write!(f, " (from the transaction log)"),
            Provenance::Unflushed => write!(f, " (unflushed chunk)"),
            Provenance::Recovered => write!(f, " (recovered)"),
        }
    }
}
