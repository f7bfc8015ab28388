//! What was done to services, and by whom: one act for all its records.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use crate::host::bursts::comes_in_waves;
use crate::host::event::{Action, Event, LogonKind, RegistryChange, RegistryOperation, Subject};
use crate::host::image_path::leaf;
use crate::host::service::SeenCommand;
use crate::host::service_command::{ServiceCommand, Verb};
use crate::host::{Host, Role, Service};
use crate::text::{fold, same_name};
use crate::time::distance;

/// Records of one act are logged within this time of each other; a deletion takes effect when the last handle is closed.
const SAME_ACT: SignedDuration = SignedDuration::from_secs(10);

/// What an act does to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deed {
    /// It was made.
    Installed,
    /// It was given another program or service DLL.
    Program,
    /// It was given another start type.
    Start,
    /// It was given a failure command, or failure actions.
    Failure,
    /// It was given another account.
    Account,
    /// It was given other access rules.
    Security,
    /// It was deleted, or marked for it.
    Deleted,
}

impl Deed {
    /// What became of the services: `12 services <words>`.
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Installed => "installed",
            Self::Program => "given another program",
            Self::Start => "given another start type",
            Self::Failure => "given a failure command",
            Self::Account => "given another account",
            Self::Security => "given other access rules",
            Self::Deleted => "deleted",
        }
    }

    /// What a write to that value does, by its name below the service's key; absent for values that make no act.
    fn of_value(value: &str) -> Option<Self> {
        Some(match fold(value).as_str() {
            "IMAGEPATH" | "SERVICEDLL" | r"PARAMETERS\SERVICEDLL" => Self::Program,
            "START" => Self::Start,
            "FAILURECOMMAND" | "FAILUREACTIONS" => Self::Failure,
            "OBJECTNAME" => Self::Account,
            "SECURITY" | r"SECURITY\SECURITY" => Self::Security,
            _ => return None,
        })
    }

    fn of_change(change: &RegistryChange) -> Option<Self> {
        match change.operation {
            RegistryOperation::KeyDeleted => change.target.is_empty().then_some(Self::Deleted),
            RegistryOperation::ValueSet if same_name(&change.target, "DeleteFlag") => {
                Some(Self::Deleted)
            }
            RegistryOperation::ValueSet | RegistryOperation::ValueDeleted => {
                Self::of_value(&change.target)
            }
            RegistryOperation::KeyCreated | RegistryOperation::Renamed => None,
        }
    }

    fn of_command(command: &ServiceCommand) -> Option<Self> {
        match command.verb {
            Verb::Create => Some(Self::Installed),
            Verb::Delete => Some(Self::Deleted),
            Verb::Configure => {
                command.changes.iter().find_map(|change| Self::of_value(&change.value))
            }
            Verb::Start | Verb::Stop | Verb::Control => None,
        }
    }
}

/// One act on one service by somebody known.
#[derive(Debug, Clone)]
pub(super) struct Act {
    /// When its first record was written.
    pub(super) time: Timestamp,
    /// Index into [`Host::services`].
    pub(super) service: usize,
    /// What was done.
    pub(super) deed: Deed,
    /// Who did it, as far as any of its records says.
    pub(super) by: Subject,
    /// Where the session came from.
    pub(super) address: Option<String>,
    /// Its records: indices into [`Host::events`], in order.
    pub(super) events: Vec<usize>,
}

impl Act {
    /// Whether anybody is named.
    fn is_signed(&self) -> bool {
        self.by.sid.is_some() || self.by.name.is_some() || self.address.is_some()
    }
}

/// Every act on the services of this host of which somebody is known to have done it, in order of time.
pub(super) fn acts(host: &Host) -> Vec<Act> {
    let addresses = addresses(&host.events);
    let mut all = Vec::new();
    for (index, service) in host.services.iter().enumerate() {
        if service.elsewhere.is_some() {
            continue;
        }
        let mut acts = signed(merged(of_service(host, index, service)));
        for act in &mut acts {
            let event = act.events.first().and_then(|at| host.events.get(*at));
            if let (None, Some(event), Some(id)) = (&act.address, event, act.by.logon_id) {
                let known = addresses.get(&(event.computer.as_str(), id));
                act.address = known.map(|address| (*address).to_owned());
            }
        }
        let waves = comes_in_waves(service);
        all.extend(acts.into_iter().filter(|act| !(waves && is_windows(&act.by))));
    }
    all.sort_by_key(|act| (act.time, act.service, act.deed));
    all
}

/// Windows itself, or what acts in its name: setup, updates, boot.
fn is_windows(by: &Subject) -> bool {
    matches!(by.sid.as_deref(), Some("S-1-5-18" | "S-1-5-19" | "S-1-5-20"))
}

/// The address each session came from, by computer and session.
fn addresses(events: &[Event]) -> BTreeMap<(&str, u64), &str> {
    let mut addresses = BTreeMap::new();
    for event in events {
        if let Action::Logon(logon) = &event.action
            && logon.kind == LogonKind::Success
            && let (Some(id), Some(address)) = (logon.account.logon_id, &logon.address)
        {
            addresses.entry((event.computer.as_str(), id)).or_insert(address.as_str());
        }
    }
    addresses
}

