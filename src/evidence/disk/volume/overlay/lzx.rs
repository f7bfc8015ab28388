//! LZX as WIM files and the overlay use it: chunks of 32 KiB that stand alone.
//!
//! Format: Microsoft, "LZX DELTA" \[MS-PATCH\], and what WIM changes: no E8 header bit, a bit for the default block
//! size, the x86 call translation always on with a file size of 12,000,000 (wimlib, `lzx_constants.h`).

use std::io;

use super::bits::Bits;
use super::huffman::Code;
use super::xpress::copy_match;
use crate::evidence::disk::volume::bytes::{damaged, slice_at, u32_at};

const DEFAULT_BLOCK: usize = 32_768;
const LITERALS: usize = 256;
/// 30 slots of match offsets with 8 length headers each.
const MAIN: usize = LITERALS + 30 * 8;
const LENGTHS: usize = 249;
/// The file size that the x86 call translation assumes.
const CALLS_FILE_SIZE: i32 = 12_000_000;

/// What a chunk hands from block to block.
struct State {
    /// Code lengths are given as differences to those of the block before.
    main: [u8; MAIN],
    length: [u8; LENGTHS],
    /// The last three match offsets.
    recent: [u32; 3],
}

/// The codes of a block.
struct Codes {
    main: Code,
    length: Code,
    /// The lowest three bits of long match offsets, in aligned blocks.
    aligned: Option<Code>,
}

/// Unpacks one chunk of at most 32 KiB.
pub(super) fn decompress(packed: &[u8], wanted: usize) -> io::Result<Vec<u8>> {
    let mut bits = Bits::new(packed, 0);
    let mut state = State { main: [0; MAIN], length: [0; LENGTHS], recent: [1; 3] };
    let mut plain = Vec::with_capacity(wanted);
    while plain.len() < wanted {
        let kind = bits.take(3);
        let size = if bits.take(1) == 1 { DEFAULT_BLOCK } else { number(bits.take(16)) };
        let end = plain.len().saturating_add(size);
        if size == 0 || end > wanted {
            return Err(damaged("a block beyond the end"));
        }
        match kind {
            1 | 2 => {
                let codes = read_codes(&mut bits, &mut state, kind == 2)?;
                unpack_block(&mut bits, &codes, &mut state.recent, &mut plain, end)?;
            }
            3 => bits = stored_block(packed, &bits, &mut state.recent, &mut plain, size)?,
            _ => return Err(damaged("a block of an unknown kind")),
        }
        bits.check()?;
    }
    translate_calls(&mut plain);
    Ok(plain)
}

fn number(bits: u32) -> usize {
    usize::try_from(bits).unwrap_or(usize::MAX)
}

fn read_codes(bits: &mut Bits<'_>, state: &mut State, is_aligned: bool) -> io::Result<Codes> {
    let aligned = if is_aligned {
        let mut lengths = [0_u8; 8];
        lengths.fill_with(|| small(bits.take(3)));
        Some(Code::new(&lengths)?)
    } else {
        None
    };
    let (literals, matches) = state.main.split_at_mut(LITERALS);
    read_lengths(bits, literals)?;
    read_lengths(bits, matches)?;
    read_lengths(bits, &mut state.length)?;
    Ok(Codes { main: Code::new(&state.main)?, length: Code::new(&state.length)?, aligned })
}

fn small(bits: u32) -> u8 {
    u8::try_from(bits).unwrap_or(0)
}

/// Code lengths are packed with a code of their own.
fn read_lengths(bits: &mut Bits<'_>, lengths: &mut [u8]) -> io::Result<()> {
    let mut own = [0_u8; 20];
    own.fill_with(|| small(bits.take(4)));
    let code = Code::new(&own)?;
    let mut slots = lengths.iter_mut().peekable();
    while let Some(slot) = slots.peek() {
        let before = **slot;
        let (run, value) = match code.decode(bits)? {
            17 => (bits.take(4).saturating_add(4), 0),
            18 => (bits.take(5).saturating_add(20), 0),
            19 => {
                let run = bits.take(1).saturating_add(4);
                (run, difference(before, code.decode(bits)?)?)
            }
            symbol => (1, difference(before, symbol)?),
        };
        slots.by_ref().take(number(run)).for_each(|slot| *slot = value);
    }
    Ok(())
}

