//! The account and the rights it runs with, and when it starts (Q4).

use super::{Indicator, Scope};
use crate::host::service::Difference;
use crate::text::same_name;

mod error_control;
mod identity;
mod privilege;
mod start;
mod trigger;
mod value_type;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    identity::RAISED,
    identity::NAMED_USER,
    identity::SYSTEM_ELSEWHERE,
    error_control::ERRORS_IGNORED,
    error_control::CRITICAL_DRIVER,
    privilege::INTERACTIVE,
    value_type::PATH_TYPE,
    privilege::WEAKER,
    start::TRIGGER,
    trigger::TRIGGER_ADDED,
    trigger::TRIGGER_SET,
    start::AUTOMATIC,
];

/// The first difference of that field that `wanted` (before, now) says yes to.
fn difference<'a>(
    scope: &Scope<'a>,
    field: &str,
    wanted: impl Fn(Option<&str>, Option<&str>) -> bool,
) -> Option<&'a Difference> {
    scope.service.differences.iter().find(|difference| {
        same_name(&difference.field, field)
            && wanted(difference.before.as_deref(), difference.now.as_deref())
    })
}
