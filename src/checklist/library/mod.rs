//! Question 2: the DLLs a service makes Windows load (P).

use super::Indicator;

mod load_point;
mod service_dll;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    service_dll::OUTSIDE_SYSTEM32,
    service_dll::CHANGED_DLL,
    service_dll::NEW_MEMBER,
    load_point::LOAD_POINT,
    load_point::LOAD_POINT_SET,
    load_point::MESSAGE_FILE,
];
