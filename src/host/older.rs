//! Older states of the host's registry (backups, shadow copies, another installation), and what they say of when a
//! service came into being and went.

use jiff::Timestamp;

use super::citation::Citation;
use super::config::{Epoch, ServiceConfig};

/// An older state of the registry, as one SYSTEM hive shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OlderState {
    /// Its name: `RegBack`, `Windows.old`, `shadow copy 2 of 2020-05-31 09:12:44 UTC`.
    pub label: String,
    /// Its `Services` key: what is not below it was not there.
    pub services: Citation,
    /// When it was taken, where the label says so.
    pub taken: Option<Timestamp>,
    /// The newest last-write time of its service keys: it was taken then or later.
    pub newest: Option<Timestamp>,
    /// The computer name in it.
    pub computer: Option<String>,
    /// Whether its silence about a service means anything.
    pub standing: Standing,
}

/// Whether what is absent in an older state came into being later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// Yes: an older state of this installation, its `Services` key read completely.
    Comparable,
    /// Its `Services` key has losses, or the hive was not written to its end.
    Incomplete,
    /// It names another computer: another host, or this one under an older name.
    OtherComputer,
    /// Another installation of Windows: its services were not kept, they were set up anew.
    OtherInstallation,
    /// Its keys are newer than the current hive's.
    NotOlder,
}

impl Standing {
    /// Why its silence means nothing, in a sentence's end; absent where it means something.
    pub const fn reason(self) -> Option<&'static str> {
        match self {
            Self::Comparable => None,
            Self::Incomplete => Some("its Services key was not read completely"),
            Self::OtherComputer => Some("it names another computer"),
            Self::OtherInstallation => {
                Some("it is another installation of Windows, whose services were set up anew")
            }
            Self::NotOlder => Some("its newest service key is newer than the current hive's"),
        }
    }
}

impl OlderState {
    /// The time by which states are put in order.
    pub fn time(&self) -> Option<Timestamp> {
        self.taken.or(self.newest)
    }

    /// Whether what it does not hold was not there.
    pub fn is_comparable(&self) -> bool {
        self.standing == Standing::Comparable
    }

    /// Whether it is an older state of this installation, though perhaps with losses.
    pub fn is_of_this_installation(&self) -> bool {
        matches!(self.standing, Standing::Comparable | Standing::Incomplete)
    }

    /// Its name with a time: `VSS1 (newest service key 2020-05-31 09:12:44Z)`.
    pub fn dated(&self) -> String {
        match (self.taken, self.newest) {
            (None, Some(newest)) => {
                let newest = crate::time::format_short(newest);
                format!("{} (newest service key {newest})", self.label)
            }
            _ => self.label.clone(),
        }
    }
}

/// Whether an older state has a service's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Presence {
    /// Index into [`super::Host::older_states`].
    pub state: usize,
    /// The key; absent where that state has none.
    pub key: Option<Citation>,
}

/// A service's key came or went between two states.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passage {
    /// Whether it came rather than went.
    pub came: bool,
    /// The last state before: index into [`super::Host::older_states`].
    pub after: usize,
    /// The first state after: index into [`super::Host::older_states`]; absent for the current one.
    pub before: Option<usize>,
    /// The places in both states: the key where it is there, the `Services` key where it is not.
    pub citations: [Citation; 2],
}

impl Passage {
    /// What it means, in one sentence.
    pub fn sentence(&self, states: &[OlderState]) -> String {
        let label = |index: usize| states.get(index).map(OlderState::dated).unwrap_or_default();
        let after = label(self.after);
        match (self.came, self.before.map(label)) {
            (true, None) => format!("Absent in {after}: its key was made after that."),
            (true, Some(before)) => {
                format!("Absent in {after}, there in {before}: its key was made in between.")
            }
            (false, None) => format!("There in {after}, absent now: its key was deleted since."),
            (false, Some(before)) => {
                format!("There in {after}, absent in {before}: its key was deleted in between.")
            }
        }
    }
}

/// When a state was taken, by a label that ends in `2020-05-31 09:12:44 UTC`.
pub fn taken(label: &str) -> Option<Timestamp> {
    let mut words = label.strip_suffix(" UTC")?.rsplit(' ');
    let (time, date) = (words.next()?, words.next()?);
    format!("{date}T{time}Z").parse().ok()
}

/// The older state that a configuration stands in; absent for other control sets of older hives.
pub(super) fn state_of<'s>(
    config: &ServiceConfig,
    states: &'s [OlderState],
) -> Option<&'s OlderState> {
    let Epoch::History(label) = &config.epoch else { return None };
    states
        .iter()
        .find(|state| state.label == *label && state.services.artifact == config.citation.artifact)
}

/// The number a label ends in: `VSS12` is newer than `VSS2`.
pub fn number(label: &str) -> Option<u64> {
    let stem = label.trim_end_matches(|c: char| c.is_ascii_digit());
    label.strip_prefix(stem)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_count_like_people() {
        for (label, expected) in
            [("VSS2", Some(2)), ("VSS12", Some(12)), ("RegBack", None), ("7", Some(7)), ("", None)]
        {
            assert_eq!(number(label), expected, "{label}");
        }
    }

    #[test]
    fn a_label_tells_when_the_state_was_taken() {
        let expected: Timestamp = "2020-05-31T09:12:44Z".parse().unwrap();
        for (label, expected) in [
            ("shadow copy 2 of 2020-05-31 09:12:44 UTC", Some(expected)),
            ("2020-05-31 09:12:44 UTC", Some(expected)),
            ("shadow copy 2 of 2020-05-31 09:12:44 UTC RegBack", None),
            ("shadow copy 2 of 2020-13-31 09:12:44 UTC", None),
            ("VSS1", None),
            (" UTC", None),
            ("UTC", None),
            ("", None),
        ] {
            assert_eq!(taken(label), expected, "{label}");
        }
    }
}
