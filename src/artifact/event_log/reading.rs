//! A whole log, chunk by chunk: memory does not grow with the log, and the order of records is that of the file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Seek, SeekFrom};
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use super::bytes::{u16_at, u32_at, u64_at};
use super::chunk::{CHUNK_SIZE, FILE_HEADER_SIZE, walk};
use super::examine::{Examined, RawChunk, Reader, Remains, examine, panicked, unreadable};
use super::record::Record;
use super::selection::Selection;
use super::sequence::Sequence;
use super::summary::{ChunkCounts, FileHeader, LogReading, Rejection};

/// Chunks examined together: 2 MiB, with as much again being read meanwhile.
const BATCH: usize = 32;
/// Recovered records kept until the log is read through, to compare them with the records that it still holds.
const MOST_RECOVERED: usize = 100_000;

/// Reads a log: every wanted record goes to `sink`, in the order of the file, recovered ones last.
///
/// Damage inside the log is in the result and never an error.
///
/// # Errors
///
/// The evidence does not even give its size and its first bytes.
pub fn read_log<R>(
    content: &mut R,
    selection: &Selection,
    sink: &mut (dyn FnMut(Record) + Send),
) -> io::Result<LogReading>
where
    R: Read + Seek + Send + ?Sized,
{
    read_log_with(content, selection, &Some, &mut |records: &mut Vec<Record>| {
        records.drain(..).for_each(&mut *sink);
    })
}

/// As [`read_log`], with the records interpreted by `reader` where they are read, on several processors; what it makes of
/// them goes to `sink` in the order of the file, some at a time.
///
/// # Errors
///
/// As [`read_log`].
pub fn read_log_with<R, T>(
    content: &mut R,
    selection: &Selection,
    reader: &(dyn Fn(Record) -> Option<T> + Sync),
    sink: &mut (dyn FnMut(&mut Vec<T>) + Send),
) -> io::Result<LogReading>
where
    R: Read + Seek + Send + ?Sized,
    T: Send,
{
    let length = content.seek(SeekFrom::End(0))?;
    let mut log = Log { reading: LogReading::default(), ..Log::default() };
    log.reading.header = read_header(content)?;
    let chunk_size = u64::try_from(CHUNK_SIZE).unwrap_or(u64::MAX);
    let chunks = length.saturating_sub(FILE_HEADER_SIZE).div_ceil(chunk_size);
    let mut numbers = 0..chunks;
    let mut buffers = Vec::new();
    let mut batch = read_batch(content, &mut numbers, &mut buffers);
    let mut examined = Vec::new();
    while !batch.is_empty() {
        let gather = || {
            for chunk in examined {
                buffers.push(log.take(chunk, sink));
            }
            read_batch(content, &mut numbers, &mut buffers)
        };
        (examined, batch) = rayon::join(|| examine_batch(batch, selection, reader), gather);
    }
    for chunk in examined {
        log.take(chunk, sink);
    }
    log.finish(content, reader, sink);
    Ok(log.reading)
}

fn read_header<R: Read + Seek + ?Sized>(content: &mut R) -> io::Result<Option<FileHeader>> {
    let mut block = Vec::with_capacity(128);
    content.seek(SeekFrom::Start(0))?;
    content.take(128).read_to_end(&mut block)?;
    Ok(header(&block))
}

/// The file header: `ElfFile\0`, …, next record id at 24, chunk count at 42, flags at 120.
fn header(block: &[u8]) -> Option<FileHeader> {
    if !block.starts_with(b"ElfFile\0") {
        return None;
    }
    let flags = u32_at(block, 120)?;
    Some(FileHeader {
        dirty: flags & 1 != 0,
        full: flags & 2 != 0,
        next_record_id: u64_at(block, 24)?,
        chunk_count: u16_at(block, 42)?,
    })
}

type Read1 = Result<RawChunk, (u64, io::Error)>;

/// Reads the next chunks into the memory of earlier ones.
fn read_batch<R: Read + Seek + ?Sized>(
    content: &mut R,
    numbers: &mut std::ops::Range<u64>,
    buffers: &mut Vec<Vec<u8>>,
) -> Vec<Read1> {
    let mut read = |number| {
        read_chunk(content, number, buffers.pop().unwrap_or_default())
            .map_err(|error| (number, error))
    };
    numbers.take(BATCH).map(&mut read).collect()
}

fn read_chunk<R: Read + Seek + ?Sized>(
    content: &mut R,
    number: u64,
    mut data: Vec<u8>,
) -> io::Result<RawChunk> {
    let size = u64::try_from(CHUNK_SIZE).unwrap_or(u64::MAX);
    let start = number.saturating_mul(size).saturating_add(FILE_HEADER_SIZE);
    data.clear();
    data.reserve_exact(CHUNK_SIZE);
    content.seek(SeekFrom::Start(start))?;
    content.take(size).read_to_end(&mut data)?;
    let truncated = data.len() < CHUNK_SIZE;
    data.resize(CHUNK_SIZE, 0);
    Ok(RawChunk { number, data, truncated })
}

fn examine_batch<T: Send>(
    batch: Vec<Read1>,
    selection: &Selection,
    reader: Reader<'_, T>,
) -> Vec<Examined<T>> {
    batch.into_par_iter().map(|chunk| examine_safely(chunk, selection, reader)).collect()
}

