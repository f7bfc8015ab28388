//! BitLocker volumes: named as such, and unlocked where a key is given.
//!
//! Source of the layout: Joachim Metz, "BitLocker Drive Encryption (BDE) format" (libbde documentation). The only
//! module that names the `bitlocker` crate.

mod header;
mod key;
mod pages;
mod protector;

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use bitlocker::{BdeError, DecryptedVolume};

use header::Header;
use pages::Pages;

use crate::evidence::Options;
use crate::evidence::source::{SharedSource, Source, read_up_to};

/// Whether a volume is a BitLocker volume, BitLocker To Go included.
pub(super) fn is_locked(source: &dyn Source) -> io::Result<bool> {
    let mut sector = [0; 512];
    let read = read_up_to(source, 0, &mut sector)?;
    Ok(read == sector.len() && header::is_bitlocker(&sector))
}

/// What a BitLocker volume is and what protects it, in words: `BitLocker, XTS-AES-128, protected by the TPM and a
/// recovery password`.
pub(super) fn describe(source: &SharedSource) -> String {
    match Header::read(source) {
        Ok(header) => header.words(),
        Err(problem) => format!("BitLocker ({problem})"),
    }
}

/// The decrypted volume. The clear key of a suspended protection is tried first, then every recovery password,
/// key file and password given.
///
/// Deriving a key takes about a second; it is done once per key and protector here, and never when reading.
///
/// # Errors
/// A sentence that names what protects the volume and which option takes the key; or why this volume cannot be
/// decrypted with any key.
pub(super) fn unlock(source: &SharedSource, options: &Options) -> Result<SharedSource, String> {
    let header = Header::read(source).map_err(|problem| format!("BitLocker: {problem}"))?;
    if let Some(first) = header.first_sectors_of_plain() {
        return checked(Plain { source: SharedSource::clone(source), first }, &header);
    }
    if let Some(problem) = header.unsupported() {
        return Err(format!("{}: {problem}", header.words()));
    }
    let mut tried = Vec::new();
    for key in key::given(options)? {
        let positions = header.protectors(key.protector());
        for (index, _) in positions.iter().enumerate() {
            let masked = positions.get(..index).unwrap_or_default().to_vec();
            let pages = Pages::new(source, masked);
            match guarded(|| key.unlock(pages)).map_err(|error| error.to_string())? {
                Ok(volume) => {
                    let size = volume.volume_size();
                    return checked(Decrypted { size, volume: Mutex::new(volume) }, &header);
                }
                Err(BdeError::AuthenticationFailed { .. }) => {}
                Err(error) => return Err(format!("{}: {error}", header.words())),
            }
        }
        if !positions.is_empty() {
            tried.push(key.name());
        }
    }
    Err(header.remedy(&tried))
}

/// A decrypted volume. The crate's reader has a position, so that readers take turns.
struct Decrypted {
    volume: Mutex<DecryptedVolume<Pages>>,
    size: u64,
}

/// A volume that BitLocker no longer, or not yet, encrypts: only its first sectors lie elsewhere.
struct Plain {
    source: SharedSource,
    /// Where the first sectors are and how many bytes they have.
    first: (u64, u64),
}

/// How the boot sectors begin at offset 3 that a decrypted volume may have.
const FILE_SYSTEMS: [&[u8]; 5] =
    [b"NTFS    ", b"EXFAT   ", b"MSDOS5.0", b"MSWIN4.1", b"ReFS\0\0\0\0"];

/// Checks that what was unlocked is a file system: a wrong cipher gives noise, not an error.
fn checked(volume: impl Source + 'static, header: &Header) -> Result<SharedSource, String> {
    let mut sector = [0; 512];
    let read = read_up_to(&volume, 0, &mut sector).map_err(|error| error.to_string())?;
    let label = sector.get(3..11).unwrap_or_default();
    if read < sector.len() || !FILE_SYSTEMS.contains(&label) {
        return Err(format!("{}: what it decrypts to is no file system", header.words()));
    }
    Ok(Arc::new(volume))
}

impl Source for Plain {
    fn size(&self) -> u64 {
        self.source.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (start, size) = self.first;
        let rest = usize::try_from(size.saturating_sub(offset)).unwrap_or(usize::MAX);
        match buffer.get_mut(..buffer.len().min(rest)) {
            Some(buffer) if rest > 0 => self.source.read_at(start.saturating_add(offset), buffer),
            _ => self.source.read_at(offset, buffer),
        }
    }
}

impl Source for Decrypted {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = buffer.len().min(rest);
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let mut volume = self.volume.lock().unwrap_or_else(PoisonError::into_inner);
        match guarded(|| volume.read_at(offset, buffer))? {
            Ok(()) => Ok(wanted),
            Err(BdeError::Io(error)) => Err(error),
            Err(error) => Err(io::Error::other(error)),
        }
    }
}

/// The fuse: a panic of the crate over hostile bytes costs this call.
fn guarded<T>(call: impl FnOnce() -> T) -> io::Result<T> {
    catch_unwind(AssertUnwindSafe(call))
        .map_err(|_| io::Error::other("reading BitLocker failed, a fault of this program"))
}

#[cfg(test)]
mod tests;
