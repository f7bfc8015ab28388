//! The System log: what the service control manager did, and the clearing of logs.
//!
//! Texts are localised; where a number or the `Binary` field says the same, that is what counts.

use super::event_kind::{EventKind, account, parse_number, raw, said};
use super::event_log::Record;
use crate::host::Action;
use crate::host::config::Start;
use crate::host::event::{ServiceInstall, ServiceNames, Subject};
use crate::text::utf16le_until_nul;

/// The service control manager; the longer name is that of Windows Vista and Server 2008.
const SCM: &[&str] = &["Service Control Manager", "Microsoft-Windows-Service Control Manager"];

/// The events read from the System log.
pub const EVENTS: &[EventKind] = &[
    EventKind {
        id: 7045,
        providers: SCM,
        meaning: "A service was installed; the name is its display name.",
        fields: &["ServiceName", "ImagePath", "ServiceType", "StartType", "AccountName"],
        read: installed,
    },
    EventKind {
        id: 7040,
        providers: SCM,
        meaning: "The start type of a service was changed; the fourth parameter is its key name.",
        fields: &["param1", "param2", "param3", "param4"],
        read: |record| {
            let new = raw(record, "param3");
            Some(Action::StartTypeChanged {
                service: ServiceNames { key: said(record, "param4"), ..named(record, "param1") },
                old: raw(record, "param2"),
                start: start_type(&new),
                new,
            })
        },
    },
    EventKind {
        id: 7036,
        providers: SCM,
        meaning: "A service entered a state; Binary holds its key name and the state.",
        fields: &["param1", "param2", "Binary"],
        read: |record| Some(state_changed(record)),
    },
    EventKind {
        id: 7000,
        providers: SCM,
        meaning: "A service failed to start.",
        fields: &["param1", "param2", "Binary"],
        read: |record| Some(failed(record, "param1", Some("param2"))),
    },
    EventKind {
        id: 7009,
        providers: SCM,
        meaning: "A service did not connect in time; a program that is no service never does.",
        fields: &["param1", "param2", "Binary"],
        read: |record| Some(failed(record, "param2", None)),
    },
    EventKind {
        id: 7011,
        providers: SCM,
        meaning: "A service did not answer in time; the second parameter is its key name.",
        fields: &["param1", "param2"],
        read: |record| {
            let key = key_from_binary(record).or_else(|| said(record, "param2"));
            Some(Action::Failed {
                service: ServiceNames { key, display: None },
                event_id: record.event_id,
                error: None,
            })
        },
    },
    EventKind {
        id: 7022,
        providers: SCM,
        meaning: "A service hung on starting.",
        fields: &["param1", "Binary"],
        read: |record| Some(failed(record, "param1", None)),
    },
    EventKind {
        id: 7023,
        providers: SCM,
        meaning: "A service ended with an error.",
        fields: &["param1", "param2", "Binary"],
        read: |record| Some(failed(record, "param1", Some("param2"))),
    },
    EventKind {
        id: 7024,
        providers: SCM,
        meaning: "A service ended with an error of its own.",
        fields: &["param1", "param2", "Binary"],
        read: |record| Some(failed(record, "param1", Some("param2"))),
    },
    EventKind {
        id: 7026,
        providers: SCM,
        meaning: "Boot or system drivers did not load; the parameter lists their key names.",
        fields: &["param1"],
        read: |record| {
            let drivers: Vec<&str> = record.param(1)?.split_whitespace().collect();
            Some(Action::Failed {
                service: ServiceNames::default(),
                event_id: record.event_id,
                error: Some(drivers.join(" ")),
            })
        },
    },
    EventKind {
        id: 7030,
        providers: SCM,
        meaning: "A service is marked as interactive.",
        fields: &["param1"],
        read: |record| Some(Action::MarkedInteractive { service: named(record, "param1") }),
    },
    EventKind {
        id: 7031,
        providers: SCM,
        meaning: "A service ended unexpectedly and a recovery action follows.",
        fields: &["param1", "param2", "param3", "param4", "Binary"],
        read: |record| {
            Some(Action::Crashed {
                service: named(record, "param1"),
                count: record.param(2).and_then(parse_number),
                recovery: record.param(4).and_then(parse_number),
                delay_ms: record.param(3).and_then(parse_number),
            })
        },
    },
    EventKind {
        id: 7032,
        providers: SCM,
        meaning: "A recovery action of a service failed.",
        fields: &["param3", "param4"],
        read: |record| Some(failed(record, "param3", Some("param4"))),
    },
    EventKind {
        id: 7034,
        providers: SCM,
        meaning: "A service ended unexpectedly and nothing follows.",
        fields: &["param1", "param2", "Binary"],
        read: |record| {
            Some(Action::Crashed {
                service: named(record, "param1"),
                count: record.param(2).and_then(parse_number),
                recovery: None,
                delay_ms: None,
            })
        },
    },
    EventKind {
        id: 7038,
        providers: SCM,
        meaning: "A service could not log on with its account.",
        fields: &["param1", "param2", "param3"],
        read: |record| Some(logon_refused(record)),
    },
    EventKind {
        id: 7041,
        providers: SCM,
        meaning: "The account of a service may not log on as a service.",
        fields: &["param1", "param2"],
        read: |record| Some(logon_refused(record)),
    },
    EventKind {
        id: 12,
        providers: &["Microsoft-Windows-Kernel-General"],
        meaning: "Windows started.",
        fields: &[],
        read: |_| Some(Action::SystemStarted),
    },
    EventKind {
        id: 104,
        providers: &["Microsoft-Windows-Eventlog"],
        meaning: "A log was cleared.",
        fields: &["Channel", "SubjectUserName", "SubjectDomainName"],
        read: |record| {
            let who = account(record, "Subject");
            let sid = who.sid.or_else(|| record.user_sid.clone());
            Some(Action::LogCleared {
                channel: raw(record, "Channel"),
                subject: Subject { sid, ..who },
            })
        },
    },
];

