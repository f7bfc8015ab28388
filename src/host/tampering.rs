//! Acts on what is no service's own key and yet decides over services and their records: safe mode, the descriptor of the
//! service control manager, the groups of svchost, what the event log records.
//!
//! Found once for a host, so that no check looks at all events for each service.

use std::collections::BTreeMap;

use super::event::{Action, Event, RegistryChange, RegistryOperation};
use super::image_path::leaf;
use super::service::SERVICE_CONTROL_MANAGER;
use crate::text::fold;

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TamperKind {
    /// A service was entered among those that run in safe mode.
    SafeMode,
    /// The descriptor of the service control manager was set, or remote access to it exempted.
    ManagerOpened,
    /// The event log or the audit policy was told to record less, or a log's file was moved.
    RecordingReduced,
    /// A service was put into a svchost group.
    GroupJoined,
}

/// One act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tampering {
    /// What was done.
    pub kind: TamperKind,
    /// The service it is about, as the event spells it.
    pub service: String,
    /// The command or the value, as logged.
    pub line: String,
    /// Index into [`super::Host::events`].
    pub event: usize,
}

/// The service that stands for what is recorded.
const EVENT_LOG: &str = "EventLog";
/// Longest text that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;
/// Members of a group that one command is taken to enter.
const GROUP_MEMBERS: usize = 256;
/// Channels without which services and their deeds go unrecorded.
const CHANNELS: [&str; 7] = [
    "security",
    "system",
    "microsoft-windows-sysmon/operational",
    "microsoft-windows-powershell/operational",
    "windows powershell",
    "microsoft-windows-windows defender/operational",
    "microsoft-windows-taskscheduler/operational",
];

/// Every such act by the folded name of its service, in order of time.
pub(super) fn tampering(events: &[Event]) -> BTreeMap<String, Vec<Tampering>> {
    let mut found: BTreeMap<String, Vec<Tampering>> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        let seen = match &event.action {
            Action::RegistryChanged(change) => of_change(change),
            Action::ProcessStarted(process) => {
                process.command_line.as_deref().map(of_command).unwrap_or_default()
            }
            Action::Script { text, .. } => of_command(text),
            _ => Vec::new(),
        };
        for (kind, service, line) in seen {
            let one = Tampering { kind, service, line, event: at };
            found.entry(fold(&one.service)).or_default().push(one);
        }
    }
    found
}

type Seen = (TamperKind, String, String);

/// What a write to the registry does. Windows' own setup and servicing write there as part of their work.
fn of_change(change: &RegistryChange) -> Vec<Seen> {
    let set =
        matches!(change.operation, RegistryOperation::ValueSet | RegistryOperation::KeyCreated);
    let servicing =
        ["tiworker.exe", "trustedinstaller.exe", "poqexec.exe", "msiexec.exe", "dism.exe"];
    let writer = leaf(&change.image).to_lowercase();
    if !set || servicing.contains(&writer.as_str()) {
        return Vec::new();
    }
    let data = change.new.as_deref().unwrap_or_default();
    let line = format!("{} = {data}", change.target);
    if let Some(service) = &change.service {
        let moved = fold(service) == "EVENTLOG" && is_moved_log(&change.target, data);
        return if moved {
            vec![(TamperKind::RecordingReduced, EVENT_LOG.to_owned(), line)]
        } else {
            Vec::new()
        };
    }
    of_key(&change.target, data).map(|(kind, service)| (kind, service, line)).into_iter().collect()
}

