//! A host with older states beside it, from files to the report: what they say of when, and that nothing counts twice.

#![expect(clippy::disallowed_methods, reason = "the tests make their own evidence")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its evidence must fail")]
#![expect(clippy::indexing_slicing, reason = "a test may stop at a surprise")]

use std::fs;
use std::path::Path;

use jiff::Timestamp;
use svctriage::artifact::{self, LogRecords};
use svctriage::evidence;
use svctriage::host::{Citation, Coverage, Fact, Host, Origin, State};
use svctriage::lab::evtx::{self, Log, Payload, Provider, Value};
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use svctriage::report::{HostReport, ServiceReport};
use tempfile::TempDir;

use crate::report::{assert_valid, plain};
use crate::support::lab::event;
use crate::support::scan::{self, scan_one};

const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
const MANAGER: Provider =
    Provider::Source("Service Control Manager", "{555908d1-a6d7-4695-8e1e-26931d2012f4}");

/// Noon of a day of 2023.
fn day(number: i64) -> Timestamp {
    Timestamp::from_second(1_672_574_400 + number * 86_400).unwrap()
}

struct Service(&'static str, &'static str);

/// A SYSTEM hive whose newest service key is of that day.
fn system(computer: &str, newest: i64, services: &[Service]) -> Vec<u8> {
    let mut hive = Hive::new("ROOT", EVERYBODY, day(0));
    let mut set = |path: &str, name: &str, data: &Data| {
        let key = hive.create(path, day(newest));
        hive.set(key, name, data, day(newest));
    };
    set("Select", "Current", &Data::Dword(1));
    let name = r"ControlSet001\Control\ComputerName\ComputerName";
    set(name, "ComputerName", &Data::Text(computer.into()));
    for Service(name, image) in services {
        let path = format!(r"ControlSet001\Services\{name}");
        set(&path, "Type", &Data::Dword(0x10));
        set(&path, "Start", &Data::Dword(2));
        set(&path, "ErrorControl", &Data::Dword(1));
        set(&path, "ImagePath", &Data::Text((*image).into()));
        set(&path, "ObjectName", &Data::Text("LocalSystem".into()));
    }
    hive.to_bytes(&BaseBlock::clean("SYSTEM", 7))
}

/// A System log of 7045 records: id, day and display name each.
fn log(records: &[(u64, i64, &str)]) -> Vec<u8> {
    let mut log = Log::new("System", "WS-01", records[0].0);
    for (id, number, name) in records {
        let text = |words: &str| Value::Text(words.into());
        let data = vec![
            ("ServiceName", text(name)),
            ("ImagePath", text(&format!(r"C:\ProgramData\{name}.exe"))),
            ("ServiceType", text("user mode service")),
            ("StartType", text("auto start")),
            ("AccountName", text("LocalSystem")),
        ];
        let mut event: evtx::Event = event(MANAGER, 7045, Payload::Named(data, None));
        event.time = day(*number);
        assert_eq!(log.push(&event), Some(*id));
    }
    log.to_bytes(evtx::State::Closed)
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

const HIVE: &str = "Windows/System32/config/SYSTEM";
const LOG: &str = "Windows/System32/winevt/Logs/System.evtx";

const OLD: Service = Service("Old", r"C:\ProgramData\old.exe");
const LATE: Service = Service("Late", r"C:\ProgramData\late.exe");
const BACK: Service = Service("Back", r"C:\ProgramData\back.exe");

/// A current tree, and two states of day 10 and day 20 under these labels. The log was cleared between the two.
fn evidence(older: &str, newer: &str) -> TempDir {
    let root = TempDir::new().unwrap();
    let changed = |image| Service("Changed", image);
    let gone = Service("Gone", r"C:\Windows\gone.exe");
    let first = [OLD, BACK, gone, changed(r"C:\ProgramData\a.exe")];
    let second = [OLD, LATE, changed(r"C:\ProgramData\a.exe")];
    let new = Service("New", r"C:\ProgramData\new.exe");
    let now = [OLD, BACK, LATE, new, changed(r"C:\ProgramData\b.exe")];
    for (folder, newest, services, records) in [
        (older, 10, &first[..], &[(48, 7, "Gone"), (49, 8, "E49"), (50, 9, "E50")][..]),
        (newer, 20, &second, &[(1, 18, "Late"), (2, 19, "E2"), (3, 20, "E3")]),
        ("C", 60, &now, &[(2, 19, "E2"), (3, 20, "E3"), (4, 30, "New")]),
    ] {
        put(root.path(), &format!("{folder}/{HIVE}"), &system("WS-01", newest, services));
        put(root.path(), &format!("{folder}/{LOG}"), &log(records));
    }
    root
}

fn service<'r>(report: &'r HostReport, name: &str) -> &'r ServiceReport {
    report.services.iter().find(|service| service.name == name).unwrap()
}

