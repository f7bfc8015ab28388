//! A host's folder from end to end, with evidence made for the purpose: what is current, what is history, what
//! is lost.

#![expect(clippy::disallowed_methods, reason = "the tests make their own evidence")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its evidence must fail")]

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use svctriage::artifact::detect::detect;
use svctriage::artifact::{self, Reading};
use svctriage::diagnostic::Impact;
use svctriage::evidence::{self, Evidence};
use svctriage::host::config::{Epoch, ServiceConfig};
use svctriage::host::fact::{IdentityItem, SettingKind};
use svctriage::host::{Fact, Origin, State};
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use tempfile::TempDir;

use crate::support::corpus::corpus_folder;

/// Self-relative, present and null DACL.
const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const CONFIG: &str = "Windows/System32/config";
const LOGS: &str = "Windows/System32/winevt/Logs";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_600_000_000 + seconds).unwrap()
}

fn set(hive: &mut Hive, path: &str, name: &str, data: &Data) {
    let key = hive.create(path, at(1));
    hive.set(key, name, data, at(2));
}

/// A SYSTEM hive with control set 2 as the current one and 1 as an earlier state.
fn system(image_path: &str) -> Vec<u8> {
    let mut hive = Hive::new("ROOT", EVERYBODY, at(0));
    set(&mut hive, "Select", "Current", &Data::Dword(2));
    for (number, path) in [(1, r"C:\old.exe"), (2, image_path)] {
        let service = format!(r"ControlSet00{number}\Services\Agent");
        set(&mut hive, &service, "Type", &Data::Dword(0x10));
        set(&mut hive, &service, "Start", &Data::Dword(2));
        set(&mut hive, &service, "ErrorControl", &Data::Dword(1));
        set(&mut hive, &service, "ImagePath", &Data::Text(path.into()));
    }
    let set2 = r"ControlSet002\Services";
    set(&mut hive, &format!(r"{set2}\Agent\Performance"), "Library", &Data::Text("p.dll".into()));
    set(&mut hive, &format!(r"{set2}\ESENT\Performance"), "Library", &Data::Text("e.dll".into()));
    let control = r"ControlSet002\Control";
    let text = |words: &str| Data::Text(words.into());
    set(
        &mut hive,
        &format!(r"{control}\ComputerName\ComputerName"),
        "ComputerName",
        &text("WS-01"),
    );
    let security = format!(r"{control}\ServiceGroupOrder\Security");
    set(&mut hive, &security, "Security", &Data::Binary(EVERYBODY.to_vec()));
    set(&mut hive, control, "RemoteAccessExemption", &Data::Dword(1));
    set(&mut hive, control, "ServiceControlManagerExtension", &text("x.dll"));
    hive.create(&format!(r"{control}\MiniNt"), at(1));
    set(&mut hive, &format!(r"{control}\SafeBoot\Minimal\Agent"), "", &text("Service"));
    set(&mut hive, &format!(r"{set2}\EventLog\Security"), "File", &text(r"C:\x.evtx"));
    let session = format!(r"{control}\WMI\Autologger\EventLog-Security");
    set(&mut hive, &session, "Start", &Data::Dword(0));
    hive.to_bytes(&BaseBlock::clean("SYSTEM", 7))
}

