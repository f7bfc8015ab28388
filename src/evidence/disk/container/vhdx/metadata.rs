//! What a virtual disk says of itself: its size, its blocks, its parent (\[MS-VHDX\] 2.6).

use std::io;

use super::super::bytes::Fields;
use super::{damaged, guid};
use crate::evidence::source::{Source, read_exact_at};
use crate::text::utf16le_until_nul;

const PARAMETERS: [u8; 16] = guid(0xCAA1_6737, 0xFA36, 0x4D43, 0xB3B6_33F0_AA44_E76B);
const SIZE: [u8; 16] = guid(0x2FA5_4224, 0xCD1B, 0x4876, 0xB211_5DBE_D83B_F4B8);
const SECTOR: [u8; 16] = guid(0x8141_BF1D, 0xA96F, 0x4709, 0xBA47_F233_A8FA_AB5F);
const LOCATOR: [u8; 16] = guid(0xA8D3_5F2D, 0xB30B, 0x454D, 0xABF7_D3D8_4834_AB0C);

pub(super) struct Metadata {
    /// Of the disk, in bytes.
    pub(super) size: u64,
    /// Of a block, in bytes: a power of two.
    pub(super) block: u64,
    /// Of a logical sector, in bytes.
    pub(super) sector: u64,
    /// Whether all blocks are kept allocated.
    pub(super) is_fixed: bool,
    pub(super) parent: Option<Locator>,
}

/// How a differencing disk finds its parent.
pub(super) struct Locator {
    /// Paths, the relative one first.
    pub(super) names: Vec<String>,
    /// What identifies the parent's contents.
    pub(super) ids: Vec<[u8; 16]>,
}

impl Metadata {
    pub(super) fn read(file: &dyn Source, (start, size): (u64, u64)) -> io::Result<Self> {
        let mut table = vec![0; 64 << 10];
        read_exact_at(file, start, &mut table)?;
        if !table.starts_with(b"metadata") {
            return Err(damaged("the metadata of the virtual disk is missing"));
        }
        let count = usize::from(Fields(&table).u16_le(10));
        let item = |id: [u8; 16]| -> io::Result<Option<Vec<u8>>> {
            let entries = table.get(32..).unwrap_or_default().chunks_exact(32).take(count);
            let Some(entry) = entries.map(Fields).find(|entry| entry.guid(0) == id) else {
                return Ok(None);
            };
            let (offset, length) = (u64::from(entry.u32_le(16)), u64::from(entry.u32_le(20)));
            if length > 1 << 20 || offset.saturating_add(length) > size {
                return Err(damaged("the metadata of the virtual disk is damaged"));
            }
            let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
            read_exact_at(file, start.saturating_add(offset), &mut bytes)?;
            Ok(Some(bytes))
        };
        let needed =
            |id| item(id)?.ok_or_else(|| damaged("the virtual disk does not say its size"));
        let parameters = needed(PARAMETERS)?;
        let block = u64::from(Fields(&parameters).u32_le(0));
        let flags = Fields(&parameters).u32_le(4);
        let sector = u64::from(Fields(&needed(SECTOR)?).u32_le(0));
        if !block.is_power_of_two() || !(1 << 20..=256 << 20).contains(&block) {
            return Err(damaged(format!("blocks of {block} bytes")));
        }
        if sector != 512 && sector != 4096 {
            return Err(damaged(format!("sectors of {sector} bytes")));
        }
        let parent = if flags & 2 != 0 { Some(Locator::new(&needed(LOCATOR)?)) } else { None };
        let size = Fields(&needed(SIZE)?).u64_le(0);
        Ok(Self { size, block, sector, is_fixed: flags & 1 != 0, parent })
    }

    /// How many blocks share a bitmap: as many as 2^23 sectors make.
    pub(super) fn ratio(&self) -> u64 {
        let sectors = self.sector.saturating_mul(1 << 23);
        sectors.checked_div(self.block).unwrap_or_default().max(1)
    }

    /// Entries of the table of blocks, those of bitmaps among them.
    pub(super) fn entries(&self) -> u64 {
        let blocks = self.size.div_ceil(self.block);
        blocks.saturating_add(blocks.div_ceil(self.ratio()))
    }
}

impl Locator {
    fn new(bytes: &[u8]) -> Self {
        let fields = Fields(bytes);
        let text = |at: u32, size: u16| {
            let at = usize::try_from(at).unwrap_or(usize::MAX);
            utf16le_until_nul(fields.bytes(at, usize::from(size)))
        };
        let mut pairs = Vec::new();
        for entry in bytes
            .get(20..)
            .unwrap_or_default()
            .chunks_exact(12)
            .take(usize::from(fields.u16_le(18)))
        {
            let entry = Fields(entry);
            pairs.push((
                text(entry.u32_le(0), entry.u16_le(8)),
                text(entry.u32_le(4), entry.u16_le(10)),
            ));
        }
        let values = |key: &'static str| {
            pairs.iter().filter(move |(found, _)| found == key).map(|(_, value)| value)
        };
        let names = ["relative_path", "volume_path", "absolute_win32_path"];
        let ids = ["parent_linkage", "parent_linkage2"];
        Self {
            names: names.into_iter().flat_map(values).cloned().collect(),
            ids: ids.into_iter().flat_map(values).filter_map(|text| parse_guid(text)).collect(),
        }
    }
}

/// `{2DC27766-F623-4200-9D64-115E9BFD4A08}` as it would be stored.
fn parse_guid(text: &str) -> Option<[u8; 16]> {
    let text = text.trim_matches(['{', '}']);
    let mut fields = text.split('-');
    let mut next = || u64::from_str_radix(fields.next()?, 16).ok();
    let first = u32::try_from(next()?).ok()?;
    let second = u16::try_from(next()?).ok()?;
    let third = u16::try_from(next()?).ok()?;
    let fourth = u64::from(u16::try_from(next()?).ok()?);
    let last = next().filter(|last| *last < 1 << 48)?;
    Some(guid(first, second, third, fourth << 48 | last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_are_read_as_stored() {
        let stored = guid(0x2DC2_7766, 0xF623, 0x4200, 0x9D64_115E_9BFD_4A08);
        assert_eq!(parse_guid("{2dc27766-f623-4200-9d64-115e9bfd4a08}"), Some(stored));
        for text in ["", "{}", "{2dc27766-f623-4200-9d64}", "x-1-2-3-4", "1-1-1-1-1000000000000"] {
            assert_eq!(parse_guid(text), None, "{text}");
        }
    }
}
