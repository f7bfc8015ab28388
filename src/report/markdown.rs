//! A ticket: verdict, checklist, evidence and next steps, to be pasted as it is.

use std::io;

use super::answers::{self, ChecklistAnswer};
use super::file::ServiceFileReport;
use super::finding::{FindingReport, held_back};
use super::host::HostReport;
use super::select::Row;
use super::service::ServiceReport;
use super::{
    Options, Renderer, Report, Settings, file, judged, layout, older_state, posture, rule, select,
};
use crate::diagnostic::Impact;
use crate::host::coverage::State;
use crate::host::program_file::FileState;
use crate::rank::Verdict;

/// `--format markdown`.
pub(super) const RENDERER: Renderer =
    Renderer { id: "markdown", extension: "md", describe: "a page to paste into a ticket", render };

/// Services told in full; further ones get a line each.
const SERVICES_IN_FULL: usize = 1;
/// Services that get a line each.
const SERVICES_LISTED: usize = 6;
/// Findings of a service told in full.
const FINDINGS_SHOWN: usize = 3;
/// Acts of its story.
const STEPS_SHOWN: usize = 20;
/// Facts of a checklist answer.
const FACTS_SHOWN: usize = 2;
/// Its files, and steps that look at one of them by hand.
const FILES_SHOWN: usize = 4;
const FILE_STEPS_SHOWN: usize = 2;
/// Sigma rules told one by one.
const RULES_SHOWN: usize = 10;
/// Lines about a service's network.
const PEERS_SHOWN: usize = 4;
/// Columns of one quoted piece of evidence.
const QUOTE: usize = 160;

