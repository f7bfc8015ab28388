//! What a rule can ask of an event that concerns a service: one table, from which the documentation is made as well.

use crate::host::event::{Action, Connection, ProcessStart, Subject};
use crate::host::{Event, Origin, Place, Role};
use crate::time;

/// A field of an event.
pub(super) struct EventField {
    pub(super) name: &'static str,
    /// What it says, for the documentation.
    pub(super) says: &'static str,
    /// Absent where such an event has no such field.
    pub(super) tell: fn(&Event) -> Option<String>,
}

/// The field with what the event is to the service: it comes from the link, not from the event.
pub(super) const ROLE: &str = "role";

const SYSTEM: &[Origin] = &[Origin::SystemLog];
const SECURITY: &[Origin] = &[Origin::SecurityLog];
const SYSMON: &[Origin] = &[Origin::SysmonLog];
const PROCESS: &[Origin] = &[Origin::ProcessEvents];
const INSTALL: &[Origin] = &[Origin::SystemLog, Origin::SecurityLog];
const COMMAND: &[Origin] = &[Origin::ProcessEvents, Origin::PowerShellLog];

/// What events are to a service: the word of rules, what it means, and which logs would tell.
pub(super) const ROLES: &[(Role, &str, &str, &[Origin])] = &[
    (Role::Install, "install", "it was installed", INSTALL),
    (Role::StartTypeChange, "start_type_change", "its start type was changed", SYSTEM),
    (Role::StateChange, "state_change", "it started or stopped", SYSTEM),
    (Role::Failure, "failure", "it failed to start", SYSTEM),
    (Role::Crash, "crash", "it ended unexpectedly", SYSTEM),
    (Role::RegistryChange, "registry_change", "its key was written", &[Origin::RegistryEvents]),
    (
        Role::ObjectAccess,
        "object_access",
        "it or its key was opened or its permissions changed",
        SECURITY,
    ),
    (Role::Command, "command", "a command or script names it", COMMAND),
    (Role::Process, "process", "its process began or ended", PROCESS),
    (Role::ChildProcess, "child_process", "its process started another", PROCESS),
    (Role::Connection, "connection", "it used the network", &[Origin::NetworkEvents]),
    (Role::DnsQuery, "dns_query", "it looked up a name", SYSMON),
    (Role::PortOpening, "port_opening", "it bound a port or listened on one", SECURITY),
    (Role::FileCreation, "file_creation", "it created a file, or its file was created", SYSMON),
    (Role::DriverLoad, "driver_load", "its driver was loaded", SYSMON),
    (Role::ModuleLoad, "module_load", "it loaded a library", SYSMON),
    (Role::Pipe, "pipe", "it created a named pipe or connected to one", SYSMON),
    (Role::ProcessAccess, "process_access", "it opened another process", SYSMON),
    (Role::ServiceLogon, "service_logon", "its account logged on", SECURITY),
    (Role::Installer, "installer", "the process that installed it", PROCESS),
    (Role::ActorLogon, "actor_logon", "whoever installed or changed it logged on", SECURITY),
    (Role::ShareAccess, "share_access", "its file was written over the network", SECURITY),
    (Role::LogCleared, "log_cleared", "a log was cleared near its installation", INSTALL),
];

/// Every log that can hold an event of a service.
pub(super) const LOGS: &[Origin] =
    &[Origin::SystemLog, Origin::SecurityLog, Origin::SysmonLog, Origin::PowerShellLog];

/// The word of a role.
pub(super) fn word(role: Role) -> &'static str {
    ROLES.iter().find(|(one, ..)| *one == role).map_or("", |(_, word, ..)| word)
}

const fn field(
    name: &'static str,
    says: &'static str,
    tell: fn(&Event) -> Option<String>,
) -> EventField {
    EventField { name, says, tell }
}

