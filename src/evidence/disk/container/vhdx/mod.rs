//! VHDX: fixed, dynamic and differencing, with its log (\[MS-VHDX\]).

mod log;
mod metadata;

use std::io;
use std::sync::Arc;

use self::log::Replayed;
use self::metadata::Metadata;
use super::bytes::Fields;
use super::mapped::{Map, Mapped, Place, Run};
use super::{Container, Disk, Image, Parent, damaged, size_words};
use crate::diagnostic::Impact;
use crate::evidence::source::{SharedSource, Source, read_exact_at, read_up_to};

pub(super) const CONTAINER: Container = Container {
    name: "VHDX",
    known_by: "vhdxfile at its start",
    is: |ends| ends.starts_with(b"vhdxfile"),
    open,
};

/// Where the two copies of the header and of the region table are.
const HEADERS: [u64; 2] = [64 << 10, 128 << 10];
const REGIONS: [u64; 2] = [192 << 10, 256 << 10];

/// Identifiers of regions, as they are stored.
const BLOCK_TABLE: [u8; 16] = guid(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
const METADATA: [u8; 16] = guid(0x8B7C_A206, 0x4790, 0x4B9A, 0xB8FE_575F_050F_886E);

/// A GUID as it is stored: the first three fields little-endian.
const fn guid(first: u32, second: u16, third: u16, rest: u64) -> [u8; 16] {
    let start = (first.swap_bytes() as u128) << 96 | (second.swap_bytes() as u128) << 80;
    (start | (third.swap_bytes() as u128) << 64 | rest as u128).to_be_bytes()
}

/// The current header.
struct Header {
    sequence: u64,
    /// Names the contents of the disk; a child writes down its parent's.
    data_id: [u8; 16],
    log_id: [u8; 16],
    log_size: u32,
    log: u64,
}

impl Header {
    /// The valid header with the higher sequence number.
    fn read(file: &dyn Source) -> io::Result<Self> {
        let valid = HEADERS.into_iter().filter_map(|at| {
            let mut bytes = vec![0; 4096];
            read_exact_at(file, at, &mut bytes).ok()?;
            let fields = Fields(&bytes);
            (bytes.starts_with(b"head") && sum_is_right(&bytes)).then(|| Self {
                sequence: fields.u64_le(8),
                data_id: fields.guid(32),
                log_id: fields.guid(48),
                log_size: fields.u32_le(68),
                log: fields.u64_le(72),
            })
        });
        valid
            .max_by_key(|header| header.sequence)
            .ok_or_else(|| damaged("both headers of the virtual disk are damaged"))
    }
}

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let header = Header::read(image.source.as_ref())?;
    let (file, replayed) = Replayed::over(&image.source, &header)?;
    let table = region(file.as_ref(), BLOCK_TABLE)?;
    let metadata = Metadata::read(file.as_ref(), region(file.as_ref(), METADATA)?)?;
    let kind = match (&metadata.parent, metadata.is_fixed) {
        (Some(_), _) => "differencing",
        (None, true) => "fixed",
        (None, false) => "dynamic",
    };
    let mut words = format!("disk image (VHDX, {kind}), {}", size_words(metadata.size));
    let mut diagnostics = Vec::new();
    if replayed {
        diagnostics.push(image.diagnostic(
            Impact::Note,
            "the virtual disk was not closed properly; its log was replayed in memory",
        ));
    }
    let mut below = None;
    if let Some(locator) = &metadata.parent {
        let Parent { name, source, disk } = image.parent(&locator.names)?;
        if !locator.ids.contains(&Header::read(source.as_ref())?.data_id) {
            return Err(damaged(format!(
                "{name} is not the parent that this image was made from, or was changed since"
            )));
        }
        words = format!("{words}, over {name}");
        diagnostics.extend(disk.diagnostics);
        below = Some(disk.source);
    }
    let blocks = Blocks { file, metadata, table, below };
    diagnostics.extend(image.cut_off(blocks.furthest()?));
    Ok(Disk { source: Mapped::shared(blocks), words, diagnostics, hash: None })
}

