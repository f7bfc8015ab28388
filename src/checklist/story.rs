//! What checks about the past share: installs with their actors, commands, and whether a service is new here.

use jiff::{SignedDuration, Timestamp};

use super::{Need, Scope, knowledge};
use crate::host::config::ValueOrder;
use crate::host::event::{Action, Event, RegistryChange, RegistryOperation, ServiceInstall};
use crate::host::service::Actor;
use crate::host::service_command::{ServiceCommand, Verb};
use crate::host::{ImagePath, Origin, Role};
use crate::{text, time};

/// Either log that records installs (7045, 4697).
pub(super) const INSTALL_LOGS: Need = Need::AnyPart(&[Origin::SystemLog, Origin::SecurityLog]);
/// Whatever shows commands being given.
pub(super) const COMMAND_LOGS: Need =
    Need::AnyPart(&[Origin::ProcessEvents, Origin::PowerShellLog]);
/// Whatever shows a configuration being changed: a command, or the write itself.
pub(super) const CHANGE_LOGS: Need =
    Need::AnyPart(&[Origin::ProcessEvents, Origin::PowerShellLog, Origin::RegistryEvents]);
/// The SYSTEM hive, as far as it could be read.
pub(super) const HIVE: Need = Need::Part(Origin::SystemHive);

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

/// Every write below the service's key, in order of time.
pub(super) fn writes<'a>(
    scope: &Scope<'a>,
) -> impl Iterator<Item = (&'a Event, &'a RegistryChange)> + use<'a> {
    scope.events(Role::RegistryChange).filter_map(|event| match &event.action {
        Action::RegistryChanged(change) => Some((event, change)),
        _ => None,
    })
}

/// A value of that name being set, with its new data.
pub(super) fn sets<'a>(change: &'a RegistryChange, value: &str) -> Option<&'a str> {
    let same =
        change.operation == RegistryOperation::ValueSet && text::same_name(&change.target, value);
    same.then_some(change.new.as_deref().unwrap_or_default())
}

/// The event's command line or script text, shortened.
pub(super) fn line(event: &Event) -> String {
    match &event.action {
        Action::ProcessStarted(process) => {
            clip(process.command_line.as_deref().unwrap_or(&process.image))
        }
        Action::Script { text, .. } => clip(text),
        _ => String::new(),
    }
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
/// made, or `Type` and `ErrorControl`, which only a creation writes (measured with Sysmon 13).
pub(super) fn created_near(scope: &Scope<'_>, moment: Timestamp) -> bool {
    let near = |event: &Event| time::distance(event.time, moment) <= SignedDuration::from_mins(1);
    scope.events(Role::Install).any(near)
        || commands(scope).any(|(event, command)| command.verb == Verb::Create && near(event))
        || writes(scope).any(|(event, change)| {
            let made =
                change.operation == RegistryOperation::KeyCreated && change.target.is_empty();
            let first = ["Type", "ErrorControl"].iter().any(|one| sets(change, one).is_some());
            (made || first) && near(event)
        })
}

/// Whether the host is known to run Windows Vista or later: by its build, else by the firewall service that
/// came with it. Older versions had other defaults for value types and key permissions.
pub(super) fn is_modern(scope: &Scope<'_>) -> bool {
    match scope.host.build_number() {
        Some(build) => build >= 6000,
        None => scope.host.service("MpsSvc").is_some(),
    }
}

/// Whether the service is one that Windows brings: the name, running the program Windows runs for it.
pub(super) fn is_stock(scope: &Scope<'_>) -> bool {
    let Some(stock) = knowledge::stock::service(&scope.service.name) else { return false };
    scope
        .service
        .image
        .as_ref()
        .is_none_or(|image| stock.compare_image(image) != knowledge::stock::Comparison::Other)
}

/// Whether it is a service of its own process or of svchost (no driver, no per-user service) that neither
/// Windows brings nor its setup laid down: keys in alphabetical order with a program in System32 come with
/// the image of Windows, of a build that was not measured.
pub(super) fn is_new_program(scope: &Scope<'_>) -> bool {
    let Some(config) = scope.config() else { return false };
    let own = config.service_type.is_some_and(|kind| {
        kind.is_win32() && !kind.is_user_template() && !kind.is_user_instance()
    });
    own && !is_stock(scope) && !is_laid_down(scope)
}

/// Whether the key looks laid down by the setup of Windows: alphabetical, with a program in System32.
pub(super) fn is_laid_down(scope: &Scope<'_>) -> bool {
    scope.config().is_some_and(|config| config.value_order == ValueOrder::Alphabetical)
        && scope.service.image.as_ref().is_some_and(|image| image.is_below(r"c:\windows\system32"))
}

/// The updater, guest agent or deployment tool that it is, by name and full path.
pub(super) fn agent(scope: &Scope<'_>) -> Option<knowledge::agents::Agent> {
    knowledge::agents::agent(&scope.service.name, scope.service.image.as_ref()?)
}

/// Whether a program lies where only administrators and installers write.
pub(super) fn is_in_trusted_folder(image: &ImagePath) -> bool {
    [r"c:\windows\system32", r"c:\windows\syswow64", r"c:\windows\microsoft.net"]
        .iter()
        .chain(&PROGRAM_FILES)
        .any(|folder| image.is_below(folder))
}

/// Whether a program lies in Program Files.
pub(super) fn is_in_program_files(image: &ImagePath) -> bool {
    PROGRAM_FILES.iter().any(|folder| image.is_below(folder))
}

const PROGRAM_FILES: [&str; 2] = [r"c:\program files", r"c:\program files (x86)"];
