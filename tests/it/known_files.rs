//! Lists of known files and YARA rules, from the command line to the report.

#![expect(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the tests start the program with evidence and lists of their own"
)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use svctriage::lab::regf::{BaseBlock, Data, Hive};
use tempfile::TempDir;

/// Self-relative, present and null DACL.
const EVERYBODY: &[u8] = &[1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// A mounted volume with one service whose program consists of these bytes.
fn host(program: &[u8]) -> TempDir {
    let at = |seconds: i64| Timestamp::from_second(1_600_000_000 + seconds).unwrap();
    let mut hive = Hive::new("ROOT", EVERYBODY, at(0));
    let mut set = |path: &str, name: &str, data: Data| {
        let key = hive.create(path, at(1));
        hive.set(key, name, &data, at(2));
    };
    set("Select", "Current", Data::Dword(1));
    let service = r"ControlSet001\Services\Agent";
    for (name, number) in [("Type", 0x10), ("Start", 2), ("ErrorControl", 1)] {
        set(service, name, Data::Dword(number));
    }
    let path = r#""C:\Program Files\Acme\agent.exe""#;
    set(service, "ImagePath", Data::Text(path.to_owned()));
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in [
        ("Windows/System32/config/SYSTEM", hive.to_bytes(&BaseBlock::clean("SYSTEM", 7))),
        ("Program Files/Acme/agent.exe", program.to_vec()),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

fn run(evidence: &Path, options: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_svctriage"))
        .arg("scan")
        .arg(evidence)
        .args(["--format", "json", "--all"])
        .args(options)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// What is found of the service: its positive findings, what speaks for it, and the report's remarks about lists.
fn scanned(evidence: &Path, options: &[&str]) -> (Vec<String>, Vec<String>, Value) {
    let output = run(evidence, options);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 2)), "{errors}");
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let host = report.pointer("/hosts/0").unwrap().clone();
    let services = host.get("services").unwrap().as_array().unwrap();
    let is_agent = |service: &&Value| service.get("name").is_some_and(|name| name == "Agent");
    let agent = services.iter().find(is_agent).unwrap();
    let ids = |part: &str| {
        let found = agent.get(part).unwrap().as_array().unwrap().iter();
        found.map(|one| one.get("id").unwrap().as_str().unwrap().to_owned()).collect()
    };
    (ids("findings"), ids("against"), host)
}

fn has(ids: &[String], id: &str) -> bool {
    ids.iter().any(|one| one == id)
}

fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    fs::write(&path, text).unwrap();
    path
}

fn sha256(bytes: &[u8]) -> String {
    let mut digits = String::new();
    for byte in Sha256::digest(bytes) {
        write!(digits, "{byte:02x}").unwrap();
    }
    digits
}

#[test]
fn a_listed_file_is_found_and_cited() {
    // The bytes are a number: tests/lists/make.py lists those of numbers.
    let evidence = host(b"7");
    let lists = tempfile::tempdir().unwrap();
    let digest = sha256(b"7");
    let plain = written(&lists, "plain.txt", &format!("# case 42\n{digest}  agent.exe\n"));
    let table = written(
        &lists,
        "table.csv",
        &format!("SHA-1,SHA256,Family\n,{},x\n,{digest},Loader\nx,y,z\n", "0".repeat(64)),
    );
    let database = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lists/rds-indexed.sqlite3");
    let before = fs::read(&database).unwrap();
    for (option, list, id, place) in [
        ("--known-bad", &plain, "K01", "plain.txt line 2"),
        ("--known-bad", &table, "K01", "table.csv line 3 (\"Loader\") by sha256"),
        ("--known-good", &table, "B20", "table.csv line 3"),
        ("--known-good", &database, "B20", "rds-indexed.sqlite3 table FILE row 8"),
    ] {
        let (found, against, host) = scanned(evidence.path(), &[option, list.to_str().unwrap()]);
        assert_eq!((has(&found, "K01"), has(&against, "B20")), (id == "K01", id == "B20"));
        assert!(host.to_string().replace("\\\"", "\"").contains(place), "{place}");
    }
    assert_eq!(fs::read(&database).unwrap(), before);
    // Damage in a list is told, with its place.
    let (_, _, told) = scanned(evidence.path(), &["--known-bad", table.to_str().unwrap()]);
    let told = told.get("diagnostics").unwrap().as_array().unwrap().iter();
    let told = told.filter_map(|one| one.get("message")?.as_str());
    let of_list: Vec<&str> =
        told.filter(|message| message.contains("not used of the list")).collect();
    assert_eq!(of_list, ["not used of the list: line 4: no hash in it"]);
    // A file that no list has.
    let other = host(b"another program");
    let options =
        ["--known-bad", plain.to_str().unwrap(), "--known-good", database.to_str().unwrap()];
    let (found, against, _) = scanned(other.path(), &options);
    assert!(!has(&found, "K01") && !has(&against, "B20"));
}