fn software() -> Vec<u8> {
    let mut hive = Hive::new("ROOT", EVERYBODY, at(0));
    let version = r"Microsoft\Windows NT\CurrentVersion";
    set(&mut hive, version, "ProductName", &Data::Text("Windows 10 Pro".into()));
    set(&mut hive, version, "CurrentBuildNumber", &Data::Text("19045".into()));
    set(&mut hive, version, "UBR", &Data::Dword(3570));
    set(&mut hive, version, "DisplayVersion", &Data::Text("22H2".into()));
    set(&mut hive, version, "InstallDate", &Data::Dword(1_600_000_000));
    let groups = format!(r"{version}\Svchost");
    let members = Data::Texts(vec!["wuauserv".into(), "BITS".into()]);
    set(&mut hive, &groups, "netsvcs", &members);
    hive.to_bytes(&BaseBlock::clean("SOFTWARE", 7))
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn host(root: &Path) -> Box<dyn Evidence> {
    let opened = evidence::open(&[root.to_owned()], &evidence::Options::default());
    assert!(opened.errors.is_empty() && opened.hosts.len() == 1, "{:?}", opened.errors);
    opened.hosts.into_iter().next().unwrap()
}

fn read(root: &Path) -> Reading {
    artifact::read(host(root).as_ref(), &())
}

fn agents(reading: &Reading) -> Vec<(&Epoch, Option<&str>)> {
    let services = reading.facts.iter().filter_map(|fact| match fact {
        Fact::Service(config) if config.name == "Agent" => Some(config.as_ref()),
        _ => None,
    });
    services.map(|config: &ServiceConfig| (&config.epoch, config.image_path.as_deref())).collect()
}

#[test]
fn every_state_of_a_service_is_told_apart() {
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{CONFIG}/SYSTEM"), &system(r"C:\new.exe"));
    put(root.path(), &format!("{CONFIG}/RegBack/SYSTEM"), &system(r"C:\backup.exe"));
    put(root.path(), &format!("{CONFIG}/RegBack/SOFTWARE"), b"");
    let reading = read(root.path());
    assert_eq!(
        agents(&reading),
        [
            (&Epoch::ControlSet(1), Some(r"C:\old.exe")),
            (&Epoch::Current, Some(r"C:\new.exe")),
            (&Epoch::History("RegBack ControlSet001".into()), Some(r"C:\old.exe")),
            (&Epoch::History("RegBack".into()), Some(r"C:\backup.exe")),
        ]
    );
    let names = reading.facts.iter().filter(|fact| match fact {
        Fact::Identity(one) => {
            one.epoch == Epoch::Current && matches!(one.item, IdentityItem::ComputerName(_))
        }
        _ => false,
    });
    assert_eq!(names.count(), 1);
    assert_eq!(reading.diagnostics.len(), 1);
    assert_eq!(reading.diagnostics[0].impact, Impact::Note);
    assert_eq!(reading.coverage.state(Origin::SystemHive), State::Complete);
    assert_eq!(reading.coverage.state(Origin::SoftwareHive), State::Absent);
}

#[test]
fn settings_of_the_whole_host_are_read() {
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{CONFIG}/SYSTEM"), &system(r"C:\new.exe"));
    put(root.path(), &format!("{CONFIG}/SOFTWARE"), &software());
    let reading = read(root.path());
    let settings: Vec<(SettingKind, &str)> = reading
        .facts
        .iter()
        .filter_map(|fact| match fact {
            Fact::Setting(setting) => Some((setting.kind, setting.value.as_str())),
            _ => None,
        })
        .collect();
    assert_eq!(
        settings,
        [
            (SettingKind::ScmSecurity, "D:NO_ACCESS_CONTROL"),
            (SettingKind::ScmRemoteExemption, "RemoteAccessExemption = 1"),
            (SettingKind::ScmExtension, "x.dll"),
            (SettingKind::MiniNt, "present"),
            (SettingKind::EventLogChannel, r"Security File = C:\x.evtx"),
            (SettingKind::Autologger, "EventLog-Security Start = 0"),
        ]
    );
    let mut found = (0, 0, 0);
    for fact in &reading.facts {
        match fact {
            Fact::SafeBoot(entry) => {
                let entry = (entry.mode.as_str(), entry.name.as_str(), entry.kind.as_str());
                assert_eq!(entry, ("Minimal", "Agent", "Service"));
                found.0 += 1;
            }
            Fact::SvchostGroup(group) => {
                assert_eq!((group.name.as_str(), group.members.len()), ("netsvcs", 2));
                found.1 += 1;
            }
            Fact::Service(config) if config.epoch == Epoch::Current => {
                assert!(config.key_security.as_ref().unwrap().null_dacl);
                assert_eq!(config.load_points[0].path, "p.dll");
            }
            Fact::ConfigurationKey(key) if key.name == "ESENT" => {
                let cited = key.load_points[0].citation.to_string();
                let place = r"SYSTEM: ControlSet002\Services\ESENT\Performance -> Library @0x";
                assert!(cited.contains(place), "{cited}");
                found.2 += 1;
            }
            Fact::Identity(identity) => {
                if let IdentityItem::Windows { build, installed, .. } = &identity.item {
                    assert_eq!(build.as_deref(), Some("19045.3570"));
                    assert_eq!(*installed, Some(at(0)));
                }
            }
            _ => {}
        }
    }
    assert_eq!(found, (1, 1, 1));
    assert_eq!(reading.diagnostics, []);
}

#[test]
fn what_cannot_be_read_is_lost_and_said_so() {
    let root = TempDir::new().unwrap();
    put(root.path(), &format!("{CONFIG}/SYSTEM"), &[0xff; 8192]);
    put(root.path(), &format!("{CONFIG}/SOFTWARE"), &software());
    put(root.path(), &format!("{CONFIG}/SysEvent.Evt"), b"0\0\0\0LfLe");
    put(root.path(), &format!("{LOGS}/Security.evtx"), b"nothing of the kind");
    let reading = read(root.path());
    let impacts: Vec<(&str, Impact)> = reading
        .diagnostics
        .iter()
        .map(|one| (one.artifact.rsplit_once('/').unwrap().1, one.impact))
        .collect();
    assert_eq!(
        impacts,
        [
            ("SYSTEM", Impact::Lost),
            ("Security.evtx", Impact::Lost),
            ("SysEvent.Evt", Impact::Partial),
        ]
    );
    for (origin, state) in [
        (Origin::SystemHive, State::Lost),
        (Origin::SoftwareHive, State::Complete),
        (Origin::SystemLog, State::Lost),
        (Origin::SecurityLog, State::Lost),
        (Origin::SysmonLog, State::Absent),
    ] {
        assert_eq!(reading.coverage.state(origin), state, "{origin:?}");
    }
}

#[test]
fn damage_is_never_a_fault_of_the_reader() {
    let pristine = system(r"C:\new.exe");
    let root = TempDir::new().unwrap();
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = |limit: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(limit).unwrap()).unwrap()
    };
    for round in 0..500 {
        let mut bytes = pristine.clone();
        for _ in 0..=random(40) {
            let place = random(bytes.len());
            bytes[place] = u8::try_from(random(256)).unwrap();
        }
        if round % 10 == 0 {
            bytes.truncate(random(pristine.len()));
        }
        put(root.path(), &format!("{CONFIG}/SYSTEM"), &bytes);
        let reading = read(root.path());
        for one in &reading.diagnostics {
            assert!(!one.message.contains("fault of this program"), "round {round}: {one:?}");
        }
        assert_ne!(reading.coverage.state(Origin::SystemHive), State::Absent, "round {round}");
    }
}

