//! Names of keys and values: Latin-1 where that is enough, UTF-16 otherwise; order and hash as in `lh` lists.

use crate::lab::bytes::utf16;
use crate::text::fold;

/// The stored name and whether it is Latin-1.
pub(super) fn encode(name: &str) -> (Vec<u8>, bool) {
    let latin: Option<Vec<u8>> = name.chars().map(|c| u8::try_from(u32::from(c)).ok()).collect();
    match latin {
        Some(bytes) => (bytes, true),
        None => (utf16(name), false),
    }
}

/// Length in UTF-16 bytes, the unit of the "largest name" fields.
pub(super) fn wide_len(name: &str) -> usize {
    name.encode_utf16().count().saturating_mul(2)
}

/// Subkeys are sorted by their upper-case UTF-16 units.
pub(super) fn sort_key(name: &str) -> Vec<u16> {
    fold(name).encode_utf16().collect()
}

/// The hash of an `lh` entry: times 37, plus the upper-case unit.
pub(super) fn hash(name: &str) -> u32 {
    sort_key(name)
        .iter()
        .fold(0_u32, |hash, unit| hash.wrapping_mul(37).wrapping_add(u32::from(*unit)))
}
