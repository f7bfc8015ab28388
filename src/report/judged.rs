//! What the analyst changed about the judging, in one line: nobody should read a score without it.

use serde::{Deserialize, Serialize};

use super::layout::plural;
use super::{Settings, SuppressionList};
use crate::checklist::own::Own;
use crate::checklist::{self, Family};

/// Weights told one by one.
const WEIGHTS_SHOWN: usize = 8;

/// Own indicators told one by one.
const OWN_SHOWN: usize = 8;

/// The line, where anything was changed. It quotes the analyst's files: it passes the sink of its format like evidence.
pub(super) fn in_a_line(settings: &Settings) -> Option<String> {
    let mut parts = Vec::new();
    if !settings.weights.is_empty() {
        parts.push(format!("changed weights: {}", weights(settings)));
    }
    if !settings.ignored.is_empty() {
        let ids: Vec<&str> = settings.ignored.iter().map(String::as_str).collect();
        parts.push(format!("without {}", ids.join(", ")));
    }
    if !settings.own_indicators.is_empty() {
        let ids = settings.own_indicators.iter().take(OWN_SHOWN).map(|one| one.id.as_str());
        let more = settings.own_indicators.len().saturating_sub(OWN_SHOWN);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        parts.push(format!("own indicators {}{more}", ids.collect::<Vec<_>>().join(", ")));
    }
    if !settings.suppress.is_empty() {
        let told = |list: &SuppressionList| {
            let entries = if list.entries == 1 { "entry" } else { "entries" };
            format!("{} ({} {entries})", list.file, list.entries)
        };
        let lists: Vec<String> = settings.suppress.iter().map(told).collect();
        parts.push(format!("suppressions of {}", lists.join(", ")));
    }
    (!parts.is_empty()).then(|| format!("judged with {}", parts.join("; ")))
}

/// `P06 0 (was +8: our vendor quotes nothing), N04 +4 (was +10)`.
fn weights(settings: &Settings) -> String {
    let told = |(id, decibans): (&String, &i16)| {
        let own = settings.own(id).map(|one| one.weight);
        let was = own.or_else(|| checklist::indicator(id).map(|one| one.weight));
        let was = was.map(|was| format!("was {was:+}"));
        let why = settings.weight_reasons.get(id).cloned();
        let remarks: Vec<String> = was.into_iter().chain(why).collect();
        let remarks = match remarks.as_slice() {
            [] => String::new(),
            some => format!(" ({})", some.join(": ")),
        };
        format!("{id} {decibans:+}{remarks}")
    };
    let mut words: Vec<String> = settings.weights.iter().take(WEIGHTS_SHOWN).map(told).collect();
    let more = settings.weights.len().saturating_sub(WEIGHTS_SHOWN);
    if more > 0 {
        words.push(format!("and {}", plural(more, "further weight")));
    }
    words.join(", ")
}

/// An indicator of the analyst's own, as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnIndicator {
    /// Its id.
    pub id: String,
    /// What it asks.
    pub question: String,
    /// Why a yes matters.
    pub why: String,
    /// How a yes can be innocent.
    pub innocent: String,
    /// How to check by hand.
    pub verify: Vec<String>,
    /// Which part of the score.
    pub family: Family,
    /// Decibans of a yes, as its file has them.
    pub weight: i16,
    /// Who wrote it.
    pub author: String,
    /// The file, as given.
    pub file: String,
    /// The line of the file, from 1.
    pub line: usize,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

impl OwnIndicator {
    fn new(own: &Own) -> Self {
        let indicator = own.indicator;
        Self {
            id: indicator.id.to_owned(),
            question: indicator.question.to_owned(),
            why: indicator.why.to_owned(),
            innocent: indicator.innocent.to_owned(),
            verify: indicator.verify.iter().map(|step| (*step).to_owned()).collect(),
            family: indicator.family,
            weight: indicator.weight,
            author: own.author.clone(),
            file: own.file.clone(),
            line: own.line,
            sha256: own.sha256.clone(),
        }
    }
}

impl Settings {
    /// With the analyst's own indicators.
    #[must_use]
    pub fn with_own(mut self, own: &[Own]) -> Self {
        let asked = own.iter().filter(|one| !self.ignored.contains(one.indicator.id)).count();
        self.indicators = self.indicators.saturating_add(asked);
        self.own_indicators = own.iter().map(OwnIndicator::new).collect();
        self
    }

    fn own(&self, id: &str) -> Option<&OwnIndicator> {
        self.own_indicators.iter().find(|one| one.id == id)
    }

    /// The question of an indicator that was asked, by its id.
    pub fn question(&self, id: &str) -> Option<&str> {
        let own = self.own(id).map(|one| one.question.as_str());
        own.or_else(|| checklist::indicator(id).map(|one| one.question))
    }

    /// How to check a finding by hand, by its indicator's id.
    pub fn verify(&self, id: &str) -> Vec<&str> {
        match self.own(id) {
            Some(own) => own.verify.iter().map(String::as_str).collect(),
            None => checklist::indicator(id).map(|one| one.verify.to_vec()).unwrap_or_default(),
        }
    }
}
