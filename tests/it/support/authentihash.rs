//! The certificate table and the Authenticode digest of a PE image, by the shortest reading of the specification: the tests'
//! own, so that they do not rest on what they test.

#![expect(clippy::indexing_slicing, reason = "the images are the tests' own")]

use svctriage::artifact::signature::Algorithm;

fn number(image: &[u8], at: usize, size: usize) -> usize {
    image[at..at + size].iter().rev().fold(0, |sum, byte| sum << 8 | usize::from(*byte))
}

/// Where the certificate table is, and where its entry in the data directories.
fn places(image: &[u8]) -> (usize, usize, usize, usize) {
    let header = number(image, 0x3c, 4);
    let optional = header + 24;
    let wide = number(image, optional, 2) == 0x20b;
    let entry = optional + if wide { 112 } else { 96 } + 4 * 8;
    (optional + 64, entry, number(image, entry, 4), number(image, entry + 4, 4))
}

/// The certificate table; empty where there is none.
pub(crate) fn table(image: &[u8]) -> &[u8] {
    let (_, _, start, size) = places(image);
    if size == 0 { &[] } else { &image[start..start + size] }
}

/// The Authenticode digest: everything but the checksum, the table's entry and the table, filled up to a multiple of eight.
pub(crate) fn digest(algorithm: Algorithm, image: &[u8]) -> Vec<u8> {
    let (checksum, entry, start, size) = places(image);
    let end = if size == 0 { image.len() } else { start };
    let mut covered =
        [&image[..checksum], &image[checksum + 4..entry], &image[entry + 8..end]].concat();
    covered.extend_from_slice(&image[end + size..]);
    let whole = covered.len() + 12;
    covered.resize(whole.next_multiple_of(8) - 12, 0);
    algorithm.digest(&covered)
}

/// The image with another table.
pub(crate) fn with_table(image: &[u8], table: &[u8]) -> Vec<u8> {
    let (_, entry, start, size) = places(image);
    let end = if size == 0 { image.len() } else { start };
    let mut signed = image[..end].to_vec();
    signed.resize(signed.len().next_multiple_of(8), 0);
    let (at, length) = (signed.len(), table.len());
    signed[entry..entry + 4].copy_from_slice(&u32::try_from(at).unwrap().to_le_bytes());
    signed[entry + 4..entry + 8].copy_from_slice(&u32::try_from(length).unwrap().to_le_bytes());
    signed.extend_from_slice(table);
    signed
}
