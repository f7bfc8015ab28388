//! Events find their services by name.
//!
//! 7045 gives the display name and 4697 the key name of the same install; the Binary field of 7036, 7000 and
//! 7009 and the fourth parameter of 7040 give the key name beside the display name (measured). What one event
//! teaches, all others use.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use super::outbound::same_host;
use super::roster::Roster;
use super::script;
use crate::host::event::{Action, Event, RegistryOperation, ServiceInstall, ServiceNames};
use crate::host::image_path::ImagePath;
use crate::host::service::{Role, SeenCommand};
use crate::host::service_command::{self, ServiceCommand, Verb};
use crate::text;

/// Two records of one install are logged within this time of each other.
const SAME_INSTALL: SignedDuration = SignedDuration::from_secs(5);

/// Learns which display names belong to which keys.
pub(super) fn learn(roster: &mut Roster, events: &[Event]) {
    // Commands of installs whose key is known, by computer and normalised command.
    let mut keyed: BTreeMap<(String, String), Vec<(Timestamp, String)>> = BTreeMap::new();
    for event in events {
        if let Some((Some(display), Some(key))) =
            names(&event.action).map(|names| (names.display.as_deref(), names.key.as_deref()))
        {
            roster.learn(display, key);
        }
        if let Some((key, command)) = keyed_command(&event.action) {
            let place = (event.computer.clone(), comparable(command));
            keyed.entry(place).or_default().push((event.time, key.to_owned()));
        }
    }
    for event in events {
        let Action::ServiceInstalled(install) = &event.action else { continue };
        let (None, Some(display)) = (&install.service.key, &install.service.display) else {
            continue;
        };
        let place = (event.computer.clone(), comparable(&install.image_path));
        let twin = keyed.get(&place).and_then(|candidates| {
            candidates
                .iter()
                .filter(|(time, _)| crate::time::distance(*time, event.time) <= SAME_INSTALL)
                .min_by_key(|(time, _)| crate::time::distance(*time, event.time))
        });
        if let Some((_, key)) = twin {
            roster.learn(display, key);
        }
    }
}

/// The key and command of events that name both: 4697, and registry writes of `ImagePath`.
fn keyed_command(action: &Action) -> Option<(&str, &str)> {
    match action {
        Action::ServiceInstalled(ServiceInstall { service, image_path, .. }) => {
            Some((service.key.as_deref()?, image_path))
        }
        Action::RegistryChanged(change) if text::same_name(&change.target, "ImagePath") => {
            Some((change.service.as_deref()?, change.new.as_deref()?))
        }
        _ => None,
    }
}

/// A command for comparing between logs: they differ in quotes, case, variables and white space.
fn comparable(command: &str) -> String {
    let path = ImagePath::parse(command);
    let arguments: Vec<&str> = path.arguments.split_whitespace().collect();
    format!("{} {}", path.normalized, arguments.join(" ").to_lowercase())
}

fn names(action: &Action) -> Option<&ServiceNames> {
    match action {
        Action::ServiceInstalled(ServiceInstall { service, .. })
        | Action::StartTypeChanged { service, .. }
        | Action::StateChanged { service, .. }
        | Action::Failed { service, .. }
        | Action::Crashed { service, .. }
        | Action::LogonRefused { service, .. }
        | Action::MarkedInteractive { service } => Some(service),
        _ => None,
    }
}

/// A command for another host.
pub(super) struct Remote {
    /// The host as the command spells it.
    pub(super) host: String,
    /// The command and the records that show it.
    pub(super) seen: SeenCommand,
}

