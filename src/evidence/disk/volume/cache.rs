//! What was worked out last: unpacked parts of a compressed stream, lists of folders.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// How much is kept: enough for a few readers of one stream, little enough for thousands of streams.
const KEPT: usize = 4;

/// What was worked out last, by its number.
pub(super) struct Cache<T>(Mutex<VecDeque<(u64, Arc<T>)>>);

impl<T> Default for Cache<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Cache<T> {
    /// What has that number, worked out now if it is not at hand. Nothing is locked meanwhile.
    ///
    /// # Errors
    /// What `work` says.
    pub(super) fn get(
        &self,
        number: u64,
        work: impl FnOnce() -> io::Result<T>,
    ) -> io::Result<Arc<T>> {
        let kept = |all: &VecDeque<(u64, Arc<T>)>| {
            all.iter().find(|(kept, _)| *kept == number).map(|(_, one)| Arc::clone(one))
        };
        if let Some(one) = kept(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(one);
        }
        let one = Arc::new(work()?);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.truncate(KEPT.saturating_sub(1));
        all.push_front((number, Arc::clone(&one)));
        Ok(one)
    }
}

/// Copies what a part holds from an offset on; returns how many bytes that was.
pub(super) fn copy(part: &[u8], from: usize, buffer: &mut [u8]) -> usize {
    let rest = part.get(from..).unwrap_or_default();
    let count = rest.len().min(buffer.len());
    if let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) {
        to.copy_from_slice(from);
    }
    count
}
