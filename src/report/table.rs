//! One screen a host for the terminal: worst first, the reason beside the row, and what was not checked.
//!
//! The only file that names `comfy_table`.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, Table, TableStyle, Width};

use super::finding::FindingReport;
use super::host::{CoverageReport, HostReport};
use super::incident::IncidentReport;
use super::layout::{columns, fit, plural, wrap};
use super::select::Row;
use super::service::ServiceReport;
use super::{
    Options, Renderer, Report, file, judged, older_state, posture, rule, select, suppressed,
};
use crate::diagnostic::Impact;
use crate::host::coverage::{Origin, State};
use crate::host::incident::IncidentKind;
use crate::rank::Verdict;
use crate::text;

/// `--format table`, the default.
pub(super) const RENDERER: Renderer = Renderer {
    id: "table",
    extension: "txt",
    describe: "one screen a host, worst first, with reasons",
    render,
};

/// Columns that the names of the paragraphs take.
const LABEL: usize = 13;
/// No terminal is treated as narrower.
const NARROWEST: usize = 60;
/// Reasons beside a row; `explain` and `json` have all of them.
const REASONS_SHOWN: usize = 2;
/// Sigma rules named one by one; `json` has all of them.
const RULES_SHOWN: usize = 5;
/// Losses named one by one; `json` has all of them.
const LOSSES_SHOWN: usize = 3;

/// The page in the making.
struct Page {
    width: usize,
    color: bool,
    lines: Vec<String>,
}

