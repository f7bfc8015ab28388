//! Little-endian numbers at an offset that the evidence chose: `None` where they would run over the end.

fn array<const N: usize>(data: &[u8], at: usize) -> Option<[u8; N]> {
    data.get(at..at.checked_add(N)?)?.try_into().ok()
}

pub(super) fn u16_at(data: &[u8], at: usize) -> Option<u16> {
    array(data, at).map(u16::from_le_bytes)
}

pub(super) fn u32_at(data: &[u8], at: usize) -> Option<u32> {
    array(data, at).map(u32::from_le_bytes)
}

pub(super) fn u64_at(data: &[u8], at: usize) -> Option<u64> {
    array(data, at).map(u64::from_le_bytes)
}

/// An offset stored in evidence, as an index; `None` where it cannot be one.
pub(super) fn offset_at(data: &[u8], at: usize) -> Option<usize> {
    usize::try_from(u32_at(data, at)?).ok()
}

/// `len` bytes from `at`.
pub(super) fn slice_at(data: &[u8], at: usize, len: usize) -> Option<&[u8]> {
    data.get(at..at.checked_add(len)?)
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
