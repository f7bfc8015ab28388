//! A whole scan leaves real evidence as it was: bytes, times, names and access rights.

#![cfg(unix)]
#![expect(clippy::disallowed_methods, reason = "the test makes and compares its own evidence")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::support::scan::scan_one;

/// Everything below a folder, the folder included.
fn paths(root: &Path) -> Vec<PathBuf> {
    let walk = walkdir::WalkDir::new(root).sort_by_file_name();
    walk.into_iter().map(|entry| entry.unwrap().into_path()).collect()
}

/// Path, bytes, time of the last change and mode of everything.
fn state(root: &Path) -> Vec<(PathBuf, Vec<u8>, SystemTime, u32)> {
    let one = |path: PathBuf| {
        let metadata = fs::metadata(&path).unwrap();
        let bytes = if metadata.is_dir() { Vec::new() } else { fs::read(&path).unwrap() };
        (path, bytes, metadata.modified().unwrap(), metadata.permissions().mode())
    };
    paths(root).into_iter().map(one).collect()
}

fn set_mode(path: &Path, of_folder: u32, of_file: u32) {
    let mode = if path.is_dir() { of_folder } else { of_file };
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_scan_changes_nothing_in_a_read_only_folder() {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("samples/compromised-workstation/evidence");
    let root = tempfile::tempdir().unwrap();
    for path in paths(&source).iter().filter(|path| path.is_file()) {
        let target = root.path().join(path.strip_prefix(&source).unwrap());
        fs::create_dir_all(target.parent().unwrap()).unwrap();
        fs::copy(path, target).unwrap();
    }
    let long_ago = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000);
    for path in paths(root.path()) {
        fs::File::open(&path).unwrap().set_modified(long_ago).unwrap();
        set_mode(&path, 0o555, 0o444);
    }
    let before = state(root.path());
    let report = scan_one(&[root.path()]);
    let after = state(root.path());
    for path in &paths(root.path()) {
        set_mode(path, 0o755, 0o644);
    }
    assert_eq!(report.evidence.files.len(), 7);
    assert_eq!(report.diagnostics, []);
    assert!(before == after, "the evidence was changed");
}
