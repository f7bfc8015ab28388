//! The files behind a service: whether they are there, when they were born, what they are, who vouches for them.

use super::Indicator;

mod phantom;

pub(super) const INDICATORS: &[Indicator] = &[phantom::PHANTOM];
