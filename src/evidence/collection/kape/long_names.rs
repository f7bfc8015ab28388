//! `LongFileNames`: files whose path is too long for KAPE, under a GUID, each with `<GUID>_OriginalPathInfo.txt` that
//! holds the path it had, such as `C\Windows\…`.

use std::collections::BTreeMap;

use super::super::inventory::Inventory;
use super::super::records::text;
use super::super::site::{Site, bounded};
use super::Explained;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{Entry, EntryKind};
use crate::text::fold;

const FOLDER: &str = "LongFileNames";
const SUFFIX: &str = "_ORIGINALPATHINFO.TXT";
/// Files that are shown in their place.
const MAX_FILES: usize = 10_000;

/// Shows the files of `LongFileNames` in their places.
pub(super) fn read(site: &Site<'_>, files: &Inventory, into: &mut Explained) {
    let Some(folder) = site.folder(FOLDER) else { return };
    let entries = site.tree.list(&folder).entries;
    let is_note = |entry: &&Entry| {
        matches!(entry.kind, EntryKind::File(_)) && fold(&entry.name).ends_with(SUFFIX)
    };
    let notes: Vec<&Entry> = entries.iter().filter(is_note).collect();
    // The first file of that GUID, whatever its extension.
    let mut payloads: BTreeMap<String, &Entry> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| !is_note(entry)) {
        payloads.entry(id(entry, '.')).or_insert(entry);
    }
    let mut unplaced = 0_usize;
    for note in bounded(notes, MAX_FILES, "files with long names", &folder, &mut into.diagnostics) {
        let payload = payloads.get(&id(note, '_'));
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

/// The GUID that a name begins with.
fn id(entry: &Entry, until: char) -> String {
    fold(entry.name.split(until).next().unwrap_or_default())
}

fn place(
    site: &Site<'_>,
    files: &Inventory,
    into: &mut Explained,
    path: &str,
    stored: &EvidencePath,
) -> bool {
    let names: Vec<&str> = path.split('/').collect();
    let bytes = files.find(stored.as_str()).map_or(0, |(_, size)| *size);
    into.overlay.place(&site.base, &names, stored, bytes)
}
