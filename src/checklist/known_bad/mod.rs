//! Known bad: names and shapes of tools, vulnerable drivers by name, remote management (N, P, M).

use super::Indicator;

mod driver;
mod remote_access;
mod tool;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] =
    &[tool::TOOL_NAME, tool::TOOL_SHAPE, driver::DRIVER_NAME, remote_access::REMOTE_ACCESS];
