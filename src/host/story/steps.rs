//! Acts are put together into steps.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::{Phase, Step};
use crate::host::process::Kinship;
use crate::host::{Host, Service};

/// Steps of one class that a further act is held against, the newest first.
const RECENT: usize = 8;
/// The child is often logged before its install is (measured): this much before still follows from it.
const LOGGED_LATER: SignedDuration = SignedDuration::from_secs(2);

/// Acts of different classes are never one step.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Class {
    /// A process of the service.
    Process(usize),
    /// What a process did, by the words that tell it from what else it did.
    Did(Option<usize>, Phase, String),
    /// All else, by phase and the words that tell it from others of its phase.
    Act(Phase, String),
}

/// One event, seen as an act.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// Index into the host's events; absent for a process whose start no log has.
    pub(super) event: Option<usize>,
    pub(super) time: Timestamp,
    pub(super) class: Class,
    /// How long after the last event of a step this one can still belong to it; absent for any time.
    pub(super) within: Option<SignedDuration>,
    /// Which part of the step it is: each can be there once. Absent for repetitions, which are one step.
    pub(super) slot: Option<String>,
    /// The command that is installed, where the event tells: events of different commands are different installs.
    pub(super) command: Option<String>,
}

struct Open {
    time: Timestamp,
    until: Timestamp,
    class: Class,
    events: BTreeSet<usize>,
    slots: BTreeSet<String>,
    command: Option<String>,
}

impl Open {
    fn takes(&self, act: &Act) -> bool {
        let near = act.within.is_none_or(|within| act.time.duration_since(self.until) <= within);
        let free = act.slot.as_ref().is_none_or(|slot| !self.slots.contains(slot));
        let same = match (&self.command, &act.command) {
            (Some(left), Some(right)) => left == right,
            _ => true,
        };
        near && free && same
    }
}

/// The steps in the making.
#[derive(Default)]
pub(super) struct Steps {
    open: Vec<Open>,
    by_class: BTreeMap<Class, Vec<usize>>,
}

impl Steps {
    /// Adds an act to the step it belongs to, or begins one. Acts come in order of time.
    pub(super) fn attach(&mut self, act: Act) {
        let known = self.by_class.entry(act.class.clone()).or_default();
        let mut fitting = known
            .iter()
            .rev()
            .take(RECENT)
            .copied()
            .filter(|at| self.open.get(*at).is_some_and(|open| open.takes(&act)));
        // An event that names the command belongs to the oldest step it fits; any other to the newest.
        let chosen = if act.command.is_some() { fitting.next_back() } else { fitting.next() };
        if let Some(open) = chosen.and_then(|at| self.open.get_mut(at)) {
            open.until = open.until.max(act.time);
            open.events.extend(act.event);
            open.slots.extend(act.slot);
            open.command = open.command.take().or(act.command);
            return;
        }
        known.push(self.open.len());
        self.open.push(Open {
            time: act.time,
            until: act.time,
            class: act.class,
            events: act.event.into_iter().collect(),
            slots: act.slot.into_iter().collect(),
            command: act.command,
        });
    }

    /// The steps in the order in which they are told.
    pub(super) fn into_order(self, host: &Host, service: &Service) -> Vec<Step> {
        let starts = starts(host, service);
        // Where installs are told; they come in order of time.
        let mut installs: Vec<Timestamp> = Vec::new();
        let mut steps: Vec<((Timestamp, u8), Step)> = Vec::with_capacity(self.open.len());
        for open in self.open {
            let (phase, process) = match &open.class {
                Class::Process(process) => (phase_of(host, service, *process), Some(*process)),
                Class::Did(process, phase, _) => (*phase, *process),
                Class::Act(phase, _) => (*phase, None),
            };
            let events: Vec<usize> = open.events.into_iter().collect();
            let from = match phase {
                Phase::Installed => {
                    installs.push(caused(&starts, &installs, open.time));
                    installs.last().copied().unwrap_or(open.time)
                }
                _ => open.time,
            };
            let actor = (phase == Phase::Installed).then(|| actor(service, &events)).flatten();
            let (time, until) = (open.time, open.until);
            let step = Step { time, until, phase, events, process, actor };
            steps.push(((from, rank(phase)), step));
        }
        // A stable sort: what has one time stays in the order of the log.
        steps.sort_by_key(|(order, _)| *order);
        steps.into_iter().map(|(_, step)| step).collect()
    }
}

