//! A disk image whose volume has a shadow copy: from the image to the report, what the host was that morning and what
//! became of it.
//!
//! The image is the case `shadow-copy` of `tests/images/README.md`; `support::shadow_story` says what was put there.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests make evidence, start the program, read what it wrote, and may stop at a surprise"
)]

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use svctriage::artifact;
use svctriage::evidence;
use svctriage::host::{Fact, Place};
use svctriage::lab::File;

use crate::support::images::image;
use crate::support::shadow_story::states;

const COPY: &str = "shadow copy 1 of 2022-03-22 08:00:00 UTC";
const HIVE: &str = "Windows/System32/config/SYSTEM";
const SYSTEM_LOG: &str = "Windows/System32/winevt/Logs/System.evtx";

fn volume() -> PathBuf {
    image("shadow-copy", "volume.raw")
}

/// What the program wrote to stdout.
fn said(arguments: &[&str], path: &Path, more: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .args(arguments)
        .arg(path)
        .args(more)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(matches!(output.status.code(), Some(0 | 2)), "{arguments:?} {more:?}: {words}");
    output.stdout
}

/// The only host of a report.
fn host(path: &Path, vss: &[&str]) -> Value {
    let written = said(&["scan", "--quiet", "--all", "--format", "json"], path, vss);
    let mut report: Value = serde_json::from_slice(&written).unwrap();
    let hosts = report["hosts"].as_array_mut().unwrap();
    assert_eq!(hosts.len(), 1);
    hosts.remove(0)
}

fn service<'r>(host: &'r Value, name: &str) -> &'r Value {
    let services = host["services"].as_array().unwrap();
    services.iter().find(|service| service["name"] == name).unwrap()
}

/// The facts of "who and when" whose text begins so, with the file and the key or value that each is read from.
fn told(service: &Value, begins: &str) -> Vec<(String, Vec<String>)> {
    let answers = service["checklist"].as_array().unwrap().iter();
    let answer = answers.clone().find(|answer| answer["question"] == "who_when").unwrap();
    let facts = answer["facts"].as_array().unwrap().iter();
    let of = |citation: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let (key, value) = (text(&citation["key"]["path"]), text(&citation["key"]["value"]));
        format!("{}: {key}:{value}", text(&citation["artifact"]))
    };
    facts
        .map(|fact| (fact["text"].as_str().unwrap(), fact["citations"].as_array().unwrap()))
        .filter(|(text, _)| text.starts_with(begins))
        .map(|(text, citations)| (text.to_owned(), citations.iter().map(of).collect()))
        .collect()
}

/// Where each fact of an event of a service stands: its log and its record id.
fn events(path: &Path) -> Vec<(String, u64)> {
    let opened = evidence::open(&[path.to_owned()], &evidence::Options::default());
    let reading = artifact::read(opened.hosts[0].as_ref(), &());
    let events = reading.facts.iter().filter_map(|fact| match fact {
        Fact::Event(event) => Some(&event.citation),
        _ => None,
    });
    let mut places: Vec<(String, u64)> = events
        .map(|citation| {
            let Place::Record { record_id, .. } = &citation.place else { unreachable!() };
            (citation.artifact.to_string(), *record_id)
        })
        .collect();
    places.sort();
    places
}

/// A folder with files.
fn folder(files: &[File]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in files {
        let path = folder.path().join(&file.path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, &file.bytes).unwrap();
    }
    folder
}

#[test]
fn a_shadow_copy_is_listed_with_its_identifier_and_time() {
    let listed = "1  2022-03-22 08:00:00Z  {53564354-0000-4000-8000-000000000302}";
    for (vss, line) in [
        (&[][..], format!("  >   {listed}: read as an older state")),
        (&["--vss", "none"], format!("      {listed}: not read")),
    ] {
        let words = String::from_utf8(said(&["detect"], &volume(), vss)).unwrap();
        let lines: Vec<&str> = words.lines().filter(|line| line.contains(listed)).collect();
        assert_eq!(lines, [line], "{words}");
    }
}

#[test]
fn every_file_of_the_copy_is_the_one_that_was_there_that_morning() {
    let [then, now] = states().unwrap();
    for (files, below) in [(&then, format!("{COPY}/")), (&now, String::new())] {
        for file in files {
            let path = format!("{below}{}", file.path);
            let bytes = said(&["file", "--bytes"], &volume(), &[&path]);
            assert!(bytes == file.bytes, "{path}");
        }
    }
    let hive = |files: &[File]| files.iter().find(|file| file.path == HIVE).unwrap().bytes.clone();
    assert!(hive(&then) != hive(&now), "otherwise nothing is shown");
}

#[test]
fn a_planted_service_is_told_absent_in_the_copy() {
    let host = host(&volume(), &[]);
    for name in ["sysupdhlp", "gdrvx"] {
        let service = service(&host, name);
        let sentence = format!("Absent in {COPY}: its key was made after that.");
        let passages = service["passages"].as_array().unwrap();
        let summaries: Vec<&Value> = passages.iter().map(|one| &one["summary"]).collect();
        assert_eq!(summaries, [sentence.as_str()], "{name}");
        let places = [
            format!(r"{COPY}/{HIVE}: ControlSet001\Services:"),
            format!(r"{HIVE}: ControlSet001\Services\{name}:"),
        ];
        assert_eq!(told(service, "Absent"), [(sentence, places.to_vec())], "{name}");
    }
    let came_or_went = host["services"].as_array().unwrap().iter();
    let came_or_went = came_or_went.filter(|service| service["passages"][0].is_object());
    assert_eq!(came_or_went.count(), 2);
    assert_eq!(host["diagnostics"].as_array().unwrap().len(), 0);
}

