//! What the host was set up to record and to forbid, since the silence of its logs depends on it.
//!
//! [`knowledge`] has one literal per setting; artifacts find its state, and nothing here judges a service.

use serde::{Deserialize, Serialize};

use super::citation::Citation;
use super::coverage::Origin;

pub mod knowledge;

/// One setting that decides what a host can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// What is set: one id per setting, `audit_process_creation`.
    pub setting: String,
    /// The setting in words: `Audit policy: process creation (4688)`.
    pub label: String,
    /// Its state in words: `off`, `success only`, `20 MiB, overwrites the oldest`.
    pub state: String,
    /// Whether nobody set it, so that Windows' default holds.
    pub default: bool,
    /// Whether it lets the host answer.
    pub effect: Effect,
    /// What stays unseen because of it; absent where it hides nothing.
    pub unseen: Option<String>,
    /// Numbers of the checklist's questions (1 to 5) that it leaves in the dark; empty where it hides nothing.
    pub questions: Vec<u8>,
    /// How to change that: a command, or the place of a policy; absent where there is nothing to change.
    pub advice: Option<String>,
    /// The place that says so; for a default, the key whose lack of the value means it.
    pub citation: Citation,
}

/// Whether a setting lets a host answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It records what it can.
    Sees,
    /// It does so in part.
    SeesPart,
    /// It does not, so that silence means nothing.
    Blind,
    /// It forbids what it can.
    Forbids,
    /// It lets happen what it could forbid.
    Permits,
    /// Neither: a fact to know.
    Neutral,
}

impl Effect {
    /// Whether something is left unseen or allowed, so that there is something to change.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::SeesPart | Self::Blind | Self::Permits)
    }

    /// In a word or two.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sees => "records",
            Self::SeesPart => "records in part",
            Self::Blind => "does not record",
            Self::Forbids => "forbids",
            Self::Permits => "allows",
            Self::Neutral => "for information",
        }
    }
}

/// What is known of a setting, whatever its state on a host.
#[derive(Debug, Clone, Copy)]
pub struct Known {
    /// Its id: never reused.
    pub id: &'static str,
    /// In words.
    pub label: &'static str,
    /// What stays unseen, or happens, where it is not set.
    pub unseen: &'static str,
    /// Numbers of the checklist's questions (1 to 5) that suffer.
    pub questions: &'static [u8],
    /// How to set it: a command, or the place of a policy. Empty where nothing is to be advised.
    pub advice: &'static str,
    /// The records that do not come to be while it is off: the log and the event id.
    pub records: Option<(Origin, u16)>,
}

impl Known {
    /// The setting on a host.
    pub fn found(&self, state: impl Into<String>, effect: Effect, citation: Citation) -> Posture {
        let open = effect.is_open();
        Posture {
            setting: self.id.to_owned(),
            label: self.label.to_owned(),
            state: state.into(),
            default: false,
            effect,
            unseen: open.then(|| self.unseen.to_owned()),
            questions: if open { self.questions.to_vec() } else { Vec::new() },
            advice: (open && !self.advice.is_empty()).then(|| self.advice.to_owned()),
            citation,
        }
    }

    /// The setting on a host where nobody set it: what Windows does then, and the nearest key there is.
    pub fn by_default(
        &self,
        state: impl Into<String>,
        effect: Effect,
        citation: Citation,
    ) -> Posture {
        Posture { default: true, ..self.found(state, effect, citation) }
    }
}

impl Posture {
    /// The setting of one thing among several of its kind: `log_size` of `Security`.
    #[must_use]
    pub fn of(mut self, what: &str) -> Self {
        self.label = format!("{}: {what}", self.label);
        self
    }

    /// The state with the remark that it is the default.
    pub fn state_in_words(&self) -> String {
        if self.default {
            format!("{} (default: the value is absent)", self.state)
        } else {
            self.state.clone()
        }
    }

    /// What is known of the setting; absent for one of a later version.
    pub fn known(&self) -> Option<&'static Known> {
        knowledge::SETTINGS.iter().copied().find(|known| known.id == self.setting)
    }
}

/// Puts the settings of a host into the order of the knowledge.
pub(super) fn in_order(settings: &mut Vec<Posture>) {
    let place = |posture: &Posture| {
        let known = knowledge::SETTINGS.iter().position(|known| known.id == posture.setting);
        known.unwrap_or(usize::MAX)
    };
    settings.sort_by_cached_key(|one| {
        (place(one), one.label.clone(), one.citation.clone(), one.state.clone())
    });
    settings.dedup();
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use super::*;
    use crate::host::{Place, Provenance};

    fn anywhere() -> Citation {
        Citation {
            artifact: Arc::from("SECURITY"),
            place: Place::File,
            provenance: Provenance::Live,
        }
    }

    #[test]
    fn every_setting_is_known_once_and_in_full() {
        let ids: BTreeSet<&str> = knowledge::SETTINGS.iter().map(|known| known.id).collect();
        assert_eq!(ids.len(), knowledge::SETTINGS.len());
        for known in knowledge::SETTINGS {
            let fits =
                known.id.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit());
            assert!(fits && !known.label.is_empty() && !known.unseen.is_empty(), "{}", known.id);
            assert!(!known.questions.is_empty(), "{}", known.id);
            assert!(known.questions.iter().all(|number| (1..=5).contains(number)), "{}", known.id);
        }
    }

    #[test]
    fn what_hides_nothing_advises_nothing() {
        let known = &knowledge::PROCESS_CREATION;
        let seen = known.found("success", Effect::Sees, anywhere());
        assert_eq!((seen.unseen, seen.advice, seen.questions.len()), (None, None, 0));
        let blind = known.by_default("off", Effect::Blind, anywhere());
        assert!(blind.unseen.is_some() && blind.advice.is_some() && !blind.questions.is_empty());
        assert_eq!(blind.state_in_words(), "off (default: the value is absent)");
        assert_eq!(blind.known().map(|known| known.id), Some("audit_process_creation"));
    }

    #[test]
    fn the_order_is_that_of_the_knowledge() {
        let last = knowledge::REMOTE_REGISTRY.found("x", Effect::Neutral, anywhere());
        let first = knowledge::SYSTEM_EXTENSION.found("x", Effect::Neutral, anywhere());
        let mut settings = vec![last.clone(), first.clone(), last.clone()];
        in_order(&mut settings);
        assert_eq!(settings, [first, last]);
    }
}
