//! `results/`: what the artifacts that collect files said about them: original times and hashes.
//!
//! `Windows.KapeFiles.Targets/All File Metadata` up to 0.74, `…/All Matches Metadata` and
//! `Windows.Triage.Targets/All Matches Metadata` since 0.75 (`tools/fuse/times.go`), and their `Uploads`. The `/` of
//! these names is a folder or, in zips, `%2F`.

use serde::Deserialize;

use super::super::records::{TWO_HASHES, hash, json_lines, keep_hash, time};
use super::super::site::{Site, bounded};
use super::Explained;
use super::names::{decode, place_of};
use super::stored::Stored;
use super::uploads::Upload;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::file_tree::{Entry, EntryKind, walk};
use crate::evidence::{EvidencePath, RecordedHash, TimeSource, Times};
use crate::text::fold;

/// How the records are named, in upper case.
const TIMES: [&str; 2] = ["ALL MATCHES METADATA.JSON", "ALL FILE METADATA.JSON"];
const UPLOADS: &str = "UPLOADS.JSON";
/// Records that are read.
const MAX_RECORDS: usize = 100;
/// Levels of folders and entries of `results` that are looked at.
const MAX_DEPTH: usize = 3;
const MAX_ENTRIES: usize = 10_000;

/// A row of either record.
#[derive(Deserialize)]
struct Row {
    #[serde(rename = "SourceFile")]
    source: Option<String>,
    #[serde(rename = "Created")]
    created: Option<String>,
    #[serde(rename = "Modified")]
    modified: Option<String>,
    #[serde(rename = "Changed")]
    changed: Option<String>,
    #[serde(rename = "LastAccessed")]
    accessed: Option<String>,
    #[serde(rename = "SourceFileSha256")]
    sha256: Option<String>,
    #[serde(rename = "Upload")]
    upload: Option<Upload>,
}

/// Reads every such record below `results`.
pub(super) fn read(site: &Site<'_>, results: &EvidencePath, stored: &Stored, into: &mut Explained) {
    let contents = walk(site.tree.as_ref(), results, MAX_DEPTH, MAX_ENTRIES);
    into.diagnostics.extend(contents.diagnostics);
    let is_record = |entry: &Entry| {
        let name = fold(&decode(&entry.name));
        let is_named = TIMES.iter().any(|end| name.ends_with(end)) || name.ends_with(UPLOADS);
        is_named && matches!(entry.kind, EntryKind::File(_))
    };
    let records: Vec<Entry> = contents.entries.into_iter().filter(is_record).collect();
    let records = bounded(records, MAX_RECORDS, "records", results, &mut into.diagnostics);
    for record in records {
        let Explained { overlay, recorded, diagnostics } = &mut *into;
        let name = decode(&record.name);
        let mut doubtful = 0_usize;
        let unusable = site.read(&record.path, diagnostics, |source| {
            json_lines(source, |row: Row| {
                let Some(place) = row.source.as_deref().and_then(place_of) else {
                    return row.upload.is_some() || row.source.is_some();
                };
                let paths = stored.at(&place);
                if let Some(times) = row.times() {
                    for path in paths {
                        overlay.set_times(path, times.clone());
                    }
                }
                if let Some((path, hashes)) = row.hashes(&name, stored, paths)
                    && !keep_hash(recorded, path, hashes)
                {
                    doubtful = doubtful.saturating_add(1);
                }
                true
            })
        });
        if let Some(unusable) = unusable {
            unusable.tell(&record.path, diagnostics);
        }
        if doubtful > 0 {
            diagnostics.push(Diagnostic {
                artifact: record.path.to_string(),
                impact: Impact::Partial,
                message: format!("{doubtful} {TWO_HASHES}"),
            });
        }
    }
}

impl Row {
    fn times(&self) -> Option<Times> {
        let read = |text: &Option<String>| text.as_deref().and_then(time);
        let times = Times {
            source: TimeSource::Collector,
            created: read(&self.created),
            modified: read(&self.modified),
            changed: read(&self.changed),
            accessed: read(&self.accessed),
        };
        let is_any = times.created.or(times.modified).or(times.changed).or(times.accessed);
        is_any.map(|_| times)
    }

    /// The hashes, and of which file. A place that several accessors read is several files, and the row does not
    /// say whose hash it is unless it names what was stored.
    fn hashes<'s>(
        &self,
        record: &str,
        stored: &'s Stored,
        paths: &'s [EvidencePath],
    ) -> Option<(&'s EvidencePath, RecordedHash)> {
        if let Some(upload) = &self.upload
            && let Some(path) = upload.stored(stored)
            && let Some(hashes) = upload.hashes(record)
        {
            return Some((path, hashes));
        }
        let sha256 = self.sha256.as_deref().and_then(|text| hash(text, 32))?;
        let [path] = paths else { return None };
        let source = record.to_owned();
        Some((path, RecordedHash { source, sha256: Some(sha256), sha1: None, md5: None }))
    }
}
