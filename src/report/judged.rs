//! What the analyst changed about the judging, in one line: nobody should read a score without it.

use super::layout::plural;
use super::{Settings, SuppressionList};
use crate::checklist;

/// Weights told one by one.
const WEIGHTS_SHOWN: usize = 8;

/// The line, where anything was changed. It quotes the analyst's files: it passes the sink of its format like evidence.
pub(super) fn in_a_line(settings: &Settings) -> Option<String> {
    let mut parts = Vec::new();
    if !settings.weights.is_empty() {
        parts.push(format!("changed weights: {}", weights(settings)));
    }
    if !settings.ignored.is_empty() {
        let ids: Vec<&str> = settings.ignored.iter().map(String::as_str).collect();
        parts.push(format!("without {}", ids.join(", ")));
    }
    if !settings.suppress.is_empty() {
        let told = |list: &SuppressionList| {
            let entries = if list.entries == 1 { "entry" } else { "entries" };
            format!("{} ({} {entries})", list.file, list.entries)
        };
        let lists: Vec<String> = settings.suppress.iter().map(told).collect();
        parts.push(format!("suppressions of {}", lists.join(", ")));
    }
    (!parts.is_empty()).then(|| format!("judged with {}", parts.join("; ")))
}

/// `P06 0 (was +8: our vendor quotes nothing), N04 +4 (was +10)`.
fn weights(settings: &Settings) -> String {
    let told = |(id, decibans): (&String, &i16)| {
        let was = checklist::indicator(id).map(|one| format!("was {:+}", one.weight));
        let why = settings.weight_reasons.get(id).cloned();
        let remarks: Vec<String> = was.into_iter().chain(why).collect();
        let remarks = match remarks.as_slice() {
            [] => String::new(),
            some => format!(" ({})", some.join(": ")),
        };
        format!("{id} {decibans:+}{remarks}")
    };
    let mut words: Vec<String> = settings.weights.iter().take(WEIGHTS_SHOWN).map(told).collect();
    let more = settings.weights.len().saturating_sub(WEIGHTS_SHOWN);
    if more > 0 {
        words.push(format!("and {}", plural(more, "further weight")));
    }
    words.join(", ")
}

impl Settings {
    /// The question of an indicator that was asked, by its id.
    pub fn question(&self, id: &str) -> Option<&str> {
        checklist::indicator(id).map(|one| one.question)
    }

    /// How to check a finding by hand, by its indicator's id.
    pub fn verify(&self, id: &str) -> Vec<&str> {
        checklist::indicator(id).map(|one| one.verify.to_vec()).unwrap_or_default()
    }
}