fn render(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    for (index, host) in report.hosts.iter().enumerate() {
        if index > 0 {
            writeln!(out)?;
        }
        for line in page(report, host, options) {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn page(report: &Report, host: &HostReport, options: &Options) -> Vec<String> {
    let summary = &host.summary;
    let verdict = if host.services.is_empty() && host.verdict < Verdict::Note {
        "**No service is known from this evidence: nothing was judged**".to_owned()
    } else if host.verdict < Verdict::Note {
        "**No service met a rule worth a note**".to_owned()
    } else {
        format!("**{}**", host.verdict.label())
    };
    let mut lines = vec![
        format!("## Services of {}", code(&host.host.label())),
        String::new(),
        format!(
            "{verdict}: {} to escalate, {} to review, {} noted, of {} services ({}); host score {} dB.",
            summary.escalate,
            summary.review,
            summary.note,
            summary.services,
            layout::plural(summary.drivers, "driver"),
            host.score
        ),
        format!(
            "Evidence: {} {}; {} {}.",
            prose(&host.evidence.format),
            code(&host.evidence.path),
            report.tool.name,
            report.tool.version
        ),
        coverage(host),
    ];
    let older = older_state::in_a_line(&host.older_states);
    lines.extend(older.map(|labels| format!("Older states: {}.", prose(&labels))));
    let changed = judged::in_a_line(&report.settings);
    lines.extend(changed.map(|changed| format!("Settings: {}.", prose(&changed))));
    incidents(host, options, &mut lines);
    outbound(host, options, &mut lines);
    let shortlist = select::shortlist(host, options);
    for row in shortlist.rows.iter().take(SERVICES_IN_FULL) {
        in_full(&report.settings, host, row, &mut lines);
    }
    let rules = rule::lines(host, RULES_SHOWN);
    if !rules.is_empty() {
        lines.extend([String::new(), "### Sigma rules".to_owned(), String::new()]);
        lines.extend(rules.iter().map(|line| format!("- {}", prose(line))));
    }
    let others: Vec<_> = shortlist.rows.iter().skip(SERVICES_IN_FULL).collect();
    if !others.is_empty() {
        lines.extend([String::new(), "### Also".to_owned(), String::new()]);
        let most = if options.all { usize::MAX } else { SERVICES_LISTED };
        lines.extend(others.iter().take(most).map(|row| in_a_line(row)));
        let more: usize = others.iter().skip(most).map(|row| row.alike.saturating_add(1)).sum();
        let more = more.saturating_add(shortlist.left_out);
        if more > 0 {
            lines.push(format!("- and {more} more"));
        }
    }
    lines.append(&mut suppressed(host, options));
    lines.append(&mut posture::section(&host.posture, options.all));
    lines
}

/// Findings that are told before the rest is only counted.
const SUPPRESSED_SHOWN: usize = 10;

/// What the analyst's lists do not count, each with who says so and why.
fn suppressed(host: &HostReport, options: &Options) -> Vec<String> {
    let of_service = |service: &'_ ServiceReport| {
        let name = code(&service.name);
        service
            .suppressed
            .iter()
            .map(|one| format!("- {name} {}", prose(&one.sentence())))
            .collect::<Vec<_>>()
    };
    let told: Vec<String> = host.services.iter().flat_map(of_service).collect();
    if told.is_empty() {
        return Vec::new();
    }
    let heading = format!("### {} suppressed", layout::plural(told.len(), "finding"));
    let mut lines = vec![String::new(), heading, String::new()];
    let most = if options.all { usize::MAX } else { SUPPRESSED_SHOWN };
    let more = told.len().saturating_sub(most);
    lines.extend(told.into_iter().take(most));
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines
}

fn coverage(host: &HostReport) -> String {
    let of = |state| {
        let labels: Vec<&str> = host
            .coverage
            .iter()
            .filter(|one| one.state == state)
            .map(|one| one.origin.label())
            .collect();
        labels.join(", ")
    };
    let mut parts = Vec::new();
    for (state, words) in [
        (State::Complete, "read"),
        (State::Partial, "read in part"),
        (State::Lost, "unreadable"),
        (State::Absent, "**not in the evidence**"),
    ] {
        let labels = of(state);
        if !labels.is_empty() {
            parts.push(format!("{words}: {labels}"));
        }
    }
    let losses = host.diagnostics.iter().filter(|one| one.impact > Impact::Note).count();
    if losses > 0 {
        parts.push(format!("{} while reading", layout::plural(losses, "loss")));
    }
    let open = layout::plural(host.summary.unanswered, "open question");
    format!("Coverage: {}. {open}.", parts.join("; "))
}

/// What belongs together beyond one service, one sentence each, with the place of its first act.
fn incidents(host: &HostReport, options: &Options, lines: &mut Vec<String>) {
    let (shown, more) = select::incidents(host, options);
    if shown.is_empty() {
        return;
    }
    lines.extend([String::new(), "### Incidents".to_owned(), String::new()]);
    lines.extend(shown.iter().map(|incident| {
        let place =
            incident.citations.first().map(|place| format!(" {}", code(&place.to_string())));
        let sentence = prose(&incident.sentence);
        format!("- {}: {sentence}.{}", incident.verdict.label(), place.unwrap_or_default())
    }));
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
}

/// Acts of the host towards others that are told before the rest is only counted.
const OUTBOUND_SHOWN: usize = 6;

/// What was done from here to services of other hosts, with the place of the command.
fn outbound(host: &HostReport, options: &Options, lines: &mut Vec<String>) {
    if host.outbound.is_empty() {
        return;
    }
    lines.extend([String::new(), "### Services on other hosts".to_owned(), String::new()]);
    let most = if options.all { usize::MAX } else { OUTBOUND_SHOWN };
    lines.extend(host.outbound.iter().take(most).map(|act| {
        let decoded = act.decoded.as_deref().map(|line| format!(", decoded: {}", quoted(line)));
        let place = act.citations.first().map(|place| format!(" {}", code(&place.to_string())));
        format!(
            "- {} {}: {}{}{}",
            act.time.short(),
            prose(&act.sentence()),
            quoted(&act.line),
            decoded.unwrap_or_default(),
            place.unwrap_or_default()
        )
    }));
    let more = host.outbound.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
}

fn quoted(line: &str) -> String {
    code(&layout::fit(line, QUOTE))
}

fn in_full(settings: &Settings, host: &HostReport, row: &Row<'_>, lines: &mut Vec<String>) {
    let service = row.service;
    lines.extend([
        String::new(),
        format!("### {} {} ({} dB)", service.verdict.label(), code(&service.name), service.score),
        String::new(),
    ]);
    for finding in service.findings.iter().take(FINDINGS_SHOWN) {
        lines.push(reason(finding));
    }
    let more = service.findings.len().saturating_sub(FINDINGS_SHOWN);
    if more > 0 {
        lines.push(format!("- and {}", layout::plural(more, "more reason")));
    }
    if row.alike > 0 {
        lines.push(format!(
            "- {} of the same incident alike",
            layout::plural(row.alike, "further service")
        ));
    }
    lines.extend(service.against.iter().map(|one| format!("{} (speaks for it)", reason(one))));
    lines.extend(held_back(&service.against).map(|rest| format!("- {rest}")));
    lines.extend([String::new(), "| Question | Answer |".to_owned(), "|---|---|".to_owned()]);
    lines.extend(service.checklist.iter().map(question));
    lines.extend(files(host, service));
    lines.extend(story(service));
    lines.extend(on_the_network(service));
    let mut steps = next_steps(settings, service);
    steps.extend(file_steps(host, service));
    if !steps.is_empty() {
        lines.extend([String::new(), "Check by hand:".to_owned(), String::new()]);
        lines.extend(steps);
    }
}

/// A finding, with the place of its first witness.
fn reason(finding: &FindingReport) -> String {
    let techniques: Vec<String> =
        finding.attack.iter().map(super::finding::TechniqueReport::label).collect();
    let techniques =
        if techniques.is_empty() { String::new() } else { format!(" {}", techniques.join(", ")) };
    let citation =
        finding.citations.first().map(|citation| format!(" {}", code(&citation.to_string())));
    let full = finding.full_weight().map(|full| format!(" ({full})")).unwrap_or_default();
    format!(
        "- **{}** {:+} dB{full}{techniques}: {}{}",
        finding.id,
        finding.decibans,
        prose(&finding.because),
        citation.unwrap_or_default()
    )
}

/// A row of the checklist.
fn question(answer: &ChecklistAnswer) -> String {
    let mut parts: Vec<String> =
        answer.facts.iter().take(FACTS_SHOWN).map(|fact| cell(&fact.text)).collect();
    let more = answer.facts.len().saturating_sub(FACTS_SHOWN);
    if more > 0 {
        parts.push(layout::plural(more, "more fact"));
    }
    if let Some(missing) = answer.missing.first() {
        let more = answer.missing.len().saturating_sub(1);
        let more = if more > 0 { format!(" (and {more} more)") } else { String::new() };
        parts.push(format!("not checked: {}{more}", cell(missing)));
    }
    let wording = answers::wording(answer.question);
    format!("| {wording} | **{}**: {} |", answer.state.label(), parts.join("<br>"))
}

/// Its files, each in a line.
fn files(host: &HostReport, service: &ServiceReport) -> Vec<String> {
    // The checklist says of each file that was not collected what that leaves open.
    let is_told =
        |link: &&ServiceFileReport| link.state != FileState::NotCollected && !link.is_in_vain();
    let told: Vec<_> = service.files.iter().filter(is_told).collect();
    if told.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "Files:".to_owned(), String::new()];
    let known = told.iter().filter_map(|link| Some((link, file::find(&host.files, &link.path)?)));
    lines.extend(known.take(FILES_SHOWN).map(|(link, file)| {
        format!(
            "- {} {}: {}",
            prose(link.label()),
            code(&link.path),
            prose(&file::in_a_line(link, file))
        )
    }));
    let more = told.len().saturating_sub(FILES_SHOWN);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines
}

/// How to look at its own file with other eyes; not at the program that hosts its DLL.
fn file_steps(host: &HostReport, service: &ServiceReport) -> Vec<String> {
    let own = service.files.iter().max_by_key(|link| link.purpose == "service_dll");
    let own = own.filter(|link| link.state != FileState::NotCollected);
    let own = own.and_then(|link| file::find(&host.files, &link.path));
    let Some(own) = own else { return Vec::new() };
    let commands = file::verify_commands(own, &host.evidence.path);
    commands.iter().take(FILE_STEPS_SHOWN).map(|step| format!("- [ ] {}", quoted(step))).collect()
}

/// What happened, act by act; of a long story the beginning.
fn story(service: &ServiceReport) -> Vec<String> {
    let steps = &service.story.steps;
    if steps.is_empty() {
        return Vec::new();
    }
    let mut lines = vec![String::new(), "What happened (UTC):".to_owned(), String::new()];
    for (at, step) in steps.iter().take(STEPS_SHOWN).enumerate() {
        lines.push(format!(
            "{}. {} **{}**: {} ({})",
            at.saturating_add(1),
            step.time.short(),
            step.label(),
            prose(&step.summary),
            prose(&step.records_in_short())
        ));
    }
    let more = steps.len().saturating_sub(STEPS_SHOWN).saturating_add(service.story.left_out);
    if more > 0 {
        lines.extend([String::new(), format!("And {}.", layout::plural(more, "further act"))]);
    }
    lines
}

/// What it did on the network, the most telling first.
fn on_the_network(service: &ServiceReport) -> Vec<String> {
    let Some(network) = &service.network else { return Vec::new() };
    let sentences = network.sentences();
    let shown = sentences.iter().take(PEERS_SHOWN);
    let mut lines = vec![String::new(), "On the network:".to_owned(), String::new()];
    lines.extend(shown.map(|(sentence, _)| format!("- {}", prose(sentence))));
    let more = sentences.len().saturating_sub(PEERS_SHOWN);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines
}

/// What the indicators of its first findings say about checking by hand.
fn next_steps(settings: &Settings, service: &ServiceReport) -> Vec<String> {
    let mut steps = Vec::new();
    for finding in service.findings.iter().take(FINDINGS_SHOWN) {
        let verify = settings.verify(&finding.id).into_iter().next();
        if let Some(step) = verify {
            let step = format!("- [ ] {}", prose(step));
            if !steps.contains(&step) {
                steps.push(step);
            }
        }
    }
    steps
}

fn in_a_line(row: &Row<'_>) -> String {
    let service = row.service;
    let alike =
        if row.alike > 0 { format!(" (and {} more alike)", row.alike) } else { String::new() };
    let top = service.findings.first().map(|finding| format!(": {}", prose(&finding.because)));
    let but = service
        .against
        .first()
        .map(|one| format!(" But {:+} dB: {}", one.decibans, prose(&one.because)));
    format!(
        "- {} {}{alike} ({} dB), runs {}{}{}",
        service.verdict.label(),
        code(&service.name),
        service.score,
        code(&service.runs()),
        top.unwrap_or_default(),
        but.unwrap_or_default()
    )
}

/// A sink for evidence in Markdown: a code span whose fence is longer than any run of backticks inside.
pub(super) fn code(evidence: &str) -> String {
    let safe = layout::fit(evidence, QUOTE);
    if safe.trim().is_empty() {
        return "(empty)".to_owned();
    }
    let longest = safe.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.saturating_add(1));
    let pad = if safe.starts_with('`') || safe.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{safe}{pad}{fence}")
}

