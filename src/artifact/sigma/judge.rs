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

/// What the rules say of one record.
pub(crate) struct Judged {
    hits: Vec<Hit>,
    failures: Vec<String>,
}

impl Rules {
    /// Runs the rules that listen to such a record; absent where none fires. `cite` makes its citation.
    pub(crate) fn judge(&self, record: &Record, cite: impl FnOnce() -> Citation) -> Option<Judged> {
        let mut groups = self.groups.iter().filter(|group| group.may_hear(record)).peekable();
        groups.peek()?;
        let fields = Fields::of(record);
        let (mut numbers, mut failures) = (Vec::new(), Vec::new());
        for group in groups {
            match group.fires(record, &fields) {
                Ok(fired) => numbers.extend(fired),
                Err(reason) => failures.push(reason),
            }
        }
        if numbers.is_empty() && failures.is_empty() {
            return None;
        }
        numbers.sort_unstable();
        let citation = cite();
        let hit = |rule: usize| {
            let loaded = self.loaded.get(rule)?;
            Some(Hit {
                rule,
                time: record.time,
                computer: record.computer.clone(),
                citation: citation.clone(),
                fields: if loaded.is_silent { Vec::new() } else { telling(record) },
                kept: kept(loaded, &fields),
            })
        };
        Some(Judged { hits: numbers.into_iter().filter_map(hit).collect(), failures })
    }
}

/// Keeps what the rules say of one log.
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

    /// Keeps what the rules said of the next record.
    pub(crate) fn take(&mut self, judged: Option<Judged>) {
        let Some(Judged { hits, failures }) = judged else { return };
        for reason in failures {
            let (count, _) = self.failed.get_or_insert((0, reason));
            *count = count.saturating_add(1);
        }
        for hit in hits {
            self.keep(hit);
        }
    }

    fn keep(&mut self, hit: Hit) {
        let Some(loaded) = self.rules.loaded.get(hit.rule) else { return };
        let fired = self.fired.entry(hit.rule).or_default();
        *fired = fired.saturating_add(1);
        let most = if loaded.is_silent { MOST_OF_A_SILENT_RULE } else { MOST_OF_A_RULE };
        if *fired > most || self.hits.len() >= MOST {
            let dropped = self.dropped.entry(hit.rule).or_default();
            *dropped = dropped.saturating_add(1);
            return;
        }
        self.hits.push(hit);
    }

    /// The hits in the order of the log, and what the reader should know of them.
    pub(crate) fn finish(self) -> (Vec<Hit>, Vec<String>) {
        let mut remarks = Vec::new();
        for (number, dropped) in &self.dropped {
            let Some(loaded) = self.rules.loaded.get(*number) else { continue };
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
