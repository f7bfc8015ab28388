//! Streams with NTFS compression: units of some clusters, each compressed by itself with LZNT1.
//!
//! Format: \[MS-XCA\] 2.5; how units are kept: Linux-NTFS project, "Compression".

use std::io;

use super::bytes::{damaged, index, u16_at};
use super::cache::{Cache, copy};
use super::guard::guarded;
use super::runs::{Extents, Place};
use crate::evidence::source::{Source, read_exact_at};

/// Windows uses 64 KiB at most.
const LARGEST_UNIT: u64 = 1 << 20;
/// What one chunk holds unpacked.
const CHUNK: usize = 4096;

/// A compressed stream.
pub(super) struct Lznt1 {
    /// Where its clusters are, without regard to compression.
    stored: Extents,
    unit: u64,
    cache: Cache<Vec<u8>>,
}

/// How a unit is kept.
enum Unit {
    Plain,
    Hole,
    /// That many bytes of compressed data; the rest of the unit has no clusters.
    Packed(u64),
}

impl Lznt1 {
    pub(super) fn new(stored: Extents, unit: u64) -> io::Result<Self> {
        if unit > LARGEST_UNIT {
            return Err(damaged(format!("compressed in units of {unit} bytes")));
        }
        Ok(Self { stored, unit, cache: Cache::default() })
    }

    fn kind(&self, start: u64) -> io::Result<Unit> {
        let (mut packed, mut at) = (0, 0_u64);
        while at < self.unit {
            let (place, length) = self.stored.runs.at(start.saturating_add(at));
            let length = length.min(self.unit.saturating_sub(at));
            match place {
                // The last unit of a stream need not have all its clusters.
                Place::Lost if start.saturating_add(at) < self.stored.size => {
                    let at = start.saturating_add(at);
                    return Err(damaged(format!("where byte {at} is kept is not known")));
                }
                Place::Volume(_) if packed < at => {
                    return Err(damaged(format!("the compressed unit at byte {start} has gaps")));
                }
                Place::Volume(_) => packed = at.saturating_add(length),
                Place::Hole | Place::Lost => {}
            }
            at = at.saturating_add(length.max(1));
        }
        Ok(match packed {
            0 => Unit::Hole,
            packed if packed >= self.unit => Unit::Plain,
            packed => Unit::Packed(packed),
        })
    }

    fn unpack(&self, start: u64, packed: u64, wanted: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; index(packed)];
        let stored = Extents {
            volume: self.stored.volume.clone(),
            runs: self.stored.runs.clone(),
            size: u64::MAX,
            valid: u64::MAX,
        };
        read_exact_at(&stored, start, &mut bytes)?;
        let plain = decompress(&bytes, index(self.unit))?;
        if plain.len() < wanted {
            return Err(damaged(format!("the compressed data at byte {start} end too early")));
        }
        Ok(plain)
    }
}

impl Source for Lznt1 {
    fn size(&self) -> u64 {
        self.stored.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset >= self.stored.valid.min(self.stored.size) {
            return self.stored.read_at(offset, buffer);
        }
        let into = offset.checked_rem(self.unit).unwrap_or(0);
        let start = offset.saturating_sub(into);
        let end = start.saturating_add(self.unit).min(self.stored.valid).min(self.stored.size);
        let count = buffer.len().min(index(end.saturating_sub(offset)));
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        match self.kind(start)? {
            Unit::Plain | Unit::Hole => self.stored.read_at(offset, buffer),
            Unit::Packed(packed) => {
                let wanted = index(end.saturating_sub(start));
                let unit = self.cache.get(start, || self.unpack(start, packed, wanted))?;
                Ok(copy(&unit, index(into), buffer))
            }
        }
    }
}

/// Unpacks a unit chunk by chunk, so that no chunk can grow beyond what one may hold.
fn decompress(packed: &[u8], most: usize) -> io::Result<Vec<u8>> {
    let mut plain = Vec::with_capacity(most);
    let mut rest = packed;
    while let Some(header) = u16_at(rest, 0).filter(|header| *header != 0) {
        let end = usize::from(header & 0x0fff).saturating_add(3);
        let chunk = rest.get(..end).ok_or_else(|| damaged("a compressed chunk is cut off"))?;
        // A chunk that is not the last stands for 4,096 bytes, whatever it holds.
        plain.resize(plain.len().next_multiple_of(CHUNK), 0);
        let mut unpacked = Vec::new();
        guarded(|| {
            lznt1::decompress(chunk, &mut unpacked)
                .map_err(|error| damaged(format!("a compressed chunk is damaged: {error}")))
        })?;
        if unpacked.len() > CHUNK || plain.len().saturating_add(unpacked.len()) > most {
            return Err(damaged("a compressed chunk holds too much"));
        }
        plain.append(&mut unpacked);
        rest = rest.get(end..).unwrap_or_default();
    }
    Ok(plain)
}