/// A sink for sentences that quote evidence: every character that Markdown, HTML or an auto-linker would
/// act on is escaped.
pub(super) fn prose(sentence: &str) -> String {
    escape(&layout::fit(sentence, QUOTE.saturating_mul(2)))
}

/// The same inside a table, where a sentence may be long but not endless.
pub(super) fn cell(sentence: &str) -> String {
    escape(&layout::fit(sentence, QUOTE))
}

fn escape(safe: &str) -> String {
    let mut escaped = String::with_capacity(safe.len().saturating_add(16));
    for c in safe.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            // Auto-linkers read the text after backslashes are gone, so the at sign hides in a code span.
            '@' => escaped.push_str("`@`"),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '#' | '!' | '|' | '~' | '$' => {
                escaped.push('\\');
                escaped.push(c);
            }
            _ => escaped.push(c),
        }
    }
    escaped.replace("://", ":\\//").replace("www.", "www\\.").replace("WWW.", "WWW\\.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_evidence_leaves_its_code_span() {
        for (evidence, expected) in [
            ("plain", "`plain`"),
            ("a`b", "``a`b``"),
            ("``", "``` `` ```"),
            ("a\nb", "`a\\u{a}b`"),
            (" ", "(empty)"),
        ] {
            assert_eq!(code(evidence), expected);
        }
    }

    #[test]
    fn prose_is_read_and_not_obeyed() {
        for (evidence, expected) in [
            ("a|b", "a\\|b"),
            ("[x](http://y)", "\\[x\\](http:\\//y)"),
            ("<img onerror=1>", "&lt;img onerror=1&gt;"),
            (r"C:\Users\a_b", r"C:\\Users\\a\_b"),
            ("mail@host", "mail`@`host"),
        ] {
            assert_eq!(prose(evidence), expected);
        }
    }
}
