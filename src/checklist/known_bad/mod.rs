//! Known bad: names and shapes of tools, listed files, malicious and vulnerable drivers, remote management (N, K, P, M).

use super::Indicator;

mod driver;
pub(super) mod listed;
mod remote_access;
mod tool;
mod yara;

pub(super) use tool::is_administrators_tool;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    tool::TOOL_NAME,
    tool::TOOL_SHAPE,
    listed::LISTED,
    yara::MATCHED,
    driver::MALICIOUS_HASH,
    driver::VULNERABLE_HASH,
    driver::DRIVER_NAME,
    remote_access::REMOTE_ACCESS,
];
