//! The records of a hive read straight from its cells.
//!
//! nt-hive reads keys and values; it gives no last-write time, security descriptor or offset, stops at
//! damaged lists and cannot read what was deleted. Layouts: the regf specification of M. Suhanov, "Cells".

use std::ops::Range;

use super::base_block::HIVE_BINS_START;
use super::bytes::{size_at, u16_at, u32_at, u64_at};
use crate::text;

/// The cell offset that means "none".
pub(super) const NONE: u32 = u32::MAX;
/// Bytes of a `nk` record before its name.
pub(super) const KEY_HEADER: usize = 76;
/// Bytes of a `vk` record before its name.
pub(super) const VALUE_HEADER: usize = 20;
/// Data bytes in each segment but the last of a `db` record.
const SEGMENT: usize = 16344;

/// A cell: its size field says how long it is and whether it is in use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell<'b> {
    /// File offset of the size field.
    pub(super) offset: usize,
    /// Whether the cell is not in use.
    pub(super) free: bool,
    /// What follows the size field.
    pub(super) data: &'b [u8],
}

impl Cell<'_> {
    /// The file range behind the first `used` bytes of the content.
    pub(super) fn room_after(&self, used: usize) -> Range<usize> {
        let start = self.offset.saturating_add(4);
        let used = used.min(self.data.len());
        start.saturating_add(used)..start.saturating_add(self.data.len())
    }
}

/// The file offset of a cell from its offset in the hive bins; `None` for "none".
pub(super) fn file_offset(cell_offset: u32) -> Option<usize> {
    if cell_offset == NONE {
        return None;
    }
    usize::try_from(cell_offset).ok()?.checked_add(HIVE_BINS_START)
}

/// The cell whose size field stands at a file offset.
pub(super) fn cell_at(bytes: &[u8], offset: usize) -> Result<Cell<'_>, String> {
    let size = u32_at(bytes, offset)
        .ok_or_else(|| format!("the cell at {offset:#x} lies outside the file"))?
        .cast_signed();
    let length = usize::try_from(size.unsigned_abs()).unwrap_or(usize::MAX);
    if length < 8 || !length.is_multiple_of(4) {
        return Err(format!("the cell at {offset:#x} has the impossible size {size}"));
    }
    let start = offset.saturating_add(4);
    let data = bytes
        .get(start..offset.saturating_add(length))
        .ok_or_else(|| format!("the cell at {offset:#x} reaches beyond the file"))?;
    Ok(Cell { offset, free: size > 0, data })
}

/// The cell in use at an offset in the hive bins.
pub(super) fn used_cell(bytes: &[u8], cell_offset: u32) -> Result<Cell<'_>, String> {
    let offset = file_offset(cell_offset).ok_or("an entry points to no cell")?;
    let cell = cell_at(bytes, offset)?;
    if cell.free {
        return Err(format!("the cell at {offset:#x} is not in use"));
    }
    Ok(cell)
}

/// A key's record (`nk`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct KeyRecord {
    pub(super) last_write_ticks: u64,
    pub(super) parent: u32,
    pub(super) subkey_count: u32,
    pub(super) subkey_list: u32,
    pub(super) value_count: u32,
    pub(super) value_list: u32,
    pub(super) security: u32,
    pub(super) class: u32,
    pub(super) class_length: usize,
    pub(super) flags: u16,
    pub(super) name: String,
    /// Whether the name reaches beyond the record and was cut.
    pub(super) name_cut: bool,
    /// Bytes of the record including the name.
    pub(super) length: usize,
}

impl KeyRecord {
    /// Reads a `nk` record from the start of a buffer.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        if !data.starts_with(b"nk") {
            return None;
        }
        let flags = u16_at(data, 2)?;
        let (name, name_cut, length) =
            name_at(data, KEY_HEADER, usize::from(u16_at(data, 72)?), flags & 0x20 != 0);
        Some(Self {
            last_write_ticks: u64_at(data, 4)?,
            parent: u32_at(data, 16)?,
            subkey_count: u32_at(data, 20)?,
            subkey_list: u32_at(data, 28)?,
            value_count: u32_at(data, 36)?,
            value_list: u32_at(data, 40)?,
            security: u32_at(data, 44)?,
            class: u32_at(data, 48)?,
            class_length: usize::from(u16_at(data, 74)?),
            flags,
            name,
            name_cut,
            length,
        })
    }
}

