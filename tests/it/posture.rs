//! What a host was set up to record and to forbid, from its hives to the report, and what that makes of silence.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test may stop at a surprise")]
#![expect(clippy::disallowed_methods, reason = "the tests make their own evidence")]

use std::fs;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};
use svctriage::artifact::{self, Reading};
use svctriage::diagnostic::Impact;
use svctriage::evidence;
use svctriage::host::coverage::{ClearingEvidence, GapReason};
use svctriage::host::posture::{Effect, Posture};
use svctriage::host::{Fact, Origin, Place, Provenance, State};
use svctriage::lab::evtx::{Log, Payload, Provider, State as LogState, Value};
use svctriage::lab::regf::log::{Entry, new_format};
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use svctriage::report::HostReport;
use tempfile::TempDir;

use crate::support::corpus::corpus_file;
use crate::support::lab::{event, start};
use crate::support::scan::scan_one;

const CONFIG: &str = "Windows/System32/config";
const LOGS: &str = "Windows/System32/winevt/Logs";
/// Self-relative, present and null DACL.
const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const AUDIT: Provider = Provider::Manifest(
    "Microsoft-Windows-Security-Auditing",
    [
        0x25, 0x96, 0x84, 0x54, 0x78, 0x54, 0x94, 0x49, 0xa5, 0xba, 0x3e, 0x3b, 0x03, 0x28, 0xc3,
        0x0d,
    ],
);
const SCM: Provider =
    Provider::Source("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}");
const EVENT_LOG: Provider =
    Provider::Service("Microsoft-Windows-Eventlog", "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}");

fn after(seconds: i64) -> Timestamp {
    start() + SignedDuration::from_secs(seconds)
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn read(root: &Path) -> Reading {
    let opened = evidence::open(&[root.to_owned()], &evidence::Options::default());
    assert!(opened.errors.is_empty() && opened.hosts.len() == 1, "{:?}", opened.errors);
    artifact::read(opened.hosts[0].as_ref(), &())
}

fn posture(reading: &Reading) -> Vec<&Posture> {
    let facts = reading.facts.iter().filter_map(|fact| match fact {
        Fact::Posture(posture) => Some(posture),
        _ => None,
    });
    facts.collect()
}

fn find<'a>(settings: impl IntoIterator<Item = &'a Posture>, id: &str) -> &'a Posture {
    settings.into_iter().find(|one| one.setting == id).unwrap()
}

/// An audit policy of Windows 10 with these subcategories on, by their place in the whole list.
fn audit_policy(on: &[usize]) -> Vec<u8> {
    let mut data = vec![0, 1, 0, 0, 9, 0, 0, 0, 0x84, 0, 0, 0];
    for place in 0..60 {
        data.extend(u16::from(on.contains(&place)).to_le_bytes());
    }
    for count in [5_u16, 11, 14, 3, 6, 6, 6, 4, 4] {
        data.extend(count.to_le_bytes());
    }
    data
}

fn security(policy: Vec<u8>) -> Hive {
    let mut hive = Hive::new("ROOT", EVERYBODY, start());
    hive.create(r"Policy\PolRevision", start());
    let key = hive.create(r"Policy\PolAdtEv", start());
    hive.set(key, "", &Data::Raw(0, policy), start());
    hive
}

fn closed(mut hive: Hive) -> Vec<u8> {
    hive.to_bytes(&BaseBlock::clean("SECURITY", 7))
}

const SPECIAL_LOGON: usize = 9;
const PROCESS_CREATION: usize = 33;

#[test]
fn an_audit_policy_stands_in_its_hive_and_in_that_hives_log() {
    let root = TempDir::new().unwrap();
    let mut hive = security(audit_policy(&[SPECIAL_LOGON]));
    let base = BaseBlock::clean("SECURITY", 7).dirty();
    let primary = hive.to_bytes(&base);
    let key = hive.find(r"Policy\PolAdtEv").unwrap();
    let changed = audit_policy(&[SPECIAL_LOGON, PROCESS_CREATION]);
    hive.set(key, "", &Data::Raw(0, changed), after(60));
    let latest = hive.to_bytes(&base);
    let entries = [Entry::between(&primary, &latest, 7)];
    put(root.path(), &format!("{CONFIG}/SECURITY"), &primary);
    put(root.path(), &format!("{CONFIG}/SECURITY.LOG1"), &new_format(&base, &primary, &entries));
    // An older copy says nothing about now.
    put(root.path(), &format!("{CONFIG}/RegBack/SECURITY"), &closed(security(audit_policy(&[]))));
    let reading = read(root.path());
    assert_eq!(reading.coverage.state(Origin::SecurityHive), State::Complete);
    let settings = posture(&reading);
    assert_eq!(settings.len(), 13);
    for (id, effect, state) in [
        ("audit_special_logon", Effect::Sees, "success"),
        ("audit_process_creation", Effect::Sees, "success"),
        ("audit_security_system_extension", Effect::Blind, "off"),
    ] {
        let found = find(settings.iter().copied(), id);
        assert_eq!((found.effect, found.state.as_str()), (effect, state), "{id}");
        assert_eq!(found.citation.provenance, Provenance::TransactionLog);
        assert!(
            matches!(&found.citation.place, Place::Key { path, .. } if path == r"Policy\PolAdtEv")
        );
    }
    let unrecorded = reading.coverage.unrecorded(Origin::SecurityLog);
    assert!(unrecorded.contains(&4697) && !unrecorded.contains(&4688), "{unrecorded:?}");
}

