//! One chunk, from bytes to records: no chunk needs another, so that many are examined at once.

use std::collections::BTreeMap;

use super::chunk::{CHUNK_MAGIC, Entry, Walk, walk};
use super::decode::{Place, decode};
use super::direct::{Direct, Outcome};
use super::record::{Record, RecordState};
use super::render::Chunk;
use super::selection::{Origin, Plan, Selection};
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

/// What becomes of a wanted record right where it is read; `None` if nothing.
pub(super) type Reader<'r, T> = &'r (dyn Fn(Record) -> Option<T> + Sync);

/// What one chunk amounts to.
#[derive(Debug)]
pub(super) struct Examined<T> {
    pub(super) number: u64,
    pub(super) counts: ChunkCounts,
    pub(super) live: u64,
    pub(super) unflushed: u64,
    pub(super) remains: u64,
    /// How many wanted records had to be rendered.
    pub(super) rendered: u64,
    /// How many wanted records the log holds here.
    pub(super) selected: u64,
    /// What became of them, in the order of the chunk.
    pub(super) records: Vec<T>,
    /// Wanted remains that passed the rules a chunk can judge.
    pub(super) recovered: Vec<Remains>,
    pub(super) rejected: Vec<Rejection>,
    pub(super) damage: Vec<Damage>,
    /// Held records by (channel, computer).
    pub(super) census: BTreeMap<(String, String), ChannelSpan>,
    pub(super) runs: Vec<Run>,
    /// The chunk's memory, to be used again.
    pub(super) buffer: Vec<u8>,
}

/// A recovered record with the identity that its header gives it.
#[derive(Debug)]
pub(super) struct Remains {
    pub(super) record: Record,
    /// Record id and time (FILETIME ticks) of the record header.
    pub(super) identity: (u64, u64),
}