/// `Security\File` set to another place than the usual one.
fn is_moved_log(target: &str, data: &str) -> bool {
    let data = data.to_lowercase();
    let usual = [r"\system32\winevt\logs\", r"\system32\config\"];
    let file = target.to_lowercase();
    file.ends_with(r"\file")
        && !data.is_empty()
        && !usual.iter().any(|folder| data.contains(folder))
}

/// What setting a value of that path (key and value) to that data does, outside Services.
fn of_key(path: &str, data: &str) -> Option<(TamperKind, String)> {
    let upper = fold(path);
    let manager = || (TamperKind::ManagerOpened, SERVICE_CONTROL_MANAGER.to_owned());
    let log = || (TamperKind::RecordingReduced, EVENT_LOG.to_owned());
    for mode in [r"\SAFEBOOT\MINIMAL\", r"\SAFEBOOT\NETWORK\"] {
        if let Some(at) = upper.find(mode) {
            let rest = path.get(at.saturating_add(mode.len())..)?;
            let name = rest.split('\\').next().unwrap_or_default().trim();
            // Device classes stand there by their GUIDs.
            let named = !name.is_empty() && !name.starts_with('{');
            return named.then(|| (TamperKind::SafeMode, name.to_owned()));
        }
    }
    if upper.contains(r"\CONTROL\SERVICEGROUPORDER\SECURITY")
        || upper.contains("REMOTEACCESSCHECKEXEMPTIONLIST")
        || upper.ends_with(r"\REMOTEACCESSEXEMPTION") && !is_zero(data)
    {
        return Some(manager());
    }
    if upper.contains(r"\CONTROL\MININT") {
        return Some(log());
    }
    let traced = upper.contains(r"\AUTOLOGGER\EVENTLOG-") && upper.ends_with(r"\START");
    let channel = upper.split_once(r"\WINEVT\CHANNELS\").is_some_and(|(_, rest)| {
        let (channel, value) = rest.rsplit_once('\\').unwrap_or((rest, ""));
        value == "ENABLED" && CHANNELS.iter().any(|known| fold(known) == channel)
    });
    ((traced || channel) && is_zero(data)).then(log)
}

fn is_zero(data: &str) -> bool {
    let data = data.trim().to_lowercase();
    matches!(data.as_str(), "0" | "0x0" | "dword (0x00000000)" | "0x00000000")
}

