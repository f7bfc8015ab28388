//! A chunk: up to 64 KiB of records that share names and templates.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::crc32::crc32;
use super::template::Instance;
use crate::lab::bytes::{Buffer, index, length, part, short, utf16_z};
use crate::time::to_filetime;

/// Bytes of a chunk.
pub(super) const CHUNK: usize = 65_536;
/// Bytes of a chunk's header with both tables; records begin here.
const HEADER: usize = 512;
const STRINGS: usize = 128;
const STRING_BUCKETS: u32 = 64;
const TEMPLATES: usize = 384;
const TEMPLATE_BUCKETS: u32 = 32;
/// "Not written yet" in the header of an unflushed chunk.
const UNKNOWN: u64 = u64::MAX;

/// A chunk being filled.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) out: Buffer,
    tables: Tables,
    /// Record id and offset of each record.
    records: Vec<(u64, u32)>,
}

#[derive(Debug, Clone, Default)]
struct Tables {
    /// Names with their offsets.
    names: BTreeMap<String, u32>,
    name_heads: BTreeMap<u32, u32>,
    templates: BTreeMap<[u8; 16], u32>,
    template_heads: BTreeMap<u32, u32>,
}

impl Chunk {
    pub(super) fn new() -> Chunk {
        let mut out = Buffer::default();
        out.zeros(HEADER);
        Chunk { out, tables: Tables::default(), records: Vec::new() }
    }

    /// Appends a record; false, and the chunk as before, if it does not fit.
    pub(super) fn push(&mut self, id: u64, at: Timestamp, instance: &Instance) -> bool {
        let (start, tables) = (self.out.len(), self.tables.clone());
        let offset = self.out.position();
        self.out.bytes(b"**\0\0").u32(0).u64(id).u64(to_filetime(at));
        instance.write_fragment(self);
        // End of fragment, padding, and the size once more.
        self.out.u8(0).zeros(4).align(8);
        let size = length(self.out.len().saturating_sub(start)).to_le_bytes();
        self.out.patch(start.saturating_add(4), &size);
        self.out.patch(self.out.len().saturating_sub(4), &size);
        if self.out.len() > CHUNK {
            self.out.truncate(start);
            self.tables = tables;
            return false;
        }
        self.records.push((id, offset));
        true
    }

    /// Writes a name: a reference, and the name itself where it is used for the first time.
    pub(super) fn name(&mut self, name: &str) {
        if let Some(offset) = self.tables.names.get(name) {
            self.out.u32(*offset);
            return;
        }
        let offset = self.out.position().saturating_add(4);
        let hash = hash(name);
        let next = self.tables.name_heads.insert(u32::from(hash) % STRING_BUCKETS, offset);
        self.tables.names.insert(name.to_owned(), offset);
        let text = utf16_z(name);
        self.out.u32(offset).u32(next.unwrap_or(0)).u16(hash);
        self.out.u16(short(text.len() / 2).saturating_sub(1)).bytes(&text);
    }

    /// The offset of a template's definition; with the next one of its bucket if the caller must write it `here`.
    pub(super) fn template(&mut self, guid: [u8; 16], here: u32) -> (u32, Option<u32>) {
        if let Some(offset) = self.tables.templates.get(&guid) {
            return (*offset, None);
        }
        let id = guid.first_chunk().map_or(0, |head| u32::from_le_bytes(*head));
        self.tables.templates.insert(guid, here);
        let next = self.tables.template_heads.insert(id % TEMPLATE_BUCKETS, here);
        (here, Some(next.unwrap_or(0)))
    }

    /// The chunk as it stands in a log that was closed; `first` is the number of its first record in the file.
    pub(super) fn flushed(mut self, first: u64) -> Vec<u8> {
        if self.is_empty() {
            return self.unflushed(first);
        }
        let (first_id, last_id) = self.ids();
        let last = first.saturating_add(last_id.saturating_sub(first_id));
        let last_offset = self.records.last().map_or(0, |(_, offset)| *offset);
        let free = self.out.position();
        let records = crc32(&[self.out.as_slice().get(HEADER..).unwrap_or_default()]);
        for (table, heads) in
            [(STRINGS, &self.tables.name_heads), (TEMPLATES, &self.tables.template_heads)]
        {
            for (bucket, offset) in heads {
                self.out.patch(
                    table.saturating_add(index(bucket.saturating_mul(4))),
                    &offset.to_le_bytes(),
                );
            }
        }
        let ids = [first, last, first_id, last_id];
        finish(self.out, ids, [last_offset, free, records])
    }

    /// The chunk as a copy of a running system shows it: records are there, the header and tables are not yet.
    pub(super) fn unflushed(self, first: u64) -> Vec<u8> {
        finish(self.out, [first, UNKNOWN, UNKNOWN, UNKNOWN], [0, length(HEADER), 0])
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Record numbers used up by this chunk.
    pub(super) fn count(&self) -> u64 {
        let (first, last) = self.ids();
        last.saturating_sub(first).saturating_add(1)
    }

    /// The id of the first record, if there is one.
    pub(super) fn first_id(&self) -> Option<u64> {
        self.records.first().map(|(id, _)| *id)
    }

    fn ids(&self) -> (u64, u64) {
        let first = self.records.first().map_or(0, |(id, _)| *id);
        (first, self.records.last().map_or(first, |(id, _)| *id))
    }
}

/// Fills in the header: record numbers and ids, last record, free space, checksums.
fn finish(mut out: Buffer, ids: [u64; 4], [last_offset, free, records]: [u32; 3]) -> Vec<u8> {
    let mut head = Buffer::with(b"ElfChnk\0");
    for id in ids {
        head.u64(id);
    }
    head.u32(128).u32(last_offset).u32(free).u32(records).zeros(64).u32(1);
    out.patch(0, head.as_slice());
    let bytes = out.as_slice();
    let checksum = crc32(&[part(bytes, 0, 120), part(bytes, STRINGS, HEADER - STRINGS)]);
    out.patch(124, &checksum.to_le_bytes());
    let mut bytes = out.into_vec();
    bytes.resize(CHUNK, 0);
    bytes
}

/// The hash of a name: times 65599, plus the unit; its lower half is stored.
fn hash(name: &str) -> u16 {
    let hash = name
        .encode_utf16()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(65_599).wrapping_add(u32::from(unit)));
    u16::try_from(hash & 0xffff).unwrap_or(0)
}