fn render(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let width = options.width.max(NARROWEST);
    let mut page = Page { width, color: options.color, lines: Vec::new() };
    for (index, host) in report.hosts.iter().enumerate() {
        if index > 0 {
            page.lines.extend([String::new(), "─".repeat(width), String::new()]);
        }
        page.host(report, host, options);
    }
    for line in page.lines {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

impl Page {
    fn host(&mut self, report: &Report, host: &HostReport, options: &Options) {
        let tool = &report.tool;
        let evidence = format!("{} {}", host.evidence.format, host.evidence.path);
        let head = format!("{} {}, evidence: {}", tool.name, tool.version, evidence.trim_start());
        let head = fit(&head, self.width.saturating_mul(3));
        self.lines.append(&mut wrap(&head, self.width, "", &" ".repeat(LABEL)));
        self.paragraph("HOST", &identity(host));
        self.paragraph("COVERAGE", &coverage(host));
        if let Some(older) = older_state::in_a_line(&host.older_states) {
            self.paragraph("OLDER", &fit(&older, self.width.saturating_mul(3)));
        }
        if let Some(blind) = posture::in_a_line(&host.posture) {
            self.paragraph("BLIND SPOTS", &fit(&blind, self.width.saturating_mul(3)));
        }
        if let Some(changed) = judged::in_a_line(&report.settings) {
            self.paragraph("JUDGED", &fit(&changed, self.width.saturating_mul(4)));
        }
        self.lines.push(String::new());
        self.verdict(host);
        self.incidents(host, options);
        self.outbound(host, options);
        let shortlist = select::shortlist(host, options);
        if !shortlist.rows.is_empty() {
            self.lines.push(String::new());
            self.rows(host, &shortlist.rows);
        }
        if shortlist.left_out > 0 {
            let indent = " ".repeat(LABEL);
            let further = plural(shortlist.left_out, "further service");
            let text = format!("{further} of note: --all");
            self.lines.push(format!("{indent}{text}"));
        }
        let rules = rule::lines(host, RULES_SHOWN);
        if !rules.is_empty() {
            self.lines.push(String::new());
            for (number, line) in rules.iter().enumerate() {
                let label = if number == 0 { "RULES" } else { "" };
                self.paragraph(label, &fit(line, self.width.saturating_mul(3)));
            }
        }
        self.lines.push(String::new());
        if let Some(suppressed) = suppressed::in_a_line(host) {
            let text = fit(&suppressed, self.width.saturating_mul(3));
            self.paragraph("SUPPRESSED", &format!("{text} (svctriage explain SERVICE tells why)"));
        }
        self.paragraph("NOT CHECKED", &not_checked(host));
        self.paragraph("NEXT", &next(&shortlist.rows));
    }

    /// What belongs together beyond one service, one sentence each.
    fn incidents(&mut self, host: &HostReport, options: &Options) {
        let (shown, more) = select::incidents(host, options);
        let mut label = "INCIDENTS";
        for incident in shown {
            let verdict = incident.verdict.label();
            let sentence = fit(&incident.sentence, self.width.saturating_mul(4));
            let line = self.lines.len();
            self.paragraph(label, &format!("{verdict}: {sentence}"));
            let painted = self.paint(verdict, color(incident.verdict));
            if let Some(line) = self.lines.get_mut(line) {
                *line = line.replacen(verdict, &painted, 1);
            }
            label = "";
        }
        if more > 0 {
            self.paragraph(
                label,
                &format!("{} in --format json", plural(more, "further incident")),
            );
        }
    }

    /// What was done from here to services of other hosts, in one line; where incidents tell all of it, they do.
    fn outbound(&mut self, host: &HostReport, options: &Options) {
        const NAMED: usize = 3;
        let is_outbound = |one: &&IncidentReport| one.kind == IncidentKind::Outbound;
        let (shown, _) = select::incidents(host, options);
        let told = shown.into_iter().filter(is_outbound).count();
        if host.outbound.is_empty() || told == host.incidents.iter().filter(is_outbound).count() {
            return;
        }
        let hosts: BTreeSet<&str> =
            host.outbound.iter().filter_map(|act| act.host.as_deref()).collect();
        let mut named: Vec<&str> = hosts.iter().take(NAMED).copied().collect();
        let more = hosts.len().saturating_sub(NAMED);
        let further = format!("{more} more");
        if more > 0 {
            named.push(&further);
        }
        let acts = plural(host.outbound.len(), "act");
        let of = if named.is_empty() { "other hosts".to_owned() } else { named.join(", ") };
        let text =
            fit(&format!("{acts} from here on services of {of}"), self.width.saturating_mul(2));
        self.paragraph("OUTBOUND", &text);
    }

    /// A label and safe text beside it.
    fn paragraph(&mut self, label: &str, text: &str) {
        let first = format!("{label:LABEL$}");
        let mut lines = wrap(text, self.width, &first, &" ".repeat(LABEL));
        if let Some(line) = lines.first_mut().filter(|_| !label.is_empty()) {
            *line = line.replacen(label, &self.paint(label, "1"), 1);
        }
        self.lines.append(&mut lines);
    }

    fn verdict(&mut self, host: &HostReport) {
        let summary = &host.summary;
        let (services, drivers) = (summary.services, summary.drivers);
        let of = format!("of {services} ({})", plural(drivers, "driver"));
        if services == 0 && host.verdict < Verdict::Note {
            self.paragraph("VERDICT", "no service is known from this evidence: nothing was judged");
            return;
        }
        if host.verdict < Verdict::Note {
            let text = format!("no service met a rule worth a note, {of}; coverage as above");
            self.paragraph("VERDICT", &text);
            return;
        }
        let label = host.verdict.label();
        let counts = format!(
            "{label}: {} to escalate, {} to review, {} noted, {of}; host score {} dB",
            summary.escalate, summary.review, summary.note, host.score
        );
        self.paragraph("VERDICT", &counts);
        let painted = self.paint(label, color(host.verdict));
        if let Some(line) = self.lines.last_mut() {
            *line = line.replacen(label, &painted, 1);
        }
    }

    fn rows(&mut self, host: &HostReport, rows: &[Row<'_>]) {
        let (table, indent) = table(rows, self.width);
        let mut lines = table.lines();
        if let Some(header) = lines.next() {
            self.lines.push(self.paint(header.trim_end(), "1"));
        }
        for (line, Row { service, alike }) in lines.zip(rows) {
            let label = service.verdict.label();
            let painted = self.paint(label, color(service.verdict));
            self.lines.push(line.replacen(label, &painted, 1));
            let indent = " ".repeat(indent);
            let room = self.width.saturating_sub(columns(&indent));
            let mut texts = reasons(service, room);
            if service.verdict >= Verdict::Note {
                let file = file::remarkable(&service.files, &host.files);
                texts.extend(file.map(|text| fit(&text, room)));
            }
            for text in texts {
                self.lines.append(&mut wrap(&text, self.width, &indent, &indent));
            }
            if *alike > 0 {
                let text = format!("and {alike} more alike, of the same incident: --all");
                self.lines.append(&mut wrap(&text, self.width, &indent, &indent));
            }
        }
    }

    fn paint(&self, text: &str, code: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The SGR parameters of a verdict.
const fn color(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Escalate => "1;31",
        Verdict::Review => "1;33",
        Verdict::Note => "36",
        Verdict::KnownGood => "32",
        Verdict::NotAssessed => "2",
    }
}

/// The table, one line a service, and the column at which the verdicts start.
fn table(rows: &[Row<'_>], width: usize) -> (Table, usize) {
    let mut cells: Vec<[String; 6]> =
        vec![["#", "SCORE", "VERDICT", "SERVICE", "RUNS AS", "WHAT IT RUNS"].map(str::to_owned)];
    cells.extend(rows.iter().map(|Row { service, .. }| {
        [
            service.rank.to_string(),
            service.score.to_string(),
            service.verdict.label().to_owned(),
            service.name.clone(),
            service.runs_as().to_owned(),
            service.runs(),
        ]
    }));
    let limits = [8, 6, 12, width / 5, (width / 7).max(11), width];
    let mut widths = [0_usize; 6];
    for row in &mut cells {
        for ((cell, limit), widest) in row.iter_mut().zip(limits).zip(&mut widths) {
            *cell = fit(cell, limit);
            *widest = (*widest).max(columns(cell));
        }
    }
    let [number, score, verdict, service, account, _] = widths;
    let indent = number.saturating_add(score).saturating_add(4);
    let before = [indent, verdict, service, account].iter().sum::<usize>().saturating_add(6);
    let rest = width.saturating_sub(before).max(7);
    let mut table = Table::new();
    table.load_style(TableStyle::new()).set_content_arrangement(ContentArrangement::Disabled);
    for mut row in cells {
        if let Some(command) = row.last_mut() {
            *command = fit(command, rest);
        }
        table.add_row(row);
    }
    let gap = |cell: usize| u16::try_from(cell.saturating_add(2)).unwrap_or(u16::MAX);
    for (index, cell) in [number, score, verdict, service, account, rest].into_iter().enumerate() {
        let Some(column) = table.column_mut(index) else { continue };
        column.set_padding((0, 2));
        column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(gap(cell))));
        if index < 2 {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    (table, indent)
}

/// Why, and what speaks against it, as safe text.
fn reasons(service: &ServiceReport, width: usize) -> Vec<String> {
    if service.verdict < Verdict::Note {
        return Vec::new();
    }
    let room = width.saturating_mul(2);
    let reason = |finding: &FindingReport| {
        format!("{} [{}]", fit(finding.because.trim_end_matches('.'), room), finding.id)
    };
    let mut parts: Vec<String> = service.findings.iter().take(REASONS_SHOWN).map(reason).collect();
    let more = service.findings.len().saturating_sub(REASONS_SHOWN);
    if more > 0 {
        parts.push(format!("{more} more"));
    }
    let techniques: BTreeSet<String> =
        service.techniques().into_iter().map(|technique| technique.v19).collect();
    if !techniques.is_empty() {
        let techniques: Vec<String> = techniques.into_iter().collect();
        parts.push(format!("ATT&CK {}", techniques.join(" ")));
    }
    let mut lines = vec![parts.join("; ")];
    lines.extend(service.against.first().map(|first| {
        let sum = service.against.iter().map(|one| one.decibans).fold(0, i32::saturating_add);
        let more = match service.against.len() {
            1 => String::new(),
            all => format!("; {} more, {sum:+} dB in all", all.saturating_sub(1)),
        };
        format!("but {:+} dB: {}{more}", first.decibans, reason(first))
    }));
    if service.verdict >= Verdict::Review
        && let Some(story) = &service.story.line
    {
        lines.push(fit(&format!("story: {story}"), width));
    }
    lines
}

fn identity(host: &HostReport) -> String {
    let newest = host.coverage.iter().find(|one| one.origin == Origin::SystemHive);
    let newest = newest.and_then(|hive| hive.to);
    let parts = [
        Some(host.host.label()),
        host.host.windows(),
        host.host.zone(),
        newest.map(|stamp| format!("newest key {}", stamp.short())),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().map(|part| fit(&part, 120)).collect();
    parts.join("; ")
}

/// What was heard, with its window; what is absent in the end.
fn coverage(host: &HostReport) -> String {
    let is_absent = |one: &&CoverageReport| one.state == State::Absent;
    let mut parts: Vec<String> =
        host.coverage.iter().filter(|one| !is_absent(one)).map(heard).collect();
    let absent: Vec<&str> =
        host.coverage.iter().filter(is_absent).map(|one| one.origin.label()).collect();
    if !absent.is_empty() {
        parts.push(format!("not in the evidence: {}", absent.join(", ")));
    }
    parts.join("; ")
}

fn heard(one: &CoverageReport) -> String {
    let state = match one.state {
        State::Complete => "complete",
        State::Partial => "IN PART",
        State::Lost => "UNREADABLE",
        State::Absent => "absent",
    };
    let mut words = format!("{} {state}", one.origin.label());
    let is_log = matches!(
        one.origin,
        Origin::SystemLog | Origin::SecurityLog | Origin::SysmonLog | Origin::PowerShellLog
    );
    if let (true, Some(from), Some(to)) = (is_log, one.from, one.to) {
        let day = |stamp: super::Stamp| stamp.0.strftime("%Y-%m-%d").to_string();
        words = format!("{words} {}..{}", day(from), day(to));
    }
    if !one.gaps.is_empty() {
        words = format!("{words} with {}", plural(one.gaps.len(), "gap"));
    }
    if !one.notes.is_empty() {
        words = format!("{words} ({})", fit(&one.notes.join(", "), 200));
    }
    words
}

/// Which silences left questions open, and what was lost.
fn not_checked(host: &HostReport) -> String {
    let mut open: BTreeMap<(Origin, State), BTreeSet<&str>> = BTreeMap::new();
    for silence in host.services.iter().flat_map(|service| &service.unanswered) {
        let ids = silence.indicators.iter().map(String::as_str);
        open.entry((silence.origin, silence.state)).or_default().extend(ids);
    }
    let mut by_state: BTreeMap<State, Vec<String>> = BTreeMap::new();
    for ((origin, state), ids) in open {
        by_state.entry(state).or_default().push(format!("{} {}", origin.label(), ids.len()));
    }
    let mut parts: Vec<String> = by_state
        .into_iter()
        .map(|(state, origins)| {
            let why = match state {
                State::Absent => "what is not in the evidence",
                State::Lost => "what was unreadable",
                State::Partial => "what was read in part",
                State::Complete => "what does not reach back",
            };
            format!("questions left open by {why}: {}", origins.join(", "))
        })
        .collect();
    let losses: Vec<_> = host.diagnostics.iter().filter(|one| one.impact > Impact::Note).collect();
    for loss in losses.iter().take(LOSSES_SHOWN) {
        parts.push(format!("{}: {}", fit(&loss.artifact, 60), fit(&loss.message, 160)));
    }
    let more = losses.len().saturating_sub(LOSSES_SHOWN);
    if more > 0 {
        parts.push(format!("{} in --format json", plural(more, "further loss")));
    }
    if host.services.is_empty() {
        parts.insert(0, "everything: there was no service to ask about".to_owned());
    } else if parts.is_empty() {
        return "every indicator found the evidence it needs".to_owned();
    }
    parts.join("; ")
}

fn next(rows: &[Row<'_>]) -> String {
    let reason = rows.iter().find_map(|row| row.service.findings.first());
    let explain = reason.map(|finding| format!("svctriage explain {} | ", finding.id));
    let explain = explain.unwrap_or_default();
    text::terminal_safe(&format!("{explain}--format markdown writes a ticket | --all lists all"))
        .into_owned()
}
