//! Hits of Sigma rules in the report.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::host::rule_hit::Rule;
use crate::host::{Citation, RuleHit};

/// A Sigma rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHitReport {
    /// The rule, with the author and the licence that its licence asks to print.
    pub rule: Rule,
    /// When.
    pub time: Stamp,
    /// The computer the record names.
    pub computer: String,
    /// The services it concerns, by name; empty where it concerns none.
    pub services: Vec<String>,
    /// The records.
    pub citations: Vec<Citation>,
}

impl RuleHitReport {
    pub(super) fn new(hit: &RuleHit, services: Vec<String>) -> Self {
        Self {
            rule: Rule::clone(&hit.rule),
            time: Stamp(hit.time),
            computer: hit.computer.clone(),
            services,
            citations: hit.citations.clone(),
        }
    }
}
