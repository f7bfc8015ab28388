//! Where replayed bytes differ from the primary file, so that a fact can say it came from a log.

use std::ops::Range;

/// The differences between a primary file and the replayed hive, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    spans: Vec<Range<usize>>,
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
            changes.spans.push(common..hive_end);
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
                Some(last) if last.end == offset => last.end = offset.saturating_add(1),
                _ => self.spans.push(offset..offset.saturating_add(1)),
            }
        }
    }

    /// File offsets of the runs of differing bytes, in file order.
    pub fn spans(&self) -> &[Range<usize>] {
        &self.spans
    }

    /// Whether any byte of a file range differs from the primary file.
    pub fn touch(&self, range: &Range<usize>) -> bool {
        let first = self.spans.partition_point(|change| change.end <= range.start);
        self.spans.get(first).is_some_and(|change| change.start < range.end)
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
        assert_eq!(changes.spans(), [511..514, 2000..2048]);
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
