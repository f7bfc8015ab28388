//! Evidence as it is handed over: what is recognised, what is current, and that nothing is touched.

#![expect(clippy::disallowed_methods, reason = "the tests make their own evidence")]
#![expect(clippy::indexing_slicing, reason = "the bytes are the tests' own")]
#![expect(clippy::unwrap_used, reason = "a test that cannot make its evidence must fail")]
#![expect(clippy::print_stderr, reason = "a skipped test says so")]

use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use svctriage::diagnostic::Impact;
use svctriage::error::Error;
use svctriage::evidence::{self, Evidence, EvidencePath, Found, Magic, Opened, Pattern, Place};
use tempfile::TempDir;

const SYSTEM: Pattern = Pattern {
    magic: Magic::Hive,
    places: &[
        Place::current("System32/config/SYSTEM"),
        Place::history("System32/config/RegBack/SYSTEM", "RegBack"),
    ],
};
const LOGS: Pattern = Pattern {
    magic: Magic::EventLog,
    places: &[
        Place::current("System32/winevt/Logs/*.evtx"),
        Place::current("System32/winevt/Logs/*"),
    ],
};
const LOG_SUFFIXES: [&str; 3] = [".LOG", ".LOG1", ".LOG2"];

fn hive() -> Vec<u8> {
    let mut bytes = b"regf".to_vec();
    bytes.resize(4096, 0);
    bytes
}

fn log() -> Vec<u8> {
    let mut bytes = hive();
    bytes[28] = 6;
    bytes
}

fn put(root: &Path, path: &str, bytes: &[u8]) {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

fn open(path: &Path) -> Opened {
    evidence::open(&[path.to_owned()], &evidence::Options::default())
}

fn only_host(opened: Opened) -> Box<dyn Evidence> {
    assert!(opened.errors.is_empty(), "{:?}", opened.errors);
    assert_eq!(opened.hosts.len(), 1);
    opened.hosts.into_iter().next().unwrap()
}

fn paths(found: &[Found]) -> Vec<(&str, Option<&str>)> {
    found.iter().map(|found| (found.path.as_str(), found.history.as_deref())).collect()
}

#[test]
fn a_windows_folder_is_found_in_any_layout_and_case() {
    for layout in [
        "Windows/System32/config",
        "WINDOWS/system32/CONFIG",
        "winnt/System32/Config",
        "C/Windows/System32/config",
        "C:/Windows/System32/config",
        "C%3A/windows/system32/config",
        "fs/C:/Windows/System32/config",
        "case/042/uploads/C%3A/Windows/System32/config",
        "System32/config",
    ] {
        let root = TempDir::new().unwrap();
        put(root.path(), &format!("{layout}/system"), &hive());
        put(root.path(), &format!("{layout}/System.Log1"), &log());
        put(root.path(), &format!("{layout}/SYSTEM.LOG2"), b"");
        let host = only_host(open(root.path()));
        let listing = host.find(&SYSTEM);
        let path = format!("{layout}/system");
        assert_eq!(paths(&listing.found), [(path.as_str(), None)], "{layout}");
        let beside = host.beside(&listing.found[0].path, &LOG_SUFFIXES);
        let names: Vec<&str> = beside.found.iter().map(|found| found.path.name()).collect();
        assert_eq!(names, ["System.Log1", "SYSTEM.LOG2"], "{layout}");
        let mut bytes = Vec::new();
        host.open(&beside.found[0].path).unwrap().read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes, log());
        assert!(listing.diagnostics.is_empty() && host.describe().diagnostics.is_empty());
    }
}

#[test]
fn older_states_are_history() {
    let root = TempDir::new().unwrap();
    for place in [
        "C/Windows/System32/config",
        "C/Windows/System32/config/RegBack",
        "C/Windows.old/Windows/System32/config",
        "C/Windows.old/Windows/System32/config/RegBack",
        "VSS1/Windows/System32/config",
        "HarddiskVolumeShadowCopy2/Windows/System32/config",
    ] {
        put(root.path(), &format!("{place}/SYSTEM"), &hive());
    }
    let host = only_host(open(root.path()));
    assert_eq!(
        paths(&host.find(&SYSTEM).found),
        [
            ("C/Windows/System32/config/SYSTEM", None),
            (
                "HarddiskVolumeShadowCopy2/Windows/System32/config/SYSTEM",
                Some("HarddiskVolumeShadowCopy2")
            ),
            ("C/Windows/System32/config/RegBack/SYSTEM", Some("RegBack")),
            ("VSS1/Windows/System32/config/SYSTEM", Some("VSS1")),
            ("C/Windows.old/Windows/System32/config/SYSTEM", Some("Windows.old")),
            ("C/Windows.old/Windows/System32/config/RegBack/SYSTEM", Some("Windows.old RegBack")),
        ]
    );
    assert_eq!(host.describe().windows.len(), 4);
    let shadow = only_host(open(&root.path().join("VSS1")));
    assert_eq!(paths(&shadow.find(&SYSTEM).found), [("Windows/System32/config/SYSTEM", None)]);
}

