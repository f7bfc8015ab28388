//! nt-hive stops with a panic on some damaged cells; here that costs one entry, not the hive.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs one step of nt-hive; a panic becomes `None`.
///
/// nt-hive's iterators move on before they look at an entry, so the next step reads the next entry. The
/// program installs a quiet panic hook: nothing is printed.
pub(super) fn fused<T>(step: impl FnOnce() -> T) -> Option<T> {
    catch_unwind(AssertUnwindSafe(step)).ok()
}
