//! One chunk, from bytes to records: no chunk needs another, so that many are examined at once.

use std::collections::BTreeMap;

use super::chunk::{CHUNK_MAGIC, Entry, Walk, walk};
use super::decode::{Place, decode};
use super::record::{Record, RecordState};
use super::render::Chunk;
use super::selection::{Origin, Selection};
use super::sequence::{Run, runs};
use super::summary::{ChannelSpan, ChunkCounts, Damage, Rejection};
use super::template::{Glimpse, Scanner};
use crate::text::utf16le_until_nul;
use crate::time::from_filetime;

/// A chunk as it was read from the file.
pub(super) struct RawChunk {
    pub(super) number: u64,
    /// Padded with zeros to the full size.
    pub(super) data: Vec<u8>,
    pub(super) truncated: bool,
}

/// What one chunk amounts to.
#[derive(Debug, Default)]
pub(super) struct Examined {
    pub(super) number: u64,
    pub(super) counts: ChunkCounts,
    pub(super) live: u64,
    pub(super) unflushed: u64,
    pub(super) remains: u64,
    /// Wanted records that the log holds, in the order of the chunk.
    pub(super) records: Vec<Record>,
    /// Wanted remains that passed the rules a chunk can judge.
    pub(super) recovered: Vec<Remains>,
    pub(super) rejected: Vec<Rejection>,
    pub(super) damage: Vec<Damage>,
    /// Held records by (channel, computer).
    pub(super) census: BTreeMap<(String, String), ChannelSpan>,
    pub(super) runs: Vec<Run>,
}

/// A recovered record with the identity that its header gives it.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) record: Record,
    /// Record id and time (FILETIME ticks) of the record header.
    pub(super) identity: (u64, u64),
}

/// Reads one chunk; everything that is wrong with it is in the result.
pub(super) fn examine(raw: RawChunk, selection: &Selection) -> Examined {
    let mut examined = Examined { number: raw.number, ..Examined::default() };
    let counts = &mut examined.counts;
    counts.total = 1;
    counts.truncated = u64::from(raw.truncated);
    if super::bytes::all_zero(&raw.data) {
        counts.empty = 1;
        return examined;
    }
    if raw.truncated {
        examined.note(0, "the file ends within the chunk".to_owned());
    }
    let counts = &mut examined.counts;
    let trusted = raw.data.starts_with(CHUNK_MAGIC);
    counts.bad_magic = u64::from(!trusted);
    let Some(chunk) = Chunk::new(raw.data) else {
        counts.unreadable = 1;
        examined.note(0, "the chunk header cannot be read".to_owned());
        return examined;
    };
    let walk = walk(chunk.bytes(), trusted);
    if trusted && !walk.unflushed {
        let checksums = chunk.checksums();
        counts.bad_header_checksum = u64::from(!checksums.header);
        counts.bad_records_checksum = u64::from(!checksums.records);
    }
    counts.unflushed = u64::from(walk.unflushed);
    if !trusted {
        examined.note(0, "not a chunk by its magic; searched for remains of records".to_owned());
    }
    for offset in &walk.damaged {
        examined.note(*offset, "no whole record starts where one should".to_owned());
    }
    examined.read(chunk, &walk, selection);
    examined
}

/// The result for a chunk whose examination panicked.
pub(super) fn panicked(number: u64) -> Examined {
    let mut examined = Examined { number, ..Examined::default() };
    examined.counts.total = 1;
    examined.counts.unreadable = 1;
    examined.note(0, "the decoder panicked".to_owned());
    examined
}

/// The result for a chunk that the medium does not give.
pub(super) fn unreadable(number: u64, error: &std::io::Error) -> Examined {
    let mut examined = Examined { number, ..Examined::default() };
    examined.counts.total = 1;
    examined.counts.unreadable = 1;
    examined.note(0, format!("the chunk cannot be read: {error}"));
    examined
}

