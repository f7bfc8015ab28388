//! EnCase images of the second format, Ex01 (Joachim Metz, Expert Witness Compression Format 2).
//!
//! A section is described behind its data, and the descriptions are chained from the last to the first: a segment
//! that is cut off has lost the end of that chain, and with it everything.

use std::io;
use std::sync::Arc;

use super::beside::Parts;
use super::bytes::Fields;
use super::mapped::{LARGEST_UNIT, Map, Mapped, Place, Run, Unit};
use super::unpack::{Method, adler32, unpack};
use super::{Container, Disk, Image, damaged, size_words, unsupported};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::RecordedHash;
use crate::evidence::source::{MemorySource, Source, read_exact_at};

pub(super) const CONTAINER: Container = Container {
    name: "Ex01",
    known_by: "EVF2 and its version at its start",
    is: |ends| ends.starts_with(SIGNATURE),
    open,
};

const SIGNATURE: &[u8] = b"EVF2\x0d\x0a\x81\x00";
const DESCRIPTOR: u64 = 64;
/// Sections of one segment: data and a table for each 1,600 chunks or so.
const MOST_SECTIONS: usize = 1 << 18;
/// The texts about device and case have some hundred characters.
const LONGEST_TEXT: usize = 1 << 16;
/// Segments of an image: the names end at EzZZ.
const MOST_SEGMENTS: u32 = 100 + 3 * 26 * 26;

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let name = image.given.path.name();
    let mut set = Set::default();
    let number = set.add(image.source.as_ref(), 0)?;
    if number != 1 {
        let first = segment_name(name, 1).unwrap_or_else(|| "whose name ends in 01".into());
        return Err(damaged(format!("segment {number} of an image; give its first, {first}")));
    }
    let chunk = set.sector.saturating_mul(set.sectors_per_chunk);
    let size = set.sector.saturating_mul(set.sectors);
    if size == 0 || chunk == 0 || chunk > LARGEST_UNIT {
        return Err(damaged(format!("a disk of {size} bytes in chunks of {chunk} bytes")));
    }
    let mut diagnostics = Vec::new();
    let mut paths = vec![image.given.path.clone()];
    let beside = image.beside();
    while set.goes_on && paths.len() < MOST_SEGMENTS as usize {
        let number = u32::try_from(paths.len()).unwrap_or(u32::MAX).saturating_add(1);
        let Some(name) = segment_name(name, number) else { break };
        let Some(source) = beside.open(&name)? else {
            diagnostics.push(missing(image, format!("segment {name} is missing")));
            break;
        };
        match set.add(source.as_ref(), paths.len()) {
            Ok(found) if found == number => paths.extend(beside.find(&name).cloned()),
            Ok(found) => {
                return Err(damaged(format!("{name} is segment {found}, not {number}")));
            }
            Err(error) => {
                diagnostics.push(missing(image, format!("segment {name}: {error}")));
                break;
            }
        }
    }
    if set.bad_sectors > 0 {
        let message =
            format!("{} sectors could not be read when the image was made", set.bad_sectors);
        diagnostics.push(image.diagnostic(Impact::Partial, message));
    }
    let segments = paths.len();
    let segments = if segments == 1 { String::new() } else { format!(", {segments} segments") };
    let words = format!("disk image (Ex01){segments}, {}", size_words(size));
    let hash = set.hash(name);
    set.tables.sort_by_key(|table| table.first);
    let parts = Parts::new(&image.given.tree, paths);
    let chunks = Chunks { parts, tables: set.tables, chunk, size };
    Ok(Disk { source: Mapped::shared(chunks), words, diagnostics, hash })
}

fn missing(image: &Image<'_>, what: String) -> Diagnostic {
    image.diagnostic(Impact::Partial, format!("{what}; what it and the next hold is not read"))
}

/// `.Ex01` to `.Ex99`, then `.ExAA` to `.ExZZ`, `.EyAA` and on to `.EzZZ`.
fn segment_name(first: &str, number: u32) -> Option<String> {
    let (stem, extension) = first.rsplit_once('.')?;
    let (letters, digits) = extension.split_at_checked(2)?;
    let (kind, series) = letters.split_at_checked(1)?;
    if digits.len() != 2 || !series.eq_ignore_ascii_case("x") {
        return None;
    }
    let Some(beyond) = number.checked_sub(100) else {
        return Some(format!("{stem}.{letters}{number:02}"));
    };
    let place = |from: char, by: u32| char::from_u32(u32::from(from).checked_add(by)?);
    let series = place(series.chars().next()?, beyond / 676).filter(|_| beyond < 3 * 676)?;
    let (third, fourth) = (place('A', beyond / 26 % 26)?, place('A', beyond % 26)?);
    Some(format!("{stem}.{kind}{series}{third}{fourth}"))
}

/// What the segments of an image say together.
struct Set {
    tables: Vec<Table>,
    sectors: u64,
    /// Of a sector, in bytes.
    sector: u64,
    sectors_per_chunk: u64,
    /// Whether the last segment that was read says that another follows.
    goes_on: bool,
    bad_sectors: u64,
    md5: Option<[u8; 16]>,
    sha1: Option<[u8; 20]>,
}

