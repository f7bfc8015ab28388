//! An incident in one sentence: how many of what, who, from where, how long, and what the services have in common.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;

use super::act::{Act, Deed};
use crate::host::event::{Action, Event, Subject};
use crate::host::image_path::leaf;
use crate::host::incident::{plural, who};
use crate::host::shell::is_shell;
use crate::host::{Host, ImagePath, Origin, Role, Service, State};
use crate::time::format_short;

/// A start that fails this soon after the install belongs to it: the service control manager waits 30 seconds, and
/// starts in a row wait for each other.
const FAILS_WITHIN: SignedDuration = SignedDuration::from_mins(5);

/// The sentence, without a full stop. The acts are in order of time.
pub(super) fn sentence(
    host: &Host,
    acts: &[Act],
    actor: Option<&Subject>,
    address: Option<&str>,
) -> String {
    let by = match actor {
        Some(actor) => who(actor),
        None => several(acts),
    };
    let from = address.map(|address| format!(" from {address}")).unwrap_or_default();
    let mut sentence = format!("{} by {by}{from}{}", done(acts), when(acts));
    for part in common(host, acts) {
        sentence = format!("{sentence}; {part}");
    }
    sentence
}

/// `3 services installed, 1 given a failure command`. What was made and deleted again is told as installed.
fn done(acts: &[Act]) -> String {
    let mut by_deed: BTreeMap<Deed, BTreeSet<usize>> = BTreeMap::new();
    for act in acts {
        by_deed.entry(act.deed).or_default().insert(act.service);
    }
    let made = by_deed.get(&Deed::Installed).cloned().unwrap_or_default();
    if let Some(deleted) = by_deed.get_mut(&Deed::Deleted) {
        deleted.retain(|service| !made.contains(service));
    }
    let told = by_deed.into_iter().filter(|(_, services)| !services.is_empty());
    let words = told.enumerate().map(|(at, (deed, services))| match at {
        0 => format!("{} {}", plural(services.len(), "service"), deed.words()),
        _ => format!("{} {}", services.len(), deed.words()),
    });
    words.collect::<Vec<_>>().join(", ")
}

fn several(acts: &[Act]) -> String {
    let accounts: BTreeSet<&String> =
        acts.iter().filter_map(|act| act.by.sid.as_ref().or(act.by.name.as_ref())).collect();
    match accounts.len() {
        0 => who(&Subject::default()),
        many => plural(many, "account"),
    }
}

/// ` in 4 minutes, first at 2026-03-02 12:00:00Z`.
fn when(acts: &[Act]) -> String {
    let (Some(first), Some(last)) = (acts.first(), acts.last()) else { return String::new() };
    let seconds = last.time.duration_since(first.time).as_secs();
    let seconds = usize::try_from(seconds).unwrap_or(0);
    let long = match seconds {
        0 => "within a second".to_owned(),
        1..120 => format!("in {}", plural(seconds, "second")),
        _ => format!("in {}", plural(seconds.saturating_add(30) / 60, "minute")),
    };
    format!(" {long}, first at {}", format_short(first.time))
}

/// What the services, and most of all those installed, have in common.
fn common(host: &Host, acts: &[Act]) -> Vec<String> {
    let mut parts = Vec::new();
    let services: BTreeSet<usize> = acts.iter().map(|act| act.service).collect();
    let services: Vec<&Service> =
        services.iter().filter_map(|index| host.services.get(*index)).collect();
    parts.extend(same_program(&services));
    // One look at each service: the first install of each.
    let mut made: BTreeMap<usize, &Act> = BTreeMap::new();
    for act in acts.iter().filter(|act| act.deed == Deed::Installed) {
        made.entry(act.service).or_insert(act);
    }
    let made: Vec<(&Service, &Act)> = made
        .into_iter()
        .filter_map(|(index, act)| Some((host.services.get(index)?, act)))
        .collect();
    if made.is_empty() {
        return parts;
    }
    if made.iter().all(|(service, act)| by_shell(host, service, act)) {
        parts.push("all from a shell".to_owned());
    }
    let deleted: BTreeSet<usize> =
        acts.iter().filter(|act| act.deed == Deed::Deleted).map(|act| act.service).collect();
    for (count, every, some) in [
        (
            made.iter().filter(|(service, act)| failed(host, service, act)).count(),
            "none started",
            "did not start",
        ),
        (
            made.iter().filter(|(_, act)| deleted.contains(&act.service)).count(),
            "all deleted",
            "deleted",
        ),
        (
            made.iter().filter(|(service, _)| is_gone(host, service)).count(),
            "none has a key now",
            "without a key now",
        ),
    ] {
        match count {
            0 => {}
            all if all == made.len() => parts.push(every.to_owned()),
            _ => parts.push(format!("{count} {some}")),
        }
    }
    parts
}

/// `all run cmd.exe`, or `all in c:\tools`; nothing where they differ.
fn same_program(services: &[&Service]) -> Option<String> {
    let images: Vec<&ImagePath> =
        services.iter().map(|service| service.image.as_ref()).collect::<Option<_>>()?;
    let first = images.first()?;
    if images.iter().all(|image| image.leaf() == first.leaf()) {
        return Some(format!("all run {}", first.leaf()));
    }
    let folder = first.folder();
    let same = !folder.is_empty() && images.iter().all(|image| image.folder() == folder);
    same.then(|| format!("all in {folder}"))
}

/// Whether a shell asked for the install: the command's parent, or the client itself.
fn by_shell(host: &Host, service: &Service, act: &Act) -> bool {
    let events = act.events.iter().filter_map(|at| host.events.get(*at));
    let installers = service.events(Role::Installer, &host.events).take(INSTALLERS);
    events.chain(installers).any(|event| match &event.action {
        Action::ProcessStarted(process) => {
            let parent = process.parent_image.as_deref().map(leaf);
            is_shell(&process.image) || parent.is_some_and(is_shell)
        }
        Action::Script { .. } => true,
        _ => false,
    })
}

/// Processes that are looked at as those that asked for an install.
const INSTALLERS: usize = 8;

fn failed(host: &Host, service: &Service, act: &Act) -> bool {
    service.events(Role::Failure, &host.events).any(|failure: &Event| {
        let after = failure.time.duration_since(act.time);
        !after.is_negative() && after <= FAILS_WITHIN
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
