//! The System log: service control manager, event log service, kernel.

use jiff::Timestamp;

use super::{EVENT_LOG, EVENT_LOG_SCHEMA, event, text};
use crate::lab::Sid;
use crate::lab::bytes::{utf16, utf16_z};
use crate::lab::evtx::{Event, Payload, Provider, Value};
use crate::lab::machine::account::Account;

const MANAGER: Provider =
    Provider::Source("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}");
const KERNEL: Provider = Provider::Manifest(
    "Microsoft-Windows-Kernel-General",
    [0xb7, 0xa8, 0x8c, 0xa6, 0x4f, 0, 0xb6, 0xd7, 0xa6, 0x98, 7, 0xe2, 0xde, 0x0f, 0x1f, 0x5d],
);
/// Process id of services.exe in the `Execution` element; threads differ.
pub(in crate::lab::machine) const MANAGER_PID: u32 = 712;

/// An event of the service control manager: information (qualifier 0x4000) or error (0xC000).
fn manager(id: u16, error: bool, time: Timestamp, payload: Payload) -> Event {
    let mut event = event(MANAGER, id, time, payload);
    event.qualifiers = Some(if error { 0xC000 } else { 0x4000 });
    event.level = if error { 2 } else { 4 };
    event.keywords = 0x8080_0000_0000_0000;
    event.execution = (MANAGER_PID, 3336);
    event
}

/// What 7045 tells about a new service.
pub(in crate::lab::machine) struct Installed<'a> {
    /// The display name: 7045 does not know the key name.
    pub(in crate::lab::machine) display_name: &'a str,
    pub(in crate::lab::machine) image_path: &'a str,
    pub(in crate::lab::machine) kind: &'a str,
    pub(in crate::lab::machine) start: &'a str,
    /// Empty for drivers.
    pub(in crate::lab::machine) account: &'a str,
}

/// 7045: a service was installed.
pub(in crate::lab::machine) fn service_installed(
    at: Timestamp,
    by: &Sid,
    service: &Installed<'_>,
) -> Event {
    let data = vec![
        ("ServiceName", text(service.display_name)),
        ("ImagePath", text(service.image_path)),
        ("ServiceType", text(service.kind)),
        ("StartType", text(service.start)),
        ("AccountName", text(service.account)),
    ];
    let mut event = manager(7045, false, at, Payload::Named(data, None));
    event.user = Some(by.clone());
    event
}

/// 7040: a start type was changed.
pub(in crate::lab::machine) fn start_changed(
    at: Timestamp,
    by: &Sid,
    (service, display_name): (&str, &str),
    (old, new): (&str, &str),
) -> Event {
    let data = vec![
        ("param1", text(display_name)),
        ("param2", text(old)),
        ("param3", text(new)),
        ("param4", text(service)),
    ];
    let mut event = manager(7040, false, at, Payload::Named(data, None));
    event.user = Some(by.clone());
    event
}

/// 7036: a service entered a state; `Binary` holds its key name and the state's number.
pub(in crate::lab::machine) fn state_changed(
    at: Timestamp,
    (service, display_name): (&str, &str),
    running: bool,
) -> Event {
    let (state, number) = if running { ("running", 4) } else { ("stopped", 1) };
    let data = vec![("param1", text(display_name)), ("param2", text(state))];
    let binary = utf16_z(&format!("{service}/{number}"));
    manager(7036, false, at, Payload::Named(data, Some(binary)))
}

/// 7009: a service did not connect in time.
pub(in crate::lab::machine) fn timed_out(
    at: Timestamp,
    (service, display_name): (&str, &str),
) -> Event {
    let data = vec![("param1", text("30000")), ("param2", text(display_name))];
    manager(7009, true, at, Payload::Named(data, Some(utf16_z(service))))
}

/// 7000: a service did not start for this Windows error; 1053 is no answer in time.
pub(in crate::lab::machine) fn start_failed(
    at: Timestamp,
    (service, display_name): (&str, &str),
    error: u32,
) -> Event {
    let data = vec![("param1", text(display_name)), ("param2", Value::Text(format!("%%{error}")))];
    manager(7000, true, at, Payload::Named(data, Some(utf16_z(service))))
}

