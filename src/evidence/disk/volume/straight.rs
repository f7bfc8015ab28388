//! A view of the volume in which the `$MFT` is in one piece.
//!
//! The crate that looks names up finds only the part of a fragmented `$MFT` that its first record describes. So it
//! is shown the volume with the whole `$MFT` appended, a boot sector that leads there, and a first record that
//! says no more than how long it is.

use std::io;

use super::boot::{BOOT_SECTOR, Geometry};
use super::bytes::index;
use super::mft::Mft;
use super::runs::Extents;
use crate::evidence::source::{SharedSource, Source};

/// The volume, then the `$MFT`.
pub(super) struct Straightened {
    volume: SharedSource,
    boot_sector: [u8; BOOT_SECTOR],
    first_record: Vec<u8>,
    mft: Extents,
    /// Where the appended `$MFT` begins, in bytes.
    start: u64,
}

impl Straightened {
    /// Absent where the sizes leave no room.
    pub(super) fn new(volume: &SharedSource, geometry: &Geometry, mft: &Mft) -> Option<Self> {
        let end = volume.size().max(geometry.size);
        let start = end.checked_next_multiple_of(geometry.cluster)?;
        let clusters = mft.size.div_ceil(geometry.cluster);
        let lcn = start.checked_div(geometry.cluster)?;
        let all = start.checked_add(clusters.checked_mul(geometry.cluster)?)?;
        let mut boot_sector = geometry.bytes;
        put(&mut boot_sector, 40, &all.checked_div(geometry.sector)?.to_le_bytes());
        put(&mut boot_sector, 48, &lcn.to_le_bytes());
        put(&mut boot_sector, 510, &[0x55, 0xaa]);
        Some(Self {
            volume: SharedSource::clone(volume),
            boot_sector,
            first_record: first_record(index(geometry.record), clusters, lcn, mft.size)?,
            mft: mft.bytes(),
            start,
        })
    }
}

impl Source for Straightened {
    fn size(&self) -> u64 {
        self.start.saturating_add(self.mft.size())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(rest) = rest(&self.boot_sector, offset) {
            return Ok(copy(rest, buffer));
        }
        let Some(into) = offset.checked_sub(self.start) else {
            return match self.volume.read_at(offset, buffer)? {
                // Between the end of a volume that is cut off and the appended $MFT.
                0 if !buffer.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
                count => Ok(count.min(index(self.start.saturating_sub(offset)))),
            };
        };
        match rest(&self.first_record, into) {
            Some(rest) => Ok(copy(rest, buffer)),
            None => self.mft.read_at(into, buffer),
        }
    }
}

fn rest(bytes: &[u8], offset: u64) -> Option<&[u8]> {
    bytes.get(usize::try_from(offset).ok()?..).filter(|rest| !rest.is_empty())
}

fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let count = from.len().min(to.len());
    for (to, from) in to.iter_mut().zip(from) {
        *to = *from;
    }
    count
}

fn put(bytes: &mut [u8], at: usize, value: &[u8]) {
    if let Some(slot) = bytes.get_mut(at..).and_then(|rest| rest.get_mut(..value.len())) {
        slot.copy_from_slice(value);
    }
}

/// A file record with one attribute: an unnamed stream in one piece.
fn first_record(size: usize, clusters: u64, lcn: u64, length: u64) -> Option<Vec<u8>> {
    const ATTRIBUTE: usize = 512;
    let mut record = vec![0; size.max(1024)];
    let blocks = record.len() / 512;
    let number = |number: usize| u16::try_from(number).map(u16::to_le_bytes);
    put(&mut record, 0, b"FILE");
    put(&mut record, 4, &number(48).ok()?);
    put(&mut record, 6, &number(blocks.checked_add(1)?).ok()?);
    put(&mut record, 16, &[1, 0, 1, 0]);
    put(&mut record, 20, &number(ATTRIBUTE).ok()?);
    put(&mut record, 22, &[1, 0]);
    let size = u32::try_from(record.len()).ok()?;
    put(&mut record, 24, &size.to_le_bytes());
    put(&mut record, 28, &size.to_le_bytes());
    let mut attribute = vec![0_u8; 96];
    put(&mut attribute, 0, &[0x80, 0, 0, 0, 96, 0, 0, 0, 1]);
    put(&mut attribute, 24, &clusters.checked_sub(1)?.to_le_bytes());
    put(&mut attribute, 32, &[64, 0]);
    for at in [40, 48, 56] {
        put(&mut attribute, at, &length.to_le_bytes());
    }
    // One run: eight bytes of length, eight of place.
    put(&mut attribute, 64, &[0x88]);
    put(&mut attribute, 65, &clusters.to_le_bytes());
    put(&mut attribute, 73, &lcn.to_le_bytes());
    put(&mut record, ATTRIBUTE, &attribute);
    put(&mut record, ATTRIBUTE.checked_add(96)?, &[0xff; 4]);
    Some(record)
}
