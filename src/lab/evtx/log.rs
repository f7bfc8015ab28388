//! A log file: header, chunks, and the states a log can be found in.

use serde::Deserialize;

use super::chunk::Chunk;
use super::crc32::crc32;
use super::event::Event;
use crate::lab::bytes::{Buffer, part, short};

const FILE_HEADER: usize = 4096;

/// How the log was left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Closed by the event log service.
    #[default]
    Closed,
    /// Not closed: flagged dirty, and the file header knows nothing of the last chunk.
    Dirty,
    /// Copied from a running system: dirty, and the last chunk's header was never written. Readers that trust
    /// the header see no record of that chunk.
    LiveCopy,
}

/// An event log being written.
#[derive(Debug, Clone)]
pub struct Log {
    channel: String,
    computer: String,
    done: Vec<Chunk>,
    open: Chunk,
    next_record: u64,
}

impl Log {
    /// An empty log of a channel; `first_record` is the id of its first record, 1 in a log that never wrapped.
    pub fn new(channel: &str, computer: &str, first_record: u64) -> Log {
        Log {
            channel: channel.to_owned(),
            computer: computer.to_owned(),
            done: Vec::new(),
            open: Chunk::new(),
            next_record: first_record,
        }
    }

    /// The computer that later events name; renamed hosts have logs with two names.
    pub fn rename_computer(&mut self, computer: &str) {
        computer.clone_into(&mut self.computer);
    }

    /// Leaves out record ids, as logs look from which records were removed.
    pub fn skip(&mut self, records: u64) {
        self.next_record = self.next_record.saturating_add(records);
    }

    /// Appends an event and returns its record id; `None` if it is too large for any chunk.
    pub fn push(&mut self, event: &Event) -> Option<u64> {
        let id = self.next_record;
        let instance = event.instance(id, &self.channel, &self.computer);
        if !self.open.push(id, event.time, &instance) {
            let mut fresh = Chunk::new();
            if !fresh.push(id, event.time, &instance) {
                return None;
            }
            let full = std::mem::replace(&mut self.open, fresh);
            if !full.is_empty() {
                self.done.push(full);
            }
        }
        self.next_record = id.saturating_add(1);
        Some(id)
    }

    /// Whether no event was written.
    pub fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// The file in this state.
    pub fn to_bytes(&self, state: State) -> Vec<u8> {
        let chunks = self.done.len().saturating_add(1);
        let known = if state == State::Closed { chunks } else { self.done.len().max(1) };
        let flushed = self.open.first_id().unwrap_or(self.next_record);
        let next = if state == State::Closed { self.next_record } else { flushed };
        let mut bytes = file_header(known, next, state != State::Closed);
        let mut number = 1_u64;
        for chunk in &self.done {
            bytes.extend(chunk.clone().flushed(number));
            number = number.saturating_add(chunk.count());
        }
        let last = self.open.clone();
        bytes.extend(match state {
            State::LiveCopy => last.unflushed(number),
            State::Closed | State::Dirty => last.flushed(number),
        });
        bytes
    }
}

fn file_header(chunks: usize, next_record: u64, dirty: bool) -> Vec<u8> {
    let last = u64::from(short(chunks.saturating_sub(1)));
    let mut header = Buffer::with(b"ElfFile\0");
    header.u64(0).u64(last).u64(next_record);
    header.u32(128).u16(1).u16(3).u16(4096).u16(short(chunks)).zeros(76);
    header.u32(u32::from(dirty));
    let checksum = crc32(&[part(header.as_slice(), 0, 120)]);
    header.u32(checksum).align(FILE_HEADER);
    header.into_vec()
}
