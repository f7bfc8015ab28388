//! The directory of a zip archive (PKWARE's APPNOTE.TXT 6.3.10, section 4.3), read with distrust.
//!
//! Members are listed as often as they occur, and where the central directory is damaged or missing the headers
//! before the members take its place.

use std::collections::BTreeSet;
use std::io::{self, BufReader, Read, Seek, SeekFrom};

use super::cp437;
use crate::bytes::{u16_at, u32_at, u64_at};
use crate::evidence::source::{Cursor, SharedSource, Source, read_exact_at, read_up_to};

/// The signatures.
pub(super) const LOCAL: [u8; 4] = *b"PK\x03\x04";
const CENTRAL: [u8; 4] = *b"PK\x01\x02";
const END: [u8; 4] = *b"PK\x05\x06";
const END_64: [u8; 4] = *b"PK\x06\x06";
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const DESCRIPTOR: [u8; 4] = *b"PK\x07\x08";

/// End records that are tried: more of them are made to keep a reader busy.
const MOST_ENDS: usize = 16;
/// The longest tail the end record can lie in: 22 bytes and a comment of at most 65,535.
const TAIL: u64 = 22 + 65_535;
/// The extra fields that are understood.
const ZIP64: u16 = 0x0001;
const UNICODE_PATH: u16 = 0x7075;
pub(super) const AES: u16 = 0x9901;
/// The flags that are understood.
pub(super) const ENCRYPTED: u16 = 1;
pub(super) const DESCRIBED_AFTER: u16 = 1 << 3;
const UTF_8: u16 = 1 << 11;

/// A member as its header describes it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) name: String,
    pub(super) flags: u16,
    pub(super) method: u16,
    /// MS-DOS time and date.
    pub(super) moment: u32,
    pub(super) crc: u32,
    /// Sizes in bytes; the unpacked one is absent where nothing says it.
    pub(super) packed: u64,
    pub(super) size: Option<u64>,
    /// Where its local header begins.
    pub(super) offset: u64,
    /// The system that made it, and what that says of it.
    pub(super) system: u8,
    pub(super) attributes: u32,
    /// The extra field of AES, without its header.
    pub(super) aes: Option<Vec<u8>>,
}

/// What was found of the central directory.
#[derive(Debug, Default)]
pub(super) struct Directory {
    pub(super) headers: Vec<Header>,
    /// Why it is not whole.
    pub(super) damage: Option<String>,
}

/// Where the central directory is.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    end: u64,
    /// What offsets in it must be increased by: an archive may have bytes before it.
    shift: u64,
    count: u64,
}

/// Whether the end of an archive is at the end of a file.
pub(super) fn has_end(source: &dyn Source) -> io::Result<bool> {
    Ok(!ends(source)?.is_empty())
}

/// The places that the end records in the tail give, the last first, as far as there is a directory.
fn ends(source: &dyn Source) -> io::Result<Vec<Place>> {
    let start = source.size().saturating_sub(TAIL);
    let mut tail = vec![0; usize::try_from(source.size().saturating_sub(start)).unwrap_or(0)];
    let count = read_up_to(source, start, &mut tail)?;
    tail.truncate(count);
    let mut places = Vec::new();
    for (at, window) in tail.windows(22).enumerate().rev() {
        if window.starts_with(&END) {
            let position = start.saturating_add(u64::try_from(at).unwrap_or(u64::MAX));
            places.extend(place(source, position, window)?);
            if places.len() >= MOST_ENDS {
                break;
            }
        }
    }
    Ok(places)
}

fn place(source: &dyn Source, position: u64, end: &[u8]) -> io::Result<Option<Place>> {
    let (Some(count), Some(size), Some(offset)) =
        (u16_at(end, 10), u32_at(end, 12), u32_at(end, 16))
    else {
        return Ok(None);
    };
    let (mut count, mut size, mut offset) = (u64::from(count), u64::from(size), u64::from(offset));
    let mut end = position;
    if let Some((at, record)) = zip64_end(source, position)? {
        end = at;
        count = u64_at(&record, 32).unwrap_or(count);
        size = u64_at(&record, 40).unwrap_or(size);
        offset = u64_at(&record, 48).unwrap_or(offset);
    }
    // Right before its end record is where it must be; where its offset says it may differ by what precedes the
    // archive.
    let before_end = end.checked_sub(size);
    for start in [before_end, Some(offset)].into_iter().flatten() {
        if count == 0 || starts_with(source, start, CENTRAL)? {
            return Ok(Some(Place { start, end, shift: start.saturating_sub(offset), count }));
        }
    }
    Ok(None)
}