fn installed(record: &Record) -> Option<Action> {
    Some(Action::ServiceInstalled(ServiceInstall {
        service: ServiceNames { key: None, display: Some(record.get("ServiceName")?.to_owned()) },
        image_path: raw(record, "ImagePath"),
        service_type: service_type(&raw(record, "ServiceType")),
        start: start_type(&raw(record, "StartType")),
        account: raw(record, "AccountName"),
        ..ServiceInstall::default()
    }))
}

fn state_changed(record: &Record) -> Action {
    let binary = record.binary.as_deref().map(utf16le_until_nul).unwrap_or_default();
    let (key, state) = match binary.rsplit_once('/') {
        Some((key, state)) => (Some(key.to_owned()), parse_number(state)),
        None => (None, None),
    };
    Action::StateChanged {
        service: ServiceNames { key, ..named(record, "param1") },
        state: state.or_else(|| state_in_words(record.param(2)?)),
    }
}

fn failed(record: &Record, display: &str, error: Option<&str>) -> Action {
    Action::Failed {
        service: named(record, display),
        event_id: record.event_id,
        error: error.and_then(|name| said(record, name)),
    }
}

/// The first parameter is the key name in both: the messages speak of "the %1 service".
fn logon_refused(record: &Record) -> Action {
    Action::LogonRefused {
        service: ServiceNames {
            key: key_from_binary(record).or_else(|| said(record, "param1")),
            display: None,
        },
        account: said(record, "param2"),
        error: said(record, "param3"),
    }
}

/// The display name in a parameter, and the key name where Binary has it.
fn named(record: &Record, display: &str) -> ServiceNames {
    ServiceNames { key: key_from_binary(record), display: said(record, display) }
}

