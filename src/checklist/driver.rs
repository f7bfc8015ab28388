//! Question 2: drivers (P).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
