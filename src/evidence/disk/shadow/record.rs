//! The records of the volume shadow service: blocks of 16 KiB, little-endian.

use std::collections::BTreeSet;
use std::io;

use crate::bytes::{u32_at, u64_at};
use crate::evidence::source::{Source, read_exact_at};

/// Size of a block of the volume and of every record, in bytes.
pub(super) const BLOCK: u64 = 0x4000;
/// Size of a block's header, in bytes.
pub(super) const HEADER: usize = 128;
/// `3808876b-c176-4e48-b7ae-04046e6cc752`: how every record begins.
pub(super) const IDENTIFIER: [u8; 16] = [
    0x6b, 0x87, 0x08, 0x38, 0x76, 0xc1, 0x48, 0x4e, 0xb7, 0xae, 0x04, 0x04, 0x6e, 0x6c, 0xc7, 0x52,
];

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    VolumeHeader = 1,
    Catalog = 2,
    BlockList = 3,
    StoreHeader = 4,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Self::VolumeHeader => "volume header",
            Self::Catalog => "catalog",
            Self::BlockList => "block list",
            Self::StoreHeader => "store header",
        }
    }

    /// Whether bytes begin a record of this kind.
    pub(super) fn begins(self, record: &[u8]) -> bool {
        record.starts_with(&IDENTIFIER)
            && u32_at(record, 20).is_some_and(|kind| i64::from(kind) == self as i64)
    }
}

/// A GUID as `vssadmin` prints it.
pub(super) fn guid(bytes: &[u8; 16]) -> String {
    let first = u32_at(bytes, 0).unwrap_or_default();
    let middle = u32_at(bytes, 4).unwrap_or_default();
    let last = u64_at(bytes, 8).unwrap_or_default().swap_bytes();
    format!(
        "{{{first:08x}-{:04x}-{:04x}-{:04x}-{:012x}}}",
        middle & 0xffff,
        middle >> 16,
        last >> 48,
        last & 0xffff_ffff_ffff
    )
}

/// Reads one record and checks what it is.
pub(super) fn read(source: &dyn Source, offset: u64, kind: Kind) -> io::Result<Vec<u8>> {
    let mut record = vec![0; usize::try_from(BLOCK).unwrap_or_default()];
    read_exact_at(source, offset, &mut record)?;
    if kind.begins(&record) {
        return Ok(record);
    }
    let message = format!("no {} at offset {offset:#x} of the volume", kind.words());
    Err(io::Error::new(io::ErrorKind::InvalidData, message))
}

/// Reads records that point to each other, at most `most`; gives each to `take`. A record is read once.
pub(super) fn follow(
    source: &dyn Source,
    first: u64,
    kind: Kind,
    most: usize,
    take: &mut dyn FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<()> {
    let damaged = |message: String| Err(io::Error::new(io::ErrorKind::InvalidData, message));
    let mut seen = BTreeSet::new();
    let mut next = first;
    while next != 0 {
        if !seen.insert(next) {
            return damaged(format!("the {} leads back to offset {next:#x}", kind.words()));
        }
        if seen.len() > most {
            return damaged(format!("the {} has more than {most} records", kind.words()));
        }
        let record = read(source, next, kind)?;
        take(&record)?;
        next = u64_at(&record, 40).unwrap_or_default();
    }
    Ok(())
}
