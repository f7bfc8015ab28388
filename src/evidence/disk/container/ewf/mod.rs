//! EnCase and SMART images (Joachim Metz, Expert Witness Compression Format, versions 1 and 2).

mod second;
mod segment;

use std::io;

use self::segment::{Segment, Table};
use super::beside::{Beside, Parts};
use super::bytes::Fields;
use super::mapped::{LARGEST_UNIT, Map, Mapped, Place, Run, Unit};
use super::unpack::Method;
use super::{Container, Disk, Image, damaged, size_words, unsupported};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::source::{SharedSource, Source, read_exact_at};
use crate::evidence::{EvidencePath, RecordedHash};

pub(super) const CONTAINER: Container = Container {
    name: "E01, Ex01",
    known_by: "EVF or EVF2 and a version at its start",
    is: |ends| ends.starts_with(b"EVF\x09\x0d\x0a\xff\x00") || ends.starts_with(EVF2),
    open,
};

const EVF2: &[u8] = b"EVF2\x0d\x0a\x81\x00";

/// Segments of an image: the names end at ZZZ.
const MOST_SEGMENTS: usize = 100 + 22 * 26 * 26;

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let mut first = Segment::read(image.source.as_ref(), 0, 0)?;
    let name = image.given.path.name();
    if first.number != 1 {
        return Err(damaged(format!(
            "segment {} of an image; give its first, {}",
            first.number,
            segment_name(name, 1).unwrap_or_else(|| "whose name ends in 01".into())
        )));
    }
    let geometry = first
        .geometry
        .take()
        .filter(|geometry| geometry.chunk > 0)
        .ok_or_else(|| damaged("the image does not say the size of its disk"))?;
    if geometry.chunk > LARGEST_UNIT {
        return Err(damaged(format!("chunks of {} bytes", geometry.chunk)));
    }
    let is_second = first.tables.iter().any(|table| table.is_second);
    let format = if is_second { "Ex01" } else { "E01" };
    let mut set = Set::new(first);
    let beside = image.beside();
    let mut paths = vec![image.given.path.clone()];
    let missing = set.follow(&beside, name, &mut paths)?;
    let count = paths.len();
    let mut diagnostics = Vec::new();
    if let Some(diagnostic) = set.incomplete(image, &geometry, missing.as_deref()) {
        diagnostics.push(diagnostic);
    }
    if set.bad_sectors > 0 {
        diagnostics.push(image.diagnostic(
            Impact::Partial,
            format!(
                "{} sectors could not be read when the image was made and are zeros in it",
                set.bad_sectors
            ),
        ));
    }
    let size = geometry.size;
    let segments = if count == 1 { String::new() } else { format!(", {count} segments") };
    let words = format!("disk image ({format}){segments}, {}", size_words(size));
    let hash = set.hash(name);
    // The tables of the second format say where they belong, in any order.
    set.tables.sort_by_key(|table| table.first);
    let parts = Parts::new(&image.given.tree, paths);
    let chunks = Chunks { parts, tables: set.tables, chunk: geometry.chunk, size };
    Ok(Disk { source: Mapped::shared(chunks), words, diagnostics, hash })
}

/// What the segments of an image say together.
struct Set {
    tables: Vec<Table>,
    chunks: u64,
    /// Whether the last segment that was read says that another follows.
    goes_on: bool,
    bad_sectors: u64,
    md5: Option<[u8; 16]>,
    sha1: Option<[u8; 20]>,
}

impl Set {
    fn new(first: Segment) -> Self {
        let mut set = Self {
            tables: Vec::new(),
            chunks: 0,
            goes_on: false,
            bad_sectors: 0,
            md5: None,
            sha1: None,
        };
        set.add(first);
        set
    }

    fn add(&mut self, segment: Segment) {
        self.chunks = segment.tables.last().map_or(self.chunks, Table::end);
        self.tables.extend(segment.tables);
        self.goes_on = segment.goes_on;
        self.bad_sectors = self.bad_sectors.saturating_add(segment.bad_sectors);
        self.md5 = segment.md5.or(self.md5);
        self.sha1 = segment.sha1.or(self.sha1);
    }

