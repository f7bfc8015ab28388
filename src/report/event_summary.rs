//! One sentence for every kind of event.
//!
//! The sentence quotes evidence as it stands; escaping is the business of the renderer that prints it.

use crate::host::Event;
use crate::host::event::{
    Action, Connection, Logon, LogonKind, PortOpening, ProcessStart, RegistryChange,
    RegistryOperation, ServiceInstall, ServiceNames, Subject,
};

/// Characters of one quoted string; what is left out stands in the cited record.
const QUOTE_LIMIT: usize = 1_000;

/// What happened, in one sentence without a full stop.
pub fn summary(event: &Event) -> String {
    let sid = event.user_sid.as_deref();
    match &event.action {
        Action::ServiceInstalled(install) => installed(install, sid),
        Action::StartTypeChanged { service, old, new, .. } => {
            let (old, new) = (quote(old), quote(new));
            format!("start type of {} changed from {old} to {new}{}", named(service), by_sid(sid))
        }
        Action::StateChanged { service, state } => {
            format!("{} entered the state {}", named(service), state_word(*state))
        }
        Action::Failed { service, event_id, error } => failed(service, *event_id, error.as_deref()),
        Action::LogonRefused { service, account, error } => {
            let account = account.as_deref().map_or("its account".to_owned(), quote);
            let error = error.as_deref().map(|error| format!(": {}", quote(error)));
            format!("{} could not log on as {account}{}", named(service), error.unwrap_or_default())
        }
        Action::SystemStarted => "Windows started".to_owned(),
        Action::Crashed { service, count, recovery, delay_ms } => {
            crashed(service, *count, *recovery, *delay_ms)
        }
        Action::MarkedInteractive { service } => {
            format!("{} is marked as interactive, which the system does not allow", named(service))
        }
        Action::LogCleared { channel, subject } => {
            format!("the {} log was cleared{}", quote(channel), by(subject))
        }
        Action::LoggingStopped => "the event logging service shut down".to_owned(),
        Action::ProcessStarted(process) => process_started(process),
        Action::ProcessEnded { process_id, image } => {
            format!("{} ended", process(image, *process_id))
        }
        Action::RegistryChanged(change) => registry_changed(change),
        Action::ObjectAccessed { object_type, object, access, image, subject, .. } => {
            let (object_type, object, access) = (quote(object_type), quote(object), quote(access));
            let way = through(image.as_deref()) + &by(subject);
            format!("{object_type} {object} was opened with access {access}{way}")
        }
        Action::PermissionsChanged { object, new, image, subject, .. } => {
            let way = through(image.as_deref()) + &by(subject);
            format!("permissions of {} were changed to {}{way}", quote(object), quote(new))
        }
        Action::Logon(logon) => logged_on(logon),
        Action::ShareAccessed { share, target, address, subject, access } => {
            let from = from(address.as_deref()) + &by(subject);
            share_accessed(&quote(share), &quote(target), *access, &from)
        }
        Action::Connected(connection) => connected(connection),
        Action::PortOpened(opening) => port_opened(opening),
        Action::DnsQueried { process_id, image, query, answers } => {
            let got = if answers.is_empty() { "nothing".to_owned() } else { quote(answers) };
            format!("{} looked up {} and got {got}", process(image, *process_id), quote(query))
        }
        Action::DriverLoaded { image, signed, signature, .. } => {
            let signed = signed_word(*signed, signature.as_deref());
            format!("driver {} was loaded, {signed}", quote(image))
        }
        Action::ModuleLoaded { process_id, image, module, signed } => {
            let signed = signed_word(*signed, None);
            format!("{} loaded {}, {signed}", process(image, *process_id), quote(module))
        }
        Action::FileCreated { process_id, image, path } => {
            format!("{} wrote {}", process(image, *process_id), quote(path))
        }
        Action::ProcessOpened { process_id, image, target, access } => format!(
            "{} opened {} with access {}",
            process(image, *process_id),
            quote(target),
            quote(access)
        ),
        Action::Pipe { created, process_id, image, name } => {
            let what = if *created { "created" } else { "connected to" };
            format!("{} {what} the pipe {}", process(image, *process_id), quote(name))
        }
        Action::Script { text, host_application, .. } => {
            let host = host_application.as_deref().map(|host| format!(" in {}", quote(host)));
            format!("PowerShell ran {}{}", quote(text), host.unwrap_or_default())
        }
    }
}

fn share_accessed(share: &str, target: &str, access: Option<u32>, from: &str) -> String {
    // FILE_WRITE_DATA and FILE_APPEND_DATA.
    if access.is_some_and(|mask| mask & 0x6 != 0) {
        format!("{target} on the share {share} was opened for writing{from}")
    } else {
        format!("share {share} was accessed for {target}{from}")
    }
}

