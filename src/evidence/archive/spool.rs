//! Unpacked bytes, kept in memory or in one nameless temporary file for the whole run.
//!
//! No name from an archive ever reaches the file system, one file descriptor serves any number of archives, and
//! what no reader holds any more is given back.

use std::fs::File;
use std::io::{self, Read};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::limits::Meter;
use crate::evidence::source::Source;

/// Bytes are kept in pieces of this size.
const PIECE: usize = 1 << 18;
/// How much all archives together keep in memory, in bytes.
const MOST_IN_MEMORY: usize = 64 << 20;

/// Bytes in memory now.
static IN_MEMORY: AtomicUsize = AtomicUsize::new(0);
/// Where the rest is.
static OVERFLOW: Mutex<Overflow> = Mutex::new(Overflow { file: None, end: 0, free: Vec::new() });

/// The temporary file: it has no name, and the operating system removes it with the process.
struct Overflow {
    file: Option<Arc<File>>,
    /// Where the next new piece begins.
    end: u64,
    /// Where pieces that nobody needs any more begin.
    free: Vec<u64>,
}

/// What an empty part of a disk looks like.
static ZEROS: [u8; PIECE] = [0; PIECE];

enum Piece {
    /// So many zeros, which cost nothing.
    Zeros(usize),
    Memory(Vec<u8>),
    File(Arc<File>, u64),
}

/// The bytes of one member.
pub(super) struct Spooled {
    pieces: Vec<Piece>,
    size: u64,
    /// How many bytes of it are kept.
    kept: u64,
}

/// A member's bytes and what is wrong with them.
pub(super) struct Outcome {
    pub(super) bytes: Spooled,
    /// Why they are not all of it, or not as they were packed.
    pub(super) damage: Option<String>,
}

/// Reads to the end. What was read before damage is kept; where a limit is passed, nothing is.
///
/// `packed` is the size of what it is unpacked from, `declared` what the archive says of its size; both in bytes,
/// and nothing is reserved on their word.
pub(super) fn spool(
    reader: &mut dyn Read,
    meter: &Meter,
    packed: u64,
    declared: Option<u64>,
) -> io::Result<Outcome> {
    let mut bytes = Spooled { pieces: Vec::new(), size: 0, kept: 0 };
    let mut damage = None;
    let mut piece = vec![0; PIECE];
    while damage.is_none() {
        let (count, error) = fill(reader, &mut piece);
        damage = error.map(|error| error.to_string());
        let Some(read) = piece.get(..count).filter(|read| !read.is_empty()) else { break };
        meter.charge(u64::try_from(count).unwrap_or(u64::MAX))?;
        bytes.push(read)?;
        meter.ratio(bytes.kept, packed)?;
        if count < PIECE {
            break;
        }
    }
    if damage.is_none()
        && let Some(declared) = declared.filter(|declared| *declared > bytes.size)
    {
        damage = Some(format!("it ends after {} of {declared} bytes", bytes.size));
    }
    Ok(Outcome { bytes, damage })
}

/// Fills the buffer as far as the reader goes; how many bytes that was, and why it goes no further.
fn fill(reader: &mut dyn Read, buffer: &mut [u8]) -> (usize, Option<io::Error>) {
    let mut filled = 0_usize;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match reader.read(rest) {
            Ok(0) => break,
            Ok(count) => filled = filled.saturating_add(count),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return (filled, Some(error)),
        }
    }
    (filled, None)
}

impl Spooled {
    fn push(&mut self, bytes: &[u8]) -> io::Result<()> {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        let piece = if ZEROS.starts_with(bytes) {
            Piece::Zeros(bytes.len())
        } else {
            self.kept = self.kept.saturating_add(size);
            Piece::keep(bytes)?
        };
        self.pieces.push(piece);
        self.size = self.size.saturating_add(size);
        Ok(())
    }
}

impl Piece {
    fn keep(bytes: &[u8]) -> io::Result<Self> {
        let held = IN_MEMORY.fetch_add(bytes.len(), Ordering::Relaxed).saturating_add(bytes.len());
        if held <= MOST_IN_MEMORY {
            return Ok(Self::Memory(bytes.to_vec()));
        }
        IN_MEMORY.fetch_sub(bytes.len(), Ordering::Relaxed);
        let (file, at) = reserve()?;
        let piece = Self::File(file, at);
        piece.write(bytes).map_err(|error| no_room(&error))?;
        Ok(piece)
    }

    fn write(&self, mut bytes: &[u8]) -> io::Result<()> {
        let Self::File(file, at) = self else { return Ok(()) };
        let mut at = *at;
        while !bytes.is_empty() {
            #[cfg(unix)]
            let count = std::os::unix::fs::FileExt::write_at(file.as_ref(), bytes, at)?;
            #[cfg(windows)]
            let count = std::os::windows::fs::FileExt::seek_write(file.as_ref(), bytes, at)?;
            if count == 0 {
                return Err(io::ErrorKind::WriteZero.into());
            }
            bytes = bytes.get(count..).unwrap_or_default();
            at = at.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn read(&self, offset: usize, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Zeros(size) => ZEROS.get(offset..*size).unwrap_or_default().read(buffer),
            Self::Memory(bytes) => bytes.get(offset..).unwrap_or_default().read(buffer),
            Self::File(file, at) => {
                let at = at.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX));
                #[cfg(unix)]
                return std::os::unix::fs::FileExt::read_at(file.as_ref(), buffer, at);
                #[cfg(windows)]
                return std::os::windows::fs::FileExt::seek_read(file.as_ref(), buffer, at);
            }
        }
    }
}