    /// Reads the segments beside the first; gives the name of the one that should follow and cannot be used.
    fn follow(
        &mut self,
        beside: &Beside,
        first: &str,
        paths: &mut Vec<EvidencePath>,
    ) -> io::Result<Option<String>> {
        for number in 2..=MOST_SEGMENTS {
            let Some(name) = segment_name(first, number).filter(|_| self.goes_on) else { break };
            let (Some(source), Some(path)) = (beside.open(&name)?, beside.find(&name)) else {
                return Ok(Some(name));
            };
            match Segment::read(source.as_ref(), paths.len(), self.chunks) {
                Ok(segment) if usize::from(segment.number) == number => self.add(segment),
                _ => return Ok(Some(name)),
            }
            paths.push(path.clone());
        }
        Ok(None)
    }

    /// Says what is missing at the end of the image.
    fn incomplete(
        &self,
        image: &Image<'_>,
        geometry: &segment::Geometry,
        missing: Option<&str>,
    ) -> Option<Diagnostic> {
        let there = self.chunks.saturating_mul(geometry.chunk);
        if there >= geometry.size {
            return None;
        }
        let (there, size) = (size_words(there), size_words(geometry.size));
        let what = match missing {
            Some(name) => format!("segment {name} is missing or damaged"),
            None => String::from("cut off or damaged"),
        };
        let message = format!(
            "{what}: the image can be used up to {there} of {size}; what is missing is not read"
        );
        Some(image.diagnostic(Impact::Partial, message))
    }

