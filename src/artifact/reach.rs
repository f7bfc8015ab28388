//! How far the logs of one channel reach together: the live one, archives, and those of older states.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::Sink;
use super::event_log::{ChannelSpan, LogReading};
use super::event_log_file::witness;
use crate::host::config::Epoch;
use crate::host::coverage::{Clearing, ClearingEvidence, Gap, GapReason};
use crate::host::fact::IdentityItem;
use crate::host::{Action, Citation, Coverage, Fact, Origin, Place, Provenance, Span, State};
use crate::text::{fold, same_name};
use crate::time::format_short;

/// Gaps told one by one; beyond, they are counted.
const GAPS_TOLD: usize = 3;
/// A log begins while Windows is being set up. Setup and a first start take no longer.
const SET_UP: SignedDuration = SignedDuration::from_hours(24);

/// How far one log reaches in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
    artifact: Arc<str>,
    origin: Origin,
    channel: String,
    from: Timestamp,
    to: Timestamp,
    /// Lowest and highest record id; absent where the file holds several channels.
    ids: Option<(u64, u64)>,
    /// Which older state the log belongs to.
    history: Option<String>,
    /// Whether it was read without losses.
    complete: bool,
    /// Times in between of which record ids are missing.
    missing: Vec<(Timestamp, Timestamp)>,
    /// Whether it had reached its greatest size, so that old records gave way to new ones.
    full: bool,
}

impl Reach {
    /// The reach of a log that was read; absent without a time.
    pub(super) fn of(
        reading: &LogReading,
        origin: Origin,
        channel: &str,
        found: &ChannelSpan,
        sink: &Sink,
    ) -> Option<Self> {
        let alone = reading.channels.len() == 1;
        let ids = reading.first.zip(reading.last).filter(|_| alone);
        Some(Self {
            artifact: sink.artifact(),
            origin,
            channel: channel.to_owned(),
            from: found.first?,
            to: found.last?,
            ids: ids.map(|(first, last)| (first.record_id, last.record_id)),
            history: sink.history.clone(),
            complete: !sink.is_damaged(),
            missing: if alone { missing(reading) } else { Vec::new() },
            full: reading.header.is_none_or(|header| header.full),
        })
    }

    /// Whether it holds every record of a time.
    fn holds(&self, from: Timestamp, to: Timestamp) -> bool {
        self.complete
            && self.from <= from
            && self.to >= to
            && self.missing.iter().all(|(start, end)| *end <= from || *start >= to)
    }

    /// Whether the next record after this log's last is the first of that one.
    fn continues_in(&self, next: &Self) -> bool {
        match (self.ids, next.ids) {
            (Some((_, last)), Some((first, _))) => last.checked_add(1) == Some(first),
            _ => false,
        }
    }
}

/// The times of which record ids are missing inside a log. Of more gaps than are listed, the last reaches to the end.
fn missing(reading: &LogReading) -> Vec<(Timestamp, Timestamp)> {
    let gaps = &reading.gaps;
    let mut missing: Vec<(Timestamp, Timestamp)> =
        gaps.list.iter().filter_map(|gap| gap.before.time.zip(gap.after.time)).collect();
    let listed = u64::try_from(gaps.list.len()).unwrap_or(u64::MAX);
    if gaps.count > listed || !gaps.complete {
        let last = gaps.list.last().and_then(|gap| gap.after.time);
        missing.extend(last.zip(reading.last.and_then(|mark| mark.time)));
    }
    missing.retain(|(from, to)| from < to);
    missing
}

