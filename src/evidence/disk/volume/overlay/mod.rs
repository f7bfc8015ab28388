//! Files compressed by the Windows Overlay Filter (`CompactOS`, `compact /exe`).
//!
//! The file's unnamed stream is one large hole; a stream `WofCompressedData` holds a table of chunk offsets and
//! the chunks. Layout: wimlib, `resource.c` and the documentation of `system compression` of ntfs-3g; the reparse
//! point: Microsoft, `WOF_EXTERNAL_INFO` and `FILE_PROVIDER_EXTERNAL_INFO_V1` (ntifs.h).

mod bits;
mod huffman;
mod lzx;
mod xpress;

use std::io;

use super::bytes::{damaged, index, u32_at, u64_at};
use super::cache::{Cache, copy};
use super::guard::guarded;
use crate::evidence::source::{SharedSource, Source, read_exact_at};

/// The stream with the compressed bytes.
pub(in crate::evidence::disk::volume) const STREAM: &str = "WofCompressedData";

/// How a file's chunks are compressed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Algorithm {
    pub(super) name: &'static str,
    /// What one chunk holds unpacked, in bytes.
    chunk: u32,
    unpack: fn(&[u8], usize) -> io::Result<Vec<u8>>,
}

impl Algorithm {
    /// By its number, `FILE_PROVIDER_COMPRESSION_*`.
    pub(super) fn by_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self { name: "XPRESS4K", chunk: 4 << 10, unpack: xpress::decompress },
            1 => Self { name: "LZX", chunk: 32 << 10, unpack: lzx::decompress },
            2 => Self { name: "XPRESS8K", chunk: 8 << 10, unpack: xpress::decompress },
            3 => Self { name: "XPRESS16K", chunk: 16 << 10, unpack: xpress::decompress },
            _ => return None,
        })
    }
}

/// A file behind the overlay, chunk by chunk.
pub(super) struct Overlay {
    packed: SharedSource,
    size: u64,
    algorithm: Algorithm,
    cache: Cache<Vec<u8>>,
}

impl Overlay {
    /// `size` is that of the file's unnamed stream, in bytes.
    pub(super) fn new(packed: SharedSource, size: u64, algorithm: Algorithm) -> Self {
        Self { packed, size, algorithm, cache: Cache::default() }
    }

    fn chunk_size(&self) -> u64 {
        self.algorithm.chunk.into()
    }

    /// The bytes of one entry of the table of offsets.
    fn entry_size(&self) -> u64 {
        if self.size > u32::MAX.into() { 8 } else { 4 }
    }

    /// Where a chunk begins in the packed stream. The table leaves out the first chunk, which follows it.
    fn start(&self, chunk: u64, chunks: u64) -> Option<io::Result<u64>> {
        let table = chunks.checked_sub(1)?.checked_mul(self.entry_size())?;
        let Some(entry) = chunk.checked_sub(1) else { return Some(Ok(table)) };
        if chunk >= chunks {
            return Some(Ok(self.packed.size()));
        }
        let mut bytes = [0; 8];
        let width = index(self.entry_size());
        let at = entry.checked_mul(self.entry_size())?;
        if let Err(error) = read_exact_at(self.packed.as_ref(), at, bytes.get_mut(..width)?) {
            return Some(Err(error));
        }
        let offset = if width == 4 { u32_at(&bytes, 0)?.into() } else { u64_at(&bytes, 0)? };
        Some(Ok(table.checked_add(offset)?))
    }

    fn unpack(&self, chunk: u64) -> io::Result<Vec<u8>> {
        let wrong = || damaged(format!("chunk {chunk} of the overlay is not where it should be"));
        let chunks = self.size.div_ceil(self.chunk_size());
        let start = self.start(chunk, chunks).ok_or_else(wrong)??;
        let end = self.start(chunk.saturating_add(1), chunks).ok_or_else(wrong)??;
        let before = chunk.saturating_mul(self.chunk_size());
        let plain = self.size.saturating_sub(before).min(self.chunk_size());
        let length = end.checked_sub(start).filter(|length| (1..=plain).contains(length));
        let length = length.filter(|_| end <= self.packed.size()).ok_or_else(wrong)?;
        let mut bytes = vec![0; index(length)];
        read_exact_at(self.packed.as_ref(), start, &mut bytes)?;
        // A chunk that did not get smaller is kept as it is.
        if length == plain {
            return Ok(bytes);
        }
        guarded(|| (self.algorithm.unpack)(&bytes, index(plain))).map_err(|error| {
            damaged(format!("chunk {chunk} of the overlay ({}): {error}", self.algorithm.name))
        })
    }
}

impl Source for Overlay {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.size || buffer.is_empty() {
            return Ok(0);
        }
        let chunk = offset.checked_div(self.chunk_size()).unwrap_or(0);
        let into = offset.saturating_sub(chunk.saturating_mul(self.chunk_size()));
        let plain = self.cache.get(chunk, || self.unpack(chunk))?;
        Ok(copy(&plain, index(into), buffer))
    }
}
