//! Acts that belong together beyond one service: many installs by one actor, hits of rules that concern no service.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::citation::Citation;
use super::event::Subject;

/// What holds an incident together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IncidentKind {
    /// Services installed by one actor in quick succession.
    InstallBurst,
    /// Hits of one Sigma rule that concern no service of this host.
    RuleHits,
    /// Services created, changed or started on other hosts from this one.
    Outbound,
}

/// Acts that belong together beyond one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// What holds it together.
    pub kind: IncidentKind,
    /// The first act.
    pub from: Timestamp,
    /// The last act.
    pub to: Timestamp,
    /// Who, where the logs agree on one.
    pub actor: Option<Subject>,
    /// How many acts.
    pub count: usize,
    /// The services concerned, by the names the host lists them under.
    pub services: Vec<String>,
    /// What happened, in one sentence.
    pub sentence: String,
    /// Where to look, in order of time; the first ones where there are many. Never empty.
    pub citations: Vec<Citation>,
}
