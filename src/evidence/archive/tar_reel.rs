//! The headers of a tar archive one after the other, as POSIX.1-1988 (ustar), POSIX.1-2001 (pax) and GNU tar
//! write them.

use std::io::{self, Read, Seek, SeekFrom};

use tar::Header;

use super::sparse::Parts;
use crate::evidence::source::Cursor;

/// The unit of a tar archive in bytes.
const BLOCK: u64 = 512;
/// The longest name or list of attributes in bytes; GNU tar and libarchive refuse no less.
const LONGEST: u64 = 1 << 20;

/// A tar archive that is read forward.
pub(super) trait Tape: Read {
    /// Goes forward without reading; where the archive ends before, this need not say so.
    fn skip(&mut self, bytes: u64) -> io::Result<()>;
}

impl Tape for Cursor {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let position = self.stream_position()?;
        self.seek(SeekFrom::Start(position.saturating_add(bytes))).map(drop)
    }
}

/// A tape that can only be read.
pub(super) struct Stream<R>(pub(super) R);

impl<R: Read> Read for Stream<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl<R: Read> Tape for Stream<R> {
    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        io::copy(&mut (&mut self.0).take(bytes), &mut io::sink()).map(drop)
    }
}

/// What a header says of the bytes after it.
#[derive(Debug, Default)]
pub(super) struct Item {
    pub(super) name: Vec<u8>,
    /// The target of a link.
    pub(super) link: Vec<u8>,
    /// The type flag; `0` for regular files of any kind.
    pub(super) flag: u8,
    /// Its size in bytes, holes included.
    pub(super) size: u64,
    /// Where its bytes begin in the archive.
    pub(super) start: u64,
    /// How many bytes it has in the archive.
    pub(super) stored: u64,
    /// Where they belong; absent where there are no holes.
    pub(super) parts: Option<Parts>,
}

/// What comes next in a tar archive.
pub(super) enum Next {
    Item(Item),
    /// Bytes that are no header, or a header that makes no sense; the next one is looked for.
    Damage(String),
    /// The end; whether it is marked as such.
    End {
        is_marked: bool,
    },
}

/// What pax headers and GNU long names say of the member that follows.
#[derive(Debug, Default)]
struct Ahead {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
    sparse: PaxSparse,
}

/// The attributes `GNU.sparse.*`, of which there are three versions.
#[derive(Debug, Default)]
struct PaxSparse {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_version_1: bool,
    map: Vec<u64>,
    is_used: bool,
}

/// Where reading stands.
pub(super) struct Reel<T> {
    tape: T,
    position: u64,
    /// Bytes of the current member that were not read, up to the next header.
    ahead: u64,
    /// A header that was read already.
    again: Option<[u8; 512]>,
}

impl<T: Tape> Reel<T> {
    pub(super) fn new(tape: T) -> Self {
        Self { tape, position: 0, ahead: 0, again: None }
    }

