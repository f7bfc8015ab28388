//! Question 3: who created or changed it, when, and is there a change ticket?

use std::collections::BTreeSet;

use super::{ChecklistAnswer, Draft, silence, window};
use crate::checklist::Question;
use crate::host::coverage::{Origin, State};
use crate::host::event::Logon;
use crate::host::service::Difference;
use crate::host::{Host, Role, Service};
use crate::rank::{Finding, Ranked};
use crate::report::event_summary::{self, logon_type_word, subject_name};
use crate::{text, time};

/// Changes listed one by one; further ones are counted, and all stand among the service's events.
const CHANGES_SHOWN: usize = 5;

pub(super) fn answer(host: &Host, ranked: &Ranked<'_>) -> ChecklistAnswer {
    let service = ranked.service;
    let mut draft = Draft::new(Question::WhoWhen);
    let installs = installs(host, service, &mut draft);
    if installs == 0 {
        uninstalled(host, service, &mut draft);
    }
    older(host, service, &mut draft);
    changes(host, service, &mut draft);
    differences(service, &mut draft);
    ticket(host, ranked, &mut draft);
    draft.finish()
}

/// The install events; returns how many there are.
fn installs(host: &Host, service: &Service, draft: &mut Draft) -> usize {
    let mut count = 0_usize;
    for (at, event) in service.indexed_events(Role::Install, &host.events) {
        count = count.saturating_add(1);
        let actor = service.actor_of(at);
        let who = actor.and_then(|actor| subject_name(&actor.subject));
        let who = who.or_else(|| event.user_sid.clone());
        let logon = actor.and_then(|actor| actor.logon.as_ref());
        let when = time::format_short(event.time);
        let by = who.as_ref().map(|who| format!(" by {who}")).unwrap_or_default();
        let text = format!("Installed {when}{by}{}.", logon.map(session).unwrap_or_default());
        let logon_citation = actor.and_then(|actor| actor.logon_citation.clone());
        draft.fact(text, [event.citation.clone()].into_iter().chain(logon_citation));
        if who.is_none() {
            draft.missing("Who installed it: the event names no account");
        }
        if logon.is_none() {
            let why = silence(&host.coverage, Origin::SecurityLog)
                .unwrap_or_else(|| "no logon of that session is in the Security log".to_owned());
            draft.missing(format!("From where it was installed: {why}"));
        }
    }
    count
}

/// `, in a session from 10.1.2.3 (network, logon type 3)`.
fn session(logon: &Logon) -> String {
    let kind = logon.logon_type.map(logon_type_word);
    let from = logon.address.as_ref().or(logon.workstation.as_ref());
    match (from, kind) {
        (Some(from), Some(kind)) => format!(", in a session from {from} ({kind})"),
        (Some(from), None) => format!(", in a session from {from}"),
        (None, Some(kind)) => format!(", in a local session ({kind})"),
        (None, None) => String::new(),
    }
}

/// No install event: the key's last write is the next best, and why the logs say nothing.
fn uninstalled(host: &Host, service: &Service, draft: &mut Draft) {
    if let Some(config) = &service.config
        && let Some(written) = config.last_write
    {
        let text = format!(
            "Its key was last written {}; that is a change, not the creation, and updates of Windows \
             rewrite keys.",
            time::format_short(written)
        );
        draft.fact(text, [config.citation.clone()]);
    }
    let mut silent = true;
    for (origin, event) in [(Origin::SystemLog, 7045), (Origin::SecurityLog, 4697)] {
        match (silence(&host.coverage, origin), window(&host.coverage, origin)) {
            (Some(why), _) => draft.missing(format!("Its installation (event {event}): {why}")),
            (None, Some(window)) if silent => {
                silent = false;
                draft.missing(format!(
                    "Its installation: no install event in the {}, which covers {window}",
                    origin.label()
                ));
            }
            (None, _) => {}
        }
    }
}

