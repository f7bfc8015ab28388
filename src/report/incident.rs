//! Incidents in the report.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::host::Citation;
use crate::host::event::Subject;
use crate::host::incident::{Incident, IncidentKind};
use crate::rank::Verdict;

/// Acts that belong together beyond one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IncidentReport {
    /// What holds it together.
    pub kind: IncidentKind,
    /// What to do about it: the worse of what it is by itself and of its services.
    pub verdict: Verdict,
    /// The first act.
    pub from: Stamp,
    /// The last act.
    pub to: Stamp,
    /// Who, where the logs agree on one.
    pub actor: Option<Subject>,
    /// The address the actor's session came from, where a logon tells.
    pub address: Option<String>,
    /// How many acts.
    pub count: usize,
    /// The services concerned, by name.
    pub services: Vec<String>,
    /// What happened, in one sentence.
    pub sentence: String,
    /// Where to look; the first ones where there are many.
    pub citations: Vec<Citation>,
}

impl IncidentReport {
    pub(super) fn new(incident: &Incident, verdict: Verdict) -> Self {
        Self {
            kind: incident.kind,
            verdict,
            from: Stamp(incident.from),
            to: Stamp(incident.to),
            actor: incident.actor.clone(),
            address: incident.address.clone(),
            count: incident.count,
            services: incident.services.clone(),
            sentence: incident.sentence.clone(),
            citations: incident.citations.clone(),
        }
    }
}