#[test]
fn a_changed_program_is_told_with_both_ends() {
    let host = host(&volume(), &[]);
    let (then, now) = (
        r#""C:\Program Files\Kestrel\ScanAgent\scanagent.exe""#,
        r"C:\ProgramData\Kestrel\scanagent.exe",
    );
    let value = r"ControlSet001\Services\KestrelScanAgent:ImagePath";
    assert_eq!(
        told(service(&host, "KestrelScanAgent"), "ImagePath changed"),
        [(
            format!("ImagePath changed between {COPY} and now: {then} -> {now}"),
            vec![format!("{COPY}/{HIVE}: {value}"), format!("{HIVE}: {value}")],
        )]
    );
    let changed: Vec<(&str, &str)> = host["services"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|service| {
            let states = service["history"].as_array().unwrap().iter();
            let states = states.filter(|state| state["state"] == COPY);
            let differences = states.flat_map(|state| state["differences"].as_array().unwrap());
            differences
                .map(|one| (service["name"].as_str().unwrap(), one["field"].as_str().unwrap()))
        })
        .collect();
    assert_eq!(
        changed,
        [
            ("WebClient", r"Parameters\ServiceDll"),
            ("KestrelScanAgent", "ImagePath"),
            ("Spooler", "FailureActions"),
            ("Spooler", "FailureCommand"),
        ]
    );
}

#[test]
fn records_that_only_the_copy_has_are_added_once() {
    let [_, now] = states().unwrap();
    let mut expected = events(folder(&now).path());
    assert!(expected.len() > 100);
    let rolled = (18_206..=18_210).map(|id| (format!("{COPY}/{SYSTEM_LOG}"), id));
    expected.extend(rolled);
    expected.sort();
    assert_eq!(events(&volume()), expected);

    let host = host(&volume(), &[]);
    let logs: Vec<(String, u64, u64)> = host["older_states"][0]["files"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|file| file["kind"] == "event log")
        .map(|file| {
            let name = file["path"].as_str().unwrap().rsplit('/').next().unwrap();
            let count = |field: &str| file["records"][field].as_u64().unwrap();
            (name.to_owned(), count("added"), count("repeated"))
        })
        .collect();
    // Of the 49 System records that both have, 3 are about the shutdown and the boot of the day before.
    assert_eq!(
        logs,
        [
            ("Microsoft-Windows-Sysmon%4Operational.evtx".to_owned(), 0, 101),
            ("Security.evtx".to_owned(), 0, 28),
            ("System.evtx".to_owned(), 5, 46),
        ]
    );
    let installed = &service(&host, "AdobeARMservice")["events"];
    assert_eq!(installed.as_array().unwrap().len(), 1, "{installed}");
    assert_eq!(installed[0]["record_id"], 18_209);
}

#[test]
fn what_is_read_is_what_was_asked_for() {
    let [_, now] = states().unwrap();
    let mut of_folder = host(folder(&now).path(), &[]);
    let mut without = host(&volume(), &["--vss", "none"]);
    let copies = &without["evidence"]["shadow_copies"];
    assert_eq!(copies.as_array().unwrap().len(), 1);
    assert_eq!(copies[0]["id"], "{53564354-0000-4000-8000-000000000302}");
    assert_eq!(copies[0]["read"], false);
    for host in [&mut of_folder, &mut without] {
        host.as_object_mut().unwrap().shift_remove("evidence").unwrap();
    }
    assert!(without == of_folder, "without the shadow copy it is the folder's report");

    let all = host(&volume(), &[]);
    assert_eq!(all["evidence"]["shadow_copies"][0]["read"], true);
    assert!(all == host(&volume(), &["--vss", "1"]), "there is only one");
}

/// How records of the service begin: an identifier, version 1, and what they are.
fn record(kind: u8) -> Vec<u8> {
    let mut bytes = 0x3808_876b_u32.to_le_bytes().to_vec();
    bytes.extend([0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52]);
    bytes.extend([1, 0, 0, 0, kind, 0, 0, 0]);
    bytes
}

#[test]
fn a_damaged_copy_is_said_and_costs_only_itself() {
    let [_, now] = states().unwrap();
    let of_folder = host(folder(&now).path(), &[]);
    let whole = std::fs::read(volume()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("volume.raw");
    for (kind, artifact, message) in [
        (
            2,
            "volume shadow copies",
            "the catalog of shadow copies is damaged: no catalog at offset",
        ),
        (3, COPY, "this older state cannot be read: no block list at offset"),
    ] {
        let mut bytes = whole.clone();
        let at = bytes.windows(24).position(|window| window == record(kind)).unwrap();
        bytes[at] = 0;
        std::fs::write(&path, bytes).unwrap();
        let host = host(&path, &[]);
        let said = host["diagnostics"].as_array().unwrap();
        assert_eq!(said.len(), 1, "{said:?}");
        assert_eq!(
            (&said[0]["artifact"], &said[0]["impact"]),
            (&artifact.into(), &"partial".into())
        );
        assert!(said[0]["message"].as_str().unwrap().starts_with(message), "{said:?}");
        for part in ["services", "timeline", "older_states"] {
            assert!(host[part] == of_folder[part], "{message}: other {part}");
        }
    }
}
