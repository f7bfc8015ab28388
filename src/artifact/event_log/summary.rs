//! What a log amounts to as a whole: how much was read, how much was not, and what time it covers.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Damages kept one by one; beyond, they are only counted.
const DAMAGES_KEPT: usize = 100;

/// The result of reading one log.
///
/// Counts of records come from record headers and cover the whole log, whatever was selected.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogReading {
    /// The file header; `None` if it is damaged or not that of an event log.
    pub header: Option<FileHeader>,
    /// How the chunks were found.
    pub chunks: ChunkCounts,
    /// Records that the log's own bookkeeping vouches for.
    pub live: u64,
    /// Records in chunks that Windows had not written back yet.
    pub unflushed: u64,
    /// Records handed out, of any state.
    pub selected: u64,
    /// Wanted records whose values could not be read directly, so that they were rendered.
    pub rendered: u64,
    /// Recovered records among those handed out.
    pub recovered: u64,
    /// Places in unused parts of chunks that look like a record, wanted or not.
    pub remains: u64,
    /// Wanted remains that were not handed out, by reason.
    pub rejected: BTreeMap<Rejection, u64>,
    /// Records and parts of chunks that could not be read.
    pub damaged: u64,
    /// The first of them, in file order.
    pub damage: Vec<Damage>,
    /// The held record with the lowest record id.
    pub first: Option<Mark>,
    /// The held record with the highest record id.
    pub last: Option<Mark>,
    /// Held records by channel; the empty name stands for records that do not say.
    pub channels: BTreeMap<String, ChannelSpan>,
    /// Held records by the computer they name.
    pub computers: BTreeMap<String, u64>,
    /// Record ids that are missing between the first and the last.
    pub gaps: Gaps,
}

impl LogReading {
    /// Whether the file holds anything of an event log.
    pub fn is_event_log(&self) -> bool {
        self.header.is_some()
            || self.chunks.total > self.chunks.empty.saturating_add(self.chunks.bad_magic)
    }

    /// Chunks that the file header counts and the file has not: it was cut off. The header of a log that was
    /// not closed may count too few, never too many.
    pub fn missing_chunks(&self) -> u64 {
        let counted = self.header.map_or(0, |header| u64::from(header.chunk_count));
        counted.saturating_sub(self.chunks.total)
    }

    pub(super) fn note_damage(&mut self, damage: Damage) {
        self.damaged = self.damaged.saturating_add(1);
        if self.damage.len() < DAMAGES_KEPT {
            self.damage.push(damage);
        }
    }

    pub(super) fn reject(&mut self, reason: Rejection) {
        let count = self.rejected.entry(reason).or_default();
        *count = count.saturating_add(1);
    }
}

/// What the 4 KiB block at the start of the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileHeader {
    /// The log was open when the file was copied, or Windows went down with it.
    pub dirty: bool,
    /// The log had reached its maximum size.
    pub full: bool,
    /// The record id that the next record would have had, as last written back.
    pub next_record_id: u64,
    /// Number of chunks, as last written back.
    pub chunk_count: u16,
}

/// Chunks by how they were found; a chunk may count in several ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkCounts {
    /// Every 64 KiB of the file after its header, a shorter rest included.
    pub total: u64,
    /// All zeros: allocated and never used.
    pub empty: u64,
    /// Not a chunk by its magic; searched for remains.
    pub bad_magic: u64,
    /// The header's checksum does not fit; the records are read all the same.
    pub bad_header_checksum: u64,
    /// The records' checksum does not fit; they are read all the same.
    pub bad_records_checksum: u64,
    /// Never written back: the log was copied from a running host.
    pub unflushed: u64,
    /// Cut off by the end of the file.
    pub truncated: u64,
    /// Not readable at all (the medium, or a panic of the decoder).
    pub unreadable: u64,
}

/// Why remains that look like a wanted record were not handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rejection {
    /// It cannot be decoded: its template was overwritten, or it is no record.
    NotDecoded,
    /// The id inside differs from the id in the record header.
    RecordIdDiffers,
    /// The time inside is a second or more from the time in the record header.
    TimeDiffers,
    /// Its channel is none that this log holds.
    OtherChannel,
    /// The names inside are not text that Windows would write.
    ImplausibleNames,
    /// The log still holds the same record, or it was recovered already.
    Duplicate,
    /// Beyond the number of recovered records that are kept for one log.
    TooMany,
}

/// Something that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Damage {
    /// Number of the chunk, counted from 0 in file order.
    pub chunk: u64,
    /// Offset in the chunk, in bytes.
    pub offset: u32,
    /// What happened, in a sentence.
    pub message: String,
}

/// One record, by its header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark {
    /// The record id.
    pub record_id: u64,
    /// When it was written, UTC; `None` if the header's time is none.
    pub time: Option<Timestamp>,
}

/// The records of one channel.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChannelSpan {
    /// How many records.
    pub records: u64,
    /// The earliest time in a record header, UTC.
    pub first: Option<Timestamp>,
    /// The latest time in a record header, UTC.
    pub last: Option<Timestamp>,
}

/// Missing record ids. Logs exported with a filter have many; a log as Windows wrote it has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gaps {
    /// Number of gaps.
    pub count: u64,
    /// Number of missing ids.
    pub missing: u64,
    /// The first gaps by record id.
    pub list: Vec<Gap>,
    /// False where the log was too fragmented to follow to its end.
    pub complete: bool,
}

/// One run of missing record ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// The last record before the gap.
    pub before: Mark,
    /// The first record after the gap.
    pub after: Mark,
}