/// The ZIP64 end record and where it is, if the locator before the end record leads to one.
fn zip64_end(source: &dyn Source, end: u64) -> io::Result<Option<(u64, [u8; 56])>> {
    let Some(at) = end.checked_sub(20) else { return Ok(None) };
    let mut locator = [0; 20];
    if read_exact_at(source, at, &mut locator).is_err() || !locator.starts_with(&LOCATOR_64) {
        return Ok(None);
    }
    for at in [u64_at(&locator, 8), at.checked_sub(56)].into_iter().flatten() {
        let mut record = [0; 56];
        if starts_with(source, at, END_64)? && read_exact_at(source, at, &mut record).is_ok() {
            return Ok(Some((at, record)));
        }
    }
    Ok(None)
}

fn starts_with(source: &dyn Source, at: u64, signature: [u8; 4]) -> io::Result<bool> {
    let mut start = [0; 4];
    Ok(read_up_to(source, at, &mut start)? == start.len() && start == signature)
}

/// Whether the archive is one part of several.
pub(super) fn is_part(source: &dyn Source) -> io::Result<bool> {
    let mut end = [0; 22];
    let Some(at) = source.size().checked_sub(22) else { return Ok(false) };
    read_exact_at(source, at, &mut end)?;
    let disk = u16_at(&end, 4).unwrap_or(0);
    Ok(end.starts_with(&END) && disk != 0 && disk != u16::MAX)
}

/// Reads the central directory; at most `most` headers and one more, so that the reader sees that there are more.
pub(super) fn read(source: &SharedSource, most: usize) -> io::Result<Directory> {
    let mut best = Directory::default();
    for place in ends(source.as_ref())? {
        let directory = read_at(source, place, most)?;
        if directory.damage.is_none() {
            return Ok(directory);
        }
        if directory.headers.len() > best.headers.len() || best.damage.is_none() {
            best = directory;
        }
    }
    best.damage.get_or_insert_with(|| "it has no central directory".into());
    Ok(best)
}

fn read_at(source: &SharedSource, place: Place, most: usize) -> io::Result<Directory> {
    let mut directory = Directory::default();
    let mut cursor = Cursor::new(SharedSource::clone(source));
    cursor.seek(SeekFrom::Start(place.start))?;
    let length = place.end.saturating_sub(place.start);
    let mut reader = BufReader::with_capacity(1 << 16, cursor).take(length);
    let mut left = reader.limit();
    while directory.headers.len() <= most {
        match central(&mut reader, place.shift)? {
            Some(header) => directory.headers.push(header),
            None => break,
        }
        left = reader.limit();
    }
    // The count of members may be damaged too, so the directory must also end where its end record begins; only a
    // signature may come between.
    let is_signed = starts_with(source.as_ref(), place.end.saturating_sub(left), *b"PK\x05\x05")?;
    let ends_early = left > 0 && !is_signed;
    let found = u64::try_from(directory.headers.len()).unwrap_or(u64::MAX);
    let starts_with_member = starts_with(source.as_ref(), 0, LOCAL)?;
    if found == 0 && starts_with_member {
        directory.damage = Some("its central directory lists nothing".into());
    } else if (found < place.count || ends_early) && directory.headers.len() <= most {
        directory.damage = Some(format!(
            "its central directory is damaged after {found} of {} members",
            place.count
        ));
    }
    Ok(directory)
}

