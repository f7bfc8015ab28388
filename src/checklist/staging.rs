//! What worked examples are made of: answers, hosts in a common state, and events as they usually are, ready
//! for [`Scene`].

use super::baseline::{
    Baseline, BaselineFile, FORMAT, GoldHost, Header, Maker, Row, SCHEMA, Terms,
};
use super::{Example, Expected, Scene};
use crate::host::config::{AccessRule, AccessRules, Start};
use crate::host::event::{
    Action, Connection, Logon, LogonKind, PortOpening, ProcessStart, RegistryChange,
    RegistryOperation, ServiceInstall, ServiceNames, Subject,
};
use crate::host::{KnownDestinations, Origin, State};

/// A user of the domain.
pub(super) const USER: &str = "S-1-5-21-1004336348-1177238915-682003330-1104";
/// The account of Windows itself.
pub(super) const SYSTEM: &str = "S-1-5-18";
/// The administrators.
pub(super) const ADMINISTRATORS: &str = "S-1-5-32-544";
/// Everybody who logged on.
pub(super) const AUTHENTICATED: &str = "S-1-5-11";

/// An example that answers yes.
pub(super) const fn yes(title: &'static str, given: fn() -> Scene) -> Example {
    Example { title, given, answer: Expected::Yes }
}

/// An example that answers no.
pub(super) const fn no(title: &'static str, given: fn() -> Scene) -> Example {
    Example { title, given, answer: Expected::No }
}

/// An example without an answer.
pub(super) const fn unknown(title: &'static str, given: fn() -> Scene) -> Example {
    Example { title, given, answer: Expected::Unknown }
}

/// An ordinary service of which a part of the hive could not be read.
pub(super) fn half_read() -> Scene {
    Scene::service("Agent").covered(Origin::SystemHive, State::Partial)
}

/// A service known from its install event alone.
pub(super) fn ghost(name: &str, command: &str) -> Scene {
    Scene::ghost(name).event(0, installed(name, command))
}

/// 7045 of a demand-start service of its own process.
pub(super) fn installed(name: &str, command: &str) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: None, display: Some(name.to_owned()) },
        image_path: command.to_owned(),
        service_type: Some(0x10),
        start: Some(Start::Demand),
        account: "LocalSystem".to_owned(),
        ..ServiceInstall::default()
    })
}

/// 4697 by a session, with the client's and its parent's process id.
pub(super) fn audited(name: &str, command: &str, logon_id: u64, client: Option<u32>) -> Action {
    Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: Some(name.to_owned()), display: None },
        image_path: command.to_owned(),
        service_type: Some(0x10),
        start: Some(Start::Demand),
        account: "LocalSystem".to_owned(),
        subject: user(logon_id),
        client_process_id: client,
        parent_process_id: client,
    })
}

fn user(logon_id: u64) -> Subject {
    Subject {
        sid: Some(USER.to_owned()),
        name: Some(r"CORP\anna".to_owned()),
        logon_id: Some(logon_id),
    }
}

/// 4624 of the user.
pub(super) fn logon(logon_id: u64, logon_type: u32, package: &str, address: &str) -> Action {
    Action::Logon(Logon {
        kind: LogonKind::Success,
        account: user(logon_id),
        logon_type: Some(logon_type),
        address: Some(address.to_owned()),
        workstation: None,
        package: Some(package.to_owned()),
        image: None,
        server: None,
    })
}

/// 4688: a command given in a shell.
pub(super) fn command(image: &str, line: &str, parent: &str) -> Action {
    process(40, image, line, 30, parent)
}

/// 4688 with process ids.
pub(super) fn process(id: u32, image: &str, line: &str, parent_id: u32, parent: &str) -> Action {
    Action::ProcessStarted(ProcessStart {
        process_id: Some(id),
        image: image.to_owned(),
        command_line: Some(line.to_owned()),
        parent_process_id: Some(parent_id),
        parent_image: Some(parent.to_owned()),
        ..ProcessStart::default()
    })
}

/// 4688 of a service's program, process id 50.
pub(super) fn started(image: &str, line: &str) -> Action {
    process(50, image, line, 8, r"C:\Windows\System32\services.exe")
}

/// 4688 of a child of the service's process.
pub(super) fn child(image: &str, line: &str) -> Action {
    process(51, image, line, 50, r"C:\Program Files\Contoso\Agent.exe")
}

/// A connection of the service's process.
pub(super) fn connected(image: &str, destination: &str, port: u16) -> Action {
    Action::Connected(Connection {
        process_id: Some(50),
        image: image.to_owned(),
        outbound: Some(true),
        protocol: "tcp".to_owned(),
        source: "10.0.0.5".to_owned(),
        source_port: Some(50_000),
        destination: destination.to_owned(),
        destination_port: Some(port),
        destination_name: None,
    })
}

/// The service's process opening lsass.exe.
pub(super) fn opened(image: &str, access: &str) -> Action {
    Action::ProcessOpened {
        process_id: Some(50),
        image: image.to_owned(),
        target: r"C:\Windows\System32\lsass.exe".to_owned(),
        access: access.to_owned(),
    }
}

/// The service's process writing a file.
pub(super) fn dropped(image: &str, path: &str) -> Action {
    Action::FileCreated { process_id: Some(50), image: image.to_owned(), path: path.to_owned() }
}

