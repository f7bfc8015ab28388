//! The export of a hunt: `hunt_info.json`, and one folder for each host it ran on.

use super::super::beside::each_folder;
use super::super::site::Site;
use super::super::{Layout, Options, SharedTree, Taken};
use crate::error::Error;
use crate::evidence::Description;

pub(in crate::evidence::collection) const HUNT: Layout = Layout {
    name: "Velociraptor hunt",
    known_by: "`hunt_info.json`, and one collection of Velociraptor in a folder for each host",
    open,
};

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

fn take(site: &Site<'_>) -> Result<Taken, Error> {
    if site.file("hunt_info.json").is_none() {
        return Ok(Taken::No);
    }
    let folders = site.contents.folders().filter(|entry| entry.name != "results");
    let found = each_folder(site, folders.map(|entry| entry.path.clone()), &[super::take]);
    if found.hosts.is_empty() {
        return Err(found.refusals.into_iter().next().unwrap_or_else(|| {
            site.refuse("the export of a Velociraptor hunt without the folder of a host")
        }));
    }
    Ok(found.taken())
}
