//! Telling a deleted record from bytes that happen to look like one.

use std::ops::Range;

use super::cell::{KEY_HEADER, KeyRecord, NONE, ValueRecord};

/// FILETIME ticks (100 ns) of 1990-01-01 and 2100-01-01: no hive is older than Windows NT.
const PLAUSIBLE_TICKS: Range<u64> = 122_761_440_000_000_000..157_469_184_000_000_000;
/// Windows limits key names to 255 characters.
const MAX_KEY_NAME: usize = 510;

/// Whether bytes that look like a key record can be one.
pub(super) fn plausible_key(record: &KeyRecord) -> bool {
    let name_length = record.length.saturating_sub(KEY_HEADER);
    !record.name_cut
        && (1..=MAX_KEY_NAME).contains(&name_length)
        && plausible_name(&record.name)
        && PLAUSIBLE_TICKS.contains(&record.last_write_ticks)
        && record.flags & 0x8c00 == 0
        && is_cell(record.parent)
        && is_cell(record.security)
        && (record.subkey_count == 0 || is_cell(record.subkey_list))
        && (record.value_count == 0 || is_cell(record.value_list))
        && record.subkey_count < 0x10_0000
        && record.value_count < 0x1_0000
}

/// Whether bytes that look like a value record can be one.
pub(super) fn plausible_value(record: &ValueRecord) -> bool {
    !record.name_cut
        && plausible_name(&record.name)
        && record.flags & !1 == 0
        && (record.data_length == 0 || record.inline.is_some() || is_cell(record.data_offset))
        && (record.inline.is_none() || record.data_length <= 4)
}

/// Cells start on multiples of 8 bytes, after the header of a hive bin.
fn is_cell(offset: u32) -> bool {
    offset == NONE || (offset.is_multiple_of(8) && offset >= 32)
}

fn plausible_name(name: &str) -> bool {
    !name.contains(char::REPLACEMENT_CHARACTER) && name.matches('\0').count() <= 4
}
