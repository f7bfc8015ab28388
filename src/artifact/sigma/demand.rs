//! What a rule's detections ask of records: the event ids without which it cannot fire, and the fields it looks at.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use rsigma_parser::{
    ConditionExpr, Detection, DetectionItem, Detections, Modifier, Quantifier, SigmaValue,
};

/// How deep conditions and detections may nest; the deepest rule in use has 6.
pub(super) const DEEPEST: usize = 40;
const EVENT_ID: &str = "eventid";

/// The event ids without which no condition of the rule can hold; `None` where it may hold for any.
pub(super) fn event_ids(detections: &Detections) -> Option<BTreeSet<u16>> {
    let conditions = detections.conditions.iter();
    union(conditions.map(|condition| of_condition(condition, detections)))
}

/// All must be known for the sum to be.
fn union(parts: impl Iterator<Item = Option<BTreeSet<u16>>>) -> Option<BTreeSet<u16>> {
    parts.into_iter().try_fold(BTreeSet::new(), |mut sum, part| {
        sum.extend(part?);
        Some(sum)
    })
}

/// One that is known is enough; of several the smallest serves best.
fn narrowest(parts: impl Iterator<Item = Option<BTreeSet<u16>>>) -> Option<BTreeSet<u16>> {
    parts.flatten().min_by_key(BTreeSet::len)
}

fn of_condition(condition: &ConditionExpr, detections: &Detections) -> Option<BTreeSet<u16>> {
    let parts = |list: &[ConditionExpr]| {
        list.iter().map(|one| of_condition(one, detections)).collect::<Vec<_>>()
    };
    match condition {
        ConditionExpr::And(list) => narrowest(parts(list).into_iter()),
        ConditionExpr::Or(list) => union(parts(list).into_iter()),
        ConditionExpr::Not(_) => None,
        ConditionExpr::Identifier(name) => of_detection(detections.named.get(name)?),
        ConditionExpr::Selector { quantifier, pattern } => {
            let selects = |name: &str| pattern.matches_detection_name(name);
            let named = detections.named.iter().filter(|(name, _)| selects(name));
            let parts = named.map(|(_, detection)| of_detection(detection));
            match quantifier {
                Quantifier::All => narrowest(parts),
                Quantifier::Any | Quantifier::Count(_) => union(parts),
            }
        }
    }
}

fn of_detection(detection: &Detection) -> Option<BTreeSet<u16>> {
    match detection {
        Detection::AllOf(items) => narrowest(items.iter().map(of_item)),
        Detection::AnyOf(list) => union(list.iter().map(of_detection)),
        Detection::And(list) => narrowest(list.iter().map(of_detection)),
        Detection::Keywords(_) | Detection::ArrayMatch { .. } | Detection::Conditional { .. } => {
            None
        }
    }
}

fn of_item(item: &DetectionItem) -> Option<BTreeSet<u16>> {
    let name = item.field.name.as_deref()?;
    if !name.eq_ignore_ascii_case(EVENT_ID) || !item.field.modifiers.is_empty() {
        return None;
    }
    let id = |value: &SigmaValue| match value {
        SigmaValue::Integer(id) => u16::try_from(*id).ok(),
        SigmaValue::String(text) if text.is_plain() => text.original.trim().parse().ok(),
        _ => None,
    };
    item.values.iter().map(id).collect()
}

/// Writes every field name in lower case, since records are looked up without case; tells each with the name as written.
#[expect(
    clippy::iter_over_hash_type,
    reason = "the names are sorted, and each is written for itself"
)]
pub(super) fn fields(detections: &mut Detections) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for detection in detections.named.values_mut() {
        lower(detection, &mut names);
    }
    names
}

/// Of several spellings the first in order counts, whatever order a map has.
fn note(names: &mut BTreeMap<String, String>, name: &str, written: String) {
    let known = names.entry(name.to_owned()).or_insert_with(|| written.clone());
    if written < *known {
        *known = written;
    }
}

/// Detections in the order of their names, so that of several obstacles the same one is always told.
fn in_order(named: &HashMap<String, Detection>) -> impl Iterator<Item = &Detection> {
    let sorted: BTreeMap<&String, &Detection> = named.iter().collect();
    sorted.into_values()
}

