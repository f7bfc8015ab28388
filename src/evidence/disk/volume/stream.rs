//! A stream of a file: what its records say about it, and the source that reads it.

use std::io;
use std::sync::Arc;

use super::bytes::{damaged, length};
use super::lznt1::Lznt1;
use super::record::{Attribute, COMPRESSED, ENCRYPTED, SPARSE};
use super::runs::{Extents, Runs};
use crate::evidence::file_tree::Storage;
use crate::evidence::source::{MemorySource, SharedSource};

/// A stream, resolved: reading it needs nothing but the volume's bytes.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its size in bytes.
    pub(super) size: u64,
    flags: u16,
    body: Body,
}

#[derive(Debug)]
enum Body {
    /// In the file record.
    Here(Vec<u8>),
    /// Elsewhere on the volume. Both sizes are in bytes; the unit is 0 where nothing is compressed.
    Outside { runs: Runs, valid: u64, unit: u64 },
}

impl Stream {
    /// Puts the parts of one attribute together.
    ///
    /// # Errors
    /// Where the first part is missing: only it knows the sizes.
    pub(super) fn of(parts: &[Attribute<'_>], cluster: u64) -> io::Result<Self> {
        if let Some((value, part)) = parts.iter().find_map(|part| Some((part.value()?, part))) {
            let body = Body::Here(value.to_vec());
            return Ok(Self { size: length(value), flags: part.flags(), body });
        }
        let first = parts.iter().find_map(|part| {
            part.outside()
                .filter(|outside| outside.first_cluster == 0)
                .map(|outside| (outside, part))
        });
        let (first, flags) = match first {
            Some((outside, part)) => (outside, part.flags()),
            None => return Err(damaged("the first part of the stream is lost")),
        };
        let may_have_holes = flags & (SPARSE | COMPRESSED) != 0;
        let mut runs = Runs::default();
        for part in parts.iter().filter_map(Attribute::outside) {
            runs.add(part.pairs, part.first_cluster, cluster, may_have_holes);
        }
        runs.sort();
        let is_compressed = flags & COMPRESSED != 0;
        let unit = if is_compressed { first.clusters_per_unit.saturating_mul(cluster) } else { 0 };
        Ok(Self { size: first.size, flags, body: Body::Outside { runs, valid: first.valid, unit } })
    }

    /// How it is kept.
    pub(super) fn storage(&self) -> Storage {
        if self.flags & ENCRYPTED != 0 {
            Storage::Encrypted
        } else if self.flags & COMPRESSED != 0 {
            Storage::Lznt1
        } else if self.flags & SPARSE != 0 {
            Storage::Sparse
        } else {
            Storage::Plain
        }
    }

    /// Its bytes.
    ///
    /// # Errors
    /// Where it is encrypted, or compressed in units that cannot be.
    pub(super) fn open(self, volume: &SharedSource) -> io::Result<SharedSource> {
        if self.flags & ENCRYPTED != 0 {
            return Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "encrypted with the Encrypting File System (EFS)",
            ));
        }
        match self.body {
            Body::Here(value) => Ok(Arc::new(MemorySource(value))),
            Body::Outside { runs, valid, unit } => {
                let volume = Arc::clone(volume);
                let extents = Extents { volume, runs: Arc::new(runs), size: self.size, valid };
                if unit == 0 {
                    return Ok(Arc::new(extents));
                }
                Ok(Arc::new(Lznt1::new(extents, unit)?))
            }
        }
    }
}
