//! Zip archives: stored, deflate, deflate64, bzip2, LZMA, xz and Zstandard; `ZipCrypto` and AES.
//!
//! The directory is read by [`super::zip_directory`]; the library is given each member with a local header made
//! from it, so that a damaged or lying one costs nothing. Stored members are windows on the archive, whose
//! checksums are not verified: what is read from them has checksums of its own.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::sync::Arc;

use zip::read::{ZipReadOptions, read_zipfile_from_stream_with_options};
use zip::result::ZipError;

use super::limits::Meter;
use super::member::{Member, MemberKind};
use super::register::Register;
use super::tree::{Shelf, Take, Unpacker};
use super::zip_directory::{self as directory, Header};
use super::{Contained, fuse};
use crate::diagnostic::Impact;
use crate::evidence::Options;
use crate::evidence::given::Given;
use crate::evidence::source::{Cursor, SharedSource, Window};

/// The methods (APPNOTE.TXT section 4.4.5), and whether they can be unpacked.
const METHODS: [(u16, &str, bool); 17] = [
    (0, "stored", true),
    (1, "shrunk", false),
    (2, "reduced", false),
    (3, "reduced", false),
    (4, "reduced", false),
    (5, "reduced", false),
    (6, "imploded", false),
    (8, "deflate", true),
    (9, "deflate64", true),
    (12, "bzip2", true),
    (14, "LZMA", true),
    (93, "Zstandard", true),
    (94, "MP3", false),
    (95, "xz", true),
    (96, "JPEG", false),
    (97, "WavPack", false),
    (98, "PPMd", false),
];
const STORED: u16 = 0;
const ZSTANDARD: u16 = 93;
/// The method that stands for encryption with AES; the real one is in the extra field.
const AES: u16 = 99;

struct Zip {
    source: SharedSource,
    headers: Vec<Header>,
    passwords: Vec<String>,
    /// Whether the first password was seen to fit.
    is_first_right: bool,
}

impl Header {
    /// The method its bytes were packed with.
    fn packed_with(&self) -> u16 {
        match &self.aes {
            Some(field) if self.method == AES => match field.get(5..7) {
                Some([low, high]) => u16::from_le_bytes([*low, *high]),
                _ => self.method,
            },
            _ => self.method,
        }
    }

    fn refuse_method(&self) -> io::Result<()> {
        let method = self.packed_with();
        let known = METHODS.iter().find(|(number, _, _)| *number == method);
        let name = known.map_or("unknown", |(_, name, _)| *name);
        if known.is_some_and(|(_, _, can)| *can) && (method != ZSTANDARD || !self.is_encrypted()) {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            format!(
                "packed with method {method} ({name}), which is not supported; unpack it with 7-Zip and give the folder"
            ),
        ))
    }

    /// A local header for this member, with one letter for a name.
    fn local(&self) -> Vec<u8> {
        let (most, size) = (u64::from(u32::MAX), self.size.unwrap_or(0));
        let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        let mut extra = Vec::new();
        if size >= most || self.packed >= most {
            extra.extend([1, 0, 16, 0]);
            extra.extend(size.to_le_bytes());
            extra.extend(self.packed.to_le_bytes());
        }
        let wide = !extra.is_empty();
        if let Some(aes) = &self.aes {
            extra.extend(directory::AES.to_le_bytes());
            extra.extend(u16::try_from(aes.len()).unwrap_or(0).to_le_bytes());
            extra.extend(aes);
        }
        let mut header = directory::LOCAL.to_vec();
        header.extend([63, 0]);
        header.extend(self.flags.to_le_bytes());
        header.extend(self.method.to_le_bytes());
        header.extend(self.moment.to_le_bytes());
        header.extend(self.crc.to_le_bytes());
        header.extend(if wide { [0xff; 4] } else { narrow(self.packed) });
        header.extend(if wide { [0xff; 4] } else { narrow(size) });
        header.extend([1, 0]);
        header.extend(u16::try_from(extra.len()).unwrap_or(0).to_le_bytes());
        header.push(b'm');
        header.extend(extra);
        header
    }

    fn kind(&self) -> MemberKind {
        /// `S_IFMT` and its values (sys/stat.h) in the upper half of the attributes.
        const UNIX: u8 = 3;
        let mode = (self.attributes >> 16) & 0o17_0000;
        let is_unix = self.system == UNIX;
        match mode {
            0o12_0000 if is_unix => MemberKind::Link,
            // Whatever its name and mode say: what has bytes is a file, or they would be lost without a word.
            _ if self.packed > 0 && self.size != Some(0) => MemberKind::File,
            _ if self.name.ends_with(['/', '\\']) => MemberKind::Folder,
            0o04_0000 if is_unix => MemberKind::Folder,
            0o01_0000 | 0o02_0000 | 0o06_0000 | 0o14_0000 if is_unix => MemberKind::Special,
            _ => MemberKind::File,
        }
    }
}

