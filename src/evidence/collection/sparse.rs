//! A file with holes that a collector stored without them, beside an index of what belongs where.
//!
//! Velociraptor writes the index as `<file>.idx`: one JSON object with `ranges`, in older versions one range a line
//! (`accessors/collector/collector.go`). A range with no `file_length` is a hole.

use std::io::{self, Read};

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::evidence::source::{Cursor, SharedSource, Source};

/// Bytes of an index.
const MAX_INDEX: u64 = 64 << 20;
/// A file may always be expanded to this many bytes.
const ALWAYS: u64 = 1 << 20;

/// A file with its holes.
pub(super) struct Sparse {
    stored: SharedSource,
    ranges: Vec<Range>,
    size: u64,
}

/// A part of the file, all in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    /// Where it begins in the file, and how long it is there.
    start: u64,
    length: u64,
    /// Where it begins in what was stored, and how long it is there; the rest is zeros.
    stored_at: u64,
    stored_length: u64,
}

#[derive(Deserialize)]
struct Index {
    #[serde(alias = "Ranges")]
    ranges: Vec<Written>,
}

/// A range as written. Proto3 JSON leaves out zeros and may write 64-bit numbers as text.
#[derive(Deserialize)]
struct Written {
    #[serde(default, alias = "OriginalOffset", alias = "originalOffset")]
    original_offset: Number,
    #[serde(default, alias = "Length")]
    length: Number,
    #[serde(default, alias = "FileOffset", alias = "fileOffset")]
    file_offset: Number,
    #[serde(default, alias = "FileLength", alias = "fileLength")]
    file_length: Number,
    /// Only an index as a whole has these; one that cannot be read as such is no range.
    ranges: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Plain(u64),
    Text(String),
}

impl Default for Number {
    fn default() -> Self {
        Self::Plain(0)
    }
}

impl Number {
    fn value(&self) -> Option<u64> {
        match self {
            Self::Plain(number) => Some(*number),
            Self::Text(text) => text.parse().ok(),
        }
    }
}

impl Sparse {
    /// Expands what was stored by its index; to at most `ratio` times its size.
    ///
    /// # Errors
    /// An index that cannot be right: ranges that overlap, that lie beyond what was stored or that make an absurdly
    /// large file.
    pub(super) fn new(stored: SharedSource, index: SharedSource, ratio: u64) -> io::Result<Self> {
        let mut ranges = read(index)?;
        if ranges.iter().all(|range| range.stored_length == 0) && stored.size() > 0 {
            return Err(wrong("it says that nothing was stored"));
        }
        ranges.sort_by_key(|range| range.start);
        let mut size = 0_u64;
        for range in &ranges {
            if range.start < size {
                return Err(wrong("two of its ranges overlap"));
            }
            let end = range.start.checked_add(range.length);
            let stored_end = range.stored_at.checked_add(range.stored_length);
            if range.stored_length > range.length
                || stored_end.is_none_or(|end| end > stored.size())
            {
                return Err(wrong("one of its ranges lies beyond what was stored"));
            }
            size = end.ok_or_else(|| wrong("one of its ranges is too long"))?;
        }
        let limit = ALWAYS.max(stored.size().saturating_mul(ratio));
        if size > limit {
            return Err(wrong(&format!(
                "the file would be {size} bytes, more than {ratio} times what was stored"
            )));
        }
        Ok(Self { stored, ranges, size })
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("its index (.idx) cannot be used: {what}"))
}

fn read(index: SharedSource) -> io::Result<Vec<Range>> {
    if index.size() > MAX_INDEX {
        return Err(wrong("it is larger than an index can be"));
    }
    let mut bytes = Vec::new();
    Cursor::new(index).take(MAX_INDEX).read_to_end(&mut bytes)?;
    let written = match serde_json::from_slice::<Index>(&bytes) {
        Ok(index) => index.ranges,
        Err(_) => bytes
            .split(|byte| *byte == b'\n')
            .filter(|line| line.len() > 2)
            .map(serde_json::from_slice::<Written>)
            .collect::<Result<_, _>>()
            .map_err(|_| wrong("it is neither of the two forms known"))?,
    };
    let ranges: Option<Vec<Range>> = written.iter().map(range).collect();
    let mut ranges = ranges.ok_or_else(|| wrong("one of its numbers is none"))?;
    ranges.retain(|range| range.length > 0);
    if ranges.is_empty() {
        return Err(wrong("it holds no ranges"));
    }
    Ok(ranges)
}