/// The next central header; absent where there is none.
fn central(reader: &mut dyn Read, shift: u64) -> io::Result<Option<Header>> {
    let mut fixed = [0; 46];
    if !read_all(reader, &mut fixed)? || !fixed.starts_with(&CENTRAL) {
        return Ok(None);
    }
    let length = |at| usize::from(u16_at(&fixed, at).unwrap_or(0));
    let (mut name, mut extra) = (vec![0; length(28)], vec![0; length(30)]);
    let mut comment = vec![0; length(32)];
    if !read_all(reader, &mut name)?
        || !read_all(reader, &mut extra)?
        || !read_all(reader, &mut comment)?
    {
        return Ok(None);
    }
    let mut header = common(&fixed, 8);
    header.system = fixed.get(5).copied().unwrap_or(0);
    header.attributes = u32_at(&fixed, 38).unwrap_or(0);
    header.offset = u64::from(u32_at(&fixed, 42).unwrap_or(0));
    header.complete(&name, &extra, header.offset == u64::from(u32::MAX));
    header.offset = header.offset.saturating_add(shift);
    Ok(Some(header))
}

fn read_all(reader: &mut dyn Read, buffer: &mut [u8]) -> io::Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The fields that central and local headers share, from the flags on.
fn common(fixed: &[u8], at: usize) -> Header {
    let half = |offset: usize| u16_at(fixed, at.saturating_add(offset)).unwrap_or(0);
    let word = |offset: usize| u32_at(fixed, at.saturating_add(offset)).unwrap_or(0);
    Header {
        flags: half(0),
        method: half(2),
        moment: word(4),
        crc: word(8),
        packed: u64::from(word(12)),
        size: Some(u64::from(word(16))),
        ..Header::default()
    }
}

impl Header {
    /// Adds what the name and the extra fields say.
    fn complete(&mut self, name: &[u8], extra: &[u8], wants_offset: bool) {
        self.name = decode(name, self.flags);
        let mut rest = extra;
        while let (Some(id), Some(length)) = (u16_at(rest, 0), u16_at(rest, 2)) {
            let end = usize::from(length).saturating_add(4);
            let Some(field) = rest.get(4..end) else { break };
            match id {
                ZIP64 => self.widen(field, wants_offset),
                AES => self.aes = Some(field.to_vec()),
                UNICODE_PATH => {
                    let mut crc = flate2::Crc::new();
                    crc.update(name);
                    if u32_at(field, 1) == Some(crc.sum()) {
                        let path = field.get(5..).unwrap_or_default();
                        self.name = String::from_utf8_lossy(path).into_owned();
                    }
                }
                _ => {}
            }
            rest = rest.get(end..).unwrap_or_default();
        }
    }

    /// The sizes and the offset of a ZIP64 member: only those that do not fit 32 bits, in this order.
    fn widen(&mut self, field: &[u8], wants_offset: bool) {
        let most = u64::from(u32::MAX);
        let mut at = 0_usize;
        let mut next = || {
            let value = u64_at(field, at);
            at = at.saturating_add(8);
            value
        };
        if self.size == Some(most) {
            self.size = next().or(self.size);
        }
        if self.packed == most {
            self.packed = next().unwrap_or(self.packed);
        }
        if wants_offset {
            self.offset = next().unwrap_or(self.offset);
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        self.flags & ENCRYPTED != 0
    }
}

/// Many writers store UTF-8 without saying so.
fn decode(name: &[u8], flags: u16) -> String {
    match std::str::from_utf8(name) {
        Ok(name) => name.to_owned(),
        Err(_) if flags & UTF_8 != 0 => String::from_utf8_lossy(name).into_owned(),
        Err(_) => cp437::decode(name),
    }
}

/// Where the bytes of a member begin, from its local header.
pub(super) fn data_start(source: &dyn Source, header: &Header) -> io::Result<u64> {
    let mut fixed = [0; 30];
    let bad =
        |_| io::Error::new(io::ErrorKind::InvalidData, "the archive ends before its local header");
    read_exact_at(source, header.offset, &mut fixed).map_err(bad)?;
    if !fixed.starts_with(&LOCAL) {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!("there is no local header at offset {}", header.offset),
        ));
    }
    let length = |at| u64::from(u16_at(&fixed, at).unwrap_or(0));
    let names = length(26).saturating_add(length(28));
    Ok(header.offset.saturating_add(30).saturating_add(names))
}