/// What a command line or script does.
fn of_command(text: &str) -> Vec<Seen> {
    if text.len() > LONGEST {
        return Vec::new();
    }
    let lower = text.to_lowercase();
    let has = |word: &str| lower.contains(word);
    let mut found = Vec::new();
    let line = || text.trim().to_owned();
    if has("sdset") && has("scmanager") {
        let manager = SERVICE_CONTROL_MANAGER.to_owned();
        found.push((TamperKind::ManagerOpened, manager, line()));
    }
    if reduces_recording(&lower) {
        found.push((TamperKind::RecordingReduced, EVENT_LOG.to_owned(), line()));
    }
    let adds = has("reg") && has(" add ") || has("new-item") || has("set-item");
    if adds && (has(r"\safeboot\") || has(r"\svchost") || has(r"\control\")) {
        let words = words(text);
        let path = words.iter().find(|word| word.contains('\\') && is_key(word));
        let option = |name: &str| {
            let at = words.iter().position(|word| word.eq_ignore_ascii_case(name))?;
            words.get(at.saturating_add(1)).map(String::as_str)
        };
        let value = option("/v").or_else(|| option("-name")).unwrap_or_default();
        let data = option("/d").or_else(|| option("-value")).unwrap_or_default();
        if let Some(path) = path {
            let whole = if value.is_empty() { path.clone() } else { format!(r"{path}\{value}") };
            found.extend(of_key(&whole, data).map(|(kind, service)| (kind, service, line())));
            if fold(path).ends_with(r"\CURRENTVERSION\SVCHOST") {
                let names = data.split([',', ' ', ';']).flat_map(|one| one.split("\\0"));
                let names = names.map(str::trim).filter(|name| !name.is_empty());
                let names = names.take(GROUP_MEMBERS);
                found.extend(names.map(|name| (TamperKind::GroupJoined, name.to_owned(), line())));
            }
        }
    }
    found
}

/// `wevtutil sl LOG /e:false`, `auditpol /clear`, `auditpol /set … /success:disable`, `reg add …\MiniNt`.
fn reduces_recording(lower: &str) -> bool {
    let set_log =
        lower.contains("wevtutil") && (lower.contains(" sl ") || lower.contains("set-log "));
    let off = ["/e:false", "/enabled:false", "/lfn:", "/logfilename:", "/ca:", "/channelaccess:"];
    let watched = CHANNELS.iter().any(|channel| lower.contains(channel));
    let audit = lower.contains("auditpol")
        && (lower.contains("/clear")
            || lower.contains("/remove")
            || lower.contains("/set") && lower.contains(":disable"));
    set_log && watched && off.iter().any(|option| lower.contains(option)) || audit
}

fn is_key(word: &str) -> bool {
    let upper = fold(word.trim_start_matches("Registry::"));
    ["HKLM", "HKEY_LOCAL_MACHINE", r"\REGISTRY\MACHINE"].iter().any(|root| upper.starts_with(root))
}

/// Words of a command line, quotes taken off.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(open), c) if c == open => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, c) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            (_, c) => word.push(c),
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(line: &str) -> Vec<(TamperKind, String)> {
        of_command(line).into_iter().map(|(kind, service, _)| (kind, service)).collect()
    }

    #[test]
    fn commands_are_told_by_what_they_set() {
        use TamperKind::{GroupJoined, ManagerOpened, RecordingReduced, SafeMode};
        let log = || (RecordingReduced, EVENT_LOG.to_owned());
        let manager = || (ManagerOpened, SERVICE_CONTROL_MANAGER.to_owned());
        for (line, expected) in [
            ("sc.exe sdset scmanager D:(A;;KA;;;WD)", vec![manager()]),
            ("sc.exe sdset Spooler D:(A;;KA;;;WD)", vec![]),
            (
                r#"REG ADD "HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Minimal\Agent" /VE /T REG_SZ /F /D "Service""#,
                vec![(SafeMode, "Agent".to_owned())],
            ),
            (r"reg query HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Minimal\Agent", vec![]),
            (
                r#"reg.exe add "HKLM\Software\Microsoft\Windows NT\CurrentVersion\Svchost" /v TimeService /t REG_MULTI_SZ /d "W64Time" /f"#,
                vec![(GroupJoined, "W64Time".to_owned())],
            ),
            (r#"reg add "HKLM\System\CurrentControlSet\Control\MiniNt""#, vec![log()]),
            ("wevtutil sl Security /e:false", vec![log()]),
            ("wevtutil sl Microsoft-Windows-DNS-Client/Operational /e:true", vec![]),
            ("wevtutil qe Security /c:5", vec![]),
            ("auditpol /clear /y", vec![log()]),
            ("auditpol /set /subcategory:\"Process Creation\" /success:enable", vec![]),
            ("auditpol /get /category:*", vec![]),
            ("notepad.exe", vec![]),
        ] {
            assert_eq!(seen(line), expected, "{line}");
        }
    }

    #[test]
    fn values_are_told_by_their_paths() {
        for (path, data, expected) in [
            (
                r"HKLM\System\CurrentControlSet\Control\SafeBoot\Network\Agent\(Default)",
                "Service",
                Some(TamperKind::SafeMode),
            ),
            (
                r"HKLM\System\CurrentControlSet\Control\SafeBoot\Minimal\{4D36E967-E325-11CE-BFC1-08002BE10318}",
                "",
                None,
            ),
            (
                r"HKLM\System\CurrentControlSet\Control\ServiceGroupOrder\Security\Security",
                "Binary Data",
                Some(TamperKind::ManagerOpened),
            ),
            (r"HKLM\System\CurrentControlSet\Control\ServiceGroupOrder\List", "Binary Data", None),
            (
                r"HKLM\System\CurrentControlSet\Control\RemoteAccessExemption",
                "DWORD (0x00000001)",
                Some(TamperKind::ManagerOpened),
            ),
            (
                r"HKLM\System\CurrentControlSet\Control\RemoteAccessExemption",
                "DWORD (0x00000000)",
                None,
            ),
            (
                r"HKLM\System\CurrentControlSet\Control\WMI\Autologger\EventLog-System\Start",
                "DWORD (0x00000000)",
                Some(TamperKind::RecordingReduced),
            ),
            (
                r"HKLM\System\CurrentControlSet\Control\WMI\Autologger\EventLog-System\Start",
                "DWORD (0x00000001)",
                None,
            ),
            (
                r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels\Microsoft-Windows-Sysmon/Operational\Enabled",
                "DWORD (0x00000000)",
                Some(TamperKind::RecordingReduced),
            ),
            (
                r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels\Microsoft-Windows-Foo/Debug\Enabled",
                "DWORD (0x00000000)",
                None,
            ),
        ] {
            assert_eq!(of_key(path, data).map(|(kind, _)| kind), expected, "{path} {data}");
        }
        assert!(is_moved_log(r"Security\File", r"C:\Windows\Temp\s.evtx"));
        assert!(!is_moved_log(
            r"Security\File",
            r"%SystemRoot%\System32\winevt\Logs\Security.evtx"
        ));
        assert!(!is_moved_log(r"Security\MaxSize", "1"));
    }
}
