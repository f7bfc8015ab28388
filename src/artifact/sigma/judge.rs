//! The rules over the records of one log, in the order of the log.

use std::collections::BTreeMap;

use super::field::Fields;
use super::hit::{Hit, telling};
use super::{Loaded, Rules};
use crate::artifact::event_log::Record;
use crate::host::Citation;

/// Hits of one rule in one log that are kept; rules that fire more often say little.
const MOST_OF_A_RULE: u64 = 2_000;
/// The same of a rule that only correlations hear of.
const MOST_OF_A_SILENT_RULE: u64 = 100_000;
/// Hits in one log that are kept.
const MOST: usize = 100_000;

/// Judges the records of one log.
pub(crate) struct Judge<'r> {
    rules: &'r Rules,
    hits: Vec<Hit>,
    /// How often each rule fired.
    fired: BTreeMap<usize, u64>,
    /// How many hits are not kept, by rule.
    dropped: BTreeMap<usize, u64>,
    /// Records on which the engine failed, and its first words.
    failed: Option<(u64, String)>,
}

impl<'r> Judge<'r> {
    pub(crate) fn new(rules: &'r Rules) -> Self {
        let (fired, dropped) = (BTreeMap::new(), BTreeMap::new());
        Self { rules, hits: Vec::new(), fired, dropped, failed: None }
    }

    /// Runs the rules that listen to such a record. `cite` makes its citation.
    pub(crate) fn look(&mut self, record: &Record, cite: impl FnOnce() -> Citation) {
        let mut groups = self.rules.groups.iter().filter(|group| group.may_hear(record)).peekable();
        if groups.peek().is_none() {
            return;
        }
        let fields = Fields::of(record);
        let mut numbers = Vec::new();
        for group in groups {
            match group.fires(record, &fields) {
                Ok(fired) => numbers.extend(fired),
                Err(reason) => {
                    let (count, _) = self.failed.get_or_insert((0, reason));
                    *count = count.saturating_add(1);
                }
            }
        }
        if numbers.is_empty() {
            return;
        }
        numbers.sort_unstable();
        let citation = cite();
        for number in numbers {
            self.keep(number, record, &fields, &citation);
        }
    }

    fn keep(&mut self, number: usize, record: &Record, fields: &Fields<'_>, citation: &Citation) {
        let Some(loaded) = self.rules.rules.get(number) else { return };
        let fired = self.fired.entry(number).or_default();
        *fired = fired.saturating_add(1);
        let most = if loaded.is_silent { MOST_OF_A_SILENT_RULE } else { MOST_OF_A_RULE };
        if *fired > most || self.hits.len() >= MOST {
            let dropped = self.dropped.entry(number).or_default();
            *dropped = dropped.saturating_add(1);
            return;
        }
        self.hits.push(Hit {
            rule: number,
            time: record.time,
            computer: record.computer.clone(),
            citation: citation.clone(),
            fields: if loaded.is_silent { Vec::new() } else { telling(record) },
            kept: kept(loaded, fields),
        });
    }

    /// The hits in the order of the log, and what the reader should know of them.
    pub(crate) fn finish(self) -> (Vec<Hit>, Vec<String>) {
        let mut remarks = Vec::new();
        for (number, dropped) in &self.dropped {
            let Some(loaded) = self.rules.rules.get(*number) else { continue };
            let fired = self.fired.get(number).copied().unwrap_or_default();
            remarks.push(format!(
                "the Sigma rule \"{}\" ({}) fired on {fired} records; {dropped} of these hits are not kept",
                loaded.rule.title, loaded.rule.file
            ));
        }
        if let Some((count, reason)) = self.failed {
            remarks.push(format!("Sigma rules could not be run on {count} records: {reason}"));
        }
        (self.hits, remarks)
    }
}

fn kept(loaded: &Loaded, fields: &Fields<'_>) -> Vec<(String, String)> {
    let value = |name: &String| Some((name.clone(), fields.text(name)?));
    loaded.kept.iter().filter_map(value).collect()
}
