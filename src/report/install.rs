//! An install event in the report: when, by whom, from where.

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::event_summary::subject_name;
use crate::host::event::{Action, Subject};
use crate::host::{Citation, Event, Host, Role, Service};

/// One install event.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// When.
    pub time: Stamp,
    /// The account that did it, by name where a log tells it.
    pub actor: Option<String>,
    /// Its SID.
    pub actor_sid: Option<String>,
    /// The logon type of the session it came from.
    pub logon_type: Option<u32>,
    /// The source address of that session: of its logon, else of its share accesses.
    pub source_address: Option<String>,
    /// The source workstation of that session.
    pub source_workstation: Option<String>,
    /// The command as logged.
    pub image_path: String,
    /// The account as logged; empty for drivers.
    pub account: String,
    /// The install event.
    pub citation: Citation,
    /// The logon event.
    pub logon_citation: Option<Citation>,
}

impl Install {
    /// Who, as one phrase; absent where no log tells.
    pub fn who(&self) -> Option<String> {
        subject_name(&Subject {
            sid: self.actor_sid.clone(),
            name: self.actor.clone(),
            logon_id: None,
        })
    }
}

/// The install events of a service, in order of time.
pub(super) fn installs(host: &Host, service: &Service) -> Vec<Install> {
    let events = service.indexed_events(Role::Install, &host.events);
    let install = |(at, event): (usize, &Event)| {
        let Action::ServiceInstalled(install) = &event.action else { return None };
        let actor = service.actor_of(at);
        let fallback = Subject { sid: event.user_sid.clone(), ..install.subject.clone() };
        let subject = actor.map_or(&fallback, |actor| &actor.subject);
        let logon = actor.and_then(|actor| actor.logon.as_ref());
        Some(Install {
            time: Stamp(event.time),
            actor: subject.name.clone(),
            actor_sid: subject.sid.clone(),
            logon_type: logon.and_then(|logon| logon.logon_type),
            source_address: actor.and_then(|actor| actor.address().map(str::to_owned)),
            source_workstation: logon.and_then(|logon| logon.workstation.clone()),
            image_path: install.image_path.clone(),
            account: install.account.clone(),
            citation: event.citation.clone(),
            logon_citation: actor.and_then(|actor| actor.logon_citation.clone()),
        })
    };
    events.filter_map(install).collect()
}
