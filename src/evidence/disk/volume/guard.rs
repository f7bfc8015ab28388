//! The fuse and the meter: code that meets hostile bytes neither ends the run nor goes on for ever.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::evidence::source::{SharedSource, Source};

/// What one operation on a volume may read, in bytes; the largest folders need a fifth.
pub(super) const BUDGET: u64 = 1 << 30;
/// What a read costs besides its bytes, so that many small ones end too.
const READ: u64 = 512;

thread_local! {
    /// What the operation that runs on this thread may still read; absent while none runs.
    static LEFT: Cell<Option<u64>> = const { Cell::new(None) };
}

/// Runs one operation on a volume: what it may read through [`Budgeted`] is limited, and a panic in it becomes an
/// error.
pub(super) fn operation<T>(budget: u64, work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    let before = LEFT.replace(Some(budget));
    let result = guarded(work);
    LEFT.set(before);
    result
}

/// Runs something that meets hostile bytes; a panic in it becomes an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(io::Error::other("the NTFS reader gave up on a damaged part of the volume"))
    })
}

/// A volume whose reads count while an operation runs. Streams that were opened are read without limit.
pub(super) struct Budgeted(pub(super) SharedSource);

impl Source for Budgeted {
    fn size(&self) -> u64 {
        self.0.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(left) = LEFT.get() {
            LEFT.set(Some(left.checked_sub(cost(buffer)).ok_or_else(exhausted)?));
        }
        self.0.read_at(offset, buffer)
    }
}

fn cost(buffer: &[u8]) -> u64 {
    u64::try_from(buffer.len()).unwrap_or(u64::MAX).saturating_add(READ)
}

fn exhausted() -> io::Error {
    io::Error::other("needs more reading than any undamaged volume would")
}

/// A source that can be read only so much: an index that leads back into itself ends here.
pub(super) struct Metered {
    source: SharedSource,
    left: AtomicU64,
}

impl Metered {
    /// At most `budget` bytes will be read.
    pub(super) fn new(source: SharedSource, budget: u64) -> Self {
        Self { source, left: AtomicU64::new(budget) }
    }
}

impl Source for Metered {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let spend = |left: u64| left.checked_sub(cost(buffer));
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
            return Err(exhausted());
        }
        self.source.read_at(offset, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::source::MemorySource;
    use std::sync::Arc;

    #[test]
    fn operations_end_when_their_budget_does() {
        let source = Budgeted(Arc::new(MemorySource(vec![1; 4096])));
        let read = || source.read_at(0, &mut [0; 512]);
        let three = operation(3 * 1024, || Ok([read()?, read()?, read()?])).unwrap();
        assert_eq!(three, [512; 3]);
        assert!(operation(2 * 1024, || Ok([read()?, read()?, read()?])).is_err());
        assert_eq!(read().unwrap(), 512, "no operation runs");
        let metered = Metered::new(Arc::new(MemorySource(vec![1; 4096])), 1024);
        assert!(metered.read_at(0, &mut [0; 512]).is_ok());
        assert!(metered.read_at(0, &mut [0; 512]).is_err());
    }

    #[test]
    fn panics_become_errors() {
        let result: io::Result<()> = operation(1, || panic!("a bug"));
        assert!(result.is_err());
        assert_eq!(LEFT.get(), None);
    }
}
