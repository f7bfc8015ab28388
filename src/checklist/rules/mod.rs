//! Hits of Sigma rules (X): one question a level, asked only where rules were given.
//!
//! The weights are those of a stranger's word. Rules of one set differ widely in how often they fire on ordinary hosts,
//! and their levels say how bad a true hit is, not how rare a false one.

use super::basis::RULES;
use super::story::clip;
use super::{Family, Hit, Indicator, Question, Scope};
use crate::host::RuleHit;
use crate::host::rule_hit::RuleLevel;
use crate::time::format_short;

mod level;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] =
    &[level::CRITICAL, level::HIGH, level::MEDIUM, level::LOW];

/// Citations of one finding.
const MOST_CITED: usize = 5;

/// What rules of one level found on the service.
fn found(scope: &Scope<'_>, level: RuleLevel) -> Option<Hit> {
    let hits = scope.service.rule_hits.iter().filter_map(|at| scope.host.rule_hits.get(*at));
    let hits: Vec<&RuleHit> = hits.filter(|hit| hit.rule.level == level).collect();
    let (first, others) = hits.split_first()?;
    let more = match others.len() {
        0 => String::new(),
        1 => "; 1 more hit of this level".to_owned(),
        count => format!("; {count} more hits of this level"),
    };
    let mut because =
        Hit::new(format!("{}{more}.", sentence(first)), first.citations.first()?.clone());
    let citations = hits.iter().flat_map(|hit| &hit.citations);
    for citation in citations.take(MOST_CITED) {
        because = because.and(citation.clone());
    }
    Some(because)
}

/// The rule with its author, as its licence asks, and what it fired on.
fn sentence(hit: &RuleHit) -> String {
    let rule = &hit.rule;
    let author = rule.author.as_deref().unwrap_or("author not named");
    let id = rule.id.as_deref().map(|id| format!("id {id}, ")).unwrap_or_default();
    let said = telling(hit).map(|(name, value)| format!(" on {name} `{}`", clip(value)));
    format!(
        "At {} the Sigma rule \u{201c}{}\u{201d} ({}; {id}level {}, {}) fired{}",
        format_short(hit.time),
        clip(&rule.title),
        clip(author),
        rule.level.label(),
        rule.file,
        said.unwrap_or_default()
    )
}

/// The field that tells most about what happened.
fn telling(hit: &RuleHit) -> Option<&(String, String)> {
    const MOST: &[&str] = &[
        "CommandLine",
        "ProcessCommandLine",
        "TargetObject",
        "ObjectName",
        "ImagePath",
        "ServiceFileName",
        "ScriptBlockText",
        "HostApplication",
        "Image",
        "NewProcessName",
    ];
    let named =
        |name: &&'static str| hit.fields.iter().find(|(field, _)| field.eq_ignore_ascii_case(name));
    MOST.iter().find_map(named).or_else(|| hit.fields.first())
}
