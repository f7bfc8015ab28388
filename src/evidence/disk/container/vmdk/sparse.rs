//! One sparse extent: a directory of tables of grains.

use std::io;
use std::sync::Arc;

use super::super::bytes::Fields;
use super::super::mapped::{LARGEST_UNIT, Place, Unit};
use super::super::unpack::Method;
use super::super::{damaged, unsupported};
use super::SECTOR;
use super::descriptor::{Descriptor, MOST};
use crate::evidence::source::{SharedSource, read_exact_at, read_up_to};

/// The directory is in a footer, 1024 bytes before the end: the extent was written as a stream.
const AT_END: u64 = u64::MAX;
const COMPRESSED: u32 = 1 << 16;
/// A grain that was written with zeros.
const ZEROED: u32 = 1;

pub(super) struct Sparse {
    file: SharedSource,
    /// In bytes.
    capacity: u64,
    /// Of a grain, in bytes.
    grain: u64,
    /// Entries of one table.
    per_table: u64,
    /// Where the directory begins, in bytes.
    directory: u64,
    is_compressed: bool,
    /// Where the embedded descriptor is, in bytes, and its size.
    descriptor: (u64, u64),
}

impl Sparse {
    pub(super) fn read(file: &SharedSource) -> io::Result<Self> {
        let mut bytes = [0; 512];
        read_exact_at(file.as_ref(), 0, &mut bytes)?;
        let mut sparse = match bytes.get(..4) {
            Some(b"KDMV") => Self::hosted(file, &Fields(&bytes))?,
            Some(b"COWD") => Self::copy_on_write(file, &Fields(&bytes)),
            _ => return Err(damaged("an extent of the virtual disk has no header")),
        };
        if sparse.directory == AT_END.saturating_mul(SECTOR) {
            let descriptor = sparse.descriptor;
            let at = file.size().saturating_sub(1024);
            read_exact_at(file.as_ref(), at, &mut bytes)?;
            if !bytes.starts_with(b"KDMV") {
                return Err(damaged(
                    "the virtual disk is cut off: its directory was at the end, which is missing",
                ));
            }
            sparse = Self::hosted(file, &Fields(&bytes))?;
            sparse.descriptor = descriptor;
        }
        if sparse.grain == 0 || sparse.grain > LARGEST_UNIT || sparse.per_table == 0 {
            return Err(damaged(format!("grains of {} bytes", sparse.grain)));
        }
        Ok(sparse)
    }

    fn hosted(file: &SharedSource, fields: &Fields<'_>) -> io::Result<Self> {
        let is_compressed = fields.u32_le(8) & COMPRESSED != 0;
        if is_compressed && fields.u16_le(77) != 1 {
            return Err(unsupported("the compression method of the virtual disk is not known"));
        }
        Ok(Self {
            file: Arc::clone(file),
            capacity: fields.u64_le(12).saturating_mul(SECTOR),
            grain: fields.u64_le(20).saturating_mul(SECTOR),
            per_table: u64::from(fields.u32_le(44)),
            directory: fields.u64_le(56).saturating_mul(SECTOR),
            is_compressed,
            descriptor: (
                fields.u64_le(28).saturating_mul(SECTOR),
                fields.u64_le(36).saturating_mul(SECTOR),
            ),
        })
    }

    /// The sparse format of ESX before 6.5, which holds no descriptor.
    fn copy_on_write(file: &SharedSource, fields: &Fields<'_>) -> Self {
        Self {
            file: Arc::clone(file),
            capacity: u64::from(fields.u32_le(12)).saturating_mul(SECTOR),
            grain: u64::from(fields.u32_le(16)).saturating_mul(SECTOR),
            per_table: 4096,
            directory: u64::from(fields.u32_le(20)).saturating_mul(SECTOR),
            is_compressed: false,
            descriptor: (0, 0),
        }
    }

    pub(super) fn size(&self) -> u64 {
        self.capacity
    }

    pub(super) fn descriptor(&self) -> io::Result<Option<Descriptor>> {
        let (at, size) = self.descriptor;
        if at == 0 || size == 0 {
            return Ok(None);
        }
        let mut text = vec![0; usize::try_from(size).unwrap_or(MOST).min(MOST)];
        let count = read_up_to(self.file.as_ref(), at, &mut text)?;
        let text = text.get(..count).unwrap_or_default();
        if !super::descriptor::is_one(text) {
            return Ok(None);
        }
        Descriptor::parse(text).map(Some)
    }