#[test]
fn detect_says_what_is_there_and_what_is_missing() {
    let root = TempDir::new().unwrap();
    let mut hive = Hive::new("ROOT", EVERYBODY, at(0));
    set(&mut hive, "Select", "Current", &Data::Dword(1));
    let bytes = hive.to_bytes(&BaseBlock::clean(r"emRoot\System32\Config\SYSTEM", 7).dirty());
    put(root.path(), &format!("{CONFIG}/SYSTEM"), &bytes);
    put(root.path(), &format!("{LOGS}/System.evtx"), b"ElfFile\0");
    let detection = detect(host(root.path()).as_ref());
    let kinds: Vec<&str> = detection.artifacts.iter().map(|one| one.kind).collect();
    assert_eq!(kinds, ["SYSTEM hive", "event log"]);
    let hive = &detection.artifacts[0];
    assert_eq!(hive.stored_name.as_deref(), Some(r"emRoot\System32\Config\SYSTEM"));
    let remark = "dirty, and no transaction log beside it: its last changes are missing";
    assert_eq!(hive.remarks, [remark]);
    let missing: Vec<&str> = detection.missing.iter().map(|one| one.what).collect();
    assert_eq!(
        missing,
        [
            "SOFTWARE hive",
            "SECURITY hive",
            "Security",
            "Microsoft-Windows-Sysmon/Operational",
            "Windows PowerShell",
            "Microsoft-Windows-PowerShell/Operational",
            "PowerShellCore/Operational",
            "file system",
            "signature catalogs",
        ]
    );
}

#[test]
fn real_logs_say_how_far_they_reach() {
    let Some(folder) = corpus_folder("evtx/server2016-capattack.tar.xz") else { return };
    let reading = read(&folder);
    let system = reading.coverage.span(Origin::SystemLog).unwrap();
    assert_eq!(system.state, State::Complete);
    assert_eq!(
        system.notes,
        ["System.evtx: 164 records from chunks not yet written back", "no 7045 in it",]
    );
    assert!(system.from < system.to);
    // Process creation is witnessed by the Security log and by Sysmon, from the first such record on.
    let processes = reading.coverage.span(Origin::ProcessEvents).unwrap();
    assert_eq!(processes.notes, ["from the Security log", "from the Sysmon log"]);
    assert!(processes.from >= reading.coverage.span(Origin::SecurityLog).unwrap().from);
    assert_eq!(reading.coverage.state(Origin::RegistryEvents), State::Complete);
    // Of the other logs nobody needs to hear, except of two that hold chunks of the PowerShell logs.
    let told: Vec<&str> = reading
        .diagnostics
        .iter()
        .inspect(|one| assert_eq!(one.impact, Impact::Note))
        .map(|one| one.artifact.rsplit_once('/').unwrap().1)
        .collect();
    assert_eq!(
        told,
        [
            "Microsoft-Windows-AAD%4Operational.evtx",
            "Microsoft-Windows-Program-Compatibility-Assistant%4CompatAfterUpgrade.evtx",
            "System.evtx",
            "Windows PowerShell.evtx",
        ]
    );
}

#[test]
fn a_whole_folder_of_benign_logs_is_read_without_loss() {
    let Some(folder) = corpus_folder("evtx/win10-benign-vm.tar.xz") else { return };
    let reading = read(&folder);
    for origin in [Origin::SystemLog, Origin::SecurityLog, Origin::PowerShellLog] {
        assert_eq!(reading.coverage.state(origin), State::Complete, "{origin:?}");
    }
    assert_eq!(reading.coverage.span(Origin::SecurityLog).unwrap().notes, ["no 4697 in it"]);
    assert_eq!(reading.coverage.state(Origin::SysmonLog), State::Absent);
    assert_eq!(reading.diagnostics, []);
}
