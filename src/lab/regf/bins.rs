//! Hive bins and the cells in them: allocated, freed and grown as Windows does it.
//!
//! Freed cells keep their bytes, which is why deleted keys can be recovered, from real hives and from these.

use std::collections::{BTreeMap, VecDeque};

use crate::lab::bytes::{index, length, patch};

/// Bins grow in units of a page.
pub(super) const PAGE: usize = 4096;
const BIN_HEADER: u32 = 32;
const CELL_HEADER: u32 = 4;
/// Most free cells that rest.
const RESTING: usize = 512;

/// Everything of a hive file after its base block.
#[derive(Debug, Clone, Default)]
pub(super) struct Bins {
    bytes: Vec<u8>,
    /// Free cells that may be used again: offset to size.
    free: BTreeMap<u32, u32>,
    /// Free cells that may not be used again yet, oldest first.
    resting: VecDeque<u32>,
}

impl Bins {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes
    }

    /// Stores `content` in a new cell and returns its offset, the address every structure uses.
    pub(super) fn store(&mut self, content: &[u8]) -> u32 {
        let offset = self.allocate(length(content.len()));
        self.write(offset, content);
        offset
    }

    /// Overwrites the content of a cell that is large enough.
    pub(super) fn write(&mut self, cell: u32, content: &[u8]) {
        patch(&mut self.bytes, index(cell.saturating_add(CELL_HEADER)), content);
    }

    /// Marks a cell as free; the bytes stay.
    ///
    /// A real hive has free cells all over, so the one just freed is seldom the next to be used. These hives are
    /// dense: cells rest before they are used again, else nothing deleted would survive the next change.
    pub(super) fn release(&mut self, cell: u32) {
        let size = self.size(cell).unsigned_abs();
        self.set_size(cell, i32::try_from(size).unwrap_or(i32::MAX));
        self.resting.push_back(cell);
        if self.resting.len() > RESTING
            && let Some(oldest) = self.resting.pop_front()
        {
            self.reclaim(oldest);
        }
    }

    /// Lets a free cell be used again, joined with its free neighbours.
    fn reclaim(&mut self, cell: u32) {
        let mut size = self.size(cell).unsigned_abs();
        if let Some(next) = self.free.remove(&cell.saturating_add(size)) {
            size = size.saturating_add(next);
        }
        let before = self.free.range(..cell).next_back().map(|(start, len)| (*start, *len));
        match before.filter(|(start, len)| start.saturating_add(*len) == cell) {
            Some((start, len)) => self.mark_free(start, len.saturating_add(size)),
            None => self.mark_free(cell, size),
        }
    }

    fn allocate(&mut self, content: u32) -> u32 {
        let needed = content.saturating_add(CELL_HEADER).next_multiple_of(8);
        let found =
            self.free.iter().find(|(_, size)| **size >= needed).map(|(cell, size)| (*cell, *size));
        let (cell, size) = found.unwrap_or_else(|| self.grow(needed));
        self.free.remove(&cell);
        let rest = size.saturating_sub(needed);
        if rest > 0 {
            self.mark_free(cell.saturating_add(needed), rest);
        }
        self.set_size(cell, 0_i32.saturating_sub_unsigned(needed));
        cell
    }

    /// Appends a bin with room for a cell of `needed` bytes.
    fn grow(&mut self, needed: u32) -> (u32, u32) {
        let start = self.bytes.len();
        let size = index(needed.saturating_add(BIN_HEADER)).next_multiple_of(PAGE);
        self.bytes.resize(start.saturating_add(size), 0);
        patch(&mut self.bytes, start, b"hbin");
        patch(&mut self.bytes, start.saturating_add(4), &length(start).to_le_bytes());
        patch(&mut self.bytes, start.saturating_add(8), &length(size).to_le_bytes());
        let cell = length(start).saturating_add(BIN_HEADER);
        let room = length(size).saturating_sub(BIN_HEADER);
        self.mark_free(cell, room);
        (cell, room)
    }

    fn mark_free(&mut self, cell: u32, size: u32) {
        self.free.insert(cell, size);
        self.set_size(cell, i32::try_from(size).unwrap_or(i32::MAX));
    }

    fn set_size(&mut self, cell: u32, size: i32) {
        patch(&mut self.bytes, index(cell), &size.to_le_bytes());
    }

    fn size(&self, cell: u32) -> i32 {
        let at = index(cell);
        self.bytes
            .get(at..at.saturating_add(4))
            .and_then(|bytes| bytes.try_into().ok())
            .map_or(0, i32::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_cells_keep_their_bytes_and_are_used_again_later() {
        let mut bins = Bins::default();
        let first = bins.store(b"first cell");
        let second = bins.store(b"second");
        assert_eq!((first, second), (32, 48));
        bins.release(first);
        bins.release(second);
        assert_eq!((bins.size(first), bins.size(second)), (16, 16));
        assert_eq!(&bins.as_slice()[36..46], b"first cell");
        let third = bins.store(b"third");
        assert_eq!(third, 64);
        for _ in 0..RESTING {
            let cell = bins.store(b"lives for a short time");
            bins.release(cell);
        }
        assert_eq!(bins.size(first), 32, "joined");
        assert_eq!(bins.store(&[7; 20]), first);
    }

    #[test]
    fn bins_grow_by_whole_pages() {
        let mut bins = Bins::default();
        bins.store(b"small");
        assert_eq!(bins.as_slice().len(), PAGE);
        assert_eq!(bins.store(&[7; 5000]), 4096 + 32);
        assert_eq!(bins.as_slice().len(), PAGE * 3);
    }
}
