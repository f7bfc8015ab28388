//! The boot sector: where the volume keeps its `$MFT`, and how large its units are.
//!
//! Layout: Microsoft, "NTFS boot sector", as given by the Linux-NTFS project's documentation (`$Boot`).

use std::io;

use super::bytes::{index, u16_at, u64_at};
use crate::evidence::source::{Source, read_up_to};

pub(super) const BOOT_SECTOR: usize = 512;
/// The backup is the last sector of the volume, and the volume may end before its partition.
const SEARCHED_FOR_BACKUP: u64 = 1 << 20;

/// The sizes of a volume, all in bytes.
#[derive(Debug, Clone)]
pub(super) struct Geometry {
    pub(super) sector: u64,
    pub(super) cluster: u64,
    pub(super) record: u64,
    pub(super) size: u64,
    pub(super) mft: u64,
    pub(super) mft_mirror: u64,
    pub(super) serial: u64,
    /// The sector itself.
    pub(super) bytes: [u8; BOOT_SECTOR],
}

impl Geometry {
    pub(super) fn parse(bytes: &[u8; BOOT_SECTOR]) -> Option<Self> {
        if bytes.get(3..11)? != b"NTFS    " {
            return None;
        }
        let sector = u64::from(u16_at(bytes, 11)?);
        let cluster = sector.checked_mul(sectors_per_cluster(*bytes.get(13)?)?)?;
        let record = record_size(*bytes.get(64)?, cluster)?;
        let is_size =
            |size: u64, least, most| size.is_power_of_two() && (least..=most).contains(&size);
        if !is_size(sector, 256, 4096)
            || !is_size(cluster, 256, 2 << 20)
            || !is_size(record, 512, 65_536)
        {
            return None;
        }
        let place = |at| u64_at(bytes, at)?.checked_mul(cluster);
        Some(Self {
            sector,
            cluster,
            record,
            size: u64_at(bytes, 40)?.checked_mul(sector).filter(|size| *size > 0)?,
            mft: place(48).filter(|place| *place > 0)?,
            mft_mirror: place(56)?,
            serial: u64_at(bytes, 72)?,
            bytes: *bytes,
        })
    }
}

/// Up to 128 as they are, larger clusters as a negative exponent of two.
fn sectors_per_cluster(field: u8) -> Option<u64> {
    match field {
        0 => None,
        1..=128 => Some(u64::from(field)),
        _ => 1_u64.checked_shl(field.wrapping_neg().into()),
    }
}

/// A number of clusters, or a negative exponent of two.
fn record_size(field: u8, cluster: u64) -> Option<u64> {
    match field {
        0..128 => cluster.checked_mul(field.into()),
        _ => 1_u64.checked_shl(field.wrapping_neg().into()),
    }
}

/// The volume's boot sector; absent where it makes no sense.
pub(super) fn first(volume: &dyn Source) -> io::Result<Option<Geometry>> {
    let mut sector = [0; BOOT_SECTOR];
    read_up_to(volume, 0, &mut sector)?;
    Ok(Geometry::parse(&sector))
}

/// Copies of the boot sector that make sense, each with its offset in bytes: at the end of the volume and, as
/// Windows NT 3.51 had it, in the middle. What cannot be read has none.
pub(super) fn backups(volume: &dyn Source) -> Vec<(u64, Geometry)> {
    let end = volume.size();
    let start = end.saturating_sub(SEARCHED_FOR_BACKUP).max(1).next_multiple_of(512);
    let middle = (end / 1024).saturating_mul(512).max(512);
    let mut found = Vec::new();
    for (start, length) in [(start, SEARCHED_FOR_BACKUP), (middle, 512)] {
        let mut bytes = vec![0; index(length)];
        let count = read_up_to(volume, start, &mut bytes).unwrap_or(0);
        bytes.truncate(count);
        let sectors = (start..).step_by(BOOT_SECTOR).zip(bytes.as_chunks::<BOOT_SECTOR>().0);
        let here: Vec<_> =
            sectors.filter_map(|(at, sector)| Some((at, Geometry::parse(sector)?))).collect();
        // The backup of this volume is the last; before it may lie one of an older, smaller volume.
        found.extend(here.into_iter().rev().take(2));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_counts_or_exponents() {
        for (field, expected) in [(0, None), (1, Some(1)), (128, Some(128)), (0xf4, Some(4096))] {
            assert_eq!(sectors_per_cluster(field), expected, "{field:#x}");
        }
        for (field, expected) in
            [(0xf6, Some(1024)), (0xf4, Some(4096)), (2, Some(8192)), (0x80, None)]
        {
            assert_eq!(record_size(field, 4096), expected, "{field:#x}");
        }
    }
}
