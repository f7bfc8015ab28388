//! `<time>_<target>_CopyLog.csv`: every file copied, with its hash and times on the host.
//!
//! Columns: `CopiedTimestamp,SourceFile,DestinationFile,FileSize,SourceFileSha1,DeferredCopy,CreatedOnUtc,`
//! `ModifiedOnUtc,LastAccessedOnUtc,CopyDuration` (`KapeDocs`, "Log files").

use super::super::inventory::Inventory;
use super::super::records::{Row, few, hash, table, time};
use super::super::site::Site;
use super::{Explained, stored_form};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{EvidencePath, RecordedHash, TimeSource, Times};
use crate::text::fold;

/// Rows kept until it is known where KAPE wrote to.
const MAX_WAITING: usize = 100_000;
/// Characters of a path that a diagnostic quotes.
const QUOTED: usize = 200;

/// A row that was not found in the collection at once.
struct Waiting {
    destination: String,
    recorded: Option<RecordedHash>,
    times: Times,
}

/// Reads one log.
pub(super) fn read(site: &Site<'_>, log: &EvidencePath, files: &Inventory, into: &mut Explained) {
    let Explained { overlay, recorded, diagnostics } = into;
    let mut target: Option<String> = None;
    let mut waiting = Vec::new();
    let mut keep = |path: &EvidencePath, hashes: Option<RecordedHash>, times: Times| {
        overlay.set_times(path, times);
        if let Some(hashes) = hashes {
            recorded.entry(path.clone()).or_insert(hashes);
        }
    };
    let unusable = site.read(log, diagnostics, |source| {
        table(source, |row| {
            let destination = row.get("DestinationFile").replace('/', "\\");
            let (hashes, times) = (hashes(row, log), times(row));
            let Some(stored) =
                stored_form(row.get("SourceFile")).filter(|_| !destination.is_empty())
            else {
                return false;
            };
            // What lies before the path of the host is where KAPE wrote to.
            let folded = fold(&destination);
            if let Some(before) = folded.strip_suffix(&stored).filter(|path| path.ends_with('\\')) {
                target.get_or_insert_with(|| before.to_owned());
                if let Some((path, _)) = files.find(&below(site, &stored)) {
                    keep(path, hashes, times);
                    return true;
                }
            }
            if waiting.len() < MAX_WAITING {
                waiting.push(Waiting { destination: folded, recorded: hashes, times });
            }
            true
        })
    });
    let mut missing = Vec::new();
    for row in waiting {
        let rest = target.as_deref().and_then(|target| row.destination.strip_prefix(target));
        match rest.and_then(|rest| files.find(&below(site, rest))) {
            Some((path, _)) => keep(path, row.recorded, row.times),
            None => missing.push(row.destination.chars().take(QUOTED).collect::<String>()),
        }
    }
    if let Some(unusable) = unusable {
        unusable.tell(log, diagnostics);
    }
    if !missing.is_empty() {
        diagnostics.push(Diagnostic {
            artifact: log.to_string(),
            impact: Impact::Partial,
            message: format!(
                "{} files listed there are not in the collection: {}",
                missing.len(),
                few(&missing)
            ),
        });
    }
}

/// The stored path of a path below where KAPE wrote to.
fn below(site: &Site<'_>, path: &str) -> String {
    site.base.child(&path.replace('\\', "/")).to_string()
}

fn hashes(row: &Row<'_>, log: &EvidencePath) -> Option<RecordedHash> {
    let sha1 = hash(row.get("SourceFileSha1"), 20)?;
    let source = log.name().to_owned();
    Some(RecordedHash { source, sha256: None, sha1: Some(sha1), md5: None })
}

fn times(row: &Row<'_>) -> Times {
    Times {
        source: TimeSource::Collector,
        created: time(row.get("CreatedOnUtc")),
        modified: time(row.get("ModifiedOnUtc")),
        changed: None,
        accessed: time(row.get("LastAccessedOnUtc")),
    }
}
