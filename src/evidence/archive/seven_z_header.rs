//! The header of a 7z archive (7zFormat.txt of the LZMA SDK), checked before the library reads it.
//!
//! The library reserves memory for every count in the header and derives keys for as long as the header says.
//! This walk refuses headers whose counts no header of their length can have, and unpacks a packed header through
//! the library in bounded memory. What the library then reads is an archive with a plain header, put together
//! of the original and the unpacked header.

use std::io::{self, Read};
use std::sync::Arc;

use sevenz_rust2::{Archive, BlockDecoder, Password};

use crate::evidence::source::{Cursor, SharedSource, Source, read_exact_at};

pub(super) const SIGNATURE: [u8; 6] = *b"7z\xbc\xaf\x27\x1c";
/// The size of the signature header in bytes.
const START: u64 = 32;
/// The largest header in bytes: some millions of members.
const LARGEST: u64 = 256 << 20;
/// The most memory a method may ask for, in bytes.
const MOST_MEMORY: u64 = 1 << 30;
/// The most rounds of the key derivation, as a power of two; 7-Zip uses 19.
const MOST_ROUNDS: u8 = 24;

// Identifiers of properties.
const END: u8 = 0x00;
const HEADER: u8 = 0x01;
const ARCHIVE_PROPERTIES: u8 = 0x02;
const MAIN_STREAMS: u8 = 0x04;
const FILES: u8 = 0x05;
const PACK_INFO: u8 = 0x06;
const UNPACK_INFO: u8 = 0x07;
const SUB_STREAMS: u8 = 0x08;
const SIZE: u8 = 0x09;
const CRC: u8 = 0x0a;
const FOLDER: u8 = 0x0b;
const UNPACK_SIZE: u8 = 0x0c;
const COUNTS: u8 = 0x0d;
const ENCODED_HEADER: u8 = 0x17;

// Methods.
const LZMA: [u8; 3] = [3, 1, 1];
const LZMA2: [u8; 1] = [0x21];
const PPMD: [u8; 3] = [3, 4, 1];
pub(super) const AES: [u8; 4] = [6, 0xf1, 7, 1];

/// Reads a header's fields, none beyond its end.
struct Walk<'h> {
    header: &'h [u8],
    at: usize,
    is_encrypted: bool,
}

fn bad(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its header is damaged: {what}"))
}

impl<'h> Walk<'h> {
    fn new(header: &'h [u8]) -> Self {
        Self { header, at: 0, is_encrypted: false }
    }

