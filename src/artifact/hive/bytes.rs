//! Little-endian reads that cannot leave the buffer.

/// The `N` bytes at an offset, if they are there.
pub(super) fn array_at<const N: usize>(bytes: &[u8], offset: usize) -> Option<[u8; N]> {
    bytes.get(offset..offset.checked_add(N)?)?.first_chunk().copied()
}

/// A little-endian `u16`.
pub(super) fn u16_at(bytes: &[u8], offset: usize) -> Option<u16> {
    array_at(bytes, offset).map(u16::from_le_bytes)
}

/// A little-endian `u32`.
pub(super) fn u32_at(bytes: &[u8], offset: usize) -> Option<u32> {
    array_at(bytes, offset).map(u32::from_le_bytes)
}

/// A little-endian `u64`.
pub(super) fn u64_at(bytes: &[u8], offset: usize) -> Option<u64> {
    array_at(bytes, offset).map(u64::from_le_bytes)
}

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