/// Extends the coverage by what logs of older states say of their own time, and notes what is missing in the logs and
/// between them, and which were cleared.
///
/// A log of an older state with losses extends nothing: its silence means nothing.
pub(super) fn extend(reaches: Vec<Reach>, facts: &[Fact], coverage: &mut Coverage) {
    let mut channels: BTreeMap<(Origin, String), Vec<Reach>> = BTreeMap::new();
    for reach in reaches {
        channels.entry((reach.origin, reach.channel.clone())).or_default().push(reach);
    }
    let cleared = clearings(facts);
    let installed = installed(facts);
    let newest_key = newest_service_key(facts);
    let mut notes: BTreeMap<Origin, Vec<String>> = BTreeMap::new();
    for ((origin, channel), mut reaches) in channels {
        reaches.retain(|reach| reach.complete || reach.history.is_none());
        reaches.sort_by_key(|reach| (reach.from, reach.to, reach.ids));
        for reach in reaches.iter().filter(|reach| reach.history.is_some()) {
            coverage.record(origin, older_span(reach, coverage));
        }
        let here = cleared.iter().filter(|clearing| same_name(&clearing.channel, &channel));
        let mut here: Vec<Clearing> = here.cloned().collect();
        here.extend(anew(&reaches, &here, installed));
        let between = gaps(&reaches);
        let known = notes.entry(origin).or_default();
        known.extend(told(&channel, &between));
        known.extend(late(&reaches, newest_key));
        for gap in between.into_iter().chain(inside(&reaches)).chain(before(&reaches, &here)) {
            coverage.record_gap(origin, gap);
        }
        for clearing in here {
            known.push(words(&clearing));
            coverage.record_clearing(origin, clearing);
        }
    }
    record_lost(cleared, coverage);
    for (origin, notes) in notes {
        let state = coverage.state(origin);
        if !notes.is_empty() {
            coverage.record(origin, Span { state, from: None, to: None, notes });
        }
    }
}

/// Clearings of channels of which no log was read: the fact stays.
fn record_lost(cleared: Vec<Clearing>, coverage: &mut Coverage) {
    for clearing in cleared {
        if let Some(witness) = witness(&clearing.channel) {
            coverage.record_clearing(witness.origin, clearing);
        }
    }
}

fn told(channel: &str, gaps: &[Gap]) -> Vec<String> {
    let mut notes: Vec<String> = gaps
        .iter()
        .take(GAPS_TOLD)
        .map(|gap| {
            let (from, to) = (format_short(gap.from), format_short(gap.to));
            format!("{channel}: no records between {from} and {to}")
        })
        .collect();
    let more = gaps.len().saturating_sub(GAPS_TOLD);
    if more > 0 {
        notes.push(format!("{channel}: {more} more such gaps between logs"));
    }
    notes
}

fn words(clearing: &Clearing) -> String {
    let (channel, time) = (&clearing.channel, format_short(clearing.time));
    match clearing.evidence {
        ClearingEvidence::Recorded => format!("{channel}: cleared at {time}"),
        ClearingEvidence::BeginsAnew => {
            format!("{channel}: begins with record 1 at {time}, long after Windows was installed")
        }
    }
}

/// The clearings that events 104 and 1102 record, of channels that matter.
fn clearings(facts: &[Fact]) -> Vec<Clearing> {
    let events = facts.iter().filter_map(|fact| match fact {
        Fact::Event(event) => Some(event),
        _ => None,
    });
    events
        .filter_map(|event| {
            let Action::LogCleared { channel, .. } = &event.action else { return None };
            Some(Clearing {
                time: event.time,
                channel: witness(channel)?.channel.to_owned(),
                evidence: ClearingEvidence::Recorded,
                citation: event.citation.clone(),
            })
        })
        .collect()
}

/// When Windows was installed, in its own words; a feature update sets it anew.
fn installed(facts: &[Fact]) -> Option<Timestamp> {
    facts.iter().find_map(|fact| match fact {
        Fact::Identity(one) if one.epoch == Epoch::Current => match &one.item {
            IdentityItem::Windows { installed, .. } => *installed,
            _ => None,
        },
        _ => None,
    })
}

fn newest_service_key(facts: &[Fact]) -> Option<Timestamp> {
    facts.iter().find_map(|fact| match fact {
        Fact::ServicesKey(key) if key.epoch == Epoch::Current => key.newest,
        _ => None,
    })
}

/// A log that begins with record 1 long after Windows was installed was cleared, deleted or made anew. No record says when;
/// the first one left says until when.
fn anew(
    reaches: &[Reach],
    recorded: &[Clearing],
    installed: Option<Timestamp>,
) -> Option<Clearing> {
    let first = reaches.first()?;
    let since = installed?.checked_add(SET_UP).ok()?;
    let explained =
        recorded.iter().any(|clearing| crate::time::distance(clearing.time, first.from) <= SET_UP);
    let of_windows = matches!(fold(&first.channel).as_str(), "SYSTEM" | "SECURITY");
    let begins = first.ids.is_some_and(|(id, _)| id == 1);
    (of_windows && begins && first.from > since && !explained).then(|| Clearing {
        time: first.from,
        channel: first.channel.clone(),
        evidence: ClearingEvidence::BeginsAnew,
        citation: Citation {
            artifact: Arc::clone(&first.artifact),
            place: Place::File,
            provenance: Provenance::Live,
        },
    })
}