fn difference(before: u8, symbol: u16) -> io::Result<u8> {
    let symbol = u8::try_from(symbol).ok().filter(|symbol| *symbol <= 16);
    let symbol = symbol.ok_or_else(|| damaged("a code length that cannot be"))?;
    let length = before.saturating_add(17).saturating_sub(symbol);
    Ok(length.checked_rem(17).unwrap_or(0))
}

fn unpack_block(
    bits: &mut Bits<'_>,
    codes: &Codes,
    recent: &mut [u32; 3],
    plain: &mut Vec<u8>,
    end: usize,
) -> io::Result<()> {
    while plain.len() < end {
        let symbol = codes.main.decode(bits)?;
        if let Ok(literal) = u8::try_from(symbol) {
            plain.push(literal);
            continue;
        }
        let mut length = usize::from(symbol & 7).saturating_add(2);
        if symbol & 7 == 7 {
            length = length.saturating_add(codes.length.decode(bits)?.into());
        }
        let slot = u32::from(symbol >> 3).saturating_sub(32);
        let offset = match_offset(bits, codes.aligned.as_ref(), recent, slot)?;
        copy_match(plain, offset, length, end)?;
    }
    Ok(())
}

/// The first three slots are the offsets used last; the others name ranges that grow by powers of two.
fn match_offset(
    bits: &mut Bits<'_>,
    aligned: Option<&Code>,
    recent: &mut [u32; 3],
    slot: u32,
) -> io::Result<u32> {
    let [first, second, third] = *recent;
    let (offset, others) = match slot {
        0 => (first, [second, third]),
        1 => (second, [first, third]),
        2 => (third, [second, first]),
        _ => {
            let extra = (slot >> 1).saturating_sub(1);
            let base = (2 | (slot & 1)) << extra;
            let low = match aligned {
                Some(code) if extra >= 3 => {
                    (bits.take(extra.saturating_sub(3)) << 3) | u32::from(code.decode(bits)?)
                }
                _ => bits.take(extra),
            };
            (base.saturating_add(low).saturating_sub(2), [first, second])
        }
    };
    let [second, third] = others;
    *recent = [offset, second, third];
    Ok(offset)
}

/// A block that is kept as it is. Returns the bits after it.
fn stored_block<'d>(
    packed: &'d [u8],
    bits: &Bits<'_>,
    recent: &mut [u32; 3],
    plain: &mut Vec<u8>,
    size: usize,
) -> io::Result<Bits<'d>> {
    let cut_off = || damaged("a stored block is cut off");
    let start = bits.after_this_word();
    for (offset, at) in recent.iter_mut().zip([0, 4, 8]) {
        *offset = u32_at(packed, start.saturating_add(at)).ok_or_else(cut_off)?;
    }
    let start = start.saturating_add(12);
    plain.extend_from_slice(slice_at(packed, start, size).ok_or_else(cut_off)?);
    Ok(Bits::new(packed, start.saturating_add(size.next_multiple_of(2))))
}

/// Undoes the translation of x86 calls (`E8`), whose targets were made absolute to repeat more often.
fn translate_calls(plain: &mut [u8]) {
    let end = plain.len().saturating_sub(10);
    let mut at = 0_usize;
    while at < end {
        let next = at.saturating_add(1);
        if plain.get(at) != Some(&0xe8) {
            at = next;
            continue;
        }
        let position = i32::try_from(at).unwrap_or(i32::MAX);
        if let Some(target) = plain.get_mut(next..).and_then(<[u8]>::first_chunk_mut::<4>) {
            let absolute = i32::from_le_bytes(*target);
            if (0..CALLS_FILE_SIZE).contains(&absolute) {
                *target = absolute.saturating_sub(position).to_le_bytes();
            } else if (position.saturating_neg()..0).contains(&absolute) {
                *target = absolute.saturating_add(CALLS_FILE_SIZE).to_le_bytes();
            }
        }
        at = at.saturating_add(5);
    }
}
