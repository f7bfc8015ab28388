//! Decoding chosen records of a chunk with `evtx`.
//!
//! `evtx` decodes a chunk's records one after another and cannot be told which. So it is given a chunk that has no others:
//! in our copy, the header says that there are no live records, unwanted records lose their magic, and `evtx` finds the
//! wanted ones as it finds records in free space. Templates that live inside unwanted records stay where they are.

use std::collections::BTreeSet;
use std::sync::Arc;

use evtx::{EvtxChunk, EvtxChunkData, ParserSettings};

use super::bytes::overwrite;
use super::chunk::{CHUNK_MAGIC, Entry, RECORD_HEADER_SIZE, RECORD_MAGIC};

/// Passes over a chunk: one is enough unless bytes inside a record look like a record that covers others.
const PASSES: usize = 4;

/// Whether a chunk's two checksums are right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Checksums {
    pub(super) header: bool,
    pub(super) records: bool,
}

/// One chunk, in our own copy.
pub(super) struct Chunk {
    data: EvtxChunkData,
}

impl Chunk {
    /// `None` if the chunk does not have the full size. A wrong magic must have been noticed before: it is put right here.
    pub(super) fn new(mut data: Vec<u8>) -> Option<Self> {
        overwrite(&mut data, 0, CHUNK_MAGIC);
        EvtxChunkData::new(data, false).ok().map(|data| Self { data })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.data.data
    }

    /// The memory of the chunk.
    pub(super) fn into_bytes(self) -> Vec<u8> {
        self.data.data
    }

    /// Compares the chunk's checksums; call before [`Chunk::render`], which changes the bytes.
    pub(super) fn checksums(&self) -> Checksums {
        Checksums {
            header: self.data.validate_header_checksum(),
            records: self.data.validate_data_checksum(),
        }
    }

    /// Hands the wanted records to `sink` as JSON, with their offset, each once and in no promised order. What is not
    /// handed out could not be decoded. `others` are the offsets of the records that are not wanted.
    pub(super) fn render(
        &mut self,
        wanted: &[Entry],
        others: &[usize],
        sink: &mut dyn FnMut(usize, &[u8]),
    ) {
        for offset in others {
            self.hide(*offset);
        }
        for entry in wanted {
            // A live record is read even if the copy of its size is damaged; only remains must have it.
            let size = u32::try_from(entry.size).unwrap_or(0);
            overwrite(&mut self.data.data, entry.end().saturating_sub(4), &size.to_le_bytes());
        }
        let mut missing: BTreeSet<usize> = wanted.iter().map(|entry| entry.offset).collect();
        for _pass in 0..PASSES {
            let mut found = Vec::new();
            self.pass(&mut |offset, json| {
                found.push(offset);
                if missing.remove(&offset) {
                    sink(offset, json);
                }
            });
            if missing.is_empty() || found.is_empty() {
                break;
            }
            for offset in found {
                self.hide(offset);
            }
        }
    }

    fn hide(&mut self, offset: usize) {
        overwrite(&mut self.data.data, offset, &[0; RECORD_MAGIC.len()]);
    }

    /// Everything in the chunk that still looks like a record.
    fn pass(&mut self, sink: &mut dyn FnMut(usize, &[u8])) {
        let settings = Arc::new(
            ParserSettings::new()
                .num_threads(1)
                .indent(false)
                .validate_checksums(false)
                .recover_records(true),
        );
        self.data.header.free_space_offset = 0;
        if let Ok(mut chunk) = self.data.parse(Arc::clone(&settings)) {
            return decode_all(&mut chunk, sink);
        }
        self.forget_names();
        if let Ok(mut chunk) = self.data.parse(settings) {
            decode_all(&mut chunk, sink);
        }
    }

    /// The table of names, 64 offsets at 128, only saves time: templates name their names by offset.
    fn forget_names(&mut self) {
        overwrite(&mut self.data.data, 128, &[0; 256]);
        if let Ok(data) = EvtxChunkData::new(std::mem::take(&mut self.data.data), false) {
            self.data = data;
            self.data.header.free_space_offset = 0;
        }
    }
}

fn decode_all(chunk: &mut EvtxChunk<'_>, sink: &mut dyn FnMut(usize, &[u8])) {
    for record in chunk.iter().flatten() {
        let offset = usize::try_from(record.binxml_offset).unwrap_or(0);
        let offset = offset.saturating_sub(RECORD_HEADER_SIZE);
        if let Ok(json) = record.into_json_bytes() {
            sink(offset, &json.data);
        }
    }
}
