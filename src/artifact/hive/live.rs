//! What the hive's tree still refers to, so that everything else can be told apart as deleted.

use std::ops::Range;

use super::cell::{self, KEY_HEADER, KeyRecord, NONE, ValueRecord, file_offset, used_cell};

/// Slack shorter than a `vk` record holds nothing to recover.
const SHORTEST_SLACK: usize = 24;

/// The keys and values reachable from the root key, and the space their cells leave unused.
#[derive(Debug, Default)]
pub(super) struct Live {
    /// File offset of each key's cell, with that of its parent; sorted. The root is its own parent.
    keys: Vec<(usize, usize)>,
    /// File offset of each value's cell, with that of its key; sorted.
    values: Vec<(usize, usize)>,
    /// Space in used cells after their content, enough for a record.
    slack: Vec<Range<usize>>,
    /// The same behind lists of values only, with the file offset of the key the list belongs to.
    pub(super) list_tails: Vec<(Range<usize>, usize)>,
}

impl Live {
    /// Walks the tree from the root cell.
    ///
    /// Every list entry of an honest hive has four bytes of its own, so the walk looks at no more entries
    /// than that, however the lists refer to each other.
    pub(super) fn walk(bytes: &[u8], root_cell: u32) -> Self {
        let mut live = Self::default();
        let mut seen = Seen::new(bytes.len());
        let mut budget = bytes.len() / 4;
        let Some(root) = file_offset(root_cell) else { return live };
        let mut open = vec![(root_cell, root)];
        while let Some((key_cell, parent)) = open.pop() {
            let Ok(cell) = used_cell(bytes, key_cell) else { continue };
            let Some(record) = KeyRecord::parse(cell.data) else { continue };
            if !seen.insert(cell.offset) {
                continue;
            }
            live.keys.push((cell.offset, parent));
            live.note_slack(cell.room_after(record.length));
            if record.subkey_list != NONE {
                let limit = budget.min(bytes.len() / KEY_HEADER);
                let lists = cell::subkey_offsets(bytes, record.subkey_list, limit);
                lists.room.into_iter().for_each(|room| live.note_slack(room));
                let subkeys = lists.entries;
                budget = budget.saturating_sub(subkeys.len().saturating_add(1));
                open.extend(subkeys.into_iter().map(|subkey| (subkey, cell.offset)));
            }
            if record.value_count > 0 && budget > 0 {
                live.note_values(bytes, &record, cell.offset, &mut seen, &mut budget);
            }
        }
        live.keys.sort_unstable();
        live.values.sort_unstable();
        live.slack.sort_unstable_by_key(|range| (range.start, range.end));
        live.slack.dedup();
        live
    }

    fn note_values(
        &mut self,
        bytes: &[u8],
        key: &KeyRecord,
        owner: usize,
        seen: &mut Seen,
        budget: &mut usize,
    ) {
        let Ok(list) = used_cell(bytes, key.value_list) else { return };
        let entries = cell::value_offsets(bytes, key.value_list, key.value_count).entries;
        let tail = list.room_after(entries.len().saturating_mul(4));
        self.list_tails.push((tail.clone(), owner));
        self.note_slack(tail);
        *budget = budget.saturating_sub(entries.len());
        for entry in entries {
            let Ok(cell) = used_cell(bytes, entry) else { continue };
            let Some(record) = ValueRecord::parse(cell.data) else { continue };
            if !seen.insert(cell.offset) {
                continue;
            }
            self.values.push((cell.offset, owner));
            self.note_slack(cell.room_after(record.length));
            if record.inline.is_none()
                && record.data_length > 0
                && let Ok(data) = used_cell(bytes, record.data_offset)
                && !data.data.starts_with(b"db")
            {
                self.note_slack(data.room_after(record.data_length));
            }
        }
    }

    /// Keeps the room a cell has left, if a record fits.
    fn note_slack(&mut self, room: Range<usize>) {
        if room.len() >= SHORTEST_SLACK {
            self.slack.push(room);
        }
    }

    /// Space in used cells that may hold older records, in file order.
    pub(super) fn slack(&self) -> &[Range<usize>] {
        &self.slack
    }

    /// The parent of a live key, by file offset.
    pub(super) fn parent_of(&self, key: usize) -> Option<usize> {
        find(&self.keys, key)
    }

    /// The key of a live value, by file offset.
    pub(super) fn key_of_value(&self, value: usize) -> Option<usize> {
        find(&self.values, value)
    }
}

fn find(pairs: &[(usize, usize)], key: usize) -> Option<usize> {
    let index = pairs.binary_search_by_key(&key, |(offset, _)| *offset).ok()?;
    pairs.get(index).map(|(_, other)| *other)
}

/// The cells already visited, one bit for each place a cell can start.
struct Seen(Vec<u64>);

impl Seen {
    fn new(length: usize) -> Self {
        Self(vec![0; (length / 256).saturating_add(1)])
    }

    /// Notes a cell; `false` when it was noted before.
    fn insert(&mut self, offset: usize) -> bool {
        let slot = offset / 4;
        let Some(word) = self.0.get_mut(slot / 64) else { return false };
        let bit = 1_u64 << (slot % 64);
        let fresh = *word & bit == 0;
        *word |= bit;
        fresh
    }
}
