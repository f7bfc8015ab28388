//! The layout of a chunk, and where its records are: a walk over headers that decodes nothing.
//!
//! A log is a 4 KiB file header and 64 KiB chunks. A chunk is a 512-byte header and records one after another,
//! each 8-byte aligned: `**\0\0`, size `u32`, record id `u64`, time written `u64` (FILETIME), BinXML, and the
//! size once more. (Layout: libyal, "Windows XML Event Log (EVTX) format".)

use std::collections::BTreeSet;

use super::bytes::{offset_at, u32_at, u64_at};
use super::record::RecordState;

/// Size of the file header block, in bytes; the first chunk follows it.
pub(super) const FILE_HEADER_SIZE: u64 = 4096;
/// Size of a chunk, in bytes.
pub(super) const CHUNK_SIZE: usize = 65_536;
/// What a chunk starts with.
pub(super) const CHUNK_MAGIC: &[u8; 8] = b"ElfChnk\0";
/// What a record starts with.
pub(super) const RECORD_MAGIC: &[u8; 4] = b"**\0\0";
/// Size of a record header, in bytes; BinXML follows it.
pub(super) const RECORD_HEADER_SIZE: usize = 24;

const CHUNK_HEADER_SIZE: usize = 512;
/// Every record starts at a multiple of this.
const ALIGNMENT: usize = 8;
/// Header and the copy of the size at the end.
const SMALLEST_RECORD: usize = RECORD_HEADER_SIZE + 4;
/// The last record id in the header of a chunk that was never written back.
const NEVER_WRITTEN: u64 = u64::MAX;

/// Where a record is, from its header alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    /// Offset of the record header in the chunk, in bytes.
    pub(super) offset: usize,
    /// Size with header and size copy, in bytes; within the chunk.
    pub(super) size: usize,
    /// The record id in the record header.
    pub(super) id: u64,
    /// The time written in the record header: FILETIME, 100 ns ticks.
    pub(super) ticks: u64,
    pub(super) state: RecordState,
    /// Found by searching unused space: nothing but the record itself vouches for it.
    pub(super) carved: bool,
}

impl Entry {
    /// The offset after the record.
    pub(super) fn end(&self) -> usize {
        self.offset.saturating_add(self.size)
    }
}

/// What the walk over a chunk found.
#[derive(Debug, Default)]
pub(super) struct Walk {
    /// Records that the log holds, in the order of the chunk.
    pub(super) held: Vec<Entry>,
    /// Possible remains of older records; they may overlap.
    pub(super) carved: Vec<Entry>,
    /// Offsets where a live record should have started and did not.
    pub(super) damaged: Vec<usize>,
    /// Whether the header was never written back (a log copied from a running host).
    pub(super) unflushed: bool,
}

struct Header {
    first_id: u64,
    last_id: u64,
    last_record: usize,
    free_space: usize,
}

impl Header {
    fn read(data: &[u8]) -> Option<Self> {
        Some(Self {
            first_id: u64_at(data, 24)?,
            last_id: u64_at(data, 32)?,
            last_record: offset_at(data, 44)?,
            free_space: offset_at(data, 48)?.min(data.len()),
        })
    }
}

/// Finds every record of a chunk; `trusted` is false where the chunk's header is damaged, so that nothing vouches
/// for any of them.
pub(super) fn walk(data: &[u8], trusted: bool) -> Walk {
    let mut walk = Walk::default();
    let header = Header::read(data).filter(|_| trusted);
    let mut gaps = Vec::new();
    let slack = match header {
        Some(header) if header.last_id == NEVER_WRITTEN => {
            walk.unflushed = true;
            follow_unflushed(data, CHUNK_HEADER_SIZE, None, &mut walk.held)
        }
        Some(header) => {
            let end = walk_live(data, &header, &mut walk, &mut gaps);
            follow_unflushed(data, end, header.last_id.checked_add(1), &mut walk.held)
        }
        None => CHUNK_HEADER_SIZE,
    };
    gaps.push((slack, data.len()));
    for (from, until) in gaps {
        carve(data, from, until, &mut walk.carved);
    }
    if walk.unflushed {
        adopt_previous_lap(&mut walk);
    }
    walk
}

/// The records that the header vouches for; past damage, on to the next one that fits the header. Returns where the
/// rest of the chunk starts.
fn walk_live(
    data: &[u8],
    header: &Header,
    walk: &mut Walk,
    gaps: &mut Vec<(usize, usize)>,
) -> usize {
    let mut at = CHUNK_HEADER_SIZE;
    while at < header.free_space {
        if let Some(mut entry) = entry_at(data, at, RecordState::Live) {
            if !is_whole(data, &entry) {
                walk.damaged.push(at);
                let Some(size) = confirmed_size(data, &entry, header) else { break };
                entry.size = size;
            }
            walk.held.push(entry);
            at = entry.end();
            if entry.id == header.last_id {
                break;
            }
            continue;
        }
        let next = resync(data, at, header);
        // Zeros up to the end are where the free space really starts when the header says too much.
        if next.is_some() || data.get(at..header.free_space).is_some_and(has_data) {
            walk.damaged.push(at);
        }
        let Some(next) = next else { break };
        gaps.push((at, next));
        at = next;
    }
    let last = walk.held.last().map(|entry| entry.id);
    if last != Some(header.last_id) && walk.damaged.last() != Some(&at) {
        // The header promises a record that is not there.
        walk.damaged.push(at);
    }
    at
}

