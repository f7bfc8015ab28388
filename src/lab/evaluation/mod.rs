//! How the ranking does: on [`hosts`] made to order, and on logs of others whose truth is known.
//!
//! Of the logs incidents are counted, not records: one run of one tool wrote 244 installs.

use std::collections::{BTreeMap, BTreeSet};

use crate::rank::Verdict;
use crate::report::{HostReport, ServiceReport};
use crate::text;

mod corpus;
pub mod hosts;
mod left_out;
mod markdown;
pub mod plants;
mod truth;

pub use corpus::{Corpus, Folders, Unusable};
pub use truth::{Label, Labelled, Truth};

/// The whole page, docs/evaluation.md: hosts made to order, then labelled logs where the corpus has them.
pub fn page(study: &hosts::Study, labelled: Option<&Evaluation>) -> String {
    let mut page = String::from(
        "# Evaluation\n\nWritten by `cargo run --release --example evaluate -- CORPUS > docs/evaluation.md`; `.ci/run` holds \
         this page against what the command prints. CORPUS is a folder with `hives/` and `evtx/`, real evidence that is no \
         part of this repository; without one the command works as well, with the lab's bases alone. `--csv FILE` writes a \
         row for each host, to compare two runs.\n\n",
    );
    page.push_str(&study.markdown());
    page.push('\n');
    if let Some(labelled) = labelled {
        page.push('\n');
        page.push_str(&labelled.markdown());
    }
    page
}

/// What the tool made of one labelled incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The incident.
    pub labelled: Labelled,
    /// The worst verdict; absent where no log of it was there or the tool did not see the service at all.
    pub verdict: Option<Verdict>,
    /// The highest score among services of that verdict, in decibans; absent where only the incident list has it.
    pub score: Option<i32>,
    /// Its services, or the incidents of the host where the truth names no service: those of the worst verdict.
    pub found: BTreeSet<String>,
    /// The ids of their findings.
    pub indicators: BTreeSet<String>,
}

/// One log that was scanned as a host of its own, or one host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scanned {
    /// The log or host.
    pub name: String,
    /// The host's verdict.
    pub verdict: Verdict,
    /// Services known.
    pub services: usize,
    /// Services to escalate, to review, noted.
    pub counts: [usize; 3],
    /// Every service and incident at `review` or above: verdict, score of services, name or sentence, findings.
    pub loud: Vec<Loud>,
}

/// A service or incident at `review` or above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loud {
    /// The verdict.
    pub verdict: Verdict,
    /// Decibans; absent for an incident.
    pub score: Option<i32>,
    /// The service's name or the incident's sentence.
    pub what: String,
    /// The ids of its findings, heaviest first.
    pub findings: Vec<String>,
}

/// How the ranking does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evaluation {
    /// The labelled incidents.
    pub incidents: Vec<Judged>,
    /// Logs with malicious records that belong to no incident.
    pub loose: Vec<Scanned>,
    /// Logs of the same set in which nothing is labelled malicious or unclear.
    pub unlabelled: Vec<Scanned>,
    /// Hosts that were not recorded for an attack, and what they are.
    pub hosts: Vec<Scanned>,
}

impl Evaluation {
    /// Compares reports with the truth. `logs` holds a report for each labelled log, by relative path; `hosts` are the
    /// others, by name.
    pub fn new(
        truth: &Truth,
        logs: &BTreeMap<String, HostReport>,
        hosts: &BTreeMap<String, HostReport>,
    ) -> Self {
        let scanned = |(name, report): (&String, &HostReport)| Scanned::new(name, report);
        let named = |wanted: &BTreeSet<String>, own: bool| {
            let chosen = logs.iter().filter(|(name, _)| wanted.contains(*name) == own);
            chosen.map(scanned).collect()
        };
        Self {
            incidents: truth.incidents.iter().map(|one| Judged::new(one, logs)).collect(),
            loose: named(&truth.loose, true),
            unlabelled: named(&truth.touched, false),
            hosts: hosts.iter().map(scanned).collect(),
        }
    }

    /// The incidents of that label that create or change a service.
    pub fn primary(&self, label: Label) -> impl Iterator<Item = &Judged> {
        self.incidents.iter().filter(move |one| one.labelled.primary && one.labelled.label == label)
    }

    /// Its part of the page, in Markdown.
    pub fn markdown(&self) -> String {
        markdown::page(self)
    }
}

impl Judged {
    fn new(labelled: &Labelled, logs: &BTreeMap<String, HostReport>) -> Self {
        let mut judged = Self {
            labelled: labelled.clone(),
            verdict: None,
            score: None,
            found: BTreeSet::new(),
            indicators: BTreeSet::new(),
        };
        for report in labelled.files.iter().filter_map(|file| logs.get(file)) {
            for service in report.services.iter().filter(|one| labelled.is_about(one)) {
                let score = Some(service.score);
                judged.add(service.verdict, score, &service.name, &mut findings(service));
            }
            for incident in report.incidents.iter().filter(|_| labelled.names.is_empty()) {
                judged.add(incident.verdict, None, &incident.sentence, &mut std::iter::empty());
            }
        }
        judged
    }

    /// Keeps the worst.
    fn add(
        &mut self,
        verdict: Verdict,
        score: Option<i32>,
        name: &str,
        findings: &mut dyn Iterator<Item = String>,
    ) {
        if self.verdict > Some(verdict) {
            return;
        }
        if self.verdict < Some(verdict) {
            self.found.clear();
            self.indicators.clear();
            self.score = None;
        }
        self.verdict = Some(verdict);
        self.score = self.score.max(score);
        self.found.insert(name.to_owned());
        self.indicators.extend(findings);
    }
}

impl Labelled {
    /// Whether a service of a report is the one: by its own name or that of a service on another host.
    fn is_about(&self, service: &ServiceReport) -> bool {
        let own = text::fold(service.name.rsplit('\\').next().unwrap_or_default());
        let display = service.display_name.as_deref().map(text::fold).unwrap_or_default();
        self.names.contains(&own) || self.names.contains(&display)
    }
}

fn findings(service: &ServiceReport) -> impl Iterator<Item = String> {
    service.findings.iter().map(|finding| finding.id.clone())
}

impl Scanned {
    fn new(name: &str, report: &HostReport) -> Self {
        let services = report.services.iter().filter(|one| one.verdict >= Verdict::Review);
        let mut loud: Vec<Loud> = services
            .map(|one| Loud {
                verdict: one.verdict,
                score: Some(one.score),
                what: one.name.clone(),
                findings: findings(one).collect(),
            })
            .collect();
        let incidents = report.incidents.iter().filter(|one| one.verdict >= Verdict::Review);
        loud.extend(incidents.map(|one| Loud {
            verdict: one.verdict,
            score: None,
            what: one.sentence.clone(),
            findings: Vec::new(),
        }));
        let summary = &report.summary;
        Self {
            name: name.to_owned(),
            verdict: report.verdict,
            services: summary.services,
            counts: [summary.escalate, summary.review, summary.note],
            loud,
        }
    }
}
