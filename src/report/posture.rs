//! What this host could not have told, and what to change.

use super::layout::plural;
use super::markdown::{cell, code};
use crate::host::posture::{Effect, Posture};

/// Settings named in the terminal's line.
const NAMED: usize = 4;
/// Settings in a ticket without `--all`.
const LISTED: usize = 12;

/// The settings that leave something unseen or allowed: what hides the most first, then in the order of the knowledge.
fn open(settings: &[Posture]) -> Vec<&Posture> {
    let mut open: Vec<&Posture> = settings.iter().filter(|one| one.effect.is_open()).collect();
    let rank = |effect| match effect {
        Effect::Blind => 0,
        Effect::SeesPart => 1,
        _ => 2,
    };
    open.sort_by_key(|one| rank(one.effect));
    open
}

/// `9 things are not recorded, 4 in part, 3 are not forbidden: …`; absent where nothing is known or nothing is open.
pub(super) fn in_a_line(settings: &[Posture]) -> Option<String> {
    let open = open(settings);
    let count = |effect| open.iter().filter(|one| one.effect == effect).count();
    let counts: Vec<String> = [
        (Effect::Blind, "not recorded"),
        (Effect::SeesPart, "recorded in part"),
        (Effect::Permits, "not forbidden"),
    ]
    .into_iter()
    .filter_map(|(effect, words)| Some((count(effect), words)).filter(|(count, _)| *count > 0))
    .map(|(count, words)| format!("{count} {words}"))
    .collect();
    let named: Vec<&str> = open.iter().take(NAMED).map(|one| subject(one)).collect();
    let more = open.len().saturating_sub(named.len());
    let more =
        if more > 0 { format!(" and {more} more: --format markdown") } else { String::new() };
    (!open.is_empty()).then(|| {
        let of = plural(settings.len(), "setting");
        format!("of {of}, {}: {}{more}", counts.join(", "), named.join("; "))
    })
}

/// The label without the words that many share.
fn subject(one: &Posture) -> &str {
    one.label.strip_prefix("Audit policy: ").unwrap_or(&one.label)
}

/// The section of a ticket; empty where nothing is known.
pub(super) fn section(settings: &[Posture], all: bool) -> Vec<String> {
    if settings.is_empty() {
        return Vec::new();
    }
    let open = open(settings);
    let mut lines = vec![
        String::new(),
        "### What this host could not have told us, and what to change".to_owned(),
        String::new(),
        "| Setting | State | What that hides | Questions | To change it |".to_owned(),
        "|---|---|---|---|---|".to_owned(),
    ];
    let most = if all { usize::MAX } else { LISTED };
    lines.extend(open.iter().take(most).map(|one| row(one)));
    if open.is_empty() {
        lines.truncate(3);
        lines.push("Nothing that was read hides anything.".to_owned());
    }
    let more = open.len().saturating_sub(most);
    let others = settings.len().saturating_sub(open.len());
    lines.push(String::new());
    let more = if more > 0 { format!("{more} more of these; s") } else { "S".to_owned() };
    lines.push(format!("{more}ettings that hide nothing: {others} (`--format json`)."));
    lines
}

fn row(one: &Posture) -> String {
    let questions: Vec<String> = one.questions.iter().map(ToString::to_string).collect();
    let advice = one.advice.as_deref().map(cell).unwrap_or_default();
    format!(
        "| {} | {}: {} {} | {} | {} | {advice} |",
        cell(&one.label),
        one.effect.label(),
        cell(&one.state_in_words()),
        code(&one.citation.to_string()).replace('|', "\\|"),
        cell(one.unseen.as_deref().unwrap_or_default()),
        questions.join(", "),
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::posture::knowledge::{
        CONNECTIONS, LSA_PROTECTION, PROCESS_CREATION, SCRIPT_BLOCKS,
    };
    use crate::host::{Citation, Place, Provenance};

    fn settings() -> Vec<Posture> {
        let citation = Citation {
            artifact: Arc::from("SECURITY"),
            place: Place::Key { path: r"Policy\a|b".into(), value: None, offset: 0x1000 },
            provenance: Provenance::Live,
        };
        vec![
            PROCESS_CREATION.found("success", Effect::Sees, citation.clone()),
            LSA_PROTECTION.by_default("off", Effect::Permits, citation.clone()),
            SCRIPT_BLOCKS.by_default("some", Effect::SeesPart, citation.clone()),
            CONNECTIONS.found("off", Effect::Blind, citation),
        ]
    }

    #[test]
    fn a_line_counts_and_names_what_hides_most() {
        assert_eq!(
            in_a_line(&settings()).as_deref(),
            Some(
                "of 4 settings, 1 not recorded, 1 recorded in part, 1 not forbidden: filtering platform \
                 connection (5156); PowerShell script block logging (4104); LSA protection (lsass.exe as a \
                 protected process)"
            )
        );
        assert_eq!(in_a_line(&[]), None);
        assert_eq!(in_a_line(settings().get(..1).unwrap()), None);
    }

    #[test]
    fn a_row_has_source_question_and_advice_and_stays_one_row() {
        let lines = section(&settings(), false);
        let row = lines.iter().find(|line| line.contains("5156")).unwrap();
        assert!(row.contains("does not record: off"), "{row}");
        assert!(row.contains(r"Policy\a\|b"), "{row}");
        assert!(row.contains("| 5 | auditpol"), "{row}");
        assert_eq!(lines.last().unwrap(), "Settings that hide nothing: 1 (`--format json`).");
        assert_eq!(section(&[], true), Vec::<String>::new());
    }
}
