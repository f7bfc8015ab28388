//! Hits of all logs into one order, and correlation rules over them.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use rsigma_eval::{
    CorrelationAction, CorrelationConfig, CorrelationEngine, CorrelationEventMode,
    EvaluationResult, Event, EventValue, MatchDetailLevel,
};
use rsigma_eval::{DetectionBody, ResultBody, RuleHeader};
use rsigma_parser::{ConditionExpr, CorrelationCondition, CorrelationRule};

use super::Rules;
use super::demand::last_line;
use super::engine::guarded;
use super::hit::Hit;
use crate::host::rule_hit::Rule;
use crate::host::{Citation, RuleHit};

/// A correlation rule; its references and its own id are numbers: those of rules, and after them those of correlations.
pub(super) struct Correlation {
    pub(super) rule: Arc<Rule>,
    pub(super) definition: CorrelationRule,
}

impl Correlation {
    /// Whether the engine takes it.
    pub(super) fn check(&self) -> Result<(), String> {
        let mut engine = CorrelationEngine::new(CorrelationConfig::default());
        let added = guarded(|| engine.add_correlation(&self.definition))?;
        added.map_err(|error| last_line(&error.to_string()))
    }

    /// The numbers of the rules and correlations it refers to.
    pub(super) fn refers(&self) -> impl Iterator<Item = usize> {
        self.definition.rules.iter().filter_map(|one| one.parse().ok())
    }
}

/// Records cited for one correlation: the last ones.
const MOST_CITED: usize = 50;
/// Entries of one group within its window.
const MOST_IN_A_GROUP: usize = 100_000;
/// Hits handed to correlations, each counted once for every correlation: beyond, their state would grow without bound.
const MOST_STEPS: usize = 2_000_000;
/// Hits of correlations that are kept.
const MOST_FOUND: usize = 10_000;

impl Rules {
    /// Puts the hits of all logs of a host in order of time, each record once, runs the correlations over them and
    /// tells what was found; and what the reader should know about it.
    pub(crate) fn conclude(&self, mut hits: Vec<Hit>) -> (Vec<RuleHit>, Vec<String>) {
        hits.sort_by(Hit::order);
        let mut kept: Vec<Hit> = Vec::with_capacity(hits.len());
        for hit in hits {
            let same =
                kept.iter().rev().take_while(|one| one.time == hit.time && one.rule == hit.rule);
            if !same.into_iter().any(|one| hit.repeats(one)) {
                kept.push(hit);
            }
        }
        let (mut found, remarks) = self.correlate(&kept);
        found.extend(kept.into_iter().filter_map(|hit| self.told(hit)));
        found.sort_by(|left, right| {
            let key = |hit: &RuleHit| (hit.time, Arc::clone(&hit.rule));
            key(left).cmp(&key(right)).then_with(|| left.citations.cmp(&right.citations))
        });
        (found, remarks)
    }

    /// The hit of a rule that speaks for itself.
    fn told(&self, hit: Hit) -> Option<RuleHit> {
        let loaded = self.loaded.get(hit.rule).filter(|loaded| !loaded.is_silent)?;
        Some(RuleHit {
            rule: Arc::clone(&loaded.rule),
            time: hit.time,
            computer: hit.computer,
            citations: vec![hit.citation],
            fields: hit.fields,
        })
    }

    fn correlate(&self, hits: &[Hit]) -> (Vec<RuleHit>, Vec<String>) {
        let mut found = Vec::new();
        let mut remarks = Vec::new();
        if self.correlations.is_empty() {
            return (found, remarks);
        }
        let mut engine = match self.engine() {
            Ok(engine) => engine,
            Err(reason) => return (found, vec![reason]),
        };
        let mut steps = 0_usize;
        for (number, hit) in hits.iter().enumerate() {
            steps = steps.saturating_add(self.correlations.len());
            if steps > MOST_STEPS || found.len() >= MOST_FOUND {
                let left = hits.len().saturating_sub(number);
                remarks.push(format!("Sigma correlations did not look at the last {left} hits"));
                break;
            }
            let event = Step { number, hit };
            let detection = vec![detection(hit.rule)];
            let second = hit.time.as_second();
            let stepped = guarded(|| engine.process_with_detections(&event, detection, second));
            match stepped {
                Ok(results) => self.take(&results, hit, hits, &mut found),
                Err(reason) => {
                    remarks.push(reason);
                    break;
                }
            }
        }
        (found, remarks)
    }

    fn engine(&self) -> Result<CorrelationEngine, String> {
        let mut engine = CorrelationEngine::new(CorrelationConfig {
            // A threshold that was passed must be reached anew; else every further record is a hit of its own.
            action_on_match: CorrelationAction::Reset,
            correlation_event_mode: CorrelationEventMode::Refs,
            max_correlation_events: MOST_CITED,
            max_group_entries: Some(MOST_IN_A_GROUP),
            // Eviction takes entries in no fixed order; `MOST_STEPS` bounds the state instead.
            max_state_entries: usize::MAX,
            ..CorrelationConfig::default()
        });
        engine.set_match_detail(MatchDetailLevel::Off);
        for correlation in self.correlations.values() {
            engine
                .add_correlation(&correlation.definition)
                .map_err(|error| format!("{}: {error}", correlation.rule.title))?;
        }
        Ok(engine)
    }

