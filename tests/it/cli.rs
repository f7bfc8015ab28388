//! The program as a user runs it: exit codes, streams, help.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the tests start the program and read what it wrote"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use sha2::{Digest as _, Sha256};

fn sample(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples").join(name).join("evidence")
}

fn svctriage(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .args(arguments)
        .stdin(Stdio::null())
        .env_remove("CLICOLOR_FORCE")
        .output()
        .unwrap()
}

fn scan(name: &str, options: &[&str]) -> Output {
    let evidence = sample(name);
    let mut arguments = vec!["scan", evidence.to_str().unwrap()];
    arguments.extend(options);
    svctriage(&arguments)
}

fn stdout(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

fn stderr(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

#[test]
fn the_main_job_ranks_the_sample() {
    let output = scan("compromised-workstation", &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("VERDICT"), "{}", stdout(&output));
    assert!(stderr(&output).is_empty(), "{}", stderr(&output));
    assert!(!stdout(&output).contains('\u{1b}'), "colour without a terminal");
    assert!(stdout(&output).lines().all(|line| line.chars().count() <= 100), "too wide");
}

#[test]
fn exit_codes_are_as_documented() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.txt");
    fs::write(&text, "no evidence").unwrap();
    let missing = folder.path().join("missing");
    for (arguments, code) in [
        (vec!["--help"], 0),
        (vec!["--version"], 0),
        (vec!["scan"], 3),
        (vec!["scan", "--format", "pdf", "x"], 3),
        (vec!["scan", "--weight", "P01", "x"], 3),
        (vec!["scan", "--threads", "100000", "x"], 3),
        (vec!["scan", "--ignore", "NOPE", "x"], 3),
        (vec!["scan", "--threads", "100000", "x"], 3),
        (vec!["scan", missing.to_str().unwrap()], 4),
        (vec!["scan", text.to_str().unwrap()], 4),
        (vec!["detect", missing.to_str().unwrap()], 4),
        (vec!["explain", "NOPE"], 3),
        (vec!["explain", "P01"], 0),
        (vec!["checklist"], 0),
    ] {
        let output = svctriage(&arguments);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {}", stderr(&output));
        if code >= 3 {
            assert!(!stderr(&output).is_empty(), "{arguments:?} failed without a word");
            assert!(output.stdout.is_empty(), "{arguments:?} wrote data and failed");
        }
    }
    assert_eq!(scan("compromised-workstation", &["--fail-on", "escalate"]).status.code(), Some(1));
    assert_eq!(scan("clean-noisy-host", &["--fail-on", "escalate"]).status.code(), Some(0));
}

#[test]
fn an_unreadable_path_beside_a_good_one_is_incomplete() {
    let good = sample("loose-files");
    let output = svctriage(&["scan", good.to_str().unwrap(), "/nowhere/SYSTEM"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("/nowhere/SYSTEM"), "{}", stderr(&output));
    assert!(stdout(&output).contains("VERDICT"));
}

#[test]
fn threads_and_repetition_change_no_byte() {
    for format in ["table", "json", "jsonl", "csv", "markdown"] {
        let first =
            scan("compromised-workstation", &["--format", format, "--all", "--threads", "1"]);
        for threads in ["1", "2", "8"] {
            let again = scan(
                "compromised-workstation",
                &["--format", format, "--all", "--threads", threads],
            );
            assert!(first.stdout == again.stdout, "{format} differs with {threads} threads");
        }
    }
}

#[test]
fn an_output_file_is_never_replaced_unasked() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("report.json");
    let options = ["--format", "json", "--output", target.to_str().unwrap()];
    let first = scan("loose-files", &options);
    assert!(first.stdout.is_empty());
    let written = fs::read(&target).unwrap();
    assert!(written.starts_with(b"{"));
    let second = scan("loose-files", &options);
    assert_eq!(second.status.code(), Some(5));
    assert!(stderr(&second).contains("--force"), "{}", stderr(&second));
    let mut forced = options.to_vec();
    forced.push("--force");
    assert_eq!(scan("loose-files", &forced).status.code(), first.status.code());
    assert_eq!(fs::read(&target).unwrap(), written);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "a partial file was left");
}

