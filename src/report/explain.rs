//! Indicators and services explained at length, as plain text and as Markdown.

use super::Settings;
use super::answers;
use super::file;
use super::finding::{FindingReport, held_back};
use super::host::HostReport;
use super::judged;
use super::service::ServiceReport;
use crate::checklist::own::Own;
use crate::checklist::{self, Expected, Family, Indicator, Need, Question};
use crate::host::Origin;
use crate::host::program_file::FileState;
use crate::text::terminal_safe;

/// Destinations, look-ups and ports told one by one.
const PEERS_SHOWN: usize = 20;
/// Columns of explanations.
const WIDTH: usize = 96;

/// An indicator: what it asks, why, how a yes can be innocent, how to check it, and its examples.
pub fn explain_indicator(indicator: &Indicator) -> String {
    let examples = indicator.examples.iter().map(|example| {
        let answer = match example.answer {
            Expected::Yes => "yes",
            Expected::No => "no",
            Expected::Unknown => "unknown",
        };
        format!("{}: {answer}", example.title)
    });
    let mut page = about(indicator);
    page.list("Examples, executed as tests", examples);
    page.text
}

/// An indicator of the analyst's own, the same way, with the file it stands in.
pub fn explain_own(own: &Own) -> String {
    let mut page = about(own.indicator);
    let examples = own
        .examples
        .iter()
        .map(|(title, is_yes)| format!("{title}: {}", if *is_yes { "yes" } else { "no" }));
    page.list("Examples, executed when the rule is read", examples);
    page.blank();
    page.line(format!("Written by {}: {}, line {}", own.author, own.file, own.line));
    page.line(format!("SHA-256 of the file: {}", own.sha256));
    page.text
}

fn about(indicator: &Indicator) -> Page {
    let mut page = Page::default();
    page.line(format!("{}: {}", indicator.id, indicator.question));
    page.blank();
    page.paragraph("Why", indicator.why);
    page.paragraph("Innocent", indicator.innocent);
    page.paragraph("ATT&CK", &techniques(indicator));
    page.paragraph("Weight", &weight(indicator));
    page.paragraph("Helps with", answers::wording(indicator.checklist));
    page.paragraph("Needs", &needs(indicator));
    page.paragraph("Since", indicator.since);
    page.list("Check by hand", indicator.verify.iter().copied());
    page.list("Sources", indicator.sources.iter().copied());
    page
}

fn techniques(indicator: &Indicator) -> String {
    if indicator.attack.is_empty() {
        return "none".to_owned();
    }
    let label = |technique: &checklist::Technique| {
        if technique.v18 == technique.v19 {
            technique.v19.to_owned()
        } else {
            format!("{} ({} up to v18)", technique.v19, technique.v18)
        }
    };
    indicator.attack.iter().map(label).collect::<Vec<_>>().join(", ")
}

fn weight(indicator: &Indicator) -> String {
    let hard = if indicator.hard { "; a yes keeps the score at 30 dB or more" } else { "" };
    format!("{:+} dB in family {:?}{hard}", indicator.weight, indicator.family)
}

fn needs(indicator: &Indicator) -> String {
    indicator.needs.iter().map(need).collect::<Vec<_>>().join("; ")
}

fn need(need: &Need) -> String {
    match need {
        Need::Part(origin) => format!("the {}", origin.label()),
        Need::Whole(origin) => format!("the whole {}", origin.label()),
        Need::AnyPart(origins) => {
            let labels: Vec<&str> = origins.iter().copied().map(Origin::label).collect();
            format!("one of: {}", labels.join(", "))
        }
        Need::AnyEvent(events) => {
            let labels: Vec<String> =
                events.iter().map(|(origin, id)| format!("{} ({id})", origin.label())).collect();
            format!("one of: {}", labels.join(", "))
        }
        Need::WhenWritten(origin) => {
            format!("the {} of the time when its key was written", origin.label())
        }
        Need::Files => "a file system that holds the places of its files".to_owned(),
        Need::FileContents => "the bytes of its files".to_owned(),
        Need::FileContentsOr(log) => format!("the bytes of its files, or the {}", log.label()),
        Need::Listed(lists) => format!("the {} and the bytes of its files", lists.label()),
        Need::Phantoms => {
            "a file system, and who vouches for the libraries that should not be there".to_owned()
        }
        Need::Signatures => {
            "its files, and catalogs for those without a signature of their own".to_owned()
        }
        Need::ForNo(other) => format!("{} (for a no)", self::need(other)),
    }
}