/// What the records of a service say was done to it, each record for itself, in order of time.
fn of_service(host: &Host, index: usize, service: &Service) -> Vec<Act> {
    let act = |at: usize, deed: Deed, by: Subject, address: Option<&str>| {
        let event = host.events.get(at)?;
        let address = address.map(str::to_owned);
        Some(Act { time: event.time, service: index, deed, by, address, events: vec![at] })
    };
    let mut acts: Vec<Act> = Vec::new();
    for link in &service.links {
        let Some(event) = host.events.get(link.event) else { continue };
        let found = match (link.role, &event.action) {
            (Role::Install, Action::ServiceInstalled(_)) => {
                let actor = service.actor_of(link.event);
                let by = actor.map(|actor| actor.subject.clone()).unwrap_or_default();
                let address = actor.and_then(|actor| actor.address());
                act(link.event, Deed::Installed, by, address)
            }
            (Role::StartTypeChange, Action::StartTypeChanged { .. }) => {
                act(link.event, Deed::Start, of_user(event), None)
            }
            (Role::RegistryChange, Action::RegistryChanged(change)) => {
                Deed::of_change(change).and_then(|deed| act(link.event, deed, writer(change), None))
            }
            (Role::ObjectAccess, Action::PermissionsChanged { subject, .. }) => {
                act(link.event, Deed::Security, subject.clone(), None)
            }
            _ => None,
        };
        acts.extend(found);
    }
    for SeenCommand { event: at, command, .. } in &service.commands {
        let Some(event) = host.events.get(*at).filter(|_| command.remote.is_none()) else {
            continue;
        };
        let by = match &event.action {
            Action::ProcessStarted(process) => process.subject.clone(),
            _ => of_user(event),
        };
        acts.extend(Deed::of_command(command).and_then(|deed| act(*at, deed, by, None)));
    }
    acts.sort_by_key(|act| (act.time, act.deed));
    acts
}

fn of_user(event: &Event) -> Subject {
    Subject { sid: event.user_sid.clone(), ..Subject::default() }
}

/// Who wrote; nobody is known where services.exe did, which writes for whoever called it.
fn writer(change: &RegistryChange) -> Subject {
    if leaf(&change.image).eq_ignore_ascii_case("services.exe") {
        Subject::default()
    } else {
        change.subject.clone()
    }
}

/// Records of one act as one; what an install writes is part of the install.
fn merged(acts: Vec<Act>) -> Vec<Act> {
    let installs: Vec<Timestamp> =
        acts.iter().filter(|act| act.deed == Deed::Installed).map(|act| act.time).collect();
    let mut merged: Vec<Act> = Vec::new();
    let mut last: BTreeMap<Deed, usize> = BTreeMap::new();
    for mut act in acts {
        if !matches!(act.deed, Deed::Installed | Deed::Deleted) && is_near(&installs, act.time) {
            act.deed = Deed::Installed;
        }
        let open = last.get(&act.deed).and_then(|at| merged.get_mut(*at));
        if let Some(open) = open.filter(|open| distance(open.time, act.time) <= SAME_ACT) {
            open.events.append(&mut act.events);
            open.by = known_better(std::mem::take(&mut open.by), act.by);
            open.address = open.address.take().or(act.address);
            continue;
        }
        last.insert(act.deed, merged.len());
        merged.push(act);
    }
    merged
}

/// Whether any of these times, which are in order, is that near.
fn is_near(times: &[Timestamp], time: Timestamp) -> bool {
    let after = times.partition_point(|one| *one < time);
    let before = after.checked_sub(1).and_then(|last| times.get(last));
    before.into_iter().chain(times.get(after)).any(|one| distance(*one, time) <= SAME_ACT)
}

/// Of two statements on who did one act, the one that says more.
fn known_better(one: Subject, other: Subject) -> Subject {
    let rank = |subject: &Subject| {
        (subject.sid.is_some(), subject.logon_id.is_some(), subject.name.is_some())
    };
    if rank(&other) > rank(&one) { other } else { one }
}

/// The acts of which somebody is known; one without a name is whose the nearest other act on the service was.
fn signed(acts: Vec<Act>) -> Vec<Act> {
    let known: Vec<(Timestamp, Subject, Option<String>)> = acts
        .iter()
        .filter(|act| act.is_signed())
        .map(|act| (act.time, act.by.clone(), act.address.clone()))
        .collect();
    let whose = |time: Timestamp| {
        let after = known.partition_point(|(one, ..)| *one < time);
        let before = after.checked_sub(1).and_then(|last| known.get(last));
        let near = before.into_iter().chain(known.get(after));
        near.min_by_key(|(one, ..)| distance(*one, time))
            .filter(|(one, ..)| distance(*one, time) <= SAME_ACT)
    };
    let sign = |mut act: Act| {
        if !act.is_signed() {
            let (_, by, address) = whose(act.time)?;
            act.by = by.clone();
            act.address.clone_from(address);
        }
        Some(act)
    };
    acts.into_iter().filter_map(sign).collect()
}
