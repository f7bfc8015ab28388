//! The certificate table: what an Authenticode digest covers, and where a signature goes.

use super::super::bytes::{index, length, patch};
use crate::bytes::{slice_at, u16_at, u32_at};

/// The places of an image that its Authenticode digest leaves out.
struct Places {
    checksum: usize,
    directory: usize,
    table: (usize, usize),
}

fn places(image: &[u8]) -> Option<Places> {
    let header = index(u32_at(image, 0x3c)?);
    let optional = header.checked_add(24)?;
    let directories = if u16_at(image, optional)? == 0x20b { 112 } else { 96 };
    let directory = optional.checked_add(directories + 4 * 8)?;
    let table =
        (index(u32_at(image, directory)?), index(u32_at(image, directory.checked_add(4)?)?));
    Some(Places { checksum: optional.checked_add(64)?, directory, table })
}

/// The bytes that an Authenticode digest of an image is over: all but the checksum, the table's entry in the directories,
/// and the table itself. What a signer signs is filled up with zeros to a multiple of 8 first, as [`with_certificates`] does.
pub fn covered(image: &[u8]) -> Vec<u8> {
    let Some(Places { checksum, directory, table: (start, size) }) = places(image) else {
        return image.to_vec();
    };
    let end = if start == 0 { image.len() } else { start };
    let after = if start == 0 { image.len() } else { start.saturating_add(size) };
    let mut bytes = Vec::with_capacity(image.len());
    for (from, to) in [
        (0, checksum),
        (checksum.saturating_add(4), directory),
        (directory.saturating_add(8), end),
        (after, image.len()),
    ] {
        bytes.extend_from_slice(slice_at(image, from, to.saturating_sub(from)).unwrap_or_default());
    }
    let padding = if start == 0 { image.len().next_multiple_of(8) - image.len() } else { 0 };
    bytes.resize(bytes.len().saturating_add(padding), 0);
    bytes
}

/// The image with such a certificate table behind it: entries of `WIN_CERTIFICATE`, each filled up to a multiple of 8.
pub fn with_certificates(image: &[u8], table: &[u8]) -> Vec<u8> {
    let mut signed = image.to_vec();
    signed.resize(image.len().next_multiple_of(8), 0);
    let start = length(signed.len());
    signed.extend_from_slice(table);
    if let Some(places) = places(image) {
        patch(&mut signed, places.directory, &start.to_le_bytes());
        patch(&mut signed, places.directory.saturating_add(4), &length(table.len()).to_le_bytes());
    }
    signed
}
