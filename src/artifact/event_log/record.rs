//! One event record, as the log holds it: typed envelope, untyped data.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::text::same_name;

/// How a record came to be read, which is how far it can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordState {
    /// Inside the part of a chunk that its header vouches for.
    Live,
    /// In a chunk that Windows had not yet written back when the log was copied from a running host.
    ///
    /// Such a chunk's header still says "no records", and most readers report none. The records are as good
    /// as live ones: they follow each other by record id without a gap.
    Unflushed,
    /// Found in the unused part of a chunk: older than what the log still held, or cleared.
    ///
    /// It passed the sanity rules of [`Rejection`](super::Rejection), but parts may have been overwritten.
    Recovered,
}

/// One event record.
///
/// Values are text, as the record's own template renders them: numbers in decimal, hexadecimal types as
/// `0x1f`, SIDs as `S-1-…`, GUIDs in lower-case braces (upper-case in logs that were forwarded), times as
/// ISO 8601, binary as upper-case hexadecimal. A NULL value is an empty text, or no entry where the
/// template makes the element optional. The second of two equal names may be `Name_1`. Localised message texts
/// are never looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// `System/Channel`; empty where the record names none.
    pub channel: String,
    /// `System/Provider/@Name`; for classic providers without it, `@EventSourceName`.
    pub provider: String,
    /// `System/EventID`, without the qualifiers.
    pub event_id: u16,
    /// `System/EventID/@Qualifiers`: the upper half of a classic event's message id.
    pub qualifiers: Option<u16>,
    /// `System/EventRecordID`, which an exported or forwarded record keeps from its origin.
    pub record_id: u64,
    /// The id in the record header: the same, but in exported logs counted anew within the file.
    pub file_record_id: u64,
    /// `System/TimeCreated`, UTC, in 100 ns ticks; the record header's time where it is absent.
    pub time: Timestamp,
    /// `System/Computer`; empty where the record names none.
    pub computer: String,
    /// `System/Security/@UserID`: the SID on whose behalf the provider wrote.
    pub user_sid: Option<String>,
    /// `System/Execution/@ProcessID` of the process that wrote the record (rarely the process it is about).
    pub process_id: Option<u32>,
    /// `System/Execution/@ThreadID`.
    pub thread_id: Option<u32>,
    /// `System/Level`: 1 critical, 2 error, 3 warning, 4 information, 5 verbose, 0 always logged.
    pub level: Option<u8>,
    /// `System/Keywords`: a bit field; bit 53 is "audit success", bit 52 "audit failure".
    pub keywords: Option<u64>,
    /// Named data in the order of the template: `Data` elements by their `Name`, anything else by its element
    /// name (`UserData` is flattened to its leaves). A repeated name has several entries.
    pub data: Vec<(String, String)>,
    /// `Data` elements without a name, in order: what classic providers write.
    pub params: Vec<String>,
    /// The `Binary` element, decoded; `None` where there is none or its text is not hexadecimal.
    pub binary: Option<Vec<u8>>,
    /// How the record came to be read.
    pub state: RecordState,
    /// Number of the 64 KiB chunk that holds it, counted from 0 in file order.
    pub chunk: u64,
    /// Offset of the record header in its chunk, in bytes.
    pub offset: u32,
}

impl Record {
    /// The first value of that name, compared without case.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.data.iter().find(|(key, _)| same_name(key, name)).map(|(_, value)| value.as_str())
    }

    /// Every value of that name, compared without case, in order.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.data.iter().filter(move |(key, _)| same_name(key, name)).map(|(_, value)| &**value)
    }

    /// The positional value of a classic event, counted from 1: `paramN` where named, else the N-th unnamed one.
    pub fn param(&self, number: usize) -> Option<&str> {
        let named = self.get(&format!("param{number}"));
        named.or_else(|| self.params.get(number.checked_sub(1)?).map(String::as_str))
    }

    /// Whether the record's provider is this one; Windows compares provider names without case.
    pub fn is_from(&self, provider: &str) -> bool {
        same_name(&self.provider, provider)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        Record {
            channel: "System".into(),
            provider: "Service Control Manager".into(),
            event_id: 7040,
            qualifiers: Some(16384),
            record_id: 1,
            file_record_id: 1,
            time: Timestamp::UNIX_EPOCH,
            computer: "HOST".into(),
            user_sid: None,
            process_id: None,
            thread_id: None,
            level: None,
            keywords: None,
            data: vec![("param1".into(), "a".into()), ("Param1".into(), "b".into())],
            params: vec!["x".into(), "y".into()],
            binary: None,
            state: RecordState::Live,
            chunk: 0,
            offset: 512,
        }
    }

    #[test]
    fn names_are_compared_without_case() {
        let record = record();
        assert_eq!(record.get("PARAM1"), Some("a"));
        assert_eq!(record.all("param1").collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(record.get("param2"), None);
        assert!(record.is_from("service control manager"));
    }

    #[test]
    fn positional_values_are_found_named_or_not() {
        let record = record();
        assert_eq!(record.param(1), Some("a"));
        assert_eq!(record.param(2), Some("y"));
        assert_eq!(record.param(3), None);
        assert_eq!(record.param(0), None);
    }
}
