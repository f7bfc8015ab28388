//! Question 2: what it loads: service DLLs, svchost groups, load points (P).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