#[test]
fn a_saved_report_explains_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("report.json");
    scan("compromised-workstation", &["--format", "json", "-o", target.to_str().unwrap()]);
    let evidence = sample("compromised-workstation");
    let from_report = svctriage(&["explain", "1", "--report", target.to_str().unwrap()]);
    let from_evidence = svctriage(&["explain", "1", evidence.to_str().unwrap()]);
    assert_eq!(from_report.status.code(), Some(0), "{}", stderr(&from_report));
    assert_eq!(stdout(&from_report), stdout(&from_evidence));
    assert!(stdout(&from_report).len() > 500);
}

#[test]
fn a_report_of_another_contract_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("report.json");
    for (text, words) in [
        (r#"{"schema":2,"hosts":[]}"#, "schema 2"),
        (r#"{"schema":1,"hosts":[]}"#, "no report"),
        ("[]", "no report"),
    ] {
        fs::write(&target, text).unwrap();
        let output = svctriage(&["explain", "1", "--report", target.to_str().unwrap()]);
        assert_eq!(output.status.code(), Some(4), "{text}");
        assert!(stderr(&output).contains(words), "{text}: {}", stderr(&output));
    }
}

#[test]
fn detect_says_what_would_be_read() {
    let evidence = sample("compromised-workstation");
    let output = svctriage(&["detect", evidence.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0));
    for word in ["SYSTEM", "System.evtx", "Windows folder"] {
        assert!(stdout(&output).contains(word), "{word}: {}", stdout(&output));
    }
}

#[test]
fn completions_and_manual_are_written() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        assert!(stdout(&svctriage(&["completions", shell])).contains("svctriage"), "{shell}");
    }
    assert!(
        stdout(&svctriage(&["man"])).starts_with(".ie")
            || stdout(&svctriage(&["man"])).contains(".TH")
    );
}

#[test]
fn colour_is_asked_for_or_absent() {
    let colored = scan("compromised-workstation", &["--color", "always"]);
    assert!(stdout(&colored).contains('\u{1b}'));
    let plain = scan("compromised-workstation", &["--color", "never"]);
    assert!(!stdout(&plain).contains('\u{1b}'));
}

#[test]
fn options_for_opening_are_checked_and_never_repeated() {
    let folder = tempfile::tempdir().unwrap();
    let list = folder.path().join("keys.txt");
    fs::write(&list, "000011-000022-000033-000044-720885-000055-000066-000001\n").unwrap();
    let list = list.to_str().unwrap();
    let evidence = sample("loose-files");
    let evidence = evidence.to_str().unwrap();
    for (option, value, words) in [
        ("--vss", "0", "counted from 1"),
        ("--max-unpacked", "3X", "is no unit"),
        ("--max-ratio", "many", "invalid"),
        ("--recovery-key", "123456-7890", "48 digits"),
        ("--recovery-key-file", list, "line 1: group 8"),
        ("--recovery-key-file", "/nowhere/keys", "/nowhere/keys"),
        ("--zip-password-file", "/nowhere/words", "/nowhere/words"),
        ("--bitlocker-password-file", "/nowhere/words", "/nowhere/words"),
    ] {
        for verb in ["scan", "detect"] {
            let output = svctriage(&[verb, evidence, option, value]);
            assert_eq!(output.status.code(), Some(3), "{verb} {option} {value}");
            let said = stderr(&output);
            assert!(said.contains(words), "{verb} {option} {value}: {said}");
            assert!(!said.contains("7890") && !said.contains("000001"), "a secret: {said}");
        }
    }
}

#[test]
fn keys_and_limits_leave_the_report_of_a_folder_as_it_is() {
    let plain = scan("compromised-workstation", &["--format", "json"]);
    let secrets = scan(
        "compromised-workstation",
        &[
            "--format",
            "json",
            "--recovery-key",
            "000011000022000033000044720885000055000066000000",
            "--bitlocker-password",
            "hunter2",
            "--zip-password",
            "hunter3",
            "--vss",
            "none",
            "--max-members",
            "10",
        ],
    );
    assert_eq!(secrets.status.code(), Some(0), "{}", stderr(&secrets));
    assert!(plain.stdout == secrets.stdout);
}