/// At one and the same time an install stands before what it makes possible.
const fn rank(phase: Phase) -> u8 {
    match phase {
        Phase::Session | Phase::Dropped => 0,
        Phase::Installed => 1,
        _ => 2,
    }
}

/// When processes of the service's command were started, in order.
fn starts(host: &Host, service: &Service) -> Vec<Timestamp> {
    let own = |at: &usize| {
        host.processes.get(*at).filter(|process| process.kinship != Kinship::Descendant)
    };
    let mut starts: Vec<Timestamp> =
        service.processes.iter().filter_map(own).filter_map(|process| process.started).collect();
    starts.sort_unstable();
    starts
}

/// Where an install is told: before the process that it led to, though that may have been logged first. A process that
/// an earlier install led to is not this one's.
fn caused(starts: &[Timestamp], installs: &[Timestamp], install: Timestamp) -> Timestamp {
    let Some(last) = starts.partition_point(|start| *start < install).checked_sub(1) else {
        return install;
    };
    let Some(start) = starts.get(last).copied() else { return install };
    let previous = last.checked_sub(1).and_then(|at| starts.get(at));
    let taken = installs
        .iter()
        .any(|earlier| *earlier <= start && previous.is_none_or(|previous| earlier > previous));
    let soon = install.duration_since(start) <= LOGGED_LATER;
    if soon && !taken { start } else { install }
}

/// Whether a process is a recovery action: it runs the failure command, or the service anew, after a crash for which
/// the log says so.
fn phase_of(host: &Host, service: &Service, process: usize) -> Phase {
    let Some(process) = host.processes.get(process) else { return Phase::Process };
    let (Some(started), Some(action)) = (process.started, recovery(process.kinship)) else {
        return Phase::Process;
    };
    let after = service.events(crate::host::Role::Crash, &host.events).any(|event| {
        let crate::host::Action::Crashed { recovery, delay_ms, .. } = &event.action else {
            return false;
        };
        let delay = SignedDuration::from_millis(delay_ms.unwrap_or_default().into());
        let gap = started.duration_since(event.time);
        let latest = delay.saturating_add(RECOVERED);
        *recovery == Some(action) && gap >= LOGGED_LATER.saturating_mul(-1) && gap <= latest
    });
    if after { Phase::Recovered } else { Phase::Process }
}

/// A recovery action comes at most so much later than its delay says.
const RECOVERED: SignedDuration = SignedDuration::from_secs(60);

/// The `SC_ACTION_TYPE` whose work such a process can be.
const fn recovery(kinship: Kinship) -> Option<u32> {
    match kinship {
        Kinship::Command => Some(1),
        Kinship::FailureCommand => Some(3),
        Kinship::Intercepted | Kinship::Program | Kinship::Descendant => None,
    }
}

/// Who did an install: of the actors its records name the one that is known best.
fn actor(service: &Service, events: &[usize]) -> Option<usize> {
    let known =
        service.actors.iter().enumerate().filter(|(_, actor)| events.contains(&actor.event));
    known
        .max_by_key(|(at, actor)| {
            let parts = [
                actor.logon.is_some(),
                actor.address().is_some(),
                actor.subject.logon_id.is_some(),
                actor.subject.name.is_some(),
            ];
            (parts, std::cmp::Reverse(*at))
        })
        .map(|(at, _)| at)
}
