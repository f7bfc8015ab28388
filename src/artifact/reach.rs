//! How far the logs of one channel reach together: the live one, archives, and those of older states.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::Sink;
use super::event_log::{ChannelSpan, LogReading};
use crate::host::coverage::{Gap, GapReason};
use crate::host::{Coverage, Origin, Span, State};

/// Gaps told one by one; beyond, they are counted.
const GAPS_TOLD: usize = 3;

/// How far one log reaches in one channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reach {
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
        let ids = reading.first.zip(reading.last).filter(|_| reading.channels.len() == 1);
        Some(Self {
            origin,
            channel: channel.to_owned(),
            from: found.first?,
            to: found.last?,
            ids: ids.map(|(first, last)| (first.record_id, last.record_id)),
            history: sink.history.clone(),
            complete: !sink.is_damaged(),
        })
    }

    /// Whether the next record after this log's last is the first of that one.
    fn continues_in(&self, next: &Self) -> bool {
        match (self.ids, next.ids) {
            (Some((_, last)), Some((first, _))) => last.checked_add(1) == Some(first),
            _ => false,
        }
    }
}

/// Extends the coverage by what logs of older states say of their own time, and notes what lies between the logs.
///
/// A log of an older state with losses extends nothing: its silence means nothing.
pub(super) fn extend(reaches: Vec<Reach>, coverage: &mut Coverage) {
    let mut channels: BTreeMap<(Origin, String), Vec<Reach>> = BTreeMap::new();
    for reach in reaches {
        channels.entry((reach.origin, reach.channel.clone())).or_default().push(reach);
    }
    let mut notes: BTreeMap<Origin, Vec<String>> = BTreeMap::new();
    for ((origin, channel), mut reaches) in channels {
        reaches.retain(|reach| reach.complete || reach.history.is_none());
        reaches.sort_by_key(|reach| (reach.from, reach.to, reach.ids));
        for reach in reaches.iter().filter(|reach| reach.history.is_some()) {
            coverage.record(origin, older_span(reach, coverage));
        }
        let gaps = gaps(&reaches);
        let known = notes.entry(origin).or_default();
        for gap in gaps.iter().take(GAPS_TOLD) {
            known.push(format!(
                "{channel}: no records between {} and {}",
                crate::time::format_short(gap.from),
                crate::time::format_short(gap.to)
            ));
        }
        let more = gaps.len().saturating_sub(GAPS_TOLD);
        if more > 0 {
            known.push(format!("{channel}: {more} more such gaps between logs"));
        }
        for gap in gaps {
            coverage.record_gap(origin, gap);
        }
    }
    for (origin, notes) in notes {
        let state = coverage.state(origin);
        if !notes.is_empty() {
            coverage.record(origin, Span { state, from: None, to: None, notes });
        }
    }
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
    let note = format!("{} from {}", crate::time::format_short(reach.from), label);
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
            origin: Origin::SystemLog,
            channel: "System".to_owned(),
            from: at(from),
            to: at(to),
            ids: Some(ids),
            history: history.map(str::to_owned),
            complete: true,
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
        extend(reaches, &mut coverage);
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
        extend(vec![reach(10, 60, (1, 20), Some("VSS1"))], &mut coverage);
        assert_eq!(coverage.state(Origin::SystemLog), State::Partial);
        let mut coverage = live();
        let damaged = Reach { complete: false, ..reach(10, 60, (1, 20), Some("VSS1")) };
        extend(vec![damaged], &mut coverage);
        assert_eq!(coverage.span(Origin::SystemLog).and_then(|span| span.from), Some(at(100)));
    }
}