    /// Where bytes of the extent are, which begins at `extent` on the disk; no place where they were never written.
    pub(super) fn find(&self, offset: u64, extent: u64) -> io::Result<(Option<Place>, u64)> {
        let grain = offset.checked_div(self.grain).unwrap_or_default();
        let within = offset.checked_rem(self.grain).unwrap_or_default();
        let rest = self.grain.saturating_sub(within);
        let index = grain.checked_div(self.per_table).unwrap_or_default();
        let in_table = grain.checked_rem(self.per_table).unwrap_or_default();
        let table = self.entry(self.directory.saturating_add(index.saturating_mul(4)))?;
        if table == 0 {
            let grains = self.per_table.saturating_sub(in_table).saturating_sub(1);
            return Ok((None, grains.saturating_mul(self.grain).saturating_add(rest)));
        }
        let table = u64::from(table).saturating_mul(SECTOR);
        let place = match self.entry(table.saturating_add(in_table.saturating_mul(4)))? {
            0 => None,
            ZEROED => Some(Place::Zeros),
            entry => {
                let at = u64::from(entry).saturating_mul(SECTOR);
                Some(if self.is_compressed {
                    let start = extent.saturating_add(offset.saturating_sub(within));
                    Place::Packed(self.compressed(at, start)?)
                } else {
                    Place::Stored(Arc::clone(&self.file), at.saturating_add(within))
                })
            }
        };
        Ok((place, rest))
    }

    /// A compressed grain begins with its sector on the disk (8 bytes) and its packed size (4).
    fn compressed(&self, at: u64, start: u64) -> io::Result<Unit> {
        let mut marker = [0; 12];
        read_exact_at(self.file.as_ref(), at, &mut marker)?;
        Ok(Unit {
            source: Arc::clone(&self.file),
            offset: at.saturating_add(12),
            packed: u64::from(Fields(&marker).u32_le(8)),
            method: Method::Zlib,
            start,
            size: self.grain,
        })
    }

    fn entry(&self, at: u64) -> io::Result<u32> {
        let mut entry = [0; 4];
        read_exact_at(self.file.as_ref(), at, &mut entry)
            .map_err(|error| io::Error::new(error.kind(), "a table of the image is cut off"))?;
        Ok(u32::from_le_bytes(entry))
    }

    /// The end of the last table or grain that is named, as far as 64 MiB of tables tell.
    pub(super) fn furthest(&self) -> io::Result<u64> {
        let grains = self.capacity.div_ceil(self.grain);
        let tables = grains.div_ceil(self.per_table);
        let table_size = self.per_table.saturating_mul(4);
        let most = (64_u64 << 20).checked_div(table_size).unwrap_or_default();
        let mut furthest = self.directory;
        // A grain that is packed has a size of its own; that it begins is what can be told here.
        let grain = if self.is_compressed { 12 } else { self.grain };
        let mut bytes = vec![0; usize::try_from(table_size.min(1 << 20)).unwrap_or_default()];
        for index in 0..tables.min(most) {
            let at = self.directory.saturating_add(index.saturating_mul(4));
            let Ok(table) = self.entry(at) else { return Ok(furthest.max(at.saturating_add(4))) };
            if table == 0 {
                continue;
            }
            let table = u64::from(table).saturating_mul(SECTOR);
            furthest = furthest.max(table.saturating_add(table_size));
            let count = read_up_to(self.file.as_ref(), table, &mut bytes)?;
            let first = index.saturating_mul(self.per_table);
            let used = usize::try_from(grains.saturating_sub(first)).unwrap_or(usize::MAX);
            let entries = bytes.get(..count).unwrap_or_default().chunks_exact(4).take(used);
            let last = entries.map(|entry| Fields(entry).u32_le(0)).max().unwrap_or_default();
            if last > ZEROED {
                let at = u64::from(last).saturating_mul(SECTOR);
                furthest = furthest.max(at.saturating_add(grain));
            }
        }
        Ok(furthest)
    }
}