/// A value being deleted.
pub(super) fn value_deleted(service: &str, target: &str, image: &str) -> Action {
    written(service, target, None, image, RegistryOperation::ValueDeleted)
}

/// A connection of the example's process to port 443, from a local port.
pub(super) fn connected_from(port: u16, destination: &str) -> Action {
    match connected(r"C:\ProgramData\a.exe", destination, 443) {
        Action::Connected(connection) => {
            Action::Connected(Connection { source_port: Some(port), ..connection })
        }
        other => other,
    }
}

/// Sysmon 22 of the service's process.
pub(super) fn looked_up(image: &str, name: &str, answers: &str) -> Action {
    Action::DnsQueried {
        process_id: Some(50),
        image: image.to_owned(),
        query: name.to_owned(),
        answers: answers.to_owned(),
    }
}

/// 5154 (listening) or 5158 of the service's process.
pub(super) fn port_opened(image: &str, port: u16, listening: bool) -> Action {
    Action::PortOpened(PortOpening {
        process_id: Some(50),
        image: image.to_owned(),
        protocol: "tcp".to_owned(),
        address: "0.0.0.0".to_owned(),
        port,
        listening,
    })
}

/// A stock service in a svchost process of its own.
pub(super) fn hosted_running(name: &str) -> Scene {
    let line = format!(r"C:\Windows\System32\svchost.exe -k netsvcs -p -s {name}");
    Scene::hosted(name).event(0, started(r"C:\Windows\System32\svchost.exe", &line))
}

/// A list of destinations that other hosts talk to, of one entry; empty where it is none.
pub(super) fn known(entry: &str) -> KnownDestinations {
    KnownDestinations::read(entry.as_bytes()).unwrap_or_default()
}

/// A value being set.
pub(super) fn set(service: &str, target: &str, new: &str, image: &str) -> Action {
    written(service, target, Some(new), image, RegistryOperation::ValueSet)
}

/// The service's key being made or deleted.
pub(super) fn key(service: &str, operation: RegistryOperation) -> Action {
    written(service, "", None, r"C:\Windows\System32\services.exe", operation)
}

fn written(
    service: &str,
    target: &str,
    new: Option<&str>,
    image: &str,
    operation: RegistryOperation,
) -> Action {
    Action::RegistryChanged(RegistryChange {
        operation,
        service: Some(service.to_owned()),
        target: target.to_owned(),
        old: None,
        new: new.map(str::to_owned),
        image: image.to_owned(),
        process_id: Some(40),
        subject: Subject::default(),
    })
}

/// The build of the host that [`gold`] is of.
pub(super) const GOLD_BUILD: &str = "19045";

/// A host of the baseline's build.
pub(super) fn on_gold_build(scene: Scene) -> Scene {
    scene.windows("Windows 10 Pro", &format!("{GOLD_BUILD}.3570"))
}

/// A baseline of one host of that build that has these services and so many others.
pub(super) fn gold(services: Vec<Scene>, others: usize) -> Baseline {
    let row = |scene: Scene| scene.ask(|scope| Row::of(scope.host, scope.service)).flatten();
    let mut rows: Vec<Row> = services.into_iter().filter_map(row).collect();
    let others = (0..others).map(|number| Scene::service(&format!("Other{number}")));
    rows.extend(others.filter_map(row));
    let builds: Vec<u32> = GOLD_BUILD.parse().into_iter().collect();
    for row in &mut rows {
        row.hosts = 1;
        row.builds.clone_from(&builds);
    }
    let host = GoldHost { name: Some("GOLD01".to_owned()), ..GoldHost::default() };
    let header = Header {
        format: FORMAT.to_owned(),
        schema: SCHEMA,
        tool: Maker { name: "svctriage".to_owned(), version: "0.1.0".to_owned() },
        settings: Terms::default(),
        hosts: vec![host],
        builds,
        rows: rows.len(),
        without_key: 0,
        refused: Vec::new(),
    };
    let file = BaselineFile { header, rows: (2..).zip(rows).collect() };
    Baseline::new(vec![("gold.jsonl".to_owned(), file)])
}

/// The names of an event that knows the key.
pub(super) fn names(key: &str) -> ServiceNames {
    ServiceNames { key: Some(key.to_owned()), display: Some(key.to_owned()) }
}

/// 7040 to that start type.
pub(super) fn start_type(service: &str, old: &str, new: &str, start: Start) -> Action {
    Action::StartTypeChanged {
        service: names(service),
        old: old.to_owned(),
        new: new.to_owned(),
        start: Some(start),
    }
}

/// 7000, 7009, 7023 and their kin.
pub(super) fn failed(service: &str, event_id: u16, error: &str) -> Action {
    Action::Failed { service: names(service), event_id, error: Some(error.to_owned()) }
}

/// 7031 with that recovery action.
pub(super) fn crashed(service: &str, recovery: u32) -> Action {
    Action::Crashed {
        service: names(service),
        count: Some(1),
        recovery: Some(recovery),
        delay_ms: Some(60_000),
    }
}

/// Rules of one entry, with an owner.
pub(super) fn rules(owner: &str, allow: bool, sid: &str, mask: u32) -> AccessRules {
    AccessRules {
        sddl: format!("O:{owner}D:({};;0x{mask:x};;;{sid})", if allow { "A" } else { "D" }),
        owner: Some(owner.to_owned()),
        null_dacl: false,
        entries: vec![AccessRule { allow, sid: sid.to_owned(), mask, inherit_only: false }],
    }
}