#[test]
fn an_audit_policy_that_cannot_be_read_is_a_loss_and_no_default() {
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{CONFIG}/SECURITY"), &closed(security(vec![0xff; 150])));
    let reading = read(root.path());
    assert_eq!(reading.coverage.state(Origin::SecurityHive), State::Partial);
    assert!(posture(&reading).is_empty());
    let losses: Vec<_> =
        reading.diagnostics.iter().filter(|one| one.impact == Impact::Partial).collect();
    assert_eq!(losses.len(), 1, "{losses:?}");
    assert!(losses[0].message.contains("PolAdtEv"), "{}", losses[0].message);
}

/// 4688 of the seconds from start on.
fn processes(seconds: &[i64]) -> Vec<u8> {
    let mut log = Log::new("Security", "WS-01", 500);
    for second in seconds {
        let data = vec![
            ("NewProcessId", Value::text("0x1f4")),
            ("NewProcessName", Value::text(r"C:\Windows\System32\whoami.exe")),
            ("ProcessId", Value::text("0x2a8")),
        ];
        let mut one = event(AUDIT, 4688, Payload::Named(data, None));
        one.time = after(*second);
        log.push(&one).unwrap();
    }
    let mut last = event(AUDIT, 4719, Payload::Named(Vec::new(), None));
    last.time = after(900);
    log.push(&last).unwrap();
    log.to_bytes(LogState::Closed)
}

#[test]
fn processes_that_are_no_longer_recorded_are_no_silence() {
    for (on, state, to) in
        [(vec![PROCESS_CREATION], State::Complete, 900), (vec![SPECIAL_LOGON], State::Partial, 30)]
    {
        let root = TempDir::new().unwrap();
        put(root.path(), &format!("{CONFIG}/SECURITY"), &closed(security(audit_policy(&on))));
        put(root.path(), &format!("{LOGS}/Security.evtx"), &processes(&[10, 30]));
        let reading = read(root.path());
        assert_eq!(reading.coverage.state(Origin::SecurityLog), State::Complete);
        let span = reading.coverage.span(Origin::ProcessEvents).unwrap();
        assert_eq!((span.state, span.from, span.to), (state, Some(after(10)), Some(after(to))));
    }
}

/// Installs, with two record ids left out in the middle, and perhaps a clearing after them.
fn system_log(cleared: bool) -> Vec<u8> {
    let mut log = Log::new("System", "WS-01", 100);
    for second in [0, 100, 400, 500] {
        if second == 400 {
            log.skip(2);
        }
        let data = vec![
            ("ServiceName", Value::text("Agent")),
            ("ImagePath", Value::text(r"C:\Agent\agent.exe")),
        ];
        let mut one = event(SCM, 7045, Payload::Named(data, None));
        one.time = after(second);
        log.push(&one).unwrap();
    }
    if cleared {
        let data = vec![
            ("SubjectUserName", Value::text("adm")),
            ("SubjectDomainName", Value::text("WS-01")),
            ("Channel", Value::text("System")),
            ("BackupPath", Value::text("")),
        ];
        let payload = Payload::User {
            element: "LogFileCleared",
            namespace: "http://manifests.microsoft.com/win/2004/08/windows/eventlog",
            values: data,
        };
        let mut one = event(EVENT_LOG, 104, payload);
        one.time = after(600);
        log.push(&one).unwrap();
    }
    log.to_bytes(LogState::Closed)
}

