//! `uploads.json`: what was uploaded from where, one JSON object a line.
//!
//! Fields as in Velociraptor's `vql/tools/collector/fixtures/TestCollectionWithUpload.golden` (`vfs_path`,
//! `_Components`, `file_size`, `uploaded_size`, `Type`) and in its newer `UploadResponse` (`StoredName`,
//! `Components`, `sha256`, `md5`).

use serde::Deserialize;
use serde_json::Value;

use super::super::overlay::Overlay;
use super::super::records::{TWO_HASHES, few, hash, json_lines, keep_hash};
use super::super::site::Site;
use super::Explained;
use super::stored::Stored;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{EvidencePath, RecordedHash};

/// Files that the record may show in another place than they are stored.
const MAX_MOVED: usize = 100_000;
/// Characters of a path that a diagnostic quotes.
const QUOTED: usize = 200;
/// The type of an index of a file with holes.
const INDEX: &str = "idx";

/// A line, in either form.
#[derive(Deserialize)]
pub(super) struct Upload {
    vfs_path: Option<String>,
    #[serde(rename = "_Components")]
    old_components: Option<Vec<String>>,
    #[serde(rename = "Components")]
    components: Option<Vec<String>>,
    #[serde(rename = "StoredName")]
    stored_name: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
    file_size: Option<Value>,
    uploaded_size: Option<Value>,
    #[serde(rename = "Size")]
    size: Option<Value>,
    #[serde(rename = "StoredSize")]
    stored_size: Option<Value>,
    sha256: Option<String>,
    #[serde(rename = "Sha256")]
    old_sha256: Option<String>,
    md5: Option<String>,
    #[serde(rename = "Md5")]
    old_md5: Option<String>,
}

impl Upload {
    pub(super) fn components(&self) -> Option<&[String]> {
        let components = self.components.as_ref().or(self.old_components.as_ref());
        components.map(Vec::as_slice).filter(|components| !components.is_empty())
    }

    /// Where its bytes are; the stored name is written as it is stored, the components as they were on the host.
    pub(super) fn stored<'s>(&self, stored: &'s Stored) -> Option<&'s EvidencePath> {
        let named = self.stored_name.as_deref().or(self.vfs_path.as_deref());
        let by_components = || self.components().and_then(|names| stored.by_components(names));
        named.and_then(|name| stored.by_name(name)).or_else(by_components)
    }

    /// The hashes of what was stored.
    pub(super) fn hashes(&self, source: &str) -> Option<RecordedHash> {
        let sha256 = self.sha256.as_deref().or(self.old_sha256.as_deref());
        let md5 = self.md5.as_deref().or(self.old_md5.as_deref());
        let recorded = RecordedHash {
            source: source.to_owned(),
            sha256: sha256.and_then(|text| hash(text, 32)),
            sha1: None,
            md5: md5.and_then(|text| hash(text, 16)),
        };
        (recorded.sha256.is_some() || recorded.md5.is_some()).then_some(recorded)
    }

    fn is_cut_short(&self) -> bool {
        let number = |first: &Option<Value>, second: &Option<Value>| {
            first.as_ref().or(second.as_ref()).and_then(Value::as_u64)
        };
        let size = number(&self.file_size, &self.size);
        let stored = number(&self.uploaded_size, &self.stored_size);
        size.zip(stored).is_some_and(|(size, stored)| stored < size)
    }

    fn quoted(&self) -> String {
        let components = self.components().map(|components| components.join("/"));
        let path =
            components.or_else(|| self.stored_name.clone()).or_else(|| self.vfs_path.clone());
        path.unwrap_or_default().chars().take(QUOTED).collect()
    }
}

/// Files that the record tells something of.
#[derive(Default)]
struct Told {
    few: Vec<String>,
    count: usize,
}

impl Told {
    fn add(&mut self, upload: &Upload) {
        self.count = self.count.saturating_add(1);
        if self.few.len() < 4 {
            self.few.push(upload.quoted());
        }
    }

    fn tell(&self, impact: Impact, record: &EvidencePath, what: &str, into: &mut Vec<Diagnostic>) {
        if self.count > 0 {
            let message = format!("{} {what}: {}", self.count, few(&self.few));
            into.push(Diagnostic { artifact: record.to_string(), impact, message });
        }
    }
}

/// Reads `uploads.json`.
pub(super) fn read(site: &Site<'_>, record: &EvidencePath, stored: &Stored, into: &mut Explained) {
    let (mut missing, mut short, mut unplaced) =
        (Told::default(), Told::default(), Told::default());
    let (mut doubtful, mut moved) = (Told::default(), 0_usize);
    let Explained { overlay, recorded, diagnostics } = into;
    let unusable = site.read(record, diagnostics, |source| {
        json_lines(source, |upload: Upload| {
            if upload.kind.as_deref() == Some(INDEX) {
                return true;
            }
            let Some(path) = upload.stored(stored) else {
                let is_named = upload.components().is_some()
                    || upload.stored_name.is_some()
                    || upload.vfs_path.is_some();
                if is_named {
                    missing.add(&upload);
                }
                return is_named;
            };
            if let Some(hashes) = upload.hashes(record.name())
                && !keep_hash(recorded, path, hashes)
            {
                doubtful.add(&upload);
            }
            if upload.is_cut_short() && !overlay.has_holes(path) {
                short.add(&upload);
            }
            if let Some(components) = upload.components()
                && stored.by_components(components) != Some(path)
            {
                moved = moved.saturating_add(1);
                if moved > MAX_MOVED || !show(overlay, stored, components, path) {
                    unplaced.add(&upload);
                }
            }
            true
        })
    });
    if let Some(unusable) = unusable {
        unusable.tell(record, diagnostics);
    }
    let what = "files listed there are not in the collection";
    missing.tell(Impact::Partial, record, what, diagnostics);
    short.tell(Impact::Partial, record, "files were not uploaded whole", diagnostics);
    doubtful.tell(Impact::Partial, record, TWO_HASHES, diagnostics);
    let what = "files could not be shown where the record says they belong";
    unplaced.tell(Impact::Partial, record, what, diagnostics);
}

/// Shows a file where its components say it was on the host.
fn show(
    overlay: &mut Overlay,
    stored: &Stored,
    components: &[String],
    path: &EvidencePath,
) -> bool {
    let [_, accessor, volume, rest @ ..] = components else { return false };
    let Some(upload) = stored.volume_of(accessor, volume) else { return false };
    let size = stored.files.find(path.as_str()).map_or(0, |(_, size)| *size);
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    overlay.place(&upload.path, &rest, path, size)
}