impl Examined {
    fn note(&mut self, offset: usize, message: String) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.damage.push(Damage { chunk: self.number, offset, message });
    }

    fn read(&mut self, chunk: Chunk, walk: &Walk, selection: &Selection) {
        let (mut wanted, mut others) = (Vec::new(), Vec::new());
        let mut held = Vec::new();
        let mut census = Census::default();
        let mut scanner = Scanner::new(chunk.bytes());
        for mut entry in walk.held.iter().chain(&walk.carved).copied() {
            let glimpse = scanner.glimpse(&entry);
            let origin = Origin { provider: glimpse.provider, channel: glimpse.channel };
            let may_want = selection.may_want(glimpse.event_id, origin);
            // Of remains without a readable template, none was ever decoded into something plausible.
            let template_is_gone = entry.carved && glimpse.event_id.is_none();
            if template_is_gone {
                entry.state = RecordState::Recovered;
                self.rejected.extend(may_want.then_some(Rejection::NotDecoded));
            }
            let is_wanted = may_want && !template_is_gone;
            if is_wanted { &mut wanted } else { &mut others }.push(entry);
            let number = match entry.state {
                RecordState::Live => &mut self.live,
                RecordState::Unflushed => &mut self.unflushed,
                RecordState::Recovered => &mut self.remains,
            };
            *number = number.saturating_add(1);
            if entry.state != RecordState::Recovered {
                held.push(entry);
                census.count(&glimpse, entry.ticks);
            }
        }
        self.runs = runs(&held);
        self.census = census.into_names();
        if !wanted.is_empty() {
            self.decode(chunk, &wanted, &others, selection);
        }
    }

    fn decode(&mut self, chunk: Chunk, wanted: &[Entry], others: &[Entry], selection: &Selection) {
        let entries: BTreeMap<usize, &Entry> =
            wanted.iter().map(|entry| (entry.offset, entry)).collect();
        let mut decoded = BTreeMap::new();
        let number = self.number;
        chunk.render(wanted, others, &mut |offset, json| {
            let place = entries.get(&offset).map(|entry| entry.place(number));
            if let Some(record) = place.and_then(|place| decode(json, &place).ok()) {
                decoded.insert(offset, record);
            }
        });
        for entry in wanted {
            let place = entry.place(number);
            let record = decoded.remove(&entry.offset);
            match record.map(|record| (judge(&record, entry, &place), record)) {
                Some((_, record)) if !selection.wants(&record) => {}
                Some((Some(reason), _)) => self.rejected.push(reason),
                Some((None, record)) if entry.state == RecordState::Recovered => {
                    self.recovered.push(Remains { record, identity: (entry.id, entry.ticks) });
                }
                Some((None, record)) => self.records.push(record),
                None if entry.carved => self.rejected.push(Rejection::NotDecoded),
                None => {
                    self.note(entry.offset, format!("record {} cannot be decoded", entry.id));
                }
            }
        }
    }
}

impl Entry {
    fn place(&self, chunk: u64) -> Place {
        Place {
            chunk,
            offset: u32::try_from(self.offset).unwrap_or(u32::MAX),
            record_id: self.id,
            time: from_filetime(self.ticks).unwrap_or_default(),
            state: self.state,
        }
    }
}

/// The rules that a record from unused space has to pass by itself; `None` if it passes or was not found there.
fn judge(record: &Record, entry: &Entry, place: &Place) -> Option<Rejection> {
    if !entry.carved {
        return None;
    }
    let apart = crate::time::distance(record.time, place.time);
    let plausible = |name: &str| {
        !name.is_empty() && name.len() <= 512 && name.chars().all(|c| (' '..='~').contains(&c))
    };
    if record.record_id != place.record_id {
        Some(Rejection::RecordIdDiffers)
    } else if apart >= jiff::SignedDuration::from_secs(1) {
        Some(Rejection::TimeDiffers)
    } else if !plausible(&record.provider) || !plausible(&record.channel) {
        Some(Rejection::ImplausibleNames)
    } else {
        None
    }
}

/// Counts records by channel and computer, comparing raw bytes: a chunk has few of them.
#[derive(Default)]
struct Census<'c> {
    rows: Vec<Row<'c>>,
}

struct Row<'c> {
    channel: Option<&'c [u8]>,
    computer: Option<&'c [u8]>,
    records: u64,
    /// Earliest and latest time, FILETIME ticks.
    first: u64,
    last: u64,
}

impl<'c> Census<'c> {
    fn count(&mut self, glimpse: &Glimpse<'c>, ticks: u64) {
        let (channel, computer) = (glimpse.channel, glimpse.computer);
        // Most records are like the one before.
        let same = |row: &&mut Row<'c>| row.channel == channel && row.computer == computer;
        if let Some(row) = self.rows.iter_mut().rev().find(same) {
            row.records = row.records.saturating_add(1);
            row.first = row.first.min(ticks);
            row.last = row.last.max(ticks);
        } else {
            self.rows.push(Row { channel, computer, records: 1, first: ticks, last: ticks });
        }
    }

    fn into_names(self) -> BTreeMap<(String, String), ChannelSpan> {
        let name = |bytes: Option<&[u8]>| bytes.map(utf16le_until_nul).unwrap_or_default();
        let mut named: BTreeMap<(String, String), ChannelSpan> = BTreeMap::new();
        for row in self.rows {
            let (first, last) = (from_filetime(row.first), from_filetime(row.last));
            let span = ChannelSpan { records: row.records, first, last };
            named.entry((name(row.channel), name(row.computer))).or_default().include(&span);
        }
        named
    }
}

impl ChannelSpan {
    pub(super) fn include(&mut self, other: &ChannelSpan) {
        self.records = self.records.saturating_add(other.records);
        self.first = [self.first, other.first].into_iter().flatten().min();
        self.last = [self.last, other.last].into_iter().flatten().max();
    }
}
