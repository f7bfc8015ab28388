//! Logs larger than anybody wants to keep in memory: the chunks of a small one, again and again, with records that differ.

use super::chunk::CHUNK;
use super::crc32::crc32;
use crate::bytes::{array_at, u32_at, u64_at};
use crate::lab::bytes::{index, part, patch};

/// Size of a chunk, in bytes.
pub const CHUNK_SIZE: usize = CHUNK;
/// Size of the block before the first chunk, in bytes.
pub const FILE_HEADER_SIZE: usize = 4096;

const HEADER: usize = 512;
const RECORD_HEADER: usize = 24;

/// Gives every record of a closed chunk an id higher by `records` and a time later by `ticks` (100 ns), and the
/// chunk the header and checksums that fit.
///
/// Ids and times must be numbers that occur in the records for nothing else: ids from 2^32 on are.
pub fn shift(chunk: &mut [u8], records: u64, ticks: u64) {
    let free = u32_at(chunk, 48).map_or(HEADER, index);
    let mut at = HEADER;
    while at < free {
        let size = u32_at(chunk, at.saturating_add(4)).map_or(0, index);
        let end = at.saturating_add(size);
        let Some(record) = chunk.get_mut(at..end).filter(|record| record.len() > RECORD_HEADER)
        else {
            break;
        };
        for (field, more) in [(8, records), (16, ticks)] {
            let Some(old) = u64_at(record, field) else { continue };
            replace(record, old, old.saturating_add(more));
        }
        at = end;
    }
    for field in [8, 16, 24, 32] {
        let number = u64_at(chunk, field).unwrap_or_default().saturating_add(records);
        patch(chunk, field, &number.to_le_bytes());
    }
    let sum = crc32(&[part(chunk, HEADER, free.saturating_sub(HEADER))]);
    patch(chunk, 52, &sum.to_le_bytes());
    let sum = crc32(&[part(chunk, 0, 120), part(chunk, 128, HEADER.saturating_sub(128))]);
    patch(chunk, 124, &sum.to_le_bytes());
}

/// Replaces a number of 64 bits wherever it stands.
fn replace(record: &mut [u8], old: u64, new: u64) {
    let (old, new) = (old.to_le_bytes(), new.to_le_bytes());
    for at in 0..record.len() {
        if array_at(record, at) == Some(old) {
            patch(record, at, &new);
        }
    }
}
