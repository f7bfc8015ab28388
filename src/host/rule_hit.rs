//! What a Sigma rule found: the rule as its author names it, and the records it rests on.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Host;
use super::citation::Citation;

/// How bad its author holds what a rule finds (Sigma specification 2.1, `level`).
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum RuleLevel {
    /// Worth knowing only; also where a rule gives no level.
    #[default]
    Informational,
    /// Relevant in combination.
    Low,
    /// To be reviewed by hand.
    Medium,
    /// To be reviewed promptly.
    High,
    /// As good as certain.
    Critical,
}

impl RuleLevel {
    /// The word of rules and reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Informational => "informational",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// A rule that was loaded.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Rule {
    /// `title`.
    pub title: String,
    /// `id`, a UUID; absent in some rules.
    pub id: Option<String>,
    /// `author`, which the Detection Rule License asks to print with every hit.
    pub author: Option<String>,
    /// `license`; absent where the rule does not say.
    pub license: Option<String>,
    /// `level`.
    pub level: RuleLevel,
    /// ATT&CK techniques among its `tags`, `T1543.003`.
    pub techniques: Vec<String>,
    /// The file it was read from, as given.
    pub file: String,
}

/// What became of the rules that were given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSet {
    /// How many rules run, correlations among them.
    pub loaded: usize,
    /// How many filters are applied to them.
    pub filters: usize,
    /// How many are for other systems than Windows.
    pub not_applicable: usize,
    /// Rules and files that cannot be used.
    pub not_loaded: Vec<RuleProblem>,
    /// Rules that run and cannot see all that they ask for.
    pub partly_usable: Vec<RuleProblem>,
}

/// Why a rule cannot be used, or only in part.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleProblem {
    /// The file, as given.
    pub file: String,
    /// The line at which its document begins, from 1.
    pub line: Option<usize>,
    /// Its title, where it could be read.
    pub title: Option<String>,
    /// Why.
    pub reason: String,
}

/// A rule that fired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleHit {
    /// Which.
    pub rule: Arc<Rule>,
    /// When: the time of the record, of the last one for a correlation.
    pub time: Timestamp,
    /// The computer the record names.
    pub computer: String,
    /// The records, in order of time: one, or those of a correlation. Never empty.
    pub citations: Vec<Citation>,
    /// What the record says that ties it to a service: field name and value as logged (`Image`, `CommandLine`,
    /// `TargetObject`, `ServiceName` and their like).
    pub fields: Vec<(String, String)>,
}

/// Hits that concern no service of the host: indices into [`Host::rule_hits`], in order.
pub fn unattached(host: &Host) -> Vec<usize> {
    let attached: BTreeSet<usize> =
        host.services.iter().flat_map(|service| service.rule_hits.iter().copied()).collect();
    (0..host.rule_hits.len()).filter(|at| !attached.contains(at)).collect()
}
