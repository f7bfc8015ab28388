//! The Security log: installations, processes, logons, objects, shares, connections.

use super::event_kind::{EventKind, account, number, raw, said};
use super::event_log::Record;
use super::registry_change::{registry_path, service_of};
use crate::host::Action;
use crate::host::config::Start;
use crate::host::event::{
    Connection, Logon, LogonKind, PortOpening, ProcessStart, RegistryChange, RegistryOperation,
    ServiceInstall, ServiceNames, Subject,
};

const AUDIT: &[&str] = &["Microsoft-Windows-Security-Auditing"];
const EVENT_LOG: &[&str] = &["Microsoft-Windows-Eventlog"];

/// The events read from the Security log.
pub const EVENTS: &[EventKind] = &[
    EventKind {
        id: 4697,
        providers: AUDIT,
        meaning: "A service was installed; the name is its key name.",
        fields: &[
            "ServiceName",
            "ServiceFileName",
            "ServiceType",
            "ServiceStartType",
            "ServiceAccount",
            "SubjectUserSid",
            "SubjectUserName",
            "SubjectDomainName",
            "SubjectLogonId",
            "ClientProcessId",
            "ParentProcessId",
        ],
        read: installed,
    },
    EventKind {
        id: 4688,
        providers: AUDIT,
        meaning: "A process was created; ProcessId is its creator's.",
        fields: &[
            "NewProcessId",
            "NewProcessName",
            "CommandLine",
            "ProcessId",
            "ParentProcessName",
            "SubjectUserSid",
            "SubjectUserName",
            "SubjectDomainName",
            "SubjectLogonId",
        ],
        read: |record| {
            Some(Action::ProcessStarted(ProcessStart {
                process_id: number(record, "NewProcessId"),
                image: raw(record, "NewProcessName"),
                command_line: said(record, "CommandLine"),
                parent_process_id: number(record, "ProcessId"),
                parent_image: said(record, "ParentProcessName"),
                subject: account(record, "Subject"),
                hashes: None,
                original_file_name: None,
            }))
        },
    },
    EventKind {
        id: 4689,
        providers: AUDIT,
        meaning: "A process ended.",
        fields: &["ProcessId", "ProcessName"],
        read: |record| {
            Some(Action::ProcessEnded {
                process_id: number(record, "ProcessId"),
                image: raw(record, "ProcessName"),
            })
        },
    },
    EventKind {
        id: 4657,
        providers: AUDIT,
        meaning: "A registry value was written, by a rule of the key's own audit list.",
        fields: &[
            "ObjectName",
            "ObjectValueName",
            "OperationType",
            "OldValue",
            "NewValue",
            "ProcessId",
            "ProcessName",
        ],
        read: registry_written,
    },
    EventKind {
        id: 4656,
        providers: AUDIT,
        meaning: "A handle to a service, the service control manager or a service key was asked for.",
        fields: &["ObjectType", "ObjectName", "AccessMask", "ProcessName"],
        read: object_accessed,
    },
    EventKind {
        id: 4663,
        providers: AUDIT,
        meaning: "A service, the service control manager or a service key was accessed.",
        fields: &["ObjectType", "ObjectName", "AccessMask", "ProcessName"],
        read: object_accessed,
    },
    EventKind {
        id: 4674,
        providers: AUDIT,
        meaning: "A privileged operation on a service or the service control manager.",
        fields: &["ObjectType", "ObjectName", "AccessMask", "ProcessName"],
        read: object_accessed,
    },
    EventKind {
        id: 4670,
        providers: AUDIT,
        meaning: "The permissions of a service or a service key were changed.",
        fields: &["ObjectType", "ObjectName", "NewSd", "ProcessName"],
        read: permissions_changed,
    },
    EventKind {
        id: 4624,
        providers: AUDIT,
        meaning: "Somebody logged on.",
        fields: &[
            "TargetUserSid",
            "TargetUserName",
            "TargetDomainName",
            "TargetLogonId",
            "LogonType",
            "IpAddress",
            "WorkstationName",
            "AuthenticationPackageName",
            "LogonProcessName",
            "ProcessName",
        ],
        read: |record| Some(logon(record, LogonKind::Success)),
    },
    EventKind {
        id: 4625,
        providers: AUDIT,
        meaning: "Somebody failed to log on.",
        fields: &[
            "TargetUserSid",
            "TargetUserName",
            "TargetDomainName",
            "LogonType",
            "IpAddress",
            "WorkstationName",
            "AuthenticationPackageName",
            "LogonProcessName",
            "ProcessName",
        ],
        read: |record| Some(logon(record, LogonKind::Failure)),
    },
    EventKind {
        id: 4648,
        providers: AUDIT,
        meaning: "A process used the credentials of another account.",
        fields: &[
            "TargetUserName",
            "TargetDomainName",
            "TargetServerName",
            "IpAddress",
            "ProcessName",
        ],
        read: |record| Some(explicit_logon(record)),
    },
    EventKind {
        id: 4672,
        providers: AUDIT,
        meaning: "A logon was given privileges of an administrator.",
        fields: &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"],
        read: |record| {
            Some(Action::Logon(bare_logon(LogonKind::Privileged, account(record, "Subject"))))
        },
    },
    EventKind {
        id: 5145,
        providers: AUDIT,
        meaning: "A network share was accessed: the pipe of the service control manager, or a drive.",
        fields: &["ShareName", "RelativeTargetName", "IpAddress", "AccessMask", "SubjectLogonId"],
        read: share_accessed,
    },
    EventKind {
        id: 5156,
        providers: AUDIT,
        meaning: "The filtering platform allowed a connection; the source is this host.",
        fields: &[
            "ProcessID",
            "Application",
            "Direction",
            "Protocol",
            "SourceAddress",
            "SourcePort",
            "DestAddress",
            "DestPort",
        ],
        read: connected,
    },
    EventKind {
        id: 4608,
        providers: AUDIT,
        meaning: "Windows started.",
        fields: &[],
        read: |_| Some(Action::SystemStarted),
    },
    EventKind {
        id: 5154,
        providers: AUDIT,
        meaning: "The filtering platform allowed a program to listen on a port.",
        fields: &["ProcessId", "Application", "SourceAddress", "SourcePort", "Protocol"],
        read: |record| port_opened(record, true),
    },
    EventKind {
        id: 5158,
        providers: AUDIT,
        meaning: "The filtering platform allowed a program to bind a port below the dynamic range.",
        fields: &["ProcessId", "Application", "SourceAddress", "SourcePort", "Protocol"],
        read: |record| port_opened(record, false),
    },
    EventKind {
        id: 1100,
        providers: EVENT_LOG,
        meaning: "The event logging service shut down.",
        fields: &[],
        read: |_| Some(Action::LoggingStopped),
    },
    EventKind {
        id: 1102,
        providers: EVENT_LOG,
        meaning: "The Security log was cleared.",
        fields: &["SubjectUserSid", "SubjectUserName", "SubjectDomainName", "SubjectLogonId"],
        read: |record| {
            Some(Action::LogCleared {
                channel: "Security".to_owned(),
                subject: account(record, "Subject"),
            })
        },
    },
];

