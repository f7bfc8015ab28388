//! The master boot record and the chain of records in an extended partition.

use super::super::container::bytes::Fields;
use super::{DYNAMIC_DISK, Entry, Notes};
use crate::diagnostic::Impact;
use crate::evidence::source::{Source, read_exact_at};

/// Logical partitions of one disk.
const MOST_LOGICAL: usize = 128;

/// One of the four entries of a record, in sectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slot {
    index: usize,
    kind: u8,
    start: u32,
    pub(super) sectors: u32,
}

impl Slot {
    /// Whether it only protects a GPT.
    pub(super) fn is_gpt(&self) -> bool {
        self.kind == 0xEE
    }

    fn is_extended(&self) -> bool {
        matches!(self.kind, 0x05 | 0x0F | 0x85)
    }
}

/// The used entries of a sector, if it can be a partition table at all: many sectors end in the same two bytes.
pub(super) fn entries(sector: &[u8], disk: u64) -> Option<Vec<Slot>> {
    let slots = slots(sector)?;
    let fits =
        slots.iter().all(|slot| slot.start > 0 && u64::from(slot.start) < disk.max(512) / 512);
    fits.then_some(slots)
}

fn slots(sector: &[u8]) -> Option<Vec<Slot>> {
    if sector.get(510..512) != Some(&[0x55, 0xAA]) {
        return None;
    }
    let mut slots = Vec::new();
    for (index, bytes) in sector.get(446..510)?.chunks_exact(16).enumerate() {
        let fields = Fields(bytes);
        let (status, kind) = (bytes.first()?, *bytes.get(4)?);
        if *status & 0x7F != 0 {
            return None;
        }
        let (start, sectors) = (fields.u32_le(8), fields.u32_le(12));
        if kind != 0 && sectors != 0 {
            slots.push(Slot { index, kind, start, sectors });
        }
    }
    Some(slots)
}

/// The partitions of a disk with that table, logical ones included.
pub(super) fn partitions(disk: &dyn Source, slots: &[Slot], notes: &mut Notes) -> Vec<Entry> {
    let sector = sector_size(disk, slots);
    let mut partitions = Vec::new();
    for slot in slots.iter().filter(|slot| !slot.is_gpt()) {
        if slot.is_extended() {
            logical(disk, u64::from(slot.start), sector, &mut partitions, notes);
        } else {
            let number = slot.index.saturating_add(1);
            partitions.push(entry(number, slot, 0, sector));
        }
    }
    partitions
}

fn entry(number: usize, slot: &Slot, base: u64, sector: u64) -> Entry {
    Entry {
        number,
        start: base.saturating_add(u64::from(slot.start)).saturating_mul(sector),
        size: u64::from(slot.sectors).saturating_mul(sector),
        table: format!("MBR type 0x{:02x}", slot.kind),
        unread: (slot.kind == 0x42).then_some(DYNAMIC_DISK),
    }
}

/// 4096 only where a partition begins with a boot sector there and with none where 512 would put it.
fn sector_size(disk: &dyn Source, slots: &[Slot]) -> u64 {
    let begins = |sector: u64| {
        slots.iter().any(|slot| {
            let mut bytes = [0; 512];
            let at = u64::from(slot.start).saturating_mul(sector);
            read_exact_at(disk, at, &mut bytes).is_ok() && bytes.ends_with(&[0x55, 0xAA])
        })
    };
    if !begins(512) && begins(4096) { 4096 } else { 512 }
}

/// Follows the chain of an extended partition: each record has a partition and the place of the next record.
fn logical(
    disk: &dyn Source,
    first: u64,
    sector: u64,
    partitions: &mut Vec<Entry>,
    notes: &mut Notes,
) {
    let mut seen = vec![first];
    let mut at = first;
    let mut number = 5_usize;
    loop {
        let mut bytes = [0; 512];
        let read = read_exact_at(disk, at.saturating_mul(sector), &mut bytes);
        let Some(slots) = read.ok().and_then(|()| slots(&bytes)) else {
            notes.add(
                Impact::Partial,
                format_args!("the chain of logical partitions breaks at sector {at}"),
            );
            return;
        };
        for slot in slots.iter().filter(|slot| !slot.is_extended()) {
            partitions.push(entry(number, slot, at, sector));
            number = number.saturating_add(1);
        }
        let Some(next) = slots.iter().find(|slot| slot.is_extended()) else { return };
        at = first.saturating_add(u64::from(next.start));
        if seen.contains(&at) || seen.len() >= MOST_LOGICAL {
            notes.add(Impact::Partial, "the chain of logical partitions has no end");
            return;
        }
        seen.push(at);
    }
}
