//! Transaction logs: what Windows writes before, or instead of, the primary file.
//!
//! Formats: Suhanov, "Windows registry file format specification" (CC-BY-4.0). New format (Windows 8.1 and
//! later): entries `HvLE` with hashes, each bringing the hive from one sequence number to the next. Old format:
//! one `DIRT` bitmap of 512-byte pages.

use super::base_block::{BASE_BLOCK, BaseBlock};
use super::bins::PAGE;
use super::marvin32::marvin32;
use crate::lab::bytes::{Buffer, length, part};

const SECTOR: usize = 512;
/// Fields of an entry's 40-byte header: its size, the hash of what follows, the hash of what stands before.
const ENTRY_SIZE: usize = 4;
const BODY_HASH: usize = 24;
const HEAD_HASH: usize = 32;
const ENTRY_HEADER: usize = 40;
const OLD_LOG: u32 = 1;
const NEW_LOG: u32 = 6;
/// Offset of the root cell in a base block.
const ROOT_FIELD: usize = 36;

/// One committed change of a hive, ready to be written into a new-format log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    sequence: u32,
    bins_size: usize,
    bytes: Vec<u8>,
}

impl Entry {
    /// The change from one state of a primary file to the next, growth included.
    ///
    /// `sequence` is the number of the change: the first one a log replays onto a hive must be at least the
    /// hive's secondary sequence number, and numbers must follow each other.
    pub fn between(before: &[u8], after: &[u8], sequence: u32) -> Entry {
        let (old, new) = (bins(before), bins(after));
        let pages = changed(old, new, PAGE);
        let mut entry = Buffer::with(b"HvLE");
        entry.u32(0).u32(0).u32(sequence).u32(length(new.len())).u32(length(pages.len()));
        entry.zeros(ENTRY_HEADER - BODY_HASH);
        for page in &pages {
            entry.u32(length(*page)).u32(length(PAGE));
        }
        for page in &pages {
            entry.bytes(part(new, *page, PAGE));
        }
        entry.align(SECTOR);
        let (size, body) = (entry.len(), entry.as_slice().get(ENTRY_HEADER..).unwrap_or_default());
        let body = marvin32(body);
        entry.patch(ENTRY_SIZE, &length(size).to_le_bytes()).patch(BODY_HASH, &body.to_le_bytes());
        let head = marvin32(part(entry.as_slice(), 0, HEAD_HASH));
        entry.patch(HEAD_HASH, &head.to_le_bytes());
        Entry { sequence, bins_size: new.len(), bytes: entry.into_vec() }
    }
}

/// A new-format log file (`.LOG1` or `.LOG2`) with these entries; an empty file without any.
///
/// `primary` is the file the log belongs to; the log's base block repeats it.
pub fn new_format(base: &BaseBlock, primary: &[u8], entries: &[Entry]) -> Vec<u8> {
    let Some(first) = entries.first() else { return Vec::new() };
    let mut head = base.clone();
    head.primary_sequence = first.sequence;
    head.secondary_sequence = first.sequence;
    let bins_size = entries.last().map_or(0, |entry| entry.bins_size);
    let mut log = head.encode(NEW_LOG, root(primary), bins_size, SECTOR);
    for entry in entries {
        log.extend_from_slice(&entry.bytes);
    }
    log
}

/// An old-format log file that brings a dirty primary file to its next state.
///
/// `base` is the base block of the primary file: an old log is valid only if its time equals the primary's, so
/// the block must have one.
pub fn old_format(base: &BaseBlock, before: &[u8], after: &[u8]) -> Vec<u8> {
    let (old, new) = (bins(before), bins(after));
    let pages = changed(old, new, SECTOR);
    let mut head = base.clone();
    head.secondary_sequence = head.primary_sequence;
    let mut log = Buffer::with(&head.encode(OLD_LOG, root(before), new.len(), SECTOR));
    log.bytes(b"DIRT");
    for eight in (0..new.len()).step_by(SECTOR.saturating_mul(8)) {
        let bits = (0..8_u8).filter(|bit| {
            let page = eight.saturating_add(usize::from(*bit).saturating_mul(SECTOR));
            pages.binary_search(&page).is_ok()
        });
        log.u8(bits.fold(0, |byte, bit| byte | 1 << bit));
    }
    log.align(SECTOR);
    for page in pages {
        log.bytes(part(new, page, SECTOR));
    }
    log.into_vec()
}

fn bins(primary: &[u8]) -> &[u8] {
    primary.get(BASE_BLOCK..).unwrap_or_default()
}

fn root(primary: &[u8]) -> u32 {
    part(primary, ROOT_FIELD, 4).try_into().map_or(0, u32::from_le_bytes)
}

/// Offsets of the pages that differ or are new.
fn changed(old: &[u8], new: &[u8], page: usize) -> Vec<usize> {
    (0..new.len()).step_by(page).filter(|at| part(old, *at, page) != part(new, *at, page)).collect()
}
