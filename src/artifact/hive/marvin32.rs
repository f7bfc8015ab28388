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

    /// Checked with yarp 1.0.33, which verified real logs.
    #[test]
    fn sums_are_those_of_an_independent_reader() {
        let counting: Vec<u8> = (0..32).collect();
        for (bytes, sum) in [
            (&b""[..], 0xb39e_fca4_0396_6e08),
            (b"A", 0xc6d9_f6c9_8b6a_e712),
            (b"AAAA", 0xa31d_4e18_d71c_8a3d),
            (b"AAAAA", 0x0a1b_c525_19d9_1f80),
            (&counting, 0xc64f_eee4_25c2_e24c),
        ] {
            assert_eq!(marvin32(bytes), sum, "{bytes:?}");
        }
    }
}