fn reserve() -> io::Result<(Arc<File>, u64)> {
    let mut overflow = OVERFLOW.lock().unwrap_or_else(PoisonError::into_inner);
    let file = if let Some(file) = &overflow.file {
        Arc::clone(file)
    } else {
        let file = Arc::new(tempfile::tempfile().map_err(|error| no_room(&error))?);
        overflow.file = Some(Arc::clone(&file));
        file
    };
    let at = overflow.free.pop().unwrap_or_else(|| {
        let at = overflow.end;
        overflow.end = at.saturating_add(u64::try_from(PIECE).unwrap_or(u64::MAX));
        at
    });
    Ok((file, at))
}

fn no_room(error: &io::Error) -> io::Error {
    let folder = std::env::temp_dir();
    io::Error::new(
        error.kind(),
        format!(
            "cannot be unpacked to a temporary file in {}: {error}; TMPDIR (TEMP on Windows) names another folder",
            folder.display()
        ),
    )
}

impl Source for Spooled {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let Ok(offset_in_memory) = usize::try_from(offset) else { return Ok(0) };
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let (number, inside) = (offset_in_memory / PIECE, offset_in_memory % PIECE);
        let wanted = buffer.len().min(rest).min(PIECE.saturating_sub(inside));
        match (self.pieces.get(number), buffer.get_mut(..wanted)) {
            (Some(piece), Some(buffer)) if wanted > 0 => piece.read(inside, buffer),
            _ => Ok(0),
        }
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        match self {
            Self::Zeros(_) => {}
            Self::Memory(bytes) => {
                IN_MEMORY.fetch_sub(bytes.len(), Ordering::Relaxed);
            }
            Self::File(_, at) => {
                OVERFLOW.lock().unwrap_or_else(PoisonError::into_inner).free.push(*at);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::Limits;
    use crate::evidence::source::read_up_to;

    /// Gives some bytes, then an error.
    struct Broken<'b>(&'b [u8]);

    impl Read for Broken<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::Error::other("checksum is wrong")),
                count => Ok(count),
            }
        }
    }

    fn pattern(size: usize) -> Vec<u8> {
        (0..size)
            .map(|at| u8::try_from(at.wrapping_mul(2_654_435_761) >> 13 & 0xff).unwrap())
            .collect()
    }

    #[test]
    fn bytes_come_back_from_memory_and_from_the_file() {
        let meter = Meter::new(Limits::default());
        let expected = pattern(3 * PIECE + 17);
        let mut kept = Vec::new();
        // More than stays in memory, so that both kinds of pieces are read.
        for _ in 0..(MOST_IN_MEMORY / expected.len() + 3) {
            kept.push(spool(&mut expected.as_slice(), &meter, 1 << 20, None).unwrap().bytes);
        }
        for source in [kept.first().unwrap(), kept.last().unwrap()] {
            assert_eq!(source.size(), u64::try_from(expected.len()).unwrap());
            let mut all = vec![0; expected.len() + 5];
            assert_eq!(read_up_to(source, 0, &mut all).unwrap(), expected.len());
            assert_eq!(all[..expected.len()], expected);
            let mut some = [0; 9];
            let at = PIECE - 4;
            assert_eq!(read_up_to(source, u64::try_from(at).unwrap(), &mut some).unwrap(), 9);
            assert_eq!(some, expected[at..at + 9]);
            assert_eq!(source.read_at(u64::MAX, &mut some).unwrap(), 0);
        }
        assert!(kept.iter().flat_map(|one| &one.pieces).any(|one| matches!(one, Piece::File(..))));
    }

    #[test]
    fn what_was_read_before_damage_is_kept() {
        let meter = Meter::new(Limits::default());
        let outcome = spool(&mut Broken(b"first bytes"), &meter, 11, Some(11)).unwrap();
        assert_eq!(outcome.bytes.size(), 11);
        assert_eq!(outcome.damage.as_deref(), Some("checksum is wrong"));
        let short = spool(&mut &b"short"[..], &meter, 5, Some(9)).unwrap();
        assert_eq!(short.damage.as_deref(), Some("it ends after 5 of 9 bytes"));
        let whole = spool(&mut &b"whole"[..], &meter, 5, Some(5)).unwrap();
        assert_eq!(whole.damage, None);
    }

    #[test]
    fn a_limit_costs_the_member() {
        let meter = Meter::new(Limits { ratio: 10, ..Limits::default() });
        assert!(spool(&mut io::repeat(7).take(4 << 20), &meter, 100, None).is_err());
        let zeros = spool(&mut io::repeat(0).take(4 << 20), &meter, 100, None).unwrap();
        assert_eq!((zeros.bytes.size(), zeros.bytes.kept), (4 << 20, 0));
        let meter = Meter::new(Limits { unpacked: 1 << 20, ..Limits::default() });
        assert!(spool(&mut io::repeat(0), &meter, u64::MAX, Some(5)).is_err());
    }
}
