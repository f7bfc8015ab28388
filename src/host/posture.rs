//! What the host was set up to record and to forbid, since the silence of its logs depends on it.

use serde::{Deserialize, Serialize};

use super::citation::Citation;

/// One setting that decides what a host can tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Posture {
    /// What is set: one id per setting, `audit_process_creation`.
    pub setting: String,
    /// Its state in words: `off`, `success only`, `20 MiB, overwrites the oldest`.
    pub state: String,
    /// Whether it lets the host answer.
    pub effect: Effect,
    /// The place that says so; for a default, the key whose lack of the value means it.
    pub citation: Citation,
}

/// Whether a setting lets a host answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// It records or forbids what it can.
    Sees,
    /// It does so in part.
    SeesPart,
    /// It does not, so that silence means nothing.
    Blind,
    /// Neither: a fact to know.
    Neutral,
}