impl Default for Set {
    fn default() -> Self {
        Self {
            tables: Vec::new(),
            sectors: 0,
            sector: 512,
            sectors_per_chunk: 64,
            goes_on: false,
            bad_sectors: 0,
            md5: None,
            sha1: None,
        }
    }
}

/// Where some consecutive chunks are described.
struct Table {
    /// The number of the first chunk on the disk.
    first: u64,
    count: u64,
    /// Where the entries are.
    entries: u64,
    /// The number of the file, counted from 0.
    segment: usize,
}

/// A section: its kind, and where its data is.
struct Section {
    kind: u32,
    start: u64,
    size: u64,
}

impl Set {
    /// Reads the sections of a segment; gives its number, counted from 1.
    fn add(&mut self, file: &dyn Source, index: usize) -> io::Result<u32> {
        let mut header = [0; 32];
        read_exact_at(file, 0, &mut header)?;
        if !header.starts_with(SIGNATURE) {
            return Err(damaged("a segment of the image is none"));
        }
        let fields = Fields(&header);
        if fields.u16_le(10) == 2 {
            return Err(unsupported(
                "chunks packed with bzip2 are not read; convert it: ewfexport",
            ));
        }
        let mut sections = sections(file)?;
        self.goes_on = sections.first().is_some_and(|last| last.kind == 0x0D);
        sections.reverse();
        for section in &sections {
            self.add_section(file, section, index)?;
        }
        Ok(fields.u32_le(12))
    }

    fn add_section(&mut self, file: &dyn Source, of: &Section, index: usize) -> io::Result<()> {
        match of.kind {
            0x01 => {
                let text = of.text(file)?;
                self.sectors = attribute(&text, "ts").unwrap_or(self.sectors);
                self.sector = attribute(&text, "bp").unwrap_or(self.sector);
            }
            0x02 => {
                let text = of.text(file)?;
                self.sectors_per_chunk = attribute(&text, "sb").unwrap_or(self.sectors_per_chunk);
            }
            0x04 => {
                let header: [u8; 32] = of.bytes(file)?;
                let fields = Fields(&header);
                let (first, count) = (fields.u64_le(0), u64::from(fields.u32_le(8)));
                if adler32(fields.bytes(0, 16)) != fields.u32_le(16)
                    || count.saturating_mul(16).saturating_add(32) > of.size
                {
                    return Err(damaged("a table of the image is damaged"));
                }
                let entries = of.start.saturating_add(32);
                self.tables.push(Table { first, count, entries, segment: index });
            }
            0x05 => self.bad_sectors = of.bad_sectors(file)?,
            0x08 => self.md5 = Some(of.bytes(file)?),
            0x09 => self.sha1 = Some(of.bytes(file)?),
            _ => {}
        }
        Ok(())
    }

    fn hash(&self, source: &str) -> Option<RecordedHash> {
        let digits =
            |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
        (self.md5.is_some() || self.sha1.is_some()).then(|| RecordedHash {
            source: source.to_owned(),
            sha256: None,
            sha1: self.sha1.map(|hash| digits(&hash)),
            md5: self.md5.map(|hash| digits(&hash)),
        })
    }
}

/// The sections of a segment, the last one first.
fn sections(file: &dyn Source) -> io::Result<Vec<Section>> {
    let mut sections = Vec::new();
    let mut at = file.size().saturating_sub(DESCRIPTOR);
    while at > 0 && sections.len() < MOST_SECTIONS {
        let mut bytes = [0; 64];
        read_exact_at(file, at, &mut bytes)?;
        let fields = Fields(&bytes);
        if adler32(fields.bytes(0, 60)) != fields.u32_le(60) {
            return Err(damaged(match sections.len() {
                0 => "cut off: the description of its last section is not there",
                _ => "the description of a section is damaged",
            }));
        }
        if fields.u32_le(4) & 2 != 0 {
            return Err(unsupported("the image is encrypted; decrypt it with EnCase"));
        }
        let (size, before) = (fields.u64_le(16), fields.u64_le(8));
        let start = at.checked_sub(size).ok_or_else(|| damaged("a section of impossible size"))?;
        sections.push(Section { kind: fields.u32_le(0), start, size });
        // Each lies before the other, so this comes to an end.
        if before >= at {
            return Err(damaged("the chain of sections is damaged"));
        }
        at = before;
    }
    Ok(sections)
}

