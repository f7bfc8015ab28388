//! The base block: the first 4,096 bytes of a hive, 512 of them in use.
//!
//! Layout: the regf specification of M. Suhanov, "Base block".

use super::bytes::{array_at, put, size_at, u32_at, u64_at};
use crate::{text, time};

/// Bytes before the first hive bin of a primary file; every cell offset counts from here.
pub(super) const HIVE_BINS_START: usize = 4096;
/// Bytes the base block uses, and its whole length in a transaction log.
pub(super) const USED: usize = 512;
const CHECKSUM: usize = 508;

/// What the base block of a hive or log says about the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseBlock {
    /// Incremented when a write begins.
    pub primary_sequence: u32,
    /// Set equal to the primary number when a write ends; a difference means an interrupted write.
    pub secondary_sequence: u32,
    /// When the hive was last written, UTC; since Windows 8.1 often not kept.
    pub last_write: Option<jiff::Timestamp>,
    /// The same as raw FILETIME ticks (100 ns); old-format logs belong to the hive with the same number.
    pub last_write_ticks: u64,
    /// Major version, 1.
    pub major_version: u32,
    /// Minor version: 3 Windows NT 4 and 2000, 4 and 5 Windows XP to 10, 6 big data in differencing hives.
    pub minor_version: u32,
    /// 0 primary, 1 and 2 old-format log, 6 new-format log.
    pub file_type: u32,
    /// Root key cell, in bytes from the first hive bin.
    pub root_cell: u32,
    /// Bytes of hive bins after the base block.
    pub hive_bins_size: usize,
    /// The last characters of the path under which Windows loaded the hive.
    pub file_name: String,
    /// Whether the stored checksum is right.
    pub checksum_valid: bool,
}

impl BaseBlock {
    /// Reads a base block; `None` when fewer than 512 bytes are there or the signature is not `regf`.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let block = bytes.get(..USED)?;
        if !block.starts_with(b"regf") {
            return None;
        }
        let ticks = u64_at(block, 12)?;
        Some(Self {
            primary_sequence: u32_at(block, 4)?,
            secondary_sequence: u32_at(block, 8)?,
            last_write: time::from_filetime(ticks),
            last_write_ticks: ticks,
            major_version: u32_at(block, 20)?,
            minor_version: u32_at(block, 24)?,
            file_type: u32_at(block, 28)?,
            root_cell: u32_at(block, 36)?,
            hive_bins_size: size_at(block, 40)?,
            file_name: text::utf16le_until_nul(&array_at::<64>(block, 48)?),
            checksum_valid: u32_at(block, CHECKSUM)? == checksum(block),
        })
    }

    /// Whether the last write to the hive was not finished: bad checksum or unequal sequence numbers.
    pub fn is_dirty(&self) -> bool {
        !self.checksum_valid || self.primary_sequence != self.secondary_sequence
    }
}

/// XOR of the first 127 words; 0 is stored as 1 and 0xFFFFFFFF as 0xFFFFFFFE.
fn checksum(block: &[u8]) -> u32 {
    let words = block.get(..CHECKSUM).unwrap_or_default().chunks_exact(4);
    match words.fold(0, |sum, word| sum ^ u32_at(word, 0).unwrap_or(0)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}

/// Marks a replayed hive as cleanly written: a primary file, both sequence numbers equal, checksum right.
pub(super) fn seal(bytes: &mut [u8], sequence: u32, hive_bins_size: u32) {
    put(bytes, 4, &sequence.to_le_bytes());
    put(bytes, 8, &sequence.to_le_bytes());
    put(bytes, 28, &0_u32.to_le_bytes());
    put(bytes, 40, &hive_bins_size.to_le_bytes());
    let sum = checksum(bytes);
    put(bytes, CHECKSUM, &sum.to_le_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealing_makes_a_clean_primary() {
        let mut block = vec![0; 4096];
        put(&mut block, 0, b"regf");
        put(&mut block, 28, &6_u32.to_le_bytes());
        assert!(BaseBlock::parse(&block).unwrap().is_dirty());
        seal(&mut block, 7, 8192);
        let sealed = BaseBlock::parse(&block).unwrap();
        assert!(!sealed.is_dirty());
        assert_eq!(
            (sealed.primary_sequence, sealed.file_type, sealed.hive_bins_size),
            (7, 0, 8192)
        );
    }

    #[test]
    fn short_or_foreign_files_have_no_base_block() {
        assert_eq!(BaseBlock::parse(b"regf"), None);
        assert_eq!(BaseBlock::parse(&[0; 4096]), None);
    }
}