/// A service: the five questions, every summand of its score, what is open, what happened, and how to check.
pub fn explain_service(service: &ServiceReport, host: &HostReport, settings: &Settings) -> String {
    let mut page = Page::default();
    page.line(format!(
        "{}: {}, score {} dB, rank {} of {} on {}",
        service.verdict.label(),
        service.name,
        service.score,
        service.rank,
        host.summary.services,
        host.host.label()
    ));
    if let Some(changed) = judged::in_a_line(settings) {
        page.line(format!("This was {changed}."));
    }
    for answer in &service.checklist {
        let heading = format!("{} [{}]", answers::wording(answer.question), answer.state.label());
        page.heading(&heading);
        for fact in &answer.facts {
            page.item("-", &fact.text);
            for citation in &fact.citations {
                page.detail(&citation.to_string());
            }
        }
        for missing in &answer.missing {
            page.item("?", &format!("not checked: {missing}"));
        }
    }
    page.files(service, host);
    page.findings("What speaks against it", &service.findings);
    page.findings("What speaks for it", &service.against);
    if let Some(held_back) = held_back(&service.against) {
        page.item("!", &format!("{held_back}."));
    }
    page.suppressed(service);
    page.sum(service);
    page.open_questions(service, settings);
    page.history(service);
    page.story(service);
    page.network(service);
    page.events(service);
    page.verify(service, host, settings);
    page.text
}

/// Text in the making. Everything passes the terminal's sink here.
#[derive(Default)]
struct Page {
    text: String,
}

