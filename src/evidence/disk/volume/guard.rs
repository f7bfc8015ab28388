//! The fuse and the meter: code that meets hostile bytes neither ends the run nor goes on for ever.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::evidence::source::{SharedSource, Source};

/// Runs something that reads the volume; a panic in it becomes an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|_| {
        Err(io::Error::other("the NTFS reader gave up on a damaged part of the volume"))
    })
}

/// A source that can be read only so much: an index that leads back into itself ends here.
pub(super) struct Metered {
    source: SharedSource,
    left: AtomicU64,
}

impl Metered {
    /// At most `budget` bytes will be read; each read counts 512 bytes more, that empty ones end too.
    pub(super) fn new(source: SharedSource, budget: u64) -> Self {
        Self { source, left: AtomicU64::new(budget) }
    }
}

impl Source for Metered {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let cost = u64::try_from(buffer.len()).unwrap_or(u64::MAX).saturating_add(512);
        let spend = |left: u64| left.checked_sub(cost);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
            return Err(io::Error::other("needs more reading than any undamaged volume would"));
        }
        self.source.read_at(offset, buffer)
    }
}
