//! What Tanium collected: `file/C/…`, and what its client knew in `collector/*.txt`.
//!
//! Layout: dissect.target's `loaders/tanium.py`.

use super::site::{Site, hosts_below};
use super::windows_tree::WindowsTree;
use super::{Layout, Options, SharedTree, Taken, host_name};
use crate::error::Error;
use crate::evidence::Description;

pub(super) const LAYOUT: Layout = Layout {
    name: "Tanium collection",
    known_by: "`collector` beside `file` with folders named by drive letter",
    open,
};

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

/// The hosts of a collection whose top is that folder.
#[expect(clippy::unnecessary_wraps, reason = "what a `Taker` gives")]
pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    let (Some(files), Some(_)) = (site.folder("file"), site.folder("collector")) else {
        return Ok(Taken::No);
    };
    let host_name = host_name::of_tanium(site.stem());
    let about = Description { format: LAYOUT.name, host_name, ..site.about.clone() };
    let make = |description| WindowsTree::new(&site.tree, description);
    Ok(hosts_below(site, &site.tree, &files, about, make))
}
