//! Event logs for tests: those of the corpus, and reading them whole.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use svctriage::artifact::event_log::{LogReading, Record, Selection, read_log};

/// Every log below a folder, in a fixed order.
pub(crate) fn logs(folder: &Path) -> Vec<PathBuf> {
    walkdir::WalkDir::new(folder)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| entry.unwrap().into_path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "evtx"))
        .collect()
}

/// The log below a folder whose path ends so.
pub(crate) fn log(folder: &Path, name: &str) -> Vec<u8> {
    let path = logs(folder).into_iter().find(|path| path.ends_with(name)).unwrap();
    fs::read(path).unwrap()
}

/// Reads a log from memory.
pub(crate) fn read(bytes: &[u8], selection: &Selection) -> (LogReading, Vec<Record>) {
    let mut records = Vec::new();
    let mut content = Cursor::new(bytes);
    let reading = read_log(&mut content, selection, &mut |record| records.push(record)).unwrap();
    (reading, records)
}