    /// The stored bytes of the member that was just given, without holes filled in.
    pub(super) fn stored(&mut self, item: &Item) -> StoredBytes<'_, T> {
        StoredBytes { reel: self, rest: item.stored }
    }

    /// The next member.
    pub(super) fn next(&mut self) -> io::Result<Next> {
        let mut said = Ahead::default();
        let mut zero_blocks = 0_u8;
        loop {
            self.skip_rest()?;
            let Some(block) = self.block()? else {
                return Ok(Next::End { is_marked: zero_blocks > 0 });
            };
            if block.iter().all(|byte| *byte == 0) {
                zero_blocks = zero_blocks.saturating_add(1);
                if zero_blocks > 1 {
                    return Ok(Next::End { is_marked: true });
                }
                continue;
            }
            if !is_header(&block) {
                return self.resume();
            }
            let header = Header::from_byte_slice(&block);
            let size = match header.entry_size() {
                Ok(size) => size,
                Err(error) => return Ok(Next::Damage(format!("a header without a size: {error}"))),
            };
            match header.entry_type().as_byte() {
                flag @ (b'L' | b'K' | b'x' | b'g') => {
                    self.ahead = padded(size);
                    if let Some(problem) = self.read_ahead(flag, size, &mut said)? {
                        return Ok(Next::Damage(problem));
                    }
                }
                flag => return self.member(header, flag, size, said),
            }
        }
    }

    /// Reads on to the end, so that checksums which come there are verified.
    pub(super) fn drain(&mut self) -> io::Result<()> {
        io::copy(&mut self.tape, &mut io::sink()).map(drop)
    }

    fn skip_rest(&mut self) -> io::Result<()> {
        let bytes = std::mem::take(&mut self.ahead);
        self.tape.skip(bytes)?;
        self.position = self.position.saturating_add(bytes);
        Ok(())
    }

    /// The next block; absent at the end, even where a part of a block is left.
    fn block(&mut self) -> io::Result<Option<[u8; 512]>> {
        if let Some(block) = self.again.take() {
            return Ok(Some(block));
        }
        let mut block = [0; 512];
        match self.tape.read_exact(&mut block) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        self.position = self.position.saturating_add(BLOCK);
        Ok(Some(block))
    }

    /// Looks for the next header with a magic, so that a damaged one costs its member only.
    fn resume(&mut self) -> io::Result<Next> {
        let from = self.position.saturating_sub(BLOCK);
        let mut to = self.position;
        while let Some(block) = self.block()? {
            if is_header(&block) && block.get(257..262) == Some(b"ustar") {
                self.again = Some(block);
                break;
            }
            to = self.position;
        }
        Ok(Next::Damage(format!("the bytes from {from} to {to} are no member")))
    }

    /// Reads a header that says something of the next one; what is wrong with it, if something is.
    fn read_ahead(&mut self, flag: u8, size: u64, said: &mut Ahead) -> io::Result<Option<String>> {
        if size > LONGEST {
            return Ok(Some(format!("a name or list of attributes of {size} bytes; not read")));
        }
        let mut bytes = Vec::new();
        (&mut self.tape).take(size).read_to_end(&mut bytes)?;
        let read = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.position = self.position.saturating_add(read);
        self.ahead = self.ahead.saturating_sub(read);
        let until_nul = |bytes: &[u8]| bytes.split(|byte| *byte == 0).next().map(<[u8]>::to_vec);
        match flag {
            b'L' => said.name = until_nul(&bytes),
            b'K' => said.link = until_nul(&bytes),
            b'x' => read_pax(&bytes, said),
            _ => {}
        }
        Ok(None)
    }

    fn member(&mut self, header: &Header, flag: u8, size: u64, said: Ahead) -> io::Result<Next> {
        let stored = said.size.unwrap_or(size);
        let mut item = Item {
            name: said.name.unwrap_or_else(|| header.path_bytes().into_owned()),
            link: said
                .link
                .or_else(|| header.link_name_bytes().map(std::borrow::Cow::into_owned))
                .unwrap_or_default(),
            flag: if matches!(flag, 0 | b'7' | b'S') { b'0' } else { flag },
            size: stored,
            start: self.position,
            stored,
            parts: None,
        };
        self.ahead = padded(stored);
        let parts = if flag == b'S' {
            self.gnu_parts(header, &mut item)
        } else if said.sparse.is_used {
            self.pax_parts(said.sparse, &mut item)
        } else {
            return Ok(Next::Item(item));
        };
        match parts {
            Ok(parts) => item.parts = Some(parts),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                let name = String::from_utf8_lossy(&item.name);
                return Ok(Next::Damage(format!("{name} has holes and is not read: {error}")));
            }
            Err(error) => return Err(error),
        }
        Ok(Next::Item(item))
    }

    /// The map of an old GNU sparse member: four parts in its header, more in blocks after it.
    fn gnu_parts(&mut self, header: &Header, item: &mut Item) -> io::Result<Parts> {
        let mut parts = Parts::default();
        let Some(gnu) = header.as_gnu() else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "not a GNU header"));
        };
        for part in gnu.sparse.iter().filter(|part| !part.is_empty()) {
            parts.push(invalid(part.offset())?, invalid(part.length())?)?;
        }
        let mut goes_on = gnu.is_extended();
        while goes_on {
            // The blocks lie before the bytes and are not counted in their size.
            let mut extension = tar::GnuExtSparseHeader::new();
            self.tape.read_exact(extension.as_mut_bytes())?;
            self.position = self.position.saturating_add(BLOCK);
            for part in extension.sparse().iter().filter(|part| !part.is_empty()) {
                parts.push(invalid(part.offset())?, invalid(part.length())?)?;
            }
            goes_on = extension.is_extended();
        }
        item.start = self.position;
        item.size = invalid(gnu.real_size())?;
        Ok(parts)
    }

    /// The map of a pax sparse member: in its attributes, or since version 1.0 before its bytes.
    fn pax_parts(&mut self, sparse: PaxSparse, item: &mut Item) -> io::Result<Parts> {
        if let Some(name) = sparse.name {
            item.name = name;
        }
        item.size = sparse.size.unwrap_or(item.size);
        let map = if sparse.is_version_1 { self.map_before(item)? } else { sparse.map };
        let mut parts = Parts::default();
        for pair in map.chunks_exact(2) {
            if let [offset, length] = pair {
                parts.push(*offset, *length)?;
            }
        }
        Ok(parts)
    }

    /// Version 1.0: decimal numbers with a line feed after each, the first of which counts the pairs.
    fn map_before(&mut self, item: &mut Item) -> io::Result<Vec<u64>> {
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "its map of holes cannot be read");
        let mut numbers: Vec<u64> = Vec::new();
        let mut number: Option<u64> = None;
        loop {
            let block = self.block()?.ok_or_else(bad)?;
            self.ahead = self.ahead.saturating_sub(BLOCK);
            item.start = self.position;
            item.stored = item.stored.checked_sub(BLOCK).ok_or_else(bad)?;
            for byte in block {
                match byte {
                    b'0'..=b'9' => {
                        let digit = u64::from(byte.saturating_sub(b'0'));
                        let next = number.unwrap_or(0).checked_mul(10);
                        number = Some(next.and_then(|n| n.checked_add(digit)).ok_or_else(bad)?);
                    }
                    b'\n' => numbers.push(number.take().ok_or_else(bad)?),
                    _ => return Err(bad()),
                }
                if let Some((count, map)) = numbers.split_first()
                    && u64::try_from(map.len()).ok() == count.checked_mul(2)
                {
                    return Ok(map.to_vec());
                }
            }
        }
    }
}

