//! VHD: fixed, dynamic and differencing (Microsoft, Virtual Hard Disk Image Format Specification, 2006).

use std::io;
use std::sync::Arc;

use super::bytes::Fields;
use super::mapped::{Map, Mapped, Place, Run};
use super::{Container, Disk, Ends, Image, Parent, damaged, size_words, unsupported};
use crate::evidence::source::{SharedSource, Source, Window, read_exact_at, read_up_to};
use crate::text::utf16le_until_nul;

pub(super) const CONTAINER: Container = Container {
    name: "VHD",
    known_by: "conectix at its start, or in its last sector",
    is: |ends| ends.starts_with(COOKIE) || footer_at_end(ends).is_some(),
    open,
};

const COOKIE: &[u8] = b"conectix";
const FOOTER: usize = 512;
/// A block that was never written.
const UNUSED: u32 = u32::MAX;

/// Where the footer begins, counted from the end: it has 511 bytes where Virtual PC before 2004 wrote it.
fn footer_at_end(ends: &Ends) -> Option<usize> {
    [FOOTER, 511].into_iter().find(|size| ends.before_end(*size).starts_with(COOKIE))
}

struct Footer {
    size: u64,
    kind: u32,
    id: [u8; 16],
    header: u64,
}

impl Footer {
    fn new(bytes: &[u8]) -> Self {
        let fields = Fields(bytes);
        Self {
            size: fields.u64_be(48),
            kind: fields.u32_be(60),
            id: fields.guid(68),
            header: fields.u64_be(16),
        }
    }

    /// The footer at the end, else its copy at the start; and whether it is the copy.
    fn read(image: &Image<'_>) -> io::Result<(Self, bool)> {
        let ends = Ends::of(image)?;
        Ok(match footer_at_end(&ends) {
            Some(size) => (Self::new(ends.before_end(size)), false),
            None => (Self::new(&ends.start), true),
        })
    }
}

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let (footer, is_copy) = Footer::read(image)?;
    let kind = match footer.kind {
        2 => "fixed",
        3 => "dynamic",
        4 => "differencing",
        other => return Err(unsupported(format!("virtual disks of type {other} are not read"))),
    };
    let mut words = format!("disk image (VHD, {kind}), {}", size_words(footer.size));
    if footer.kind == 2 {
        // What is missing of a fixed disk is at its end, before the footer, and no table tells.
        let data = image.source.size().saturating_sub(511);
        let diagnostics = image.cut_off(footer.size.saturating_add(511)).into_iter().collect();
        let source = Arc::new(Window::new(Arc::clone(&image.source), 0, footer.size.min(data)));
        return Ok(Disk { source, words, diagnostics, hash: None });
    }
    let mut blocks = Blocks::read(&image.source, &footer)?;
    let mut diagnostics = Vec::new();
    if footer.kind == 4 {
        let Parent { name, source, disk } = parent(image, &footer)?;
        words = format!("{words}, over {name}");
        check_parent(image, &footer, &name, source)?;
        diagnostics.extend(disk.diagnostics);
        blocks.below = Some(disk.source);
    }
    let end = blocks.furthest()?.saturating_add(if is_copy { 512 } else { 0 });
    diagnostics.extend(image.cut_off(end));
    Ok(Disk { source: Mapped::shared(blocks), words, diagnostics, hash: None })
}

fn header(source: &dyn Source, footer: &Footer) -> io::Result<[u8; 1024]> {
    let mut header = [0; 1024];
    read_exact_at(source, footer.header, &mut header)?;
    if !header.starts_with(b"cxsparse") {
        return Err(damaged("the header of the virtual disk is missing"));
    }
    Ok(header)
}

/// The parent by the names that the locators and the header give.
fn parent(image: &Image<'_>, footer: &Footer) -> io::Result<Parent> {
    let header = header(image.source.as_ref(), footer)?;
    let fields = Fields(&header);
    let mut names = Vec::new();
    for locator in 0..8_usize {
        let at = locator.saturating_mul(24).saturating_add(576);
        let code = fields.bytes(at, 4);
        // Relative and absolute Windows paths in UTF-16LE.
        if code == b"W2ru" || code == b"W2ku" {
            let size = fields.u32_be(at.saturating_add(8)).min(4096);
            let mut path = vec![0; usize::try_from(size).unwrap_or_default()];
            let got =
                read_up_to(image.source.as_ref(), fields.u64_be(at.saturating_add(16)), &mut path)?;
            path.truncate(got);
            names.push(utf16le_until_nul(&path));
        }
    }
    let swapped: Vec<u8> =
        fields.bytes(64, 512).chunks_exact(2).flat_map(|unit| unit.iter().rev().copied()).collect();
    names.push(utf16le_until_nul(&swapped));
    names.retain(|name| !name.is_empty());
    names.dedup();
    image.parent(&names)
}