/// The fuse: a panic over hostile bytes costs one chunk.
fn examine_safely<T>(chunk: Read1, selection: &Selection, reader: Reader<'_, T>) -> Examined<T> {
    match chunk {
        Ok(raw) => {
            let number = raw.number;
            catch_unwind(AssertUnwindSafe(|| examine(raw, selection, reader)))
                .unwrap_or_else(|_| panicked(number))
        }
        Err((number, error)) => unreadable(number, &error),
    }
}

/// What is known while a log is being read.
#[derive(Default)]
struct Log {
    reading: LogReading,
    sequence: Sequence,
    pending: Vec<Remains>,
    /// Lowest and highest held record id of each chunk that holds any.
    reach: BTreeMap<u64, (u64, u64)>,
}

impl Log {
    /// Adds what a chunk gave; returns its memory.
    fn take<T>(
        &mut self,
        mut chunk: Examined<T>,
        sink: &mut (dyn FnMut(&mut Vec<T>) + Send),
    ) -> Vec<u8> {
        let reading = &mut self.reading;
        reading.chunks.include(&chunk.counts);
        reading.live = reading.live.saturating_add(chunk.live);
        reading.unflushed = reading.unflushed.saturating_add(chunk.unflushed);
        reading.remains = reading.remains.saturating_add(chunk.remains);
        for damage in chunk.damage {
            reading.note_damage(damage);
        }
        for reason in chunk.rejected {
            reading.reject(reason);
        }
        for ((channel, computer), span) in chunk.census {
            let computers = reading.computers.entry(computer).or_default();
            *computers = computers.saturating_add(span.records);
            reading.channels.entry(channel).or_default().include(&span);
        }
        let lowest = chunk.runs.iter().map(|run| run.first.0).min();
        let highest = chunk.runs.iter().map(|run| run.last.0).max();
        if let (Some(lowest), Some(highest)) = (lowest, highest) {
            self.reach.insert(chunk.number, (lowest, highest));
        }
        for run in chunk.runs {
            self.sequence.add(run);
        }
        reading.rendered = reading.rendered.saturating_add(chunk.rendered);
        reading.selected = reading.selected.saturating_add(chunk.selected);
        sink(&mut chunk.records);
        for remains in chunk.recovered {
            if self.pending.len() < MOST_RECOVERED {
                self.pending.push(remains);
            } else {
                reading.reject(Rejection::TooMany);
            }
        }
        chunk.buffer
    }

    fn finish<R: Read + Seek + ?Sized, T>(
        &mut self,
        content: &mut R,
        reader: Reader<'_, T>,
        sink: &mut (dyn FnMut(&mut Vec<T>) + Send),
    ) {
        self.reading.first = self.sequence.first();
        self.reading.last = self.sequence.last();
        self.reading.gaps = self.sequence.gaps();
        let mut known = self.still_held(content);
        let mut recovered = Vec::new();
        let holds_records = self.reading.live > 0 || self.reading.unflushed > 0;
        for remains in std::mem::take(&mut self.pending) {
            let channel = &remains.record.channel;
            let known_channel = self.reading.channels.keys().any(|name| name == channel);
            if holds_records && !known_channel {
                self.reading.reject(Rejection::OtherChannel);
            } else if !known.insert(remains.identity) {
                self.reading.reject(Rejection::Duplicate);
            } else {
                self.reading.selected = self.reading.selected.saturating_add(1);
                self.reading.recovered = self.reading.recovered.saturating_add(1);
                recovered.extend(reader(remains.record));
            }
        }
        sink(&mut recovered);
    }

    /// Which recovered records the log still holds, by id and time. Only chunks whose ids reach over one of them are read
    /// a second time.
    fn still_held<R: Read + Seek + ?Sized>(&self, content: &mut R) -> BTreeSet<(u64, u64)> {
        let sought: BTreeSet<(u64, u64)> = self.pending.iter().map(|one| one.identity).collect();
        let mut held = BTreeSet::new();
        let mut buffer = Vec::new();
        for (number, (lowest, highest)) in &self.reach {
            if sought.range((*lowest, 0)..=(*highest, u64::MAX)).next().is_none() {
                continue;
            }
            let Ok(raw) = read_chunk(content, *number, std::mem::take(&mut buffer)) else {
                continue;
            };
            let entries = walk(&raw.data, true).held;
            held.extend(
                entries
                    .iter()
                    .map(|entry| (entry.id, entry.ticks))
                    .filter(|identity| sought.contains(identity)),
            );
            buffer = raw.data;
        }
        held
    }
}

impl ChunkCounts {
    fn include(&mut self, other: &ChunkCounts) {
        let pairs = [
            (&mut self.total, other.total),
            (&mut self.empty, other.empty),
            (&mut self.bad_magic, other.bad_magic),
            (&mut self.bad_header_checksum, other.bad_header_checksum),
            (&mut self.bad_records_checksum, other.bad_records_checksum),
            (&mut self.unflushed, other.unflushed),
            (&mut self.truncated, other.truncated),
            (&mut self.unreadable, other.unreadable),
        ];
        for (sum, more) in pairs {
            *sum = sum.saturating_add(more);
        }
    }
}