/// Since Windows 8 and Server 2012 the events about one service carry its key name in `Binary`, as UTF-16LE. An older
/// record has an error code there, or nothing.
fn key_from_binary(record: &Record) -> Option<String> {
    let name = utf16le_until_nul(record.binary.as_deref()?);
    let name = name.split_once('/').map_or(name.as_str(), |(key, _)| key);
    let is_name =
        name.chars().count() > 1 && !name.chars().any(|c| c.is_control() || c == '\u{fffd}');
    is_name.then(|| name.to_owned())
}

/// `SERVICE_STATUS.dwCurrentState` of the English words in 7036.
fn state_in_words(text: &str) -> Option<u32> {
    match text.trim() {
        "stopped" => Some(1),
        "running" => Some(4),
        "paused" => Some(7),
        _ => None,
    }
}

/// The start type of the English words in 7045 and 7040; other languages stay text.
fn start_type(text: &str) -> Option<Start> {
    match text.trim() {
        "boot start" => Some(Start::Boot),
        "system start" => Some(Start::System),
        "auto start" => Some(Start::Auto),
        "demand start" => Some(Start::Demand),
        "disabled" => Some(Start::Disabled),
        _ => None,
    }
}

/// The service type of the English words in 7045, which do not tell an own process from a shared one.
fn service_type(text: &str) -> Option<u32> {
    match text.trim() {
        "kernel mode driver" => Some(0x1),
        "file system driver" => Some(0x2),
        "user mode service" => Some(0x10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::event_kind::testing::{action, record};
    use super::*;

    const NAME: &str = "Service Control Manager";

    fn utf16(text: &str) -> Vec<u8> {
        text.encode_utf16().flat_map(u16::to_le_bytes).collect()
    }

    fn names(key: Option<&str>, display: Option<&str>) -> ServiceNames {
        ServiceNames { key: key.map(str::to_owned), display: display.map(str::to_owned) }
    }

    #[test]
    fn an_installation_names_the_display_name() {
        let data = [
            ("ServiceName", "mimikatz driver (mimidrv)"),
            ("ImagePath", "C:\\Tools\\mimidrv.sys"),
            ("ServiceType", "kernel mode driver"),
            ("StartType", "auto start"),
            ("AccountName", ""),
        ];
        let Some(Action::ServiceInstalled(install)) = action(&record(NAME, 7045, &data)) else {
            panic!("no installation");
        };
        assert_eq!(install.service, names(None, Some("mimikatz driver (mimidrv)")));
        assert_eq!((install.service_type, install.start), (Some(1), Some(Start::Auto)));
        assert_eq!((&*install.account, &*install.image_path), ("", "C:\\Tools\\mimidrv.sys"));
    }

    #[test]
    fn localised_words_are_kept_and_not_guessed() {
        let german = [("param1", "Dienst"), ("param2", "Manuell"), ("param3", "Deaktiviert")];
        let data = [&german[..], &[("param4", "Svc")]].concat();
        let expected = Action::StartTypeChanged {
            service: names(Some("Svc"), Some("Dienst")),
            old: "Manuell".to_owned(),
            new: "Deaktiviert".to_owned(),
            start: None,
        };
        assert_eq!(action(&record(NAME, 7040, &data)), Some(expected));
    }

    #[test]
    fn binary_tells_key_and_state_whatever_the_language() {
        for (binary, words, key, state) in [
            (Some(utf16("WerSvc/4\0")), "l\u{e4}uft", Some("WerSvc"), Some(4)),
            (Some(utf16("PSEXESVC/1\0")), "stopped", Some("PSEXESVC"), Some(1)),
            (None, "running", None, Some(4)),
            (None, "beendet", None, None),
        ] {
            let mut one = record(NAME, 7036, &[("param1", "Anzeige"), ("param2", words)]);
            one.binary = binary;
            let service = names(key, Some("Anzeige"));
            assert_eq!(action(&one), Some(Action::StateChanged { service, state }), "{words}");
        }
    }

    #[test]
    fn failures_name_the_service_where_it_stands() {
        for (id, data, binary, service, error) in [
            (
                7000,
                &[("param1", "seg1 display"), ("param2", "%%1053")][..],
                Some(utf16("seg1\0")),
                names(Some("seg1"), Some("seg1 display")),
                Some("%%1053"),
            ),
            (
                7009,
                &[("param1", "30000"), ("param2", "gdKh")],
                Some(utf16("ChzdXvsN\0")),
                names(Some("ChzdXvsN"), Some("gdKh")),
                None,
            ),
            (7009, &[("param1", "30000"), ("param2", "old")], None, names(None, Some("old")), None),
            (
                7011,
                &[("param1", "30000"), ("param2", "Netman")],
                None,
                names(Some("Netman"), None),
                None,
            ),
            (7026, &[("param1", "\r\nCSC\r\ndam")], None, names(None, None), Some("CSC dam")),
            (
                7032,
                &[("param1", "1"), ("param2", "Restart"), ("param3", "Svc"), ("param4", "%%1056")],
                None,
                names(None, Some("Svc")),
                Some("%%1056"),
            ),
        ] {
            let mut one = record(NAME, id, data);
            one.binary = binary;
            let error = error.map(str::to_owned);
            assert_eq!(action(&one), Some(Action::Failed { service, event_id: id, error }));
        }
    }

    #[test]
    fn a_refused_logon_names_the_key_and_the_account() {
        let data = [("param1", "SPTimerV4"), ("param2", "CORP\\farm"), ("param3", "%%1326")];
        let refused = |error: Option<&str>| Action::LogonRefused {
            service: names(Some("SPTimerV4"), None),
            account: Some("CORP\\farm".to_owned()),
            error: error.map(str::to_owned),
        };
        assert_eq!(action(&record(NAME, 7038, &data)), Some(refused(Some("%%1326"))));
        assert_eq!(action(&record(NAME, 7041, &data[..2])), Some(refused(None)));
        let booted = record("Microsoft-Windows-Kernel-General", 12, &[]);
        assert_eq!(action(&booted), Some(Action::SystemStarted));
    }

    #[test]
    fn an_old_binary_is_no_name() {
        let mut one = record(NAME, 7000, &[("param1", "x"), ("param2", "%%2")]);
        for binary in [vec![0x1d, 0x04, 0, 0], vec![], vec![0, 0xd8, 0x41, 0, 0, 0]] {
            one.binary = Some(binary);
            let Some(Action::Failed { service, .. }) = action(&one) else { panic!("no failure") };
            assert_eq!(service, names(None, Some("x")));
        }
    }

    #[test]
    fn a_crash_tells_its_recovery_by_number() {
        let data = [
            ("param1", "Svc"),
            ("param2", "3"),
            ("param3", "60000"),
            ("param4", "3"),
            ("param5", "Programm ausf\u{fc}hren"),
        ];
        let (service, count) = (names(None, Some("Svc")), Some(3));
        let crash = |recovery, delay_ms| Action::Crashed {
            service: service.clone(),
            count,
            recovery,
            delay_ms,
        };
        assert_eq!(action(&record(NAME, 7031, &data)), Some(crash(Some(3), Some(60_000))));
        assert_eq!(action(&record(NAME, 7034, &data[..2])), Some(crash(None, None)));
    }

    #[test]
    fn clearing_names_the_channel_and_the_actor() {
        let data =
            [("SubjectUserName", "bob"), ("SubjectDomainName", "CORP"), ("Channel", "Application")];
        let mut one = record("Microsoft-Windows-Eventlog", 104, &data);
        one.user_sid = Some("S-1-5-21-1-2-3-500".to_owned());
        let Some(Action::LogCleared { channel, subject }) = action(&one) else {
            panic!("no clearing");
        };
        assert_eq!((&*channel, subject.name.as_deref()), ("Application", Some("CORP\\bob")));
        assert_eq!(subject.sid, one.user_sid);
    }
}
