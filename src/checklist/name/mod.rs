//! Question 1: what the service is called (N).

use super::Indicator;

mod display;
mod imitation;
mod missing;
mod shape;
mod unicode;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    shape::RANDOM,
    missing::NO_DISPLAY_NAME,
    missing::NO_DESCRIPTION,
    imitation::TYPO,
    display::BORROWED_DISPLAY,
    imitation::PROCESS_NAME,
    shape::ENCODED,
    unicode::DECEPTIVE,
    display::VENDOR,
];

const VERIFY_KEY: &str = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>";
const VERIFY_HOST: &str = "Look for the name on a clean host of the same build and at the vendor";
