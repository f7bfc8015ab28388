//! Sigma rules over event records: the only place that names `rsigma_eval` and `rsigma_parser`.
//!
//! [`Rules::load`] compiles rules and says of each that cannot be used why; [`Rules::widen`] widens what is read to
//! what they need; a `Judge` looks at the records of one log; `Rules::conclude` puts the hits of all logs in order and
//! runs the correlations over them. The engine stays behind these four, so that another one is a local change.

mod compile;
mod correlation;
mod demand;
mod engine;
mod field;
mod hit;
mod judge;
mod load;
mod matcher;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

use super::event_log::Selection;
use crate::host::rule_hit::{Rule, RuleSet};
use crate::text::fold;
use engine::Group;
pub(super) use hit::Hit;
pub(super) use judge::{Judge, Judged};
pub use load::RuleFile;
pub use matcher::{Condition, Matcher};

/// The rules of a run, compiled.
#[derive(Default)]
pub struct Rules {
    /// What became of every rule that was given.
    set: RuleSet,
    /// The rules that run; their numbers are their places here.
    loaded: Vec<Loaded>,
    /// The rules by what they listen to.
    groups: Vec<Group>,
    /// By their numbers, which follow those of the rules.
    correlations: BTreeMap<usize, correlation::Correlation>,
}

/// A rule that runs.
struct Loaded {
    rule: Arc<Rule>,
    /// Whether only correlations hear of its hits.
    is_silent: bool,
    /// Fields that correlations group or count by, in lower case.
    kept: Vec<String>,
}

impl fmt::Debug for Rules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").field("set", &self.set).finish_non_exhaustive()
    }
}

impl Rules {
    /// Compiles the rules of these files. What cannot be used is told in [`Rules::set`], never an error.
    pub fn load(files: Vec<RuleFile>) -> Self {
        compile::compile(files)
    }

    /// What became of every rule that was given.
    pub fn set(&self) -> &RuleSet {
        &self.set
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Adds what the rules need to what is read.
    #[must_use]
    pub fn widen(&self, mut selection: Selection) -> Selection {
        for listen in self.groups.iter().flat_map(|group| &group.listens) {
            selection = match (listen.channel, listen.ids.as_slice()) {
                (Some(channel), []) => selection.channel(channel),
                (Some(channel), ids) => {
                    ids.iter().fold(selection, |selection, id| selection.event_in(*id, channel))
                }
                (None, []) => Selection::all(),
                (None, ids) => ids.iter().fold(selection, |selection, id| selection.event(*id)),
            };
        }
        selection
    }

    /// The channels that rules listen to in vain, where there are records of `heard` only (folded names), with the number
    /// of these rules. A rule that listens to several channels needs one of them.
    pub(super) fn deaf(&self, heard: &BTreeSet<String>) -> BTreeMap<String, usize> {
        let mut deaf: BTreeMap<String, usize> = BTreeMap::new();
        for group in &self.groups {
            let channels = group.channels();
            let is_served =
                channels.is_empty() || channels.iter().any(|name| heard.contains(&fold(name)));
            if !is_served {
                let names: Vec<&str> = channels.into_iter().collect();
                let count = deaf.entry(names.join(" or ")).or_default();
                *count = count.saturating_add(group.rules);
            }
        }
        deaf
    }
}
