//! The base block: the first 4096 bytes of a hive file, and of its logs (512 bytes there).

use jiff::Timestamp;

use crate::lab::bytes::{Buffer, length, patch, utf16};
use crate::time::to_filetime;

/// Bytes of the base block of a primary file.
pub const BASE_BLOCK: usize = 4096;
const CHECKED: usize = 508;

/// The state of a hive file as its base block tells it.
///
/// Layout: Suhanov, "Windows registry file format specification" (CC-BY-4.0).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseBlock {
    /// Increased when a write begins.
    pub primary_sequence: u32,
    /// Made equal when it has ended; a difference means the hive is dirty.
    pub secondary_sequence: u32,
    /// Time of the last write; since Windows 8.1 usually left empty.
    pub last_written: Option<Timestamp>,
    /// 3 to 6, for version 1.3 to 1.6.
    pub minor_version: u32,
    /// Up to 31 characters: the tail of the path the hive was loaded from.
    pub file_name: String,
    /// False writes a checksum that does not match, which makes the hive dirty as well.
    pub valid_checksum: bool,
}

impl BaseBlock {
    /// A hive that was written completely.
    pub fn clean(file_name: &str, sequence: u32) -> BaseBlock {
        BaseBlock {
            primary_sequence: sequence,
            secondary_sequence: sequence,
            last_written: None,
            minor_version: 5,
            file_name: file_name.to_owned(),
            valid_checksum: true,
        }
    }

    /// A hive whose last changes are in the transaction logs only.
    #[must_use]
    pub fn dirty(mut self) -> BaseBlock {
        self.primary_sequence = self.secondary_sequence.saturating_add(1);
        self
    }

    /// The block as a file of this type (0 primary, 1 old log, 6 new log) begins with it.
    pub(super) fn encode(
        &self,
        file_type: u32,
        root: u32,
        bins_size: usize,
        len: usize,
    ) -> Vec<u8> {
        let mut block = Buffer::with(b"regf");
        block.u32(self.primary_sequence).u32(self.secondary_sequence);
        block.u64(self.last_written.map_or(0, to_filetime));
        block.u32(1).u32(self.minor_version).u32(file_type).u32(1);
        block.u32(root).u32(length(bins_size)).u32(1);
        let mut name = utf16(&self.file_name);
        name.resize(64, 0);
        block.bytes(&name).align(len);
        let mut bytes = block.into_vec();
        let checksum = checksum(&bytes) ^ if self.valid_checksum { 0 } else { 0x5a5a };
        patch(&mut bytes, CHECKED, &checksum.to_le_bytes());
        bytes
    }
}

/// XOR of the first 127 words; 0 and -1 are avoided.
fn checksum(block: &[u8]) -> u32 {
    let words = block.get(..CHECKED).unwrap_or_default().as_chunks::<4>().0;
    match words.iter().fold(0, |sum, word| sum ^ u32::from_le_bytes(*word)) {
        0 => 1,
        u32::MAX => u32::MAX - 1,
        sum => sum,
    }
}
