//! The Security log.

use jiff::Timestamp;

use super::{EVENT_LOG, EVENT_LOG_SCHEMA, event, pid, text};
use crate::lab::evtx::{Event, Payload, Provider, Value};
use crate::lab::machine::account::{Account, Session};
use crate::lab::machine::process::Process;
use crate::lab::scenario::Protocol;

const AUDITING: Provider = Provider::Manifest(
    "Microsoft-Windows-Security-Auditing",
    [0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 3, 0x28, 0xc3, 0x0d],
);
const LSASS: u32 = 748;
const NO_GUID: Value = Value::Guid([0; 16]);
/// `%%14593`: outbound; `%%14611`: the connect layer.
const OUTBOUND: (&str, &str) = ("%%14593", "%%14611");

type Data = Vec<(&'static str, Value)>;

/// An audit event: id, version and task; success keyword.
fn audit((id, version, task): (u16, u8, u16), at: Timestamp, data: Data) -> Event {
    let mut event = event(AUDITING, id, at, Payload::Named(data, None));
    event.version = version;
    event.level = 0;
    event.task = task;
    event.keywords = 0x8020_0000_0000_0000;
    event.execution = (4, 264);
    event
}

fn subject(session: &Session) -> Data {
    vec![
        ("SubjectUserSid", Value::Sid(session.account.sid.clone())),
        ("SubjectUserName", text(&session.account.name)),
        ("SubjectDomainName", text(&session.account.domain)),
        ("SubjectLogonId", Value::Hex64(session.logon_id)),
    ]
}

/// 4624: an account logged on. Network logons have no subject; others are made by the host itself.
pub(in crate::lab::machine) fn logged_on(
    at: Timestamp,
    host: &Session,
    session: &Session,
    (kind, protocol): (u32, Protocol),
    from: Option<&str>,
) -> Event {
    let network = kind == 3;
    let ntlm = network && protocol == Protocol::Ntlm;
    let nobody = Session { account: Account::nobody(), logon_id: 0 };
    let (process, package) = match kind {
        3 if ntlm => ("NtLmSsp ", "NTLM"),
        3 => ("Kerberos", "Kerberos"),
        5 => ("Advapi  ", "Negotiate"),
        _ => ("User32 ", "Negotiate"),
    };
    let mut data = subject(if network { &nobody } else { host });
    data.extend([
        ("TargetUserSid", Value::Sid(session.account.sid.clone())),
        ("TargetUserName", text(&session.account.name)),
        ("TargetDomainName", text(&session.account.domain)),
        ("TargetLogonId", Value::Hex64(session.logon_id)),
        ("LogonType", Value::Dword(kind)),
        ("LogonProcessName", text(process)),
        ("AuthenticationPackageName", text(package)),
        ("WorkstationName", text(if network { "-" } else { &host.account.domain })),
        ("LogonGuid", NO_GUID),
        ("TransmittedServices", text("-")),
        ("LmPackageName", text(if ntlm { "NTLM V2" } else { "-" })),
        ("KeyLength", Value::Dword(if ntlm { 128 } else { 0 })),
        ("ProcessId", Value::Hex64(if network { 0 } else { 712 })),
        ("ProcessName", text(if network { "-" } else { r"C:\Windows\System32\services.exe" })),
        ("IpAddress", text(from.unwrap_or("-"))),
        ("IpPort", text(if from.is_some() { "49733" } else { "-" })),
        ("ImpersonationLevel", text("%%1833")),
        ("RestrictedAdminMode", text("-")),
        ("TargetOutboundUserName", text("-")),
        ("TargetOutboundDomainName", text("-")),
        ("VirtualAccount", text("%%1843")),
        ("TargetLinkedLogonId", Value::Hex64(0)),
        ("ElevatedToken", text("%%1842")),
    ]);
    let mut event = audit((4624, 2, 12544), at, data);
    event.execution = (LSASS, 792);
    event
}

/// 4672: the new logon has special privileges.
pub(in crate::lab::machine) fn privileges_assigned(at: Timestamp, session: &Session) -> Event {
    let mut data = subject(session);
    let list =
        ["SeSecurityPrivilege", "SeBackupPrivilege", "SeRestorePrivilege", "SeDebugPrivilege"];
    data.push(("PrivilegeList", Value::Text(list.join("\r\n\t\t\t"))));
    let mut event = audit((4672, 0, 12548), at, data);
    event.execution = (LSASS, 792);
    event
}

/// 4688: a process was created. `ProcessId` is the creator's.
pub(in crate::lab::machine) fn process_created(
    at: Timestamp,
    creator: &Session,
    parent: &Process,
    process: &Process,
) -> Event {
    let other = creator.logon_id != process.session.logon_id;
    let (sid, logon) = if other {
        (process.session.account.sid.clone(), process.session.logon_id)
    } else {
        (Account::nobody().sid, 0)
    };
    let (name, domain) = if other {
        (process.session.account.name.as_str(), process.session.account.domain.as_str())
    } else {
        ("-", "-")
    };
    let mut data = subject(creator);
    data.extend([
        ("NewProcessId", pid(process)),
        ("NewProcessName", text(&process.image)),
        ("TokenElevationType", text("%%1936")),
        ("ProcessId", pid(parent)),
        ("CommandLine", text(&process.command)),
        ("TargetUserSid", Value::Sid(sid)),
        ("TargetUserName", text(name)),
        ("TargetDomainName", text(domain)),
        ("TargetLogonId", Value::Hex64(logon)),
        ("ParentProcessName", text(&parent.image)),
        ("MandatoryLabel", Value::Sid(process.integrity())),
    ]);
    audit((4688, 2, 13312), at, data)
}

/// 4697: a service was installed, under its key name.
pub(in crate::lab::machine) fn service_installed(
    at: Timestamp,
    by: &Session,
    (service, image_path, account): (&str, &str, &str),
    (kind, start): (u32, u32),
) -> Event {
    let mut data = subject(by);
    data.extend([
        ("ServiceName", text(service)),
        ("ServiceFileName", text(image_path)),
        ("ServiceType", Value::Hex32(kind)),
        ("ServiceStartType", Value::Dword(start)),
        ("ServiceAccount", text(account)),
    ]);
    let mut event = audit((4697, 0, 12289), at, data);
    event.execution = (LSASS, 792);
    event
}

/// 4657: a registry value was changed. Types are message codes, the key is named as the kernel names it.
pub(in crate::lab::machine) fn value_changed(
    at: Timestamp,
    process: &Process,
    (key, value): (&str, &str),
    (old_type, old): (&str, &str),
    (new_type, new): (&str, &str),
) -> Event {
    let mut data = subject(&process.session);
    let operation = if old_type == "-" { "%%1904" } else { "%%1905" };
    data.extend([
        ("ObjectName", text(key)),
        ("ObjectValueName", text(value)),
        ("HandleId", Value::Hex64(0x1b8)),
        ("OperationType", text(operation)),
        ("OldValueType", text(old_type)),
        ("OldValue", text(old)),
        ("NewValueType", text(new_type)),
        ("NewValue", text(new)),
        ("ProcessId", pid(process)),
        ("ProcessName", text(&process.image)),
    ]);
    audit((4657, 0, 12801), at, data)
}

/// 5145: a file or pipe of a share was checked for access.
pub(in crate::lab::machine) fn share_accessed(
    at: Timestamp,
    by: &Session,
    from: &str,
    (share, path, target): (&str, &str, &str),
) -> Event {
    let mut data = subject(by);
    data.extend([
        ("ObjectType", text("File")),
        ("IpAddress", text(from)),
        ("IpPort", text("49733")),
        ("ShareName", text(share)),
        ("ShareLocalPath", text(path)),
        ("RelativeTargetName", text(target)),
        ("AccessMask", Value::Hex32(0x0012_019f)),
        (
            "AccessList",
            text("%%1538\r\n\t\t\t\t%%1541\r\n\t\t\t\t%%4416\r\n\t\t\t\t%%4417\r\n\t\t\t\t"),
        ),
        ("AccessReason", text("-")),
    ]);
    audit((5145, 0, 12811), at, data)
}

/// 5156: an outbound connection was permitted. The program is a device path in lower case.
pub(in crate::lab::machine) fn connected(
    at: Timestamp,
    process: &Process,
    (source, source_port): (&str, u16),
    (destination, port): (&str, u16),
) -> Event {
    let program = process.image.to_lowercase().replacen("c:", r"\device\harddiskvolume2", 1);
    let data = vec![
        ("ProcessID", Value::Qword(u64::from(process.pid))),
        ("Application", Value::Text(program)),
        ("Direction", text(OUTBOUND.0)),
        ("SourceAddress", text(source)),
        ("SourcePort", Value::Text(source_port.to_string())),
        ("DestAddress", text(destination)),
        ("DestPort", Value::Text(port.to_string())),
        ("Protocol", Value::Dword(6)),
        ("FilterRTID", Value::Qword(66_838)),
        ("LayerName", text(OUTBOUND.1)),
        ("LayerRTID", Value::Qword(48)),
        ("RemoteUserID", Value::Sid(Account::nobody().sid)),
        ("RemoteMachineID", Value::Sid(Account::nobody().sid)),
    ];
    audit((5156, 1, 12810), at, data)
}

/// 1102: the Security log was cleared.
pub(in crate::lab::machine) fn log_cleared(at: Timestamp, by: &Session) -> Event {
    let payload = Payload::User {
        element: "LogFileCleared",
        namespace: EVENT_LOG_SCHEMA,
        values: subject(by),
    };
    let mut event = event(EVENT_LOG, 1102, at, payload);
    event.task = 104;
    event.keywords = 0x4020_0000_0000_0000;
    event.execution = (1128, 1912);
    event
}

/// 1100: the event log service stopped.
pub(in crate::lab::machine) fn event_log_stopped(at: Timestamp) -> Event {
    let payload = Payload::User {
        element: "ServiceShutdown",
        namespace: EVENT_LOG_SCHEMA,
        values: Vec::new(),
    };
    let mut event = event(EVENT_LOG, 1100, at, payload);
    event.task = 103;
    event.keywords = 0x4020_0000_0000_0000;
    event.execution = (1128, 1912);
    event
}
