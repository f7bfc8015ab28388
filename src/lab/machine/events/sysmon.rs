//! Sysmon's operational log (schema of Sysmon 14).

use jiff::Timestamp;

use super::{event, text};
use crate::lab::Sid;
use crate::lab::evtx::{Event, Payload, Provider, Value};
use crate::lab::machine::process::Process;

const SYSMON: Provider = Provider::Manifest(
    "Microsoft-Windows-Sysmon",
    [0x5f, 0x38, 0x70, 0x57, 0x2a, 0xc2, 0xe0, 0x43, 0xbf, 0x4c, 6, 0xf5, 0x69, 0x8f, 0xfb, 0xd9],
);

type Data = Vec<(&'static str, Value)>;

fn sysmon(id: u16, version: u8, at: Timestamp, data: Data) -> Event {
    let mut event = event(SYSMON, id, at, Payload::Named(data, None));
    event.version = version;
    event.task = id;
    event.keywords = 0x8000_0000_0000_0000;
    event.execution = (2984, 3512);
    event.user = Some(Sid::system());
    event
}

fn utc(at: Timestamp) -> Value {
    Value::Text(at.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string())
}

/// `RuleName`, the event's own fields that come before the process, the process, and the rest.
fn about(at: Timestamp, kind: Option<&str>, process: &Process, rest: Data) -> Data {
    let mut data = vec![("RuleName", text("-"))];
    data.extend(kind.map(|kind| ("EventType", text(kind))));
    data.extend([
        ("UtcTime", utc(at)),
        ("ProcessGuid", Value::Guid(process.guid)),
        ("ProcessId", Value::Dword(process.pid)),
    ]);
    data.extend(rest);
    data
}

fn image(process: &Process) -> (&'static str, Value) {
    ("Image", text(&process.image))
}

fn user(process: &Process) -> (&'static str, Value) {
    ("User", Value::Text(process.session.account.full_name()))
}

/// 1: a process was created.
pub(in crate::lab::machine) fn process_created(
    at: Timestamp,
    parent: &Process,
    process: &Process,
) -> Event {
    let rest = vec![
        image(process),
        ("FileVersion", text("-")),
        ("Description", text("-")),
        ("Product", text("-")),
        ("Company", text("-")),
        ("OriginalFileName", text("-")),
        ("CommandLine", text(&process.command)),
        ("CurrentDirectory", text(r"C:\Windows\system32\")),
        user(process),
        ("LogonGuid", Value::Guid(process.logon_guid())),
        ("LogonId", Value::Hex64(process.session.logon_id)),
        ("TerminalSessionId", Value::Dword(u32::from(process.session.logon_id > 0x3e7))),
        ("IntegrityLevel", text(process.integrity_name())),
        ("Hashes", Value::Text(format!("SHA256={}", process.hash()))),
        ("ParentProcessGuid", Value::Guid(parent.guid)),
        ("ParentProcessId", Value::Dword(parent.pid)),
        ("ParentImage", text(&parent.image)),
        ("ParentCommandLine", text(&parent.command)),
        ("ParentUser", Value::Text(parent.session.account.full_name())),
    ];
    sysmon(1, 5, at, about(at, None, process, rest))
}

/// 3: a connection was made.
pub(in crate::lab::machine) fn connected(
    at: Timestamp,
    process: &Process,
    (source, source_host, source_port): (&str, &str, u16),
    (destination, host, port): (&str, Option<&str>, u16),
) -> Event {
    let rest = vec![
        image(process),
        user(process),
        ("Protocol", text("tcp")),
        ("Initiated", Value::Bool(true)),
        ("SourceIsIpv6", Value::Bool(false)),
        ("SourceIp", text(source)),
        ("SourceHostname", text(source_host)),
        ("SourcePort", Value::Word(source_port)),
        ("SourcePortName", text("-")),
        ("DestinationIsIpv6", Value::Bool(false)),
        ("DestinationIp", text(destination)),
        ("DestinationHostname", text(host.unwrap_or("-"))),
        ("DestinationPort", Value::Word(port)),
        ("DestinationPortName", text(if port == 443 { "https" } else { "-" })),
    ];
    sysmon(3, 5, at, about(at, None, process, rest))
}

/// 6: a driver was loaded, by nobody in particular.
pub(in crate::lab::machine) fn driver_loaded(
    at: Timestamp,
    path: &str,
    hash: &str,
    signature: Option<&str>,
) -> Event {
    let data = vec![
        ("RuleName", text("-")),
        ("UtcTime", utc(at)),
        ("ImageLoaded", text(path)),
        ("Hashes", Value::Text(format!("SHA256={hash}"))),
        ("Signed", text(if signature.is_some() { "true" } else { "false" })),
        ("Signature", text(signature.unwrap_or("-"))),
        ("SignatureStatus", text(if signature.is_some() { "Valid" } else { "Unavailable" })),
    ];
    sysmon(6, 4, at, data)
}

/// 11: a file was created.
pub(in crate::lab::machine) fn file_created(at: Timestamp, process: &Process, path: &str) -> Event {
    let rest = vec![
        image(process),
        ("TargetFilename", text(path)),
        ("CreationUtcTime", utc(at)),
        user(process),
    ];
    sysmon(11, 2, at, about(at, None, process, rest))
}

/// 12: a key was created or deleted (`CreateKey`, `DeleteKey`).
pub(in crate::lab::machine) fn key_changed(
    at: Timestamp,
    process: &Process,
    kind: &str,
    key: &str,
) -> Event {
    let rest = vec![image(process), ("TargetObject", text(key)), user(process)];
    sysmon(12, 2, at, about(at, Some(kind), process, rest))
}

/// 13: a value was set.
pub(in crate::lab::machine) fn value_set(
    at: Timestamp,
    process: &Process,
    value: &str,
    details: String,
) -> Event {
    let rest = vec![
        image(process),
        ("TargetObject", text(value)),
        ("Details", Value::Text(details)),
        user(process),
    ];
    sysmon(13, 2, at, about(at, Some("SetValue"), process, rest))
}

/// 17: a named pipe was created.
pub(in crate::lab::machine) fn pipe_created(at: Timestamp, process: &Process, pipe: &str) -> Event {
    let rest = vec![("PipeName", text(pipe)), image(process), user(process)];
    sysmon(17, 1, at, about(at, Some("CreatePipe"), process, rest))
}

/// 22: a name was looked up.
pub(in crate::lab::machine) fn name_looked_up(
    at: Timestamp,
    process: &Process,
    name: &str,
    address: &str,
) -> Event {
    let rest = vec![
        ("QueryName", text(name)),
        ("QueryStatus", text("0")),
        ("QueryResults", Value::Text(format!("::ffff:{address};"))),
        image(process),
        user(process),
    ];
    sysmon(22, 5, at, about(at, None, process, rest))
}
