//! The older states of a host: which there are, and what was read from each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Stamp, layout};
use crate::artifact::{FileRead, LogRecords};
use crate::host::Host;

/// An older state of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OlderState {
    /// Its name: `RegBack`, `Windows.old`, `shadow copy 2 of 2020-05-31 09:12:44 UTC`.
    pub label: String,
    /// When it was taken, where the label says so.
    pub taken: Option<Stamp>,
    /// The newest last-write time of its service keys: it was taken then or later.
    pub newest_key: Option<Stamp>,
    /// The computer name in it.
    pub computer: Option<String>,
    /// Whether what it does not have came into being later.
    pub compared: bool,
    /// Why it is not compared; null where it is.
    pub remark: Option<String>,
    /// The files of it that were read, by path.
    pub files: Vec<OlderFile>,
}

/// A file of an older state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OlderFile {
    /// Its path inside the evidence.
    pub path: String,
    /// What it is: `SYSTEM hive`, `event log`.
    pub kind: String,
    /// Logs: what they add to the newer ones.
    pub records: Option<LogRecords>,
}

/// Older states named one by one; further ones are counted.
const SHOWN: usize = 4;
/// Columns of the name of an older state.
const LABEL: usize = 60;

/// The names of the older states, the newest first; absent where there are none.
pub(super) fn in_a_line(states: &[OlderState]) -> Option<String> {
    let labels = states.iter().rev().map(|state| layout::fit(&state.label, LABEL));
    let shown: Vec<String> = labels.take(SHOWN).collect();
    let more = states.len().saturating_sub(shown.len());
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    (!shown.is_empty()).then(|| format!("{}{more}", shown.join(", ")))
}

/// The older states of a host, the oldest first; those of which only logs were read, and those that are older control sets
/// of backups, have no times.
pub fn older_states(host: &Host, files: &[FileRead]) -> Vec<OlderState> {
    let mut by_label: BTreeMap<&str, Vec<OlderFile>> = BTreeMap::new();
    for file in files {
        let Some(label) = &file.history else { continue };
        by_label.entry(label).or_default().push(OlderFile {
            path: file.path.clone(),
            kind: file.kind.clone(),
            records: file.records,
        });
    }
    let mut states: Vec<OlderState> = Vec::new();
    for state in &host.older_states {
        let mut files = by_label.remove(state.label.as_str()).unwrap_or_default();
        files.sort_by(|left, right| left.path.cmp(&right.path));
        states.push(OlderState {
            label: state.label.clone(),
            taken: state.taken.map(Stamp),
            newest_key: state.newest.map(Stamp),
            computer: state.computer.clone(),
            compared: state.is_comparable(),
            remark: state.standing.reason().map(str::to_owned),
            files,
        });
    }
    let without_hive = by_label.into_iter().map(|(label, mut files)| {
        files.sort_by(|left, right| left.path.cmp(&right.path));
        OlderState {
            label: label.to_owned(),
            taken: crate::host::older::taken(label).map(Stamp),
            newest_key: None,
            computer: None,
            compared: false,
            remark: Some("no SYSTEM hive of it was read".to_owned()),
            files,
        }
    });
    states.extend(without_hive);
    states.sort_by_key(|state| state.taken.or(state.newest_key));
    states
}
