//! Differences between two states of hosts, from the command line.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "the tests start the program with evidence of their own and may stop at a surprise"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use serde_json::Value;
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use tempfile::TempDir;

use crate::support::pages::{assert_harmless, assert_inert};

/// Self-relative, present and null DACL.
const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

fn svctriage(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .args(arguments)
        .stdin(Stdio::null())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    assert!(
        matches!(output.status.code(), Some(0..=2)),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn diff(first: &Path, second: &Path, options: &[&str]) -> Output {
    let mut arguments = vec!["diff", text(first), text(second), "-q"];
    arguments.extend(options);
    svctriage(&arguments)
}

fn json(first: &Path, second: &Path) -> Value {
    serde_json::from_str(&stdout(&diff(first, second, &["--format", "json"]))).unwrap()
}

type Values<'a> = Vec<(&'a str, &'a str, Data)>;

/// A SYSTEM hive with these services; the values of each come after the usual ones, which they replace. Keys are written
/// `later` seconds after the first state's.
fn hive(
    folder: &TempDir,
    file: &str,
    computer: &str,
    later: i64,
    services: &[&str],
    values: &Values<'_>,
) -> PathBuf {
    let at = |seconds: i64| Timestamp::from_second(1_600_000_000 + seconds).unwrap();
    let mut hive = Hive::new("ROOT", EVERYBODY, at(0));
    let mut set = |path: &str, name: &str, data: &Data| {
        let key = hive.create(path, at(1 + later));
        hive.set(key, name, data, at(2 + later));
    };
    set("Select", "Current", &Data::Dword(1));
    let computer_key = r"ControlSet001\Control\ComputerName\ComputerName";
    set(computer_key, "ComputerName", &Data::Text(computer.to_owned()));
    for service in services {
        let key = format!(r"ControlSet001\Services\{service}");
        let program = Data::Text(format!(r#""C:\Program Files\Acme\{service}.exe""#));
        for (name, data) in [
            ("Type", Data::Dword(0x10)),
            ("Start", Data::Dword(2)),
            ("ErrorControl", Data::Dword(1)),
            ("ImagePath", program),
            ("ObjectName", Data::Text("LocalSystem".to_owned())),
            ("Description", Data::Text("Serves Acme.".to_owned())),
            ("DisplayName", Data::Text(format!("{service} of Acme"))),
        ] {
            let own = values.iter().find(|(of, value, _)| of == service && *value == name);
            set(&key, name, own.map_or(&data, |(_, _, data)| data));
        }
    }
    for (service, name, data) in values {
        let key = format!(r"ControlSet001\Services\{service}");
        if !matches!(*name, "Type" | "Start" | "ErrorControl" | "ImagePath" | "ObjectName") {
            set(&key, name, data);
        }
    }
    let path = folder.path().join(file);
    fs::write(&path, hive.to_bytes(&BaseBlock::clean("SYSTEM", 7))).unwrap();
    path
}

fn armed() -> Data {
    let mut bytes = Vec::new();
    for word in [86_400_u32, 0, 1, 1, 0x14, 3, 60_000] {
        bytes.extend_from_slice(&word.to_le_bytes());
    }
    Data::Binary(bytes)
}

/// The host on Monday and on Friday.
fn states(folder: &TempDir) -> (PathBuf, PathBuf) {
    let command = "cmd.exe /c C:\\ProgramData\\s.bat\u{202e}|<b>`";
    let monday = hive(folder, "monday", "WS01", 0, &["Agent", "Gone", "Same"], &vec![]);
    let friday = hive(
        folder,
        "friday",
        "WS01",
        3600,
        &["Agent", "New", "Same"],
        &vec![
            ("Agent", "Start", Data::Dword(3)),
            ("Agent", "FailureCommand", Data::Text(command.to_owned())),
            ("Agent", "FailureActions", armed()),
            ("New", "ImagePath", Data::Text(r"C:\Users\Public\x.exe".to_owned())),
        ],
    );
    (monday, friday)
}

#[test]
fn services_that_came_went_and_changed_are_told_old_to_new() {
    let folder = tempfile::tempdir().unwrap();
    let (monday, friday) = states(&folder);
    let document = json(&monday, &friday);
    let host = document.pointer("/hosts/0").unwrap();
    let counts = ["added", "removed", "changed", "same"].map(|count| host[count].as_u64().unwrap());
    assert_eq!(counts, [1, 1, 1, 1], "another last-write time alone is no difference");
    let services = host["services"].as_array().unwrap();
    let by_name = |name: &str| services.iter().find(|one| one["name"] == name).unwrap();
    assert_eq!(by_name("New")["change"], "added");
    assert_eq!(by_name("Gone")["change"], "removed");
    let agent = by_name("Agent");
    assert_eq!(agent["change"], "changed");
    assert_ne!(agent["before"]["last_write"], agent["after"]["last_write"]);
    let field = |name: &str| {
        let fields = agent["fields"].as_array().unwrap();
        let found = fields.iter().find(|one| one["field"] == name).unwrap();
        (found["before"].clone(), found["after"].clone())
    };
    assert_eq!(field("start"), ("auto".into(), "demand".into()));
    let (before, after) = field("failure_command");
    assert!(before.is_null() && after.as_str().unwrap().ends_with("(armed)"), "{after}");
    assert_eq!(field("verdict").1, "ESCALATE");
    assert_eq!(services[0]["name"], "Agent", "worst first");

    // The other way round, what came is what went.
    let reverse = json(&friday, &monday);
    assert_eq!(reverse.pointer("/hosts/0/added"), Some(&Value::from(1)));
    let removed = reverse.pointer("/hosts/0/services").unwrap().as_array().unwrap();
    assert!(removed.iter().any(|one| one["name"] == "New" && one["change"] == "removed"));
}

#[test]
fn every_form_says_it_and_obeys_no_evidence() {
    let folder = tempfile::tempdir().unwrap();
    let (monday, friday) = states(&folder);
    let table = stdout(&diff(&monday, &friday, &[]));
    for words in ["1 added, 1 removed, 1 changed, 1 the same", "CHANGED", "start: auto -> demand"] {
        assert!(table.contains(words), "{words}: {table}");
    }
    assert!(table.lines().all(|line| line.chars().count() <= 100), "{table}");
    let markdown = stdout(&diff(&monday, &friday, &["--format", "markdown"]));
    assert!(markdown.contains("**REMOVED** `Gone`"), "{markdown}");
    let sheet = stdout(&diff(&monday, &friday, &["--format", "csv"]));
    let mut lines = sheet.lines();
    assert!(lines.next().unwrap().starts_with("HostBefore,HostAfter,Change,Service,Field,Before"));
    assert!(
        lines.any(|line| line.contains("WS01,WS01,CHANGED,Agent,start,auto,demand")),
        "{sheet}"
    );
    let document = stdout(&diff(&monday, &friday, &["--format", "json"]));
    for page in [&table, &markdown, &sheet, &document] {
        assert_harmless(page);
    }
    assert_inert(&markdown);
    let some = json(&monday, &friday);
    let least = diff(&monday, &friday, &["--format", "json", "--min-verdict", "review"]);
    let few: Value = serde_json::from_str(&stdout(&least)).unwrap();
    let count =
        |document: &Value| document.pointer("/hosts/0/services").unwrap().as_array().unwrap().len();
    assert!(count(&few) < count(&some) && count(&few) >= 1);
    assert_eq!(
        count(
            &serde_json::from_str(&stdout(&diff(
                &monday,
                &friday,
                &["--format", "json", "--top", "1"]
            )))
            .unwrap()
        ),
        1
    );
}

#[test]
fn exit_codes_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let (monday, friday) = states(&folder);
    let other = folder.path().join("other");
    let report = folder.path().join("monday.json");
    fs::write(&other, "nothing").unwrap();
    let made = svctriage(&["scan", text(&monday), "--format", "json", "-q", "-o", text(&report)]);
    assert_eq!(made.status.code(), Some(0));
    let lines = folder.path().join("broken.json");
    fs::write(&lines, "{\"schema\": 1, \"hosts\": 7}").unwrap();
    for (first, second, options, code) in [
        (&monday, &friday, &[][..], 0),
        (&monday, &friday, &["--fail-on-difference"], 1),
        (&monday, &monday, &["--fail-on-difference"], 0),
        (&report, &monday, &["--fail-on-difference"], 0),
        (&report, &friday, &["--fail-on-difference"], 1),
        (&monday, &other, &[], 4),
        (&lines, &monday, &[], 4),
        (&monday, &friday, &["--format", "pdf"], 3),
    ] {
        let output = diff(first, second, options);
        assert_eq!(output.status.code(), Some(code), "{first:?} {second:?} {options:?}");
    }
    let target = folder.path().join("diff.md");
    let options = ["--format", "markdown", "-o", text(&target)];
    assert_eq!(diff(&monday, &friday, &options).status.code(), Some(0));
    assert_eq!(diff(&monday, &friday, &options).status.code(), Some(5), "kept unless --force");
}

#[test]
fn hosts_are_paired_by_name_and_those_without_a_partner_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut reports = Vec::new();
    for (state, computers) in [("before", ["WS01", "WS02"]), ("after", ["ws02", "WS03"])] {
        let mut paths = Vec::new();
        for computer in computers {
            let inner = folder.path().join(format!("{state}-{computer}"));
            fs::create_dir_all(&inner).unwrap();
            let services = if state == "after" { &["Agent", "New"][..] } else { &["Agent"] };
            let hive = hive(&folder, "hive", computer, 0, services, &vec![]);
            fs::rename(hive, inner.join("SYSTEM")).unwrap();
            paths.push(inner);
        }
        let report = folder.path().join(format!("{state}.json"));
        let made = svctriage(&[
            "scan",
            text(&paths[0]),
            text(&paths[1]),
            "--format",
            "json",
            "-q",
            "-o",
            text(&report),
        ]);
        assert_eq!(made.status.code(), Some(0));
        reports.push(report);
    }
    let document = json(&reports[0], &reports[1]);
    assert_eq!(document["hosts"].as_array().unwrap().len(), 1);
    assert_eq!(document.pointer("/hosts/0/added"), Some(&Value::from(1)));
    assert_eq!(document["only_before"][0], "WS01");
    assert_eq!(document["only_after"][0], "WS03");
    let table = stdout(&diff(&reports[0], &reports[1], &[]));
    assert!(table.contains("WS01: only before") && table.contains("WS03: only after"), "{table}");
    assert_eq!(diff(&reports[0], &reports[1], &["--fail-on-difference"]).status.code(), Some(1));
}

#[test]
fn instances_for_other_users_are_no_difference() {
    let folder = tempfile::tempdir().unwrap();
    let made = |file: &str, names: &[&str]| {
        let mut values: Values<'_> = Vec::new();
        for name in names {
            let kind = if name.contains('_') { 0xd0 } else { 0x50 };
            let program = r"C:\Program Files\Acme\user.exe".to_owned();
            values.push((*name, "Type", Data::Dword(kind)));
            values.push((*name, "ImagePath", Data::Text(program)));
            values.push((*name, "DisplayName", Data::Text("Acme user".to_owned())));
        }
        hive(&folder, file, "WS01", 0, names, &values)
    };
    let one = made("one", &["AcmeUser", "AcmeUser_3a1f2"]);
    let two = made("two", &["AcmeUser", "AcmeUser_77b01", "AcmeUser_9c001"]);
    let document = json(&one, &two);
    let host = document.pointer("/hosts/0").unwrap();
    assert_eq!((&host["added"], &host["removed"]), (&Value::from(0), &Value::from(0)), "{host}");
    assert_eq!((&host["changed"], &host["same"]), (&Value::from(0), &Value::from(2)), "{host}");
}

#[test]
fn a_host_and_its_baseline_are_compared_in_either_order() {
    let folder = tempfile::tempdir().unwrap();
    let (monday, friday) = states(&folder);
    let gold = folder.path().join("gold.jsonl");
    let made = svctriage(&["baseline", "create", text(&monday), "-o", text(&gold), "-q"]);
    assert_eq!(made.status.code(), Some(0), "{}", String::from_utf8_lossy(&made.stderr));
    for document in [json(&friday, &gold), json(&gold, &friday)] {
        assert_eq!(document["before"]["form"], "baseline");
        let host = document.pointer("/hosts/0").unwrap();
        let services = host["services"].as_array().unwrap();
        let change = |name: &str| {
            services.iter().find(|one| one["name"] == name).map(|one| one["change"].clone())
        };
        assert_eq!(change("New"), Some("added".into()));
        assert_eq!(change("Gone"), Some("removed".into()));
        assert_eq!(change("Agent"), Some("changed".into()));
        assert_eq!(change("Same"), None);
    }
    let same = json(&gold, &gold);
    assert_eq!(same.pointer("/hosts/0/same"), Some(&Value::from(3)));
}
