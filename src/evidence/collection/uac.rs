//! UAC, a collector for Unix: recognised so that it can be refused by its name.
//!
//! Layout: <https://tclahr.github.io/uac-docs/>: files below `[root]`, the collector's `uac.log`.

use super::site::Site;
use super::{Description, Layout, Options, SharedTree, Taken};
use crate::error::Error;

pub(super) const LAYOUT: Layout = Layout {
    name: "UAC collection",
    known_by: "`[root]` and `uac.log`; refused, for it is of a Unix host",
    open,
};

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    if site.folder("[root]").is_some() && site.file("uac.log").is_some() {
        return Err(site.refuse("a Unix collection (UAC); it holds no Windows services"));
    }
    Ok(Taken::No)
}
