//! One format case each: what Windows writes on a bad day, and what Windows made of it itself.

use std::path::{Path, PathBuf};

use svctriage::artifact::hive::{Hive, Key, LogFile, Replayed, replay};

use crate::support::corpus::corpus_folder;

/// The folder of small hives, one format case each.
fn cases() -> Option<PathBuf> {
    corpus_folder("format/regf-format-set.tar.xz").map(|folder| folder.join("regf"))
}

#[expect(clippy::disallowed_methods, clippy::unwrap_used, reason = "the tests' own files")]
fn bytes(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap()
}

/// A hive and its logs, as they lie side by side.
fn with_logs(hive: &Path, suffixes: &[&str]) -> Replayed {
    let logs = suffixes.iter().map(|suffix| {
        let path = hive.with_file_name(format!("{}{suffix}", hive.file_name().unwrap().display()));
        LogFile { name: (*suffix).to_owned(), bytes: bytes(&path) }
    });
    replay(bytes(hive), logs.collect())
}

fn hive_bins(bytes: &[u8]) -> &[u8] {
    let size = u32::from_le_bytes(bytes[40..44].try_into().unwrap());
    &bytes[4096..4096 + size as usize]
}

#[test]
fn new_format_logs_give_the_hive_windows_10_recovered() {
    let Some(cases) = cases() else { return };
    let folder = cases.join("NewDirtyHive1");
    let replayed = with_logs(&folder.join("NewDirtyHive"), &[".LOG1", ".LOG2"]);
    let windows = bytes(&folder.join("RecoveredHive_Windows10"));
    assert!(hive_bins(&replayed.bytes) == hive_bins(&windows), "hive bins differ");
    assert!(replayed.was_dirty() && !replayed.is_still_dirty());
}

#[test]
fn old_format_log_gives_the_hive_windows_7_recovered() {
    let Some(cases) = cases() else { return };
    let folder = cases.join("OldDirtyHive");
    let replayed = with_logs(&folder.join("OldDirtyHive"), &[".LOG1", ".LOG2"]);
    let windows = bytes(&folder.join("RecoveredHive_Windows7"));
    assert!(hive_bins(&replayed.bytes) == hive_bins(&windows), "hive bins differ");
    assert_eq!(replayed.logs[1].refused.as_deref(), Some("it is empty"));
}

#[test]
fn bad_base_block_comes_from_the_log() {
    let Some(cases) = cases() else { return };
    let replayed = with_logs(&cases.join("BadBaseBlockHive/BadBaseBlockHive"), &[".LOG1", ".LOG2"]);
    assert_eq!(replayed.base_block_from.as_deref(), Some(".LOG1"));
    let windows = bytes(&cases.join("OldDirtyHive/RecoveredHive_Windows7"));
    println!("same as the recovered hive: {}", hive_bins(&replayed.bytes) == hive_bins(&windows));
    let hive = Hive::open(&replayed).unwrap();
    let _root: Key<'_> = hive.root().unwrap();
}
