//! Events that show protection, safe mode or the recording of events being tampered with, whatever the registry says
//! now.

use super::{IMPAIR, LOGGING};
use crate::checklist::basis::CHANGE_LOGS;
use crate::checklist::knowledge::protection;
use crate::checklist::knowledge::security::guard;
use crate::checklist::staging::{command, no, set, unknown, value_deleted, yes};
use crate::checklist::story::{clip, commands, line, sets, tampered, writes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, renumbered, technique};
use crate::host::Event;
use crate::host::event::RegistryOperation;
use crate::host::service_command::Verb;
use crate::host::tampering::TamperKind;
use crate::text::same_name;
use crate::time::format_short;

const REG: &str = r"C:\Windows\System32\reg.exe";
const CMD: &str = r"C:\Windows\System32\cmd.exe";

pub(super) const UNPROTECTED_BY: Indicator = Indicator {
    id: "D09",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show its protection as a process (LaunchProtected) being removed or lowered?",
    why: "At its next start anybody with administrators' rights can open, stop and inject into the process that protects \
          the host; the value may be back by the time the hive is taken.",
    innocent: "None known: setups set the value, and only tampering removes it.",
    verify: &[
        "Sysmon 12 and 13, 4657 for …\\LaunchProtected: Image, User and data",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v LaunchProtected",
    ],
    attack: &[IMPAIR, technique("T1112")],
    weight: 30,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["winsvc.h: SERVICE_LAUNCH_PROTECTED_*", "Measured levels: D03"],
    since: "0.1.0",
    check: &|scope| {
        let name = &scope.service.name;
        let expected = protection::expected(name).map(|expected| expected.level);
        if expected.is_none() && guard(name).is_none() {
            return None;
        }
        let lowered = |data: &str| {
            data.trim().is_empty()
                || number(data).is_some_and(|level| level < expected.unwrap_or(1))
        };
        let (event, by) = lowering(scope, &lowered)?;
        let because = format!("At {} `{by}` lowered LaunchProtected.", format_short(event.time));
        Some(Hit::new(because, event.citation.clone()))
    },
    examples: &[
        yes("reg add LaunchProtected 0", || {
            let line = r"reg add HKLM\SYSTEM\CurrentControlSet\Services\WinDefend /v LaunchProtected /t REG_DWORD /d 0 /f";
            Scene::ghost("WinDefend").event(0, command(REG, line, CMD))
        }),
        yes("the value deleted", || {
            Scene::hosted("WinDefend").event(0, value_deleted("WinDefend", "LaunchProtected", REG))
        }),
        no("Defender's setup sets it", || {
            let setup = r"C:\Program Files\Windows Defender\MpCmdRun.exe";
            Scene::hosted("WinDefend")
                .event(0, set("WinDefend", "LaunchProtected", "DWORD (0x00000003)", setup))
        }),
        unknown("nothing records commands or registry writes", || Scene::service("WinDefend")),
    ],
};

/// The event in which the value was deleted or set lower, and what did it.
fn lowering<'a>(scope: &Scope<'a>, lowered: &dyn Fn(&str) -> bool) -> Option<(&'a Event, String)> {
    let by_write = writes(scope).find_map(|(event, change)| {
        let deleted = change.operation == RegistryOperation::ValueDeleted
            && same_name(&change.target, "LaunchProtected");
        let set = sets(change, "LaunchProtected").is_some_and(lowered);
        (deleted || set).then(|| (event, clip(&change.image)))
    });
    by_write.or_else(|| {
        commands(scope).find_map(|(event, command)| {
            let lower = command.verb == Verb::Configure
                && command.change("LaunchProtected").is_some_and(lowered);
            lower.then(|| (event, line(event)))
        })
    })
}

/// `3`, `0x3`, `DWORD (0x00000003)`.
fn number(data: &str) -> Option<u32> {
    let data = data.trim();
    let hex = data
        .strip_prefix("DWORD (")
        .and_then(|rest| rest.strip_suffix(')'))
        .unwrap_or(data)
        .strip_prefix("0x");
    match hex {
        Some(hex) => u32::from_str_radix(hex, 16).ok(),
        None => data.parse().ok(),
    }
}