#[expect(
    clippy::iter_over_hash_type,
    reason = "the names are sorted, and each is written for itself"
)]
fn lower(detection: &mut Detection, names: &mut BTreeMap<String, String>) {
    match detection {
        Detection::AllOf(items) => {
            for item in items {
                if let Some(name) = &mut item.field.name {
                    let written = name.clone();
                    name.make_ascii_lowercase();
                    note(names, name, written);
                }
            }
        }
        Detection::AnyOf(list) | Detection::And(list) => {
            for one in list {
                lower(one, names);
            }
        }
        Detection::ArrayMatch { field, body, .. } => {
            let written = field.clone();
            field.make_ascii_lowercase();
            note(names, field, written);
            lower(body, names);
        }
        Detection::Conditional { named, .. } => {
            for one in named.values_mut() {
                lower(one, names);
            }
        }
        Detection::Keywords(_) => {}
    }
}

/// Why a rule's detections cannot be run, however well they are written.
pub(super) fn obstacle(detections: &Detections) -> Option<String> {
    if detections.conditions.iter().any(|condition| depth(condition) > DEEPEST) {
        return Some(format!("its condition nests deeper than {DEEPEST} levels"));
    }
    let mut budget = Budget::default();
    for detection in in_order(&detections.named) {
        if let Err(reason) = budget.spend(detection, 0) {
            return Some(reason);
        }
    }
    None
}

pub(super) fn depth(condition: &ConditionExpr) -> usize {
    let deepest = match condition {
        ConditionExpr::And(list) | ConditionExpr::Or(list) => list.iter().map(depth).max(),
        ConditionExpr::Not(one) => Some(depth(one)),
        ConditionExpr::Identifier(_) | ConditionExpr::Selector { .. } => None,
    };
    deepest.unwrap_or(0).saturating_add(1)
}

/// What one rule may cost: compiled regular expressions are the only part of a rule that can grow out of proportion.
#[derive(Default)]
struct Budget {
    regexes: usize,
    values: usize,
}

/// Regular expressions of one rule; the largest rule in use has 26.
const MOST_REGEXES: usize = 64;
/// Values of one rule; lists of hashes reach some thousands.
const MOST_VALUES: usize = 50_000;
/// Bytes of one compiled regular expression.
const LARGEST_REGEX: usize = 4 << 20;

impl Budget {
    fn spend(&mut self, detection: &Detection, level: usize) -> Result<(), String> {
        if level > DEEPEST {
            return Err(format!("its detections nest deeper than {DEEPEST} levels"));
        }
        let next = level.saturating_add(1);
        match detection {
            Detection::AllOf(items) => items.iter().try_for_each(|item| self.item(item)),
            Detection::AnyOf(list) | Detection::And(list) => {
                list.iter().try_for_each(|one| self.spend(one, next))
            }
            Detection::Keywords(values) => self.count(values.len()),
            Detection::ArrayMatch { body, .. } => self.spend(body, next),
            Detection::Conditional { named, condition } => {
                if depth(condition) > DEEPEST {
                    return Err(format!("its condition nests deeper than {DEEPEST} levels"));
                }
                in_order(named).try_for_each(|one| self.spend(one, next))
            }
        }
    }

    fn count(&mut self, values: usize) -> Result<(), String> {
        self.values = self.values.saturating_add(values);
        match self.values {
            0..=MOST_VALUES => Ok(()),
            _ => Err(format!("it has more than {MOST_VALUES} values")),
        }
    }

    fn item(&mut self, item: &DetectionItem) -> Result<(), String> {
        self.count(item.values.len())?;
        if item.field.has_modifier(Modifier::Expand) {
            return Err(
                "it has a placeholder (expand), and nothing says what it stands for".to_owned()
            );
        }
        if !item.field.has_modifier(Modifier::Re) {
            return Ok(());
        }
        self.regexes = self.regexes.saturating_add(item.values.len());
        if self.regexes > MOST_REGEXES {
            return Err(format!("it has more than {MOST_REGEXES} regular expressions"));
        }
        for value in &item.values {
            let SigmaValue::String(text) = value else { continue };
            let built = regex::RegexBuilder::new(&text.original).size_limit(LARGEST_REGEX).build();
            if let Err(error) = built {
                let reason = match error {
                    regex::Error::CompiledTooBig(_) => "grows too large".to_owned(),
                    other => last_line(&other.to_string()),
                };
                return Err(format!("a regular expression: {reason}"));
            }
        }
        Ok(())
    }
}

/// The parser of regular expressions quotes the whole expression first and says last what is wrong.
pub(super) fn last_line(text: &str) -> String {
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default().trim().to_owned()
}
