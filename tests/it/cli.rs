//! The program as a user runs it: exit codes, streams, help.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the tests start the program and read what it wrote"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

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
