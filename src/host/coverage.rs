//! Who could speak, and how far: without this a silence cannot be told from a "no".

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::citation::Citation;

/// A witness: something in the evidence that can answer questions.
///
/// Process, network and registry events are not files: they are witnessed by whichever log records such events, and exist because
/// a check rarely cares which one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The SYSTEM hive.
    SystemHive,
    /// The SOFTWARE hive.
    SoftwareHive,
    /// The SECURITY hive.
    SecurityHive,
    /// The System channel.
    SystemLog,
    /// The Security channel.
    SecurityLog,
    /// The Sysmon operational channel.
    SysmonLog,
    /// The classic and operational PowerShell channels.
    PowerShellLog,
    /// A file system, for the files behind services.
    FileSystem,
    /// Process creation, by Security 4688 or Sysmon 1.
    ProcessEvents,
    /// Network connections, by Security 5156 or Sysmon 3.
    NetworkEvents,
    /// Registry writes, by Security 4657 or Sysmon 12 to 14.
    RegistryEvents,
    /// The analyst's list of approved changes, tools, accounts and windows.
    ChangePolicy,
    /// Sigma rules that the analyst gave.
    SigmaRules,
    /// The analyst's list of destinations that other hosts talk to.
    KnownDestinations,
    /// Catalogs of signatures, for files that bear none of their own.
    Catalogs,
    /// Lists of bad files that the analyst gave.
    KnownBad,
    /// Lists of good files that the analyst gave.
    KnownGood,
    /// YARA rules that the analyst gave.
    YaraRules,
    /// Baselines that the analyst made of hosts he trusts.
    Baseline,
}

impl Origin {
    /// Every origin, in the order of reports.
    pub const ALL: [Self; 19] = [
        Self::SystemHive,
        Self::SoftwareHive,
        Self::SecurityHive,
        Self::SystemLog,
        Self::SecurityLog,
        Self::SysmonLog,
        Self::PowerShellLog,
        Self::FileSystem,
        Self::ProcessEvents,
        Self::NetworkEvents,
        Self::RegistryEvents,
        Self::ChangePolicy,
        Self::SigmaRules,
        Self::KnownDestinations,
        Self::Catalogs,
        Self::KnownBad,
        Self::KnownGood,
        Self::YaraRules,
        Self::Baseline,
    ];

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SystemHive => "SYSTEM hive",
            Self::SoftwareHive => "SOFTWARE hive",
            Self::SecurityHive => "SECURITY hive",
            Self::SystemLog => "System log",
            Self::SecurityLog => "Security log",
            Self::SysmonLog => "Sysmon log",
            Self::PowerShellLog => "PowerShell logs",
            Self::FileSystem => "file system",
            Self::ProcessEvents => "process creation events",
            Self::NetworkEvents => "network connection events",
            Self::RegistryEvents => "registry write events",
            Self::ChangePolicy => "list of approved changes",
            Self::SigmaRules => "Sigma rules",
            Self::KnownDestinations => "list of known destinations",
            Self::Catalogs => "signature catalogs",
            Self::KnownBad => "lists of bad files",
            Self::KnownGood => "lists of good files",
            Self::YaraRules => "YARA rules",
            Self::Baseline => "baselines",
        }
    }
}

/// How much of a witness could be heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Read from end to end.
    Complete,
    /// Read with losses, all of them in the diagnostics.
    Partial,
    /// Present, but nothing could be read.
    Lost,
    /// Not in the evidence.
    Absent,
}

/// One origin's coverage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Span {
    /// How much was read.
    pub state: State,
    /// Logs: time of the first record read. Hives: absent.
    pub from: Option<Timestamp>,
    /// Logs: time of the last record read. Hives: time of the newest key.
    pub to: Option<Timestamp>,
    /// Remarks for the reader: "LOG1 replayed, 23 entries", "no 4697 in it".
    pub notes: Vec<String>,
}

/// The coverage of one host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    spans: BTreeMap<Origin, Span>,
    #[serde(default)]
    gaps: BTreeMap<Origin, Vec<Gap>>,
    #[serde(default)]
    clearings: BTreeMap<Origin, Vec<Clearing>>,
    #[serde(default)]
    unrecorded: BTreeMap<Origin, BTreeMap<u16, Citation>>,
}

/// A time inside a span of which no log that was read holds the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The last record before it.
    pub from: Timestamp,
    /// The first record after it.
    pub to: Timestamp,
    /// How it is known.
    pub reason: GapReason,
}

/// How a gap is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// One log ends before the next one begins.
    BetweenLogs,
    /// Record ids are missing inside a log.
    MissingRecords,
    /// The log was cleared at the end of it.
    Cleared,
}

impl GapReason {
    /// In a few words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::BetweenLogs => "between two logs",
            Self::MissingRecords => "record ids are missing",
            Self::Cleared => "the log was cleared",
        }
    }
}

/// The clearing of a log: what the channel said before is gone from it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Clearing {
    /// When; where nobody recorded it, the log's first record.
    pub time: Timestamp,
    /// The channel.
    pub channel: String,
    /// How it is known.
    pub evidence: ClearingEvidence,
    /// The record that says so, or the log's first record.
    pub citation: Citation,
}

/// How a clearing is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClearingEvidence {
    /// Event 104 or 1102.
    Recorded,
    /// The log begins with record 1 long after Windows was installed: cleared without a record of it, deleted, or
    /// made anew.
    BeginsAnew,
}