#[test]
fn missing_records_and_clearings_are_gaps() {
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{LOGS}/System.evtx"), &system_log(true));
    let coverage = read(root.path()).coverage;
    let gaps: Vec<_> =
        coverage.gaps(Origin::SystemLog).iter().map(|gap| (gap.from, gap.to, gap.reason)).collect();
    assert_eq!(
        gaps,
        [
            (after(0), after(600), GapReason::Cleared),
            (after(100), after(400), GapReason::MissingRecords),
        ]
    );
    let [clearing] = coverage.clearings(Origin::SystemLog) else { panic!("{coverage:?}") };
    assert_eq!((clearing.time, clearing.evidence), (after(600), ClearingEvidence::Recorded));
    assert!(matches!(&clearing.citation.place, Place::Record { event_id: 104, .. }));
    for (second, reached) in [(50, false), (450, false), (600, true)] {
        assert_eq!(coverage.reaches_back_to(Origin::SystemLog, after(second)), reached);
    }
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{LOGS}/System.evtx"), &system_log(false));
    let coverage = read(root.path()).coverage;
    for (second, reached) in [(50, true), (250, false), (450, true)] {
        assert_eq!(coverage.reaches_back_to(Origin::SystemLog, after(second)), reached);
    }
    assert_eq!(coverage.clearings(Origin::SystemLog), []);
}

#[test]
fn settings_of_software_are_told_with_their_source() {
    let root = TempDir::new().unwrap();
    let mut hive = Hive::new("ROOT", EVERYBODY, start());
    let mut set = |path: &str, name: &str, data: Data| {
        let key = hive.create(path, start());
        hive.set(key, name, &data, start());
    };
    let text = |words: &str| Data::Text(words.to_owned());
    let version = r"Microsoft\Windows NT\CurrentVersion";
    set(version, "ProductName", text("Windows 10 Pro"));
    set(version, "CurrentBuildNumber", text("19045"));
    let policies = r"Policies\Microsoft\Windows";
    set(&format!(r"{policies}\PowerShell\ModuleLogging"), "EnableModuleLogging", Data::Dword(1));
    let names = format!(r"{policies}\PowerShell\ModuleLogging\ModuleNames");
    set(&names, "*", text("*"));
    let scripts = r"Policies\Microsoft\PowerShellCore\ScriptBlockLogging";
    set(scripts, "EnableScriptBlockLogging", Data::Dword(0));
    set(&format!(r"{policies}\SrpV2\Exe"), "EnforcementMode", Data::Dword(0));
    set(&format!(r"{policies}\SrpV2\Exe\{{a9e18c21}}"), "Value", text("<FilePathRule/>"));
    set(&format!(r"{policies}\EventLog\Security"), "MaxSize", Data::Dword(1024));
    set(&format!(r"{policies}\EventLog\Security"), "Retention", text("1"));
    set(r"Policies\Microsoft\Windows Defender", "DisableAntiSpyware", Data::Dword(1));
    let channel =
        r"Microsoft\Windows\CurrentVersion\WINEVT\Channels\Microsoft-Windows-Sysmon/Operational";
    set(channel, "Enabled", Data::Dword(0));
    put(
        root.path(),
        &format!("{CONFIG}/SOFTWARE"),
        &hive.to_bytes(&BaseBlock::clean("SOFTWARE", 7)),
    );
    put(root.path(), "Windows/System32/CodeIntegrity/CIPolicies/Active/{1}.cip", b"policy");
    let reading = read(root.path());
    assert_eq!(reading.diagnostics, []);
    let settings = posture(&reading);
    let told: Vec<String> = settings
        .iter()
        .map(|one| format!("{} | {} | {}", one.label, one.state_in_words(), one.effect.label()))
        .collect();
    assert_eq!(
        told,
        [
            "Command lines in 4688 | off (default: the value is absent) | does not record",
            "PowerShell script block logging (4104) | only script blocks with suspicious words (default: the value \
             is absent) | records in part",
            "PowerShell module logging (4103) | every module (1) | records",
            "PowerShell transcription | off (default: the value is absent) | for information",
            "PowerShell script block logging (4104): PowerShell 7 | off, even for suspicious scripts (0) | does not \
             record",
            "PowerShell module logging (4103): PowerShell 7 | off (default: the value is absent) | does not record",
            "PowerShell transcription: PowerShell 7 | off (default: the value is absent) | for information",
            "Channel enabled: Microsoft-Windows-Sysmon/Operational | off (0) | does not record",
            "Log size and retention: Microsoft-Windows-Sysmon/Operational | Windows' own size, overwrites the \
             oldest (default: the value is absent) | for information",
            "Log size and retention by policy: Security | 1 MiB, stops recording when full | records in part",
            "AppLocker: Exe | 1 rules, recorded only | allows",
            "Microsoft Defender switched off by policy: DisableAntiSpyware | DisableAntiSpyware = 1 | allows",
            "Code integrity policy (App Control, WDAC) | policy file present, 6 bytes; not read | for information",
        ]
    );
    let source = find(settings.iter().copied(), "command_line_in_4688").citation.to_string();
    assert!(source.contains(r"Microsoft\Windows\CurrentVersion @0x"), "{source}");
}