fn installed(install: &ServiceInstall, user_sid: Option<&str>) -> String {
    let account = match install.account.as_str() {
        "" => String::new(),
        account => format!(" to run as {}", quote(account)),
    };
    let actor = match by(&install.subject) {
        empty if empty.is_empty() => by_sid(user_sid),
        actor => actor,
    };
    let client = match install.client_process_id {
        Some(0) => ", asked for over the network or by RPC alone".to_owned(),
        Some(id) => format!(", asked for by process {id}"),
        None => String::new(),
    };
    let command = quote(&install.image_path);
    format!("service {} was installed{account}: {command}{actor}{client}", named(&install.service))
}

fn failed(service: &ServiceNames, event_id: u16, error: Option<&str>) -> String {
    let error = error.map(|error| format!(": {}", quote(error))).unwrap_or_default();
    let what = match event_id {
        7000 => "did not start",
        7009 => "did not connect to the service control manager in time",
        7011 => "did not answer a control request in time",
        7022 => "hung while starting",
        7023 => "ended with an error",
        7024 => "ended with an error of its own",
        7026 => return format!("boot or system start drivers did not load{error}"),
        7032 => "could not be recovered by the service control manager",
        _ => "reported a failure",
    };
    format!("{} {what}{error}", named(service))
}

fn crashed(
    service: &ServiceNames,
    count: Option<u32>,
    recovery: Option<u32>,
    delay_ms: Option<u32>,
) -> String {
    let count = count.map(|count| format!(", {count} time(s) so far")).unwrap_or_default();
    let action = recovery.map(|action| match action {
        0 => "no action follows".to_owned(),
        1 => "it is restarted".to_owned(),
        2 => "the computer is rebooted".to_owned(),
        3 => "the failure command is run".to_owned(),
        other => format!("action {other} follows"),
    });
    let after = delay_ms.map(|delay| format!(" after {delay} ms")).unwrap_or_default();
    let action = action.map(|action| format!("; {action}{after}")).unwrap_or_default();
    format!("{} ended unexpectedly{count}{action}", named(service))
}

fn process_started(process: &ProcessStart) -> String {
    let parent = process.parent_image.as_deref().map(quote);
    let parent = match (parent, process.parent_process_id) {
        (Some(image), id) => format!(" by {image}{}", pid(id)),
        (None, Some(id)) => format!(" by process {id}"),
        (None, None) => String::new(),
    };
    let command = process.command_line.as_deref().filter(|command| !command.is_empty());
    let command = command.map(|command| format!(": {}", quote(command))).unwrap_or_default();
    let account = by(&process.subject).replacen(" by ", " as ", 1);
    format!(
        "process {}{} was started{parent}{account}{command}",
        quote(&process.image),
        pid(process.process_id),
    )
}

fn registry_changed(change: &RegistryChange) -> String {
    let target = match &change.service {
        Some(service) if change.target.is_empty() => format!("the key of {}", quote(service)),
        Some(service) => format!("{} of {}", quote(&change.target), quote(service)),
        None => quote(&change.target),
    };
    let what = match change.operation {
        RegistryOperation::KeyCreated => "was created",
        RegistryOperation::KeyDeleted => "was deleted",
        RegistryOperation::ValueSet => "was set",
        RegistryOperation::ValueDeleted => "was removed",
        RegistryOperation::Renamed => "was renamed",
    };
    let old = change.old.as_deref().map(|old| format!(" from {}", quote(old))).unwrap_or_default();
    let new = change.new.as_deref().map(|new| format!(" to {}", quote(new))).unwrap_or_default();
    let image = Some(change.image.as_str()).filter(|image| !image.is_empty());
    format!("{target} {what}{old}{new}{}{}", through(image), by(&change.subject))
}

fn logged_on(logon: &Logon) -> String {
    let who = subject_name(&logon.account).unwrap_or_else(|| "an unnamed account".to_owned());
    let what = match logon.kind {
        LogonKind::Success => "logged on",
        LogonKind::Failure => "failed to log on",
        LogonKind::Explicit => "used explicit credentials",
        LogonKind::Privileged => "was given special privileges",
    };
    let kind = logon.logon_type.map(|kind| format!(" ({})", logon_type_word(kind)));
    let address = from(logon.address.as_deref());
    let workstation = logon.workstation.as_deref().map(|name| format!(" on {}", quote(name)));
    let image = through(logon.image.as_deref());
    format!(
        "{who} {what}{}{address}{}{image}",
        kind.unwrap_or_default(),
        workstation.unwrap_or_default()
    )
}

