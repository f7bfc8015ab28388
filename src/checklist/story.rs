//! What checks about the past share: installs with their actors, commands, writes, and how to tell
//! them.

use jiff::{SignedDuration, Timestamp};

use super::{Scope, known_good};
use crate::host::Role;
use crate::host::event::{Action, Event, RegistryChange, RegistryOperation, ServiceInstall};
use crate::host::service::Actor;
use crate::host::service_command::{ServiceCommand, Verb, without_passwords};
use crate::host::tampering::{TamperKind, Tampering};
use crate::{text, time};

/// One install event with its content and the actor the join found for it.
#[derive(Clone, Copy)]
pub(super) struct Installed<'a> {
    pub(super) event: &'a Event,
    pub(super) install: &'a ServiceInstall,
    pub(super) actor: Option<&'a Actor>,
}

impl Installed<'_> {
    /// Name and SID of the actor, as far as known.
    pub(super) fn who(&self) -> String {
        self.actor.map_or_else(|| "somebody".to_owned(), who)
    }
}

/// Every install of the service, in order of time.
pub(super) fn installs<'a>(scope: &Scope<'a>) -> impl Iterator<Item = Installed<'a>> + use<'a> {
    let service = scope.service;
    service.indexed_events(Role::Install, &scope.host.events).filter_map(move |(at, event)| {
        match &event.action {
            Action::ServiceInstalled(install) => {
                Some(Installed { event, install, actor: service.actor_of(at) })
            }
            _ => None,
        }
    })
}

/// Every command that names the service, in order of time.
pub(super) fn commands<'a>(
    scope: &Scope<'a>,
) -> impl Iterator<Item = (&'a Event, &'a ServiceCommand)> + use<'a> {
    let events = &scope.host.events;
    scope
        .service
        .commands
        .iter()
        .filter_map(move |seen| Some((events.get(seen.event)?, &seen.command)))
}

/// The commands that name the service and that `time` comes after by no more than `limit`, in order of time.
pub(super) fn commands_before<'a>(
    scope: &Scope<'a>,
    time: Timestamp,
    limit: SignedDuration,
) -> impl Iterator<Item = (&'a Event, &'a ServiceCommand)> + use<'a> {
    let events = &scope.host.events;
    let all = &scope.service.commands;
    let first = all.partition_point(|seen| {
        events.get(seen.event).is_some_and(|event| time.duration_since(event.time) > limit)
    });
    let near = all.get(first..).unwrap_or_default().iter();
    near.filter_map(|seen| Some((events.get(seen.event)?, &seen.command)))
        .take_while(move |(event, _)| event.time <= time)
}

/// Every write below the service's key, in order of time.
pub(super) fn writes<'a>(
    scope: &Scope<'a>,
) -> impl Iterator<Item = (&'a Event, &'a RegistryChange)> + use<'a> {
    scope.events(Role::RegistryChange).filter_map(|event| match &event.action {
        Action::RegistryChanged(change) => Some((event, change)),
        _ => None,
    })
}

/// Acts of that kind about the service, in order of time.
pub(super) fn tampered<'a>(
    scope: &Scope<'a>,
    kind: TamperKind,
) -> impl Iterator<Item = (&'a Tampering, &'a Event)> + use<'a> {
    let host = scope.host;
    let acts = host.tampering.get(&text::fold(&scope.service.name));
    acts.into_iter()
        .flatten()
        .filter(move |one| one.kind == kind)
        .filter_map(move |one| Some((one, host.events.get(one.event)?)))
}

/// A value of that name being set, with its new data.
pub(super) fn sets<'a>(change: &'a RegistryChange, value: &str) -> Option<&'a str> {
    let same =
        change.operation == RegistryOperation::ValueSet && text::same_name(&change.target, value);
    same.then_some(change.new.as_deref().unwrap_or_default())
}

/// The event's command line or script text, shortened, passwords replaced.
pub(super) fn line(event: &Event) -> String {
    let line = match &event.action {
        Action::ProcessStarted(process) => {
            process.command_line.as_deref().unwrap_or(&process.image)
        }
        Action::Script { text, .. } => text,
        _ => "",
    };
    without_passwords(&clip(line))
}

/// What follows the line of a command: what it reads as where it was logged in disguise, and how much of its script is
/// missing. Nothing for a command in the clear.
pub(super) fn remarks(scope: &Scope<'_>, command: &ServiceCommand) -> String {
    let decoded = command.decoded.as_deref().map(|line| format!(" (decoded: `{}`)", clip(line)));
    let seen =
        scope.service.commands.iter().find(|seen| std::ptr::eq(&raw const seen.command, command));
    let missing = seen.map_or(0, |seen| seen.missing);
    let missing = (missing > 0).then(|| format!(" (no log holds {missing} parts of the script)"));
    decoded.unwrap_or_default() + &missing.unwrap_or_default()
}

/// `CORP\anna (S-1-5-21-…)`, or what of it is known.
pub(super) fn who(actor: &Actor) -> String {
    match (&actor.subject.name, &actor.subject.sid) {
        (Some(name), Some(sid)) => format!("{name} ({sid})"),
        (Some(one), None) | (None, Some(one)) => one.clone(),
        (None, None) => "an account the log does not name".to_owned(),
    }
}

/// The text, cut where a sentence would no longer be read.
pub(super) fn clip(text: &str) -> String {
    const LONGEST: usize = 160;
    let text = text.trim();
    if text.chars().count() <= LONGEST {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(LONGEST).collect();
    short.push('\u{2026}');
    short
}

/// Whether `time` is at or after `start` by no more than `limit`.
pub(super) fn follows(start: Timestamp, time: Timestamp, limit: SignedDuration) -> bool {
    let after = time.duration_since(start);
    !after.is_negative() && after <= limit
}

/// Whether the service came into being within a minute of `time`: an install, a `create` command, its key
/// made, or `Type` and `ErrorControl`, which only a creation writes (measured with Sysmon 13). A service of Windows is no new one
/// for its `ErrorControl`: SCShell sets that too.
pub(super) fn created_near(scope: &Scope<'_>, moment: Timestamp) -> bool {
    let births = scope.memory.births.get_or_init(|| {
        let of_windows = known_good::stock(scope).is_some();
        let mut births: Vec<Timestamp> = scope.install_times().collect();
        let made = commands(scope).filter(|(_, command)| command.verb == Verb::Create);
        births.extend(made.map(|(event, _)| event.time));
        births.extend(writes(scope).filter_map(|(event, change)| {
            let made =
                change.operation == RegistryOperation::KeyCreated && change.target.is_empty();
            let first = sets(change, "Type").is_some()
                || (!of_windows && sets(change, "ErrorControl").is_some());
            (made || first).then_some(event.time)
        }));
        births.sort_unstable();
        births
    });
    nearest(births, moment)
        .is_some_and(|birth| time::distance(birth, moment) <= SignedDuration::from_mins(1))
}

/// Of these times, which are in order, the one nearest to `moment`; of two as near the earlier.
pub(super) fn nearest(times: &[Timestamp], moment: Timestamp) -> Option<Timestamp> {
    let after = times.partition_point(|time| *time < moment);
    let before = after.checked_sub(1).and_then(|last| times.get(last));
    let both = before.into_iter().chain(times.get(after)).copied();
    both.min_by_key(|time| time::distance(*time, moment))
}