/// A value's record (`vk`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ValueRecord {
    pub(super) name: String,
    pub(super) name_cut: bool,
    pub(super) kind: u32,
    pub(super) data_length: usize,
    pub(super) inline: Option<[u8; 4]>,
    pub(super) data_offset: u32,
    pub(super) flags: u16,
    pub(super) length: usize,
}

impl ValueRecord {
    /// Reads a `vk` record from the start of a buffer.
    pub(super) fn parse(data: &[u8]) -> Option<Self> {
        if !data.starts_with(b"vk") {
            return None;
        }
        let flags = u16_at(data, 16)?;
        let size = u32_at(data, 4)?;
        let data_offset = u32_at(data, 8)?;
        let (name, name_cut, length) =
            name_at(data, VALUE_HEADER, usize::from(u16_at(data, 2)?), flags & 1 != 0);
        Some(Self {
            name,
            name_cut,
            kind: u32_at(data, 12)?,
            data_length: usize::try_from(size & 0x7fff_ffff).ok()?,
            inline: (size >> 31 == 1).then_some(data_offset.to_le_bytes()),
            data_offset,
            flags,
            length,
        })
    }
}

/// A name, whether it was cut, and where it ends.
fn name_at(data: &[u8], start: usize, length: usize, latin1: bool) -> (String, bool, usize) {
    let end = start.saturating_add(length);
    let available = end.min(data.len());
    let bytes = data.get(start..available).unwrap_or_default();
    let name = if latin1 {
        bytes.iter().map(|byte| char::from(*byte)).collect()
    } else {
        text::utf16le(bytes)
    };
    (name, available < end, available.max(start))
}

/// Cell offsets read from a list, and what was wrong with the list.
#[derive(Debug, Default)]
pub(super) struct Offsets {
    pub(super) entries: Vec<u32>,
    pub(super) damage: Vec<(Option<usize>, String)>,
    /// File ranges of the room the lists leave behind their entries.
    pub(super) room: Vec<Range<usize>>,
}

/// The cell offsets of a key's subkeys, in list order, following one level of index roots.
pub(super) fn subkey_offsets(bytes: &[u8], list: u32, limit: usize) -> Offsets {
    let mut offsets = Offsets::default();
    let mut lists = vec![(list, true)];
    while let Some((list, root_allowed)) = lists.pop() {
        let place = file_offset(list);
        let cell = match used_cell(bytes, list) {
            Ok(cell) => cell,
            Err(message) => {
                offsets.damage.push((place, message));
                continue;
            }
        };
        let step = match cell.data.get(..2) {
            Some(b"lf" | b"lh") => 8,
            Some(b"li") => 4,
            Some(b"ri") if root_allowed => 4,
            _ => {
                offsets
                    .damage
                    .push((place, format!("the cell at {:#x} is no list of subkeys", cell.offset)));
                continue;
            }
        };
        let count = usize::from(u16_at(cell.data, 2).unwrap_or(0));
        offsets.room.push(cell.room_after(count.saturating_mul(step).saturating_add(4)));
        let entries = cell.data.get(4..).unwrap_or_default().chunks_exact(step).take(count);
        if entries.len() < count {
            offsets
                .damage
                .push((place, format!("the list at {:#x} is shorter than its count", cell.offset)));
        }
        let entries = entries.filter_map(|entry| u32_at(entry, 0));
        if cell.data.starts_with(b"ri") {
            // Popped from the end, so the lists are pushed last first.
            lists.extend(entries.map(|list| (list, false)).collect::<Vec<_>>().into_iter().rev());
        } else {
            offsets.entries.extend(entries);
        }
        if offsets.entries.len() > limit {
            offsets
                .damage
                .push((place, "the lists name more subkeys than the hive can hold".into()));
            offsets.entries.truncate(limit);
            break;
        }
    }
    offsets
}

