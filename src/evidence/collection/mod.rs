//! How what was collected is laid out, whatever it lies in: a folder, a volume, an archive.

mod acquire;
mod beside;
mod cylr;
mod host_name;
mod inventory;
mod kape;
pub(super) mod loose;
mod nested;
mod orc;
mod overlay;
mod records;
mod remarked;
mod site;
mod sparse;
mod survey;
mod tanium;
mod uac;
mod velociraptor;
mod windows_tree;

use std::io;

use super::archive::{self, ArchiveOpened};
use super::given::{Given, SharedTree};
use super::{Description, Evidence, Options, Taken};
use crate::error::Error;

/// A way in which collected files are laid out.
pub struct Layout {
    /// What it is, for reports and documentation.
    pub name: &'static str,
    /// What it is known by.
    pub known_by: &'static str,
    open: fn(&SharedTree, &Description, &Options) -> Result<Taken, Error>,
}

/// The layouts that give files their places, in the order in which they are tried; the first that takes a tree
/// has it.
pub const LAYOUTS: &[Layout] = &[
    velociraptor::HUNT,
    velociraptor::LAYOUT,
    orc::LAYOUT,
    acquire::LAYOUT,
    tanium::LAYOUT,
    kape::LAYOUT,
    cylr::LAYOUT,
    uac::LAYOUT,
    beside::LAYOUT,
    windows_tree::LAYOUT,
];

/// The layouts for what none of [`LAYOUTS`] takes: files wherever they lie.
pub(super) const LOOSE_LAYOUTS: &[Layout] = &[nested::LAYOUT, loose::LAYOUT];

/// Opens an archive that lies in a collection.
///
/// # Errors
/// An archive that cannot be opened, one whose password is not among those of the options, and one that lies too
/// deep.
fn open_inner(given: &Given, options: &Options) -> io::Result<ArchiveOpened> {
    let limit = options.limits.nesting;
    if given.depth >= limit {
        return Err(io::Error::other(format!(
            "it lies more than {limit} levels deep; --max-nesting raises this limit"
        )));
    }
    match archive::open(given, options) {
        Ok(Some(opened)) => Ok(opened),
        Ok(None) => Err(io::Error::new(io::ErrorKind::InvalidData, "not an archive")),
        Err(Error::Open { source, .. }) => Err(source),
        Err(error) => Err(io::Error::other(error.to_string())),
    }
}

/// The hosts in a tree. `about` says how the tree was reached.
pub(super) fn open(
    tree: &SharedTree,
    about: &Description,
    options: &Options,
) -> Result<Taken, Error> {
    match open_as(LAYOUTS, tree, about, options)? {
        Taken::No => open_as(LOOSE_LAYOUTS, tree, about, options),
        taken => Ok(taken),
    }
}

/// The hosts in a tree by some of the layouts.
pub(super) fn open_as(
    layouts: &[Layout],
    tree: &SharedTree,
    about: &Description,
    options: &Options,
) -> Result<Taken, Error> {
    for layout in layouts {
        match (layout.open)(tree, about, options)? {
            Taken::No => {}
            taken => return Ok(taken),
        }
    }
    Ok(Taken::No)
}

/// A tree in which nothing is found, but whose files can be opened.
pub(super) fn bare(tree: &SharedTree, description: Description) -> Box<dyn Evidence> {
    Box::new(windows_tree::WindowsTree::new(tree, description))
}
