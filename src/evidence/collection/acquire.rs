//! What dissect's acquire collected: `fs/C:/…`, `fs/$fs$/fs0/…` for volumes without a letter; before that
//! `sysvol/…`.
//!
//! Layout: `acquire/collector.py`, `acquire/outputs`, and dissect.target's `loaders/acquire.py` and `loaders/dir.py`.

use std::collections::BTreeMap;

use super::site::{Site, hosts};
use super::survey::survey_below;
use super::windows_tree::WindowsTree;
use super::{Layout, Options, SharedTree, Taken, host_name};
use crate::error::Error;
use crate::evidence::pattern::history_label;
use crate::evidence::{Description, EvidencePath, WindowsFolder};
use crate::text::{fold, same_name};

pub(super) const LAYOUT: Layout = Layout {
    name: "acquire collection",
    known_by: "`fs` with `C:`, `sysvol` or `$fs$` in it, or `$rootfs$`, or the older `sysvol`",
    open,
};

/// What the system's drive is called where its letter is not known.
const SYSTEM_DRIVE: &str = "SYSVOL";
/// What every volume without a letter lies in.
const ANONYMOUS: &str = "$fs$";

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

/// The hosts of a collection whose top is that folder.
#[expect(clippy::unnecessary_wraps, reason = "what a `Taker` gives")]
pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    let mut volumes = Vec::new();
    for name in ["fs", "$rootfs$"] {
        if let Some(folder) = site.folder(name) {
            volumes.extend(volumes_in(site, &folder));
        }
    }
    if volumes.is_empty()
        && let Some(folder) = site.folder(SYSTEM_DRIVE)
    {
        volumes.push((SYSTEM_DRIVE.to_owned(), folder));
    }
    let mut drives: BTreeMap<String, Vec<WindowsFolder>> = BTreeMap::new();
    let mut diagnostics = Vec::new();
    for (drive, folder) in volumes {
        let survey = survey_below(site.tree.as_ref(), &folder, history_label(folder.name()));
        diagnostics.extend(survey.diagnostics);
        drives.entry(drive).or_default().extend(survey.windows);
    }
    // The system's drive is stored once, under its letter or as `sysvol`; if it is both, it is one host.
    if let Some(system) = drives.remove(SYSTEM_DRIVE) {
        drives.entry("C:".into()).or_default().extend(system);
    }
    drives.retain(|_, windows| !windows.is_empty());
    if drives.is_empty() {
        return Ok(Taken::No);
    }
    let about = Description {
        format: LAYOUT.name,
        host_name: host_name::of_acquire(site.stem()),
        ..site.about.clone()
    };
    let found = drives.into_values().map(|mut windows| {
        // A stable sort: `None`, the current state, comes first.
        windows.sort_by_key(|folder| folder.history.is_some());
        let mut description = Description { windows, ..about.clone() };
        description.diagnostics.extend(diagnostics.iter().cloned());
        description
    });
    Ok(hosts(site, found.collect(), |description| WindowsTree::new(&site.tree, description)))
}

/// The volumes in `fs`, each with what its drive is called.
fn volumes_in(site: &Site<'_>, folder: &EvidencePath) -> Vec<(String, EvidencePath)> {
    let mut volumes = Vec::new();
    let contents = site.tree.list(folder);
    if contents.folder("Windows").is_some() {
        volumes.push((SYSTEM_DRIVE.to_owned(), folder.clone()));
    }
    for entry in contents.folders() {
        let name = fold(&entry.name);
        let letter = name.strip_suffix(':').or_else(|| name.strip_suffix("%3A")).unwrap_or(&name);
        if letter.len() == 1 && letter.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            volumes.push((format!("{letter}:"), entry.path.clone()));
        } else if name == SYSTEM_DRIVE || name == "$ROOTFS$" {
            volumes.push((SYSTEM_DRIVE.to_owned(), entry.path.clone()));
        } else if same_name(&entry.name, ANONYMOUS) {
            let anonymous = site.tree.list(&entry.path);
            volumes.extend(anonymous.folders().map(|e| (e.path.to_string(), e.path.clone())));
        }
    }
    volumes
}
