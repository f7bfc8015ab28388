//! The story of a service: what happened to it and what it did, act by act, each with the events that show it.
//!
//! Several records often tell one act: an install is a 7045, a 4697 and a handful of registry writes, a time-out a 7009
//! and a 7000, a process a 4688 and a Sysmon 1. A step is one act, and cites them all.

mod acts;
mod steps;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Host, Service};
use steps::Steps;

/// Most steps of one story; of a longer one the middle is left out, and counted.
const LONGEST: usize = 400;

/// What an act is to the service, roughly in the order in which such acts follow each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Whoever installed it came and worked here: a logon, the service control manager's pipe, a share, a tool, a handle.
    Session,
    /// Its program, or what its installer needs, was written.
    Dropped,
    /// It was installed.
    Installed,
    /// Its configuration or its permissions changed.
    Configured,
    /// It started, or was told to.
    Started,
    /// It did not start, answer or end well.
    Failed,
    /// A process of it ran.
    Process,
    /// Its process connected or looked a name up.
    Network,
    /// Its process created or used a named pipe.
    Pipe,
    /// Its process wrote a file.
    Wrote,
    /// Its process opened lsass.exe.
    Accessed,
    /// Its driver or a module of its configuration was loaded.
    Loaded,
    /// It ended unexpectedly.
    Crashed,
    /// A process ran as the recovery action of a crash.
    Recovered,
    /// It stopped, or was told to.
    Stopped,
    /// It was deleted, or marked for it.
    Deleted,
    /// A log was cleared, or logging stopped.
    LogCleared,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// When its first event was logged.
    pub time: Timestamp,
    /// When its last event was logged.
    pub until: Timestamp,
    /// What it is to the service.
    pub phase: Phase,
    /// The events that show it, in order of time: indices into [`Host::events`]. Never empty, but for a process whose
    /// start no log has.
    pub events: Vec<usize>,
    /// The process that ran or acted: index into [`Host::processes`].
    pub process: Option<usize>,
    /// Who did it: index into [`Service::actors`]; of an install only.
    pub actor: Option<usize>,
}

/// The story of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Story {
    /// The acts, in order of time; within one second a cause stands before what it caused, where that is known.
    pub steps: Vec<Step>,
    /// How many acts in the middle of a long story are not among `steps`.
    pub left_out: usize,
}

impl Story {
    /// The story of a service of that host. Pure: the same host gives the same story.
    pub fn of(host: &Host, service: &Service) -> Self {
        let mut steps = Steps::default();
        for act in acts::acts(host, service) {
            steps.attach(act);
        }
        let mut steps = steps.into_order(host, service);
        let left_out = steps.len().saturating_sub(LONGEST);
        if left_out > 0 {
            let head = LONGEST / 2;
            steps.drain(head..head.saturating_add(left_out));
        }
        Self { steps, left_out }
    }

    /// The acts of one phase.
    pub fn of_phase(&self, phase: Phase) -> impl Iterator<Item = &Step> {
        self.steps.iter().filter(move |step| step.phase == phase)
    }
}