/// Where a region begins and how large it is.
fn region(file: &dyn Source, id: [u8; 16]) -> io::Result<(u64, u64)> {
    for at in REGIONS {
        let mut bytes = vec![0; 64 << 10];
        if read_exact_at(file, at, &mut bytes).is_err()
            || !bytes.starts_with(b"regi")
            || !sum_is_right(&bytes)
        {
            continue;
        }
        let count = usize::try_from(Fields(&bytes).u32_le(8)).unwrap_or_default();
        let entries = bytes.get(16..).unwrap_or_default().chunks_exact(32).take(count);
        if let Some(entry) = entries.map(Fields).find(|entry| entry.guid(0) == id) {
            return Ok((entry.u64_le(16), u64::from(entry.u32_le(24))));
        }
    }
    Err(damaged("the region tables of the virtual disk are damaged"))
}

/// Whether the CRC-32C in a structure, at offset 4, is that of the structure with zeros in its place.
fn sum_is_right(bytes: &[u8]) -> bool {
    let (before, stored) = (bytes.get(..4), Fields(bytes).u32_le(4));
    let sum = [before.unwrap_or_default(), &[0; 4], bytes.get(8..).unwrap_or_default()]
        .into_iter()
        .fold(u32::MAX, crc32c);
    !sum == stored
}

/// CRC-32C (RFC 3720, section 12.1), reflected.
fn crc32c(sum: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = {
        let mut table = [0; 256];
        let mut index = 0_u32;
        while index < 256 {
            let mut value = index;
            let mut bit = 0;
            while bit < 8 {
                value = if value & 1 == 1 { value >> 1 ^ 0x82F6_3B78 } else { value >> 1 };
                bit += 1;
            }
            #[expect(clippy::indexing_slicing, reason = "a constant: checked when it is compiled")]
            {
                table[index as usize] = value;
            }
            index += 1;
        }
        table
    };
    bytes.iter().fold(sum, |sum, byte| {
        let [low, ..] = sum.to_le_bytes();
        sum >> 8 ^ TABLE.get(usize::from(low ^ byte)).copied().unwrap_or_default()
    })
}

struct Blocks {
    file: SharedSource,
    metadata: Metadata,
    /// Where the table of blocks begins and its size.
    table: (u64, u64),
    below: Option<SharedSource>,
}

/// The state of a block, in the low three bits of its entry.
const STATE: u64 = 7;
const NOT_PRESENT: u64 = 0;
const ZERO: u64 = 2;
const UNMAPPED: u64 = 3;
const FULLY_PRESENT: u64 = 6;
const PARTIALLY_PRESENT: u64 = 7;
/// Where it is in the file: a multiple of a MiB.
const OFFSET: u64 = !0xF_FFFF;

impl Blocks {
    fn entry(&self, index: u64) -> io::Result<u64> {
        let at = index.saturating_mul(8);
        if at.saturating_add(8) > self.table.1 {
            return Err(damaged("the table of the virtual disk is too short"));
        }
        let mut entry = [0; 8];
        read_exact_at(self.file.as_ref(), self.table.0.saturating_add(at), &mut entry)?;
        Ok(u64::from_le_bytes(entry))
    }

    fn unallocated(&self) -> Place {
        self.below.as_ref().map_or(Place::Zeros, |below| Place::Below(Arc::clone(below)))
    }