impl Coverage {
    /// Adds what one artifact said of an origin; several artifacts of one origin are united: the worst
    /// state of those that were present counts, the window grows, remarks are kept once.
    pub fn record(&mut self, origin: Origin, span: Span) {
        let Some(known) = self.spans.get_mut(&origin) else {
            self.spans.insert(origin, span);
            return;
        };
        known.state = match (known.state, span.state) {
            (State::Absent, other) | (other, State::Absent) => other,
            (State::Lost, State::Lost) => State::Lost,
            (State::Complete, State::Complete) => State::Complete,
            _ => State::Partial,
        };
        known.from = match (known.from, span.from) {
            (Some(left), Some(right)) => Some(left.min(right)),
            (left, right) => left.or(right),
        };
        known.to = known.to.max(span.to);
        for note in span.notes {
            if !known.notes.contains(&note) {
                known.notes.push(note);
            }
        }
    }

    /// Notes a time of which an origin has no records.
    pub fn record_gap(&mut self, origin: Origin, gap: Gap) {
        let gaps = self.gaps.entry(origin).or_default();
        if !gaps.contains(&gap) {
            gaps.push(gap);
            gaps.sort_unstable();
        }
    }

    /// The times inside an origin's span of which it has no records, in order.
    pub fn gaps(&self, origin: Origin) -> &[Gap] {
        self.gaps.get(&origin).map_or(&[], Vec::as_slice)
    }

    /// Notes the clearing of a log.
    pub fn record_clearing(&mut self, origin: Origin, clearing: Clearing) {
        let clearings = self.clearings.entry(origin).or_default();
        if !clearings.contains(&clearing) {
            clearings.push(clearing);
            clearings.sort_unstable();
        }
    }

    /// The clearings of an origin's logs, in order of time.
    pub fn clearings(&self, origin: Origin) -> &[Clearing] {
        self.clearings.get(&origin).map_or(&[], Vec::as_slice)
    }

    /// Notes that a host was set up not to record an event: its absence from that log means nothing.
    pub fn record_unrecorded(&mut self, origin: Origin, event_id: u16, citation: Citation) {
        self.unrecorded.entry(origin).or_default().entry(event_id).or_insert(citation);
    }

    /// The events that the host was set up not to record in a log, in order.
    pub fn unrecorded(&self, origin: Origin) -> BTreeSet<u16> {
        let events = self.unrecorded.get(&origin);
        events.map(|events| events.keys().copied().collect()).unwrap_or_default()
    }

    /// Whether the host was set up not to record an event in a log, at the time of the evidence.
    pub fn is_unrecorded(&self, origin: Origin, event_id: u16) -> bool {
        self.unrecorded.get(&origin).is_some_and(|events| events.contains_key(&event_id))
    }

    /// How much of an origin was read; an origin nothing was recorded for is absent.
    pub fn state(&self, origin: Origin) -> State {
        self.spans.get(&origin).map_or(State::Absent, |span| span.state)
    }

    /// The origin's span, where anything was recorded.
    pub fn span(&self, origin: Origin) -> Option<&Span> {
        self.spans.get(&origin)
    }

    /// Whether a log was read (in part or whole), its first record is not younger than `time` and `time` is in
    /// none of its gaps, so that its silence about `time` means something.
    pub fn reaches_back_to(&self, origin: Origin, time: Timestamp) -> bool {
        let is_gap = self.gaps(origin).iter().any(|gap| gap.from < time && time < gap.to);
        !is_gap
            && self.spans.get(&origin).is_some_and(|span| {
                matches!(span.state, State::Complete | State::Partial)
                    && span.from.is_some_and(|from| from <= time)
                    && span.to.is_some_and(|to| to >= time)
            })
    }

    /// Every origin in report order, with its span where there is one.
    pub fn iter(&self) -> impl Iterator<Item = (Origin, Option<&Span>)> {
        Origin::ALL.into_iter().map(|origin| (origin, self.spans.get(&origin)))
    }

    /// The newest moment that anything read tells of, a record of a log or a key: the end of the evidence.
    pub fn newest(&self) -> Option<Timestamp> {
        self.spans.values().filter_map(|span| span.to).max()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::{Place, Provenance};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn silence_inside_a_gap_means_nothing() {
        let mut coverage = Coverage::default();
        let (from, to) = (Some(at(100)), Some(at(900)));
        let span = Span { state: State::Complete, from, to, notes: Vec::new() };
        coverage.record(Origin::SystemLog, span);
        let gap = Gap { from: at(300), to: at(400), reason: GapReason::MissingRecords };
        coverage.record_gap(Origin::SystemLog, gap);
        coverage.record_gap(Origin::SystemLog, gap);
        assert_eq!(coverage.gaps(Origin::SystemLog), [gap]);
        for (time, reached) in
            [(99, false), (100, true), (300, true), (301, false), (400, true), (901, false)]
        {
            assert_eq!(coverage.reaches_back_to(Origin::SystemLog, at(time)), reached, "{time}");
        }
    }

    #[test]
    fn what_was_not_to_be_recorded_is_known_by_log_and_event() {
        let (artifact, provenance) = (Arc::from("SECURITY"), Provenance::Live);
        let citation = Citation { artifact, place: Place::File, provenance };
        let mut coverage = Coverage::default();
        coverage.record_unrecorded(Origin::SecurityLog, 4697, citation);
        assert!(coverage.is_unrecorded(Origin::SecurityLog, 4697));
        assert!(!coverage.is_unrecorded(Origin::SecurityLog, 4688));
        assert!(!coverage.is_unrecorded(Origin::SystemLog, 4697));
        assert_eq!(coverage.unrecorded(Origin::SecurityLog), BTreeSet::from([4697]));
    }
}
