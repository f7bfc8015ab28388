//! Records of deleted files that bore the names of files that are missing.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::evidence::{Evidence, Metadata};
use crate::host::image_path::leaf;
use crate::host::program_file::{FileRecord, FileState, ProgramFile};
use crate::host::{Citation, Place, Provenance};
use crate::text::same_name;

/// Records of one name that are told.
const MOST: usize = 8;

/// Looks for the names of all missing files at once: every record of the volume is read for that.
pub(super) fn find(evidence: &dyn Evidence, files: &[ProgramFile]) -> Vec<Metadata> {
    let missing = files.iter().filter(|file| file.state == FileState::Missing);
    let names: BTreeSet<&str> = missing.map(|file| leaf(&file.path)).collect();
    let names: Vec<&str> = names.into_iter().filter(|name| !name.is_empty()).collect();
    if names.is_empty() { Vec::new() } else { evidence.deleted(&names) }
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