fn installed(record: &Record) -> Option<Action> {
    Some(Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: Some(record.get("ServiceName")?.to_owned()), display: None },
        image_path: raw(record, "ServiceFileName"),
        service_type: number(record, "ServiceType"),
        start: number(record, "ServiceStartType").map(|start: u32| Start::from(start)),
        account: raw(record, "ServiceAccount"),
        subject: account(record, "Subject"),
        client_process_id: number(record, "ClientProcessId"),
        parent_process_id: number(record, "ParentProcessId"),
    }))
}

fn registry_written(record: &Record) -> Option<Action> {
    let value = said(record, "ObjectValueName").unwrap_or_default();
    let (service, target) = registry_path(record.get("ObjectName")?, &value)?;
    let operation = match record.get("OperationType").map(str::trim) {
        Some("%%1906") => RegistryOperation::ValueDeleted,
        _ => RegistryOperation::ValueSet,
    };
    Some(Action::RegistryChanged(RegistryChange {
        operation,
        service,
        target,
        old: said(record, "OldValue"),
        new: said(record, "NewValue"),
        image: raw(record, "ProcessName"),
        process_id: number(record, "ProcessId"),
        subject: account(record, "Subject"),
    }))
}

/// An object that has to do with services.
enum Object {
    /// The service control manager itself.
    Manager,
    /// A service, or its registry key.
    Service(String),
}

