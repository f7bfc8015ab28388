//! The evaluation as a page. What comes from logs is quoted as code.

use super::{Evaluation, Judged, Label, Loud, Scanned};
use crate::rank::Verdict;

/// Columns of a quoted name or sentence.
const QUOTE: usize = 110;

pub(super) fn page(evaluation: &Evaluation) -> String {
    let mut lines = vec![
        "## Labelled logs".to_owned(),
        String::new(),
        "Logs that others recorded: `evtx/truth.csv` of the corpus, the logs it labels (EVTX-to-MITRE-Attack, CC0) and \
         logs of hosts that were not recorded for an attack. None of them are part of this repository."
            .to_owned(),
    ];
    limits(&mut lines);
    totals(evaluation, &mut lines);
    incidents(evaluation, &mut lines);
    further(evaluation, &mut lines);
    hosts(evaluation, &mut lines);
    left_out(&mut lines);
    lines.push(String::new());
    lines.join("\n")
}

fn limits(lines: &mut Vec<String>) {
    lines.extend(
        [
            "",
            "### How it was made, and what it cannot show",
            "",
            "Each labelled log is scanned as a host of its own, without any option: the logs come from several computers, \
             and one log is what an analyst often has. No hive belongs to any of them, so that everything a hive answers \
             stays open. An incident is one service of one host on one day; the worst verdict of its logs counts.",
            "",
            "- **This is not held-out data.** Indicators and weights were chosen with these logs in sight. What the tool \
             does on other tools and other hosts this page does not say.",
            "- Records are correlated: 244 of the installs are one run of one tool, one 4697 stands in three logs. Incidents \
             are counted, not records, and with so few of them a rate would say little.",
            "- Benign installs are three, all on one computer, and the hosts below are few. A false alarm on an ordinary \
             server would not show here.",
            "- Attacks were recorded in a lab: one step a log, often with the log cleared before. Cleared logs therefore \
             tell lab recordings from hosts, not attacks from the ordinary; what they weigh is not taken from here.",
            "- Rows labelled \"dual use\" (PsExec) are what administrators do as well.",
        ]
        .map(str::to_owned),
    );
}

fn totals(evaluation: &Evaluation, lines: &mut Vec<String>) {
    lines.extend(["", "### In short", "", "| incidents that create or change a service | number | escalate | review | note | below | not seen |", "|---|---|---|---|---|---|---|"].map(str::to_owned));
    for label in [Label::Malicious, Label::Benign, Label::Unclear] {
        let judged: Vec<&Judged> = evaluation.primary(label).collect();
        let count = |wanted: &dyn Fn(Option<Verdict>) -> bool| {
            judged.iter().filter(|one| wanted(one.verdict)).count()
        };
        lines.push(format!(
            "| {label} | {} | {} | {} | {} | {} | {} |",
            judged.len(),
            count(&|verdict| verdict == Some(Verdict::Escalate)),
            count(&|verdict| verdict == Some(Verdict::Review)),
            count(&|verdict| verdict == Some(Verdict::Note)),
            count(&|verdict| verdict.is_some_and(|verdict| verdict < Verdict::Note)),
            count(&|verdict| verdict.is_none()),
        ));
    }
}

