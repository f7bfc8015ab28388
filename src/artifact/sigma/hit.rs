//! A rule that fired on a record, before the hits of all logs are put together.

use jiff::Timestamp;

use crate::artifact::event_log::Record;
use crate::host::{Citation, Place};

/// A rule that fired on a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Hit {
    /// The rule's number.
    pub(super) rule: usize,
    pub(super) time: Timestamp,
    pub(super) computer: String,
    pub(super) citation: Citation,
    /// What ties it to a service, as logged.
    pub(super) fields: Vec<(String, String)>,
    /// What correlations group and count by.
    pub(super) kept: Vec<(String, String)>,
}

/// Fields that tie a record to a service or tell what it is about.
const TELLING: &[&str] = &[
    "AccountName",
    "Application",
    "CommandLine",
    "Details",
    "HostApplication",
    "Image",
    "ImageLoaded",
    "ImagePath",
    "NewProcessName",
    "NewValue",
    "ObjectName",
    "ObjectValueName",
    "ParentCommandLine",
    "ParentImage",
    "ParentProcessName",
    "PipeName",
    "ProcessCommandLine",
    "ProcessName",
    "QueryName",
    "RelativeTargetName",
    "ScriptBlockText",
    "ServiceFileName",
    "ServiceName",
    "SourceImage",
    "TargetFilename",
    "TargetImage",
    "TargetObject",
    "param1",
    "param2",
    "param4",
];
/// Characters of a field that are kept.
const LONGEST: usize = 2_000;

/// What a record says that ties it to a service.
pub(super) fn telling(record: &Record) -> Vec<(String, String)> {
    let told = record.data.iter().filter(|(name, value)| {
        !matches!(value.as_str(), "" | "-")
            && TELLING.iter().any(|known| known.eq_ignore_ascii_case(name))
    });
    told.map(|(name, value)| (name.clone(), value.chars().take(LONGEST).collect())).collect()
}

impl Hit {
    /// The order of hits: time, then the record, then the rule; the most trustworthy copy of a record first.
    pub(super) fn order(&self, other: &Self) -> std::cmp::Ordering {
        let key = |hit: &Self| (hit.time, hit.place(), hit.rule);
        key(self)
            .cmp(&key(other))
            .then_with(|| self.computer.cmp(&other.computer))
            .then_with(|| self.citation.provenance.cmp(&other.citation.provenance))
            .then_with(|| self.citation.artifact.cmp(&other.citation.artifact))
            .then_with(|| self.fields.cmp(&other.fields))
    }

    fn place(&self) -> (String, u64, u16) {
        match &self.citation.place {
            Place::Record { channel, event_id, record_id } => {
                (channel.to_string(), *record_id, *event_id)
            }
            Place::Key { .. } | Place::File => (String::new(), 0, 0),
        }
    }

    /// Whether both are the same rule on copies of the same record. A record that says something else was altered in one
    /// of the logs and counts by itself; one that was recovered may be damaged and never stands beside a better copy.
    pub(super) fn repeats(&self, earlier: &Self) -> bool {
        let is_recovered = self.citation.provenance == crate::host::Provenance::Recovered;
        self.time == earlier.time
            && self.rule == earlier.rule
            && self.computer == earlier.computer
            && self.place() == earlier.place()
            && (is_recovered || self.fields == earlier.fields)
    }
}
