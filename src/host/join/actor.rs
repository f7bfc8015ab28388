//! Who installed a service: SID and logon session, and the logon they came from.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::roster::Roster;
use crate::host::event::{Action, Event, LogonKind, Subject};
use crate::host::service::{Actor, Role};

/// A log cleared this close to an install or change belongs to its story.
const CLEARED_NEARBY: SignedDuration = SignedDuration::from_mins(15);
/// A logon this long before an install can be the installer's session when only the SID is known.
const SESSION: SignedDuration = SignedDuration::from_hours(12);

/// Logons, shares and cleared logs, looked up by session, SID and time.
struct Surroundings<'a> {
    events: &'a [Event],
    /// SID → name, from any event that gives both.
    names: BTreeMap<&'a str, &'a str>,
    by_session: BTreeMap<(&'a str, u64), Vec<usize>>,
    by_sid: BTreeMap<(&'a str, &'a str), Vec<usize>>,
    shares: Vec<usize>,
    cleared: Vec<usize>,
}

/// Gives every install its actor and links the actor's logons, share accesses and cleared logs nearby.
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
            let (actor, logon) = around.actor(*at, event);
            found.extend(logon.map(|logon| (Role::ActorLogon, logon)));
            found.extend(
                around
                    .shares(event, &actor.subject, window)
                    .map(|share| (Role::ShareAccess, share)),
            );
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
        for (role, event) in found {
            service.links.push(crate::host::service::Link { role, event });
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
                Action::Logon(logon) if logon.kind == LogonKind::Success => {
                    if let Some(id) = logon.account.logon_id {
                        around.by_session.entry((computer, id)).or_default().push(at);
                    }
                    if let Some(sid) = &logon.account.sid {
                        around.by_sid.entry((computer, sid)).or_default().push(at);
                    }
                }
                Action::ShareAccessed { .. } => around.shares.push(at),
                Action::LogCleared { .. } | Action::LoggingStopped => around.cleared.push(at),
                _ => {}
            }
        }
        around
    }

    /// Who an install event (at that index) says did it, and the logon event of that session.
    fn actor(&self, at: usize, event: &Event) -> (Actor, Option<usize>) {
        let mut subject = match &event.action {
            Action::ServiceInstalled(install) => install.subject.clone(),
            _ => Subject::default(),
        };
        if subject.sid.is_none() {
            subject.sid.clone_from(&event.user_sid);
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
        };
        (actor, logon)
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
            let Action::ShareAccessed { share: name, target, subject, .. } = &share.action else {
                return false;
            };
            let relevant =
                target.eq_ignore_ascii_case("svcctl") || name.to_uppercase().contains('$');
            let same = match (session, subject.logon_id) {
                (Some(left), Some(right)) => left == right,
                _ => sid.is_some() && sid == subject.sid,
            };
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