#[test]
fn detect_names_the_host_and_who_says_so() {
    let evidence = sample("compromised-workstation");
    let text = svctriage(&["detect", evidence.to_str().unwrap()]);
    let json = svctriage(&["detect", evidence.to_str().unwrap(), "--format", "json"]);
    assert_eq!(json.status.code(), Some(0), "{}", stderr(&json));
    let report: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(report["schema"], 1);
    let host = &report["hosts"][0];
    let source = "ComputerName in Windows/System32/config/SYSTEM";
    assert_eq!(host["name_source"], source);
    let name = host["name"].as_str().unwrap();
    let line = format!("host             {name} ({source})");
    assert!(stdout(&text).contains(&line), "{}", stdout(&text));
    let scanned = scan("compromised-workstation", &["--format", "json"]);
    let scanned: serde_json::Value = serde_json::from_slice(&scanned.stdout).unwrap();
    assert_eq!(scanned["hosts"][0]["host"]["name"], name);
    let files = host["files"].as_array().unwrap();
    assert!(files.iter().any(|file| file["path"] == "Windows/System32/winevt/Logs/System.evtx"));
    assert!(host["missing"].as_array().unwrap().iter().all(|one| one["why"].is_string()));
}

#[test]
fn every_field_of_detect_is_documented() {
    fn names(value: &serde_json::Value, found: &mut Vec<String>) {
        match value {
            serde_json::Value::Object(fields) => {
                for (name, value) in fields {
                    found.push(name.clone());
                    names(value, found);
                }
            }
            serde_json::Value::Array(items) => items.iter().for_each(|item| names(item, found)),
            _ => {}
        }
    }
    let evidence = sample("compromised-workstation");
    let json = svctriage(&["detect", evidence.to_str().unwrap(), "--format", "json"]);
    let mut found = Vec::new();
    names(&serde_json::from_slice(&json.stdout).unwrap(), &mut found);
    let page = include_str!("../../docs/report.md");
    let (_, page) = page.split_once("## `detect --format json`").unwrap();
    for name in found {
        assert!(page.contains(&format!("`{name}`")), "{name} is not in docs/report.md");
    }
}

#[test]
fn one_file_is_shown_and_written_as_it_is() {
    let evidence = sample("compromised-workstation");
    let path = evidence.to_str().unwrap();
    let bytes = fs::read(evidence.join("Windows/System32/config/SYSTEM")).unwrap();
    for name in ["Windows/System32/config/SYSTEM", "C:\\Windows\\System32\\config\\SYSTEM"] {
        let shown = svctriage(&["file", path, name]);
        assert_eq!(shown.status.code(), Some(0), "{}", stderr(&shown));
        let digest: String = Sha256::digest(&bytes)
            .iter()
            .fold(String::new(), |digits, byte| digits + &format!("{byte:02x}"));
        assert!(stdout(&shown).contains(&digest), "{}", stdout(&shown));
        assert!(stdout(&shown).contains(&format!("{} bytes", bytes.len())));
        let written = svctriage(&["file", path, name, "--bytes"]);
        assert_eq!(written.status.code(), Some(0), "{}", stderr(&written));
        assert!(written.stdout == bytes, "{name}: other bytes");
    }
}

#[test]
fn a_file_that_is_not_there_is_told() {
    let evidence = sample("compromised-workstation");
    let path = evidence.to_str().unwrap();
    for arguments in [
        vec!["file", path, "Windows/none.exe"],
        vec!["file", path, "Windows/none.exe", "--bytes"],
        vec!["file", path, "../../compromised-workstation/README.md"],
        vec!["file", "/nowhere", "Windows/none.exe"],
    ] {
        let output = svctriage(&arguments);
        assert_eq!(output.status.code(), Some(4), "{arguments:?}");
        assert!(output.stdout.is_empty() && !stderr(&output).is_empty(), "{arguments:?}");
    }
    let output = svctriage(&["file", path, "Windows/none.exe", "--host", "2"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("no host 2"), "{}", stderr(&output));
}
