//! `$FILE_NAME`: a name of a file, in its record and, copied, in the index of its folder.
//!
//! Layout: Linux-NTFS project, `$FILE_NAME`.

use super::bytes::{slice_at, u32_at, u64_at, units};
use super::record::Reference;
use crate::evidence::file_tree::{TimeSource, Times};
use crate::time::from_filetime;

/// Flags of a name, as far as they differ from `FILE_ATTRIBUTE_*` or matter here.
const IS_FOLDER: u32 = 0x1000_0000;
const IS_REPARSE_POINT: u32 = 0x400;
const WIN32: u8 = 1;
const DOS: u8 = 2;
const WIN32_AND_DOS: u8 = 3;

/// A name of a file.
#[derive(Debug, Clone)]
pub(super) struct FileName {
    pub(super) folder: Reference,
    pub(super) name: Vec<u16>,
    namespace: u8,
    flags: u32,
    /// What kind of reparse point, where it is one.
    pub(super) tag: u32,
    /// The size of the unnamed stream in bytes, as of the last change of the name or of the index.
    pub(super) size: u64,
    /// As [`times_at`] orders them.
    pub(super) times: [u64; 4],
}

impl FileName {
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let length = usize::from(*bytes.get(64)?).checked_mul(2)?;
        Some(Self {
            folder: Reference::parse(bytes, 0)?,
            name: slice_at(bytes, 66, length).filter(|name| !name.is_empty()).map(units)?,
            namespace: *bytes.get(65)?,
            flags: u32_at(bytes, 56)?,
            tag: u32_at(bytes, 60)?,
            size: u64_at(bytes, 48)?,
            times: times_at(bytes, 8)?,
        })
    }

    /// Whether it is only the short form (8.3) of another name.
    pub(super) fn is_short(&self) -> bool {
        self.namespace == DOS
    }

    /// Whether it is the long form of the short one.
    pub(super) fn is_long(&self) -> bool {
        self.namespace == WIN32 || self.namespace == WIN32_AND_DOS
    }

    pub(super) fn is_folder(&self) -> bool {
        self.flags & IS_FOLDER != 0
    }

    pub(super) fn is_reparse_point(&self) -> bool {
        self.flags & IS_REPARSE_POINT != 0
    }

    pub(super) fn times(&self, source: TimeSource) -> Times {
        times(self.times, source)
    }
}

/// Four times (100 ns ticks since 1601, UTC) in the order that all NTFS structures have them in.
pub(super) fn times_at(bytes: &[u8], at: usize) -> Option<[u64; 4]> {
    let time = |nth: usize| u64_at(bytes, at.checked_add(nth.checked_mul(8)?)?);
    Some([time(0)?, time(1)?, time(2)?, time(3)?])
}

pub(super) fn times([created, modified, changed, accessed]: [u64; 4], source: TimeSource) -> Times {
    Times {
        source,
        created: from_filetime(created),
        modified: from_filetime(modified),
        changed: from_filetime(changed),
        accessed: from_filetime(accessed),
    }
}