#[test]
fn several_current_windows_folders_are_several_hosts() {
    let root = TempDir::new().unwrap();
    for host in ["WS01/C", "WS02/C"] {
        put(root.path(), &format!("{host}/Windows/System32/config/SYSTEM"), &hive());
    }
    put(root.path(), "WS02/C/Windows.old/Windows/System32/config/SYSTEM", &hive());
    let opened = open(root.path());
    let described: Vec<(&str, usize)> = opened
        .hosts
        .iter()
        .map(|host| host.describe())
        .inspect(|description| assert_eq!(description.diagnostics.len(), 1))
        .map(|description| {
            (description.path.rsplit_once("/WS").unwrap().1, description.windows.len())
        })
        .collect();
    assert_eq!(described, [("01/C", 1), ("02/C", 2)]);
}

#[test]
fn a_decoy_beside_the_windows_folder_is_no_host() {
    let root = TempDir::new().unwrap();
    put(root.path(), "Windows/System32/config/SYSTEM", &hive());
    put(root.path(), "Abc/System32/config/SYSTEM", &hive());
    let host = only_host(open(root.path()));
    assert_eq!(paths(&host.find(&SYSTEM).found), [("Windows/System32/config/SYSTEM", None)]);
    assert_eq!(host.describe().diagnostics.len(), 1);
    assert_eq!(host.describe().diagnostics[0].artifact, "Abc");
}

#[test]
fn logs_in_their_place_are_taken_by_name_or_content() {
    let root = TempDir::new().unwrap();
    let logs = "Windows/System32/winevt/Logs";
    put(root.path(), &format!("{logs}/System.evtx"), b"ElfFile\0");
    put(root.path(), &format!("{logs}/damaged.EVTX"), b"garbage");
    put(root.path(), &format!("{logs}/Archive"), b"ElfFile\0");
    put(root.path(), &format!("{logs}/desktop.ini"), b"[x]");
    let found = only_host(open(root.path())).find(&LOGS).found;
    let names: Vec<(&str, Option<Magic>)> =
        found.iter().map(|found| (found.path.name(), found.magic)).collect();
    let log = Some(Magic::EventLog);
    assert_eq!(names, [("Archive", log), ("System.evtx", log), ("damaged.EVTX", None)]);
}

#[test]
fn loose_files_are_one_host_told_by_content() {
    let root = TempDir::new().unwrap();
    put(root.path(), "a/SYSTEM.hve", &hive());
    put(root.path(), "a/system.hve.log1", &log());
    put(root.path(), "b/System_backup.evtx", b"ElfFile\0");
    put(root.path(), "b/picture.evtx", b"PK\x03\x04");
    let given: Vec<PathBuf> =
        ["a/SYSTEM.hve", "b/System_backup.evtx", "b/picture.evtx", "b/absent"]
            .iter()
            .map(|path| root.path().join(path))
            .collect();
    let opened = evidence::open(&given, &evidence::Options::default());
    assert_eq!(opened.hosts.len(), 1);
    let host = &opened.hosts[0];
    assert_eq!(paths(&host.find(&SYSTEM).found), [("SYSTEM.hve", None)]);
    assert_eq!(paths(&host.find(&LOGS).found), [("System_backup.evtx", None)]);
    let beside = host.beside(&EvidencePath::new("SYSTEM.hve"), &LOG_SUFFIXES).found;
    assert_eq!(paths(&beside), [("system.hve.log1", None)]);
    assert!(host.open(&beside[0].path).is_ok());
    assert!(host.open(&EvidencePath::new("../b/System_backup.evtx")).is_err());
    let [Error::Unsupported { found, .. }, Error::Open { .. }] = &opened.errors[..] else {
        panic!("{:?}", opened.errors);
    };
    assert_eq!(found, "a zip archive");
}