impl Object {
    fn of(kind: &str, name: &str) -> Option<Self> {
        match kind.trim().to_ascii_uppercase().as_str() {
            "SERVICE OBJECT" => Some(Self::Service(name.to_owned())),
            "SC_MANAGER OBJECT" => Some(Self::Manager),
            "KEY" => service_of(name).map(Self::Service),
            _ => None,
        }
    }

    fn service(self) -> Option<String> {
        match self {
            Self::Manager => None,
            Self::Service(name) => Some(name),
        }
    }
}

fn object_accessed(record: &Record) -> Option<Action> {
    let (kind, object) = (raw(record, "ObjectType"), raw(record, "ObjectName"));
    let service = Object::of(&kind, &object)?.service();
    let access = raw(record, "AccessMask");
    Some(Action::ObjectAccessed {
        object_type: kind,
        object,
        service,
        access: access.split_whitespace().collect::<Vec<_>>().join(" "),
        image: said(record, "ProcessName"),
        subject: account(record, "Subject"),
    })
}

fn permissions_changed(record: &Record) -> Option<Action> {
    let (kind, object) = (raw(record, "ObjectType"), raw(record, "ObjectName"));
    let service = Object::of(&kind, &object)?.service();
    Some(Action::PermissionsChanged {
        object,
        service,
        new: raw(record, "NewSd"),
        image: said(record, "ProcessName"),
        subject: account(record, "Subject"),
    })
}

/// 4624 and 4625.
fn logon(record: &Record, kind: LogonKind) -> Action {
    Action::Logon(Logon {
        kind,
        account: account(record, "Target"),
        logon_type: number(record, "LogonType"),
        address: said(record, "IpAddress"),
        workstation: said(record, "WorkstationName"),
        package: said(record, "AuthenticationPackageName")
            .or_else(|| said(record, "LogonProcessName")),
        image: said(record, "ProcessName"),
        server: None,
    })
}

/// 4648: with the server at which the credentials were used.
fn explicit_logon(record: &Record) -> Action {
    let server = said(record, "TargetServerName");
    Action::Logon(Logon {
        address: said(record, "IpAddress"),
        image: said(record, "ProcessName"),
        server: server.filter(|server| !server.eq_ignore_ascii_case("localhost")),
        ..bare_logon(LogonKind::Explicit, account(record, "Target"))
    })
}

/// A logon of which the record says nothing but whose it is.
fn bare_logon(kind: LogonKind, account: Subject) -> Logon {
    Logon {
        kind,
        account,
        logon_type: None,
        address: None,
        workstation: None,
        package: None,
        image: None,
        server: None,
    }
}

/// Only what remote service work needs: `svcctl`, and the shares of drives, which end in `$`.
fn share_accessed(record: &Record) -> Option<Action> {
    let (share, target) = (raw(record, "ShareName"), raw(record, "RelativeTargetName"));
    let name = share.rsplit('\\').next()?;
    let is_pipes = name.eq_ignore_ascii_case("IPC$");
    let is_svcctl = target.trim_start_matches('\\').eq_ignore_ascii_case("svcctl");
    if !(is_svcctl || name.ends_with('$') && !is_pipes) {
        return None;
    }
    Some(Action::ShareAccessed {
        share,
        target,
        address: said(record, "IpAddress"),
        access: number(record, "AccessMask"),
        subject: account(record, "Subject"),
    })
}

/// Microsoft's example of an inbound connection (listener.exe, source port 3333) shows that the source is this host
/// whatever the direction.
fn connected(record: &Record) -> Option<Action> {
    let outbound = match record.get("Direction").map(str::trim) {
        Some("%%14592") => Some(false),
        Some("%%14593") => Some(true),
        _ => None,
    };
    Some(Action::Connected(Connection {
        process_id: number(record, "ProcessID"),
        image: record.get("Application")?.to_owned(),
        outbound,
        protocol: protocol(record),
        source: raw(record, "SourceAddress"),
        source_port: number(record, "SourcePort"),
        destination: raw(record, "DestAddress"),
        destination_port: number(record, "DestPort"),
        destination_name: None,
    }))
}