    fn bytes(&mut self, count: usize) -> io::Result<&'h [u8]> {
        let end = self.at.checked_add(count).ok_or_else(|| bad("a length"))?;
        let bytes = self.header.get(self.at..end).ok_or_else(|| bad("it ends too early"))?;
        self.at = end;
        Ok(bytes)
    }

    fn byte(&mut self) -> io::Result<u8> {
        self.bytes(1)?.first().copied().ok_or_else(|| bad("it ends too early"))
    }

    /// A number: the leading ones of its first byte count the bytes after it.
    fn number(&mut self) -> io::Result<u64> {
        let first = self.byte()?;
        let more = usize::try_from(first.leading_ones()).unwrap_or(8);
        let mut value = 0_u64;
        for (index, byte) in self.bytes(more)?.iter().enumerate() {
            value |= u64::from(*byte) << index.saturating_mul(8);
        }
        if more < 7 {
            let high = u64::from(first & (0x7f_u8 >> more));
            value |= high << more.saturating_mul(8);
        }
        Ok(value)
    }

    /// A count of things that take at least some bytes each in this header.
    fn count(&mut self, of: &str) -> io::Result<usize> {
        let count = usize::try_from(self.number()?).unwrap_or(usize::MAX);
        if count > self.header.len() {
            return Err(bad(of));
        }
        Ok(count)
    }

    fn expect(&mut self, id: u8, what: &str) -> io::Result<()> {
        if self.byte()? == id { Ok(()) } else { Err(bad(what)) }
    }

    fn numbers(&mut self, count: usize) -> io::Result<()> {
        (0..count).try_for_each(|_| self.number().map(drop))
    }

    /// Checksums of some of a number of things.
    fn digests(&mut self, of: usize) -> io::Result<()> {
        let mut defined = of;
        if self.byte()? == 0 {
            let bits = self.bytes(of.div_ceil(8))?;
            defined = bits
                .iter()
                .map(|byte| usize::try_from(byte.count_ones()).unwrap_or(8))
                .fold(0, usize::saturating_add);
        }
        self.bytes(defined.saturating_mul(4)).map(drop)
    }

    /// The streams; where the section on sub-streams begins, if there is one, and where the section ends.
    fn streams(&mut self) -> io::Result<(bool, usize)> {
        let mut id = self.byte()?;
        if id == PACK_INFO {
            self.pack_info()?;
            id = self.byte()?;
        }
        let mut folders = Vec::new();
        if id == UNPACK_INFO {
            folders = self.unpack_info()?;
            id = self.byte()?;
        }
        let has_sub_streams = id == SUB_STREAMS;
        if has_sub_streams {
            self.sub_streams(&folders)?;
            id = self.byte()?;
        }
        if id != END {
            return Err(bad("the end of its streams"));
        }
        Ok((has_sub_streams, self.at.saturating_sub(1)))
    }

    fn pack_info(&mut self) -> io::Result<()> {
        self.number()?;
        let count = self.count("packed streams")?;
        let mut id = self.byte()?;
        if id == SIZE {
            self.numbers(count)?;
            id = self.byte()?;
        }
        if id == CRC {
            self.digests(count)?;
            id = self.byte()?;
        }
        if id == END { Ok(()) } else { Err(bad("the end of its packed streams")) }
    }

    /// The folders, each as whether its checksum is known.
    fn unpack_info(&mut self) -> io::Result<Vec<bool>> {
        self.expect(FOLDER, "its folders")?;
        let count = self.count("folders")?;
        if self.byte()? != 0 {
            return Err(bad("folders elsewhere"));
        }
        let mut outputs = 0_usize;
        for _ in 0..count {
            outputs = outputs.saturating_add(self.folder()?);
        }
        self.expect(UNPACK_SIZE, "its unpacked sizes")?;
        self.numbers(outputs)?;
        let mut has_crc = vec![false; count];
        let mut id = self.byte()?;
        if id == CRC {
            let from = self.at;
            self.digests(count)?;
            let all = self.header.get(from).is_some_and(|byte| *byte != 0);
            let bits = self.header.get(from.saturating_add(1)..).unwrap_or_default();
            for (index, known) in has_crc.iter_mut().enumerate() {
                let byte = bits.get(index / 8).copied().unwrap_or(0);
                *known = all || byte & (0x80 >> (index % 8)) != 0;
            }
            id = self.byte()?;
        }
        if id == END { Ok(has_crc) } else { Err(bad("the end of its folders")) }
    }

    /// One folder: the methods it was packed with; how many streams come out of them.
    fn folder(&mut self) -> io::Result<usize> {
        let count = self.count("methods")?;
        if count == 0 || count > 32 {
            return Err(bad("the number of methods"));
        }
        let (mut inputs, mut outputs) = (0_usize, 0_usize);
        for _ in 0..count {
            let flags = self.byte()?;
            let method = self.bytes(usize::from(flags & 0x0f))?;
            let (mut more_in, mut more_out) = (1, 1);
            if flags & 0x10 != 0 {
                (more_in, more_out) = (self.count("inputs")?, self.count("outputs")?);
            }
            inputs = inputs.saturating_add(more_in);
            outputs = outputs.saturating_add(more_out);
            if flags & 0x20 != 0 {
                let length = self.count("properties")?;
                let properties = self.bytes(length)?;
                self.method(method, properties)?;
            }
        }
        if inputs > 32 || outputs == 0 || outputs > 32 {
            return Err(bad("the number of streams of a folder"));
        }
        let bound = outputs.saturating_sub(1);
        self.numbers(bound.saturating_mul(2))?;
        let packed = inputs.checked_sub(bound).ok_or_else(|| bad("streams that are bound"))?;
        if packed == 0 {
            return Err(bad("a folder without packed streams"));
        }
        if packed > 1 {
            self.numbers(packed)?;
        }
        Ok(outputs)
    }

    /// Refuses what asks for too much memory or time.
    fn method(&mut self, method: &[u8], properties: &[u8]) -> io::Result<()> {
        let word = |bytes: Option<&[u8]>| {
            let bytes = bytes.and_then(|bytes| bytes.first_chunk::<4>());
            bytes.map_or(0, |bytes| u64::from(u32::from_le_bytes(*bytes)))
        };
        let first = properties.first().copied().unwrap_or(0);
        let memory = if method == LZMA || method == PPMD {
            word(properties.get(1..))
        } else if method == LZMA2 {
            let bits = u32::from(first.min(40));
            u64::from(2 | (bits & 1)) << (bits / 2).saturating_add(11)
        } else {
            0
        };
        if memory > MOST_MEMORY {
            return Err(io::Error::other(format!(
                "needs {memory} bytes of memory to be unpacked, more than the {MOST_MEMORY} that are allowed"
            )));
        }
        if method == AES {
            self.is_encrypted = true;
            let rounds = first & 0x3f;
            if rounds > MOST_ROUNDS && rounds != 0x3f {
                return Err(bad("the rounds of its key derivation"));
            }
        }
        Ok(())
    }

    fn sub_streams(&mut self, folders: &[bool]) -> io::Result<()> {
        let mut counts = vec![1_usize; folders.len()];
        let mut id = self.byte()?;
        if id == COUNTS {
            for count in &mut counts {
                *count = self.count("members of a folder")?;
            }
            id = self.byte()?;
        }
        let all = counts.iter().copied().fold(0, usize::saturating_add);
        if all > self.header.len() {
            return Err(bad("members of its folders"));
        }
        if id == SIZE {
            let sizes = counts.iter().map(|count| count.saturating_sub(1));
            self.numbers(sizes.fold(0, usize::saturating_add))?;
            id = self.byte()?;
        }
        if id == CRC {
            let missing = counts.iter().zip(folders).filter(|(count, crc)| **count != 1 || !**crc);
            let missing = missing.map(|(count, _)| *count).fold(0, usize::saturating_add);
            self.digests(missing)?;
            id = self.byte()?;
        }
        if id == END { Ok(()) } else { Err(bad("the end of its members' streams")) }
    }

    /// The whole of a plain header, up to the number of its members.
    fn header(&mut self, most: usize) -> io::Result<()> {
        self.expect(HEADER, "its beginning")?;
        let mut id = self.byte()?;
        if id == ARCHIVE_PROPERTIES {
            while self.byte()? != END {
                let length = self.count("properties")?;
                self.bytes(length)?;
            }
            id = self.byte()?;
        }
        if id == MAIN_STREAMS {
            self.streams()?;
            id = self.byte()?;
        }
        if id == FILES {
            let members = self.count("members")?;
            if members > most {
                return Err(io::Error::other(format!(
                    "lists {members} members, more than {most}; --max-members raises this limit"
                )));
            }
        }
        Ok(())
    }
}