fn connected(connection: &Connection) -> String {
    let what = match connection.outbound {
        Some(true) => "connected to",
        Some(false) => "was connected from",
        None => "exchanged data with",
    };
    let name = connection.destination_name.as_deref().filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({})", quote(name))).unwrap_or_default();
    format!(
        "{}{} {what} {}{name} over {}",
        quote(&connection.image),
        pid(connection.process_id),
        endpoint(&connection.destination, connection.destination_port),
        quote(&connection.protocol),
    )
}

fn port_opened(opening: &PortOpening) -> String {
    format!(
        "{}{} {} {} over {}",
        quote(&opening.image),
        pid(opening.process_id),
        if opening.listening { "listens on" } else { "bound" },
        endpoint(&opening.address, Some(opening.port)),
        quote(&opening.protocol),
    )
}

/// An address with its port.
pub(super) fn endpoint(address: &str, port: Option<u16>) -> String {
    match port {
        Some(port) if address.contains(':') => format!("[{}]:{port}", quote(address)),
        Some(port) => format!("{}:{port}", quote(address)),
        None => quote(address),
    }
}

/// The logon type in words (Windows `SECURITY_LOGON_TYPE`).
pub(super) fn logon_type_word(kind: u32) -> String {
    let word = match kind {
        0 => "system",
        2 => "interactive",
        3 => "network",
        4 => "batch",
        5 => "service",
        7 => "unlock",
        8 => "network in clear text",
        9 => "new credentials",
        10 => "remote interactive",
        11 => "cached interactive",
        _ => return format!("logon type {kind}"),
    };
    format!("{word}, logon type {kind}")
}

/// `SERVICE_STATUS.dwCurrentState` in words (winsvc.h).
pub(super) fn state_word(state: Option<u32>) -> String {
    match state {
        Some(1) => "stopped".to_owned(),
        Some(2) => "starting".to_owned(),
        Some(3) => "stopping".to_owned(),
        Some(4) => "running".to_owned(),
        Some(5) => "continuing".to_owned(),
        Some(6) => "pausing".to_owned(),
        Some(7) => "paused".to_owned(),
        Some(other) => other.to_string(),
        None => "that the record does not tell".to_owned(),
    }
}

/// The account of a subject: its name, else its SID.
pub(super) fn subject_name(subject: &Subject) -> Option<String> {
    match (&subject.name, &subject.sid) {
        (Some(name), Some(sid)) => Some(format!("{} ({})", quote(name), quote(sid))),
        (Some(one), None) | (None, Some(one)) => Some(quote(one)),
        (None, None) => None,
    }
}

fn by(subject: &Subject) -> String {
    subject_name(subject).map(|name| format!(" by {name}")).unwrap_or_default()
}

fn by_sid(sid: Option<&str>) -> String {
    sid.map(|sid| format!(" by {}", quote(sid))).unwrap_or_default()
}

fn named(service: &ServiceNames) -> String {
    match (&service.key, &service.display) {
        (Some(key), Some(display)) if key != display => {
            format!("{} ({})", quote(key), quote(display))
        }
        (Some(name), _) | (None, Some(name)) => quote(name),
        (None, None) => "an unnamed service".to_owned(),
    }
}

fn through(image: Option<&str>) -> String {
    image.map(|image| format!(" through {}", quote(image))).unwrap_or_default()
}

fn from(address: Option<&str>) -> String {
    address.map(|address| format!(" from {}", quote(address))).unwrap_or_default()
}

/// A program with its process id.
fn process(image: &str, process_id: Option<u32>) -> String {
    format!("{}{}", quote(image), pid(process_id))
}

fn pid(process_id: Option<u32>) -> String {
    process_id.map(|id| format!(" [{id}]")).unwrap_or_default()
}

fn signed_word(signed: Option<bool>, signature: Option<&str>) -> String {
    match (signed, signature.filter(|signer| !signer.is_empty())) {
        (Some(true), Some(name)) => format!("signed by {}", quote(name)),
        (Some(true), None) => "signed".to_owned(),
        (Some(false), _) => "unsigned".to_owned(),
        (None, _) => "signature not logged".to_owned(),
    }
}

