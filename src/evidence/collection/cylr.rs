//! What CyLR collected: the host's paths without their `:`, in a zip named after the host, with its log.
//!
//! Layout: CyLR's `src/archive/Archive.cs` and `Program.cs` (`CyLR_Collection_Log_{time}.log`).

use super::site::{Site, hosts_below};
use super::windows_tree::WindowsTree;
use super::{Layout, Options, SharedTree, Taken, host_name};
use crate::error::Error;
use crate::evidence::Description;

pub(super) const LAYOUT: Layout = Layout {
    name: "CyLR collection",
    known_by: "`CyLR_Collection_Log_*.log` beside folders named by drive letter",
    open,
};

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

/// The hosts of a collection whose top is that folder.
#[expect(clippy::unnecessary_wraps, reason = "what a `Taker` gives")]
pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    if site.files(|name| name.starts_with("CYLR_COLLECTION_LOG_")).is_empty() {
        return Ok(Taken::No);
    }
    let host_name = host_name::by_name(site.stem());
    let about = Description { format: LAYOUT.name, host_name, ..site.about.clone() };
    let make = |description| WindowsTree::new(&site.tree, description);
    Ok(hosts_below(site, &site.tree, &site.base, about, make))
}
