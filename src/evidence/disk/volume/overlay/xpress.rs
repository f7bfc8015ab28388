//! XPRESS with Huffman codes: one table, then literals and matches.
//!
//! Format: \[MS-XCA\] 2.1 and 2.2.

use std::io;

use super::bits::Bits;
use super::huffman::Code;
use crate::evidence::disk::volume::bytes::{damaged, slice_at};

/// 512 code lengths of four bits.
const TABLE: usize = 256;

/// Unpacks one chunk of at most 64 KiB.
pub(super) fn decompress(packed: &[u8], wanted: usize) -> io::Result<Vec<u8>> {
    let table = slice_at(packed, 0, TABLE).ok_or_else(|| damaged("the code table is cut off"))?;
    let lengths: Vec<u8> = table.iter().flat_map(|pair| [pair & 15, pair >> 4]).collect();
    let code = Code::new(&lengths)?;
    let mut bits = Bits::new(packed, TABLE);
    let mut plain = Vec::with_capacity(wanted);
    while plain.len() < wanted {
        let symbol = code.decode(&mut bits)?;
        if let Ok(literal) = u8::try_from(symbol) {
            plain.push(literal);
            continue;
        }
        let length = match_length(symbol & 15, &mut bits)?;
        let offset_bits = u32::from((symbol >> 4) & 15);
        let offset = (1 << offset_bits) | bits.take(offset_bits);
        copy_match(&mut plain, offset, length, wanted)?;
    }
    bits.check()?;
    Ok(plain)
}

/// Lengths from 15 on are continued in bytes, from 270 on in words.
fn match_length(short: u16, bits: &mut Bits<'_>) -> io::Result<usize> {
    let mut length = usize::from(short);
    if short == 15 {
        length = length.saturating_add(bits.byte()?.into());
        if length == 15 + 255 {
            length = u16::from_le_bytes([bits.byte()?, bits.byte()?]).into();
            if length < 15 {
                return Err(damaged("a match has no length"));
            }
        }
    }
    Ok(length.saturating_add(3))
}

/// Repeats bytes that were unpacked before.
pub(super) fn copy_match(
    plain: &mut Vec<u8>,
    offset: u32,
    length: usize,
    most: usize,
) -> io::Result<()> {
    let offset = usize::try_from(offset).unwrap_or(usize::MAX);
    let start = plain.len().checked_sub(offset).filter(|_| offset > 0);
    let start = start.ok_or_else(|| damaged("a match before the beginning"))?;
    if length > most.saturating_sub(plain.len()) {
        return Err(damaged("a match beyond the end"));
    }
    let mut left = length;
    while left > 0 {
        // What was just copied may be copied again: twice as much each time.
        let step = left.min(plain.len().saturating_sub(start));
        plain.extend_from_within(start..start.saturating_add(step));
        left = left.saturating_sub(step);
    }
    Ok(())
}
