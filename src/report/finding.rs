//! A yes in the report, with its decibans, techniques and witnesses; and a question that stayed open.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::checklist::{Family, Indicator, Lack, Question, Technique};
use crate::host::Citation;
use crate::host::coverage::{Origin, State};
use crate::rank::{Finding, Reduction};

/// A yes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FindingReport {
    /// The indicator.
    pub id: String,
    /// Its part of the score.
    pub family: Family,
    /// Which of the five questions it belongs to.
    pub question: Question,
    /// What it adds to the score, in decibans: negative for what speaks for the service.
    pub decibans: i32,
    /// Its full weight in decibans.
    pub weight: i32,
    /// Why it counts less than its weight; absent where it counts in full.
    #[serde(default)]
    pub reduced: Option<Reduction>,
    /// Whether it keeps the score at or above the floor.
    pub hard: bool,
    /// Why, in one sentence with the value it is about.
    pub because: String,
    /// Techniques of ATT&CK.
    pub attack: Vec<TechniqueReport>,
    /// Where to look.
    pub citations: Vec<Citation>,
}

/// An ATT&CK technique in both numberings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct TechniqueReport {
    /// The id up to ATT&CK v18.
    pub v18: String,
    /// The id from v19 on.
    pub v19: String,
}

/// The indicators that one silence leaves without an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unanswered {
    /// Whose silence it is.
    pub origin: Origin,
    /// In which state that origin is.
    pub state: State,
    /// The indicators, in the order of the checklist.
    pub indicators: Vec<String>,
}

impl FindingReport {
    pub(super) fn new(finding: &Finding) -> Self {
        let indicator = finding.indicator;
        Self {
            id: indicator.id.to_owned(),
            family: indicator.family,
            question: indicator.checklist,
            decibans: finding.contribution,
            weight: finding.weight,
            reduced: finding.reduction(),
            hard: indicator.hard,
            because: finding.hit.because.clone(),
            attack: indicator.attack.iter().copied().map(TechniqueReport::new).collect(),
            citations: finding.hit.citations.clone(),
        }
    }
}

impl FindingReport {
    /// `-35 dB before the limit of trust`: its full weight, and why not all of it counts; absent where all does.
    pub(super) fn full_weight(&self) -> Option<String> {
        let before = match self.reduced? {
            Reduction::Decay => format!("decay in family {:?}", self.family),
            Reduction::LimitOfTrust => "the limit of trust".to_owned(),
        };
        Some(format!("{:+} dB before {before}", self.weight))
    }
}

/// What trust could not take back, in a sentence; absent where all of it counts.
pub(super) fn held_back(against: &[FindingReport]) -> Option<String> {
    let limited = against.iter().filter(|one| one.reduced == Some(Reduction::LimitOfTrust));
    let rest: i32 =
        limited.map(|one| one.decibans.saturating_sub(one.weight)).fold(0, i32::saturating_add);
    (rest > 0).then(|| {
        format!(
            "{rest} dB of trust do not count: it vouches for the name, the program and the time of the key, and takes \
             back no more than these added; what other families found stands"
        )
    })
}

impl TechniqueReport {
    pub(super) fn new(technique: Technique) -> Self {
        Self { v18: technique.v18.to_owned(), v19: technique.v19.to_owned() }
    }

    /// `T1685`, or `T1685 (T1562.001 up to v18)` where it was renumbered.
    pub fn label(&self) -> String {
        if self.v18 == self.v19 {
            self.v19.clone()
        } else {
            format!("{} ({} up to v18)", self.v19, self.v18)
        }
    }
}

impl Unanswered {
    /// The open questions, gathered by who kept silent.
    pub(super) fn by_silence(unknown: &[(&'static Indicator, Lack)]) -> Vec<Self> {
        let mut silences: BTreeMap<(Origin, State), Vec<String>> = BTreeMap::new();
        for (indicator, lack) in unknown {
            silences.entry((lack.origin, lack.state)).or_default().push(indicator.id.to_owned());
        }
        silences
            .into_iter()
            .map(|((origin, state), indicators)| Self { origin, state, indicators })
            .collect()
    }
}