/// Reads one chunk; everything that is wrong with it is in the result.
pub(super) fn examine<T>(
    raw: RawChunk,
    selection: &Selection,
    reader: Reader<'_, T>,
) -> Examined<T> {
    let mut examined = Examined::of(raw.number);
    let counts = &mut examined.counts;
    counts.truncated = u64::from(raw.truncated);
    if super::bytes::all_zero(&raw.data) {
        counts.empty = 1;
        examined.buffer = raw.data;
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
    examined.read(chunk, &walk, selection, reader);
    examined
}

/// The result for a chunk whose examination panicked.
pub(super) fn panicked<T>(number: u64) -> Examined<T> {
    let mut examined = Examined::of(number);
    examined.counts.unreadable = 1;
    examined.note(0, "the decoder panicked".to_owned());
    examined
}

/// The result for a chunk that the medium does not give.
pub(super) fn unreadable<T>(number: u64, error: &std::io::Error) -> Examined<T> {
    let mut examined = Examined::of(number);
    examined.counts.unreadable = 1;
    examined.note(0, format!("the chunk cannot be read: {error}"));
    examined
}

/// A wanted record, before and after it is read.
struct Wanted {
    entry: Entry,
    /// `None` where it has to be rendered.
    record: Option<Box<Record>>,
}

impl<T> Examined<T> {
    fn of(number: u64) -> Self {
        Self {
            number,
            counts: ChunkCounts { total: 1, ..ChunkCounts::default() },
            live: 0,
            unflushed: 0,
            remains: 0,
            rendered: 0,
            selected: 0,
            records: Vec::new(),
            recovered: Vec::new(),
            rejected: Vec::new(),
            damage: Vec::new(),
            census: BTreeMap::new(),
            runs: Vec::new(),
            buffer: Vec::new(),
        }
    }

    fn note(&mut self, offset: usize, message: String) {
        let offset = u32::try_from(offset).unwrap_or(u32::MAX);
        self.damage.push(Damage { chunk: self.number, offset, message });
    }

    fn read(
        &mut self,
        mut chunk: Chunk,
        walk: &Walk,
        selection: &Selection,
        reader: Reader<'_, T>,
    ) {
        let mut wanted = self.select(chunk.bytes(), walk, selection);
        let rendered = |one: &Wanted| one.record.is_none().then_some(one.entry);
        let rendered: Vec<Entry> = wanted.iter().filter_map(rendered).collect();
        self.rendered = u64::try_from(rendered.len()).unwrap_or(u64::MAX);
        if !rendered.is_empty() {
            let all = walk.held.iter().chain(&walk.carved).map(|entry| entry.offset);
            let mut decoded = self.render(&mut chunk, &rendered, all);
            for one in wanted.iter_mut().filter(|one| one.record.is_none()) {
                one.record = decoded.remove(&one.entry.offset).map(Box::new);
            }
        }
        self.buffer = chunk.into_bytes();
        for one in wanted {
            self.settle(one, selection, reader);
        }
    }

    /// Counts the records of a chunk and finds those that are wanted, in order; those that can be are read at once.
    fn select(&mut self, data: &[u8], walk: &Walk, selection: &Selection) -> Vec<Wanted> {
        let mut wanted = Vec::new();
        let mut held = Vec::with_capacity(walk.held.len());
        let mut census = Census::default();
        let mut scanner = Scanner::new(data);
        let mut direct = Direct::new(data);
        for mut entry in walk.held.iter().chain(&walk.carved).copied() {
            let glimpse = scanner.glimpse(&entry);
            let origin = Origin { provider: glimpse.provider, channel: glimpse.channel };
            let plan = selection.plan(glimpse.event_id, origin);
            // Of remains without a readable template, none was ever decoded into something plausible.
            let template_is_gone = entry.carved && glimpse.event_id.is_none();
            if template_is_gone {
                entry.state = RecordState::Recovered;
                self.rejected.extend(plan.is_some().then_some(Rejection::NotDecoded));
            }
            if let Some(mut plan) = plan.filter(|_| !template_is_gone) {
                // Remains are counted and judged one by one.
                plan.worth = plan.worth.filter(|_| !entry.carved);
                wanted.extend(self.try_directly(&mut direct, entry, &plan));
            }
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
        wanted
    }

    /// `None` for a record whose values say that it is of no interest.
    fn try_directly(&self, direct: &mut Direct<'_>, entry: Entry, plan: &Plan) -> Option<Wanted> {
        if plan.rendered {
            return Some(Wanted { entry, record: None });
        }
        match direct.read(&entry, &entry.place(self.number), plan) {
            Outcome::Unwanted => None,
            Outcome::Record(record) => Some(Wanted { entry, record: Some(record) }),
            Outcome::NotUnderstood => Some(Wanted { entry, record: None }),
        }
    }

    /// Renders and decodes records, by offset; `all` are the offsets of all records that look like one.
    fn render(
        &self,
        chunk: &mut Chunk,
        wanted: &[Entry],
        all: impl Iterator<Item = usize>,
    ) -> BTreeMap<usize, Record> {
        let entries: BTreeMap<usize, &Entry> =
            wanted.iter().map(|entry| (entry.offset, entry)).collect();
        let others: Vec<usize> = all.filter(|offset| !entries.contains_key(offset)).collect();
        let mut decoded = BTreeMap::new();
        chunk.render(wanted, &others, &mut |offset, json| {
            let place = entries.get(&offset).map(|entry| entry.place(self.number));
            if let Some(record) = place.and_then(|place| decode(json, &place).ok()) {
                decoded.insert(offset, record);
            }
        });
        decoded
    }

    /// Puts a wanted record where it belongs.
    fn settle(&mut self, one: Wanted, selection: &Selection, reader: Reader<'_, T>) {
        let entry = one.entry;
        match one.record.map(|record| (judge(&record, &entry, &entry.place(self.number)), record)) {
            Some((_, record)) if !selection.wants(&record) => {}
            Some((Some(reason), _)) => self.rejected.push(reason),
            Some((None, record)) if entry.state == RecordState::Recovered => {
                self.recovered.push(Remains { record: *record, identity: (entry.id, entry.ticks) });
            }
            Some((None, record)) => {
                self.selected = self.selected.saturating_add(1);
                self.records.extend(reader(*record));
            }
            None if entry.carved => self.rejected.push(Rejection::NotDecoded),
            None => {
                self.note(entry.offset, format!("record {} cannot be decoded", entry.id));
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
