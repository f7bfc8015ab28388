//! The hives of a host: changed in memory, flushed to their primary files or only to their logs.

use jiff::Timestamp;

use super::clock::Clock;
use super::process::Process;
use super::{security_hive, software_hive, system_hive};
use crate::lab::bytes::length;
use crate::lab::evidence::File;
use crate::lab::regf::log::{Entry, new_format};
use crate::lab::regf::{BaseBlock, Data, Hive};
use crate::lab::scenario::{Host, ScenarioError, User};
use crate::time::to_filetime;

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
    security: Option<Hive>,
    unflushed: Option<Unflushed>,
}

/// SYSTEM since it was last written completely.
struct Unflushed {
    primary: Vec<u8>,
    latest: Vec<u8>,
    entries: Vec<Entry>,
}

impl Hives {
    pub(super) fn new(
        host: &Host,
        users: &[User],
        clock: &mut Clock,
        system: Option<&Hive>,
    ) -> Result<Hives, ScenarioError> {
        let own = system.map(|system| system_hive::settle(system, host, clock));
        let groups = own.as_ref().map_or_else(software_hive::stock_groups, software_hive::groups);
        let system = own.map_or_else(|| system_hive::build(host, clock), Ok)?;
        let software = software_hive::build(host, users, groups)?;
        let security = host.posture.then(|| security_hive::build(host));
        Ok(Hives { system, software, security, unflushed: None })
    }

    /// Writes SYSTEM completely; from now on changes go to its logs.
    pub(super) fn flush(&mut self) {
        let primary = self.system.to_bytes(&base().dirty());
        self.unflushed = Some(Unflushed { latest: primary.clone(), primary, entries: Vec::new() });
    }

    /// An action has ended: what it changed becomes one log entry if the hive was flushed before.
    pub(super) fn commit(&mut self) {
        let Some(unflushed) = &mut self.unflushed else { return };
        let state = self.system.to_bytes(&base().dirty());
        if unflushed.latest != state {
            let sequence = FLUSHED.saturating_add(length(unflushed.entries.len()));
            unflushed.entries.push(Entry::between(&unflushed.latest, &state, sequence));
            unflushed.latest = state;
        }
    }

    /// The hive files, with transaction logs where they are needed.
    pub(super) fn files(mut self) -> Vec<File> {
        let software = self
            .software
            .to_bytes(&BaseBlock::clean("emRoot\\System32\\Config\\SOFTWARE", FLUSHED));
        let mut files = vec![file("SOFTWARE", software)];
        if let Some(mut security) = self.security {
            let base = BaseBlock::clean("emRoot\\System32\\Config\\SECURITY", FLUSHED);
            files.push(file("SECURITY", security.to_bytes(&base)));
        }
        let Some(unflushed) = self.unflushed.filter(|unflushed| !unflushed.entries.is_empty())
        else {
            files.push(primary("SYSTEM", self.system.to_bytes(&base())));
            return files;
        };
        // Windows fills one log, then the other: the first half of the entries is in LOG1.
        let half = unflushed.entries.len().div_ceil(2);
        let (first, second) = unflushed.entries.split_at(half);
        let dirty = base().dirty();
        files.push(file("SYSTEM.LOG1", new_format(&dirty, &unflushed.primary, first)));
        files.push(file("SYSTEM.LOG2", new_format(&dirty, &unflushed.primary, second)));
        files.push(primary("SYSTEM", unflushed.primary));
        files
    }

    /// The background activity moderator notes when each account last ran a program (Windows 10 1709 and later):
    /// a FILETIME and 16 more bytes below `bam`.
    pub(super) fn note_execution(&mut self, process: &Process, at: Timestamp) {
        let sid = process.session.account.sid.text();
        let path = format!(r"{CONTROL_SET}\Services\bam\State\UserSettings\{sid}");
        let key = self.system.create(&path, at);
        let mut data = to_filetime(at).to_le_bytes().to_vec();
        data.extend([0; 12]);
        data.extend(2_u32.to_le_bytes());
        let program = process.image.replacen("C:", r"\Device\HarddiskVolume2", 1);
        self.system.set(key, &program, &Data::Binary(data), at);
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
