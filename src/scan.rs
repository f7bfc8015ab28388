//! The whole way from one host's evidence to its part of the report.

use jiff::SignedDuration;

use crate::artifact::{self, Progress};
use crate::checklist::Policy;
use crate::evidence::Evidence;
use crate::host::{Coverage, Host, Origin, Span, State};
use crate::rank::{self, Tuning};
use crate::report::{EvidenceFile, EvidenceSummary, HostReport};

/// What bears on the answers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Half the width of the window in which events are taken to belong together.
    pub window: SignedDuration,
    /// What the analyst says is approved.
    pub policy: Option<Policy>,
    /// Weights and indicators the analyst changed.
    pub tuning: Tuning,
}

/// Examines one host. Damage is in the report's diagnostics, never an error.
pub fn scan(evidence: &dyn Evidence, settings: &Settings, progress: &dyn Progress) -> HostReport {
    let reading = artifact::read(evidence, progress);
    let mut coverage = reading.coverage;
    record_policy(&mut coverage, settings.policy.as_ref());
    let host = Host::from_facts(reading.facts, coverage, settings.window);
    let ranked = rank::rank(&host, settings.policy.as_ref(), &settings.tuning);
    let description = evidence.describe();
    let summary = EvidenceSummary {
        path: description.path.clone(),
        format: description.format.to_owned(),
        files: reading
            .files
            .into_iter()
            .map(|file| EvidenceFile { path: file.path.clone(), size: file.size })
            .collect(),
    };
    HostReport::new(&host, &ranked, summary, reading.diagnostics)
}

/// The analyst's policy is a witness like any other: without it "approved?" has no answer.
fn record_policy(coverage: &mut Coverage, policy: Option<&Policy>) {
    if policy.is_some() {
        let span = Span { state: State::Complete, from: None, to: None, notes: Vec::new() };
        coverage.record(Origin::ChangePolicy, span);
    }
}
