//! The Sysmon log: processes, drivers, modules, files, registry, pipes, network.

use super::event_kind::{EventKind, number, raw, said};
use super::event_log::Record;
use super::registry_change::{registry_path, with_single_percents};
use crate::host::Action;
use crate::host::event::{Connection, ProcessStart, RegistryChange, RegistryOperation, Subject};

const SYSMON: &[&str] = &["Microsoft-Windows-Sysmon"];

/// The events read from the Sysmon log.
pub const EVENTS: &[EventKind] = &[
    EventKind {
        id: 1,
        providers: SYSMON,
        meaning: "A process was created.",
        fields: &[
            "ProcessId",
            "Image",
            "CommandLine",
            "ParentProcessId",
            "ParentImage",
            "User",
            "LogonId",
            "Hashes",
            "OriginalFileName",
        ],
        read: |record| {
            Some(Action::ProcessStarted(ProcessStart {
                process_id: number(record, "ProcessId"),
                image: record.get("Image")?.to_owned(),
                command_line: said(record, "CommandLine"),
                parent_process_id: number(record, "ParentProcessId"),
                parent_image: said(record, "ParentImage"),
                subject: user(record),
                hashes: said(record, "Hashes"),
                original_file_name: said(record, "OriginalFileName"),
            }))
        },
    },
    EventKind {
        id: 3,
        providers: SYSMON,
        meaning: "A process connected to another host, or accepted a connection.",
        fields: &[
            "ProcessId",
            "Image",
            "Protocol",
            "Initiated",
            "SourceIp",
            "SourcePort",
            "SourceHostname",
            "DestinationIp",
            "DestinationPort",
            "DestinationHostname",
        ],
        read: connected,
    },
    EventKind {
        id: 5,
        providers: SYSMON,
        meaning: "A process ended.",
        fields: &["ProcessId", "Image"],
        read: |record| {
            Some(Action::ProcessEnded {
                process_id: number(record, "ProcessId"),
                image: raw(record, "Image"),
            })
        },
    },
    EventKind {
        id: 6,
        providers: SYSMON,
        meaning: "A driver was loaded.",
        fields: &["ImageLoaded", "Hashes", "Signed", "Signature"],
        read: |record| {
            Some(Action::DriverLoaded {
                image: record.get("ImageLoaded")?.to_owned(),
                hashes: raw(record, "Hashes"),
                signed: signed(record),
                signature: said(record, "Signature"),
            })
        },
    },
    EventKind {
        id: 7,
        providers: SYSMON,
        meaning: "A module was loaded by a service host, or an unsigned one by any process.",
        fields: &["ProcessId", "Image", "ImageLoaded", "Signed"],
        read: module_loaded,
    },
    EventKind {
        id: 10,
        providers: SYSMON,
        meaning: "A process opened lsass.exe, which keeps credentials.",
        fields: &["SourceProcessId", "SourceImage", "TargetImage", "GrantedAccess"],
        read: process_opened,
    },
    EventKind {
        id: 11,
        providers: SYSMON,
        meaning: "A file was created or overwritten.",
        fields: &["ProcessId", "Image", "TargetFilename"],
        read: |record| {
            Some(Action::FileCreated {
                process_id: number(record, "ProcessId"),
                image: raw(record, "Image"),
                path: record.get("TargetFilename")?.to_owned(),
            })
        },
    },
    EventKind {
        id: 12,
        providers: SYSMON,
        meaning: "A registry key was created or deleted, or a value deleted.",
        fields: &["EventType", "TargetObject", "ProcessId", "Image", "User"],
        read: registry_changed,
    },
    EventKind {
        id: 13,
        providers: SYSMON,
        meaning: "A registry value was set.",
        fields: &["EventType", "TargetObject", "Details", "ProcessId", "Image", "User"],
        read: registry_changed,
    },
    EventKind {
        id: 14,
        providers: SYSMON,
        meaning: "A registry key or value was renamed.",
        fields: &["EventType", "TargetObject", "NewName", "ProcessId", "Image", "User"],
        read: registry_changed,
    },
    EventKind {
        id: 17,
        providers: SYSMON,
        meaning: "A named pipe was created.",
        fields: &["ProcessId", "Image", "PipeName"],
        read: |record| pipe(record, true),
    },
    EventKind {
        id: 18,
        providers: SYSMON,
        meaning: "A named pipe was connected to.",
        fields: &["ProcessId", "Image", "PipeName"],
        read: |record| pipe(record, false),
    },
    EventKind {
        id: 22,
        providers: SYSMON,
        meaning: "A name was looked up.",
        fields: &["ProcessId", "Image", "QueryName", "QueryResults"],
        read: |record| {
            Some(Action::DnsQueried {
                process_id: number(record, "ProcessId"),
                image: raw(record, "Image"),
                query: record.get("QueryName")?.to_owned(),
                answers: said(record, "QueryResults").unwrap_or_default(),
            })
        },
    },
];