/// Looks for local headers that the central directory does not have; `known` are the offsets of those it has.
pub(super) fn recover(
    source: &SharedSource,
    known: &BTreeSet<u64>,
    most: usize,
) -> io::Result<Vec<Header>> {
    let mut found = Vec::new();
    let mut at = 0;
    let mut scanner = Scanner::new(source.as_ref());
    while found.len() <= most
        && let Some(offset) = scanner.find(at, LOCAL)?
    {
        at = offset.saturating_add(4);
        let Some((mut header, start)) = local(source.as_ref(), offset)? else { continue };
        let end = member_end(&mut scanner, &mut header, start)?;
        at = end.max(at);
        if !known.contains(&offset) {
            found.push(header);
        }
    }
    Ok(found)
}

/// A local header and where its member's bytes begin; absent where it is cut off or makes no sense.
fn local(source: &dyn Source, offset: u64) -> io::Result<Option<(Header, u64)>> {
    let mut fixed = [0; 30];
    if read_up_to(source, offset, &mut fixed)? < fixed.len() {
        return Ok(None);
    }
    let mut header = common(&fixed, 6);
    let length = |at| usize::from(u16_at(&fixed, at).unwrap_or(0));
    let mut names = vec![0; length(26).saturating_add(length(28))];
    let at = offset.saturating_add(30);
    if read_up_to(source, at, &mut names)? < names.len() || names.is_empty() {
        return Ok(None);
    }
    let (name, extra) = names.split_at(length(26).min(names.len()));
    header.complete(name, extra, false);
    header.offset = offset;
    Ok(Some((header, at.saturating_add(u64::try_from(names.len()).unwrap_or(u64::MAX)))))
}

/// Where a recovered member ends. Sizes that are wrong or come after the bytes are replaced by what is found.
fn member_end(scanner: &mut Scanner<'_>, header: &mut Header, start: u64) -> io::Result<u64> {
    let rest = scanner.source.size().saturating_sub(start);
    let is_after = header.flags & DESCRIBED_AFTER != 0 && header.packed == 0;
    if !is_after {
        if header.packed > rest {
            header.packed = rest;
        }
        return Ok(start.saturating_add(header.packed));
    }
    let mut at = start;
    while let Some(end) = scanner.find(at, DESCRIPTOR)? {
        let packed = end.saturating_sub(start);
        let mut after = [0; 24];
        let count = read_up_to(scanner.source, end, &mut after)?;
        let after = after.get(..count).unwrap_or_default();
        let narrow = (u32_at(after, 8).map(u64::from), u32_at(after, 12).map(u64::from));
        let wide = (u64_at(after, 8), u64_at(after, 16));
        if let Some((_, size)) =
            [narrow, wide].into_iter().find(|(found, _)| *found == Some(packed))
        {
            header.packed = packed;
            header.size = size;
            header.crc = u32_at(after, 4).unwrap_or(0);
            return Ok(end.saturating_add(16));
        }
        at = end.saturating_add(4);
    }
    header.packed = rest;
    header.size = None;
    Ok(scanner.source.size())
}

/// Looks for signatures, reading every byte once however many there are.
struct Scanner<'s> {
    source: &'s dyn Source,
    block: Vec<u8>,
    /// Where the block begins.
    start: u64,
}

impl<'s> Scanner<'s> {
    const BLOCK: usize = 1 << 16;

    fn new(source: &'s dyn Source) -> Self {
        Self { source, block: Vec::new(), start: 0 }
    }

    /// The next place at or after an offset that bears a signature.
    fn find(&mut self, from: u64, signature: [u8; 4]) -> io::Result<Option<u64>> {
        let mut at = from;
        loop {
            let ahead = at.checked_sub(self.start).and_then(|ahead| usize::try_from(ahead).ok());
            let rest = ahead.and_then(|ahead| self.block.get(ahead..)).unwrap_or_default();
            if let Some(index) = rest.windows(4).position(|window| window == signature) {
                return Ok(Some(at.saturating_add(u64::try_from(index).unwrap_or(u64::MAX))));
            }
            // A signature may lie across two blocks.
            let looked_at = u64::try_from(rest.len().saturating_sub(3)).unwrap_or(u64::MAX);
            self.start = at.saturating_add(looked_at);
            at = self.start;
            self.block.resize(Self::BLOCK, 0);
            let count = read_up_to(self.source, self.start, &mut self.block)?;
            self.block.truncate(count);
            if count < 4 {
                return Ok(None);
            }
        }
    }
}
