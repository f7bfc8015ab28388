//! The processes of services: what services.exe started for them, and what those processes started.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How a process is known to be a service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kinship {
    /// services.exe started it, and it runs the service's command.
    Command,
    /// services.exe started it, and it runs the service's failure command.
    FailureCommand,
    /// services.exe started it with the service's command line, but it is another program: the command is an unquoted
    /// path with spaces, and a shorter name was found first.
    Intercepted,
    /// Nothing logged tells who started it. It ran the service's program, and no interpreter, around an install or a
    /// change of the service's state.
    Program,
    /// A process of the service started it, or a descendant of one.
    Descendant,
}

/// A process that belongs to services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceProcess {
    /// The computer that logged it.
    pub computer: String,
    /// Its process id, where logged.
    pub process_id: Option<u32>,
    /// The process id of its creator, where logged.
    pub parent_process_id: Option<u32>,
    /// The program, as logged.
    pub image: String,
    /// When its creation was logged first; absent where it was not.
    pub started: Option<Timestamp>,
    /// When its end was logged first; absent where it was not.
    pub ended: Option<Timestamp>,
    /// How it is known to be a service's.
    pub kinship: Kinship,
    /// The process that started it: index into [`super::Host::processes`]; absent for those that services.exe started.
    pub parent: Option<usize>,
    /// How many processes stand between services.exe and it.
    pub depth: u16,
    /// How many services run in it, or in the one it descends from: for more than one, nothing tells which of them acted.
    pub services: usize,
    /// The events of its creation: indices into [`super::Host::events`]; 4688 and Sysmon 1 may log the same one.
    pub starts: Vec<usize>,
    /// What it did: indices into [`super::Host::events`].
    pub acts: Vec<usize>,
}

/// Which process did what an event tells, as far as the starts of processes say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Doer {
    /// The act: index into [`super::Host::events`].
    pub(super) event: usize,
    /// Index into [`super::Host::processes`]; absent for a process that is no service's.
    pub(super) process: Option<usize>,
}
