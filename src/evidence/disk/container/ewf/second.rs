//! One file of an image in the second format (Ex01): sections that are found from the end of the file backward.

use std::io;

use super::super::bytes::Fields;
use super::super::unpack::{Method, unpack};
use super::segment::{Geometry, Segment, Table};
use super::{damaged, unsupported};
use crate::evidence::source::{Source, read_exact_at};
use crate::text::utf16le;

/// The descriptor after each section.
const DESCRIPTOR: u64 = 64;
const MOST_SECTIONS: usize = 1 << 16;
/// Texts about the case have some KiB.
const LARGEST_TEXT: u64 = 1 << 20;
/// A section that is encrypted.
const ENCRYPTED: u32 = 2;

/// Types of sections.
const DEVICE: u32 = 0x01;
const CASE: u32 = 0x02;
const TABLE: u32 = 0x04;
const MD5: u32 = 0x08;
const SHA1: u32 = 0x09;
const NEXT: u32 = 0x0D;
const DONE: u32 = 0x0F;

struct Section {
    kind: u32,
    /// Where its data begins, and how large it is.
    start: u64,
    size: u64,
}

pub(super) fn read(file: &dyn Source, index: usize) -> io::Result<Segment> {
    let mut header = [0; 32];
    read_exact_at(file, 0, &mut header)?;
    let fields = Fields(&header);
    if fields.u16_le(10) > 1 {
        return Err(unsupported(
            "an image compressed with bzip2; convert it: ewfexport -f encase6",
        ));
    }
    let number =
        u16::try_from(fields.u32_le(12)).map_err(|_| damaged("a segment without a number"))?;
    let mut segment = Segment { number, ..Segment::default() };
    let (mut device, mut case) = (Vec::new(), Vec::new());
    for section in sections(file)? {
        match section.kind {
            DEVICE => device = section.values(file)?,
            CASE => case = section.values(file)?,
            TABLE => segment.tables.push(section.table(file, index)?),
            MD5 => segment.md5 = Some(section.data(file)?),
            SHA1 => segment.sha1 = Some(section.data(file)?),
            NEXT => segment.goes_on = true,
            _ => {}
        }
    }
    let number = |values: &[(String, String)], name: &str| -> Option<u64> {
        values.iter().find(|(found, _)| found == name)?.1.parse().ok()
    };
    let sector = number(&device, "bp").unwrap_or(512);
    if let Some(sectors) = number(&device, "ts") {
        let chunk = number(&case, "sb").unwrap_or(64).saturating_mul(sector);
        segment.geometry = Some(Geometry { chunk, size: sectors.saturating_mul(sector) });
    }
    Ok(segment)
}

/// The sections of a file in their order.
fn sections(file: &dyn Source) -> io::Result<Vec<Section>> {
    let mut sections = Vec::new();
    let mut at = file.size().saturating_sub(DESCRIPTOR);
    for _ in 0..MOST_SECTIONS {
        let mut bytes = [0; 64];
        read_exact_at(file, at, &mut bytes)?;
        let fields = Fields(&bytes);
        let kind = fields.u32_le(0);
        let is_last = sections.is_empty();
        if is_last && kind != NEXT && kind != DONE || fields.u32_le(24) != 64 {
            return Err(damaged(
                "the image is cut off or damaged: its sections are found from its end, which is missing",
            ));
        }
        if fields.u32_le(4) & ENCRYPTED != 0 {
            return Err(unsupported("the image is encrypted; decrypt it with EnCase"));
        }
        let size = fields.u64_le(16);
        let start =
            at.checked_sub(size).ok_or_else(|| damaged("a section has an impossible size"))?;
        sections.push(Section { kind, start, size });
        match fields.u64_le(8) {
            0 => break,
            before if before < at => at = before,
            _ => return Err(damaged("the sections of the image go around in a circle")),
        }
    }
    sections.reverse();
    Ok(sections)
}

impl Section {
    fn data<const N: usize>(&self, file: &dyn Source) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        read_exact_at(file, self.start, &mut bytes)?;
        Ok(bytes)
    }

    /// The names and values of a text: a version, a title, a line of names, a line of values.
    fn values(&self, file: &dyn Source) -> io::Result<Vec<(String, String)>> {
        let mut packed = vec![0; usize::try_from(self.size.min(LARGEST_TEXT)).unwrap_or_default()];
        read_exact_at(file, self.start, &mut packed)?;
        let most = usize::try_from(LARGEST_TEXT).unwrap_or_default();
        let text = utf16le(&unpack(Method::Zlib, &packed, 0, most)?);
        let mut lines = text.lines().skip(2).map(|line| line.split('\t').map(str::to_owned));
        let (names, values) = (lines.next(), lines.next());
        Ok(names.into_iter().flatten().zip(values.into_iter().flatten()).collect())
    }

    /// The first chunk (8 bytes), their count (4), and after 32 bytes an entry of 16 for each.
    fn table(&self, file: &dyn Source, segment: usize) -> io::Result<Table> {
        let header: [u8; 32] = self.data(file)?;
        let fields = Fields(&header);
        let count = u64::from(fields.u32_le(8));
        if count.saturating_mul(16).saturating_add(32) > self.size {
            return Err(damaged("a table of the image is too short"));
        }
        Ok(Table {
            first: fields.u64_le(0),
            count,
            base: 0,
            entries: self.start.saturating_add(32),
            data_end: 0,
            segment,
            is_second: true,
        })
    }
}
