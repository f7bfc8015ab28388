//! Baseline and trust: counter-evidence (B).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
