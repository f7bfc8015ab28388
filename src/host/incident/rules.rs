//! Hits of Sigma rules that concern no service, one incident a rule.

use std::collections::BTreeMap;

use super::{Gravity, Incident, IncidentKind, cited, plural};
use crate::host::rule_hit::{Rule, RuleLevel, unattached};
use crate::host::{Host, RuleHit};
use crate::time::format_short;

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let mut by_rule: BTreeMap<&Rule, Vec<&RuleHit>> = BTreeMap::new();
    for hit in unattached(host).into_iter().filter_map(|at| host.rule_hits.get(at)) {
        by_rule.entry(&hit.rule).or_default().push(hit);
    }
    by_rule.into_iter().filter_map(|(rule, hits)| incident(rule, &hits)).collect()
}

fn incident(rule: &Rule, hits: &[&RuleHit]) -> Option<Incident> {
    let (first, last) = (hits.first()?, hits.last()?);
    let author = rule.author.as_deref().map(|author| format!(" by {author}")).unwrap_or_default();
    let sentence = format!(
        "Sigma rule \"{}\"{author} hit {} that concern no service, first at {}",
        rule.title,
        plural(hits.len(), "time"),
        format_short(first.time)
    );
    Some(Incident {
        kind: IncidentKind::RuleHits,
        gravity: gravity(rule.level)?,
        from: first.time,
        to: last.time,
        actor: None,
        address: None,
        count: hits.len(),
        services: Vec::new(),
        sentence,
        citations: cited(hits.iter().flat_map(|hit| hit.citations.iter().cloned())),
    })
}

/// What the levels ask for (Sigma specification 2.1): `critical` to act, `high` to review promptly, `medium` to review by
/// hand where there is time, which is a note; `low` and `informational` are told among the hits alone.
const fn gravity(level: RuleLevel) -> Option<Gravity> {
    match level {
        RuleLevel::Critical => Some(Gravity::Severe),
        RuleLevel::High => Some(Gravity::Suspicious),
        RuleLevel::Medium => Some(Gravity::Unusual),
        RuleLevel::Low | RuleLevel::Informational => None,
    }
}
