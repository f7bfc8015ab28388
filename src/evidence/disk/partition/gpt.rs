//! The GUID partition table (UEFI Specification 2.10, section 5.3).

use super::super::container::bytes::Fields;
use super::mbr::Slot;
use super::{DYNAMIC_DISK, Entry, Notes, SECTORS, STORAGE_SPACES};
use crate::diagnostic::Impact;
use crate::evidence::source::{Source, read_exact_at};
use crate::text::utf16le_until_nul;

const SIGNATURE: &[u8] = b"EFI PART";

/// Entries that are looked at; tables have 128.
const MOST_ENTRIES: u32 = 1024;

/// A table as one of its two headers gives it.
struct Table {
    sector: u64,
    is_backup: bool,
    /// What is wrong with it; nothing is where both checksums are right.
    wrong: Option<&'static str>,
    entries: Vec<u8>,
    entry_size: usize,
}

/// Whether a file of that size, by its first and last bytes, has a header in its second sector or a backup in its
/// last. A backup says where it is: the last part of a split image has one too.
pub(super) fn is_at(start: &[u8], end: &[u8], size: u64, sector: usize) -> bool {
    let header = |bytes: &[u8]| bytes.starts_with(SIGNATURE);
    let backup = end.len().checked_sub(sector).and_then(|at| end.get(at..)).unwrap_or_default();
    let sector_size = u64::try_from(sector).unwrap_or_default();
    let says = Fields(backup).u64_le(24).checked_mul(sector_size);
    start.get(sector..).is_some_and(header)
        || header(backup) && says == size.checked_sub(sector_size)
}

/// The partitions of the best of the tables there are: one with right checksums before one without, the first
/// before its backup. Absent where there is none.
pub(super) fn read(disk: &dyn Source, master: &[Slot], notes: &mut Notes) -> Option<Vec<Entry>> {
    let mut tables = Vec::new();
    for sector in SECTORS {
        tables.extend(table(disk, sector, sector, false));
        for at in backups(disk.size(), sector, master) {
            tables.extend(table(disk, sector, at, true));
        }
    }
    let best = tables.iter().min_by_key(|table| (table.wrong.is_some(), table.is_backup))?;
    if best.is_backup {
        let first = tables.iter().find(|table| !table.is_backup).and_then(|table| table.wrong);
        notes.add(
            Impact::Note,
            format_args!(
                "the GPT is read from its backup: {}",
                first.unwrap_or("its header is missing")
            ),
        );
    }
    if let Some(wrong) = best.wrong {
        notes.add(Impact::Partial, format_args!("the GPT is damaged: {wrong}"));
    }
    Some(best.partitions())
}

/// Where the backup header can be: in the last sector, or where the protective MBR says the disk ends.
fn backups(size: u64, sector: u64, master: &[Slot]) -> Vec<u64> {
    let sectors = size.checked_div(sector).unwrap_or_default();
    let protected = master.iter().filter(|slot| slot.is_gpt()).map(|slot| u64::from(slot.sectors));
    let mut places: Vec<u64> = protected
        .chain(sectors.checked_sub(1))
        .filter(|at| (2..sectors).contains(at))
        .map(|at| at.saturating_mul(sector))
        .collect();
    places.sort_unstable();
    places.dedup();
    places.reverse();
    places
}

fn table(disk: &dyn Source, sector: u64, at: u64, is_backup: bool) -> Option<Table> {
    let mut header = vec![0; usize::try_from(sector).ok()?];
    read_exact_at(disk, at, &mut header).ok()?;
    if !header.starts_with(SIGNATURE) {
        return None;
    }
    let fields = Fields(&header);
    let (count, size) = (fields.u32_le(80), fields.u32_le(84));
    if !(128..=4096).contains(&size) || size % 8 != 0 {
        return None;
    }
    let mut wrong =
        (!header_sum_is_right(&header)).then_some("its header does not match its checksum");
    let bytes = count.min(MOST_ENTRIES).checked_mul(size)?;
    let mut entries = vec![0; usize::try_from(bytes).ok()?];
    let place = fields.u64_le(72).checked_mul(sector)?;
    if read_exact_at(disk, place, &mut entries).is_err() {
        return None;
    }
    if count <= MOST_ENTRIES && crc32(&[&entries]) != fields.u32_le(88) {
        wrong = wrong.or(Some("its entries do not match their checksum"));
    }
    Some(Table { sector, is_backup, wrong, entries, entry_size: usize::try_from(size).ok()? })
}

fn header_sum_is_right(header: &[u8]) -> bool {
    let fields = Fields(header);
    let size = usize::try_from(fields.u32_le(12)).unwrap_or(usize::MAX);
    match (header.get(..16), header.get(20..size)) {
        (Some(before), Some(after)) if size >= 92 => {
            crc32(&[before, &[0; 4], after]) == fields.u32_le(16)
        }
        _ => false,
    }
}

fn crc32(parts: &[&[u8]]) -> u32 {
    let mut sum = flate2::Crc::new();
    for part in parts {
        sum.update(part);
    }
    sum.sum()
}

impl Table {
    fn partitions(&self) -> Vec<Entry> {
        let entries = self.entries.chunks_exact(self.entry_size).enumerate();
        entries
            .filter_map(|(index, entry)| self.partition(index.saturating_add(1), entry))
            .collect()
    }

    fn partition(&self, number: usize, entry: &[u8]) -> Option<Entry> {
        let fields = Fields(entry);
        let kind = fields.guid(0);
        let (first, last) = (fields.u64_le(32), fields.u64_le(40));
        if kind == [0; 16] || last < first {
            return None;
        }
        // The last sector is one of the partition's.
        let sectors = last.saturating_sub(first).saturating_add(1);
        let (label, unread) = kind_words(kind);
        let name = utf16le_until_nul(fields.bytes(56, 72));
        let table =
            if name.is_empty() { format!("GPT {label}") } else { format!("GPT \"{name}\"") };
        Some(Entry {
            number,
            start: first.saturating_mul(self.sector),
            size: sectors.saturating_mul(self.sector),
            table,
            unread,
        })
    }
}

/// What Windows makes partitions for (Microsoft, `PARTITION_INFORMATION_GPT`), and why some are not read.
fn kind_words(kind: [u8; 16]) -> (&'static str, Option<&'static str>) {
    match u128::from_be_bytes(kind) {
        0x2873_2AC1_1FF8_D211_BA4B_00A0_C93E_C93B => ("EFI system", None),
        0x16E3_C9E3_5C0B_B84D_817D_F92D_F002_15AE => ("Microsoft reserved", None),
        0xA2A0_D0EB_E5B9_3344_87C0_68B6_B726_99C7 => ("basic data", None),
        0xA4BB_94DE_D106_404D_A16A_BFD5_0179_D6AC => ("Windows recovery", None),
        0xAAC8_0858_8F7E_E042_85D2_E1E9_0434_CFB3 => ("LDM metadata", Some(DYNAMIC_DISK)),
        0xA060_9BAF_3114_624F_BC68_3311_714A_69AD => ("LDM data", Some(DYNAMIC_DISK)),
        0x8FAF_5CE7_80F6_EE4C_AFA3_B001_E56E_FC2D => ("Storage Spaces", Some(STORAGE_SPACES)),
        _ => ("of unknown type", None),
    }
}
