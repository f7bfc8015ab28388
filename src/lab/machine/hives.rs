//! The hives of a host: changed in memory, flushed to their primary files or only to their logs.

use jiff::Timestamp;

use super::clock::Clock;
use super::{software_hive, system_hive};
use crate::lab::evidence::File;
use crate::lab::regf::log::{Entry, new_format};
use crate::lab::regf::{BaseBlock, Hive};
use crate::lab::scenario::{Host, ScenarioError, User};

const CONFIG: &str = "Windows/System32/config";
/// Sequence number of the primary files when they were last written completely.
const FLUSHED: u32 = 311;
/// Bytes by which primary files grow.
const GROWTH: usize = 256 * 1024;

/// The current control set of these hosts.
pub(super) const CONTROL_SET: &str = "ControlSet001";

pub(super) struct Hives {
    pub(super) system: Hive,
    pub(super) software: Hive,
    /// States of SYSTEM since it was last written completely; empty if nothing was written to its logs only.
    unflushed: Vec<Vec<u8>>,
}

impl Hives {
    pub(super) fn new(
        host: &Host,
        users: &[User],
        clock: &mut Clock,
    ) -> Result<Hives, ScenarioError> {
        let system = system_hive::build(host, clock)?;
        let software = software_hive::build(host, users)?;
        Ok(Hives { system, software, unflushed: Vec::new() })
    }

    /// Writes SYSTEM completely; from now on changes go to its logs.
    pub(super) fn flush(&mut self) {
        self.unflushed = vec![self.system.to_bytes(&base().dirty())];
    }

    /// An action has ended: what it changed becomes one log entry if the hive was flushed before.
    pub(super) fn commit(&mut self) {
        if self.unflushed.is_empty() {
            return;
        }
        let state = self.system.to_bytes(&base().dirty());
        if self.unflushed.last() != Some(&state) {
            self.unflushed.push(state);
        }
    }

    /// The hive files, with transaction logs where they are needed.
    pub(super) fn files(mut self) -> Vec<File> {
        let software = self
            .software
            .to_bytes(&BaseBlock::clean("emRoot\\System32\\Config\\SOFTWARE", FLUSHED));
        let mut files = vec![file("SOFTWARE", software)];
        let Some(flushed) = self.unflushed.first().filter(|_| self.unflushed.len() > 1) else {
            files.push(primary("SYSTEM", self.system.to_bytes(&base())));
            return files;
        };
        let pairs = self.unflushed.iter().zip(self.unflushed.iter().skip(1)).zip(FLUSHED..);
        let entries: Vec<Entry> = pairs
            .map(|((before, after), sequence)| Entry::between(before, after, sequence))
            .collect();
        // Windows fills one log, then the other: the first half of the entries is in LOG1.
        let (first, second) = entries.split_at(entries.len().div_ceil(2));
        let dirty = base().dirty();
        files.push(file("SYSTEM.LOG1", new_format(&dirty, flushed, first)));
        files.push(file("SYSTEM.LOG2", new_format(&dirty, flushed, second)));
        files.push(primary("SYSTEM", flushed.clone()));
        files
    }

    /// The host shut down at this time.
    pub(super) fn note_shutdown(&mut self, at: Timestamp) {
        system_hive::note_shutdown(&mut self.system, at);
    }
}

fn base() -> BaseBlock {
    BaseBlock::clean("SYSTEM", FLUSHED)
}

/// A primary file: Windows lets it grow in steps, so zeros follow the last bin.
fn primary(name: &str, mut bytes: Vec<u8>) -> File {
    bytes.resize(bytes.len().next_multiple_of(GROWTH), 0);
    file(name, bytes)
}

fn file(name: &str, bytes: Vec<u8>) -> File {
    File { path: format!("{CONFIG}/{name}"), bytes }
}
