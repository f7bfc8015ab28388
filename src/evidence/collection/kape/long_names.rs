//! `LongFileNames`: files whose path is too long for KAPE, under a GUID, each with `<GUID>_OriginalPathInfo.txt` that
//! holds the path it had, such as `C\Windows\…`.

use super::super::inventory::Inventory;
use super::super::records::text;
use super::super::site::Site;
use super::Explained;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::EntryKind;
use crate::text::fold;

const FOLDER: &str = "LongFileNames";
const SUFFIX: &str = "_ORIGINALPATHINFO.TXT";
/// Files that are shown in their place.
const MAX_FILES: usize = 10_000;

/// Shows the files of `LongFileNames` in their places.
pub(super) fn read(site: &Site<'_>, files: &Inventory, into: &mut Explained) {
    let Some(folder) = site.folder(FOLDER) else { return };
    let entries = site.tree.list(&folder).entries;
    let notes = entries.iter().filter(|entry| {
        matches!(entry.kind, EntryKind::File(_)) && fold(&entry.name).ends_with(SUFFIX)
    });
    let mut unplaced = 0_usize;
    for note in notes.take(MAX_FILES) {
        let id = note.name.split('_').next().unwrap_or_default();
        let payload = entries.iter().find(|entry| {
            entry.path != note.path
                && fold(entry.name.split('.').next().unwrap_or_default()) == fold(id)
                && !fold(&entry.name).ends_with(SUFFIX)
        });
        let path = site.read(&note.path, &mut into.diagnostics, text).unwrap_or_default();
        let path = path.trim().replace(':', "").replace('\\', "/");
        let is_placed =
            payload.is_some_and(|payload| place(site, files, into, &path, &payload.path));
        if !is_placed {
            unplaced = unplaced.saturating_add(1);
        }
    }
    if unplaced > 0 {
        into.diagnostics.push(Diagnostic {
            artifact: folder.to_string(),
            impact: Impact::Partial,
            message: format!("{unplaced} files with long names cannot be shown in their place"),
        });
    }
}

fn place(
    site: &Site<'_>,
    files: &Inventory,
    into: &mut Explained,
    path: &str,
    stored: &EvidencePath,
) -> bool {
    let names: Vec<&str> = path.split('/').collect();
    let size = files.find(stored.as_str()).map_or(0, |(_, size)| *size);
    into.overlay.place(&site.base, &names, stored, size)
}
