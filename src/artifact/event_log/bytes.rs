//! Reads and writes that cannot leave the buffer.

pub(super) use crate::bytes::{array_at, slice_at, u16_at, u32_at, u64_at};

/// An offset stored in evidence, as an index; `None` where it cannot be one.
pub(super) fn offset_at(data: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(data, at)?).ok()
}

/// Whether there are only zeros; in blocks, so that it runs at the speed of memory.
pub(super) fn all_zero(data: &[u8]) -> bool {
    data.chunks(256).all(|block| block.iter().fold(0, |sum, byte| sum | byte) == 0)
}

/// Overwrites bytes in our own copy of a chunk; outside of it, nothing happens.
pub(super) fn overwrite(data: &mut [u8], at: usize, with: &[u8]) {
    let end = at.saturating_add(with.len());
    if let Some(place) = data.get_mut(at..end) {
        place.copy_from_slice(with);
    }
}
