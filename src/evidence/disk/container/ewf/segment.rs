//! One file of an image: a chain of sections.

use std::io;

use super::super::bytes::Fields;
use super::super::unpack::adler32;
use super::{damaged, second};
use crate::evidence::source::{Source, read_exact_at, read_up_to};

const FILE_HEADER: u64 = 13;
const SECTION_HEADER: u64 = 76;
/// Sections of one segment: a table, its copy and its data for each 16,375 chunks at least.
const MOST_SECTIONS: usize = 1 << 16;

/// What one segment says.
#[derive(Default)]
pub(super) struct Segment {
    /// Its number, counted from 1.
    pub(super) number: u16,
    pub(super) geometry: Option<Geometry>,
    pub(super) tables: Vec<Table>,
    /// Whether it comes to its end and says that another segment follows.
    pub(super) goes_on: bool,
    /// Sectors that could not be read when the image was made.
    pub(super) bad_sectors: u64,
    pub(super) md5: Option<[u8; 16]>,
    pub(super) sha1: Option<[u8; 20]>,
}

pub(super) struct Geometry {
    /// Of a chunk, in bytes.
    pub(super) chunk: u64,
    /// Of the disk, in bytes.
    pub(super) size: u64,
}

/// Where some consecutive chunks are.
pub(super) struct Table {
    /// The number of the first chunk on the disk.
    pub(super) first: u64,
    pub(super) count: u64,
    /// What is added to the offsets in the entries.
    pub(super) base: u64,
    /// Where the entries are.
    pub(super) entries: u64,
    /// Where the data of the last chunk ends.
    pub(super) data_end: u64,
    /// The number of the file, counted from 0.
    pub(super) segment: usize,
    /// Whether its entries are those of the second format.
    pub(super) is_second: bool,
}

impl Table {
    /// The number of the chunk after the last.
    pub(super) fn end(&self) -> u64 {
        self.first.saturating_add(self.count)
    }
}

/// The sections that matter for the next table.
#[derive(Default)]
struct Walk {
    /// Where the data before the next table ends; absent where the table holds the data itself.
    data_end: Option<u64>,
    /// Whether the last table was good, so that its copy is not needed.
    has_table: bool,
    /// Whether chunks went by whose table was not read: those after them cannot be numbered.
    is_lost: bool,
}

impl Segment {
    /// Reads the sections of a file, whose first chunk has that number, up to where it is cut off or a table is
    /// damaged: tables say how many chunks they have, not which.
    pub(super) fn read(file: &dyn Source, index: usize, first_chunk: u64) -> io::Result<Self> {
        let mut header = [0; 13];
        read_exact_at(file, 0, &mut header)?;
        if header.starts_with(super::EVF2) {
            return second::read(file, index);
        }
        if !header.starts_with(b"EVF\x09\x0d\x0a\xff\x00") {
            return Err(damaged("a segment of the image is none"));
        }
        let number = Fields(&header).u16_le(9);
        let mut segment = Self { number, ..Self::default() };
        let mut chunk = first_chunk;
        let mut walk = Walk::default();
        let mut at = FILE_HEADER;
        for _ in 0..MOST_SECTIONS {
            let mut header = [0; 76];
            if read_exact_at(file, at, &mut header).is_err() {
                break;
            }
            let fields = Fields(&header);
            let section = Section { at, size: fields.u64_le(24), file, index };
            let name = fields.bytes(0, 16);
            let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
            if matches!(name, b"next" | b"done") {
                segment.goes_on = name == b"next" && !walk.is_lost;
                break;
            }
            if !section.add_to(name, &mut segment, &mut walk, &mut chunk)? {
                break;
            }
            let next = fields.u64_le(16);
            if next <= at {
                break;
            }
            at = next;
        }
        Ok(segment)
    }
}

struct Section<'a> {
    at: u64,
    size: u64,
    file: &'a dyn Source,
    index: usize,
}

