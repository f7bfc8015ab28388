//! A disk whose bytes are kept in parts: what all formats with tables have in common.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::damaged;
use super::unpack::{Method, unpack};
use crate::evidence::source::{SharedSource, Source, read_up_to};

/// The largest unit that is unpacked at once; formats allow some MiB.
pub(super) const LARGEST_UNIT: u64 = 32 << 20;

/// Unpacked bytes that are kept for the next reads.
const KEPT: usize = 8 << 20;

/// Where the bytes of a disk are.
pub(super) trait Map: Send + Sync {
    /// The size of the disk in bytes.
    fn size(&self) -> u64;

    /// Where the bytes from an offset below the size on are.
    ///
    /// # Errors
    /// Tables that cannot be read or say what cannot be.
    fn find(&self, offset: u64) -> io::Result<Run>;
}

/// So many bytes in the same place, at least one.
pub(super) struct Run {
    pub(super) place: Place,
    pub(super) size: u64,
}

pub(super) enum Place {
    /// As they are, from that offset on.
    Stored(SharedSource, u64),
    /// Never written.
    Zeros,
    /// Eight bytes that repeat, from a multiple of eight on.
    Repeated([u8; 8]),
    /// In a unit that is packed as a whole.
    Packed(Unit),
    /// In another disk at the same offset: the parent of a differencing image.
    Below(SharedSource),
}

/// A part of the disk that is packed as a whole.
pub(super) struct Unit {
    pub(super) source: SharedSource,
    /// Where the packed bytes begin in the source.
    pub(super) offset: u64,
    /// How many packed bytes there are, at most.
    pub(super) packed: u64,
    pub(super) method: Method,
    /// Where on the disk the unit begins.
    pub(super) start: u64,
    /// How many bytes it has at most; fewer only at the end of the disk.
    pub(super) size: u64,
}

/// The disk that a map describes.
pub(super) struct Mapped {
    map: Box<dyn Map>,
    /// Unpacked units with their places on the disk, the one used last at the end.
    units: Mutex<Vec<(u64, Arc<[u8]>)>>,
}

impl Mapped {
    pub(super) fn shared(map: impl Map + 'static) -> SharedSource {
        Arc::new(Self { map: Box::new(map), units: Mutex::default() })
    }

    fn unit(&self, unit: &Unit) -> io::Result<Arc<[u8]>> {
        let lock = || self.units.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, bytes)) = lock().iter().find(|(start, _)| *start == unit.start) {
            return Ok(Arc::clone(bytes));
        }
        let most = unit.size.min(LARGEST_UNIT);
        // No encoder makes a unit much larger than it was.
        let packed = unit.packed.min(most.saturating_mul(2).saturating_add(4096));
        let mut bytes = vec![0; usize::try_from(packed).unwrap_or_default()];
        let count = read_up_to(unit.source.as_ref(), unit.offset, &mut bytes)?;
        bytes.truncate(count);
        let wanted = most.min(self.map.size().saturating_sub(unit.start));
        let [wanted, most] = [wanted, most].map(|size| usize::try_from(size).unwrap_or_default());
        let unpacked: Arc<[u8]> = unpack(unit.method, &bytes, wanted, most)?.into();
        let mut units = lock();
        let mut kept: usize = units.iter().map(|(_, bytes)| bytes.len()).sum();
        while kept > KEPT && !units.is_empty() {
            kept = kept.saturating_sub(units.remove(0).1.len());
        }
        units.push((unit.start, Arc::clone(&unpacked)));
        Ok(unpacked)
    }
}

impl Source for Mapped {
    fn size(&self) -> u64 {
        self.map.size()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.size().saturating_sub(offset);
        if rest == 0 || buffer.is_empty() {
            return Ok(0);
        }
        let run = self.map.find(offset)?;
        let wanted = usize::try_from(run.size.min(rest)).unwrap_or(usize::MAX).min(buffer.len());
        let buffer = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty());
        let Some(buffer) = buffer else { return Err(damaged("a table of the image is damaged")) };
        match run.place {
            Place::Zeros => buffer.fill(0),
            Place::Repeated(bytes) => {
                let skipped = usize::try_from(offset % 8).unwrap_or_default();
                let repeated = bytes.iter().cycle().skip(skipped);
                buffer.iter_mut().zip(repeated).for_each(|(to, from)| *to = *from);
            }
            Place::Stored(source, at) => {
                return match source.read_at(at, buffer)? {
                    0 => Err(cut_off(at)),
                    count => Ok(count),
                };
            }
            Place::Below(source) => {
                let there = source.size().saturating_sub(offset);
                let there = usize::try_from(there).unwrap_or(usize::MAX).min(wanted);
                if there == 0 {
                    // The disk has grown since: what its parent does not have was never written.
                    buffer.fill(0);
                    return Ok(wanted);
                }
                return source.read_at(offset, buffer.get_mut(..there).unwrap_or_default());
            }
            Place::Packed(unit) => {
                let bytes = self.unit(&unit)?;
                let within = offset.saturating_sub(unit.start);
                let within = usize::try_from(within).unwrap_or(usize::MAX);
                let rest = bytes.get(within..).unwrap_or_default();
                let count = rest.len().min(wanted);
                let (Some(to), Some(from)) = (buffer.get_mut(..count), rest.get(..count)) else {
                    return Err(damaged("a table of the image is damaged"));
                };
                if count == 0 {
                    return Err(damaged("a compressed part is too short"));
                }
                to.copy_from_slice(from);
                return Ok(count);
            }
        }
        Ok(wanted)
    }
}

fn cut_off(at: u64) -> io::Error {
    let message = format!("the image is cut off: its byte {at} is not there");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}
