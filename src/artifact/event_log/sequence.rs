//! Which record ids a log holds, as runs without a gap: small for a real log of any size.

use std::collections::BTreeMap;

use super::chunk::Entry;
use super::summary::{Gap, Gaps, Mark};
use crate::time::from_filetime;

/// Runs kept; a hostile log could have one per record.
const MOST_RUNS: usize = 65_536;
/// Gaps listed one by one.
const GAPS_LISTED: usize = 64;

/// A run of record ids without a gap, with the times of its ends in FILETIME ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: (u64, u64),
    pub(super) last: (u64, u64),
}

/// The runs of one chunk's records.
pub(super) fn runs(entries: &[Entry]) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for entry in entries {
        let this = (entry.id, entry.ticks);
        match runs.last_mut() {
            Some(run) if run.last.0.checked_add(1) == Some(entry.id) => run.last = this,
            _ => runs.push(Run { first: this, last: this }),
        }
    }
    runs
}

/// The runs of a whole log, joined where they meet.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    /// By first id.
    runs: BTreeMap<u64, Run>,
    overflowed: bool,
}

impl Sequence {
    pub(super) fn add(&mut self, mut run: Run) {
        if let Some((_, before)) = self.runs.range(..=run.first.0).next_back()
            && before.last.0.saturating_add(1) >= run.first.0
        {
            run.last = run.last.max(before.last);
            run.first = before.first;
        }
        while let Some((&first, after)) = self.runs.range(run.first.0..).next() {
            if first > run.last.0.saturating_add(1) {
                break;
            }
            run.last = run.last.max(after.last);
            self.runs.remove(&first);
        }
        if self.runs.len() >= MOST_RUNS {
            self.overflowed = true;
            return;
        }
        self.runs.insert(run.first.0, run);
    }

    pub(super) fn first(&self) -> Option<Mark> {
        self.runs.values().next().map(|run| mark(run.first))
    }

    pub(super) fn last(&self) -> Option<Mark> {
        self.runs.values().next_back().map(|run| mark(run.last))
    }

    pub(super) fn gaps(&self) -> Gaps {
        let mut gaps = Gaps { complete: !self.overflowed, ..Gaps::default() };
        for (before, after) in self.runs.values().zip(self.runs.values().skip(1)) {
            let between = after.first.0.saturating_sub(before.last.0).saturating_sub(1);
            gaps.count = gaps.count.saturating_add(1);
            gaps.missing = gaps.missing.saturating_add(between);
            if gaps.list.len() < GAPS_LISTED {
                gaps.list.push(Gap { before: mark(before.last), after: mark(after.first) });
            }
        }
        gaps
    }
}

fn mark((record_id, ticks): (u64, u64)) -> Mark {
    Mark { record_id, time: from_filetime(ticks) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(first: u64, last: u64) -> Run {
        Run { first: (first, first), last: (last, last) }
    }

    #[test]
    fn runs_join_in_any_order() {
        let mut sequence = Sequence::default();
        for (first, last) in [(50, 60), (1, 10), (11, 20), (22, 30), (5, 8), (61, 61)] {
            sequence.add(run(first, last));
        }
        let ends = (sequence.first().unwrap().record_id, sequence.last().unwrap().record_id);
        assert_eq!(ends, (1, 61));
        let gaps = sequence.gaps();
        assert_eq!((gaps.count, gaps.missing, gaps.complete), (2, 20, true));
        let listed: Vec<_> =
            gaps.list.iter().map(|gap| (gap.before.record_id, gap.after.record_id)).collect();
        assert_eq!(listed, [(20, 22), (30, 50)]);
    }

    #[test]
    fn a_run_may_swallow_others_and_end_at_the_largest_id() {
        let mut sequence = Sequence::default();
        for (first, last) in [(5, 6), (8, 9), (u64::MAX, u64::MAX), (1, 20)] {
            sequence.add(run(first, last));
        }
        let gaps = sequence.gaps();
        assert_eq!((gaps.count, gaps.missing), (1, u64::MAX - 21));
        assert_eq!(Sequence::default().gaps(), Gaps { complete: true, ..Gaps::default() });
    }

    #[test]
    fn fragments_without_end_are_given_up_loudly() {
        let mut sequence = Sequence::default();
        for id in 0..100_000 {
            sequence.add(run(id * 2, id * 2));
        }
        assert!(!sequence.gaps().complete);
        assert_eq!(sequence.gaps().list.len(), GAPS_LISTED);
    }
}