/// An archive whose header is replaced.
struct Spliced {
    start: Vec<u8>,
    source: SharedSource,
    header: Vec<u8>,
}

impl Source for Spliced {
    fn size(&self) -> u64 {
        let header = u64::try_from(self.header.len()).unwrap_or(u64::MAX);
        self.source.size().saturating_add(header)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let copy = |bytes: &[u8], from: u64, buffer: &mut [u8]| {
            let from = usize::try_from(from).unwrap_or(usize::MAX);
            bytes.get(from..).unwrap_or_default().read(buffer)
        };
        let size = self.source.size();
        if offset < START {
            return copy(&self.start, offset, buffer);
        }
        if offset >= size {
            return copy(&self.header, offset.saturating_sub(size), buffer);
        }
        let rest = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        self.source.read_at(offset, buffer.get_mut(..wanted).unwrap_or_default())
    }
}

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}

/// The archive with another header after its end.
fn splice(source: &SharedSource, header: Vec<u8>) -> SharedSource {
    let mut place = Vec::new();
    place.extend(source.size().saturating_sub(START).to_le_bytes());
    place.extend(u64::try_from(header.len()).unwrap_or(u64::MAX).to_le_bytes());
    place.extend(crc(&header).to_le_bytes());
    let mut start = SIGNATURE.to_vec();
    start.extend([0, 4]);
    start.extend(crc(&place).to_le_bytes());
    start.extend(place);
    Arc::new(Spliced { start, source: SharedSource::clone(source), header })
}

/// The header as it lies in the archive.
fn stored(source: &SharedSource) -> io::Result<Vec<u8>> {
    let mut start = [0; 32];
    read_exact_at(source.as_ref(), 0, &mut start).map_err(|_| bad("the archive is too short"))?;
    let (checksum, place) = (start.get(8..12), start.get(12..).unwrap_or_default());
    if checksum != Some(&crc(place).to_le_bytes()[..]) {
        return Err(bad("the checksum of where it is"));
    }
    let field = |at: usize| {
        let bytes = place.get(at..).and_then(|bytes| bytes.first_chunk::<8>());
        bytes.map_or(0, |bytes| u64::from_le_bytes(*bytes))
    };
    let (offset, length) = (START.saturating_add(field(0)), field(8));
    if length == 0 {
        return Ok(Vec::new());
    }
    if offset.saturating_add(length) > source.size() {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "the archive ends before its header, which lies at its end and lists its members; without it nothing can be read",
        ));
    }
    if length > LARGEST {
        return Err(bad("its length"));
    }
    let mut header = vec![0; usize::try_from(length).unwrap_or(0)];
    read_exact_at(source.as_ref(), offset, &mut header)?;
    if place.get(16..20) != Some(&crc(&header).to_le_bytes()[..]) {
        return Err(bad("its checksum"));
    }
    Ok(header)
}