/// Changes of the start type and of the key, commands that name it, and logs cleared close by.
fn changes(host: &Host, service: &Service, draft: &mut Draft) {
    let roles = [Role::StartTypeChange, Role::RegistryChange, Role::Command, Role::LogCleared];
    let mut changes: Vec<_> =
        roles.into_iter().flat_map(|role| service.events(role, &host.events)).collect();
    changes.sort_by(|left, right| (left.time, &left.citation).cmp(&(right.time, &right.citation)));
    changes.dedup();
    for event in changes.iter().take(CHANGES_SHOWN) {
        let text =
            format!("{}: {}.", time::format_short(event.time), event_summary::summary(event));
        draft.fact(text, [event.citation.clone()]);
    }
    let more = changes.len().saturating_sub(CHANGES_SHOWN);
    if more > 0 {
        draft.fact(format!("{more} further changes stand among its events."), None);
    }
    draft.needs(host, Origin::RegistryEvents, "Who wrote its key");
}

/// What older states of the registry say of when its key came and went.
fn older(host: &Host, service: &Service, draft: &mut Draft) {
    for passage in service.passages.iter().take(CHANGES_SHOWN) {
        draft.fact(passage.sentence(&host.older_states), passage.citations.iter().cloned());
    }
    let more = service.passages.len().saturating_sub(CHANGES_SHOWN);
    if more > 0 {
        draft.fact(format!("{more} further times its key came or went."), None);
    }
    let oldest = service.presence.first().filter(|_| service.passages.is_empty());
    if let Some(oldest) = oldest
        && let (Some(key), Some(state)) = (&oldest.key, host.older_states.get(oldest.state))
    {
        let text = format!("Already there in {}: it is at least that old.", state.dated());
        draft.fact(text, [key.clone()]);
    }
}

/// Values that decide what runs, how and as whom; what differs in them is told first.
const TELLING: [&str; 9] = [
    "ImagePath",
    "Parameters\\ServiceDll",
    "ServiceDll",
    "FailureCommand",
    "FailureActions",
    "ObjectName",
    "Start",
    "Type",
    "RequiredPrivileges",
];

/// What differs from other states, each change once: the states are in order, the newest first.
fn differences(service: &Service, draft: &mut Draft) {
    let mut told: BTreeSet<(String, Option<&str>)> = BTreeSet::new();
    let gone = service.passages.iter().any(|passage| !passage.came);
    let mut differences: Vec<&Difference> = service
        .differences
        .iter()
        .filter(|one| !(gone && one.is_change && one.field.is_empty()))
        .filter(|one| {
            !one.is_change || told.insert((text::fold(&one.field), one.before.as_deref()))
        })
        .collect();
    differences.sort_by_key(|one| {
        let at = TELLING.iter().position(|name| text::same_name(name, &one.field));
        at.unwrap_or(TELLING.len())
    });
    for difference in differences.iter().take(CHANGES_SHOWN) {
        let citations = difference.citation.iter().chain(&difference.now_citation).cloned();
        draft.fact(difference.sentence(), citations);
    }
    let more = differences.len().saturating_sub(CHANGES_SHOWN);
    if more > 0 {
        draft.fact(format!("{more} further differences stand in its history."), None);
    }
}

/// What the list of approved changes says.
fn ticket(host: &Host, ranked: &Ranked<'_>, draft: &mut Draft) {
    let asks_policy = |finding: &&Finding| {
        finding.indicator.needs.iter().any(|need| need.origins().contains(&Origin::ChangePolicy))
    };
    let mut said = false;
    for finding in ranked.against.iter().chain(&ranked.findings).filter(asks_policy) {
        said = true;
        draft.fact(finding.hit.because.clone(), finding.hit.citations.iter().cloned());
    }
    match host.coverage.state(Origin::ChangePolicy) {
        State::Absent => {
            draft.missing("A change ticket: no list of approved changes was given (--approved)");
        }
        State::Lost => draft.missing("A change ticket: the list of approved changes is unreadable"),
        State::Complete | State::Partial if !said => {
            draft.fact("The list of approved changes has no ticket for it.", None);
        }
        State::Complete | State::Partial => {}
    }
}