/// The sentences about when keys came and went, with the hive of either end.
fn passages(report: &HostReport, name: &str) -> Vec<(String, Vec<String>)> {
    let passages = service(report, name).passages.iter();
    passages
        .map(|one| (one.summary.clone(), one.citations.iter().map(Citation::to_string).collect()))
        .collect()
}

/// A citation without its offset.
fn place(citation: &str) -> &str {
    citation.split(" @").next().unwrap()
}

#[test]
fn older_states_bound_when_a_key_came_and_went() {
    let root = evidence("VSS1", "VSS2");
    let report = scan_one(&[root.path()]);
    let (one, two) = (
        "VSS1 (newest service key 2023-01-11 12:00:00Z)",
        "VSS2 (newest service key 2023-01-21 12:00:00Z)",
    );
    for (name, expected) in [
        ("Old", vec![]),
        ("New", vec![format!("Absent in {two}: its key was made after that.")]),
        ("Late", vec![format!("Absent in {one}, there in {two}: its key was made in between.")]),
        ("Gone", vec![format!("There in {one}, absent in {two}: its key was deleted in between.")]),
        (
            "Back",
            vec![
                format!("There in {one}, absent in {two}: its key was deleted in between."),
                format!("Absent in {two}: its key was made after that."),
            ],
        ),
    ] {
        let found: Vec<String> = passages(&report, name).into_iter().map(|one| one.0).collect();
        assert_eq!(found, expected, "{name}");
        let answer = &service(&report, name).checklist[2];
        let told = |words: &String| answer.facts.iter().any(|fact| fact.text == *words);
        assert!(expected.iter().all(told), "{name}: {answer:#?}");
    }
    let cited = passages(&report, "New");
    let cited: Vec<&str> = cited[0].1.iter().map(|citation| place(citation)).collect();
    assert_eq!(
        cited,
        [
            "VSS2/Windows/System32/config/SYSTEM: ControlSet001\\Services",
            "C/Windows/System32/config/SYSTEM: ControlSet001\\Services\\New",
        ]
    );
    let old = &service(&report, "Old").checklist[2].facts;
    assert!(
        old.iter()
            .any(|fact| fact.text == format!("Already there in {one}: it is at least that old.")
                && fact.citations.len() == 1)
    );
    assert!(!service(&report, "Gone").registry);
    assert_eq!(report.diagnostics, []);
}

#[test]
fn a_change_names_both_ends_and_is_told_once() {
    let root = evidence("VSS1", "VSS2");
    let report = scan_one(&[root.path()]);
    let changed = service(&report, "Changed");
    let told: Vec<_> = changed.checklist[2]
        .facts
        .iter()
        .filter(|fact| fact.text.starts_with("ImagePath"))
        .collect();
    assert_eq!(told.len(), 1);
    assert_eq!(
        told[0].text,
        r"ImagePath changed between VSS2 and now: C:\ProgramData\a.exe -> C:\ProgramData\b.exe"
    );
    let cited: Vec<String> = told[0].citations.iter().map(Citation::to_string).collect();
    assert_eq!(
        cited.iter().map(|one| place(one)).collect::<Vec<_>>(),
        [
            "VSS2/Windows/System32/config/SYSTEM: ControlSet001\\Services\\Changed -> ImagePath",
            "C/Windows/System32/config/SYSTEM: ControlSet001\\Services\\Changed -> ImagePath",
        ]
    );
    let states: Vec<&str> = changed.history.iter().map(|state| state.state.as_str()).collect();
    assert_eq!(states, ["VSS2", "VSS1"]);
    let ids = |name: &str| -> Vec<(String, i32)> {
        let findings =
            service(&report, name).findings.iter().chain(&service(&report, name).against);
        findings
            .filter(|one| ["W26", "W27", "W28", "B08"].contains(&one.id.as_str()))
            .map(|one| (one.id.clone(), one.weight))
            .collect()
    };
    assert_eq!(ids("Changed"), [("W28".to_owned(), 10)]);
    assert_eq!(ids("New"), [("W26".to_owned(), 4)]);
    assert_eq!(ids("Gone"), [("W27".to_owned(), 8)]);
    assert_eq!(ids("Old"), [("B08".to_owned(), -3)]);
}

