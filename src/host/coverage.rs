//! Who could speak, and how far: without this a silence cannot be told from a "no".

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    /// The analyst's list of destinations that other hosts talk to.
    KnownDestinations,
}

impl Origin {
    /// Every origin, in the order of reports.
    pub const ALL: [Self; 12] = [
        Self::SystemHive,
        Self::SoftwareHive,
        Self::SystemLog,
        Self::SecurityLog,
        Self::SysmonLog,
        Self::PowerShellLog,
        Self::FileSystem,
        Self::ProcessEvents,
        Self::NetworkEvents,
        Self::RegistryEvents,
        Self::ChangePolicy,
        Self::KnownDestinations,
    ];

    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::SystemHive => "SYSTEM hive",
            Self::SoftwareHive => "SOFTWARE hive",
            Self::SystemLog => "System log",
            Self::SecurityLog => "Security log",
            Self::SysmonLog => "Sysmon log",
            Self::PowerShellLog => "PowerShell logs",
            Self::FileSystem => "file system",
            Self::ProcessEvents => "process creation events",
            Self::NetworkEvents => "network connection events",
            Self::RegistryEvents => "registry write events",
            Self::ChangePolicy => "list of approved changes",
            Self::KnownDestinations => "list of known destinations",
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
}

/// A time inside a span of which no log that was read holds the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Gap {
    /// The last record before it.
    pub from: Timestamp,
    /// The first record after it.
    pub to: Timestamp,
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
}