/// A reader that can be cut off: what is left of a member need not be read to let go of it.
struct Severed<'r> {
    reader: &'r mut dyn Read,
    is_cut: &'r std::cell::Cell<bool>,
}

impl Read for Severed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.is_cut.get() { Ok(0) } else { self.reader.read(buffer) }
    }
}

impl Zip {
    fn header(&self, member: usize) -> io::Result<&Header> {
        self.headers.get(member).ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn bytes(&self, header: &Header) -> io::Result<Window> {
        let start = directory::data_start(self.source.as_ref(), header)?;
        Ok(Window::new(SharedSource::clone(&self.source), start, header.packed))
    }

    fn unpack_with(
        &self,
        header: &Header,
        password: Option<&str>,
        take: &mut dyn FnMut(&mut dyn Read) -> io::Result<bool>,
    ) -> io::Result<bool> {
        let bytes = Cursor::new(Arc::new(self.bytes(header)?));
        if header.packed_with() == ZSTANDARD {
            let mut unpacked = super::compressed::zstandard(bytes);
            return take(&mut Checked {
                reader: &mut unpacked,
                crc: flate2::Crc::new(),
                expected: header.crc,
            });
        }
        let local = header.local();
        let mut whole = io::Read::chain(local.as_slice(), io::BufReader::new(bytes));
        let is_cut = std::cell::Cell::new(false);
        let mut reader = Severed { reader: &mut whole, is_cut: &is_cut };
        let mut options = ZipReadOptions::new()
            .password(password.map(str::as_bytes))
            .override_compressed_size(header.packed)
            .override_crc(header.crc);
        match header.size {
            Some(size) => options = options.override_uncompressed_size(size),
            None => options = options.ignore_crc32(true),
        }
        let file = read_zipfile_from_stream_with_options(&mut reader, options);
        let Some(mut file) = file.map_err(|error| failed(error, password.is_some()))? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        // AES has a checksum of its own; where the size is not known, neither is the checksum.
        let taken = if header.aes.is_some() || header.size.is_none() {
            take(&mut file)
        } else {
            let crc = flate2::Crc::new();
            take(&mut Checked { reader: &mut file, crc, expected: header.crc })
        };
        is_cut.set(true);
        taken
    }
}

/// Compares the checksum at the end.
struct Checked<'r> {
    reader: &'r mut dyn Read,
    crc: flate2::Crc,
    expected: u32,
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.reader.read(buffer)?;
        self.crc.update(buffer.get(..count).unwrap_or_default());
        if count == 0 && !buffer.is_empty() && self.crc.sum() != self.expected {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "checksum is wrong"));
        }
        Ok(count)
    }
}

fn failed(error: ZipError, has_password: bool) -> io::Error {
    match error {
        ZipError::Io(error) => error,
        ZipError::InvalidPassword => wrong_password(),
        ZipError::UnsupportedArchive(ZipError::PASSWORD_REQUIRED) if !has_password => locked(),
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}

fn locked() -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, "encrypted; --zip-password opens it")
}

fn wrong_password() -> io::Error {
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "encrypted, and no password given with --zip-password opens it",
    )
}