impl Section<'_> {
    fn end(&self) -> u64 {
        self.at.saturating_add(self.size)
    }

    /// Its first bytes after the header, as many as there are.
    fn data<const N: usize>(&self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        read_up_to(self.file, self.at.saturating_add(SECTION_HEADER), &mut bytes)?;
        Ok(bytes)
    }

    /// Adds what the section says; whether what follows can be used.
    fn add_to(
        &self,
        name: &[u8],
        segment: &mut Segment,
        walk: &mut Walk,
        chunk: &mut u64,
    ) -> io::Result<bool> {
        match name {
            b"volume" | b"disk" | b"data" if segment.geometry.is_none() => {
                segment.geometry = Some(self.geometry()?);
            }
            b"sectors" => {
                if walk.is_lost {
                    return Ok(false);
                }
                *walk = Walk { data_end: Some(self.end()), has_table: false, is_lost: true };
            }
            b"table2" if walk.has_table => walk.data_end = None,
            b"table" | b"table2" => {
                if name == b"table" && walk.is_lost && walk.data_end.is_none() {
                    return Ok(false);
                }
                let table = self.table(*chunk, walk.data_end)?;
                walk.has_table = table.is_some();
                walk.is_lost = table.is_none();
                *chunk = table.as_ref().map_or(*chunk, Table::end);
                segment.tables.extend(table);
            }
            b"hash" => segment.md5 = Some(self.data()?),
            b"digest" => {
                let hashes: [u8; 36] = self.data()?;
                segment.md5 = hashes.first_chunk().copied();
                segment.sha1 = hashes.last_chunk().copied();
            }
            b"error2" => segment.bad_sectors = self.bad_sectors()?,
            _ => {}
        }
        Ok(true)
    }

    /// The "volume" section: that of SMART and EnCase 1 has 94 bytes and a count of sectors of 4.
    fn geometry(&self) -> io::Result<Geometry> {
        let bytes: [u8; 24] = self.data()?;
        let fields = Fields(&bytes);
        let is_short = self.size < SECTION_HEADER.saturating_add(1052);
        let sector = u64::from(fields.u32_le(12));
        let chunk = u64::from(fields.u32_le(8)).saturating_mul(sector);
        let sectors = if is_short { u64::from(fields.u32_le(16)) } else { fields.u64_le(16) };
        let size = match sectors {
            0 => u64::from(fields.u32_le(4)).saturating_mul(chunk),
            sectors => sectors.saturating_mul(sector),
        };
        Ok(Geometry { chunk, size })
    }

    /// A table, unless the checksum of its header is wrong: its copy follows.
    fn table(&self, first: u64, data_end: Option<u64>) -> io::Result<Option<Table>> {
        let header: [u8; 24] = self.data()?;
        let fields = Fields(&header);
        let count = u64::from(fields.u32_le(0));
        if adler32(header.get(..20).unwrap_or_default()) != fields.u32_le(20) {
            return Ok(None);
        }
        let entries = self.at.saturating_add(SECTION_HEADER).saturating_add(24);
        if entries.saturating_add(count.saturating_mul(4)) > self.file.size() {
            return Ok(None);
        }
        Ok(Some(Table {
            first,
            count,
            base: fields.u64_le(8),
            entries,
            data_end: data_end.unwrap_or_else(|| self.end()),
            segment: self.index,
            is_second: false,
        }))
    }

    /// The sum of the ranges of sectors in an "error2" section: their count, 512 bytes, a checksum, then the ranges.
    fn bad_sectors(&self) -> io::Result<u64> {
        let mut ranges = vec![0; usize::try_from(self.size.min(1 << 20)).unwrap_or_default()];
        let at = self.at.saturating_add(SECTION_HEADER);
        let got = read_up_to(self.file, at, &mut ranges)?;
        let bytes = ranges.get(..got).unwrap_or_default();
        let count = usize::try_from(Fields(bytes).u32_le(0)).unwrap_or_default();
        let ranges = bytes.get(520..).unwrap_or_default().chunks_exact(8).take(count);
        Ok(ranges.map(|range| u64::from(Fields(range).u32_le(4))).fold(0, u64::saturating_add))
    }
}