fn incidents(evaluation: &Evaluation, lines: &mut Vec<String>) {
    lines.extend([
        String::new(),
        "### Incidents that create or change a service".to_owned(),
        String::new(),
        "| incident | label | verdict | score (dB) | shown as | indicators |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ]);
    lines.extend(evaluation.incidents.iter().filter(|one| one.labelled.primary).map(row));
    lines.extend(
        [
            "",
            "### Incidents of which only a start, a failure or an access is logged",
            "",
            "The record of the install or change is not in the log. What the tool then sees is a name that failed to start or \
             was opened, which by itself is no reason for more than a note.",
            "",
            "| incident | label | verdict | score (dB) | shown as | indicators |",
            "|---|---|---|---|---|---|",
        ]
        .map(str::to_owned),
    );
    lines.extend(evaluation.incidents.iter().filter(|one| !one.labelled.primary).map(row));
}

fn row(one: &Judged) -> String {
    let label = &one.labelled;
    let mut shown: Vec<String> = one.found.iter().take(1).map(|name| code(name)).collect();
    let more = one.found.len().saturating_sub(1);
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    let dual = if label.dual_use { ", dual use" } else { "" };
    let indicators: Vec<&str> = one.indicators.iter().map(String::as_str).collect();
    format!(
        "| {} | {}{dual} | {} | {} | {} | {} |",
        code(&label.incident),
        label.label,
        one.verdict.map_or("not seen", word),
        one.score.map(|score| score.to_string()).unwrap_or_default(),
        shown.join(" "),
        indicators.join(" ")
    )
}

/// What else the logs hold: those without a labelled service, and those in which nothing is labelled.
fn further(evaluation: &Evaluation, lines: &mut Vec<String>) {
    lines.extend(
        [
            "",
            "### Labelled logs without a service",
            "",
            "Something in them is labelled malicious, but no service: a client of PsExec, an opened pipe of the service \
             control manager, a process, a cleared log. A pipe that was opened is what every remote administration does; it \
             counts where an install follows, not alone.",
            "",
            "| log | host's verdict | services and incidents at review or above |",
            "|---|---|---|",
        ]
        .map(str::to_owned),
    );
    let told = |one: &Scanned| {
        format!("| {} | {} | {} |", code(&one.name), word(one.verdict), loud(one, 3))
    };
    lines.extend(evaluation.loose.iter().map(told));
    let loud: Vec<&Scanned> =
        evaluation.unlabelled.iter().filter(|one| !one.loud.is_empty()).collect();
    lines.extend([
        String::new(),
        "### Logs of other attacks".to_owned(),
        String::new(),
        format!(
            "In {} further logs of the same set no record about services is labelled malicious or unclear. {} of them give \
             something at review or above.",
            evaluation.unlabelled.len(),
            loud.len()
        ),
    ]);
    if !loud.is_empty() {
        lines.extend([
            String::new(),
            "| log | host's verdict | services and incidents at review or above |".to_owned(),
            "|---|---|---|".to_owned(),
        ]);
        lines.extend(loud.into_iter().map(told));
    }
}

fn hosts(evaluation: &Evaluation, lines: &mut Vec<String>) {
    lines.extend(
        [
            "",
            "### Hosts",
            "",
            "`win10-benign-vm` is the whole log folder of an ordinary Windows 10, `benign-system-logs` two System logs of \
             ordinary machines with dozens of installs, `server2016-capattack` the log folder of a server, copied live, on \
             which an attack was exercised.",
            "",
            "| host | services known from its logs | escalate | review | note | services and incidents at review or above |",
            "|---|---|---|---|---|---|",
        ]
        .map(str::to_owned),
    );
    lines.extend(evaluation.hosts.iter().map(|one| {
        let [escalate, review, note] = one.counts;
        format!(
            "| {} | {} | {escalate} | {review} | {note} | {} |",
            code(&one.name),
            one.services,
            loud(one, usize::MAX)
        )
    }));
}

fn loud(one: &Scanned, most: usize) -> String {
    if one.loud.is_empty() {
        return "none".to_owned();
    }
    let tell = |loud: &Loud| {
        let score = loud.score.map(|score| format!(" {score} dB")).unwrap_or_default();
        let findings = loud.findings.join(" ");
        format!("{}{score} {} {findings}", word(loud.verdict), code(&loud.what))
            .trim_end()
            .to_owned()
    };
    let mut parts: Vec<String> = one.loud.iter().take(most).map(tell).collect();
    let more = one.loud.len().saturating_sub(most);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    parts.join("<br>")
}

/// Indicators that were considered and are not asked, with the reason.
fn left_out(lines: &mut Vec<String>) {
    lines.extend([String::new(), "### What is not asked, and why".to_owned(), String::new()]);
    lines.extend(super::left_out::REASONS.iter().map(|(what, why)| format!("- **{what}**: {why}")));
}

pub(super) const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Escalate => "escalate",
        Verdict::Review => "review",
        Verdict::Note => "note",
        Verdict::KnownGood => "known good",
        Verdict::NotAssessed => "not assessed",
    }
}

/// Evidence in a cell of a table: a code span that neither ends early nor ends the cell.
pub(super) fn code(evidence: &str) -> String {
    let safe = crate::text::terminal_safe(evidence);
    let mut short: String = safe.chars().take(QUOTE).collect();
    if short.len() < safe.len() {
        short.push('\u{2026}');
    }
    format!("`{}`", short.replace('`', "'").replace('|', "\\|"))
}
