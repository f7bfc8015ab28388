//! Which approval of the analyst's policy covers the creation or change of a service.

use jiff::Timestamp;

use super::policy::{Approval, Change};
use super::story::{commands_before, installs};
use super::{Policy, Scope};
use crate::host::event::{Action, Event};
use crate::host::service::Actor;
use crate::host::{Citation, Role};

/// A creation or change of a service that the policy is asked about.
#[derive(Clone, Copy)]
pub(super) struct Made<'a> {
    /// When; for a service without events the last write of its key.
    pub(super) time: Option<Timestamp>,
    /// Who.
    pub(super) actor: Option<&'a Actor>,
    /// SID of whoever changed a start type, where that is the event.
    pub(super) sid: Option<&'a str>,
    /// The event.
    pub(super) event: Option<&'a Event>,
}

/// What events say was made: every install, and start types changed by users (Windows changes its own).
pub(super) fn made<'a>(scope: &Scope<'a>) -> Vec<Made<'a>> {
    let mut made: Vec<Made<'a>> = installs(scope)
        .map(|one| Made {
            time: Some(one.event.time),
            actor: one.actor,
            sid: None,
            event: Some(one.event),
        })
        .collect();
    made.extend(scope.events(Role::StartTypeChange).filter_map(|event| {
        let sid = event.user_sid.as_deref().filter(|sid| is_user(sid))?;
        Some(Made { time: Some(event.time), actor: None, sid: Some(sid), event: Some(event) })
    }));
    made.sort_by_key(|one| one.time);
    made
}

/// Whether a SID is that of a person's or a service's account rather than of Windows itself.
pub(super) fn is_user(sid: &str) -> bool {
    sid.starts_with("S-1-5-21-") || sid.starts_with("S-1-12-1-")
}

impl<'a> Made<'a> {
    /// The event, else the key.
    pub(super) fn citation(&self, scope: &Scope<'_>) -> Option<Citation> {
        match self.event {
            Some(event) => Some(event.citation.clone()),
            None => scope.config().map(|config| config.citation.clone()),
        }
    }

    /// The approved change that covers it.
    pub(super) fn ticket<'p>(&self, scope: &Scope<'_>, policy: &'p Policy) -> Option<&'p Approval> {
        self.asked(scope, |change| policy.change(change))
    }

    /// The approved account or deployment tool behind it.
    pub(super) fn approved_actor<'p>(
        &self,
        scope: &Scope<'_>,
        policy: &'p Policy,
    ) -> Option<&'p Approval> {
        let account = self.asked(scope, |change| policy.account(change));
        account.or_else(|| {
            let mut programs: Vec<String> = Vec::new();
            programs.extend(scope.service.image.as_ref().map(|image| image.normalized.clone()));
            programs.extend(self.callers(scope));
            let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
            policy.tool(&programs, self.time)
        })
    }

    /// The programs whose command made it, and their parents, within a minute before.
    fn callers(&self, scope: &Scope<'a>) -> Vec<String> {
        let Some(time) = self.time else { return Vec::new() };
        let limit = jiff::SignedDuration::from_mins(1);
        commands_before(scope, time, limit)
            .filter_map(|(event, _)| match &event.action {
                Action::ProcessStarted(process) => Some(process),
                _ => None,
            })
            .flat_map(|process| {
                std::iter::once(process.image.clone()).chain(process.parent_image.clone())
            })
            .collect()
    }

    fn asked<T>(&self, scope: &Scope<'_>, ask: impl FnOnce(&Change<'_>) -> T) -> T {
        let service = scope.service;
        let mut names = vec![service.name.as_str()];
        names.extend(service.display_name.as_deref());
        let mut paths = Vec::new();
        if let Some(image) = &service.image {
            paths.extend([image.normalized.as_str(), image.expanded.as_str(), image.raw.as_str()]);
        }
        let mut actors = Vec::new();
        if let Some(actor) = self.actor {
            actors.extend(actor.subject.sid.as_deref());
            actors.extend(actor.subject.name.as_deref());
        }
        actors.extend(self.sid);
        let sha256 = scope.memory.sha256.get_or_init(|| hash(scope));
        ask(&Change {
            names: &names,
            paths: &paths,
            sha256: sha256.as_deref(),
            actors: &actors,
            time: self.time,
        })
    }
}

/// SHA-256 of the program, where Sysmon logged its start or load.
fn hash(scope: &Scope<'_>) -> Option<String> {
    let logged = scope.events(Role::Process).chain(scope.events(Role::DriverLoad));
    logged.last().and_then(|event| {
        let hashes = match &event.action {
            Action::ProcessStarted(process) => process.hashes.as_deref()?,
            Action::DriverLoaded { hashes, .. } => hashes,
            _ => return None,
        };
        hashes.split(',').find_map(|hash| hash.trim().strip_prefix("SHA256=")).map(str::to_owned)
    })
}
