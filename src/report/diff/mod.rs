//! What `diff` writes: how two states of hosts, or a host and a baseline, differ service by service.

use serde::Serialize;

use super::{Options, Report, Stamp, Tool};
use crate::checklist::baseline::BaselineFile;
use crate::rank::Verdict;

mod compare;
mod csv;
mod fields;
mod json;
mod markdown;
mod pair;
mod table;

/// The number of this document's contract in `docs/baseline.md`.
pub const SCHEMA: u32 = 1;

/// One of the two things compared.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The path, as it was given.
    pub path: &'a str,
    /// What it is.
    pub content: Content<'a>,
}

/// What one of the two things compared is.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    /// Evidence that was scanned.
    Evidence(&'a Report),
    /// A report that was read.
    Report(&'a Report),
    /// A baseline.
    Baseline(&'a BaselineFile),
}

/// All differences.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DiffReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// What is taken as the state before: the first thing given, or the baseline where one of the two is one.
    pub before: Given,
    /// What is taken as the state after.
    pub after: Given,
    /// Pairs of hosts, in the order of the state after.
    pub hosts: Vec<HostDiff>,
    /// Hosts of the state before that the state after does not have.
    pub only_before: Vec<String>,
    /// Hosts of the state after that the state before does not have.
    pub only_after: Vec<String>,
}

/// A thing that was compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Given {
    /// Its path, as it was given.
    pub path: String,
    /// `evidence`, `report` or `baseline`.
    pub form: &'static str,
    /// Its hosts.
    pub hosts: Vec<String>,
}

/// The differences of two hosts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct HostDiff {
    /// The host before.
    pub before: String,
    /// The host after.
    pub after: String,
    /// What is said of the hosts themselves and differs: `build`, `name`, …
    pub facts: Vec<FieldDiff>,
    /// Services that only the state after has.
    pub added: usize,
    /// Services that only the state before has.
    pub removed: usize,
    /// Services that both have and that differ.
    pub changed: usize,
    /// Services that are the same.
    pub same: usize,
    /// The services that are not the same, worst first.
    pub services: Vec<ServiceDiff>,
}

/// How a service differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Both states have it.
    Changed,
    /// Only the state after has it.
    Added,
    /// Only the state before has it.
    Removed,
}

impl Change {
    /// The word of reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Changed => "CHANGED",
            Self::Added => "ADDED",
            Self::Removed => "REMOVED",
        }
    }
}

/// A service that is not the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ServiceDiff {
    /// Its name; of per-user instances that of the template.
    pub name: String,
    /// Whether instances of a per-user service are compared, not the service itself.
    pub instance: bool,
    /// How it differs.
    pub change: Change,
    /// What it was.
    pub before: Option<ServiceState>,
    /// What it is.
    pub after: Option<ServiceState>,
    /// The values that differ.
    pub fields: Vec<FieldDiff>,
}

/// A service in one of the two states.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ServiceState {
    /// What to do about it; null in a baseline.
    pub verdict: Option<Verdict>,
    /// Its score in decibans; null in a baseline.
    pub score: Option<i32>,
    /// What it runs.
    pub runs: String,
    /// The account.
    pub account: Option<String>,
    /// The key's last-write time; by itself no difference.
    pub last_write: Option<Stamp>,
    /// Where it stands: the line of a baseline file.
    pub line: Option<usize>,
}

/// A value that differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FieldDiff {
    /// Its name.
    pub field: String,
    /// What it was; null where it was absent.
    pub before: Option<String>,
    /// What it is; null where it is absent.
    pub after: Option<String>,
}

/// A form differences can be written in.
#[derive(Clone, Copy)]
pub struct DiffRenderer {
    /// The word of `--format`.
    pub id: &'static str,
    /// One line for the help.
    pub describe: &'static str,
    /// Writes it.
    pub render: fn(&DiffReport, &Options, &mut dyn std::io::Write) -> std::io::Result<()>,
}

/// Every form, the default first.
pub const DIFF_RENDERERS: &[DiffRenderer] =
    &[table::RENDERER, json::RENDERER, csv::RENDERER, markdown::RENDERER];

impl DiffReport {
    /// Compares two things. Where one of them is a baseline, it is the state before.
    pub fn new(first: &Side<'_>, second: &Side<'_>) -> Self {
        let is_baseline = |side: &Side<'_>| matches!(side.content, Content::Baseline(_));
        let (before, after) = if is_baseline(second) && !is_baseline(first) {
            (second, first)
        } else {
            (first, second)
        };
        pair::compare(before, after)
    }

    /// Whether anything differs: a service, what is said of a host, or a host without a partner.
    pub fn differs(&self) -> bool {
        !self.only_before.is_empty()
            || !self.only_after.is_empty()
            || self.hosts.iter().any(|host| !host.services.is_empty() || !host.facts.is_empty())
    }
}

impl ServiceDiff {
    /// The worse verdict of its two states.
    pub fn verdict(&self) -> Option<Verdict> {
        let of = |state: &Option<ServiceState>| state.as_ref().and_then(|state| state.verdict);
        of(&self.before).max(of(&self.after))
    }

    /// The name, and that instances are meant.
    fn label(&self) -> String {
        if self.instance { format!("{}_*", self.name) } else { self.name.clone() }
    }

    /// The state that is told: what it is, else what it was.
    fn state(&self) -> Option<&ServiceState> {
        self.after.as_ref().or(self.before.as_ref())
    }
}

impl HostDiff {
    /// `2 added, 1 removed, 3 changed, 612 the same`.
    fn counts(&self) -> String {
        format!(
            "{} added, {} removed, {} changed, {} the same",
            self.added, self.removed, self.changed, self.same
        )
    }

    /// The services that the options let through.
    fn chosen(&self, options: &Options) -> impl Iterator<Item = &ServiceDiff> {
        let least = options.min_verdict;
        self.services
            .iter()
            .filter(move |one| {
                least.is_none_or(|least| one.verdict().is_some_and(|verdict| verdict >= least))
            })
            .take(options.top.unwrap_or(usize::MAX))
    }
}

impl ServiceState {
    /// `REVIEW, 24 dB`; empty in a baseline.
    fn judged(&self) -> String {
        match (self.verdict, self.score) {
            (Some(verdict), Some(score)) => format!("{}, {score} dB", verdict.label()),
            _ => String::new(),
        }
    }
}

/// The sentence on a service that only one state has, or on how both were judged.
fn summary(service: &ServiceDiff) -> String {
    let Some(state) = service.state() else { return String::new() };
    let mut parts = Vec::new();
    match (&service.before, &service.after) {
        (Some(before), Some(after)) if before.judged() != after.judged() => {
            let shown = |judged: String| {
                if judged.is_empty() { "on the baseline".to_owned() } else { judged }
            };
            parts.push(format!("{} -> {}", shown(before.judged()), shown(after.judged())));
        }
        _ if !state.judged().is_empty() => parts.push(state.judged()),
        _ => {}
    }
    parts.push(format!("runs {}", state.runs));
    if let Some(account) = state.account.as_ref().filter(|account| !account.is_empty()) {
        parts.push(format!("as {account}"));
    }
    if let Some(stamp) = state.last_write {
        parts.push(format!("key last written {}", stamp.short()));
    }
    parts.join("; ")
}

/// A value for people.
fn shown(value: Option<&str>) -> &str {
    match value {
        None => "(absent)",
        Some("") => "(empty)",
        Some(value) => value,
    }
}