fn user(record: &Record) -> Subject {
    Subject { sid: None, name: said(record, "User"), logon_id: number(record, "LogonId") }
}

fn signed(record: &Record) -> Option<bool> {
    match record.get("Signed")?.trim() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Signed modules of ordinary processes are most of a Sysmon log and say nothing about services.
fn module_loaded(record: &Record) -> Option<Action> {
    let image = raw(record, "Image");
    let is_host = crate::host::image_path::leaf(&image).eq_ignore_ascii_case("svchost.exe");
    let signed = signed(record);
    if signed == Some(true) && !is_host {
        return None;
    }
    Some(Action::ModuleLoaded {
        process_id: number(record, "ProcessId"),
        image,
        module: record.get("ImageLoaded")?.to_owned(),
        signed,
    })
}

/// Processes open each other all the time; only lsass.exe is worth the telling.
fn process_opened(record: &Record) -> Option<Action> {
    let target = record.get("TargetImage")?;
    if !crate::host::image_path::leaf(target).eq_ignore_ascii_case("lsass.exe") {
        return None;
    }
    Some(Action::ProcessOpened {
        process_id: number(record, "SourceProcessId"),
        image: raw(record, "SourceImage"),
        target: target.to_owned(),
        access: raw(record, "GrantedAccess"),
    })
}

fn pipe(record: &Record, created: bool) -> Option<Action> {
    let name = record.get("PipeName").filter(|name| *name != "<Anonymous Pipe>")?;
    Some(Action::Pipe {
        created,
        process_id: number(record, "ProcessId"),
        image: raw(record, "Image"),
        name: name.to_owned(),
    })
}

/// Only changes that can concern services: see [`registry_path`].
fn registry_changed(record: &Record) -> Option<Action> {
    let object = with_single_percents(record.get("TargetObject")?);
    let (service, target) = registry_path(&object, "")?;
    // The kinds of event are constants of Sysmon's manifest and not localised.
    let operation = match (record.event_id, record.get("EventType").unwrap_or_default().trim()) {
        (12, "DeleteKey") => RegistryOperation::KeyDeleted,
        (12, "DeleteValue") => RegistryOperation::ValueDeleted,
        (12, _) => RegistryOperation::KeyCreated,
        (14, _) => RegistryOperation::Renamed,
        _ => RegistryOperation::ValueSet,
    };
    let new = record.get("Details").or_else(|| record.get("NewName"));
    Some(Action::RegistryChanged(RegistryChange {
        operation,
        service,
        target,
        old: None,
        new: new.map(with_single_percents),
        image: raw(record, "Image"),
        process_id: number(record, "ProcessId"),
        subject: user(record),
    }))
}

/// The source is whoever initiated the connection, so that in an accepted one it is the remote side.
fn connected(record: &Record) -> Option<Action> {
    let outbound = match record.get("Initiated").map(str::trim) {
        Some("true") => Some(true),
        Some("false") => Some(false),
        _ => None,
    };
    let end = |prefix: &str| {
        let part = |name: &str| format!("{prefix}{name}");
        let address = raw(record, &part("Ip"));
        (address, number(record, &part("Port")), said(record, &part("Hostname")))
    };
    let (local, remote) = match outbound {
        Some(false) => (end("Destination"), end("Source")),
        _ => (end("Source"), end("Destination")),
    };
    Some(Action::Connected(Connection {
        process_id: number(record, "ProcessId"),
        image: record.get("Image")?.to_owned(),
        outbound,
        protocol: raw(record, "Protocol"),
        source: local.0,
        source_port: local.1,
        destination: remote.0,
        destination_port: remote.1,
        destination_name: remote.2,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::event_kind::testing::{action, record};
    use super::*;

    fn sysmon(id: u16, data: &[(&str, &str)]) -> Option<Action> {
        action(&record("Microsoft-Windows-Sysmon", id, data))
    }

    #[test]
    fn registry_writes_name_the_service_the_value_and_single_percents() {
        let data = [
            ("EventType", "SetValue"),
            ("ProcessId", "648"),
            ("Image", "C:\\Windows\\system32\\services.exe"),
            ("TargetObject", "HKLM\\System\\CurrentControlSet\\services\\BTOBTO\\ImagePath"),
            (
                "Details",
                "%%COMSPEC%% /Q /c echo cd ^> \\\\127.0.0.1\\C$\\__output 2^>^&1 > %%TEMP%%\\x.bat",
            ),
        ];
        let Some(Action::RegistryChanged(change)) = sysmon(13, &data) else { panic!("none") };
        assert_eq!((change.service.as_deref(), &*change.target), (Some("BTOBTO"), "ImagePath"));
        let new = change.new.unwrap();
        assert!(new.starts_with("%COMSPEC% /Q") && new.ends_with("> %TEMP%\\x.bat"), "{new}");
        for (id, kind, expected) in [
            (12, "CreateKey", RegistryOperation::KeyCreated),
            (12, "DeleteKey", RegistryOperation::KeyDeleted),
            (12, "DeleteValue", RegistryOperation::ValueDeleted),
            (14, "RenameKey", RegistryOperation::Renamed),
        ] {
            let data = [("EventType", kind), data[3]];
            let Some(Action::RegistryChanged(change)) = sysmon(id, &data) else { panic!("none") };
            assert_eq!((change.operation, change.new), (expected, None), "{kind}");
        }
        let elsewhere = [("EventType", "SetValue"), ("TargetObject", "HKU\\S-1\\Software\\X\\Run")];
        assert_eq!(sysmon(13, &elsewhere), None);
    }

    #[test]
    fn an_accepted_connection_has_its_source_far_away() {
        let data = [
            ("ProcessId", "4"),
            ("Image", "System"),
            ("Protocol", "tcp"),
            ("Initiated", "false"),
            ("SourceIp", "10.0.0.9"),
            ("SourcePort", "50000"),
            ("SourceHostname", "far"),
            ("DestinationIp", "10.0.0.1"),
            ("DestinationPort", "445"),
            ("DestinationHostname", "-"),
        ];
        let Some(Action::Connected(connection)) = sysmon(3, &data) else { panic!("none") };
        assert_eq!((connection.outbound, &*connection.source), (Some(false), "10.0.0.1"));
        assert_eq!((&*connection.destination, connection.source_port), ("10.0.0.9", Some(445)));
        assert_eq!(connection.destination_name.as_deref(), Some("far"));
    }

    #[test]
    fn modules_of_service_hosts_and_unsigned_ones() {
        for (image, signed, counts) in [
            ("C:\\Windows\\System32\\svchost.exe", "true", true),
            ("C:\\Windows\\explorer.exe", "true", false),
            ("C:\\Windows\\explorer.exe", "false", true),
            ("C:\\Windows\\explorer.exe", "?", true),
        ] {
            let data = [("Image", image), ("ImageLoaded", "C:\\x.dll"), ("Signed", signed)];
            assert_eq!(sysmon(7, &data).is_some(), counts, "{image} {signed}");
        }
    }

    #[test]
    fn only_lsass_is_worth_opening() {
        let data = [
            ("SourceProcessId", "1468"),
            ("SourceImage", "C:\\Windows\\Temp\\a.exe"),
            ("TargetImage", "C:\\Windows\\System32\\LSASS.exe"),
            ("GrantedAccess", "0x1410"),
        ];
        let Some(Action::ProcessOpened { process_id, access, .. }) = sysmon(10, &data) else {
            panic!("none");
        };
        assert_eq!((process_id, &*access), (Some(1468), "0x1410"));
        assert_eq!(sysmon(10, &[("TargetImage", "C:\\Windows\\explorer.exe")]), None);
    }

    #[test]
    fn unknown_parents_and_anonymous_pipes_say_nothing() {
        let data =
            [("Image", "C:\\x.exe"), ("ParentImage", "?"), ("LogonId", "0x3e7"), ("User", "-")];
        let Some(Action::ProcessStarted(process)) = sysmon(1, &data) else { panic!("none") };
        assert_eq!((process.parent_image, process.subject.logon_id), (None, Some(999)));
        assert_eq!(sysmon(17, &[("PipeName", "<Anonymous Pipe>")]), None);
        let Some(Action::Pipe { created, name, .. }) = sysmon(18, &[("PipeName", "\\svcctl")])
        else {
            panic!("none");
        };
        assert_eq!((created, &*name), (false, "\\svcctl"));
    }
}