    /// The end of the last block that the table names, as far as 64 MiB of table tell.
    fn furthest(&self) -> io::Result<u64> {
        let mut furthest = self.table.0.saturating_add(self.table.1);
        let mut at = self.table.0;
        let mut rest = self.metadata.entries().saturating_mul(8).min(self.table.1).min(64 << 20);
        let mut bytes = vec![0; 64 << 10];
        while rest > 0 {
            let got = u64::try_from(read_up_to(self.file.as_ref(), at, &mut bytes)?).unwrap_or(0);
            let used = got.min(rest) / 8;
            if used == 0 {
                break;
            }
            let entries = bytes.chunks_exact(8).take(usize::try_from(used).unwrap_or_default());
            for entry in entries.map(|entry| Fields(entry).u64_le(0)) {
                if matches!(entry & STATE, FULLY_PRESENT | PARTIALLY_PRESENT) {
                    // An entry of a bitmap is shorter: a MiB is the least a block has.
                    furthest = furthest.max((entry & OFFSET).saturating_add(1 << 20));
                }
            }
            at = at.saturating_add(used.saturating_mul(8));
            rest = rest.saturating_sub(used.saturating_mul(8));
        }
        Ok(furthest)
    }

    /// A run of sectors of a partially present block that are all its own, or all its parent's.
    fn sectors(&self, block: u64, entry: u64, within: u64) -> io::Result<Run> {
        let ratio = self.metadata.ratio();
        let chunk = block.checked_div(ratio).unwrap_or_default();
        let bitmap = self.entry(
            chunk.saturating_add(1).saturating_mul(ratio.saturating_add(1)).saturating_sub(1),
        )?;
        if bitmap & STATE != FULLY_PRESENT {
            return Err(damaged("a bitmap of the virtual disk is missing"));
        }
        let sector_size = self.metadata.sector;
        let of_block = self.metadata.block.checked_div(sector_size).unwrap_or_default();
        let before = block.checked_rem(ratio).unwrap_or_default().saturating_mul(of_block);
        let sector = within.checked_div(sector_size).unwrap_or_default();
        let first = before.saturating_add(sector);
        let mut bits = [0; 64];
        let at = (bitmap & OFFSET).saturating_add(first / 8);
        let count = read_up_to(self.file.as_ref(), at, &mut bits)?;
        // The first bit of a byte is its lowest.
        let bit = |bit: u64| {
            let at = usize::try_from((bit / 8).saturating_sub(first / 8)).ok()?;
            Some(bits.get(..count)?.get(at)? >> (bit % 8) & 1 == 1)
        };
        let own = bit(first).ok_or_else(|| damaged("a bitmap of the virtual disk is cut off"))?;
        let mut length = 1_u64;
        while sector.saturating_add(length) < of_block
            && bit(first.saturating_add(length)) == Some(own)
        {
            length = length.saturating_add(1);
        }
        let end = sector.saturating_add(length).saturating_mul(sector_size);
        let place = if own {
            Place::Stored(Arc::clone(&self.file), (entry & OFFSET).saturating_add(within))
        } else {
            self.unallocated()
        };
        Ok(Run { place, size: end.saturating_sub(within) })
    }
}

impl Map for Blocks {
    fn size(&self) -> u64 {
        self.metadata.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let size = self.metadata.block;
        let block = offset.checked_div(size).unwrap_or_default();
        let within = offset.checked_rem(size).unwrap_or_default();
        let chunk = block.checked_div(self.metadata.ratio()).unwrap_or_default();
        let entry = self.entry(block.saturating_add(chunk))?;
        let place = match entry & STATE {
            NOT_PRESENT => self.unallocated(),
            FULLY_PRESENT => {
                Place::Stored(Arc::clone(&self.file), (entry & OFFSET).saturating_add(within))
            }
            PARTIALLY_PRESENT if self.below.is_some() => {
                return self.sectors(block, entry, within);
            }
            // 1 is "undefined": whatever was there, there is nothing to read.
            1 | ZERO | UNMAPPED => Place::Zeros,
            other => return Err(damaged(format!("a block of the virtual disk in state {other}"))),
        };
        Ok(Run { place, size: size.saturating_sub(within) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_are_crc_32c() {
        assert_eq!(!crc32c(u32::MAX, b"123456789"), 0xE306_9283);
    }
}
