//! The log of a virtual disk: what was not yet written to its tables when it was last closed (\[MS-VHDX\] 2.3).

use std::collections::BTreeMap;
use std::io;
use std::sync::Arc;

use super::super::bytes::Fields;
use super::{Header, damaged, sum_is_right};
use crate::evidence::source::{SharedSource, Source, read_exact_at};

/// The unit of the log and of what it changes.
const SECTOR: usize = 4096;
/// Logs have some MiB; one that claims more is hostile.
const LARGEST: u32 = 64 << 20;
/// Sectors that zero descriptors may cover in all: zeros cost nothing in the log and must cost little here.
const MOST_ZEROS: u64 = 1 << 18;

/// The file with its log replayed: the sectors that differ, by their offsets in the file.
pub(super) struct Replayed {
    file: SharedSource,
    /// Absent bytes are zeros.
    sectors: BTreeMap<u64, Option<Box<[u8]>>>,
    /// The file may end before what the log appends to it.
    size: u64,
}

impl Replayed {
    /// The file as it is after its log, and whether the log had anything.
    pub(super) fn over(file: &SharedSource, header: &Header) -> io::Result<(SharedSource, bool)> {
        if header.log_id == [0; 16] {
            return Ok((Arc::clone(file), false));
        }
        if header.log_size > LARGEST {
            return Err(damaged("the log of the virtual disk is too large"));
        }
        let mut log = vec![0; usize::try_from(header.log_size).unwrap_or_default()];
        read_exact_at(file.as_ref(), header.log, &mut log)?;
        let log = Log { bytes: log, id: header.log_id };
        let Some(entries) = log.active() else { return Ok((Arc::clone(file), false)) };
        let mut sectors = BTreeMap::new();
        let mut size = file.size();
        for entry in &entries {
            size = size.max(Fields(&entry.bytes).u64_le(56));
            entry.replay(&mut sectors)?;
        }
        if sectors.is_empty() {
            return Ok((Arc::clone(file), false));
        }
        Ok((Arc::new(Self { file: Arc::clone(file), sectors, size }), true))
    }
}

impl Source for Replayed {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let sector = u64::try_from(SECTOR).unwrap_or_default();
        let within = offset.checked_rem(sector).unwrap_or_default();
        let start = offset.saturating_sub(within);
        if let Some(changed) = self.sectors.get(&start) {
            let within = usize::try_from(within).unwrap_or_default();
            let count = buffer.len().min(SECTOR.saturating_sub(within));
            let to = buffer.get_mut(..count).unwrap_or_default();
            match changed.as_ref().and_then(|bytes| bytes.get(within..within.saturating_add(count)))
            {
                Some(from) => to.copy_from_slice(from),
                None => to.fill(0),
            }
            return Ok(count);
        }
        let next = self.sectors.range(offset..).next().map_or(u64::MAX, |(start, _)| *start);
        let count = usize::try_from(next.saturating_sub(offset)).unwrap_or(usize::MAX);
        let count = buffer.len().min(count);
        self.file.read_at(offset, buffer.get_mut(..count).unwrap_or_default())
    }
}

struct Log {
    bytes: Vec<u8>,
    id: [u8; 16],
}

struct Entry {
    sequence: u64,
    tail: usize,
    /// With wrapping around the end of the log undone.
    bytes: Vec<u8>,
}

impl Log {
    /// The entries to replay, oldest first: those that lead to the newest entry from the tail that it names.
    fn active(&self) -> Option<Vec<Entry>> {
        let mut entries: BTreeMap<usize, Entry> = BTreeMap::new();
        let mut read = 0_usize;
        for at in (0..self.bytes.len()).step_by(SECTOR) {
            if let Some(entry) = self.entry(at) {
                // Entries do not overlap in a real log: this bounds the memory of one that is made up.
                read = read.saturating_add(entry.bytes.len());
                if read > self.bytes.len().saturating_mul(2) {
                    break;
                }
                entries.insert(at, entry);
            }
        }
        let mut heads: Vec<(u64, usize)> =
            entries.iter().map(|(at, entry)| (entry.sequence, *at)).collect();
        heads.sort_unstable_by(|left, right| right.cmp(left));
        // A real log has one sequence; a hostile one must not make this slow.
        let path = heads.into_iter().take(16).find_map(|(_, head)| self.path(&entries, head))?;
        Some(path.into_iter().filter_map(|at| entries.remove(&at)).collect())
    }