/// The protocols of the filtering platform are numbers (IANA).
fn protocol(record: &Record) -> String {
    match raw(record, "Protocol").trim() {
        "1" => "icmp".to_owned(),
        "6" => "tcp".to_owned(),
        "17" => "udp".to_owned(),
        "58" => "icmpv6".to_owned(),
        other => other.to_owned(),
    }
}

/// Where the dynamic ports begin (RFC 6335; since Vista also Windows' default). Every outbound connection binds one,
/// and such a bind says nothing that the connection does not.
const DYNAMIC_PORTS: u16 = 49_152;

fn port_opened(record: &Record, listening: bool) -> Option<Action> {
    let port: u16 = number(record, "SourcePort")?;
    if port == 0 || !listening && port >= DYNAMIC_PORTS {
        return None;
    }
    Some(Action::PortOpened(PortOpening {
        process_id: number(record, "ProcessId"),
        image: record.get("Application")?.to_owned(),
        protocol: protocol(record),
        address: raw(record, "SourceAddress"),
        port,
        listening,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::event_kind::testing::{action, record};
    use super::*;

    fn audit(id: u16, data: &[(&str, &str)]) -> Option<Action> {
        action(&record("Microsoft-Windows-Security-Auditing", id, data))
    }

    #[test]
    fn an_installation_names_the_key() {
        let data = [
            ("SubjectUserSid", "S-1-5-21-1-2-3-1111"),
            ("SubjectUserName", "admmig"),
            ("SubjectDomainName", "OFFSEC"),
            ("SubjectLogonId", "0x1376020"),
            ("ServiceName", "PSEXESVC"),
            ("ServiceFileName", "%SystemRoot%\\PSEXESVC.exe"),
            ("ServiceType", "0x10"),
            ("ServiceStartType", "3"),
            ("ServiceAccount", "LocalSystem"),
            ("ClientProcessId", "0"),
        ];
        let Some(Action::ServiceInstalled(install)) = audit(4697, &data) else { panic!("none") };
        assert_eq!(install.service.key.as_deref(), Some("PSEXESVC"));
        assert_eq!(install.service.display, None);
        assert_eq!((install.service_type, install.start), (Some(0x10), Some(Start::Demand)));
        assert_eq!(install.subject.logon_id, Some(0x137_6020));
        assert_eq!((install.client_process_id, install.parent_process_id), (Some(0), None));
    }

    #[test]
    fn process_ids_are_hexadecimal_here_and_decimal_there() {
        let start = [
            ("NewProcessId", "0xc24"),
            ("NewProcessName", "C:\\Windows\\sc.exe"),
            ("ProcessId", "0x238"),
            ("CommandLine", "sc  config sense start= disabled"),
        ];
        let Some(Action::ProcessStarted(process)) = audit(4688, &start) else { panic!("none") };
        assert_eq!((process.process_id, process.parent_process_id), (Some(0xc24), Some(0x238)));
        assert_eq!(process.command_line.as_deref(), Some("sc  config sense start= disabled"));
        assert_eq!(process.parent_image, None);
        let connection = [
            ("ProcessID", "3108"),
            ("Application", "\\device\\harddiskvolume2\\listener.exe"),
            ("Direction", "%%14592"),
            ("SourceAddress", "10.0.0.10"),
            ("SourcePort", "3333"),
            ("DestAddress", "10.0.0.100"),
            ("DestPort", "49278"),
            ("Protocol", "6"),
        ];
        let Some(Action::Connected(connection)) = audit(5156, &connection) else { panic!("none") };
        assert_eq!((connection.process_id, connection.outbound), (Some(0xc24), Some(false)));
        assert_eq!((&*connection.source, connection.source_port), ("10.0.0.10", Some(3333)));
        assert_eq!(connection.protocol, "tcp");
    }

    #[test]
    fn ports_opened_are_told_from_the_dynamic_ones_of_connections() {
        for (id, port, protocol, opened) in [
            (5158, "445", "6", Some("tcp")),
            (5158, "5353", "17", Some("udp")),
            (5158, "63645", "6", None),
            (5158, "0", "6", None),
            (5154, "63645", "6", Some("tcp")),
            (5154, "4444", "132", Some("132")),
            (5154, "x", "6", None),
        ] {
            let data = [
                ("ProcessId", "360"),
                ("Application", "\\device\\harddiskvolume1\\a.exe"),
                ("SourceAddress", "0.0.0.0"),
                ("SourcePort", port),
                ("Protocol", protocol),
            ];
            let found = audit(id, &data).map(|action| match action {
                Action::PortOpened(opening) => {
                    assert_eq!((opening.process_id, opening.listening), (Some(360), id == 5154));
                    opening.protocol
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(found.as_deref(), opened, "{id} {port}");
        }
    }

    #[test]
    fn registry_writes_name_the_service_and_the_value() {
        let data = [
            ("ObjectName", "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\EventLog"),
            ("ObjectValueName", "Start"),
            ("OperationType", "%%1905"),
            ("OldValue", "2"),
            ("NewValue", "4"),
            ("ProcessName", "C:\\Windows\\System32\\reg.exe"),
            ("ProcessId", "0x10"),
        ];
        let Some(Action::RegistryChanged(change)) = audit(4657, &data) else { panic!("none") };
        assert_eq!(change.service.as_deref(), Some("EventLog"));
        assert_eq!((&*change.target, change.operation), ("Start", RegistryOperation::ValueSet));
        assert_eq!((change.old.as_deref(), change.new.as_deref()), (Some("2"), Some("4")));
    }

    #[test]
    fn only_objects_of_services_count() {
        for (kind, object, service) in [
            ("SERVICE OBJECT", "Spooler", Some(Some("Spooler"))),
            ("SC_MANAGER OBJECT", "ServicesActive", Some(None)),
            (
                "Key",
                "\\REGISTRY\\MACHINE\\SYSTEM\\ControlSet001\\Services\\X\\Parameters",
                Some(Some("X")),
            ),
            ("Key", "\\REGISTRY\\MACHINE\\SOFTWARE\\X", None),
            ("File", "C:\\Windows\\System32\\sethc.exe", None),
        ] {
            let data = [
                ("ObjectType", kind),
                ("ObjectName", object),
                ("AccessMask", "%%1537\r\n\t\t\t\t%%7169\r\n\t\t\t\t"),
                ("NewSd", "D:(A;;GA;;;WD)"),
            ];
            let accessed = audit(4674, &data).map(|action| match action {
                Action::ObjectAccessed { service, access, .. } => {
                    assert_eq!(access, "%%1537 %%7169");
                    service
                }
                other => panic!("{other:?}"),
            });
            assert_eq!(accessed, service.map(|name| name.map(str::to_owned)), "{object}");
            assert_eq!(audit(4670, &data).is_some(), service.is_some(), "{object}");
        }
    }

    #[test]
    fn shares_of_drives_and_the_pipe_of_the_service_control_manager() {
        for (share, target, counts) in [
            ("\\\\*\\IPC$", "svcctl", true),
            ("\\\\*\\IPC$", "\\SVCCTL", true),
            ("\\\\*\\IPC$", "lsarpc", false),
            ("\\\\*\\ADMIN$", "PSEXESVC.exe", true),
            ("\\\\*\\C$", "\\", true),
            ("\\\\*\\SYSVOL", "policy", false),
        ] {
            let data = [("ShareName", share), ("RelativeTargetName", target)];
            assert_eq!(audit(5145, &data).is_some(), counts, "{share} {target}");
        }
    }

    #[test]
    fn logons_keep_session_source_and_type() {
        let data = [
            ("TargetUserSid", "S-1-5-21-1-2-3-1111"),
            ("TargetUserName", "admmig"),
            ("TargetDomainName", "OFFSEC"),
            ("TargetLogonId", "0x1375fbd"),
            ("LogonType", "3"),
            ("AuthenticationPackageName", "Kerberos"),
            ("WorkstationName", "-"),
            ("IpAddress", "10.23.42.22"),
            ("ProcessName", "-"),
        ];
        for (id, kind) in [(4624, LogonKind::Success), (4625, LogonKind::Failure)] {
            let Some(Action::Logon(logon)) = audit(id, &data) else { panic!("none") };
            assert_eq!((logon.kind, logon.logon_type), (kind, Some(3)));
            assert_eq!(logon.account.logon_id, Some(0x137_5fbd));
            assert_eq!(logon.address.as_deref(), Some("10.23.42.22"));
            assert_eq!((logon.workstation, logon.image), (None, None));
        }
    }
}
