//! One record, however many copies of its log the evidence holds: the live log, archives, shadow copies.
//!
//! The logs of older states are read last, the newest state first, and add only what no newer log holds; so ten
//! shadow copies of a large log cost the memory of one.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use sha2::{Digest, Sha256};

use super::{Input, Progress, Sink, event_log_file, read_one, system_hive};
use crate::host::older::{number, taken};
use crate::host::{Event, Fact, Place, Provenance};

/// The records that newer logs hold.
#[derive(Debug, Default)]
pub(super) struct Known {
    records: BTreeSet<Identity>,
}

/// What one record is known by. Ids begin again when a log is cleared, so the time belongs to it; and what it says, for a
/// record that was altered is another one.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    record_id: u64,
    time: Timestamp,
    /// Of channel and computer.
    log: u128,
    /// Of what the record says.
    content: u128,
}

/// How a record compares with those that newer logs hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compared {
    /// A newer log holds it.
    Same,
    /// A newer log holds a record of that channel, id and time that says something else.
    Altered,
    /// No newer log holds it.
    New,
}

impl Known {
    /// Adds what a log gave. What was recovered from free space vouches for nothing: a better copy may follow.
    fn add(&mut self, sink: &Sink) {
        let events = sink.facts.iter().filter_map(|fact| match fact {
            Fact::Event(event) => Some(event.as_ref()),
            _ => None,
        });
        let vouched = events.filter(|event| event.citation.provenance != Provenance::Recovered);
        self.records.extend(vouched.filter_map(Identity::of));
    }

    /// Compares a record.
    pub(super) fn compare(&self, event: &Event) -> Compared {
        // Most hosts have one copy of each log, and making an identity costs more than reading the record.
        if self.records.is_empty() {
            return Compared::New;
        }
        let Some(identity) = Identity::of(event) else { return Compared::New };
        if self.records.contains(&identity) {
            return Compared::Same;
        }
        let lowest = Identity { content: 0, ..identity };
        let same_place = self.records.range(&lowest..).next().is_some_and(|next| {
            (next.record_id, next.time, next.log) == (lowest.record_id, lowest.time, lowest.log)
        });
        match (same_place, event.citation.provenance) {
            (false, _) => Compared::New,
            // Parts of what was recovered may have been overwritten.
            (true, Provenance::Recovered) => Compared::Same,
            (true, _) => Compared::Altered,
        }
    }
}

impl Identity {
    fn of(event: &Event) -> Option<Self> {
        let Place::Record { channel, event_id, record_id } = &event.citation.place else {
            return None;
        };
        Some(Self {
            record_id: *record_id,
            time: event.time,
            log: digest(&format!("{channel}\0{}", event.computer)),
            content: digest(&format!("{event_id}\0{:?}\0{:?}", event.user_sid, event.action)),
        })
    }
}

/// Half of SHA-256: whoever can alter a log must not be able to make its records pass for those of a copy.
fn digest(text: &str) -> u128 {
    let hash = Sha256::digest(text.as_bytes());
    hash.iter().take(16).fold(0, |sum, byte| (sum << 8) | u128::from(*byte))
}

/// Reads every file; the sinks are in the order of the inputs. Logs of older states come after all else, since only the
/// hives tell the order of states whose labels have no date.
pub(super) fn read_in_turn(inputs: &[Input<'_>], progress: &dyn Progress) -> Vec<Sink> {
    let numbered: Vec<(usize, &Input<'_>)> = inputs.iter().enumerate().collect();
    let (older, first): (Vec<_>, Vec<_>) =
        numbered.into_iter().partition(|(_, input)| older_log(input).is_some());
    let mut known = Known::default();
    let mut sinks = Vec::new();
    let mut latest = read_turn(&first, &known, progress);
    for turn in turns(older, &latest) {
        for (_, sink) in &latest {
            known.add(sink);
        }
        sinks.append(&mut latest);
        latest = read_turn(&turn, &known, progress);
    }
    sinks.append(&mut latest);
    sinks.sort_by_key(|(at, _)| *at);
    sinks.into_iter().map(|(_, sink)| sink).collect()
}

fn older_log<'i>(input: &'i Input<'_>) -> Option<&'i str> {
    let is_log = input.kind.name == event_log_file::KIND.name;
    input.found.history.as_deref().filter(|_| is_log)
}

fn read_turn(
    inputs: &[(usize, &Input<'_>)],
    known: &Known,
    progress: &dyn Progress,
) -> Vec<(usize, Sink)> {
    inputs
        .par_iter()
        .map(|(at, input)| {
            let sink = read_one(input, known);
            progress.done(&input.found.path, input.found.size);
            (*at, sink)
        })
        .collect()
}

type Turn<'i, 'e> = Vec<(usize, &'i Input<'e>)>;

/// The logs of older states, state by state, the newest first.
fn turns<'i, 'e>(older: Turn<'i, 'e>, read: &[(usize, Sink)]) -> Vec<Turn<'i, 'e>> {
    let mut newest: BTreeMap<&str, Timestamp> = BTreeMap::new();
    for (_, sink) in read.iter().filter(|(_, sink)| sink.kind == system_hive::KIND.name) {
        if let (Some(label), Some(time)) = (sink.history.as_deref(), sink.newest) {
            let known = newest.entry(label).or_insert(time);
            *known = (*known).max(time);
        }
    }
    let mut turns: BTreeMap<_, Turn<'i, 'e>> = BTreeMap::new();
    for (at, input) in older {
        let label = older_log(input).unwrap_or_default();
        let time = taken(label).or_else(|| newest.get(label).copied());
        turns.entry(Reverse((time, number(label), label))).or_default().push((at, input));
    }
    turns.into_values().collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::{Action, Citation};

    fn event(record_id: u64, second: i64, image: &str, provenance: Provenance) -> Event {
        Event {
            time: Timestamp::from_second(second).unwrap(),
            computer: "WS01".to_owned(),
            user_sid: None,
            citation: Citation {
                artifact: Arc::from("System.evtx"),
                place: Place::Record { channel: Arc::from("System"), event_id: 4689, record_id },
                provenance,
            },
            action: Action::ProcessEnded { process_id: None, image: image.to_owned() },
        }
    }

    #[test]
    fn a_record_is_known_by_id_time_and_what_it_says() {
        let mut known = Known::default();
        let held = event(7, 100, "a.exe", Provenance::Live);
        known.records.extend(Identity::of(&held));
        for (record_id, second, image, provenance, expected) in [
            (7, 100, "a.exe", Provenance::Live, Compared::Same),
            (7, 100, "a.exe", Provenance::Recovered, Compared::Same),
            (7, 100, "b.exe", Provenance::Live, Compared::Altered),
            (7, 100, "b.exe", Provenance::Recovered, Compared::Same),
            // The log was cleared and counts from the beginning again.
            (7, 900, "a.exe", Provenance::Live, Compared::New),
            (8, 100, "a.exe", Provenance::Live, Compared::New),
            (6, 100, "a.exe", Provenance::Recovered, Compared::New),
        ] {
            let compared = known.compare(&event(record_id, second, image, provenance));
            assert_eq!(compared, expected, "{record_id} {second} {image} {provenance:?}");
        }
        let mut elsewhere = event(7, 100, "a.exe", Provenance::Live);
        elsewhere.computer = "WS02".to_owned();
        assert_eq!(known.compare(&elsewhere), Compared::New);
    }
}