/// Record id, day and artifact of every event.
fn events(root: &Path) -> Vec<(u64, Timestamp, String)> {
    let opened = evidence::open(&[root.to_owned()], &evidence::Options::default());
    let reading = artifact::read(opened.hosts[0].as_ref(), &());
    let facts = reading.facts.iter().filter(|fact| matches!(fact, Fact::Event(_))).count();
    let host = Host::from_facts(reading.facts, Coverage::default(), Host::DEFAULT_WINDOW);
    // What an older log repeats is not even kept until the join.
    assert_eq!(facts, host.events.len());
    host.events
        .iter()
        .map(|event| {
            let svctriage::host::Place::Record { record_id, .. } = &event.citation.place else {
                unreachable!()
            };
            (*record_id, event.time, event.citation.artifact.to_string())
        })
        .collect()
}

#[test]
fn a_record_of_several_logs_is_one_event() {
    // The second pair of labels counts backwards: the hives tell which state is newer.
    for (older, newer) in [("VSS1", "VSS2"), ("VSS2", "VSS1")] {
        let root = evidence(older, newer);
        let expected = [
            (48, 7, older),
            (49, 8, older),
            (50, 9, older),
            (1, 18, newer),
            (2, 19, "C"),
            (3, 20, "C"),
            (4, 30, "C"),
        ]
        .map(|(id, number, folder)| (id, day(number), format!("{folder}/{LOG}")));
        assert_eq!(events(root.path()), expected);
        let report = scan_one(&[root.path()]);
        let states: Vec<_> = report
            .older_states
            .iter()
            .map(|state| {
                let log = state.files.iter().find(|file| file.kind == "event log").unwrap();
                (state.label.as_str(), state.files.len(), state.compared, log.records)
            })
            .collect();
        let records = |added, repeated| Some(LogRecords { added, repeated });
        assert_eq!(states, [(older, 2, true, records(3, 0)), (newer, 2, true, records(1, 2))]);
    }
}

#[test]
fn older_logs_extend_the_coverage_and_the_gap_is_said() {
    let root = evidence("VSS1", "VSS2");
    let report = scan_one(&[root.path()]);
    let system = report.coverage.iter().find(|one| one.origin == Origin::SystemLog).unwrap();
    assert_eq!(system.state, State::Complete);
    assert_eq!(system.from.map(|stamp| stamp.0), Some(day(7)));
    assert_eq!(system.to.map(|stamp| stamp.0), Some(day(30)));
    let gaps: Vec<_> = system.gaps.iter().map(|gap| (gap.from.0, gap.to.0)).collect();
    assert_eq!(gaps, [(day(9), day(18))]);
    assert_eq!(
        system.notes,
        [
            "reaches back to 2023-01-08 12:00:00Z from VSS1",
            "System: no records between 2023-01-10 12:00:00Z and 2023-01-19 12:00:00Z",
        ]
    );
}

