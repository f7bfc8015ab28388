//! Question 2: the DLLs a service makes Windows load (P).

use super::{Indicator, Scope};

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

/// Whether a value below its key makes Windows load a library that Windows does not have there.
pub(super) fn loads_foreign(scope: &Scope<'_>) -> bool {
    (load_point::LOAD_POINT.check)(scope).is_some()
}