/// The size of a record whose two sizes differ: the record after it, or the end of the records, says which is right.
/// A record that simply stops, with zeros where its end should be, has no size: it was cut off.
fn confirmed_size(data: &[u8], entry: &Entry, header: &Header) -> Option<usize> {
    if let Some(next) = resync(data, entry.offset, header) {
        return next.checked_sub(entry.offset);
    }
    let end = entry.end();
    let is_cut = data.get(end.checked_sub(4)?..end)? == [0; 4];
    (end == header.free_space && !is_cut).then_some(entry.size)
}

fn has_data(rest: &[u8]) -> bool {
    rest.iter().take(4).any(|byte| *byte != 0)
}

/// The next place where a whole record starts whose id is in the header's range.
fn resync(data: &[u8], after: usize, header: &Header) -> Option<usize> {
    let last = header.last_record.min(header.free_space);
    aligned(after.saturating_add(1)).take_while(|at| *at <= last).find(|at| {
        whole_entry_at(data, *at, RecordState::Live).is_some_and(|entry| {
            entry.end() <= header.free_space
                && (header.first_id..=header.last_id).contains(&entry.id)
        })
    })
}

/// Records that follow each other by id from `at` on, starting with `first` where it is known. Returns where they end.
fn follow_unflushed(data: &[u8], at: usize, first: Option<u64>, held: &mut Vec<Entry>) -> usize {
    let (mut at, mut expected) = (at, first);
    while let Some(entry) = whole_entry_at(data, at, RecordState::Unflushed) {
        if expected.is_some_and(|id| id != entry.id) {
            break;
        }
        held.push(entry);
        at = entry.end();
        expected = Some(entry.id.saturating_add(1));
    }
    at
}

/// Every place in a part of the chunk where a whole record starts.
fn carve(data: &[u8], from: usize, until: usize, carved: &mut Vec<Entry>) {
    let start = from.next_multiple_of(ALIGNMENT);
    let Some(part) = data.get(start..until.min(data.len())) else { return };
    for (place, block) in part.chunks_exact(ALIGNMENT).enumerate() {
        if !block.starts_with(RECORD_MAGIC) {
            continue;
        }
        let at = start.saturating_add(place.saturating_mul(ALIGNMENT));
        if let Some(entry) = whole_entry_at(data, at, RecordState::Recovered)
            && entry.end() <= until
        {
            carved.push(entry);
        }
    }
}

/// In a chunk that was never written back, the records of the lap before are still there beyond the new ones. Those
/// that lead up to the new ones without a gap in the record ids belong to the same unbroken sequence; nothing in the file
/// says that the log had dropped them.
fn adopt_previous_lap(walk: &mut Walk) {
    let Some(first) = walk.held.first().map(|entry| entry.id) else { return };
    let ids: BTreeSet<u64> = walk.carved.iter().map(|entry| entry.id).collect();
    let mut oldest = first;
    while let Some(before) = oldest.checked_sub(1).filter(|id| ids.contains(id)) {
        oldest = before;
    }
    let mut lap = BTreeSet::new();
    for entry in &mut walk.carved {
        if (oldest..first).contains(&entry.id) && lap.insert(entry.id) {
            entry.state = RecordState::Unflushed;
        }
    }
}

fn aligned(from: usize) -> impl Iterator<Item = usize> {
    (from.next_multiple_of(ALIGNMENT)..CHUNK_SIZE).step_by(ALIGNMENT)
}

/// The record that starts at `at`, if a header is there and its size stays within the chunk.
fn entry_at(data: &[u8], at: usize, state: RecordState) -> Option<Entry> {
    if !data.get(at..)?.starts_with(RECORD_MAGIC) {
        return None;
    }
    let size = offset_at(data, at.checked_add(4)?)?;
    let end = at.checked_add(size)?;
    if size < SMALLEST_RECORD || end > data.len() {
        return None;
    }
    let id = u64_at(data, at.checked_add(8)?)?;
    let ticks = u64_at(data, at.checked_add(16)?)?;
    Some(Entry { offset: at, size, id, ticks, state, carved: state == RecordState::Recovered })
}

/// As [`entry_at`], and the record ends with the copy of its size.
fn whole_entry_at(data: &[u8], at: usize, state: RecordState) -> Option<Entry> {
    entry_at(data, at, state).filter(|entry| is_whole(data, entry))
}