/// A file of the right name can be another disk: the identifier must be the one that was written down.
fn check_parent(
    image: &Image<'_>,
    footer: &Footer,
    name: &str,
    source: SharedSource,
) -> io::Result<()> {
    let header = header(image.source.as_ref(), footer)?;
    let (found, _) = Footer::read(&Image { given: image.given, source, above: image.above })?;
    if found.id != Fields(&header).guid(40) {
        return Err(damaged(format!("{name} is not the parent that this image was made from")));
    }
    Ok(())
}

struct Blocks {
    file: SharedSource,
    size: u64,
    block: u64,
    /// Where the table begins, and how many blocks it has.
    table: u64,
    entries: u64,
    below: Option<SharedSource>,
}

impl Blocks {
    fn read(file: &SharedSource, footer: &Footer) -> io::Result<Self> {
        let header = header(file.as_ref(), footer)?;
        let fields = Fields(&header);
        let block = u64::from(fields.u32_be(32));
        if !block.is_power_of_two() || !(512..=1 << 30).contains(&block) {
            return Err(damaged(format!("blocks of {block} bytes")));
        }
        Ok(Self {
            file: Arc::clone(file),
            size: footer.size,
            block,
            table: fields.u64_be(16),
            entries: u64::from(fields.u32_be(28)),
            below: None,
        })
    }

    /// The bitmap before each block has a bit for each sector and fills whole sectors.
    fn bitmap(&self) -> u64 {
        (self.block / 512).div_ceil(8).next_multiple_of(512)
    }

    fn unallocated(&self) -> Place {
        self.below.as_ref().map_or(Place::Zeros, |below| Place::Below(Arc::clone(below)))
    }

    /// The end of the last block that the table names.
    fn furthest(&self) -> io::Result<u64> {
        let mut furthest = 0;
        let mut entries = self.size.div_ceil(self.block).min(self.entries);
        let mut at = self.table;
        let mut bytes = vec![0; 64 << 10];
        while entries > 0 {
            let count = u64::try_from(read_up_to(self.file.as_ref(), at, &mut bytes)?).unwrap_or(0);
            let whole = (count / 4).min(entries);
            if whole == 0 {
                return Ok(furthest.max(at.saturating_add(entries.saturating_mul(4))));
            }
            let used = bytes.chunks_exact(4).take(usize::try_from(whole).unwrap_or_default());
            for entry in used.map(|entry| Fields(entry).u32_be(0)).filter(|entry| *entry != UNUSED)
            {
                let start = u64::from(entry).saturating_mul(512);
                let end = start.saturating_add(self.bitmap()).saturating_add(self.block);
                furthest = furthest.max(end);
            }
            entries = entries.saturating_sub(whole);
            at = at.saturating_add(whole.saturating_mul(4));
        }
        Ok(furthest)
    }

    /// Sectors of a differencing disk from one on that are all its own, or all its parent's.
    fn sectors(&self, start: u64, within: u64) -> io::Result<(bool, u64)> {
        let sector = within / 512;
        let last = self.block / 512;
        let mut bits = [0; 64];
        let count = read_up_to(self.file.as_ref(), start.saturating_add(sector / 8), &mut bits)?;
        // The first bit of a byte is its highest.
        let bit = |sector: u64, first: u64| {
            let at = usize::try_from((sector / 8).saturating_sub(first / 8)).ok()?;
            let byte = bits.get(..count)?.get(at)?;
            Some(byte >> 7_u64.saturating_sub(sector % 8) & 1 == 1)
        };
        let own = bit(sector, sector).ok_or_else(|| damaged("a bitmap of the image is cut off"))?;
        let mut end = sector.saturating_add(1);
        while end < last && bit(end, sector) == Some(own) {
            end = end.saturating_add(1);
        }
        Ok((own, end.saturating_mul(512).saturating_sub(within)))
    }
}

impl Map for Blocks {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let (index, within) = (offset / self.block, offset % self.block);
        let rest = self.block.saturating_sub(within);
        if index >= self.entries {
            return Err(damaged("the table of the virtual disk is too short"));
        }
        let mut entry = [0; 4];
        let at = self.table.saturating_add(index.saturating_mul(4));
        read_exact_at(self.file.as_ref(), at, &mut entry)?;
        let entry = u32::from_be_bytes(entry);
        if entry == UNUSED {
            return Ok(Run { place: self.unallocated(), size: rest });
        }
        let start = u64::from(entry).saturating_mul(512);
        let data = start.saturating_add(self.bitmap()).saturating_add(within);
        let stored = Place::Stored(Arc::clone(&self.file), data);
        if self.below.is_none() {
            return Ok(Run { place: stored, size: rest });
        }
        let (own, size) = self.sectors(start, within)?;
        Ok(Run { place: if own { stored } else { self.unallocated() }, size: size.min(rest) })
    }
}
