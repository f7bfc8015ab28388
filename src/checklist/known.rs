//! Known bad: names and shapes of tools, vulnerable drivers by name, remote management (N, M, P).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