/// 7023: a service ended with this Windows error.
pub(in crate::lab::machine) fn ended_with(
    at: Timestamp,
    (service, display_name): (&str, &str),
    error: u32,
) -> Event {
    let data = vec![("param1", text(display_name)), ("param2", Value::Text(format!("%%{error}")))];
    manager(7023, true, at, Payload::Named(data, Some(utf16_z(service))))
}

/// 7031 (a recovery action follows) or 7034 (none does): a service ended unexpectedly.
///
/// The action is its number, its delay in milliseconds and its text.
pub(in crate::lab::machine) fn crashed(
    at: Timestamp,
    display_name: &str,
    times: u32,
    action: Option<(u32, u32, &str)>,
) -> Event {
    let mut data = vec![("param1", text(display_name)), ("param2", Value::Text(times.to_string()))];
    let Some((kind, delay, words)) = action else {
        return manager(7034, true, at, Payload::Named(data, None));
    };
    data.extend([
        ("param3", Value::Text(delay.to_string())),
        ("param4", Value::Text(kind.to_string())),
        ("param5", text(words)),
    ]);
    manager(7031, true, at, Payload::Named(data, None))
}

/// 7026: boot drivers that did not load.
pub(in crate::lab::machine) fn drivers_not_loaded(at: Timestamp, drivers: &[&str]) -> Event {
    let list = format!("\r\n{}", drivers.join("\r\n"));
    manager(7026, true, at, Payload::Named(vec![("param1", Value::Text(list))], None))
}

/// 104: a log other than Security was cleared.
pub(in crate::lab::machine) fn log_cleared(at: Timestamp, by: &Account, channel: &str) -> Event {
    let payload = Payload::User {
        element: "LogFileCleared",
        namespace: EVENT_LOG_SCHEMA,
        values: vec![
            ("SubjectUserName", text(&by.name)),
            ("SubjectDomainName", text(&by.domain)),
            ("Channel", text(channel)),
            ("BackupPath", text("")),
        ],
    };
    let mut event = event(EVENT_LOG, 104, at, payload);
    event.task = 104;
    event.keywords = 0x8000_0000_0000_0000;
    event.execution = (1128, 1912);
    event.user = Some(by.sid.clone());
    event
}

/// 6005 or 6006: the event log service started or stopped.
pub(in crate::lab::machine) fn event_log_service(at: Timestamp, started: bool) -> Event {
    let id = if started { 6005 } else { 6006 };
    let mut event = event(
        Provider::Classic("EventLog"),
        id,
        at,
        Payload::Unnamed(Vec::new(), Some(utf16("\u{7e6}"))),
    );
    event.qualifiers = Some(0x8000);
    event.keywords = 0x80_0000_0000_0000;
    event
}

/// 12: the system started.
pub(in crate::lab::machine) fn booted(at: Timestamp, build: u32, revision: u32) -> Event {
    let data = vec![
        ("MajorVersion", Value::Dword(10)),
        ("MinorVersion", Value::Dword(0)),
        ("BuildVersion", Value::Dword(build)),
        ("QfeVersion", Value::Dword(revision)),
        ("ServiceVersion", Value::Dword(0)),
        ("BootMode", Value::Dword(0)),
        ("StartTime", Value::Time(at)),
    ];
    let mut event = event(KERNEL, 12, at, Payload::Named(data, None));
    event.task = 1;
    event.keywords = 0x8000_0000_0000_0080;
    event.execution = (4, 8);
    event.user = Some(Sid::system());
    event
}

/// 13: the system is shutting down.
pub(in crate::lab::machine) fn shut_down(at: Timestamp) -> Event {
    let data = vec![("StopTime", Value::Time(at))];
    let mut event = event(KERNEL, 13, at, Payload::Named(data, None));
    event.task = 2;
    event.keywords = 0x8000_0000_0000_0080;
    event.execution = (4, 3736);
    event
}
