//! Bursts of installs, told as one.

use std::collections::BTreeSet;

use jiff::SignedDuration;

use super::{Gravity, Incident, IncidentKind, agreed, cited, plural, who};
use crate::host::bursts::{Act, Burst};
use crate::host::event::{Action, RegistryOperation};
use crate::host::service::Actor;
use crate::host::{Event, Host, ImagePath, Origin, Role, Service, State};
use crate::text::same_name;
use crate::time::format_short;

/// A start that fails this soon after the install belongs to it: the service control manager waits 30 seconds, and
/// starts in a row wait for each other.
const FAILS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    host.bursts.all().iter().filter_map(|burst| incident(host, burst)).collect()
}

fn incident(host: &Host, burst: &Burst) -> Option<Incident> {
    let acts: Vec<(&Act, &Service, &Event)> = burst
        .acts
        .iter()
        .filter_map(|act| Some((act, host.services.get(act.service)?, host.events.get(act.event)?)))
        .collect();
    let actors = || acts.iter().filter_map(|(act, service, _)| service.actor_of(act.event));
    let actor = agreed(actors().map(|actor| &actor.subject));
    let addresses: BTreeSet<&str> = actors().filter_map(Actor::address).collect();
    let mut addresses = addresses.into_iter();
    let address = match (addresses.next(), addresses.next()) {
        (Some(only), None) => Some(only.to_owned()),
        _ => None,
    };
    let mut sentence = format!(
        "{} installed by {}",
        plural(burst.installs, "service"),
        actor.as_ref().map_or_else(|| burst.sid.clone(), who)
    );
    if let Some(address) = &address {
        sentence = format!("{sentence} from {address}");
    }
    let (from, to) = (format_short(burst.from), format_short(burst.to));
    sentence = format!("{sentence} between {from} and {to}");
    let services: Vec<&Service> = acts.iter().map(|(_, service, _)| *service).collect();
    if let Some(program) = common_program(&services) {
        sentence = format!("{sentence}, all running {program}");
    }
    for (count, what) in [
        (
            acts.iter().filter(|(_, service, event)| failed(host, service, event)).count(),
            "did not start",
        ),
        (services.iter().filter(|service| is_deleted(host, service)).count(), "deleted"),
        (services.iter().filter(|service| is_gone(host, service)).count(), "without a key now"),
    ] {
        if count > 0 {
            sentence = format!("{sentence}; {count} {what}");
        }
    }
    let names: BTreeSet<String> = services.iter().map(|service| service.name.clone()).collect();
    let citations = cited(acts.iter().map(|(_, _, event)| event.citation.clone()));
    (!citations.is_empty()).then(|| Incident {
        kind: IncidentKind::InstallBurst,
        gravity: Gravity::Theirs,
        from: burst.from,
        to: burst.to,
        actor,
        address,
        count: burst.installs,
        services: names.into_iter().collect(),
        sentence,
        citations,
    })
}

/// The file name of the program that every one of them runs.
fn common_program(services: &[&Service]) -> Option<String> {
    let mut leaves = services.iter().map(|service| service.image.as_ref().map(ImagePath::leaf));
    let first = leaves.next()??;
    leaves.all(|leaf| leaf == Some(first)).then(|| first.to_owned())
}

fn failed(host: &Host, service: &Service, install: &Event) -> bool {
    service.events(Role::Failure, &host.events).any(|failure| {
        let after = failure.time.duration_since(install.time);
        !after.is_negative() && after <= FAILS_WITHIN
    })
}

fn is_deleted(host: &Host, service: &Service) -> bool {
    service.events(Role::RegistryChange, &host.events).any(|event| match &event.action {
        Action::RegistryChanged(change) => match change.operation {
            RegistryOperation::KeyDeleted => change.target.is_empty(),
            RegistryOperation::ValueSet => same_name(&change.target, "DeleteFlag"),
            _ => false,
        },
        _ => false,
    })
}

/// Whether a hive that was read completely, and is younger, does not have it.
fn is_gone(host: &Host, service: &Service) -> bool {
    let Some(span) = host.coverage.span(Origin::SystemHive) else { return false };
    span.state == State::Complete
        && !service.in_registry()
        && service
            .events(Role::Install, &host.events)
            .last()
            .is_some_and(|last| span.to.is_some_and(|newest| last.time <= newest))
}