/// Links every event that names a service to it; returns the commands for other hosts.
pub(super) fn link(roster: &mut Roster, events: &[Event]) -> Vec<Remote> {
    // Installs first: later events may be about services that only an install makes known.
    for (at, event) in events.iter().enumerate() {
        if let Action::ServiceInstalled(install) = &event.action {
            link_install(roster, at, install);
        }
    }
    for (at, event) in events.iter().enumerate() {
        match &event.action {
            Action::RegistryChanged(change) => {
                if let Some(service) = &change.service {
                    let proves = is_core(&change.target, change.operation);
                    let names = ServiceNames { key: Some(service.clone()), display: None };
                    if let Some(index) = roster.find_or_add(&names, proves) {
                        roster.link(index, Role::RegistryChange, at);
                        supply(roster, index, &change.target, change.new.as_deref());
                    }
                }
            }
            Action::ObjectAccessed { service: Some(service), .. }
            | Action::PermissionsChanged { service: Some(service), .. } => {
                let names = ServiceNames { key: Some(service.clone()), display: None };
                if let Some(index) = roster.find_or_add(&names, false) {
                    roster.link(index, Role::ObjectAccess, at);
                }
            }
            // Commands come last, when every service that an event proves has its place.
            Action::ProcessStarted(_) | Action::Script { .. } => {}
            action => {
                let Some(role) = role(action) else { continue };
                let Some(names) = names(action) else { continue };
                if let Some(index) = roster.find_or_add(names, names.key.is_some()) {
                    roster.link(index, role, at);
                    roster.supply_display(index, names.display.as_deref());
                }
            }
        }
    }
    link_commands(roster, events)
}

/// Every command of processes and scripts, in order of time.
fn commands(events: &[Event]) -> Vec<SeenCommand> {
    let of_process = |(at, event): (usize, &Event)| {
        let commands = match &event.action {
            Action::ProcessStarted(process) => service_command::in_process(process),
            _ => Vec::new(),
        };
        let seen = move |command| SeenCommand {
            event: at,
            parts: Vec::new(),
            missing: 0,
            act: 0,
            command,
        };
        commands.into_iter().map(seen).collect::<Vec<_>>()
    };
    let mut found: Vec<SeenCommand> =
        events.par_iter().enumerate().flat_map_iter(of_process).collect();
    for script in script::joined(events) {
        for command in service_command::in_script(&script.text) {
            let Some(event) = script.event_with(&command.service) else { continue };
            let parts = if script.parts.len() > 1 { script.events() } else { Vec::new() };
            found.push(SeenCommand { event, parts, missing: script.missing, act: 0, command });
        }
    }
    found.sort_by_key(|seen| seen.event);
    found
}

/// The role of events about a named service, installs aside.
fn role(action: &Action) -> Option<Role> {
    match action {
        Action::StartTypeChanged { .. } => Some(Role::StartTypeChange),
        Action::StateChanged { .. } => Some(Role::StateChange),
        Action::Failed { .. } | Action::LogonRefused { .. } | Action::MarkedInteractive { .. } => {
            Some(Role::Failure)
        }
        Action::Crashed { .. } => Some(Role::Crash),
        _ => None,
    }
}

fn link_install(roster: &mut Roster, at: usize, install: &ServiceInstall) {
    let index = roster
        .find(&install.service)
        .or_else(|| only_service_of(roster, install))
        .or_else(|| roster.find_or_add(&install.service, true));
    let Some(index) = index else { return };
    roster.link(index, Role::Install, at);
    roster.supply_image(index, &install.image_path);
    roster.supply_display(index, install.service.display.as_deref());
}

/// A 7045 whose display name is a localised resource still names the command: if exactly one key of the hive
/// has it, that is the service.
fn only_service_of(roster: &Roster, install: &ServiceInstall) -> Option<usize> {
    let wanted = comparable(&install.image_path);
    let program = ImagePath::parse(&install.image_path).normalized;
    let mut matching = roster.running(&program).filter(|index| {
        roster.get(*index).is_some_and(|service| {
            service.in_registry()
                && service.image.as_ref().is_some_and(|image| comparable(&image.raw) == wanted)
        })
    });
    matching.next().filter(|_| matching.next().is_none())
}

