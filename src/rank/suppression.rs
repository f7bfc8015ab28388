//! What suppression lists did to a host: nothing of it stays unsaid.

use std::collections::{BTreeMap, BTreeSet};

use super::Ranked;
use crate::checklist::{Given, Suppression};
use crate::diagnostic::{Diagnostic, Impact};
use crate::host::Host;
use crate::time::format_short;

/// Lines of a list that a remark names.
const LINES_SHOWN: usize = 8;

/// Remarks on entries that suppress nothing here: those that have expired, and those that no finding matched. Entries for
/// other hosts are not spoken of.
pub fn remarks(host: &Host, given: &Given, ranked: &[Ranked<'_>]) -> Vec<Diagnostic> {
    let used: BTreeSet<usize> =
        ranked.iter().flat_map(|one| one.suppressed.iter().map(|(_, entry)| *entry)).collect();
    let mut expired: BTreeMap<&str, Vec<&Suppression>> = BTreeMap::new();
    let mut idle: BTreeMap<&str, Vec<&Suppression>> = BTreeMap::new();
    for (at, entry) in given.suppressions.iter().enumerate() {
        if !entry.is_for(host) || used.contains(&at) {
            continue;
        }
        let kind = if entry.has_expired(host) { &mut expired } else { &mut idle };
        kind.entry(&entry.list).or_default().push(entry);
    }
    let newest = host.coverage.newest().map(format_short).unwrap_or_default();
    let expired = expired.into_iter().map(|(list, entries)| {
        let message = format!(
            "suppressions that have expired count no more (the evidence goes on until {newest}): {}",
            lines(&entries, |entry| format!("line {} on {}", entry.line, format_short(entry.expires)))
        );
        Diagnostic { artifact: list.to_owned(), impact: Impact::Note, message }
    });
    let idle = idle.into_iter().map(|(list, entries)| {
        let message = format!(
            "suppressions that no finding of this host matched: {}",
            lines(&entries, |entry| format!("line {}", entry.line))
        );
        Diagnostic { artifact: list.to_owned(), impact: Impact::Note, message }
    });
    expired.chain(idle).collect()
}

fn lines(entries: &[&Suppression], tell: impl Fn(&Suppression) -> String) -> String {
    let mut words: Vec<String> = entries.iter().take(LINES_SHOWN).map(|one| tell(one)).collect();
    let more = entries.len().saturating_sub(LINES_SHOWN);
    if more > 0 {
        words.push(format!("and {more} more"));
    }
    words.join(", ")
}
