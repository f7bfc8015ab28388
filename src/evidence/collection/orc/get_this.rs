//! `GetThis.csv`: what each sample was on the host, with its hashes and times.
//!
//! Columns (`GetThisSqlSchema.xml`): `ComputerName,VolumeID,FullName,SampleName,MD5,SHA1,SHA256,AttrType,AttrName,`
//! `SnapshotID`, the four times of `$STANDARD_INFORMATION` and those of `$FILE_NAME`.

use super::super::records::{Row, few, hash, table, time};
use super::{Collected, Record, Volume};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{HostName, RecordedHash, TimeSource, Times};

/// Characters of a path that a diagnostic quotes.
const QUOTED: usize = 200;
/// Volumes and shadow copies that the records may name.
const MAX_VOLUMES: usize = 1000;

/// Reads one record.
pub(super) fn read(record: &Record, into: &mut Collected) {
    let place = record.place();
    let (folder, _) = place.split();
    let mut missing: Vec<String> = Vec::new();
    let mut twice = 0_usize;
    let source = record.tree.open(&record.path);
    let unusable = source.and_then(|source| {
        table(source, |row| {
            if into.host_name.is_none() && !row.get("ComputerName").is_empty() {
                let name = row.get("ComputerName").to_owned();
                into.host_name = Some(HostName { name, source: place.name().to_owned() });
            }
            let (full, sample) = (row.get("FullName"), row.get("SampleName"));
            if full.is_empty() {
                return false;
            }
            if sample.is_empty() || !is_file(row) {
                return true;
            }
            let stored = folder.child(&sample.replace('\\', "/"));
            let Some((stored, size)) = into.files.find(stored.as_str()).cloned() else {
                missing.push(full.chars().take(QUOTED).collect());
                return true;
            };
            let volume = volume(row);
            if !into.volumes.contains_key(&volume) && into.volumes.len() >= MAX_VOLUMES {
                return false;
            }
            let root = into.root_of(volume);
            let bare = full.split_once(':').map_or(full, |(_, path)| path);
            let names: Vec<&str> = bare.split('\\').filter(|name| !name.is_empty()).collect();
            if !into.overlay.place(&root, &names, &stored, size) {
                twice = twice.saturating_add(1);
                return true;
            }
            for times in times(row, names.last().copied().unwrap_or_default()) {
                into.overlay.set_times(&stored, times);
            }
            if let Some(hashes) = hashes(row, place.name()) {
                into.recorded.entry(stored).or_insert(hashes);
            }
            true
        })
    });
    let mut tell = |impact, message: String| {
        into.diagnostics.push(Diagnostic { artifact: place.to_string(), impact, message });
    };
    if !missing.is_empty() {
        let (count, few) = (missing.len(), few(&missing));
        let what = "files listed there are not in the collection";
        tell(Impact::Partial, format!("{count} {what}: {few}"));
    }
    if twice > 0 {
        let what = "files cannot be shown in their place: another has it, or it is no path";
        tell(Impact::Partial, format!("{twice} {what}"));
    }
    match unusable {
        Ok(unusable) => unusable.tell(&place, &mut into.diagnostics),
        Err(error) => {
            tell(Impact::Partial, format!("the collector's record cannot be read: {error}"));
        }
    }
}

/// Whether a sample is the bytes of the file itself: no alternate data stream, no other attribute.
fn is_file(row: &Row<'_>) -> bool {
    let is_data = matches!(row.get("AttrType"), "" | "$DATA");
    let is_whole = matches!(row.get("ContentType"), "" | "data");
    is_data && is_whole && row.get("AttrName").is_empty()
}

fn volume(row: &Row<'_>) -> Volume {
    let digits = |text: &str| -> String {
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let kept = text.chars().filter(|c| c.is_ascii_hexdigit() || *c == '-').take(40);
        kept.map(|digit| digit.to_ascii_uppercase()).collect()
    };
    let snapshot = Some(digits(row.get("SnapshotID")));
    let snapshot = snapshot.filter(|id| id.chars().any(|digit| !matches!(digit, '0' | '-')));
    Volume { serial: digits(row.get("VolumeID")), snapshot }
}

fn times(row: &Row<'_>, name: &str) -> Vec<Times> {
    let set = |source, [created, modified, changed, accessed]: [&str; 4]| Times {
        source,
        created: time(row.get(created)),
        modified: time(row.get(modified)),
        changed: time(row.get(changed)),
        accessed: time(row.get(accessed)),
    };
    vec![
        set(
            TimeSource::Collector,
            ["CreationDate", "LastModificationDate", "LastAttrChangeDate", "LastAccessDate"],
        ),
        set(
            TimeSource::FileName(name.to_owned()),
            [
                "FileNameCreationDate",
                "FileNameLastModificationDate",
                "FileNameLastAttrModificationDate",
                "FileNameLastAccessDate",
            ],
        ),
    ]
}

fn hashes(row: &Row<'_>, source: &str) -> Option<RecordedHash> {
    let recorded = RecordedHash {
        source: source.to_owned(),
        sha256: hash(row.get("SHA256"), 32),
        sha1: hash(row.get("SHA1"), 20),
        md5: hash(row.get("MD5"), 16),
    };
    let is_any = recorded.sha256.is_some() || recorded.sha1.is_some() || recorded.md5.is_some();
    is_any.then_some(recorded)
}
