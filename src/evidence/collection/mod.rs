//! How what was collected is laid out, whatever it lies in: a folder, a volume, an archive.

pub(super) mod loose;
mod nested;
mod remarked;
mod survey;
mod windows_tree;

use super::given::SharedTree;
use super::{Description, Options, Taken};
use crate::error::Error;

/// A way in which collected files are laid out.
pub struct Layout {
    /// What it is, for reports and documentation.
    pub name: &'static str,
    /// What it is known by.
    pub known_by: &'static str,
    open: fn(&SharedTree, &Description, &Options) -> Result<Taken, Error>,
}

/// The layouts in the order in which they are tried; the first that takes a tree has it.
pub const LAYOUTS: &[Layout] = &[windows_tree::LAYOUT, nested::LAYOUT, loose::LAYOUT];

/// The hosts in a tree. `about` says how the tree was reached.
pub(super) fn open(
    tree: &SharedTree,
    about: &Description,
    options: &Options,
) -> Result<Taken, Error> {
    for layout in LAYOUTS {
        match (layout.open)(tree, about, options)? {
            Taken::No => {}
            taken => return Ok(taken),
        }
    }
    Ok(Taken::No)
}
