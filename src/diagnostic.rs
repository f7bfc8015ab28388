//! Damage is data: what could not be read, and how much that costs the answer.

use serde::{Deserialize, Serialize};

/// How much of an artifact was lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Impact {
    /// Nothing was lost; the reader should know it all the same.
    Note,
    /// A part was not read; the rest was.
    Partial,
    /// The artifact said nothing.
    Lost,
}

/// One thing that went wrong, or is odd, with a piece of evidence.
///
/// Diagnostics are part of the report and never printed by the library.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The evidence path of the artifact, as the report cites it.
    pub artifact: String,
    /// How much was lost.
    pub impact: Impact,
    /// What happened, with the offset or key where there is one, in a sentence.
    pub message: String,
}
