//! The five questions of the checklist, answered for one service: facts, and what could not be checked.

use serde::{Deserialize, Serialize};

use super::file::{FileReport, ServiceFileReport};
use crate::checklist::Question;
use crate::host::coverage::{Origin, State};
use crate::host::{Citation, Coverage, Host, Service};
use crate::rank::Ranked;
use crate::time;

mod account;
mod runs;
mod started;
mod what;
mod who_when;

/// How far a question is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// The evidence answers it.
    Answered,
    /// It answers a part.
    Partly,
    /// It says nothing about it.
    NoData,
}

impl Progress {
    /// The word of reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Answered => "answered",
            Self::Partly => "partly",
            Self::NoData => "no data",
        }
    }
}

/// One question with its answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChecklistAnswer {
    /// Which question.
    pub question: Question,
    /// How far it is answered.
    pub state: Progress,
    /// What is known.
    pub facts: Vec<StatedFact>,
    /// What could not be checked, and why.
    pub missing: Vec<String>,
}

/// A sentence and where it can be looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatedFact {
    /// One sentence.
    pub text: String,
    /// Where it stands; empty where the sentence is about what is *not* in the evidence.
    pub citations: Vec<Citation>,
}

/// The question as a person asks it.
pub const fn wording(question: Question) -> &'static str {
    match question {
        Question::What => "What service was created?",
        Question::Runs => "What does it run?",
        Question::WhoWhen => "Who created or changed it, when, and is there a change ticket?",
        Question::Account => "Which account does it run as, with which rights?",
        Question::Started => "Did it start, and what followed?",
    }
}

/// Answers the five questions; `links` are the service's files, `files` the host's.
pub(super) fn answers(
    host: &Host,
    ranked: &Ranked<'_>,
    links: &[ServiceFileReport],
    files: &[FileReport],
) -> Vec<ChecklistAnswer> {
    vec![
        what::answer(host, ranked.service),
        runs::answer(host, ranked.service, links, files),
        who_when::answer(host, ranked),
        account::answer(host, ranked.service),
        started::answer(host, ranked.service),
    ]
}

/// Gaps of a log named one by one; further ones are counted.
const GAPS_SHOWN: usize = 2;

/// An answer in the making.
struct Draft {
    question: Question,
    facts: Vec<StatedFact>,
    missing: Vec<String>,
}

impl Draft {
    fn new(question: Question) -> Self {
        Self { question, facts: Vec::new(), missing: Vec::new() }
    }

    fn fact(&mut self, text: impl Into<String>, citations: impl IntoIterator<Item = Citation>) {
        let citations = citations.into_iter().collect();
        self.facts.push(StatedFact { text: text.into(), citations });
    }

    /// A value of the current configuration.
    fn value(&mut self, service: &Service, value: &str, text: impl Into<String>) {
        let citation = service.config.as_ref().map(|config| config.cite(value));
        self.fact(text, citation);
    }

    fn missing(&mut self, text: impl Into<String>) {
        let text = text.into();
        if !self.missing.contains(&text) {
            self.missing.push(text);
        }
    }

    /// Notes why an origin cannot vouch for what it does not say, where it cannot.
    fn needs(&mut self, host: &Host, origin: Origin, purpose: &str) -> bool {
        match silence(&host.coverage, origin) {
            Some(why) => {
                self.missing(format!("{purpose}: {why}"));
                false
            }
            None => true,
        }
    }

    /// Answered when something is known and nothing is missing.
    fn finish(self) -> ChecklistAnswer {
        let state = match (self.facts.is_empty(), self.missing.is_empty()) {
            (true, _) => Progress::NoData,
            (false, true) => Progress::Answered,
            (false, false) => Progress::Partly,
        };
        ChecklistAnswer { question: self.question, state, facts: self.facts, missing: self.missing }
    }
}

/// Why an origin's silence means nothing; absent where it was read completely.
pub(super) fn silence(coverage: &Coverage, origin: Origin) -> Option<String> {
    let label = origin.label();
    match coverage.state(origin) {
        State::Complete => None,
        State::Partial => Some(format!("{label} was read only in part")),
        State::Lost => Some(format!("{label} could not be read")),
        State::Absent => Some(format!("no {label} in the evidence")),
    }
}

/// `2026-09-30 08:00:00Z to 2026-11-03 14:02:11Z`, where the origin's window is known.
fn window(coverage: &Coverage, origin: Origin) -> Option<String> {
    let span = coverage.span(origin)?;
    let (from, to) = (span.from?, span.to?);
    let gaps: Vec<String> = coverage
        .gaps(origin)
        .iter()
        .take(GAPS_SHOWN)
        .map(|gap| format!("{} to {}", time::format_short(gap.from), time::format_short(gap.to)))
        .collect();
    let more = coverage.gaps(origin).len().saturating_sub(gaps.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let but =
        if gaps.is_empty() { String::new() } else { format!(" without {}{more}", gaps.join(", ")) };
    Some(format!("{} to {}{but}", time::format_short(from), time::format_short(to)))
}