#[test]
fn another_installation_and_another_computer_prove_no_absence() {
    let root = evidence("VSS1", "VSS2");
    let other = [Service("Other", r"C:\ProgramData\other.exe"), OLD];
    put(root.path(), &format!("C/Windows.old/{HIVE}"), &system("WS-01", 5, &other));
    put(root.path(), &format!("VSS3/{HIVE}"), &system("WS-02", 25, &[OLD]));
    put(root.path(), &format!("C/Windows.old/{LOG}"), &log(&[(7, 3, "E7")]));
    let report = scan_one(&[root.path()]);
    let standing: Vec<(&str, bool, Option<&str>)> = report
        .older_states
        .iter()
        .map(|state| (state.label.as_str(), state.compared, state.remark.as_deref()))
        .collect();
    let installation = "it is another installation of Windows, whose services were set up anew";
    assert_eq!(
        standing,
        [
            ("Windows.old", false, Some(installation)),
            ("VSS1", true, None),
            ("VSS2", true, None),
            ("VSS3", false, Some("it names another computer")),
        ]
    );
    assert_eq!(passages(&report, "Other"), []);
    assert_eq!(passages(&report, "Old"), []);
    let hive = report.coverage.iter().find(|one| one.origin == Origin::SystemHive).unwrap();
    assert_eq!(
        hive.notes,
        [
            format!("what Windows.old does not have says nothing: {installation}"),
            "what VSS3 does not have says nothing: it names another computer".to_owned(),
            "build of Windows not known: what differs from Windows' own services weighs half"
                .to_owned(),
        ]
    );
    // Its logs are of the same host all the same.
    assert_eq!(events(root.path())[0], (7, day(3), format!("C/Windows.old/{LOG}")));
}

#[test]
fn what_is_damaged_or_lost_proves_no_absence() {
    let root = evidence("VSS1", "VSS2");
    let dirty = {
        let mut hive = Hive::new("ROOT", EVERYBODY, day(0));
        let select = hive.create("Select", day(20));
        hive.set(select, "Current", &Data::Dword(1), day(20));
        hive.create(r"ControlSet001\Services", day(20));
        hive.to_bytes(&BaseBlock::clean("SYSTEM", 7).dirty())
    };
    put(root.path(), &format!("VSS2/{HIVE}"), &dirty);
    let report = scan_one(&[root.path()]);
    let label = "VSS1 (newest service key 2023-01-11 12:00:00Z)";
    assert_eq!(
        passages(&report, "New")[0].0,
        format!("Absent in {label}: its key was made after that.")
    );
    assert_eq!(
        passages(&report, "Gone")[0].0,
        format!("There in {label}, absent now: its key was deleted since.")
    );
    assert_eq!(passages(&report, "Back"), []);

    // Without a current hive nothing is said to be gone.
    put(root.path(), &format!("C/{HIVE}"), &[0xff; 4096]);
    let report = scan_one(&[root.path()]);
    assert_eq!(passages(&report, "Gone"), []);
    assert!(!service(&report, "Old").registry);
    assert_eq!(report.coverage[0].state, State::Lost);
}

#[test]
fn an_altered_record_is_kept_beside_its_original() {
    let root = evidence("VSS1", "VSS2");
    put(
        root.path(),
        &format!("C/{LOG}"),
        &log(&[(2, 19, "Harmless"), (3, 20, "E3"), (4, 30, "New")]),
    );
    let found = events(root.path());
    let of_day = found.iter().filter(|(_, time, _)| *time == day(19));
    assert_eq!(of_day.count(), 2);
    let report = scan_one(&[root.path()]);
    let said: Vec<(&str, &str)> = report
        .diagnostics
        .iter()
        .map(|one| (one.artifact.as_str(), one.message.as_str()))
        .collect();
    let message = "records that say something else than those of the same id and time in a newer log: 1; both are kept";
    assert_eq!(said, [(format!("VSS2/{LOG}").as_str(), message)]);
}

#[test]
fn every_form_of_the_report_knows_the_older_states() {
    let root = evidence("VSS1", "VSS2");
    let report = scan::report(&[root.path()]);
    assert_valid(&report);
    assert!(plain(&report, "table").contains("\nOLDER        VSS2, VSS1\n"));
    assert!(plain(&report, "markdown").contains("\nOlder states: VSS2, VSS1.\n"));
    let host = &report.hosts[0];
    let page =
        svctriage::report::explain::explain_service(service(host, "Old"), host, &report.settings);
    assert!(page.contains("  - the same in VSS2, VSS1\n"), "{page}");
}
