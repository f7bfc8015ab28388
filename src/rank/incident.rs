//! What to do about an incident.

use std::collections::BTreeMap;

use super::{Ranked, Verdict};
use crate::host::Incident;
use crate::host::incident::Gravity;

/// The verdict of each incident, in their order: the worse of what it is by itself and of its services.
pub fn of_incidents(incidents: &[Incident], ranked: &[Ranked<'_>]) -> Vec<Verdict> {
    if incidents.is_empty() {
        return Vec::new();
    }
    let by_name: BTreeMap<&str, Verdict> =
        ranked.iter().map(|one| (one.service.name.as_str(), one.verdict)).collect();
    let worst = |incident: &Incident| {
        let services = incident.services.iter().filter_map(|name| by_name.get(name.as_str()));
        let of_services = services.max().copied().unwrap_or(Verdict::NotAssessed);
        of_services.max(alone(incident.gravity))
    };
    incidents.iter().map(worst).collect()
}

const fn alone(gravity: Gravity) -> Verdict {
    match gravity {
        Gravity::Theirs => Verdict::NotAssessed,
        Gravity::Unusual => Verdict::Note,
        Gravity::Suspicious => Verdict::Review,
        Gravity::Severe => Verdict::Escalate,
    }
}
