//! 7z archives: their blocks ("folders") hold one member or many, of which each needs those before it.
//!
//! A block is passed through once, when the first of its members is asked for; that pass keeps whatever svctriage
//! reads. A member it did not keep costs a pass of its own up to that member.

use std::io::{self, Read};

use sevenz_rust2::{Archive, ArchiveEntry, BlockDecoder, Password};

use super::limits::Meter;
use super::member::{Member, MemberKind};
use super::register::Register;
use super::seven_z_header as header;
use super::tree::{Shelf, Take, TakeEach, Unpacker};
use super::{Contained, fuse};
use crate::evidence::Options;
use crate::evidence::given::Given;
use crate::evidence::source::{Cursor, SharedSource};

struct SevenZ {
    source: SharedSource,
    /// With those files only that have bytes, so that the library counts them as the blocks do.
    archive: Archive,
    /// The member that each of those files is.
    numbers: Vec<usize>,
    /// The block of each member; absent where it has no bytes.
    blocks: Vec<Option<usize>>,
    passwords: Vec<Password>,
    meter: Meter,
    packed: u64,
}

/// `FILE_ATTRIBUTE_REPARSE_POINT` (winnt.h).
const REPARSE_POINT: u32 = 0x400;
/// p7zip puts the mode of Unix into the upper half of the attributes and says so with this bit.
const HAS_UNIX_MODE: u32 = 0x8000;

fn kind(entry: &ArchiveEntry) -> MemberKind {
    if entry.is_directory {
        return MemberKind::Folder;
    }
    let attributes = entry.windows_attributes;
    let mode = (attributes >> 16) & 0o17_0000;
    if attributes & HAS_UNIX_MODE != 0 {
        return match mode {
            0o12_0000 => MemberKind::Link,
            0o01_0000 | 0o02_0000 | 0o06_0000 | 0o14_0000 => MemberKind::Special,
            _ => MemberKind::File,
        };
    }
    if attributes & REPARSE_POINT != 0 && entry.size < 1024 {
        return MemberKind::Link;
    }
    MemberKind::File
}

impl SevenZ {
    /// Hands the members of a block over until `each` says no.
    fn for_each(
        &self,
        block: usize,
        password: &Password,
        each: &mut dyn FnMut(usize, &mut dyn Read) -> io::Result<bool>,
    ) -> io::Result<()> {
        let first = self.archive.stream_map.block_first_file_index.get(block).copied();
        let mut at = first.ok_or(io::ErrorKind::NotFound)?;
        let mut cursor = io::BufReader::new(Cursor::new(SharedSource::clone(&self.source)));
        let decoder = BlockDecoder::new(1, block, &self.archive, password, &mut cursor);
        let read = decoder.for_each_entries(&mut |_, reader| {
            let number = self.numbers.get(at).copied().unwrap_or(usize::MAX);
            at = at.saturating_add(1);
            Ok(each(number, reader)?)
        });
        read.map(drop).map_err(failed)
    }

    fn is_encrypted(&self, block: usize) -> bool {
        let block = self.archive.blocks.get(block);
        block.is_some_and(|block| {
            block.coders.iter().any(|coder| coder.encoder_method_id() == header::AES)
        })
    }

    /// The passwords to try for a block.
    fn passwords(&self, block: usize) -> io::Result<Vec<Password>> {
        if !self.is_encrypted(block) {
            return Ok(vec![Password::empty()]);
        }
        if self.passwords.is_empty() {
            return Err(locked("encrypted; --zip-password opens it"));
        }
        Ok(self.passwords.clone())
    }

    /// Puts the password that fits first. An archive of which nothing can be read is refused.
    fn try_passwords(&mut self) -> io::Result<()> {
        let count = self.archive.blocks.len();
        let encrypted: Vec<usize> = (0..count).filter(|block| self.is_encrypted(*block)).collect();
        let smallest = encrypted.iter().copied().min_by_key(|block| {
            self.archive.blocks.get(*block).map(sevenz_rust2::Block::get_unpack_size)
        });
        let Some(smallest) = smallest else { return Ok(()) };
        let fits = |password: &Password| {
            let read = fuse::fused(|| {
                self.for_each(smallest, password, &mut |_, reader| {
                    io::copy(&mut reader.take(TRIAL), &mut io::sink()).map(|_| false)
                })
            });
            read.is_ok()
        };
        if let Some(fitting) = self.passwords.iter().position(fits) {
            self.passwords = self.passwords.get(fitting..=fitting).unwrap_or_default().to_vec();
            return Ok(());
        }
        let said = if self.passwords.is_empty() {
            "encrypted; --zip-password opens it"
        } else {
            "encrypted, and no password given with --zip-password opens it"
        };
        self.passwords.clear();
        if encrypted.len() == count { Err(locked(said)) } else { Ok(()) }
    }
}

