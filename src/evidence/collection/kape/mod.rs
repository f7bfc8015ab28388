//! What KAPE collected: folders named by drive letter, `VSSn` for shadow copies, and its logs.
//!
//! Layout: `KapeDocs`, "Log files" and "Using KAPE". What is in a container (VHD, VHDX, zip) is laid out alike.

mod copy_log;
mod long_names;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::inventory::Inventory;
use super::overlay::Overlay;
use super::records::table;
use super::site::{Site, bounded, hosts_below};
use super::windows_tree::WindowsTree;
use super::{Layout, Options, SharedTree, Taken};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::{Description, EvidencePath, RecordedHash};
use crate::text::fold;

pub(super) const LAYOUT: Layout = Layout {
    name: "KAPE collection",
    known_by: "`*_CopyLog.csv` beside folders named by drive letter",
    open,
};

/// Logs of each kind that are read: one for each run into the same folder.
const MAX_LOGS: usize = 100;

fn open(tree: &SharedTree, about: &Description, options: &Options) -> Result<Taken, Error> {
    Site::top(tree, about, options).offer(take)
}

/// The hosts of a collection whose top is that folder.
#[expect(clippy::unnecessary_wraps, reason = "what a `Taker` gives")]
pub(super) fn take(site: &Site<'_>) -> Result<Taken, Error> {
    let mut logs = site.files(|name| name.ends_with("_COPYLOG.CSV"));
    if logs.is_empty() {
        return Ok(Taken::No);
    }
    // Their names begin with a time: what the last run copied replaced what those before it did.
    logs.reverse();
    let mut explained = Explained {
        overlay: Overlay::new(&site.tree, str::to_owned),
        recorded: BTreeMap::new(),
        diagnostics: Vec::new(),
    };
    let told = &mut explained.diagnostics;
    let files = Inventory::of(site.tree.as_ref(), &site.base, told);
    for log in bounded(logs, MAX_LOGS, "copy logs", &site.base, told) {
        copy_log::read(site, &log, &files, &mut explained);
    }
    long_names::read(site, &files, &mut explained);
    skipped(site, &mut explained.diagnostics);
    let Explained { overlay, recorded, diagnostics } = explained;
    let tree: SharedTree = Arc::new(overlay);
    let mut about = Description { format: LAYOUT.name, ..site.about.clone() };
    about.diagnostics.extend(diagnostics);
    Ok(hosts_below(site, &tree, &site.base, about, |description| {
        WindowsTree::new(&tree, description).with_recorded(recorded.clone())
    }))
}

/// What the logs explain of the files.
struct Explained {
    overlay: Overlay,
    recorded: BTreeMap<EvidencePath, RecordedHash>,
    diagnostics: Vec<Diagnostic>,
}

/// Counts what KAPE did not copy, by its reasons.
fn skipped(site: &Site<'_>, told: &mut Vec<Diagnostic>) {
    let logs =
        site.files(|name| name.ends_with("_SKIPLOG.CSV") || name.ends_with("_SKIPLOG.CSV.CSV"));
    for log in &bounded(logs, MAX_LOGS, "skip logs", &site.base, told) {
        let mut reasons: BTreeMap<String, usize> = BTreeMap::new();
        let unusable = site.read(log, told, |source| {
            table(source, |row| {
                let reason: String = row.get("Reason").chars().take(60).collect();
                // The reasons are KAPE's own words; what a hostile log invents is counted together.
                let reason = if reasons.len() < 10 { reason } else { String::new() };
                let count = reasons.entry(reason).or_default();
                *count = count.saturating_add(1);
                true
            })
        });
        if let Some(unusable) = unusable {
            unusable.tell(log, told);
        }
        if reasons.is_empty() {
            continue;
        }
        let count = reasons.values().fold(0_usize, |sum, count| sum.saturating_add(*count));
        let parts: Vec<String> = reasons
            .iter()
            .map(|(reason, count)| {
                let reason = if reason.is_empty() { "for other reasons" } else { reason };
                format!("{count} {reason}")
            })
            .collect();
        told.push(Diagnostic {
            artifact: log.to_string(),
            impact: Impact::Note,
            message: format!("KAPE did not copy {count} files: {}", parts.join(", ")),
        });
    }
}

/// A path of the host as KAPE stores it: `C:\Windows` is `C\Windows`.
fn stored_form(source: &str) -> Option<String> {
    let (drive, rest) = source.split_once(':')?;
    let is_drive = drive.len() == 1 && drive.bytes().all(|byte| byte.is_ascii_alphabetic());
    is_drive.then(|| fold(&format!("{drive}{}", rest.replace(':', "").replace('/', "\\"))))
}
