//! Collections that lie side by side, or one below the folder that was given.

use super::site::{Site, Taker};
use super::survey::{Survey, survey_below};
use super::windows_tree::{WindowsTree, describe_host};
use super::{
    Layout, Options, SharedTree, Taken, acquire, cylr, kape, orc, survey, tanium, uac,
    velociraptor, windows_tree,
};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::file_tree::Entry;
use crate::evidence::pattern::history_label;
use crate::evidence::{Description, Evidence, EvidencePath};

pub(super) const LAYOUT: Layout = Layout {
    name: "folder of collections",
    known_by: "collections of the kinds above in folders, at most 2 levels down",
    open,
};

/// Levels of folders below the given one that may be the top of a collection.
const MAX_DEPTH: usize = 2;
/// Folders looked into.
const MAX_FOLDERS: usize = 2000;

const TAKERS: &[Taker] = &[
    velociraptor::take,
    orc::take,
    acquire::take,
    tanium::take,
    kape::take,
    cylr::take,
    uac::take,
];

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    let site = Site::top(tree, about, options);
    // A volume of a disk holds what its host wrote; only its top may be where a collector wrote to.
    if site.is_volume() || !about.partitions.is_empty() {
        return Ok(Taken::No);
    }
    let folders = site.contents.folders().map(|entry| entry.path.clone());
    let mut found = each_folder(&site, folders, TAKERS);
    if found.hosts.is_empty() {
        return found.refusals.into_iter().next().map_or(Ok(Taken::No), Err);
    }
    for folder in std::mem::take(&mut found.others) {
        found.hosts.extend(plain(&site.below(&folder)));
    }
    Ok(found.taken())
}

/// What was found in folders.
pub(super) struct Found {
    pub(super) hosts: Vec<Box<dyn Evidence>>,
    /// Why folders that are collections gave no host.
    pub(super) refusals: Vec<Error>,
    /// Folders at the top that hold no collection.
    others: Vec<EvidencePath>,
}

impl Found {
    pub(super) fn taken(self) -> Taken {
        if self.hosts.is_empty() { Taken::No } else { Taken::Hosts(self.hosts) }
    }
}

/// Takes the collections in folders, and in folders of these. What one of them is refused for is told with the
/// first host that was found, for it has no report of its own.
pub(super) fn each_folder(
    site: &Site<'_>,
    folders: impl Iterator<Item = EvidencePath>,
    takers: &[Taker],
) -> Found {
    let mut found = Found { hosts: Vec::new(), refusals: Vec::new(), others: Vec::new() };
    let mut first: Option<(EvidencePath, usize)> = None;
    let mut ahead: Vec<(EvidencePath, usize, Option<EvidencePath>)> =
        folders.map(|folder| (folder, 1, None)).collect();
    ahead.reverse();
    let mut taken = std::collections::BTreeSet::new();
    let mut looked = 0_usize;
    while let Some((folder, depth, top)) = ahead.pop() {
        looked = looked.saturating_add(1);
        if looked > MAX_FOLDERS {
            let message = format!("more than {MAX_FOLDERS} folders; the others are not looked at");
            found.refusals.push(site.refuse(&message));
            break;
        }
        let here = site.below(&folder);
        let top = top.unwrap_or_else(|| folder.clone());
        match take(&here, takers) {
            Ok(Taken::Hosts(hosts)) => {
                first.get_or_insert((folder, hosts.len()));
                found.hosts.extend(hosts);
                taken.insert(top);
            }
            Ok(Taken::No) => {
                if depth < MAX_DEPTH && !is_drive(folder.name()) && !here.is_volume() {
                    let below: Vec<&Entry> = here.contents.folders().collect();
                    let below = below.into_iter().rev().map(|entry| entry.path.clone());
                    let depth = depth.saturating_add(1);
                    ahead.extend(below.map(|folder| (folder, depth, Some(top.clone()))));
                }
                found.others.push(top);
            }
            Err(error) | Ok(Taken::Bare { refusal: error, .. }) => {
                taken.insert(top);
                found.refusals.push(error);
            }
        }
    }
    found.others.sort();
    found.others.dedup();
    found.others.retain(|folder| !taken.contains(folder));
    tell_refusals(site, &mut found, first, takers);
    found
}

fn take(site: &Site<'_>, takers: &[Taker]) -> Result<Taken, Error> {
    for taker in takers {
        match site.offer(*taker)? {
            Taken::No => {}
            taken => return Ok(taken),
        }
    }
    Ok(Taken::No)
}

/// Opens the first host again with what the others were refused for.
fn tell_refusals(
    site: &Site<'_>,
    found: &mut Found,
    first: Option<(EvidencePath, usize)>,
    takers: &[Taker],
) {
    let Some((folder, count)) = first.filter(|_| !found.refusals.is_empty()) else { return };
    let mut here = site.below(&folder);
    here.about.diagnostics.extend(found.refusals.iter().map(|refusal| Diagnostic {
        artifact: site.about.path.clone(),
        impact: Impact::Lost,
        message: format!("another collection beside this one is not read: {refusal}"),
    }));
    if let Ok(Taken::Hosts(hosts)) = take(&here, takers)
        && hosts.len() == count
    {
        found.hosts.splice(..count, hosts);
    }
}

/// The hosts of a folder that no collector left its marks in.
fn plain(site: &Site<'_>) -> Vec<Box<dyn Evidence>> {
    let history = history_label(site.base.name());
    let Survey { windows, diagnostics } = survey_below(site.tree.as_ref(), &site.base, history);
    let mut hosts: Vec<Box<dyn Evidence>> = Vec::new();
    for windows in survey::hosts(windows) {
        let format = windows_tree::LAYOUT.name;
        let mut description = Description { format, windows, ..site.about.clone() };
        description.diagnostics.extend(diagnostics.iter().cloned());
        describe_host(&mut description, &site.base, false);
        hosts.push(Box::new(WindowsTree::new(&site.tree, description)));
    }
    hosts
}

/// Whether a folder is named after a drive or an older state of one.
fn is_drive(name: &str) -> bool {
    let letter = name.strip_suffix(':').or_else(|| name.strip_suffix("%3A")).unwrap_or(name);
    let is_letter = letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_letter || history_label(name).is_some()
}
