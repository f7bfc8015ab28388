//! What a volume is by its first bytes.

use std::fmt;

use super::super::container::bytes::Fields;

/// Bytes from the start of a volume that hold every signature that is looked for.
pub(super) const SUPERBLOCKS: usize = (64 << 10) + 128;

/// What the first bytes of a volume say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing but zeros.
    Empty,
    Unknown,
    Volume(&'static str),
    /// Named, but not by its first sector alone: a disk that begins so may have a partition table too.
    Other(&'static str),
}

/// Signatures: offset, bytes, name. Those at offset 3 are the names of systems in boot sectors.
const VOLUMES: [(usize, &[u8], &str); 7] = [
    (3, b"NTFS    ", "NTFS"),
    (3, b"-FVE-FS-", "BitLocker"),
    (3, b"EXFAT   ", "exFAT"),
    (3, b"ReFS\0\0\0\0", "ReFS"),
    (82, b"FAT32   ", "FAT32"),
    (54, b"FAT16   ", "FAT16"),
    (54, b"FAT12   ", "FAT12"),
];

const OTHERS: [(usize, &[u8], &str); 9] = [
    (512, b"LABELONE", "Linux LVM"),
    (0, b"LUKS\xba\xbe", "LUKS"),
    (0, b"XFSB", "XFS"),
    (0, b"SPACEDB ", "Storage Spaces"),
    (32, b"NXSB", "APFS"),
    (1024, b"H+\0\x04", "HFS+"),
    (4086, b"SWAPSPACE2", "Linux swap"),
    (0x1_0040, b"_BHRfS_M", "Btrfs"),
    (0, b"\xeb\x58\x90MSWIN4.1", "FAT"),
];

/// The identifier in the boot sector of BitLocker To Go, at 424, which looks like one of FAT32
/// (4967D63B-2E29-4AD8-8399-F6A339E3D001).
const TO_GO: [u8; 16] = *b"\x3b\xd6\x67\x49\x29\x2e\xd8\x4a\x83\x99\xf6\xa3\x39\xe3\xd0\x01";

impl Content {
    pub(super) fn of(start: &[u8]) -> Self {
        let fields = Fields(start);
        let has = |(at, bytes, _): &&(usize, &[u8], &str)| fields.bytes(*at, bytes.len()) == *bytes;
        if fields.guid(424) == TO_GO {
            return Self::Volume("BitLocker");
        }
        if let Some((_, _, name)) = VOLUMES.iter().find(has) {
            return Self::Volume(name);
        }
        if let Some(name) = extended(&fields) {
            return Self::Volume(name);
        }
        if let Some((_, _, name)) = OTHERS.iter().find(has) {
            return Self::Other(name);
        }
        if start.iter().all(|byte| *byte == 0) { Self::Empty } else { Self::Unknown }
    }

    /// Whether it is certain that a disk beginning so is a volume without a partition table.
    pub(super) fn is_volume(self) -> bool {
        matches!(self, Self::Volume(_))
    }
}

/// ext2 to ext4 by the superblock at 1024: its magic has two bytes, so other fields must fit too.
fn extended(fields: &Fields<'_>) -> Option<&'static str> {
    const AT: usize = 1024;
    let is_one = fields.u16_le(AT + 56) == 0xEF53
        && fields.u32_le(AT) > 0
        && fields.u32_le(AT + 24) <= 6
        && fields.u32_le(AT + 76) <= 1;
    let has_journal = fields.u32_le(AT + 92) & 0x4 != 0;
    let has_extents = fields.u32_le(AT + 96) & 0x40 != 0;
    is_one.then_some(match (has_extents, has_journal) {
        (true, _) => "ext4",
        (false, true) => "ext3",
        (false, false) => "ext2",
    })
}

impl fmt::Display for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Unknown => "unknown",
            Self::Volume(name) | Self::Other(name) => name,
        })
    }
}