impl Unpacker for Zip {
    fn plain(&self, member: usize) -> io::Result<Option<SharedSource>> {
        let header = self.header(member)?;
        if header.packed_with() != STORED || header.is_encrypted() {
            return Ok(None);
        }
        if header.size.is_some_and(|size| size != header.packed) {
            let what = "stored as it is, but with two sizes; its header is damaged";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        Ok(Some(Arc::new(self.bytes(header)?)))
    }

    fn unpack(&self, member: usize, take: Take<'_>) -> io::Result<()> {
        let header = self.header(member)?;
        header.refuse_method()?;
        if !header.is_encrypted() {
            return self.unpack_with(header, None, take).map(drop);
        }
        let mut last = locked();
        for (index, password) in self.passwords.iter().enumerate() {
            let is_right = header.aes.is_some() || self.is_first_right && index == 0;
            match fuse::fused(|| self.unpack_with(header, Some(password), &mut *take)) {
                Ok(true) => return Ok(()),
                Ok(false) if is_right => return Ok(()),
                // ZipCrypto tells a wrong password in 255 of 256 cases only; the checksum tells it in the others.
                Ok(false) => last = wrong_password(),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

/// Opens a zip archive.
pub(super) fn open(
    given: &Given,
    source: &SharedSource,
    options: &Options,
    meter: Meter,
) -> io::Result<Contained> {
    if directory::is_part(source.as_ref())? {
        return Err(io::Error::other(
            "the last part of a zip archive in several parts; `zip -s 0 PARTS.zip --out WHOLE.zip` joins them",
        ));
    }
    let limits = *meter.limits();
    let mut register = Register::new(&given.shown, &limits);
    let found = directory::read(source, limits.members)?;
    let mut headers = found.headers;
    if let Some(damage) = found.damage {
        let known: BTreeSet<u64> = headers.iter().map(|header| header.offset).collect();
        let recovered = directory::recover(source, &known, limits.members)?;
        let count = recovered.len();
        let message = format!("{damage}; {count} members were found by the headers before them");
        register.remark(Impact::Partial, message);
        headers.extend(recovered);
    }
    let overlapping = overlapping(&headers);
    if overlapping > 0 {
        let message = format!(
            "{overlapping} members share bytes with another one, as in an archive made to fill a disk"
        );
        register.remark(Impact::Note, message);
    }
    for header in &headers {
        let size = header.size.unwrap_or(0);
        let (name, kind, packed) = (header.name.clone(), header.kind(), header.packed);
        if register.add(Member { name, kind, size, packed, run: None, parts: None }).is_none() {
            break;
        }
    }
    let (members, diagnostics) = register.finish();
    let passwords = options.archive_passwords.clone();
    let mut zip =
        Zip { source: SharedSource::clone(source), headers, passwords, is_first_right: false };
    zip.try_passwords()?;
    Ok(Contained {
        what: "zip archive".into(),
        members,
        unpacker: Box::new(zip),
        shelf: Shelf::new(meter),
        diagnostics,
    })
}

/// Members up to this size in bytes are unpacked to try passwords.
const TRIAL: u64 = 16 << 20;
/// What Velociraptor calls the only members of an encrypted collection.
const VELOCIRAPTOR: [&str; 2] = ["data.zip", "metadata.json"];

impl Zip {
    /// Puts the password that fits first. An archive of which nothing can be read is refused.
    fn try_passwords(&mut self) -> io::Result<()> {
        let locked = |header: &&Header| header.is_encrypted() && header.packed > 0;
        let smallest = self.headers.iter().filter(locked).min_by_key(|header| header.packed);
        let Some(smallest) = smallest.filter(|header| header.refuse_method().is_ok()) else {
            return Ok(());
        };
        let fits = |password: &str| {
            let read = fuse::fused(|| {
                self.unpack_with(smallest, Some(password), &mut |reader| {
                    io::copy(&mut reader.take(TRIAL), &mut io::sink()).map(|_| true)
                })
            });
            read.is_ok()
        };
        if let Some(fitting) = self.passwords.iter().position(|password| fits(password)) {
            self.passwords.swap(0, fitting);
            self.is_first_right = true;
            return Ok(());
        }
        let names: Vec<&str> = self.headers.iter().map(|header| header.name.as_str()).collect();
        let is_velociraptor = names.iter().all(|name| VELOCIRAPTOR.contains(name));
        let anything_else = self.headers.iter().any(|header| {
            !header.is_encrypted() && header.kind() == MemberKind::File && header.packed > 0
        });
        let tried = if self.passwords.is_empty() {
            "encrypted; --zip-password opens it"
        } else {
            "encrypted, and no password given with --zip-password opens it"
        };
        if is_velociraptor {
            return Err(io::Error::new(
                io::ErrorKind::PermissionDenied,
                format!(
                    "an encrypted Velociraptor collection: {tried}; if it was made with a certificate, `velociraptor decrypt` unlocks it"
                ),
            ));
        }
        if anything_else {
            return Ok(());
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, tried))
    }
}

/// How many members begin before the one before them ends.
fn overlapping(headers: &[Header]) -> usize {
    let mut ranges: Vec<(u64, u64)> = headers
        .iter()
        .filter(|header| header.packed > 0)
        .map(|header| {
            let names = u64::try_from(header.name.len()).unwrap_or(u64::MAX).min(30);
            let start = header.offset;
            (
                start,
                start.saturating_add(30).saturating_add(names.min(1)).saturating_add(header.packed),
            )
        })
        .collect();
    ranges.sort_unstable();
    let mut end = 0;
    let mut count = 0_usize;
    for (start, own_end) in ranges {
        if start < end {
            count = count.saturating_add(1);
        }
        end = end.max(own_end);
    }
    count
}
