//! Canonical prefix codes of at most 16 bits.

use std::io;

use super::bits::Bits;
use crate::evidence::disk::volume::bytes::damaged;

const LONGEST: usize = 16;
/// Codes up to this length are found in one step.
const SHORT: u32 = 10;

/// A prefix code.
pub(super) struct Code {
    /// By the next ten bits: the symbol in the upper bits and its length in the lower five; 0 for longer codes.
    short: Vec<u16>,
    /// How many codes there are of each length.
    counts: [u16; LONGEST + 1],
    /// The symbols in the order of their codes.
    symbols: Vec<u16>,
}

impl Code {
    /// The code whose symbols have those lengths, 0 for symbols that do not occur.
    ///
    /// # Errors
    /// Where there cannot be so many codes so short.
    pub(super) fn new(lengths: &[u8]) -> io::Result<Self> {
        let mut counts = [0_u16; LONGEST + 1];
        let mut symbols = Vec::with_capacity(lengths.len());
        let mut short = vec![0; 1 << SHORT];
        let mut code = 0_u32;
        for (length, slot) in counts.iter_mut().enumerate().skip(1) {
            code <<= 1;
            for (symbol, _) in
                lengths.iter().enumerate().filter(|(_, l)| usize::from(**l) == length)
            {
                let symbol = u16::try_from(symbol).unwrap_or(u16::MAX);
                fill(&mut short, code, length, symbol);
                symbols.push(symbol);
                *slot = slot.saturating_add(1);
                code = code.saturating_add(1);
            }
            if code > 1 << length {
                return Err(damaged("more codes than there can be"));
            }
        }
        Ok(Self { short, counts, symbols })
    }

    /// The next symbol.
    pub(super) fn decode(&self, bits: &mut Bits<'_>) -> io::Result<u16> {
        let next = bits.peek();
        let entry = self.short.get(usize::from(next >> 6)).copied().unwrap_or(0);
        if entry != 0 {
            bits.take(u32::from(entry & 31));
            return Ok(entry >> 5);
        }
        // Codes of one length follow each other, and the first of a length follows the last of the one before.
        let (mut first, mut before) = (0_u32, 0_u32);
        for (length, count) in (0_u32..).zip(self.counts).skip(1) {
            first <<= 1;
            let code = u32::from(next) >> 16_u32.saturating_sub(length);
            let count = u32::from(count);
            if let Some(nth) = code.checked_sub(first).filter(|nth| *nth < count) {
                bits.take(length);
                let at = usize::try_from(before.saturating_add(nth)).unwrap_or(usize::MAX);
                return self
                    .symbols
                    .get(at)
                    .copied()
                    .ok_or_else(|| damaged("a code without symbol"));
            }
            first = first.saturating_add(count);
            before = before.saturating_add(count);
        }
        Err(damaged("a code without symbol"))
    }
}

fn fill(short: &mut [u16], code: u32, length: usize, symbol: u16) {
    let Some(spare) = u32::try_from(length).ok().and_then(|length| SHORT.checked_sub(length))
    else {
        return;
    };
    let entry = (symbol << 5) | u16::try_from(length).unwrap_or(0);
    let start = usize::try_from(code << spare).unwrap_or(usize::MAX);
    let end = start.saturating_add(1 << spare);
    if let Some(slots) = short.get_mut(start..end) {
        slots.fill(entry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_and_long_codes_are_told_apart() {
        // 0, 10, 110, … and two codes of 16 bits.
        let lengths: Vec<u8> = (1..=15).chain([16, 16]).collect();
        let code = Code::new(&lengths).unwrap();
        for (word, symbol) in [(0_u16, 0), (0x8000, 1), (0xfff0, 12), (0xfffe, 15), (0xffff, 16)] {
            let bytes = word.to_le_bytes();
            let mut bits = Bits::new(&bytes, 0);
            assert_eq!(code.decode(&mut bits).unwrap(), symbol, "{word:#x}");
            bits.check().unwrap();
        }
        assert!(Code::new(&[1, 1, 1]).is_err());
        let alone = Code::new(&[0, 2]).unwrap();
        assert!(alone.decode(&mut Bits::new(&[0, 0xff], 0)).is_err());
        assert!(Code::new(&[]).unwrap().decode(&mut Bits::new(&[0, 0], 0)).is_err());
    }
}
