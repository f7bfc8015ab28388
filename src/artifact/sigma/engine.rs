//! The rule engine, and as much of it as is used: rules that listen to the same records share one.

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rsigma_eval::{CompiledRule, Engine, compile_rule};
use rsigma_parser::{FilterRule, SigmaRule};

use super::demand::last_line;
use super::field::Fields;
use super::source::Listen;
use crate::artifact::event_log::Record;
use crate::text::same_name;

/// Rules that listen to the same records.
pub(super) struct Group {
    pub(super) listens: Vec<Listen>,
    /// How many rules there are.
    pub(super) rules: usize,
    engine: Engine,
}

/// A rule ready to run; it carries its number for an id.
pub(super) struct Compiled(CompiledRule);

impl Compiled {
    /// Compiles a rule, whose id from now on is its number.
    pub(super) fn new(mut rule: SigmaRule, number: usize) -> Result<Self, String> {
        rule.id = Some(number.to_string());
        // Attributes can make the engine keep whole events; nothing here asks for them.
        rule.custom_attributes.clear();
        guarded(|| compile_rule(&rule))?.map(Self).map_err(|error| last_line(&error.to_string()))
    }
}

/// The fuse around the engine: a panic over a hostile rule or record costs that rule or record.
pub(super) fn guarded<T>(run: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(run)).map_err(|panic| {
        format!("the rule engine failed, a fault of this program: {}", words(panic.as_ref()))
    })
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

impl Group {
    /// A group of rules; filters whose rules are not among them change nothing.
    pub(super) fn new(listens: Vec<Listen>, rules: Vec<Compiled>) -> Result<Self, String> {
        let count = rules.len();
        let engine = guarded(|| {
            let mut engine = Engine::new();
            engine.extend_compiled_rules(rules.into_iter().map(|Compiled(rule)| rule));
            engine
        })?;
        Ok(Self { listens, rules: count, engine })
    }

    /// Excludes what a filter names from the rules it names, by their numbers.
    pub(super) fn filter(&mut self, filter: &FilterRule) -> Result<(), String> {
        let applied = guarded(|| self.engine.apply_filter(filter))?;
        applied.map_err(|error| last_line(&error.to_string()))
    }

    /// The channels that the rules name, once each.
    pub(super) fn channels(&self) -> BTreeSet<&'static str> {
        self.listens.iter().filter_map(|listen| listen.channel).collect()
    }

    /// Whether the rules listen to such a record, as far as channel and id tell.
    pub(super) fn may_hear(&self, record: &Record) -> bool {
        self.listens.iter().any(|listen| listen.hears(record))
    }

    /// The numbers of the rules that fire on a record, in ascending order.
    pub(super) fn fires(&self, record: &Record, fields: &Fields<'_>) -> Result<Vec<usize>, String> {
        let is_meant = |listen: &Listen| {
            listen.hears(record)
                && listen.only.is_none_or(|(name, values)| fields.says(name, values))
        };
        if !self.listens.iter().any(is_meant) {
            return Ok(Vec::new());
        }
        let found = guarded(|| self.engine.evaluate(fields))?;
        let number = |id: &Option<String>| id.as_deref()?.parse().ok();
        let mut numbers: Vec<usize> =
            found.iter().filter_map(|one| number(&one.header.rule_id)).collect();
        numbers.sort_unstable();
        numbers.dedup();
        Ok(numbers)
    }
}

impl Listen {
    fn hears(&self, record: &Record) -> bool {
        (self.ids.is_empty() || self.ids.contains(&record.event_id))
            && self.channel.is_none_or(|channel| same_name(channel, &record.channel))
    }
}