#[test]
fn a_list_of_bad_files_is_not_outweighed_by_one_of_good_files() {
    let evidence = host(b"7");
    let lists = tempfile::tempdir().unwrap();
    let list = written(&lists, "both.txt", &sha256(b"7"));
    let list = list.to_str().unwrap();
    let (found, against, _) =
        scanned(evidence.path(), &["--known-bad", list, "--known-good", list]);
    assert!(has(&found, "K01") && !has(&against, "B20"));
    let threads = |count| run(evidence.path(), &["--known-bad", list, "--threads", count]).stdout;
    assert_eq!(threads("1"), threads("8"));
}

#[test]
fn what_is_no_list_is_refused_with_a_remedy() {
    let evidence = host(b"7");
    let lists = tempfile::tempdir().unwrap();
    let packed = lists.path().join("list.gz");
    fs::write(&packed, b"\x1f\x8b\x08\x00").unwrap();
    for (list, words) in [
        (lists.path().join("missing"), "missing"),
        (lists.path().to_owned(), "no regular file"),
        (packed, "unpack it first"),
        (written(&lists, "none.txt", "name,size\na.exe,7\n"), "give a list with one MD5"),
        (written(&lists, "empty.txt", ""), "give a list with one MD5"),
    ] {
        let output = run(evidence.path(), &["--known-good", list.to_str().unwrap()]);
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{errors}");
        assert!(errors.contains(words), "{errors}");
    }
}

#[cfg(not(feature = "full"))]
#[test]
fn a_build_without_an_engine_says_so() {
    let evidence = host(b"7");
    let rules = tempfile::tempdir().unwrap();
    let rules = written(&rules, "x.yar", "rule x { condition: true }");
    let output = run(evidence.path(), &["--yara", rules.to_str().unwrap()]);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(3), "{errors}");
    assert!(errors.contains("build it with `cargo build --release --features full`"), "{errors}");
}

#[cfg(feature = "full")]
#[test]
fn rules_look_at_the_files_of_services() {
    let evidence = host(b"MZ a needle, and more");
    let rules = tempfile::tempdir().unwrap();
    written(
        &rules,
        "good.yar",
        "rule Needle : x { meta: author = \"A. Author\" score = 80 strings: $a = \"needle\" condition: $a }",
    );
    written(&rules, "broken.yara", "rule x {\n strings:\n $a = \n condition: $a }");
    written(&rules, "notes.txt", "no rules");
    let folder = rules.path().to_str().unwrap();
    let (found, _, told) = scanned(evidence.path(), &["--yara", folder]);
    assert!(has(&found, "K02"), "{found:?}");
    let text = told.to_string();
    for words in ["A. Author", "0x5 ($a)", "its YARA rules are not used: line"] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let threads = |count| run(evidence.path(), &["--yara", folder, "--threads", count]).stdout;
    assert_eq!(threads("1"), threads("8"));
    // Other files of the evidence are not asked.
    let (found, _, _) = scanned(host(b"nothing").path(), &["--yara", folder]);
    assert!(!has(&found, "K02"), "{found:?}");
    let none = written(&rules, "none.yar", "rule x { condition: nothing }");
    let output = run(evidence.path(), &["--yara", none.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(String::from_utf8_lossy(&output.stderr).contains("no YARA rule can be used"));
}