/// What the library can read: the archive with a plain header that was checked. Absent for an empty archive.
pub(super) fn plain(
    source: &SharedSource,
    passwords: &[String],
    most: usize,
) -> io::Result<Option<SharedSource>> {
    let mut header = stored(source)?;
    // A packed header may be packed again; nobody does it more than once.
    for _ in 0..2 {
        match header.first() {
            None => return Ok(None),
            Some(&ENCODED_HEADER) => header = unpack(source, &header, passwords)?,
            Some(_) => break,
        }
    }
    Walk::new(&header).header(most)?;
    Ok(Some(splice(source, header)))
}

/// Unpacks a packed header: it is made the only member of an archive.
fn unpack(source: &SharedSource, encoded: &[u8], passwords: &[String]) -> io::Result<Vec<u8>> {
    let streams = encoded.get(1..).unwrap_or_default();
    let mut walk = Walk::new(streams);
    let (has_sub_streams, end) = walk.streams()?;
    let mut header = vec![HEADER, MAIN_STREAMS];
    header.extend(streams.get(..end).unwrap_or_default());
    if !has_sub_streams {
        header.extend([SUB_STREAMS, END]);
    }
    // One member with the name "h".
    header.extend([END, FILES, 1, 0x11, 5, 0, b'h', 0, 0, 0, END, END]);
    let spliced = splice(source, header);
    if !walk.is_encrypted {
        return first_member(&spliced, &Password::empty());
    }
    let mut last = io::Error::new(
        io::ErrorKind::PermissionDenied,
        "encrypted, with the names of its members; --zip-password opens it",
    );
    for password in passwords {
        match first_member(&spliced, &Password::from(password.as_str())) {
            Ok(header) if matches!(header.first(), Some(&(HEADER | ENCODED_HEADER))) => {
                return Ok(header);
            }
            _ => {
                last = io::Error::new(
                    io::ErrorKind::PermissionDenied,
                    "encrypted, and no password given with --zip-password opens it",
                );
            }
        }
    }
    Err(last)
}

fn first_member(source: &SharedSource, password: &Password) -> io::Result<Vec<u8>> {
    super::fuse::fused(|| {
        let mut cursor = Cursor::new(SharedSource::clone(source));
        let archive = Archive::read(&mut cursor, password).map_err(|e| bad(&e.to_string()))?;
        let mut header = Vec::new();
        let decoder = BlockDecoder::new(1, 0, &archive, password, &mut cursor);
        let read = decoder.for_each_entries(&mut |_, reader| {
            reader.take(LARGEST).read_to_end(&mut header)?;
            Ok(false)
        });
        read.map_err(|error| bad(&error.to_string()))?;
        Ok(header)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_take_as_many_bytes_as_their_first_one_says() {
        for (bytes, expected) in [
            (&[0x05][..], 5),
            (&[0x81, 0x02], 0x102),
            (&[0xc0, 1, 2], 0x201),
            (&[0xff, 1, 2, 3, 4, 5, 6, 7, 8], 0x0807_0605_0403_0201),
            (&[0xfe, 1, 0, 0, 0, 0, 0, 1], 0x0001_0000_0000_0001),
        ] {
            assert_eq!(Walk::new(bytes).number().unwrap(), expected, "{bytes:?}");
        }
        assert!(Walk::new(&[0xff, 1]).number().is_err());
    }

    #[test]
    fn counts_that_no_header_of_that_length_has_are_refused() {
        // A header with 2^40 members, one with 2^40 packed streams, one with an hour of key derivation.
        for header in [
            &[HEADER, FILES, 0xfc, 0, 0, 0, 0, 0, 1, 0][..],
            &[HEADER, MAIN_STREAMS, PACK_INFO, 0, 0xfc, 0, 0, 0, 0, 0, 1, 0],
            &[
                HEADER,
                MAIN_STREAMS,
                UNPACK_INFO,
                FOLDER,
                1,
                0,
                1,
                0x24,
                6,
                0xf1,
                7,
                1,
                1,
                0x3e,
                0,
                0,
                0,
                0,
            ],
            &[HEADER, MAIN_STREAMS, UNPACK_INFO, FOLDER, 1, 0, 1, 0x21, 0x21, 1, 40, 0, 0, 0, 0],
        ] {
            assert!(Walk::new(header).header(1000).is_err(), "{header:?}");
        }
    }
}
