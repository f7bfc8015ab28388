//! An attribute list: which file records hold the attributes of a file that has too many for one.
//!
//! Layout: Linux-NTFS project, `$ATTRIBUTE_LIST`.

use std::io;

use super::bytes::{damaged, index, u16_at, u32_at, u64_at};
use super::record::Reference;
use crate::evidence::source::{SharedSource, read_up_to};

/// Windows keeps attribute lists within 256 KiB.
const LARGEST: u64 = 256 << 10;
const ENTRY_HEADER: usize = 26;

/// An attribute, or a part of one, and the record that holds it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    pub(super) kind: u32,
    /// The first cluster of the value that this part describes.
    pub(super) first_cluster: u64,
    pub(super) reference: Reference,
}

/// # Errors
/// Where the list cannot be read, or ends in an entry that makes no sense.
pub(super) fn read(list: &SharedSource) -> io::Result<Vec<Piece>> {
    let mut bytes = vec![0; index(list.size().min(LARGEST))];
    let count = read_up_to(list.as_ref(), 0, &mut bytes)?;
    let mut rest = bytes.get(..count).unwrap_or_default();
    let mut pieces = Vec::new();
    while rest.len() >= ENTRY_HEADER {
        let (piece, after) =
            split_piece(rest).ok_or_else(|| damaged("the attribute list is damaged"))?;
        pieces.push(piece);
        rest = after;
    }
    Ok(pieces)
}

fn split_piece(bytes: &[u8]) -> Option<(Piece, &[u8])> {
    let length = usize::from(u16_at(bytes, 4)?);
    let after = bytes.get(length..).filter(|_| length >= ENTRY_HEADER)?;
    let piece = Piece {
        kind: u32_at(bytes, 0)?,
        first_cluster: u64_at(bytes, 8)?,
        reference: Reference::parse(bytes, 16)?,
    };
    Some((piece, after))
}