    fn hash(&self, source: &str) -> Option<RecordedHash> {
        if self.md5.is_none() && self.sha1.is_none() {
            return None;
        }
        Some(RecordedHash {
            source: source.to_owned(),
            sha256: None,
            sha1: self.sha1.map(|hash| hexadecimal(&hash)),
            md5: self.md5.map(|hash| hexadecimal(&hash)),
        })
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

/// The name of another segment: `.E01` to `.E99`, then `.EAA` to `.EZZ`, `.FAA` and on to `.ZZZ`.
fn segment_name(first: &str, number: usize) -> Option<String> {
    let (stem, extension) = first.rsplit_once('.')?;
    let mut letters = extension.chars();
    let letter = letters.next().filter(char::is_ascii_alphabetic)?;
    if letters.count() != 2 {
        return None;
    }
    if number < 100 {
        return Some(format!("{stem}.{letter}{number:02}"));
    }
    let number = u32::try_from(number.checked_sub(100)?).ok()?;
    let base = if letter.is_ascii_uppercase() { 'A' } else { 'a' };
    let place = |from: char, by: u32| char::from_u32(u32::from(from).checked_add(by)?);
    let first = place(letter, number / 676)?;
    let last = if base == 'A' { 'Z' } else { 'z' };
    if first > last {
        return None;
    }
    let (second, third) = (place(base, number / 26 % 26)?, place(base, number % 26)?);
    Some(format!("{stem}.{first}{second}{third}"))
}

struct Chunks {
    parts: Parts,
    /// In the order of their chunks.
    tables: Vec<Table>,
    /// Of a chunk, in bytes.
    chunk: u64,
    size: u64,
}

impl Chunks {
    /// Where the bytes of a chunk are, from one of them on.
    fn place(&self, number: u64, within: u64) -> io::Result<Place> {
        let next = self.tables.partition_point(|table| table.first <= number);
        let table = next.checked_sub(1).and_then(|index| self.tables.get(index));
        let table = table.filter(|table| number < table.end()).ok_or_else(|| {
            io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "this part of the disk is in a segment that is missing or cut off",
            )
        })?;
        let source = self.parts.get(table.segment)?;
        let start = number.saturating_mul(self.chunk);
        if table.is_second {
            return self.second(table, source, number, within);
        }
        let (offset, end, is_compressed) = entry(table, source.as_ref(), number)?;
        let packed = end.checked_sub(offset).filter(|packed| *packed > 0);
        let packed = packed.ok_or_else(|| damaged("a table of the image is damaged"))?;
        let wanted = self.chunk.min(self.size.saturating_sub(start));
        let method = if is_compressed { Method::Zlib } else { Method::Summed };
        let packed = match method {
            // The last chunk of a table may be followed by what is no part of it.
            Method::Summed if packed != wanted.saturating_add(4) => {
                packed.min(self.chunk.saturating_add(4))
            }
            _ => packed,
        };
        Ok(Place::Packed(Unit { source, offset, packed, method, start, size: self.chunk }))
    }

    /// An entry of the second format: where the chunk is (8 bytes), its size (4) and how it is stored (4).
    fn second(
        &self,
        table: &Table,
        source: SharedSource,
        number: u64,
        within: u64,
    ) -> io::Result<Place> {
        let mut bytes = [0; 16];
        let index = number.saturating_sub(table.first);
        let at = table.entries.saturating_add(index.saturating_mul(16));
        read_exact_at(source.as_ref(), at, &mut bytes)?;
        let fields = Fields(&bytes);
        let (offset, packed) = (fields.u64_le(0), u64::from(fields.u32_le(8)));
        let start = number.saturating_mul(self.chunk);
        let wanted = self.chunk.min(self.size.saturating_sub(start));
        let method = match fields.u32_le(12) & 7 {
            1 | 3 => Method::Zlib,
            2 => Method::Summed,
            // Compressed to the 8 bytes that it repeats, which are in place of the offset.
            5 | 7 => return Ok(Place::Repeated(offset.to_le_bytes())),
            0 if packed >= wanted => {
                return Ok(Place::Stored(source, offset.saturating_add(within)));
            }
            _ => return Err(damaged("a chunk of the image is stored in an unknown way")),
        };
        Ok(Place::Packed(Unit { source, offset, packed, method, start, size: self.chunk }))
    }
}

/// Where a chunk begins and ends, and whether it is compressed.
fn entry(table: &Table, source: &dyn Source, number: u64) -> io::Result<(u64, u64, bool)> {
    let mut bytes = [0; 8];
    let index = number.saturating_sub(table.first);
    let is_last = index.saturating_add(1) >= table.count;
    let wanted = bytes.get_mut(..if is_last { 4 } else { 8 }).unwrap_or_default();
    read_exact_at(source, table.entries.saturating_add(index.saturating_mul(4)), wanted)?;
    let fields = Fields(&bytes);
    let place = |entry: u32| table.base.saturating_add(u64::from(entry & 0x7FFF_FFFF));
    let this = fields.u32_le(0);
    let end = if is_last { table.data_end } else { place(fields.u32_le(4)) };
    Ok((place(this), end, this >> 31 == 1))
}

impl Map for Chunks {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let number = offset.checked_div(self.chunk).unwrap_or_default();
        let within = offset.saturating_sub(number.saturating_mul(self.chunk));
        let place = self.place(number, within)?;
        Ok(Run { place, size: self.chunk.saturating_sub(within) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_encase_does() {
        for (number, expected) in [
            (1, Some("a.b.E01")),
            (99, Some("a.b.E99")),
            (100, Some("a.b.EAA")),
            (126, Some("a.b.EBA")),
            (775, Some("a.b.EZZ")),
            (776, Some("a.b.FAA")),
            (MOST_SEGMENTS - 1, Some("a.b.ZZZ")),
            (MOST_SEGMENTS, None),
        ] {
            assert_eq!(segment_name("a.b.E01", number).as_deref(), expected, "{number}");
        }
        assert_eq!(segment_name("x.s01", 101).as_deref(), Some("x.sab"));
        for name in ["E01", "x.E1", "x.001", "x"] {
            assert_eq!(segment_name(name, 2), None, "{name}");
        }
    }
}
