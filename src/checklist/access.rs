//! Access rules of services, keys and the service control manager (S).

use super::Indicator;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[];