/// A remark on a log that begins after the newest service key was written: it says nothing about how any came to be.
fn late(reaches: &[Reach], newest_key: Option<Timestamp>) -> Option<String> {
    let (first, key) = (reaches.first()?, newest_key?);
    let about_services = matches!(first.origin, Origin::SystemLog | Origin::SecurityLog);
    let but = if first.full { "" } else { ", though it was not full" };
    (about_services && first.from > key).then(|| {
        format!(
            "{}: begins after the newest service key was written ({}){but}",
            first.channel,
            format_short(key)
        )
    })
}

/// The times inside single logs of which records are missing and no other log holds them.
fn inside(reaches: &[Reach]) -> Vec<Gap> {
    let missing = reaches.iter().flat_map(|reach| reach.missing.iter().copied());
    missing
        .filter(|(from, to)| !reaches.iter().any(|reach| reach.holds(*from, *to)))
        .map(|(from, to)| Gap { from, to, reason: GapReason::MissingRecords })
        .collect()
}

/// The times before a clearing of which a log still has single records: what it said of them is gone.
fn before(reaches: &[Reach], cleared: &[Clearing]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for clearing in cleared {
        let at = clearing.time;
        for reach in reaches.iter().filter(|reach| reach.from < at && at <= reach.to) {
            let older = reaches.iter().filter(|other| other.to < at && other.to > reach.from);
            let from = older.map(|other| other.to).max().unwrap_or(reach.from);
            gaps.push(Gap { from, to: at, reason: GapReason::Cleared });
        }
    }
    gaps
}

/// What an older log adds to the span of its origin. Without a current log it is part of an answer, never all of it.
fn older_span(reach: &Reach, coverage: &Coverage) -> Span {
    let state = match coverage.state(reach.origin) {
        State::Complete => State::Complete,
        State::Partial | State::Lost | State::Absent => State::Partial,
    };
    let known = coverage.span(reach.origin);
    let is_earlier = known.and_then(|span| span.from).is_none_or(|from| reach.from < from);
    let label = reach.history.as_deref().unwrap_or_default();
    let note = format!("{} from {}", format_short(reach.from), label);
    let notes = is_earlier.then_some(format!("reaches back to {note}")).into_iter().collect();
    Span { state, from: Some(reach.from), to: Some(reach.to), notes }
}

