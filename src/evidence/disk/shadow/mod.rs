//! Volume shadow copies: the same volume as it was before.
//!
//! Source of the layout and of the order in which stores are applied: Joachim Metz, "Volume Shadow Snapshot (VSS)
//! format" (libvshadow documentation); of the store flags: `dfir_ntfs` by Maxim Suhanov.

mod catalog;
mod record;
mod store;
mod view;

use std::io;
use std::sync::Arc;

use catalog::{Catalog, Described};

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::ShadowCopy;
use crate::evidence::source::SharedSource;

/// What reports call the catalog in diagnostics.
const ARTIFACT: &str = "volume shadow copies";

/// The shadow copies of a volume.
#[derive(Debug, Default)]
pub(super) struct Copies {
    /// Oldest first, numbered from 1; none is marked as read.
    pub(super) list: Vec<ShadowCopy>,
    /// What could not be listed, or is worth knowing of a copy.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Lists the shadow copies of an NTFS volume. A volume without any gives an empty list and no diagnostic.
pub(super) fn copies(source: &SharedSource) -> Copies {
    let catalog = Catalog::read(source.as_ref());
    let mut copies = Copies { list: Vec::new(), diagnostics: Vec::new() };
    let mut say = |impact, message| {
        copies.diagnostics.push(Diagnostic { artifact: ARTIFACT.to_owned(), impact, message });
    };
    for problem in &catalog.problems {
        say(Impact::Partial, problem.clone());
    }
    if catalog.is_redirected {
        say(Impact::Partial, "the volume keeps its shadow copies on another volume".to_owned());
    }
    for (number, described) in (1..).zip(&catalog.copies) {
        let id = store::shadow_copy_id(source.as_ref(), described);
        if let Some(message) = remark(number, described, id.as_ref().err()) {
            let impact = if described.place.is_none() { Impact::Partial } else { Impact::Note };
            say(impact, message);
        }
        copies.list.push(ShadowCopy {
            number,
            id: id.unwrap_or_else(|_| record::guid(&described.id)),
            created: described.created,
            is_read: false,
        });
    }
    copies
}

/// What a shadow copy is called in paths and reports: `shadow copy 2 of 2020-05-31 09:12:44 UTC`. NTFS has no such
/// name, because of its colons.
pub(super) fn label(copy: &ShadowCopy) -> String {
    match copy.created {
        Some(created) => {
            format!("shadow copy {} of {}", copy.number, created.strftime("%Y-%m-%d %H:%M:%S UTC"))
        }
        None => format!("shadow copy {}", copy.number),
    }
}

/// What is worth knowing of a copy before it is read.
fn remark(
    number: usize,
    described: &Described,
    unidentified: Option<&io::Error>,
) -> Option<String> {
    if described.place.is_none() {
        return Some(format!(
            "shadow copy {number} is listed in the catalog, but its data is not on this volume; it cannot be read"
        ));
    }
    if let Some(error) = unidentified {
        return Some(format!("shadow copy {number}: its store header cannot be read: {error}"));
    }
    described.is_offline().then(|| {
        format!(
            "shadow copy {number} is marked offline (deleted or being deleted): Windows no longer offers it, and \
             parts of it may be overwritten"
        )
    })
}

/// The volume as a shadow copy holds it. `number` counts as in [`copies`].
///
/// A copy holds what was overwritten after it was made and before the next one was; so the stores of all newer
/// copies are applied before its own. Blocks that were free when the copy was made are not kept by Windows: they
/// read as the current volume does. No file of the copy lies there, but the bytes of *deleted* files in a copy
/// may be those of newer files. Copies made by Windows Update since Windows 8 may be scoped: files that the update
/// did not concern are then not kept either.
///
/// # Errors
/// [`io::ErrorKind::NotFound`] for a number that is not listed; [`io::ErrorKind::Unsupported`] where its data is not
/// on this volume; [`io::ErrorKind::InvalidData`] where the block list of its store or a newer one is damaged,
/// because without it the blocks of the copy would be taken for those of today.
pub(super) fn open(source: &SharedSource, number: usize) -> io::Result<SharedSource> {
    let catalog = Catalog::read(source.as_ref());
    let older = number.checked_sub(1).ok_or(io::ErrorKind::NotFound)?;
    let chain = catalog.copies.get(older..).filter(|chain| !chain.is_empty());
    let view = view::View::new(source, chain.ok_or(io::ErrorKind::NotFound)?)?;
    Ok(Arc::new(view))
}

#[cfg(test)]
mod tests;