/// The cell offsets of a key's values, in the order Windows keeps them.
pub(super) fn value_offsets(bytes: &[u8], list: u32, count: u32) -> Offsets {
    let mut offsets = Offsets::default();
    let place = file_offset(list);
    match used_cell(bytes, list) {
        Ok(cell) => {
            let count = usize::try_from(count).unwrap_or(usize::MAX);
            let entries = cell.data.chunks_exact(4).take(count);
            if entries.len() < count {
                let message =
                    format!("the list at {:#x} is shorter than its {count} values", cell.offset);
                offsets.damage.push((place, message));
            }
            offsets.entries.extend(entries.filter_map(|entry| u32_at(entry, 0)));
        }
        Err(message) => offsets.damage.push((place, message)),
    }
    offsets
}

/// A value's data, the file ranges it occupies, and what was wrong with them.
#[derive(Debug, Default)]
pub(super) struct Data {
    pub(super) bytes: Vec<u8>,
    pub(super) ranges: Vec<Range<usize>>,
    pub(super) damage: Option<String>,
    /// Whether a cell that held the data is free, so that another use may have overwritten it.
    pub(super) in_free_cell: bool,
}

impl Data {
    pub(super) fn damaged(message: String) -> Self {
        Self { damage: Some(message), ..Self::default() }
    }

    fn take(&mut self, cell: &Cell<'_>, wanted: usize) -> usize {
        let taken = cell.data.get(..wanted.min(cell.data.len())).unwrap_or_default();
        let start = cell.offset.saturating_add(4);
        self.bytes.extend_from_slice(taken);
        self.ranges.push(start..start.saturating_add(taken.len()));
        self.in_free_cell |= cell.free;
        taken.len()
    }
}

/// Reads a value's data, as much of it as is there; free cells are read as well and reported.
pub(super) fn value_data(bytes: &[u8], record: &ValueRecord) -> Data {
    if let Some(inline) = record.inline {
        let Some(data) = inline.get(..record.data_length) else {
            return Data::damaged(
                "more than 4 bytes are declared to be in the record itself".into(),
            );
        };
        return Data { bytes: data.to_vec(), ..Data::default() };
    }
    if record.data_length == 0 {
        return Data::default();
    }
    if record.data_length > bytes.len() {
        return Data::damaged(format!(
            "{} bytes of data are declared, more than the hive",
            record.data_length
        ));
    }
    let cell = match file_offset(record.data_offset).map(|offset| cell_at(bytes, offset)) {
        Some(Ok(cell)) => cell,
        Some(Err(message)) => return Data::damaged(message),
        None => return Data::damaged("the data points to no cell".into()),
    };
    if record.data_length > SEGMENT && cell.data.starts_with(b"db") && cell.data.len() < SEGMENT {
        return big_data(bytes, record.data_length, &cell);
    }
    let mut data = Data::default();
    let taken = data.take(&cell, record.data_length);
    if taken < record.data_length {
        data.damage =
            Some(format!("{} bytes of data are declared, {taken} are there", record.data_length));
    }
    data
}

fn big_data(bytes: &[u8], wanted: usize, header: &Cell<'_>) -> Data {
    let mut data = Data { in_free_cell: header.free, ..Data::default() };
    let count = usize::from(u16_at(header.data, 2).unwrap_or(0));
    let list = size_at(header.data, 4)
        .and_then(|offset| offset.checked_add(HIVE_BINS_START))
        .map(|offset| cell_at(bytes, offset));
    let Some(Ok(list)) = list else {
        return Data::damaged("the segment list of the data cannot be read".into());
    };
    for segment in list.data.chunks_exact(4).take(count) {
        let left = wanted.saturating_sub(data.bytes.len());
        if left == 0 {
            break;
        }
        let cell = u32_at(segment, 0).and_then(file_offset).map(|offset| cell_at(bytes, offset));
        let Some(Ok(cell)) = cell else { break };
        if data.take(&cell, left.min(SEGMENT)) < left.min(SEGMENT) {
            break;
        }
    }
    if data.bytes.len() < wanted {
        data.damage =
            Some(format!("{wanted} bytes of data are declared, {} are there", data.bytes.len()));
    }
    data
}
