//! How evenly the values of bytes are spread over sections and what follows them.
//!
//! Sections may overlap, as many as there are: the file is cut where any of them begins or ends, and each piece is
//! counted once.

use super::executable::Span;

/// Fractional bits of a logarithm.
const FRACTION: u32 = 32;

/// How often each value of a byte occurs.
#[derive(Clone)]
struct Histogram([u64; 256]);

/// Counts the bytes of the pieces between the borders of spans.
pub(super) struct Counter {
    /// Where pieces begin and end, sorted, each once.
    borders: Vec<u64>,
    /// One for each piece between two borders.
    pieces: Vec<Histogram>,
    sections: Vec<Span>,
    overlay: Vec<Span>,
}

/// Entropies in thousandths of a bit per byte, 0 to 8000.
#[derive(Debug, Default)]
pub(super) struct Entropy {
    /// Of each section.
    pub(super) sections: Vec<u16>,
    /// Of what follows the last section, and its size in bytes; absent where nothing does.
    pub(super) overlay: Option<(u64, u16)>,
}

impl Counter {
    /// Prepares to count sections and the parts of the overlay.
    pub(super) fn new(sections: Vec<Span>, overlay: Vec<Span>) -> Self {
        let spans = sections.iter().chain(&overlay);
        let mut borders: Vec<u64> = spans.flat_map(|span| [span.start, span.end]).collect();
        borders.sort_unstable();
        borders.dedup();
        let pieces = vec![Histogram([0; 256]); borders.len().saturating_sub(1)];
        Self { borders, pieces, sections, overlay }
    }

    /// Counts a part of the file that begins at an offset.
    pub(super) fn count(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset.saturating_add(bytes.len() as u64);
        let from = self.borders.partition_point(|border| *border <= offset).saturating_sub(1);
        let pieces = self.borders.iter().zip(self.borders.iter().skip(1)).zip(&mut self.pieces);
        for ((start, stop), histogram) in
            pieces.skip(from).take_while(|((start, _), _)| **start < end)
        {
            let first = to_index(start.saturating_sub(offset));
            let last = to_index((*stop).min(end).saturating_sub(offset));
            histogram.add(bytes.get(first..last).unwrap_or_default());
        }
    }

    /// What was counted.
    pub(super) fn finish(&self) -> Entropy {
        let size = self.overlay.iter().map(|span| span.length()).fold(0, u64::saturating_add);
        Entropy {
            sections: self.sections.iter().map(|span| self.of(&[*span])).collect(),
            overlay: (size > 0).then(|| (size, self.of(&self.overlay))),
        }
    }

    fn of(&self, spans: &[Span]) -> u16 {
        let mut sum = Histogram([0; 256]);
        let pieces = self.borders.iter().zip(self.borders.iter().skip(1)).zip(&self.pieces);
        for ((start, end), histogram) in pieces {
            if spans.iter().any(|span| span.start <= *start && *end <= span.end) {
                for (total, count) in sum.0.iter_mut().zip(&histogram.0) {
                    *total = total.saturating_add(*count);
                }
            }
        }
        sum.entropy()
    }
}

impl Histogram {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if let Some(count) = self.0.get_mut(usize::from(*byte)) {
                *count = count.wrapping_add(1);
            }
        }
    }

    /// Shannon's entropy: log2(n) minus the mean of log2 of the counts. In integers, so that every machine gives the same.
    fn entropy(&self) -> u16 {
        let total: u64 = self.0.iter().copied().fold(0, u64::saturating_add);
        if total == 0 {
            return 0;
        }
        let counted = self.0.iter().filter(|count| **count > 0);
        let sum = counted
            .map(|count| u128::from(*count).saturating_mul(u128::from(log2(*count))))
            .fold(0, u128::saturating_add);
        let whole = u128::from(total).saturating_mul(u128::from(log2(total)));
        let thousandths = whole.saturating_sub(sum).saturating_mul(1000) / u128::from(total);
        let rounded = thousandths.saturating_add(1 << (FRACTION - 1)) >> FRACTION;
        u16::try_from(rounded).unwrap_or(8000).min(8000)
    }
}

/// The binary logarithm of a number that is not zero, with [`FRACTION`] fractional bits: one bit with each squaring.
fn log2(number: u64) -> u64 {
    let whole = number.max(1).ilog2();
    // Between 1 and 2, with 63 fractional bits.
    let mut mantissa = u128::from(number) << (63_u32.saturating_sub(whole));
    let mut result = u64::from(whole);
    for _ in 0..FRACTION {
        mantissa = mantissa.saturating_mul(mantissa) >> 63;
        let is_two = mantissa >> 64 != 0;
        result = result << 1 | u64::from(is_two);
        mantissa >>= u32::from(is_two);
    }
    result
}

fn to_index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entropy(bytes: &[u8]) -> u16 {
        let mut histogram = Histogram([0; 256]);
        histogram.add(bytes);
        histogram.entropy()
    }

    #[test]
    fn entropies_are_those_of_the_definition() {
        let all: Vec<u8> = (0..=255).collect();
        for (bytes, expected) in [
            (&b""[..], 0),
            (b"aaaa", 0),
            (b"ab", 1000),
            (b"aab", 918),
            (b"abcd", 2000),
            (&all, 8000),
        ] {
            assert_eq!(entropy(bytes), expected, "{bytes:?}");
        }
    }

    #[test]
    fn logarithms_are_close_to_those_of_the_processor() {
        for number in [1_u64, 2, 3, 5, 1000, 4096, 123_456_789, u64::from(u32::MAX), u64::MAX / 3] {
            #[expect(clippy::cast_precision_loss, reason = "a comparison of three digits")]
            let (own, expected) = (log2(number) as f64 / 2_f64.powi(32), (number as f64).log2());
            assert!((own - expected).abs() < 1e-6, "{number}: {own} {expected}");
        }
    }

    #[test]
    fn pieces_are_counted_once_however_spans_overlap_and_parts_are_cut() {
        let bytes = b"aaaabbbbccccdddd";
        let span = |start, end| Span { start, end };
        let spans = vec![span(0, 4), span(0, 8), span(2, 6), span(9, 9), span(0, 16)];
        for step in [1, 3, 16] {
            let mut counter = Counter::new(spans.clone(), vec![span(12, 14), span(15, 16)]);
            for (index, part) in bytes.chunks(step).enumerate() {
                counter.count((index * step) as u64, part);
            }
            let found = counter.finish();
            assert_eq!(found.sections, [0, 1000, 1000, 0, 2000], "{step}");
            assert_eq!(found.overlay, Some((3, 0)), "{step}");
        }
    }
}
