//! What Sigma rules heard in the logs of a host, and where they heard nothing because there was nothing to hear.

use std::collections::BTreeSet;

use super::Reading;
use super::sigma::{Hit, Rules};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::Evidence;
use crate::host::{Fact, Origin, Span, State};
use crate::text::fold;

/// What rules heard in one log.
#[derive(Debug, Default)]
pub(super) struct Heard {
    hits: Vec<Hit>,
    remarks: Vec<String>,
    /// The channels of its records, folded.
    channels: BTreeSet<String>,
}

impl Heard {
    pub(super) fn new<'c>(
        (hits, remarks): (Vec<Hit>, Vec<String>),
        channels: impl Iterator<Item = &'c String>,
    ) -> Self {
        Self { hits, remarks, channels: channels.map(|channel| fold(channel)).collect() }
    }
}

/// Puts what was heard in all logs together: hits become facts, and the coverage says which channels kept silent.
pub(super) fn conclude(
    heard: Vec<Heard>,
    rules: &Rules,
    evidence: &dyn Evidence,
    reading: &mut Reading,
) {
    if rules.is_empty() {
        return;
    }
    let (mut hits, mut remarks, mut channels) = (Vec::new(), Vec::new(), BTreeSet::new());
    for one in heard {
        hits.extend(one.hits);
        remarks.extend(one.remarks);
        channels.extend(one.channels);
    }
    let (found, more) = rules.conclude(hits);
    reading.facts.extend(found.into_iter().map(|hit| Fact::RuleHit(Box::new(hit))));
    remarks.extend(more);
    let artifact = evidence.describe().path.clone();
    reading.diagnostics.extend(remarks.into_iter().map(|message| Diagnostic {
        artifact: artifact.clone(),
        impact: Impact::Note,
        message,
    }));
    let notes: Vec<String> = rules
        .deaf(&channels)
        .into_iter()
        .map(|(names, count)| match count {
            1 => format!("1 rule listens to {names}, and there are no records of it"),
            _ => format!("{count} rules listen to {names}, and there are no records of it"),
        })
        .collect();
    let state = match (notes.is_empty(), rules.set().not_loaded.is_empty()) {
        (true, true) => State::Complete,
        _ => State::Partial,
    };
    reading.coverage.record(Origin::SigmaRules, Span { state, from: None, to: None, notes });
}
