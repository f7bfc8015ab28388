//! Records of deleted files that bore the names of files that are missing.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::evidence::{Evidence, Metadata};
use crate::host::image_path::leaf;
use crate::host::program_file::{FileRecord, FileState, ProgramFile, Purpose, ServiceFile};
use crate::host::{Citation, Place, Provenance};
use crate::text::same_name;

/// Records of one name that are told.
const MOST: usize = 8;

/// The names of all missing files that services name.
pub(super) fn names(files: &[ProgramFile], links: &[ServiceFile]) -> BTreeSet<String> {
    let named = links.iter().filter(|link| !matches!(link.purpose, Purpose::Phantom(_)));
    let files = named.filter_map(|link| files.get(link.file));
    let missing = files.filter(|file| file.state == FileState::Missing);
    missing.map(|file| leaf(&file.path).to_owned()).filter(|name| !name.is_empty()).collect()
}

/// Looks for all names at once: every record of the volume is read for that. A panic over hostile bytes costs no more
/// than these records.
pub(super) fn find(evidence: &dyn Evidence, names: &BTreeSet<String>) -> Vec<Metadata> {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    if names.is_empty() {
        return Vec::new();
    }
    catch_unwind(AssertUnwindSafe(|| evidence.deleted(&names))).unwrap_or_default()
}

/// Puts the records where the files of their names are.
pub(super) fn attach(files: &mut [ProgramFile], deleted: &[Metadata]) {
    for file in files.iter_mut().filter(|file| file.state == FileState::Missing) {
        let name = leaf(&file.path).to_owned();
        let bears = |one: &&Metadata| one.names.iter().any(|path| same_name(leaf(path), &name));
        file.deleted = deleted.iter().filter(bears).take(MOST).map(told).collect();
    }
}

fn told(metadata: &Metadata) -> (Citation, FileRecord) {
    let number = metadata.record.unwrap_or_default();
    let citation = Citation {
        artifact: Arc::from(format!("$MFT/{number}")),
        place: Place::File,
        provenance: Provenance::Recovered,
    };
    (citation, FileRecord { metadata: metadata.clone(), ..FileRecord::default() })
}