/// The fields, in the order of the documentation; `role` stands before them.
pub(super) const FIELDS: &[EventField] = &[
    field("channel", "the log", |event| record(event).map(|(channel, _)| channel.to_owned())),
    field("event_id", "the event's number", |event| record(event).map(|(_, id)| id.to_string())),
    field("time", "when: `2026-11-03T14:02:11.1234567Z`", |event| Some(time::format(event.time))),
    field("computer", "the computer that wrote the record", |event| {
        Some(event.computer.clone()).filter(|name| !name.is_empty())
    }),
    field("user_sid", "in whose name the record was written", |event| event.user_sid.clone()),
    field("actor_sid", "the SID of whoever did it", |event| subject(event)?.sid.clone()),
    field("actor_name", r"`DOMAIN\name` of whoever did it", |event| subject(event)?.name.clone()),
    field("logon_id", "his logon, `0x3e7`", |event| {
        Some(format!("0x{:x}", subject(event)?.logon_id?))
    }),
    field("image", "the process: the one that began, or the one that did it", |event| {
        let doer = event.action.doer().and_then(|(_, image)| given(image));
        doer.or_else(|| other_image(&event.action))
    }),
    field("command_line", "of a process that began", |event| process(event)?.command_line.clone()),
    field("parent_image", "of a process that began: who started it", |event| {
        process(event)?.parent_image.clone()
    }),
    field(
        "original_filename",
        "of a process that began: the file name it was made with",
        |event| process(event)?.original_file_name.clone(),
    ),
    field(
        "hashes",
        "of a process that began or a driver that was loaded: `MD5=…,SHA256=…`",
        |event| match &event.action {
            Action::ProcessStarted(process) => process.hashes.clone(),
            Action::DriverLoaded { hashes, .. } => given(hashes),
            _ => None,
        },
    ),
    field("service_image_path", "of an install: the command", |event| match &event.action {
        Action::ServiceInstalled(install) => given(&install.image_path),
        _ => None,
    }),
    field("service_account", "of an install: the account", |event| match &event.action {
        Action::ServiceInstalled(install) => given(&install.account),
        _ => None,
    }),
    field(
        "service_start",
        "of an install or a changed start type: `auto`, `demand`, …",
        |event| match &event.action {
            Action::ServiceInstalled(install) => install.start.map(|start| start.to_string()),
            Action::StartTypeChanged { start, .. } => start.map(|start| start.to_string()),
            _ => None,
        },
    ),
    field(
        "target",
        "what it was done to: a key or value, a file, a library, a pipe, a share, an object, a process",
        |event| target(&event.action),
    ),
    field("old_value", "what stood there before", |event| match &event.action {
        Action::RegistryChanged(change) => change.old.clone(),
        Action::StartTypeChanged { old, .. } => given(old),
        _ => None,
    }),
    field("new_value", "what stands there now", |event| match &event.action {
        Action::RegistryChanged(change) => change.new.clone(),
        Action::StartTypeChanged { new, .. } | Action::PermissionsChanged { new, .. } => given(new),
        _ => None,
    }),
    field("access", "the access that was asked for", |event| match &event.action {
        Action::ObjectAccessed { access, .. } | Action::ProcessOpened { access, .. } => {
            given(access)
        }
        Action::ShareAccessed { access, .. } => access.map(|mask| format!("0x{mask:x}")),
        _ => None,
    }),
    field("error", "the error of a failure", |event| match &event.action {
        Action::Failed { error, .. } | Action::LogonRefused { error, .. } => error.clone(),
        _ => None,
    }),
    field("destination_ip", "where a connection goes", |event| {
        given(&connection(event)?.destination)
    }),
    field("destination_port", "to which port", |event| {
        connection(event)?.destination_port.map(|port| port.to_string())
    }),
    field("destination_name", "the name of where it goes, where the log has one", |event| {
        connection(event)?.destination_name.clone()
    }),
    field("source_ip", "where a connection comes from", |event| given(&connection(event)?.source)),
    field("source_port", "from which port", |event| {
        connection(event)?.source_port.map(|port| port.to_string())
    }),
    field("protocol", "`tcp`, `udp`, as logged", |event| match &event.action {
        Action::Connected(connection) => given(&connection.protocol),
        Action::PortOpened(opening) => given(&opening.protocol),
        _ => None,
    }),
    field("outbound", "`true` where the process began the connection", |event| {
        connection(event)?.outbound.map(|outbound| outbound.to_string())
    }),
    field("port", "of a port that was bound or listened on", |event| match &event.action {
        Action::PortOpened(opening) => Some(opening.port.to_string()),
        _ => None,
    }),
    field("address", "where a logon or the access to a share came from", |event| {
        match &event.action {
            Action::Logon(logon) => logon.address.clone(),
            Action::ShareAccessed { address, .. } => address.clone(),
            _ => None,
        }
    }),
    field(
        "logon_type",
        "of a logon: 3 network, 5 service, 10 remote desktop",
        |event| match &event.action {
            Action::Logon(logon) => logon.logon_type.map(|kind| kind.to_string()),
            _ => None,
        },
    ),
    field("query", "the name that was looked up", |event| match &event.action {
        Action::DnsQueried { query, .. } => given(query),
        _ => None,
    }),
    field("answers", "what the look-up gave", |event| match &event.action {
        Action::DnsQueried { answers, .. } => given(answers),
        _ => None,
    }),
    field("signed", "of a driver or library that was loaded: `true` or `false`", |event| {
        match &event.action {
            Action::DriverLoaded { signed, .. } | Action::ModuleLoaded { signed, .. } => {
                signed.map(|signed| signed.to_string())
            }
            _ => None,
        }
    }),
    field("script", "the text of a script", |event| match &event.action {
        Action::Script { text, .. } => given(text),
        _ => None,
    }),
];

