//! Members with holes: only the parts that are not all zero are in the archive.

use std::io;

use crate::evidence::source::{SharedSource, Source};

/// A part of a member that is in the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    /// Where it begins in the member.
    pub(super) offset: u64,
    /// Its length in bytes.
    pub(super) length: u64,
    /// Where it begins among the parts.
    stored: u64,
}

/// The parts of a member, in order; everything else is zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts(Vec<Part>);

/// Parts of one member.
const MOST_PARTS: usize = 1 << 16;

impl Parts {
    /// Adds a part; an error where it lies before another one or the parts are too many.
    pub(super) fn push(&mut self, offset: u64, length: u64) -> io::Result<()> {
        let bad = |why: &str| {
            io::Error::new(io::ErrorKind::InvalidData, format!("its map of holes {why}"))
        };
        if length == 0 {
            return Ok(());
        }
        if self.0.len() >= MOST_PARTS {
            return Err(bad("has more than 65,536 parts"));
        }
        let (end, stored) = match self.0.last() {
            Some(last) => {
                (last.offset.saturating_add(last.length), last.stored.saturating_add(last.length))
            }
            None => (0, 0),
        };
        if offset < end || offset.checked_add(length).is_none() {
            return Err(bad("is out of order"));
        }
        self.0.push(Part { offset, length, stored });
        Ok(())
    }

    /// How many bytes the parts have together.
    pub(super) fn stored(&self) -> u64 {
        self.0.last().map_or(0, |last| last.stored.saturating_add(last.length))
    }

    /// The part that holds an offset or is the next one after it.
    fn at(&self, offset: u64) -> Option<&Part> {
        let index =
            self.0.partition_point(|part| part.offset.saturating_add(part.length) <= offset);
        self.0.get(index)
    }

    /// How many bytes from `offset` on are of one kind, and where they are stored, if they are no hole.
    fn run(&self, offset: u64, size: u64) -> (u64, Option<u64>) {
        match self.at(offset) {
            Some(part) if part.offset <= offset => {
                let inside = offset.saturating_sub(part.offset);
                (part.length.saturating_sub(inside), Some(part.stored.saturating_add(inside)))
            }
            Some(part) => (part.offset.saturating_sub(offset), None),
            None => (size.saturating_sub(offset), None),
        }
    }
}

/// A member with holes whose parts lie in a row in a source.
pub(super) struct SparseSource {
    pub(super) parts: Parts,
    /// The parts without the holes.
    pub(super) stored: SharedSource,
    /// The size with the holes, in bytes.
    pub(super) size: u64,
}

impl Source for SparseSource {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (run, stored) = self.parts.run(offset, self.size);
        let rest = run.min(self.size.saturating_sub(offset));
        let wanted = buffer.len().min(usize::try_from(rest).unwrap_or(usize::MAX));
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let Some(stored) = stored else {
            buffer.fill(0);
            return Ok(wanted);
        };
        match self.stored.read_at(stored, buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            count => Ok(count),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::source::{MemorySource, read_up_to};

    #[test]
    fn holes_are_zero() {
        let mut parts = Parts::default();
        parts.push(2, 3).unwrap();
        parts.push(5, 0).unwrap();
        parts.push(7, 2).unwrap();
        assert!(parts.push(8, 1).is_err() && parts.push(u64::MAX, 2).is_err());
        let expected = b"\0\0abc\0\0de\0\0\0";
        let source = SparseSource {
            parts: parts.clone(),
            stored: Arc::new(MemorySource(b"abcde".to_vec())),
            size: 12,
        };
        for at in 0..13 {
            let mut buffer = [9; 20];
            let count = read_up_to(&source, u64::try_from(at).unwrap(), &mut buffer).unwrap();
            assert_eq!(&buffer[..count], &expected[at..], "{at}");
        }
        assert_eq!(parts.stored(), 5);
    }
}
