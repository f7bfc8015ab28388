//! Findings that the analyst's lists do not count, with who says so: never silent.

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::finding::FindingReport;
use super::host::HostReport;
use super::layout::plural;
use crate::checklist::Suppression;
use crate::rank::{Finding, Ranked};

/// A finding that adds nothing to the score, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressedReport {
    /// The finding; its `decibans` are 0, its `weight` what it would weigh.
    pub finding: FindingReport,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub author: String,
    /// The last moment for which it is said.
    pub expires: Stamp,
    /// The list that says so, as given.
    pub list: String,
    /// The line of the list, from 1.
    pub line: usize,
}

/// A list of suppressions that was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuppressionList {
    /// Its path, as given.
    pub file: String,
    /// How many entries it has.
    pub entries: usize,
}

impl SuppressedReport {
    fn new(finding: &Finding, entry: &Suppression) -> Self {
        Self {
            finding: FindingReport::new(finding),
            reason: entry.reason.clone(),
            author: entry.author.clone(),
            expires: Stamp(entry.expires),
            list: entry.list.to_string(),
            line: entry.line,
        }
    }

    /// `F01 +35 dB: a failure command ... (suppressed by j.doe until 2027-01-31: why)`.
    pub fn sentence(&self) -> String {
        format!(
            "{} {:+} dB: {} Suppressed by {} until {}: {} ({}, line {})",
            self.finding.id,
            self.finding.weight,
            self.finding.because,
            self.author,
            self.expires.short(),
            self.reason,
            self.list,
            self.line
        )
    }
}

impl HostReport {
    /// With the findings that were not counted, of each service.
    #[must_use]
    pub fn with_suppressed(mut self, ranked: &[Ranked<'_>], entries: &[Suppression]) -> Self {
        for (service, ranked) in self.services.iter_mut().zip(ranked) {
            let told = |(finding, entry): &(Finding, usize)| {
                Some(SuppressedReport::new(finding, entries.get(*entry)?))
            };
            service.suppressed = ranked.suppressed.iter().filter_map(told).collect();
        }
        self.summary.suppressed = self.services.iter().map(|one| one.suppressed.len()).sum();
        self
    }
}

/// `3 findings of 2 services are suppressed: Foo (F01, P06), Bar (P06)`; absent where nothing is.
pub(super) fn in_a_line(host: &HostReport) -> Option<String> {
    const SERVICES_SHOWN: usize = 6;
    let of: Vec<_> = host.services.iter().filter(|one| !one.suppressed.is_empty()).collect();
    if of.is_empty() {
        return None;
    }
    let named = of.iter().take(SERVICES_SHOWN).map(|service| {
        let ids: Vec<&str> = service.suppressed.iter().map(|one| one.finding.id.as_str()).collect();
        format!("{} ({})", service.name, ids.join(", "))
    });
    let mut words: Vec<String> = named.collect();
    let more = of.len().saturating_sub(SERVICES_SHOWN);
    if more > 0 {
        words.push(format!("and {}", plural(more, "further service")));
    }
    Some(format!(
        "{} of {} suppressed: {}",
        plural(host.summary.suppressed, "finding"),
        plural(of.len(), "service"),
        words.join(", ")
    ))
}
