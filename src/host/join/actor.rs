//! Who installed a service: SID and logon session, the logon they came from, and the process that asked for it; and
//! the account that the service itself logs on with.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::roster::Roster;
use crate::host::event::{Action, Event, Logon, LogonKind, Subject};
use crate::host::service::{Actor, Link, Role, Service};
use crate::text;

/// A log cleared this close to an install or change belongs to its story.
const CLEARED_NEARBY: SignedDuration = SignedDuration::from_mins(15);
/// A logon this long before an install can be the installer's session when only the SID is known.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// 7045 and 4697 log one install within this time of each other.
const SAME_INSTALL: SignedDuration = SignedDuration::from_secs(5);
/// A logon of the service's own account this close to something that the service did belongs to it.
const LOGON_NEARBY: SignedDuration = SignedDuration::from_secs(10);
/// The rights to write or append data to a file.
const WRITES: u32 = 0x6;
/// The logon type of services.
const SERVICE_LOGON: u32 = 5;

/// Logons, processes, shares and cleared logs, looked up by session, account and time.
struct Surroundings<'a> {
    events: &'a [Event],
    /// SID → name, from any event that gives both.
    names: BTreeMap<&'a str, &'a str>,
    by_session: BTreeMap<(&'a str, u64), Vec<usize>>,
    by_sid: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    /// Special privileges by session.
    privileged: BTreeMap<(&'a str, u64), Vec<usize>>,
    /// Explicit credentials by folded account name without its domain.
    explicit: BTreeMap<(&'a str, String), Vec<usize>>,
    /// Logons of services, done or refused, by folded account name without its domain.
    service_logons: BTreeMap<String, Vec<usize>>,
    processes: BTreeMap<(&'a str, u32), Vec<usize>>,
    shares: Vec<usize>,
    cleared: Vec<usize>,
}

/// Gives every install its actor and links the actor's logons, processes, share accesses and cleared logs nearby.
pub(super) fn attribute(roster: &mut Roster, events: &[Event], window: SignedDuration) {
    let around = Surroundings::of(events);
    for service in roster.iter_mut() {
        let installs: BTreeSet<usize> = service
            .links
            .iter()
            .filter(|link| link.role == Role::Install)
            .map(|link| link.event)
            .collect();
        let mut found = Vec::new();
        for at in &installs {
            let Some(event) = events.get(*at) else { continue };
            let (mut actor, logon) = around.actor(*at, event, &installs);
            let shares: Vec<usize> = around.shares(event, &actor.subject, window).collect();
            actor.share_address = around.share_address(&shares, actor.subject.logon_id);
            found.extend(logon.map(|logon| (Role::ActorLogon, logon)));
            let others = around.sessions_of(&shares, event);
            found.extend(others.into_iter().map(|logon| (Role::ActorLogon, logon)));
            let also = around.credentials(event, &actor.subject, window);
            found.extend(also.into_iter().map(|logon| (Role::ActorLogon, logon)));
            found.extend(shares.into_iter().map(|share| (Role::ShareAccess, share)));
            found.extend(around.installer(event).map(|process| (Role::Installer, process)));
            service.actors.push(actor);
        }
        let changes: Vec<usize> = service
            .links
            .iter()
            .filter(|link| {
                matches!(link.role, Role::Install | Role::RegistryChange | Role::Command)
            })
            .map(|link| link.event)
            .collect();
        found.extend(around.cleared_near(&changes).map(|cleared| (Role::LogCleared, cleared)));
        found.extend(around.writers(service).map(|process| (Role::Installer, process)));
        found.extend(around.own_logons(service).map(|logon| (Role::ServiceLogon, logon)));
        for (role, event) in found {
            service.links.push(Link { role, event });
        }
    }
}

impl<'a> Surroundings<'a> {
    fn of(events: &'a [Event]) -> Self {
        let mut around = Self {
            events,
            names: BTreeMap::new(),
            by_session: BTreeMap::new(),
            by_sid: BTreeMap::new(),
            privileged: BTreeMap::new(),
            explicit: BTreeMap::new(),
            service_logons: BTreeMap::new(),
            processes: BTreeMap::new(),
            shares: Vec::new(),
            cleared: Vec::new(),
        };
        for (at, event) in events.iter().enumerate() {
            if let Some(subject) = subject(&event.action)
                && let (Some(sid), Some(name)) = (&subject.sid, &subject.name)
            {
                around.names.entry(sid).or_insert(name);
            }
            let computer = event.computer.as_str();
            match &event.action {
                Action::Logon(logon) => around.add_logon(at, computer, logon),
                Action::ProcessStarted(process) => {
                    if let Some(id) = process.process_id {
                        around.processes.entry((computer, id)).or_default().push(at);
                    }
                }
                Action::ShareAccessed { .. } => around.shares.push(at),
                Action::LogCleared { .. } | Action::LoggingStopped => around.cleared.push(at),
                _ => {}
            }
        }
        around
    }

    fn add_logon(&mut self, at: usize, computer: &'a str, logon: &'a Logon) {
        let session = logon.account.logon_id.map(|id| (computer, id));
        let name = logon.account.name.as_deref().map(bare_name);
        if logon.logon_type == Some(SERVICE_LOGON)
            && matches!(logon.kind, LogonKind::Success | LogonKind::Failure)
        {
            if let Some(name) = name {
                self.service_logons.entry(name).or_default().push(at);
            }
            return;
        }
        match logon.kind {
            LogonKind::Success => {
                if let Some(session) = session {
                    self.by_session.entry(session).or_default().push(at);
                }
                if let Some(sid) = &logon.account.sid {
                    self.by_sid.entry((computer, sid)).or_default().push(at);
                }
            }
            LogonKind::Privileged => {
                if let Some(session) = session {
                    self.privileged.entry(session).or_default().push(at);
                }
            }
            LogonKind::Explicit => {
                if let Some(name) = name {
                    self.explicit.entry((computer, name)).or_default().push(at);
                }
            }
            LogonKind::Failure => {}
        }
    }

    /// Who an install event (at that index) says did it, and the logon event of that session. Other records of the
    /// same install may know the session.
    fn actor(
        &self,
        at: usize,
        event: &Event,
        installs: &BTreeSet<usize>,
    ) -> (Actor, Option<usize>) {
        let mut subject = match &event.action {
            Action::ServiceInstalled(install) => install.subject.clone(),
            _ => Subject::default(),
        };
        if subject.sid.is_none() {
            subject.sid.clone_from(&event.user_sid);
        }
        if subject.logon_id.is_none() {
            subject.logon_id = self.session_of_twin(event, &subject, installs);
        }
        if subject.name.is_none()
            && let Some(sid) = &subject.sid
        {
            subject.name = self
                .names
                .get(sid.as_str())
                .map(|name| (*name).to_owned())
                .or_else(|| well_known(sid).map(str::to_owned));
        }
        let computer = event.computer.as_str();
        let session = subject.logon_id.and_then(|id| self.by_session.get(&(computer, id)));
        let logon = match session {
            Some(logons) => self.last_before(logons, event, None),
            None => subject
                .sid
                .as_deref()
                .filter(|sid| well_known(sid).is_none())
                .and_then(|sid| self.by_sid.get(&(computer, sid)))
                .and_then(|logons| self.last_before(logons, event, Some(SESSION))),
        };
        let record = logon.and_then(|at| self.events.get(at));
        let actor = Actor {
            event: at,
            subject,
            logon: record.and_then(|record| match &record.action {
                Action::Logon(logon) => Some(logon.clone()),
                _ => None,
            }),
            logon_citation: record.map(|record| record.citation.clone()),
            share_address: None,
        };
        (actor, logon)
    }

    /// The session that another record of the same install names: 7045 has a SID only, 4697 has both.
    fn session_of_twin(
        &self,
        event: &Event,
        subject: &Subject,
        installs: &BTreeSet<usize>,
    ) -> Option<u64> {
        installs.iter().filter_map(|at| self.events.get(*at)).find_map(|other| {
            let Action::ServiceInstalled(install) = &other.action else { return None };
            let same = crate::time::distance(other.time, event.time) <= SAME_INSTALL
                && subject.sid.is_some()
                && install.subject.sid == subject.sid
                && other.computer == event.computer;
            install.subject.logon_id.filter(|_| same)
        })
    }

    /// The privileges that the session was given, and explicit credentials used for the account not long before.
    fn credentials(&self, event: &Event, actor: &Subject, window: SignedDuration) -> Vec<usize> {
        let computer = event.computer.as_str();
        let session = actor.logon_id.and_then(|id| self.privileged.get(&(computer, id)));
        let mut found: Vec<usize> =
            session.and_then(|events| self.last_before(events, event, None)).into_iter().collect();
        if let Some(name) = &actor.name
            && actor.sid.as_deref().is_none_or(|sid| well_known(sid).is_none())
            && let Some(explicit) = self.explicit.get(&(computer, bare_name(name)))
        {
            found.extend(self.last_before(explicit, event, Some(window)));
        }
        found
    }

    /// The logons of the sessions in which shares were accessed.
    fn sessions_of(&self, shares: &[usize], install: &Event) -> BTreeSet<usize> {
        let computer = install.computer.as_str();
        let sessions: BTreeSet<u64> = shares
            .iter()
            .filter_map(|at| match &self.events.get(*at)?.action {
                Action::ShareAccessed { subject, .. } => subject.logon_id,
                _ => None,
            })
            .collect();
        sessions
            .into_iter()
            .filter_map(|id| self.by_session.get(&(computer, id)))
            .filter_map(|logons| self.last_before(logons, install, None))
            .collect()
    }

    /// The creation of the process that 4697 names as the client.
    fn installer(&self, event: &Event) -> Option<usize> {
        let Action::ServiceInstalled(install) = &event.action else { return None };
        let id = install.client_process_id.filter(|id| *id != 0)?;
        self.last_before(self.processes.get(&(event.computer.as_str(), id))?, event, None)
    }

    /// The creations of the processes that wrote the service's program, its own processes aside.
    fn writers(&self, service: &Service) -> impl Iterator<Item = usize> {
        let own: BTreeSet<usize> = service
            .links
            .iter()
            .filter(|link| matches!(link.role, Role::Process | Role::ChildProcess))
            .map(|link| link.event)
            .collect();
        let mut writers = BTreeSet::new();
        for link in service.links.iter().filter(|link| link.role == Role::FileCreation) {
            let Some(event) = self.events.get(link.event) else { continue };
            let Action::FileCreated { process_id: Some(id), image, .. } = &event.action else {
                continue;
            };
            let starts = self.processes.get(&(event.computer.as_str(), *id));
            let start = starts.and_then(|starts| self.last_before(starts, event, None));
            writers.extend(start.filter(|start| self.ran(*start, image)));
        }
        writers.into_iter().filter(move |start| !own.contains(start))
    }

    /// Whether the creation of a process (at that index) is that of this program.
    fn ran(&self, start: usize, image: &str) -> bool {
        self.events.get(start).is_some_and(|event| match &event.action {
            Action::ProcessStarted(process) => text::same_name(&process.image, image),
            _ => false,
        })
    }

    /// The client's address in share accesses; those of the very session first.
    fn share_address(&self, shares: &[usize], session: Option<u64>) -> Option<String> {
        let accesses = || {
            shares.iter().filter_map(|at| match &self.events.get(*at)?.action {
                Action::ShareAccessed { address, subject, .. } => {
                    Some((address.as_ref()?, subject.logon_id))
                }
                _ => None,
            })
        };
        let own = accesses().find(|(_, id)| id.is_some() && *id == session);
        own.or_else(|| accesses().next()).map(|(address, _)| address.clone())
    }

    /// Logons of the service's own account, where it has one, close to something that the service did.
    fn own_logons(&self, service: &Service) -> impl Iterator<Item = usize> {
        let mut accounts: BTreeSet<String> = BTreeSet::new();
        let configured = service.config.as_ref().and_then(|config| config.object_name.as_ref());
        accounts.extend(configured.map(|account| bare_name(account)));
        let mut acts: BTreeSet<Timestamp> = BTreeSet::new();
        for link in &service.links {
            let Some(event) = self.events.get(link.event) else { continue };
            match &event.action {
                Action::ServiceInstalled(install) => {
                    accounts.insert(bare_name(&install.account));
                }
                Action::LogonRefused { account: Some(account), .. } => {
                    accounts.insert(bare_name(account));
                }
                _ => {}
            }
            if matches!(
                link.role,
                Role::Install | Role::Process | Role::StateChange | Role::Failure | Role::Command
            ) {
                acts.insert(event.time);
            }
        }
        for shared in [
            "",
            "localsystem",
            "system",
            "localservice",
            "networkservice",
            "local service",
            "network service",
        ] {
            accounts.remove(&text::fold(shared));
        }
        let logons: Vec<usize> = accounts
            .iter()
            .filter_map(|account| self.service_logons.get(account))
            .flatten()
            .copied()
            .collect();
        logons.into_iter().filter(move |at| {
            let Some(time) = self.events.get(*at).map(|logon| logon.time) else { return false };
            let (from, to) = (time.saturating_sub(LOGON_NEARBY), time.saturating_add(LOGON_NEARBY));
            let (Ok(from), Ok(to)) = (from, to) else { return false };
            acts.range(from..=to).next().is_some()
        })
    }

    /// The last of these events not after `event` (one second of slack: logs race) and not too long before.
    fn last_before(
        &self,
        candidates: &[usize],
        event: &Event,
        at_most: Option<SignedDuration>,
    ) -> Option<usize> {
        candidates.iter().rev().copied().find(|at| {
            self.events.get(*at).is_some_and(|candidate| {
                let age = event.time.duration_since(candidate.time);
                age >= SignedDuration::from_secs(-1) && at_most.is_none_or(|longest| age <= longest)
            })
        })
    }

    /// Accesses to the service control manager's pipe or an administrative share by the same session, or the
    /// same account within the window.
    fn shares(
        &self,
        event: &'a Event,
        actor: &Subject,
        window: SignedDuration,
    ) -> impl Iterator<Item = usize> + use<'_, 'a> {
        let (sid, session) = (actor.sid.clone(), actor.logon_id);
        // Events are in order of time, so only those inside the window are looked at.
        let from = self.shares.partition_point(|at| {
            self.events.get(*at).is_some_and(|share| event.time.duration_since(share.time) > window)
        });
        let nearby = self.shares.get(from..).unwrap_or_default().iter().copied();
        let nearby = nearby.take_while(move |at| {
            self.events
                .get(*at)
                .is_some_and(|share| share.time.duration_since(event.time) <= window)
        });
        nearby.filter(move |at| {
            let Some(share) = self.events.get(*at) else { return false };
            let Action::ShareAccessed { share: name, target, subject, access, .. } = &share.action
            else {
                return false;
            };
            // One client opens several sessions at once, and need not install with the one it wrote the program in.
            let is_work = target.eq_ignore_ascii_case("svcctl")
                || access.is_some_and(|mask| mask & WRITES != 0);
            let relevant = is_work || name.contains('$');
            let same_session = session.is_some() && session == subject.logon_id;
            let same_account = sid.is_some() && sid == subject.sid;
            let unknown = session.is_none() || subject.logon_id.is_none();
            let same = same_session || same_account && (is_work || unknown);
            relevant && same && share.computer == event.computer
        })
    }

    fn cleared_near(&self, changes: &[usize]) -> impl Iterator<Item = usize> {
        let times: Vec<_> =
            changes.iter().filter_map(|at| self.events.get(*at)).map(|event| event.time).collect();
        self.cleared.iter().copied().filter(move |at| {
            self.events.get(*at).is_some_and(|cleared| {
                times
                    .iter()
                    .any(|time| crate::time::distance(*time, cleared.time) <= CLEARED_NEARBY)
            })
        })
    }
}

/// An account's name without its domain, folded.
fn bare_name(account: &str) -> String {
    let name = account.rsplit('\\').next().unwrap_or(account);
    text::fold(name.split('@').next().unwrap_or(name))
}

fn subject(action: &Action) -> Option<&Subject> {
    match action {
        Action::ServiceInstalled(install) => Some(&install.subject),
        Action::Logon(logon) => Some(&logon.account),
        Action::ProcessStarted(process) => Some(&process.subject),
        Action::LogCleared { subject, .. }
        | Action::ObjectAccessed { subject, .. }
        | Action::PermissionsChanged { subject, .. }
        | Action::ShareAccessed { subject, .. } => Some(subject),
        Action::RegistryChanged(change) => Some(&change.subject),
        _ => None,
    }
}

/// The accounts every Windows has: their logons say nothing about an installer.
fn well_known(sid: &str) -> Option<&'static str> {
    match sid {
        "S-1-5-18" => Some(r"NT AUTHORITY\SYSTEM"),
        "S-1-5-19" => Some(r"NT AUTHORITY\LOCAL SERVICE"),
        "S-1-5-20" => Some(r"NT AUTHORITY\NETWORK SERVICE"),
        _ => None,
    }
}
