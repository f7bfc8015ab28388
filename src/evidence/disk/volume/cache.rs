//! The parts of a compressed stream that were unpacked last.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

/// How many parts are kept: enough for a few readers of one stream, little enough for thousands of streams.
const KEPT: usize = 4;

/// The parts that were unpacked last, by their numbers.
#[derive(Default)]
pub(super) struct Cache(Mutex<VecDeque<(u64, Arc<[u8]>)>>);

impl Cache {
    /// A part, unpacked now if it is not at hand. Nothing is locked meanwhile.
    pub(super) fn get(
        &self,
        number: u64,
        unpack: impl FnOnce() -> io::Result<Vec<u8>>,
    ) -> io::Result<Arc<[u8]>> {
        let kept = |parts: &VecDeque<(u64, Arc<[u8]>)>| {
            parts.iter().find(|(kept, _)| *kept == number).map(|(_, part)| Arc::clone(part))
        };
        if let Some(part) = kept(&self.0.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(part);
        }
        let part: Arc<[u8]> = unpack()?.into();
        let mut parts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        parts.truncate(KEPT.saturating_sub(1));
        parts.push_front((number, Arc::clone(&part)));
        Ok(part)
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
