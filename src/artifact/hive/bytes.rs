//! Reads and writes that cannot leave the buffer.

pub(super) use crate::bytes::{array_at, u16_at, u32_at, u64_at};

/// A little-endian `u32` as a length or offset.
pub(super) fn size_at(bytes: &[u8], offset: usize) -> Option<usize> {
    u32_at(bytes, offset).and_then(|value| usize::try_from(value).ok())
}

/// Writes bytes at an offset; nothing happens when they do not fit.
pub(super) fn put(bytes: &mut [u8], offset: usize, new: &[u8]) {
    let end = offset.saturating_add(new.len());
    if let Some(place) = bytes.get_mut(offset..end) {
        place.copy_from_slice(new);
    }
}