/// A string from evidence, cut where it is long.
pub(super) fn quote(text: &str) -> String {
    let mut chars = text.chars();
    let mut quoted: String = chars.by_ref().take(QUOTE_LIMIT).collect();
    let rest = chars.count();
    if rest > 0 {
        quoted = format!("{quoted}… ({rest} more characters)");
    }
    quoted
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::host::{Citation, Place, Provenance};

    fn sentence(action: Action) -> String {
        summary(&Event {
            time: Timestamp::UNIX_EPOCH,
            computer: "WS01".to_owned(),
            user_sid: Some("S-1-5-18".to_owned()),
            citation: Citation {
                artifact: Arc::from("System.evtx"),
                place: Place::File,
                provenance: Provenance::Live,
            },
            action,
        })
    }

    fn names() -> ServiceNames {
        ServiceNames { key: Some("Spooler".into()), display: Some("Print Spooler".into()) }
    }

    fn subject() -> Subject {
        Subject { sid: None, name: Some(r"CORP\a".into()), logon_id: None }
    }

    #[test]
    fn services_have_their_sentences() {
        for (action, expected) in [
            (
                Action::ServiceInstalled(ServiceInstall {
                    service: names(),
                    image_path: "x.exe -k".into(),
                    account: "LocalSystem".into(),
                    client_process_id: Some(0),
                    ..ServiceInstall::default()
                }),
                "service Spooler (Print Spooler) was installed to run as LocalSystem: x.exe -k by \
                 S-1-5-18, asked for over the network or by RPC alone",
            ),
            (
                Action::StartTypeChanged {
                    service: names(),
                    old: "demand start".into(),
                    new: "disabled".into(),
                    start: None,
                },
                "start type of Spooler (Print Spooler) changed from demand start to disabled by \
                 S-1-5-18",
            ),
            (
                Action::StateChanged { service: names(), state: Some(4) },
                "Spooler (Print Spooler) entered the state running",
            ),
            (
                Action::Failed { service: names(), event_id: 7000, error: Some("%%1053".into()) },
                "Spooler (Print Spooler) did not start: %%1053",
            ),
            (
                Action::Crashed {
                    service: names(),
                    count: Some(2),
                    recovery: Some(3),
                    delay_ms: Some(0),
                },
                "Spooler (Print Spooler) ended unexpectedly, 2 time(s) so far; the failure command is \
                 run after 0 ms",
            ),
            (
                Action::LogCleared { channel: "System".into(), subject: subject() },
                r"the System log was cleared by CORP\a",
            ),
        ] {
            assert_eq!(sentence(action), expected);
        }
    }

    #[test]
    fn what_happened_around_has_its_sentences() {
        for (action, expected) in [
            (
                Action::ProcessStarted(ProcessStart {
                    process_id: Some(7),
                    image: "a.exe".into(),
                    command_line: Some("a.exe /c".into()),
                    parent_process_id: Some(6),
                    subject: subject(),
                    ..ProcessStart::default()
                }),
                r"process a.exe [7] was started by process 6 as CORP\a: a.exe /c",
            ),
            (
                Action::Connected(Connection {
                    process_id: Some(7),
                    image: "a.exe".into(),
                    outbound: Some(true),
                    protocol: "tcp".into(),
                    destination: "2001:db8::1".into(),
                    destination_port: Some(443),
                    ..Connection::default()
                }),
                "a.exe [7] connected to [2001:db8::1]:443 over tcp",
            ),
            (
                Action::PortOpened(PortOpening {
                    process_id: Some(7),
                    image: "a.exe".into(),
                    protocol: "tcp".into(),
                    address: "::".into(),
                    port: 4444,
                    listening: true,
                }),
                "a.exe [7] listens on [::]:4444 over tcp",
            ),
            (
                Action::Logon(Logon {
                    kind: LogonKind::Failure,
                    account: subject(),
                    logon_type: Some(10),
                    address: Some("10.0.0.1".into()),
                    workstation: None,
                    package: None,
                    image: None,
                    server: None,
                }),
                r"CORP\a failed to log on (remote interactive, logon type 10) from 10.0.0.1",
            ),
            (
                Action::RegistryChanged(RegistryChange {
                    operation: RegistryOperation::ValueSet,
                    service: Some("Spooler".into()),
                    target: "ImagePath".into(),
                    old: None,
                    new: Some("x.exe".into()),
                    image: "reg.exe".into(),
                    process_id: None,
                    subject: Subject::default(),
                }),
                "ImagePath of Spooler was set to x.exe through reg.exe",
            ),
            (
                Action::DnsQueried {
                    process_id: None,
                    image: "a.exe".into(),
                    query: "c2.example".into(),
                    answers: String::new(),
                },
                "a.exe looked up c2.example and got nothing",
            ),
        ] {
            assert_eq!(sentence(action), expected);
        }
    }

    #[test]
    fn long_quotes_say_how_much_is_missing() {
        let script =
            Action::Script { text: "A".repeat(1_005), host_application: None, block: None };
        assert!(sentence(script).ends_with("A… (5 more characters)"));
    }
}
