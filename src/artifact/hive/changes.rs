//! Where replayed bytes differ from the primary file, so that a fact can say it came from a log.

use std::ops::Range;

/// The differences between a primary file and the replayed hive, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    spans: Vec<Change>,
}

/// One run of differing bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// File offsets of the run, in bytes.
    pub range: Range<usize>,
    /// What the primary file held there; shorter than the range where the hive grew.
    pub before: Vec<u8>,
}

/// Bytes compared at a time: hives are mostly equal, and comparing slices is fast.
const BLOCK: usize = 512;

impl Changes {
    /// Compares the two; whatever lies beyond `primary_end` was no part of the primary hive and counts as
    /// changed even where leftovers of an earlier, larger hive look the same.
    pub(super) fn between(primary: &[u8], primary_end: usize, replayed: &[u8]) -> Self {
        let mut changes = Self::default();
        let common = primary_end.min(primary.len()).min(replayed.len());
        let mut start = 0;
        while start < common {
            let end = start.saturating_add(BLOCK).min(common);
            let (old, new) = (primary.get(start..end), replayed.get(start..end));
            if let (Some(old), Some(new)) = (old, new)
                && old != new
            {
                changes.compare_block(start, old, new);
            }
            start = end;
        }
        let hive_end = super::BaseBlock::parse(replayed).map_or(replayed.len(), |block| {
            super::base_block::HIVE_BINS_START
                .saturating_add(block.hive_bins_size)
                .min(replayed.len())
        });
        if hive_end > common {
            let before = primary.get(common..primary.len().min(hive_end)).unwrap_or_default();
            changes.spans.push(Change { range: common..hive_end, before: before.to_vec() });
        }
        changes
    }

    fn compare_block(&mut self, start: usize, old: &[u8], new: &[u8]) {
        for (index, (before, after)) in old.iter().zip(new).enumerate() {
            if before == after {
                continue;
            }
            let offset = start.saturating_add(index);
            match self.spans.last_mut() {
                Some(last) if last.range.end == offset => {
                    last.range.end = offset.saturating_add(1);
                    last.before.push(*before);
                }
                _ => self.spans.push(Change {
                    range: offset..offset.saturating_add(1),
                    before: vec![*before],
                }),
            }
        }
    }

    /// The runs of differing bytes, in file order.
    pub fn spans(&self) -> &[Change] {
        &self.spans
    }

    /// Whether any byte of a file range differs from the primary file.
    pub fn touch(&self, range: &Range<usize>) -> bool {
        let first = self.spans.partition_point(|change| change.range.end <= range.start);
        self.spans.get(first).is_some_and(|change| change.range.start < range.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_differing_bytes_count_as_changed() {
        let primary = vec![0; 2048];
        let mut replayed = primary.clone();
        replayed[511..514].fill(9);
        let changes = Changes::between(&primary, 2000, &replayed);
        let ranges: Vec<_> = changes.spans().iter().map(|change| change.range.clone()).collect();
        assert_eq!(ranges, [511..514, 2000..2048]);
        for (range, touched) in [
            (0..511, false),
            (0..512, true),
            (513..600, true),
            (514..2000, false),
            (2047..3000, true),
        ] {
            assert_eq!(changes.touch(&range), touched, "{range:?}");
        }
    }
}