/// Whether such a registry write shows that a service was there, rather than a parameter store.
fn is_core(target: &str, operation: RegistryOperation) -> bool {
    const CORE: [&str; 10] = [
        "Type",
        "Start",
        "ErrorControl",
        "ImagePath",
        "ObjectName",
        "DisplayName",
        "FailureCommand",
        "FailureActions",
        "DeleteFlag",
        "Parameters\\ServiceDll",
    ];
    matches!(operation, RegistryOperation::ValueSet)
        && CORE.iter().any(|core| text::same_name(core, target))
}

/// What a registry write says about a service that no key describes.
fn supply(roster: &mut Roster, index: usize, target: &str, new: Option<&str>) {
    let Some(new) = new else { return };
    if text::same_name(target, "ImagePath") {
        roster.supply_image(index, new);
    } else if text::same_name(target, "DisplayName") {
        roster.supply_display(index, Some(new));
    } else if text::same_name(target, "Parameters\\ServiceDll") {
        roster.supply_dll(index, new);
    } else if text::same_name(target, "FailureCommand") {
        roster.supply_failure_command(index, new);
    }
}

/// How many parts of a script are linked to the service that it names.
const PARTS_LINKED: usize = 16;

fn link_commands(roster: &mut Roster, events: &[Event]) -> Vec<Remote> {
    let mut remotes = Vec::new();
    for mut seen in commands(events) {
        let computer = events.get(seen.event).map_or("", |event| event.computer.as_str());
        if seen.command.remote.as_deref().is_some_and(|host| same_host(host, computer)) {
            seen.command.remote = None;
        }
        let index = match &seen.command.remote {
            Some(host) => {
                remotes.push(Remote { host: host.clone(), seen: seen.clone() });
                named(&seen.command.service).then(|| roster.elsewhere(host, &seen.command.service))
            }
            None => concerned(roster, &seen.command),
        };
        let Some(index) = index else { continue };
        for part in seen.records().take(PARTS_LINKED) {
            roster.link(index, Role::Command, part);
        }
        if let Some(image) = seen.command.change("ImagePath") {
            roster.supply_image(index, image);
        }
        for change in &seen.command.changes {
            supply(roster, index, &change.value, Some(&change.data));
        }
        if let Some(service) = roster.get_mut(index) {
            service.commands.push(seen);
        }
    }
    number_acts(roster, events);
    remotes
}

/// Whether it is a name rather than a pattern or a variable.
fn named(service: &str) -> bool {
    let service = service.trim();
    !service.is_empty() && !service.starts_with(['$', '!']) && !service.contains(['*', '?', '%'])
}

/// The service of this host that a command is about; made where the command proves that there was one.
fn concerned(roster: &mut Roster, command: &ServiceCommand) -> Option<usize> {
    if command.service.is_empty() {
        // Only the program is known: of `installutil`.
        let program = ImagePath::parse(command.change("ImagePath")?).normalized;
        return roster.running(&program).next();
    }
    let names = ServiceNames { key: Some(command.service.clone()), display: None };
    let display = ServiceNames { key: None, display: Some(command.service.clone()) };
    let proves = matches!(command.verb, Verb::Create | Verb::Configure);
    let known = roster.find(&names).or_else(|| roster.find(&display));
    known.or_else(|| named(&command.service).then(|| roster.find_or_add(&names, proves)).flatten())
}

/// Gives the commands of each service the number of their act.
fn number_acts(roster: &mut Roster, events: &[Event]) {
    let time = |seen: &SeenCommand| events.get(seen.event).map(|event| event.time);
    for service in roster.iter_mut() {
        let mut firsts: Vec<SeenCommand> = Vec::new();
        for seen in &mut service.commands {
            let same = firsts.iter().rev().take_while(|first| {
                let (Some(first), Some(now)) = (time(first), time(seen)) else { return false };
                now.duration_since(first) <= SeenCommand::SAME_ACT
            });
            let same = same.filter(|first| first.command.same_act(&seen.command)).last();
            seen.act = match same {
                Some(first) => first.act,
                None => firsts.len(),
            };
            if same.is_none() {
                firsts.push(seen.clone());
            }
        }
    }
}