pub(super) const SAFE_MODE_BY: Indicator = Indicator {
    id: "D10",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show it being entered among the services that run in safe mode?",
    why: "Ransomware enters its service there, restarts into safe mode, where protection does not run, and encrypts.",
    innocent: "Disk encryption, backup and remote support tools enter themselves when they are installed.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot /s /f <name>",
        "bcdedit in 4688 and Sysmon 1: was safeboot set near that time?",
    ],
    attack: &[renumbered("T1562.009", "T1688"), technique("T1112")],
    weight: 25,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &[
        "SigmaHQ d7662ff6-9e97-4596-a61d-9839e32dee8d, 1547e27c-3974-43e2-a7d7-7f484fb928ec",
        "Atomic Red Team T1112-34, -35",
    ],
    since: "0.1.0",
    check: &|scope| {
        let name = &scope.service.name;
        let file = name.strip_suffix(".sys").unwrap_or(name);
        if scope.windows().service(file).is_some() || guard(file).is_some() {
            return None;
        }
        let (one, event) = tampered(scope, TamperKind::SafeMode).next()?;
        let because = format!("At {}: `{}`.", format_short(event.time), clip(&one.line));
        Some(Hit::new(because, event.citation.clone()))
    },
    examples: &[
        yes("reg add below SafeBoot", || {
            let line = r"reg add HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Network\Agent /ve /d Service /f";
            Scene::service("Agent").event(0, command(REG, line, CMD))
        }),
        no("an antivirus enters itself", || {
            let line = r"reg add HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Minimal\ekrn /ve /d Service /f";
            Scene::service("ekrn").event(0, command(REG, line, CMD))
        }),
        no("the entries were only listed", || {
            let line = r"reg query HKLM\SYSTEM\CurrentControlSet\Control\SafeBoot\Minimal\Agent";
            Scene::service("Agent").event(0, command(REG, line, CMD))
        }),
        unknown("nothing records commands or registry writes", || Scene::service("Agent")),
    ],
};

pub(super) const RECORDING_REDUCED: Indicator = Indicator {
    id: "D11",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show the event log or the audit policy being told to record less?",
    why: "A channel switched off, a log moved or an audit policy cleared leaves the rest of an intrusion without records, \
          while the service looks healthy.",
    innocent: "Administrators who move logs to a drive of their own; hardening scripts that set a whole audit policy.",
    verify: &[
        "auditpol /get /category:* (live), wevtutil gl Security",
        "What is the last record of the channel, and what ran after it?",
    ],
    attack: &[LOGGING, technique("T1112")],
    weight: 20,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &[
        "SigmaHQ 4f281b83-0200-4b34-bf35-d24687ea57c2",
        "Atomic Red Team T1685.001-8, -9, -10",
        "Microsoft Learn: wevtutil, auditpol",
    ],
    since: "0.1.0",
    check: &|scope| {
        let (one, event) = tampered(scope, TamperKind::RecordingReduced).next()?;
        let because = format!("At {}: `{}`.", format_short(event.time), clip(&one.line));
        Some(Hit::new(because, event.citation.clone()))
    },
    examples: &[
        yes("the Security channel switched off", || {
            let tool = r"C:\Windows\System32\wevtutil.exe";
            Scene::hosted("EventLog").event(0, command(tool, "wevtutil sl Security /e:false", CMD))
        }),
        yes("the audit policy cleared", || {
            let tool = r"C:\Windows\System32\auditpol.exe";
            Scene::hosted("EventLog").event(0, command(tool, "auditpol /clear /y", CMD))
        }),
        no("a debug channel switched on", || {
            let tool = r"C:\Windows\System32\wevtutil.exe";
            let line = "wevtutil sl Microsoft-Windows-DNS-Client/Operational /e:true";
            Scene::hosted("EventLog").event(0, command(tool, line, CMD))
        }),
        no("an audit policy that records more", || {
            let tool = r"C:\Windows\System32\auditpol.exe";
            let line = "auditpol /set /subcategory:\"Process Creation\" /success:enable";
            Scene::hosted("EventLog").event(0, command(tool, line, CMD))
        }),
        unknown("nothing records commands or registry writes", || Scene::hosted("EventLog")),
    ],
};
