//! Numbers, names and sizes as volumes store them.

use std::io;

pub(super) use crate::bytes::{slice_at, u16_at, u32_at, u64_at};

/// The code units of a name.
pub(super) fn units(bytes: &[u8]) -> Vec<u16> {
    bytes.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect()
}

/// A name for people and paths. What would change a path or is no Unicode becomes U+FFFD.
pub(super) fn shown(name: &[u16]) -> String {
    let unsafe_in_paths = |c: char| c == '/' || c == '\0';
    String::from_utf16_lossy(name).replace(unsafe_in_paths, "\u{fffd}")
}

/// A size as an index; too large for this machine is as large as possible.
pub(super) fn index(size: u64) -> usize {
    usize::try_from(size).unwrap_or(usize::MAX)
}

/// A length in bytes.
pub(super) fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

pub(super) fn damaged(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}