/// The first member of the smallest block is unpacked up to this size in bytes to try passwords.
const TRIAL: u64 = 16 << 20;

fn locked(said: &str) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, said)
}

fn failed(error: sevenz_rust2::Error) -> io::Error {
    use sevenz_rust2::Error;
    let invalid = |text: String| io::Error::new(io::ErrorKind::InvalidData, text);
    match error {
        Error::Io(error, _) | Error::MaybeBadPassword(error) => error,
        Error::PasswordRequired => locked("encrypted; --zip-password opens it"),
        Error::ChecksumVerificationFailed => invalid("checksum is wrong".into()),
        Error::UnsupportedCompressionMethod(method) => invalid(format!(
            "packed with method {method}, which is not supported; unpack it with 7-Zip and give the folder"
        )),
        Error::Unsupported(what) | Error::Other(what) => invalid(what.into_owned()),
        other => invalid(other.to_string()),
    }
}

impl Unpacker for SevenZ {
    fn unpack(&self, member: usize, take: Take<'_>) -> io::Result<()> {
        let block = self.blocks.get(member).copied().ok_or(io::ErrorKind::NotFound)?;
        let Some(block) = block else { return take(&mut io::empty()).map(drop) };
        let mut result = Ok(());
        let mut is_reached = false;
        for password in self.passwords(block)? {
            let mut passed = 0_u64;
            result = self.for_each(block, &password, &mut |number, reader| {
                if number == member {
                    is_reached = true;
                    return take(reader).map(|_| false);
                }
                let mut counted = self.meter.stream(reader, self.packed);
                passed = passed.saturating_add(io::copy(&mut counted, &mut io::sink())?);
                self.meter.within(passed).map(|()| true)
            });
            if is_reached {
                return result;
            }
        }
        result.and(Err(io::Error::new(io::ErrorKind::UnexpectedEof, "its block ends before it")))
    }

    fn pass(&self, run: usize, take: TakeEach<'_>) -> io::Result<()> {
        let passwords = self.passwords(run)?;
        let password = passwords.first().ok_or(io::ErrorKind::PermissionDenied)?;
        let mut passed = 0_u64;
        self.for_each(run, password, &mut |number, reader| {
            let mut counted = self.meter.stream(reader, self.packed);
            take(number, &mut counted)?;
            io::copy(&mut counted, &mut io::sink())?;
            passed = passed.saturating_add(counted.passed());
            self.meter.within(passed).map(|()| true)
        })
    }
}

/// Opens a 7z archive.
pub(super) fn open(
    given: &Given,
    source: &SharedSource,
    options: &Options,
    meter: Meter,
) -> io::Result<Contained> {
    let most = meter.limits().members;
    let plain = header::plain(source, &options.archive_passwords, most)?;
    let mut archive = Archive::default();
    if let Some(plain) = &plain {
        let mut cursor = io::BufReader::new(Cursor::new(SharedSource::clone(plain)));
        archive = Archive::read(&mut cursor, &Password::empty()).map_err(failed)?;
    }
    let mut register = Register::new(&given.shown, meter.limits());
    let packed = source.size();
    let mut blocks = Vec::new();
    let mut numbers = Vec::new();
    let mut firsts = vec![0; archive.blocks.len()];
    let mut in_block = vec![0_usize; archive.blocks.len()];
    for (number, entry) in archive.files.iter().enumerate() {
        let block = archive.stream_map.file_block_index.get(number).copied().flatten();
        let block = block.filter(|_| entry.has_stream);
        if let Some(block) = block {
            if let Some(count) = in_block.get_mut(block) {
                if *count == 0
                    && let Some(first) = firsts.get_mut(block)
                {
                    *first = numbers.len();
                }
                *count = count.saturating_add(1);
            }
            numbers.push(number);
        }
        blocks.push(block);
    }
    for (entry, block) in archive.files.iter().zip(&blocks) {
        let is_solid = |block: &usize| in_block.get(*block).is_some_and(|count| *count > 1);
        let run = block.filter(is_solid);
        let (name, size) = (entry.name.clone(), entry.size);
        if register
            .add(Member { name, kind: kind(entry), size, packed, run, parts: None })
            .is_none()
        {
            break;
        }
    }
    archive.files.retain(|entry| entry.has_stream);
    archive.stream_map.block_first_file_index = firsts;
    let (members, diagnostics) = register.finish();
    let mut seven_z = SevenZ {
        source: plain.unwrap_or_else(|| SharedSource::clone(source)),
        archive,
        numbers,
        blocks,
        passwords: options.archive_passwords.iter().map(|p| Password::from(p.as_str())).collect(),
        meter: Meter::new(*meter.limits()),
        packed,
    };
    seven_z.try_passwords()?;
    Ok(Contained {
        what: "7z archive".into(),
        members,
        unpacker: Box::new(seven_z),
        shelf: Shelf::new(meter),
        diagnostics,
    })
}