fn is_whole(data: &[u8], entry: &Entry) -> bool {
    let copy = entry.end().checked_sub(4).and_then(|at| u32_at(data, at));
    copy.is_some_and(|copy| usize::try_from(copy) == Ok(entry.size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(data: &mut [u8], at: usize, bytes: &[u8]) {
        data[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_record(data: &mut [u8], at: usize, size: u32, id: u64) {
        put(data, at, RECORD_MAGIC);
        put(data, at + 4, &size.to_le_bytes());
        put(data, at + 8, &id.to_le_bytes());
        put(data, at + 16, &1_u64.to_le_bytes());
        put(data, at + size as usize - 4, &size.to_le_bytes());
    }

    fn chunk(first: u64, last: u64, last_record: u32, free_space: u32) -> Vec<u8> {
        let mut data = vec![0; CHUNK_SIZE];
        put(&mut data, 0, CHUNK_MAGIC);
        put(&mut data, 24, &first.to_le_bytes());
        put(&mut data, 32, &last.to_le_bytes());
        put(&mut data, 44, &last_record.to_le_bytes());
        put(&mut data, 48, &free_space.to_le_bytes());
        data
    }

    fn ids(entries: &[Entry]) -> Vec<(u64, RecordState)> {
        entries.iter().map(|entry| (entry.id, entry.state)).collect()
    }

    use RecordState::{Live, Recovered, Unflushed};

    #[test]
    fn live_records_then_what_the_header_does_not_know_yet_then_remains() {
        let mut data = chunk(7, 8, 552, 592);
        for (at, id) in [(512, 7), (552, 8), (592, 9), (632, 10), (680, 3)] {
            put_record(&mut data, at, 40, id);
        }
        let walk = walk(&data, true);
        assert_eq!(ids(&walk.held), [(7, Live), (8, Live), (9, Unflushed), (10, Unflushed)]);
        assert_eq!(ids(&walk.carved), [(3, Recovered)]);
        assert!(walk.damaged.is_empty() && !walk.unflushed);
    }

    #[test]
    fn a_broken_record_costs_itself_only() {
        let mut data = chunk(1, 3, 592, 632);
        for (at, id) in [(512, 1), (552, 2), (592, 3)] {
            put_record(&mut data, at, 40, id);
        }
        put(&mut data, 552, b"XX");
        let walk = walk(&data, true);
        assert_eq!(ids(&walk.held), [(1, Live), (3, Live)]);
        assert_eq!(walk.damaged, [552]);
        assert!(walk.carved.is_empty());
    }

    #[test]
    fn a_size_out_of_bounds_is_damage() {
        for size in [0_u32, 27, 70_000, u32::MAX] {
            let mut data = chunk(1, 2, 552, 592);
            put_record(&mut data, 512, 40, 1);
            put_record(&mut data, 552, 40, 2);
            put(&mut data, 516, &size.to_le_bytes());
            let walk = walk(&data, true);
            assert_eq!(ids(&walk.held), [(2, Live)], "{size}");
            assert_eq!(walk.damaged, [512], "{size}");
        }
    }

    #[test]
    fn a_wrong_size_swallows_nothing() {
        for size in [80_u32, 120, 32, 44] {
            let mut data = chunk(1, 3, 592, 632);
            for (at, id) in [(512, 1), (552, 2), (592, 3)] {
                put_record(&mut data, at, 40, id);
            }
            put(&mut data, 516, &size.to_le_bytes());
            let walk = walk(&data, true);
            assert_eq!(ids(&walk.held), [(1, Live), (2, Live), (3, Live)], "{size}");
            assert_eq!(walk.damaged, [512], "{size}");
            assert_eq!(walk.held[0].size, 40, "{size}");
        }
    }

    #[test]
    fn a_chunk_never_written_back_gives_one_unbroken_sequence() {
        let mut data = chunk(u64::MAX, u64::MAX, 0, 512);
        for (at, id) in [(512, 20), (552, 21), (640, 18), (680, 19), (720, 12)] {
            put_record(&mut data, at, 40, id);
        }
        let walk = walk(&data, true);
        assert!(walk.unflushed);
        assert_eq!(ids(&walk.held), [(20, Unflushed), (21, Unflushed)]);
        assert_eq!(ids(&walk.carved), [(18, Unflushed), (19, Unflushed), (12, Recovered)]);
    }

    #[test]
    fn without_a_trusted_header_everything_is_carved() {
        let mut data = chunk(1, 1, 512, 552);
        put_record(&mut data, 512, 40, 1);
        let walk = walk(&data, false);
        assert_eq!(ids(&walk.carved), [(1, Recovered)]);
        assert!(walk.held.is_empty());
    }

    #[test]
    fn records_that_the_header_promises_are_missed_once() {
        let mut data = chunk(1, 9, 60_000, 65_536);
        put_record(&mut data, 512, 40, 1);
        let walk = walk(&data, true);
        assert_eq!(ids(&walk.held), [(1, Live)]);
        assert_eq!(walk.damaged, [552]);
    }
}