impl Page {
    fn line(&mut self, line: impl AsRef<str>) {
        for line in super::layout::wrap(&terminal_safe(line.as_ref()), WIDTH, "", "  ") {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn blank(&mut self) {
        self.text.push('\n');
    }

    fn heading(&mut self, heading: &str) {
        self.blank();
        self.line(heading);
    }

    fn paragraph(&mut self, label: &str, text: &str) {
        self.hang(&format!("{label:12}"), &" ".repeat(12), text);
    }

    fn item(&mut self, mark: &str, text: &str) {
        self.hang(&format!("  {mark} "), "    ", text);
    }

    fn detail(&mut self, text: &str) {
        self.hang("      ", "        ", text);
    }

    fn hang(&mut self, first: &str, indent: &str, text: &str) {
        for line in super::layout::wrap(&terminal_safe(text), WIDTH, first, indent) {
            self.text.push_str(line.trim_end());
            self.text.push('\n');
        }
    }

    fn list(&mut self, heading: &str, items: impl Iterator<Item = impl AsRef<str>>) {
        let mut items = items.peekable();
        if items.peek().is_none() {
            return;
        }
        self.heading(heading);
        for item in items {
            self.item("-", item.as_ref());
        }
    }

    fn findings(&mut self, heading: &str, findings: &[FindingReport]) {
        if findings.is_empty() {
            return;
        }
        self.heading(heading);
        for finding in findings {
            let full = finding.full_weight().map(|full| format!(", {full}"));
            let full = full.unwrap_or_default();
            let hard = if finding.hard { ", hard" } else { "" };
            let mark = format!("{:+}", finding.decibans);
            let text = format!("{} [{}{full}{hard}]", finding.because, finding.id);
            self.hang(&format!("  {mark:>4} dB  "), &" ".repeat(11), &text);
            let techniques: Vec<String> =
                finding.attack.iter().map(super::finding::TechniqueReport::label).collect();
            if !techniques.is_empty() {
                self.hang(&" ".repeat(11), &" ".repeat(11), &techniques.join(", "));
            }
            for citation in &finding.citations {
                self.hang(&" ".repeat(11), &" ".repeat(13), &citation.to_string());
            }
        }
    }

    /// Its files: how its words lead to each, and all that is known of it.
    fn files(&mut self, service: &ServiceReport, host: &HostReport) {
        if service.files.is_empty() {
            return;
        }
        self.heading("Files");
        for link in &service.files {
            if link.is_in_vain() {
                let proper =
                    if link.state == FileState::Missing { ", as it should be" } else { "" };
                let text = format!("{}: {}{proper}", link.label(), link.state.label());
                self.item("-", &text);
                continue;
            }
            let Some(file) = file::find(&host.files, &link.path) else { continue };
            self.item("-", &format!("{}: {}", link.label(), link.path));
            if let Some(meant) = &link.meant {
                self.detail(&format!(
                    "meant: {meant}, but this one stands before it in the search order"
                ));
            }
            if let Some(named) = link.named.as_ref().filter(|named| **named != link.path) {
                self.detail(&format!("named as: {named}"));
            }
            for step in &link.steps {
                self.detail(&format!("step: {step}"));
            }
            for (label, text) in file::facts(file) {
                self.detail(&format!("{label}: {text}"));
            }
            self.detail(&file.citation.to_string());
        }
    }

    /// What is not counted, each with who says so.
    fn suppressed(&mut self, service: &ServiceReport) {
        if service.suppressed.is_empty() {
            return;
        }
        self.heading("What is suppressed and adds nothing");
        for one in &service.suppressed {
            self.item("-", &one.sentence());
            for citation in &one.finding.citations {
                self.detail(&citation.to_string());
            }
        }
    }

    /// The summands, and the floor where it lifted them.
    fn sum(&mut self, service: &ServiceReport) {
        let sum: i32 =
            service.findings.iter().chain(&service.against).map(|finding| finding.decibans).sum();
        self.blank();
        if sum == service.score {
            self.line(format!("Sum: {sum} dB. {} questions answered no.", service.answered_no));
        } else {
            self.line(format!(
                "Sum: {sum} dB, raised to {} dB by a hard indicator. {} questions answered no.",
                service.score, service.answered_no
            ));
        }
    }

    fn open_questions(&mut self, service: &ServiceReport, settings: &Settings) {
        if service.unanswered.is_empty() {
            return;
        }
        self.heading("Questions the evidence could not answer");
        for silence in &service.unanswered {
            let state = match silence.state {
                crate::host::State::Absent => "not in the evidence",
                crate::host::State::Lost => "unreadable",
                crate::host::State::Partial => "read in part",
                crate::host::State::Complete => "read completely",
            };
            let why = format!("{} {state}", silence.origin.label());
            for id in &silence.indicators {
                let question = settings.question(id);
                let question = question.unwrap_or("(an indicator of another version)");
                self.item("?", &format!("{id} {question} ({why})"));
            }
        }
    }

    fn history(&mut self, service: &ServiceReport) {
        if service.history.is_empty() && service.passages.is_empty() {
            return;
        }
        self.heading("Elsewhere in the evidence");
        for passage in &service.passages {
            self.item("-", &passage.summary);
            for citation in &passage.citations {
                self.detail(&citation.to_string());
            }
        }
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "(absent)".to_owned());
        let (same, others): (Vec<_>, Vec<_>) =
            service.history.iter().partition(|state| state.is_the_same(service.registry));
        if !same.is_empty() {
            let names: Vec<&str> = same.iter().map(|state| state.state.as_str()).collect();
            self.item("-", &format!("the same in {}", names.join(", ")));
        }
        for state in others {
            let written = state.last_write.map(|stamp| format!(", last written {}", stamp.short()));
            self.item("-", &format!("{}{}", state.state, written.unwrap_or_default()));
            for change in &state.differences {
                let field = if change.field.is_empty() { "the key" } else { &change.field };
                let until = change.until.as_ref().map(|state| format!(" (already in {state})"));
                self.detail(&format!(
                    "{field}: there {}, now {}{}",
                    shown(&change.before),
                    shown(&change.now),
                    until.unwrap_or_default()
                ));
            }
        }
    }

    /// The whole story, each act with its records.
    fn story(&mut self, service: &ServiceReport) {
        let story = &service.story;
        if story.steps.is_empty() {
            return;
        }
        self.heading("What happened (UTC)");
        for (at, step) in story.steps.iter().enumerate() {
            let number = at.saturating_add(1);
            let first = format!("  {number:>3}. {}  ", step.time.short());
            self.hang(&first, "       ", &format!("{}: {}", step.label(), step.summary));
            for citation in &step.citations {
                self.hang("       ", "         ", &citation.to_string());
            }
            let more = step.records.saturating_sub(step.citations.len());
            if more > 0 {
                self.hang("       ", "         ", &format!("and {more} more records"));
            }
        }
        if story.left_out > 0 {
            self.item("-", &format!("{} further acts in the middle; see Events", story.left_out));
        }
    }

    fn network(&mut self, service: &ServiceReport) {
        let Some(network) = &service.network else { return };
        self.heading("On the network");
        let sentences = network.sentences();
        for (sentence, citations) in sentences.iter().take(PEERS_SHOWN) {
            self.item("-", sentence);
            for citation in *citations {
                self.detail(&citation.to_string());
            }
        }
        let more = sentences.len().saturating_sub(PEERS_SHOWN);
        if more > 0 {
            self.item("-", &format!("and {more} more (see `network` in --format json)"));
        }
    }

    fn events(&mut self, service: &ServiceReport) {
        if service.events.is_empty() {
            return;
        }
        self.heading("Events");
        for event in &service.events {
            let channel = event.channel.as_deref().unwrap_or(&event.artifact);
            let id = event.event_id.map(|id| format!(" {id}")).unwrap_or_default();
            let record = event.record_id.map(|id| format!(" record {id}")).unwrap_or_default();
            let first = format!("  {}  ", event.time.short());
            self.hang(&first, "    ", &format!("{} [{channel}{id}{record}]", event.summary));
        }
    }

    /// How to check each finding by hand, with the key of this case.
    fn verify(&mut self, service: &ServiceReport, host: &HostReport, settings: &Settings) {
        let mut steps: Vec<&str> = Vec::new();
        for finding in &service.findings {
            for step in settings.verify(&finding.id) {
                if !steps.contains(&step) {
                    steps.push(step);
                }
            }
        }
        if steps.is_empty() && service.key_citation().is_none() && service.files.is_empty() {
            return;
        }
        self.heading("Check by hand");
        if let Some(key) = service.key_citation() {
            self.item("-", &format!("open the key: {key}"));
        }
        for step in steps {
            self.item("-", step);
        }
        for link in service.files.iter().filter(|link| !link.is_in_vain()) {
            let file = file::find(&host.files, &link.path);
            let commands = file.map(|file| file::verify_commands(file, &host.evidence.path));
            for command in commands.into_iter().flatten() {
                self.item("-", &command);
            }
        }
    }
}

/// The title of a family.
const fn family_title(family: Family) -> &'static str {
    match family {
        Family::Q1 => "Q1: what was created",
        Family::Q2 => "Q2: what it runs",
        Family::Q3 => "Q3: who, when, with which ticket",
        Family::Q4 => "Q4: account and rights",
        Family::Q5 => "Q5: starts and what followed",
        Family::D => "D: defence impairment and access rules",
        Family::F => "F: failure command",
        Family::R => "R: Sigma rules",
        Family::K => "K: known bad",
        Family::B => "B: baseline and trust",
    }
}