/// The field of that name, in lower case; `role` has no row here.
pub(super) fn find(name: &str) -> Option<&'static EventField> {
    FIELDS.iter().find(|field| field.name == name)
}

fn given(text: &str) -> Option<String> {
    Some(text).filter(|text| !text.is_empty()).map(str::to_owned)
}

fn record(event: &Event) -> Option<(&str, u16)> {
    match &event.citation.place {
        Place::Record { channel, event_id, .. } => Some((channel, *event_id)),
        Place::Key { .. } | Place::File => None,
    }
}

fn subject(event: &Event) -> Option<&Subject> {
    match &event.action {
        Action::ServiceInstalled(install) => Some(&install.subject),
        Action::ProcessStarted(process) => Some(&process.subject),
        Action::RegistryChanged(change) => Some(&change.subject),
        Action::Logon(logon) => Some(&logon.account),
        Action::LogCleared { subject, .. }
        | Action::ObjectAccessed { subject, .. }
        | Action::PermissionsChanged { subject, .. }
        | Action::ShareAccessed { subject, .. } => Some(subject),
        _ => None,
    }
}

/// The image of acts that name a process without its being their doer.
fn other_image(action: &Action) -> Option<String> {
    match action {
        Action::ObjectAccessed { image, .. } | Action::PermissionsChanged { image, .. } => {
            image.clone()
        }
        Action::DriverLoaded { image, .. } => given(image),
        Action::Logon(logon) => logon.image.clone(),
        Action::Script { host_application, .. } => host_application.clone(),
        _ => None,
    }
}

fn process(event: &Event) -> Option<&ProcessStart> {
    match &event.action {
        Action::ProcessStarted(process) => Some(process),
        _ => None,
    }
}

fn connection(event: &Event) -> Option<&Connection> {
    match &event.action {
        Action::Connected(connection) => Some(connection),
        _ => None,
    }
}

fn target(action: &Action) -> Option<String> {
    match action {
        Action::RegistryChanged(change) => given(&change.target),
        Action::FileCreated { path, .. } => given(path),
        Action::ModuleLoaded { module, .. } => given(module),
        Action::Pipe { name, .. } => given(name),
        Action::ProcessOpened { target, .. } => given(target),
        Action::ObjectAccessed { object, .. } | Action::PermissionsChanged { object, .. } => {
            given(object)
        }
        Action::ShareAccessed { share, target, .. } => Some(format!("{share}\\{target}")),
        Action::LogCleared { channel, .. } => given(channel),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_own_name_and_a_meaning() {
        let names: std::collections::BTreeSet<&str> = FIELDS.iter().map(|one| one.name).collect();
        assert_eq!(names.len(), FIELDS.len());
        assert!(
            FIELDS.iter().all(|one| !one.says.is_empty() && one.name == one.name.to_lowercase())
        );
        let words: std::collections::BTreeSet<&str> =
            ROLES.iter().map(|(_, word, ..)| *word).collect();
        assert_eq!(words.len(), ROLES.len());
        for (role, word, ..) in ROLES {
            assert_eq!(serde_json::to_value(role).unwrap(), serde_json::json!(word));
        }
    }
}
