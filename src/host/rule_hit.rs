//! What a Sigma rule found: the rule as its author names it, and the records it rests on.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
