//! Question 2: what its command line does (P, by command).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