    fn path(&self, entries: &BTreeMap<usize, Entry>, head: usize) -> Option<Vec<usize>> {
        let mut at = entries.get(&head)?.tail;
        let mut path = Vec::new();
        let mut expected = None;
        while path.len() <= entries.len() {
            let entry = entries.get(&at)?;
            if expected.is_some_and(|expected| expected != entry.sequence) {
                return None;
            }
            path.push(at);
            if at == head {
                return Some(path);
            }
            expected = entry.sequence.checked_add(1);
            at = at.checked_add(entry.bytes.len())?.checked_rem(self.bytes.len())?;
        }
        None
    }

    fn entry(&self, at: usize) -> Option<Entry> {
        let start = Fields(self.bytes.get(at..at.checked_add(64)?)?);
        if start.bytes(0, 4) != b"loge" || start.guid(32) != self.id {
            return None;
        }
        let size = usize::try_from(start.u32_le(8)).ok()?;
        if size < SECTOR || size.checked_rem(SECTOR) != Some(0) || size > self.bytes.len() {
            return None;
        }
        let mut bytes = Vec::with_capacity(size);
        bytes.extend(self.bytes.get(at..)?.iter().take(size));
        bytes.extend(self.bytes.iter().take(size.saturating_sub(bytes.len())));
        if !sum_is_right(&bytes) {
            return None;
        }
        let tail = usize::try_from(start.u32_le(12)).ok()?;
        Some(Entry { sequence: start.u64_le(16), tail, bytes })
    }
}

impl Entry {
    fn replay(&self, sectors: &mut BTreeMap<u64, Option<Box<[u8]>>>) -> io::Result<()> {
        let count = usize::try_from(Fields(&self.bytes).u32_le(24)).unwrap_or(usize::MAX);
        let descriptors = self.bytes.get(64..).unwrap_or_default().chunks_exact(32).take(count);
        // The descriptors fill whole sectors; the sectors of data follow in their order.
        let head = count.saturating_mul(32).saturating_add(64).next_multiple_of(SECTOR);
        let mut data = self.bytes.get(head..).unwrap_or_default().chunks_exact(SECTOR);
        for descriptor in descriptors {
            let fields = Fields(descriptor);
            let (at, sequence) = (fields.u64_le(16), fields.u64_le(24));
            if sequence != self.sequence || at % 4096 != 0 {
                return Err(damaged("the log of the virtual disk is damaged"));
            }
            match fields.bytes(0, 4) {
                b"zero" => {
                    let count = fields.u64_le(8) / 4096;
                    let all = u64::try_from(sectors.len()).unwrap_or(u64::MAX);
                    if all.saturating_add(count) > MOST_ZEROS {
                        return Err(damaged("the log of the virtual disk erases too much"));
                    }
                    for index in 0..count {
                        sectors.insert(at.saturating_add(index.saturating_mul(4096)), None);
                    }
                }
                b"desc" => {
                    let missing = || damaged("the log of the virtual disk is cut off");
                    let sector = data.next().ok_or_else(missing)?;
                    let middle = sector.get(8..4092).ok_or_else(missing)?;
                    let mut bytes = Vec::with_capacity(SECTOR);
                    bytes.extend(fields.bytes(8, 8));
                    bytes.extend(middle);
                    bytes.extend(fields.bytes(4, 4));
                    sectors.insert(at, Some(bytes.into_boxed_slice()));
                }
                _ => return Err(damaged("the log of the virtual disk is damaged")),
            }
        }
        Ok(())
    }
}
