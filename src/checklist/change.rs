//! Question 3: who created or changed it, when, with which ticket (W).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