/// The times between logs in order of their first records, where one does not continue in the next.
fn gaps(reaches: &[Reach]) -> Vec<Gap> {
    let mut gaps = Vec::new();
    let mut last: Option<&Reach> = None;
    for reach in reaches {
        let Some(before) = last else {
            last = Some(reach);
            continue;
        };
        if reach.from > before.to && !before.continues_in(reach) {
            gaps.push(Gap { from: before.to, to: reach.from, reason: GapReason::BetweenLogs });
        }
        if reach.to >= before.to {
            last = Some(reach);
        }
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn reach(from: i64, to: i64, ids: (u64, u64), history: Option<&str>) -> Reach {
        Reach {
            artifact: Arc::from("System.evtx"),
            origin: Origin::SystemLog,
            channel: "System".to_owned(),
            from: at(from),
            to: at(to),
            ids: Some(ids),
            history: history.map(str::to_owned),
            complete: true,
            missing: Vec::new(),
            full: false,
        }
    }

    fn live() -> Coverage {
        let mut coverage = Coverage::default();
        let (from, to) = (Some(at(100)), Some(at(200)));
        let span = Span { state: State::Complete, from, to, notes: Vec::new() };
        coverage.record(Origin::SystemLog, span);
        coverage
    }

    #[test]
    fn an_older_log_extends_what_is_known_and_a_gap_is_none() {
        let mut coverage = live();
        let reaches = vec![reach(100, 200, (50, 90), None), reach(10, 60, (1, 20), Some("VSS1"))];
        extend(reaches, &[], &mut coverage);
        let span = coverage.span(Origin::SystemLog).unwrap();
        assert_eq!(
            (span.state, span.from, span.to),
            (State::Complete, Some(at(10)), Some(at(200)))
        );
        assert_eq!(
            span.notes,
            [
                "reaches back to 1970-01-01 00:00:10Z from VSS1",
                "System: no records between 1970-01-01 00:01:00Z and 1970-01-01 00:01:40Z",
            ]
        );
        for (time, expected) in [(5, false), (10, true), (60, true), (80, false), (150, true)] {
            let reaches = coverage.reaches_back_to(Origin::SystemLog, at(time));
            assert_eq!(reaches, expected, "{time}");
        }
    }

    #[test]
    fn logs_that_overlap_or_continue_have_no_gap() {
        for (older, expected) in [
            (reach(10, 150, (1, 70), Some("VSS1")), 0),
            (reach(10, 60, (1, 49), Some("VSS1")), 0),
            (reach(10, 60, (1, 48), Some("VSS1")), 1),
            // The log was cleared in between and counts from the beginning again.
            (reach(10, 60, (1, 700), Some("VSS1")), 1),
        ] {
            let mut reaches = vec![reach(100, 200, (50, 90), None), older];
            reaches.sort_by_key(|reach| reach.from);
            assert_eq!(gaps(&reaches).len(), expected, "{reaches:?}");
        }
    }

    #[test]
    fn without_a_current_log_an_older_one_is_a_part() {
        let mut coverage = Coverage::default();
        extend(vec![reach(10, 60, (1, 20), Some("VSS1"))], &[], &mut coverage);
        assert_eq!(coverage.state(Origin::SystemLog), State::Partial);
        let mut coverage = live();
        let damaged = Reach { complete: false, ..reach(10, 60, (1, 20), Some("VSS1")) };
        extend(vec![damaged], &[], &mut coverage);
        assert_eq!(coverage.span(Origin::SystemLog).and_then(|span| span.from), Some(at(100)));
    }

    #[test]
    fn missing_records_are_a_gap_unless_another_log_holds_them() {
        let mut holed = reach(100, 200, (50, 90), None);
        holed.missing = vec![(at(120), at(130))];
        let archive = reach(110, 150, (54, 70), None);
        let gap = Gap { from: at(120), to: at(130), reason: GapReason::MissingRecords };
        assert_eq!(inside(std::slice::from_ref(&holed)), [gap]);
        assert_eq!(inside(&[holed.clone(), archive.clone()]), []);
        let mut also = archive;
        also.missing = vec![(at(125), at(126))];
        let gaps = inside(&[holed, also]);
        assert_eq!(gaps.len(), 2);
    }

    fn cleared(second: i64) -> Clearing {
        Clearing {
            time: at(second),
            channel: "System".to_owned(),
            evidence: ClearingEvidence::Recorded,
            citation: Citation {
                artifact: Arc::from("System.evtx"),
                place: Place::File,
                provenance: Provenance::Live,
            },
        }
    }

    #[test]
    fn what_a_log_held_before_it_was_cleared_is_gone() {
        let live = reach(100, 200, (50, 90), None);
        let gap = |from| Gap { from: at(from), to: at(150), reason: GapReason::Cleared };
        assert_eq!(before(std::slice::from_ref(&live), &[cleared(150)]), [gap(100)]);
        // A log that begins with its clearing has nothing to lose.
        assert_eq!(before(std::slice::from_ref(&live), &[cleared(100)]), []);
        let archive = reach(10, 140, (1, 60), Some("VSS1"));
        assert_eq!(before(&[archive, live], &[cleared(150)]), [gap(140)]);
    }

    #[test]
    fn a_log_that_begins_anew_is_told_from_one_that_wrapped_or_was_set_up() {
        let day = 86_400;
        let installed = Some(at(0));
        for (first, id, clearings, expected) in [
            (10 * day, 1, vec![], true),
            (10 * day, 7_000, vec![], false),
            (day / 2, 1, vec![], false),
            (10 * day, 1, vec![cleared(10 * day)], false),
        ] {
            let log = reach(first, 20 * day, (id, id + 9), None);
            let found = anew(&[log], &clearings, installed);
            assert_eq!(found.is_some(), expected, "{first} {id}");
        }
        let log = reach(10 * day, 20 * day, (1, 9), None);
        assert_eq!(anew(&[log], &[], None), None);
    }

    #[test]
    fn a_log_younger_than_every_service_key_is_remarked() {
        let log = reach(100, 200, (50, 90), None);
        let remark = late(std::slice::from_ref(&log), Some(at(50))).unwrap();
        assert!(remark.ends_with("though it was not full"), "{remark}");
        assert_eq!(late(&[log], Some(at(150))), None);
    }
}
