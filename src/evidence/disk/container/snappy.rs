//! The raw format of Snappy (google/snappy, `format_description.txt`).

use std::io;

use super::damaged;

/// The bytes of a block, never more than `most`.
pub(super) fn decode(packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let mut input = packed.iter().copied();
    let length = length(&mut input)?;
    if length > most {
        return Err(damaged(format!("a compressed part has more than {most} bytes")));
    }
    let mut out = Vec::with_capacity(length);
    let ends = || damaged("a compressed part ends too early");
    while let Some(tag) = input.next() {
        let high = usize::from(tag >> 2);
        let number = |input: &mut dyn Iterator<Item = u8>, bytes: usize| {
            (0..bytes).try_fold(0_usize, |number, place| {
                let byte = usize::from(input.next()?);
                Some(number | byte.checked_shl(u32::try_from(place).ok()?.saturating_mul(8))?)
            })
        };
        if tag & 3 == 0 {
            let count = match high {
                0..60 => high,
                _ => number(&mut input, high.saturating_sub(59)).ok_or_else(ends)?,
            };
            let count = count.saturating_add(1);
            let before = out.len();
            out.extend(input.by_ref().take(count.min(length.saturating_sub(before))));
            if out.len() != before.saturating_add(count) {
                return Err(damaged("a compressed part is damaged"));
            }
            continue;
        }
        let (count, back) = match tag & 3 {
            1 => {
                let low = number(&mut input, 1).ok_or_else(ends)?;
                ((high & 7).saturating_add(4), (high >> 3) << 8 | low)
            }
            2 => (high.saturating_add(1), number(&mut input, 2).ok_or_else(ends)?),
            _ => (high.saturating_add(1), number(&mut input, 4).ok_or_else(ends)?),
        };
        copy(&mut out, back, count, length)?;
    }
    if out.len() == length { Ok(out) } else { Err(ends()) }
}

/// Seven bits a byte, the lowest first.
fn length(input: &mut impl Iterator<Item = u8>) -> io::Result<usize> {
    let mut length = 0_usize;
    for shift in [0_u32, 7, 14, 21, 28] {
        let byte = input.next().ok_or_else(|| damaged("a compressed part is empty"))?;
        length |= usize::from(byte & 0x7F).checked_shl(shift).unwrap_or(usize::MAX);
        if byte & 0x80 == 0 {
            return Ok(length);
        }
    }
    Err(damaged("a compressed part has an impossible size"))
}

/// Repeats bytes that are there, or that come to be there while they are repeated.
fn copy(out: &mut Vec<u8>, back: usize, count: usize, length: usize) -> io::Result<()> {
    let start = out.len().checked_sub(back).filter(|_| back > 0);
    let start = start.filter(|_| out.len().saturating_add(count) <= length);
    let start = start.ok_or_else(|| damaged("a compressed part is damaged"))?;
    for place in 0..count {
        let byte = out.get(start.saturating_add(place)).copied();
        out.push(byte.ok_or_else(|| damaged("a compressed part is damaged"))?);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_exact_or_an_error() {
        // "Wiki" as it is, then two copies that overlap themselves, with offsets of one and of two bytes.
        let packed = [20, 3 << 2, b'W', b'i', b'k', b'i', 4 << 2 | 1, 4, 7 << 2 | 2, 2, 0];
        assert_eq!(decode(&packed, 20).unwrap(), b"WikiWikiWikikikikiki");
        assert!(decode(&packed, 19).is_err(), "no cutting");
        for end in 0..packed.len() {
            assert!(decode(&packed[..end], 20).is_err(), "cut off at {end}");
        }
        for (at, byte) in [(0, 21), (0, 19), (7, 5), (7, 0), (9, 200), (1, 62 << 2)] {
            let mut damaged = packed;
            damaged[at] = byte;
            assert!(decode(&damaged, 64).is_err(), "{byte} at {at}");
        }
        assert_eq!(decode(&[0], 0).unwrap(), b"");
    }
}