#[test]
fn a_folder_of_loose_files_is_one_host() {
    let root = TempDir::new().unwrap();
    put(root.path(), "hives/one", &hive());
    put(root.path(), "hives/ONE.LOG", &log());
    put(root.path(), "hives/RegBack/one", &hive());
    put(root.path(), "logs/x.bin", b"ElfFile\0");
    put(root.path(), "lost.LOG1", &log());
    put(root.path(), "notes.txt", b"text");
    put(root.path(), "wiped.evtx", b"text");
    let host = only_host(open(root.path()));
    let expected = [("hives/one", None), ("hives/RegBack/one", Some("RegBack"))];
    assert_eq!(paths(&host.find(&SYSTEM).found), expected);
    assert_eq!(paths(&host.find(&LOGS).found), [("logs/x.bin", None)]);
    let beside = host.beside(&EvidencePath::new("hives/one"), &LOG_SUFFIXES).found;
    assert_eq!(paths(&beside), [("hives/ONE.LOG", None)]);
    let diagnostics = &host.describe().diagnostics;
    let told: Vec<&str> = diagnostics.iter().map(|one| one.artifact.as_str()).collect();
    assert_eq!(told, ["wiped.evtx", "lost.LOG1"]);

    let empty = TempDir::new().unwrap();
    put(empty.path(), "notes.txt", b"text");
    let opened = open(empty.path());
    assert!(opened.hosts.is_empty());
    assert!(matches!(&opened.errors[..], [Error::Unsupported { .. }]));
}

#[cfg(unix)]
#[test]
fn links_are_not_followed() {
    let outside = TempDir::new().unwrap();
    put(outside.path(), "SYSTEM", &hive());
    let root = TempDir::new().unwrap();
    let config = root.path().join("Windows/System32/config");
    fs::create_dir_all(&config).unwrap();
    std::os::unix::fs::symlink(outside.path().join("SYSTEM"), config.join("SYSTEM")).unwrap();
    let host = only_host(open(root.path()));
    let listing = host.find(&SYSTEM);
    assert!(listing.found.is_empty());
    assert_eq!(listing.diagnostics.len(), 1);
    assert_eq!(listing.diagnostics[0].impact, Impact::Partial);
    let direct = host.open(&EvidencePath::new("Windows/System32/config/SYSTEM"));
    assert!(direct.is_err());

    // What the examiner gives himself may be a link.
    let link = root.path().join("case");
    std::os::unix::fs::symlink(outside.path(), &link).unwrap();
    assert_eq!(paths(&only_host(open(&link)).find(&SYSTEM).found), [("SYSTEM", None)]);
    let link = root.path().join("hive");
    std::os::unix::fs::symlink(outside.path().join("SYSTEM"), &link).unwrap();
    assert_eq!(paths(&only_host(open(&link)).find(&SYSTEM).found), [("hive", None)]);
}

/// Every path below a folder with its bytes and times.
fn state(root: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime)> {
    let mut state = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let metadata = fs::metadata(&path).unwrap();
            let bytes = if metadata.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
            state.push((path.clone(), bytes, metadata.modified().unwrap()));
            if metadata.is_dir() {
                folders.push(path);
            }
        }
    }
    state.sort();
    state
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn evidence_is_read_from_a_read_only_folder_and_left_as_it_was() {
    let root = TempDir::new().unwrap();
    let config = "Windows/System32/config";
    put(root.path(), &format!("{config}/SYSTEM"), &hive());
    put(root.path(), &format!("{config}/SYSTEM.LOG1"), &log());
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for (path, ..) in state(root.path()) {
        fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
        set_mode(&path, if path.is_dir() { 0o555 } else { 0o444 });
    }
    set_mode(root.path(), 0o555);
    let before = state(root.path());
    let host = only_host(open(root.path()));
    let reading = svctriage::artifact::read(host.as_ref(), &());
    assert_eq!(reading.files.len(), 2);
    assert_eq!(state(root.path()), before);
    for (path, ..) in before.iter().filter(|(path, ..)| path.is_dir()) {
        set_mode(path, 0o755);
    }
    set_mode(root.path(), 0o755);
}

#[cfg(unix)]
#[test]
fn what_cannot_be_read_is_told_and_the_rest_is_read() {
    let root = TempDir::new().unwrap();
    put(root.path(), "one", &hive());
    put(root.path(), "two", &hive());
    set_mode(&root.path().join("one"), 0);
    if fs::read(root.path().join("one")).is_ok() {
        eprintln!("skipped: this user reads everything");
        return;
    }
    let host = only_host(open(root.path()));
    assert_eq!(paths(&host.find(&SYSTEM).found), [("two", None)]);
    let diagnostics = &host.describe().diagnostics;
    assert_eq!(diagnostics.len(), 1);
    assert_eq!((diagnostics[0].artifact.as_str(), diagnostics[0].impact), ("one", Impact::Lost));
}