fn sample(name: &str) -> HostReport {
    scan_one(&[format!("samples/{name}/evidence")])
}

#[test]
fn the_sample_says_what_it_could_not_have_told() {
    let report = scan_one(&["samples/clean-noisy-host/evidence"]);
    for (id, effect) in [
        ("audit_process_creation", Effect::Sees),
        ("audit_security_system_extension", Effect::Sees),
        ("audit_filtering_platform_connection", Effect::Blind),
        ("audit_registry", Effect::Blind),
        ("command_line_in_4688", Effect::Sees),
        ("powershell_script_blocks", Effect::Sees),
        ("powershell_modules", Effect::Blind),
        ("sysmon", Effect::Blind),
        ("lsa_protection", Effect::Permits),
        ("service_manager_rights", Effect::Forbids),
        ("service_rights", Effect::Forbids),
        ("remote_registry", Effect::Forbids),
    ] {
        let found = find(&report.posture, id);
        assert_eq!(found.effect, effect, "{id}: {}", found.state);
        assert_eq!(found.advice.is_some(), effect.is_open(), "{id}");
        assert_eq!(found.questions.is_empty(), !effect.is_open(), "{id}");
    }
    let log = report.coverage.iter().find(|one| one.origin == Origin::SecurityLog).unwrap();
    assert!(log.unrecorded.contains(&4657) && !log.unrecorded.contains(&4688));
    let findings = report.services.iter().flat_map(|service| &service.findings);
    assert_eq!(findings.filter(|finding| finding.id == "D12").count(), 0);
}

/// A driver under another name is Sysmon's by the values it is configured with.
#[test]
fn sysmon_is_known_by_its_configuration() {
    let root = TempDir::new().unwrap();
    let mut hive = Hive::new("ROOT", EVERYBODY, start());
    let mut set = |path: &str, name: &str, data: Data| {
        let key = hive.create(path, start());
        hive.set(key, name, &data, start());
    };
    set("Select", "Current", Data::Dword(1));
    let service = r"ControlSet001\Services\msfilt";
    set(service, "Type", Data::Dword(1));
    set(&format!(r"{service}\Parameters"), "HashingAlgorithm", Data::Dword(12));
    set(&format!(r"{service}\Parameters"), "Rules", Data::Binary(vec![1; 2048]));
    put(root.path(), &format!("{CONFIG}/SYSTEM"), &hive.to_bytes(&BaseBlock::clean("SYSTEM", 7)));
    let reading = read(root.path());
    let sysmon = find(posture(&reading), "sysmon");
    assert_eq!((sysmon.label.as_str(), sysmon.effect), ("Sysmon: msfilt", Effect::Sees));
    assert_eq!(sysmon.state, "2 KiB of rules, written 2023-05-04 12:00:00Z, SHA256 IMPHASH hashes");
}

/// Real SYSTEM hives: what they say is told without a loss, and nothing evident on ordinary hosts.
#[test]
fn real_hives_have_a_posture() {
    for (name, sysmon, manager) in [
        ("nt4.SYSTEM.xz", false, true),
        ("server2003-dc.SYSTEM.xz", false, true),
        ("win10-1709-dirty.SYSTEM.xz", false, true),
        ("win10-1903-dirty-nologs.SYSTEM.xz", false, true),
        ("win81-dirty-nologs.SYSTEM.xz", false, true),
    ] {
        let Some(path) = corpus_file(&format!("hives/{name}")) else { return };
        let report = scan_one(&[path]);
        let of = |id: &str| report.posture.iter().filter(|one| one.setting == id).count();
        let forbids = find(&report.posture, "service_manager_rights").effect == Effect::Forbids;
        assert_eq!(forbids, manager, "{name}");
        let runs = find(&report.posture, "sysmon").effect == Effect::Sees;
        assert_eq!(runs, sysmon, "{name}");
        assert!(of("log_size") >= 2, "{name}");
        for id in ["lsa_protection", "remote_registry", "memory_integrity"] {
            assert_eq!(of(id), 1, "{name}: {id}");
        }
    }
}