fn invalid<T>(result: io::Result<T>) -> io::Result<T> {
    result.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))
}

/// The pax attributes that matter here; POSIX.1-2001 for `path`, the GNU tar manual for `GNU.sparse`.
fn read_pax(bytes: &[u8], said: &mut Ahead) {
    for record in tar::PaxExtensions::new(bytes).filter_map(Result::ok) {
        let value = record.value_bytes();
        let number = std::str::from_utf8(value).ok().and_then(|text| text.parse::<u64>().ok());
        match record.key_bytes() {
            b"path" => said.name = Some(value.to_vec()),
            b"linkpath" => said.link = Some(value.to_vec()),
            b"size" => said.size = number,
            b"GNU.sparse.major" => {
                said.sparse.is_used = true;
                said.sparse.is_version_1 = number == Some(1);
            }
            b"GNU.sparse.name" => said.sparse.name = Some(value.to_vec()),
            b"GNU.sparse.size" | b"GNU.sparse.realsize" => {
                said.sparse.is_used = true;
                said.sparse.size = number;
            }
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => said.sparse.map.extend(number),
            b"GNU.sparse.map" => {
                let text = String::from_utf8_lossy(value);
                said.sparse.map =
                    text.split(',').filter_map(|number| number.parse().ok()).collect();
            }
            _ => {}
        }
    }
}

/// Where the next header is after so many bytes.
fn padded(bytes: u64) -> u64 {
    bytes.div_ceil(BLOCK).saturating_mul(BLOCK)
}

/// Whether a block is a header: its checksum says so, which counts its own field as spaces.
pub(super) fn is_header(block: &[u8]) -> bool {
    let Some(block) = block.get(..512) else { return false };
    let Some(stored) = block.get(148..156) else { return false };
    let digits: String = stored
        .iter()
        .map(|byte| char::from(*byte))
        .skip_while(|c| *c == ' ')
        .take_while(|c| ('0'..='7').contains(c))
        .collect();
    let Ok(stored) = u32::from_str_radix(&digits, 8) else { return false };
    let sum: u32 = block
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    stored == sum && block.first().is_some_and(|first| *first != 0)
}

/// Reads the stored bytes of a member.
pub(super) struct StoredBytes<'r, T> {
    reel: &'r mut Reel<T>,
    rest: u64,
}

impl<T: Tape> Read for StoredBytes<'_, T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len().min(usize::try_from(self.rest).unwrap_or(usize::MAX));
        // A decoder may take an empty buffer for the end of its input.
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let read = self.reel.tape.read(buffer)?;
        let count = u64::try_from(read).unwrap_or(u64::MAX);
        self.rest = self.rest.saturating_sub(count);
        self.reel.position = self.reel.position.saturating_add(count);
        self.reel.ahead = self.reel.ahead.saturating_sub(count);
        Ok(read)
    }
}