    /// What one step found. A correlation of correlations cites what those that fired with it cite.
    fn take(
        &self,
        results: &[EvaluationResult],
        hit: &Hit,
        hits: &[Hit],
        found: &mut Vec<RuleHit>,
    ) {
        let mut cited: BTreeSet<usize> = BTreeSet::new();
        for result in results {
            let Some(body) = result.as_correlation() else { continue };
            let number = result.header.rule_id.as_deref().and_then(|id| id.parse::<usize>().ok());
            let Some(correlation) = number.and_then(|number| self.correlations.get(&number)) else {
                continue;
            };
            let refs = body.event_refs.iter().flatten();
            let own: BTreeSet<usize> =
                refs.filter_map(|one| one.id.as_deref()?.parse().ok()).collect();
            cited.extend(&own);
            let numbers = if own.is_empty() { &cited } else { &own };
            let mut citations: Vec<Citation> =
                numbers.iter().filter_map(|one| Some(hits.get(*one)?.citation.clone())).collect();
            if citations.is_empty() {
                citations.push(hit.citation.clone());
            }
            let mut fields = body.group_key.clone();
            fields.extend(hit.fields.iter().cloned());
            found.push(RuleHit {
                rule: Arc::clone(&correlation.rule),
                time: hit.time,
                computer: hit.computer.clone(),
                citations,
                fields,
            });
        }
    }
}

/// The result that the engine expects of a detection: only its id is looked at.
fn detection(rule: usize) -> EvaluationResult {
    EvaluationResult {
        header: RuleHeader {
            rule_title: String::new(),
            rule_id: Some(rule.to_string()),
            level: None,
            tags: Vec::new(),
            custom_attributes: Arc::new(HashMap::new()),
            enrichments: None,
        },
        body: ResultBody::Detection(DetectionBody {
            matched_selections: Vec::new(),
            matched_fields: Vec::new(),
            event: None,
        }),
    }
}

/// A hit as an event: what was kept of its record.
struct Step<'h> {
    number: usize,
    hit: &'h Hit,
}

impl Event for Step<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        let mut kept = self.hit.kept.iter();
        let (_, value) = kept.find(|(name, _)| name.eq_ignore_ascii_case(path))?;
        Some(EventValue::Str(Cow::Borrowed(value)))
    }

    fn any_string_value(&self, _pred: &dyn Fn(&str) -> bool) -> bool {
        false
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        Vec::new()
    }

    /// Asked for to refer to it later.
    fn to_json(&self) -> serde_json::Value {
        serde_json::json!({ "id": self.number.to_string() })
    }
}

/// The fields that correlations need of the hits of each rule, by the rule's number.
pub(super) fn needs<'c>(
    correlations: impl Iterator<Item = &'c Correlation>,
) -> BTreeMap<usize, BTreeSet<String>> {
    let mut needs: BTreeMap<usize, BTreeSet<String>> = BTreeMap::new();
    for Correlation { definition, .. } in correlations {
        let counted = match &definition.condition {
            CorrelationCondition::Threshold { field, .. } => field.clone().unwrap_or_default(),
            CorrelationCondition::Extended(_) => Vec::new(),
        };
        for reference in &definition.rules {
            let Ok(number) = reference.parse::<usize>() else { continue };
            let kept = needs.entry(number).or_default();
            let aliased = definition.aliases.iter().filter_map(|one| one.mapping.get(reference));
            let names = definition.group_by.iter().chain(&counted).chain(aliased);
            kept.extend(names.map(|name| name.to_ascii_lowercase()));
        }
    }
    needs
}

/// Replaces every reference to a rule by its number.
///
/// # Errors
/// The first reference that nothing answers to.
pub(super) fn resolve(
    definition: &mut CorrelationRule,
    numbers: &BTreeMap<String, usize>,
) -> Result<(), String> {
    let number = |name: &String| {
        let number = numbers.get(name.as_str()).ok_or_else(|| name.clone())?;
        Ok::<String, String>(number.to_string())
    };
    definition.rules = definition.rules.iter().map(number).collect::<Result<_, _>>()?;
    for alias in &mut definition.aliases {
        let mapping = std::mem::take(&mut alias.mapping);
        alias.mapping = mapping
            .into_iter()
            .map(|(name, field)| Ok((number(&name)?, field)))
            .collect::<Result<_, String>>()?;
    }
    if let CorrelationCondition::Extended(condition) = &mut definition.condition {
        rename(condition, numbers)?;
    }
    Ok(())
}

fn rename(condition: &mut ConditionExpr, numbers: &BTreeMap<String, usize>) -> Result<(), String> {
    match condition {
        ConditionExpr::And(list) | ConditionExpr::Or(list) => {
            list.iter_mut().try_for_each(|one| rename(one, numbers))
        }
        ConditionExpr::Not(one) => rename(one, numbers),
        ConditionExpr::Identifier(name) => {
            let number = numbers.get(name.as_str()).ok_or_else(|| name.clone())?;
            *name = number.to_string();
            Ok(())
        }
        ConditionExpr::Selector { .. } => Ok(()),
    }
}

/// Which of them refer to themselves, directly or through others, or to one that does.
pub(super) fn circular<D>(open: &BTreeMap<usize, (D, Correlation)>) -> BTreeSet<usize> {
    let refers = |correlation: &Correlation| {
        correlation.refers().filter(|number| open.contains_key(number)).collect()
    };
    let mut left: BTreeMap<usize, BTreeSet<usize>> =
        open.iter().map(|(number, (_, correlation))| (*number, refers(correlation))).collect();
    loop {
        let done: BTreeSet<usize> =
            left.iter().filter(|(_, refers)| refers.is_empty()).map(|(at, _)| *at).collect();
        if done.is_empty() {
            return left.into_keys().collect();
        }
        left.retain(|at, _| !done.contains(at));
        for refers in left.values_mut() {
            refers.retain(|at| !done.contains(at));
        }
    }
}