/// `docs/checklist.md`: every indicator, generated.
pub fn checklist_markdown() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(
        "# The checklist\n\n<!-- Generated from src/checklist. UPDATE_GOLDEN=1 cargo test writes it. -->\n\n\
         A yes is suspicious, except in family B, where it is reassuring. Weights are decibans: +10 dB \
         means ten times likelier among malicious than among benign services.\n",
    );
    for question in
        [Question::What, Question::Runs, Question::WhoWhen, Question::Account, Question::Started]
    {
        let mut indicators =
            checklist::indicators().filter(|one| one.checklist == question).peekable();
        if indicators.peek().is_none() {
            continue;
        }
        let _infallible = write!(page, "\n## {}\n", answers::wording(question));
        for one in indicators {
            let _infallible = write!(
                page,
                "\n### {} {}\n\n{}\n\n- Innocent: {}\n- Weight: {}\n- ATT&CK: {}\n- Needs: {}\n",
                one.id,
                one.question,
                one.why,
                one.innocent,
                weight(one),
                techniques(one),
                needs(one)
            );
            for step in one.verify {
                let _infallible = writeln!(page, "- Check: {step}");
            }
            for source in one.sources {
                let _infallible = writeln!(page, "- Source: {source}");
            }
        }
    }
    page
}

/// Every indicator in a line, for the terminal.
pub fn checklist_table(own: &[Own], width: usize) -> String {
    let mut page = String::new();
    let mut family = None;
    for one in checklist::indicators() {
        if family != Some(one.family) {
            family = Some(one.family);
            let gap = if page.is_empty() { "" } else { "\n" };
            page = format!("{page}{gap}{}\n", family_title(one.family));
        }
        let first = format!("  {:5} {:>4} dB  ", one.id, format!("{:+}", one.weight));
        for line in super::layout::wrap(one.question, width, &first, &" ".repeat(16)) {
            page.push_str(&line);
            page.push('\n');
        }
    }
    if !own.is_empty() {
        page.push_str("\nYour own\n");
    }
    for one in own {
        let Indicator { id, weight, question, .. } = one.indicator;
        let first = format!("  {id:5} {:>4} dB  ", format!("{weight:+}"));
        let text = format!("{question} ({}, line {})", one.file, one.line);
        for line in super::layout::wrap(&terminal_safe(&text), width, &first, &" ".repeat(16)) {
            page.push_str(&line);
            page.push('\n');
        }
    }
    page
}
