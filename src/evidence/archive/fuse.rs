//! Libraries that read archives may stop with a panic on hostile bytes; here that costs one member.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs one step of a library; a panic becomes an error.
///
/// Nothing of the step outlives it, so that no half-changed state is seen again.
pub(super) fn fused<T>(step: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(step)).unwrap_or_else(|_| {
        Err(io::Error::other("the library that unpacks it stopped on damaged data"))
    })
}