impl Section {
    fn bytes<const N: usize>(&self, file: &dyn Source) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        if u64::try_from(N).is_ok_and(|needed| needed > self.size) {
            return Err(damaged("a section of the image is too short"));
        }
        read_exact_at(file, self.start, &mut bytes)?;
        Ok(bytes)
    }

    /// UTF-16, packed.
    fn text(&self, file: &dyn Source) -> io::Result<String> {
        let size = usize::try_from(self.size).unwrap_or(usize::MAX).min(LONGEST_TEXT);
        let mut packed = vec![0; size];
        read_exact_at(file, self.start, &mut packed)?;
        let bytes = unpack(Method::Zlib, &packed, 0, LONGEST_TEXT)?;
        let units = bytes.as_chunks().0.iter().map(|unit| u16::from_le_bytes(*unit));
        Ok(char::decode_utf16(units)
            .map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect())
    }

    /// The sum of the ranges of sectors in an error table: a header of 32 bytes, then 16 for each.
    fn bad_sectors(&self, file: &dyn Source) -> io::Result<u64> {
        let size = usize::try_from(self.size.min(1 << 20)).unwrap_or_default();
        let mut bytes = vec![0; size];
        read_exact_at(file, self.start, &mut bytes)?;
        let count = usize::try_from(Fields(&bytes).u32_le(0)).unwrap_or_default();
        let ranges = bytes.get(32..).unwrap_or_default().chunks_exact(16).take(count);
        Ok(ranges.map(|range| u64::from(Fields(range).u32_le(8))).fold(0, u64::saturating_add))
    }
}

/// The value of an attribute: tags are in the third line, their values in the fourth.
fn attribute(text: &str, tag: &str) -> Option<u64> {
    let mut lines = text.lines().skip(2);
    let (tags, values) = (lines.next()?, lines.next()?);
    let place = tags.split('\t').position(|one| one == tag)?;
    values.split('\t').nth(place)?.parse().ok()
}

struct Chunks {
    parts: Parts,
    /// In the order of their chunks.
    tables: Vec<Table>,
    /// Of a chunk, in bytes.
    chunk: u64,
    size: u64,
}

/// Flags of a chunk.
const PACKED: u32 = 1;
const SUMMED: u32 = 2;
const PATTERN: u32 = 4;

impl Map for Chunks {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let number = offset.checked_div(self.chunk).unwrap_or_default();
        let next = self.tables.partition_point(|table| table.first <= number);
        let table = next.checked_sub(1).and_then(|index| self.tables.get(index));
        let table = table
            .filter(|table| number < table.first.saturating_add(table.count))
            .ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::UnexpectedEof,
                    "this part of the disk is in a segment that is missing or cut off",
                )
            })?;
        let source = self.parts.get(table.segment)?;
        let mut entry = [0; 16];
        let at = number.saturating_sub(table.first).saturating_mul(16);
        read_exact_at(source.as_ref(), table.entries.saturating_add(at), &mut entry)?;
        let fields = Fields(&entry);
        let start = number.saturating_mul(self.chunk);
        let within = offset.saturating_sub(start);
        let (at, packed) = (fields.u64_le(0), u64::from(fields.u32_le(8)));
        let wanted = self.chunk.min(self.size.saturating_sub(start));
        let unit = |method, packed| {
            Place::Packed(Unit {
                source: Arc::clone(&source),
                offset: at,
                packed,
                method,
                start,
                size: self.chunk,
            })
        };
        let flags = fields.u32_le(12);
        let place = if flags & PACKED != 0 && flags & PATTERN != 0 {
            self.pattern(fields.bytes(0, 8), within)
        } else if flags & PACKED != 0 {
            unit(Method::Zlib, packed)
        } else if flags & SUMMED != 0 {
            unit(Method::Summed, packed.min(wanted.saturating_add(4)))
        } else if packed >= wanted {
            Place::Stored(Arc::clone(&source), at.saturating_add(within))
        } else {
            return Err(damaged("a chunk of the image is too short"));
        };
        Ok(Run { place, size: self.chunk.saturating_sub(within) })
    }
}

impl Chunks {
    /// Eight bytes, repeated.
    fn pattern(&self, bytes: &[u8], within: u64) -> Place {
        if bytes.iter().all(|byte| *byte == 0) {
            return Place::Zeros;
        }
        let size = usize::try_from(self.chunk).unwrap_or_default();
        let filled = bytes.iter().copied().cycle().take(size).collect();
        Place::Stored(Arc::new(MemorySource(filled)), within)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_are_named_as_encase_does() {
        for (number, expected) in [
            (1, Some("a.b.Ex01")),
            (99, Some("a.b.Ex99")),
            (100, Some("a.b.ExAA")),
            (126, Some("a.b.ExBA")),
            (776, Some("a.b.EyAA")),
            (MOST_SEGMENTS - 1, Some("a.b.EzZZ")),
            (MOST_SEGMENTS, None),
        ] {
            assert_eq!(segment_name("a.b.Ex01", number).as_deref(), expected, "{number}");
        }
        for name in ["Ex01", "x.E01", "x.Ex1", "x.\u{e9}x01"] {
            assert_eq!(segment_name(name, 2), None, "{name}");
        }
    }

    #[test]
    fn attributes_are_found_by_their_tag() {
        let text = "\u{feff}1\nmain\nts\tdt\tbp\n32768\tf\t512\n\n";
        assert_eq!(attribute(text, "ts"), Some(32_768));
        assert_eq!(attribute(text, "bp"), Some(512));
        assert_eq!(attribute(text, "dt"), None);
        assert_eq!(attribute(text, "sb"), None);
        assert_eq!(attribute("1\nmain\n", "ts"), None);
    }
}
