//! Scenarios: what a host is and what happened on it, as a teacher writes it down in TOML.

mod action;
mod host;
mod program;

use jiff::Timestamp;
use serde::Deserialize;

pub use action::{
    Action, Change, Connection, DataType, Driver, Drop, Install, Outcome, Protocol, Recovery,
    RemoteExecution, ServiceKind, Start, StartMode, ValueSpec,
};
pub use host::{Audit, Host, LogFile, TimeZone, User, Windows};
pub use program::ProgramSpec;

use super::evidence::File;
use super::machine::Machine;
use super::regf::Hive;

/// A host and its timeline.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Scenario {
    /// The story in one sentence.
    pub title: String,
    /// Decides everything that looks random: fractions of seconds, process ids, logon ids.
    pub seed: u64,
    /// The host.
    pub host: Host,
    /// Its users; actions refer to them by name.
    #[serde(default, rename = "user")]
    pub users: Vec<User>,
    /// What happened, in any order.
    #[serde(default, rename = "action")]
    pub actions: Vec<Step>,
    /// What happens on every host and means nothing.
    #[serde(default, rename = "noise")]
    pub noise: Vec<Noise>,
    /// Program files that were collected with the rest.
    #[serde(default, rename = "program")]
    pub programs: Vec<ProgramSpec>,
    /// Where the evidence goes: the path of each file, instead of its place in a Windows tree.
    #[serde(default)]
    pub files: std::collections::BTreeMap<String, String>,
}

/// One action at its time.
#[derive(Debug, Clone, Deserialize)]
pub struct Step {
    /// When it begins.
    pub at: Timestamp,
    /// What happens.
    #[serde(flatten)]
    pub action: Action,
}

/// Something that keeps happening.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Noise {
    /// What happens.
    pub kind: NoiseKind,
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// How often; each time is moved by up to a quarter of this.
    pub every_minutes: u32,
}

/// The noise every Windows makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NoiseKind {
    /// BITS switching its start type to and fro (7040).
    BitsToggles,
    /// Services logging on (4624 type 5, 4672).
    ServiceLogons,
    /// Stock services being started by the service control manager (4688 or Sysmon 1; 7036 on servers).
    ServiceStarts,
    /// Defender loading a driver with a random name for a scan (7045).
    DefenderDrivers,
}

/// Why a scenario cannot be told.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScenarioError {
    /// The file is not a scenario.
    #[error("not a scenario: {0}")]
    Syntax(#[from] toml::de::Error),
    /// An action names a user that the scenario does not have.
    #[error("no user named {0}")]
    UnknownUser(String),
    /// An action names a service that does not exist at its time.
    #[error("no service named {0} at {1}")]
    UnknownService(String, Timestamp),
    /// A value is not what its field needs.
    #[error("{0} is not {1}")]
    Value(String, &'static str),
    /// An event is larger than a chunk of an event log.
    #[error("an event of {0} is too large")]
    EventTooLarge(String),
}

impl Scenario {
    /// Reads a scenario from TOML.
    pub fn parse(text: &str) -> Result<Scenario, ScenarioError> {
        Ok(toml::from_str(text)?)
    }

    /// The evidence this host leaves: hives with their logs, event logs, and program files.
    pub fn evidence(&self) -> Result<Vec<File>, ScenarioError> {
        self.told_by(Machine::new(self, None)?)
    }

    /// The same for a host that is not freshly set up: its story goes on from a SYSTEM hive whose only control set is
    /// `ControlSet001`.
    pub fn evidence_on(&self, system: &Hive) -> Result<Vec<File>, ScenarioError> {
        self.told_by(Machine::new(self, Some(system))?)
    }

    fn told_by(&self, machine: Machine) -> Result<Vec<File>, ScenarioError> {
        let mut files = machine.run()?;
        for file in &mut files {
            if let Some(path) = self.files.get(&file.path) {
                file.path.clone_from(path);
            }
        }
        if !self.files.is_empty() {
            files.retain(|file| self.files.values().any(|path| *path == file.path));
        }
        files.extend(self.programs.iter().map(ProgramSpec::file));
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(files)
    }
}