fn range(written: &Written) -> Option<Range> {
    if written.ranges.is_some() {
        return None;
    }
    Some(Range {
        start: written.original_offset.value()?,
        length: written.length.value()?,
        stored_at: written.file_offset.value()?,
        stored_length: written.file_length.value()?,
    })
}

impl Source for Sparse {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.size.saturating_sub(offset);
        let next = self.ranges.partition_point(|range| range.start <= offset);
        let until = self.ranges.get(next).map_or(self.size, |range| range.start);
        let here = next.checked_sub(1).and_then(|index| self.ranges.get(index));
        let inside = here.map_or(0, |range| offset.saturating_sub(range.start));
        let stored = here.and_then(|range| {
            let left = range.stored_length.checked_sub(inside).filter(|left| *left > 0)?;
            Some((range.stored_at.checked_add(inside)?, left))
        });
        let limit = match stored {
            Some((_, left)) => left,
            None => until.saturating_sub(offset),
        };
        let wanted = usize::try_from(limit.min(rest)).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        let Some((at, _)) = stored else {
            buffer.fill(0);
            return Ok(wanted);
        };
        match self.stored.read_at(at, buffer)? {
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

    fn open(index: &str) -> io::Result<Sparse> {
        let stored: SharedSource = Arc::new(MemorySource(b"This bit".to_vec()));
        Sparse::new(stored, Arc::new(MemorySource(index.as_bytes().to_vec())), 1000)
    }

    #[test]
    fn both_forms_of_the_index_expand() {
        // The first is what Velociraptor's own test writes.
        for index in [
            r#"{"ranges":[{"file_length":5,"length":5},{"file_offset":5,"original_offset":5,"length":5},
                {"file_offset":5,"original_offset":10,"file_length":3,"length":3}]}"#,
            "{\"OriginalOffset\":0,\"FileOffset\":0,\"Length\":5,\"FileLength\":5}\n\
             {\"OriginalOffset\":10,\"FileOffset\":5,\"Length\":3,\"FileLength\":3}\n",
            r#"{"ranges":[{"originalOffset":"10","fileOffset":"5","fileLength":"3","length":"3"},
                {"fileLength":"5","length":"10"}]}"#,
        ] {
            let sparse = open(index).unwrap();
            for (offset, expected) in [
                (0, &b"This \0\0\0\0\0bit"[..]),
                (3, b"s \0\0\0\0\0bit"),
                (7, b"\0\0\0bit"),
                (12, b"t"),
            ] {
                let mut buffer = [9; 20];
                let count = read_up_to(&sparse, offset, &mut buffer).unwrap();
                assert_eq!(&buffer[..count], expected, "{offset} {index}");
            }
            assert_eq!(sparse.size(), 13);
            assert_eq!(sparse.read_at(13, &mut [0; 4]).unwrap(), 0);
            assert_eq!(sparse.read_at(u64::MAX, &mut [0; 4]).unwrap(), 0);
        }
    }

    #[test]
    fn an_index_that_cannot_be_right_is_an_error() {
        for (index, said) in [
            ("", "no ranges"),
            ("[]", "no ranges"),
            ("{}", "no ranges"),
            ("garbage", "neither"),
            (r#"{"ranges":[]}"#, "no ranges"),
            (r#"{"ranges":[{"length":-1}]}"#, "none"),
            (r#"{"ranges":[{"length":"x"}]}"#, "none"),
            (r#"{"ranges":[{"length":8}]}"#, "nothing was stored"),
            (r#"{"ranges":[{"length":9,"file_length":9}]}"#, "beyond"),
            (r#"{"ranges":[{"length":1,"file_length":2}]}"#, "beyond"),
            (
                r#"{"ranges":[{"length":4,"file_length":4},{"original_offset":3,"length":1}]}"#,
                "overlap",
            ),
            (
                r#"{"ranges":[{"length":8,"file_length":8},{"original_offset":8,"length":18446744073709551615}]}"#,
                "too long",
            ),
            (
                r#"{"ranges":[{"length":8,"file_length":8},{"original_offset":8,"length":99999999}]}"#,
                "1000 times",
            ),
            (
                r#"{"ranges":[{"length":8,"file_length":8,"file_offset":18446744073709551615}]}"#,
                "beyond",
            ),
        ] {
            let error = open(index).map(|_| ()).unwrap_err();
            assert!(error.to_string().contains(said), "{index}: {error}");
        }
    }
}
