//! A stream of an image: chunks, some thousands of them in one member, each packed on its own.

use std::io;
use std::sync::Arc;

use super::super::bytes::Fields;
use super::super::mapped::{LARGEST_UNIT, Map, Mapped, Place, Run, Unit};
use super::super::unpack::Method;
use super::{Graph, Members, damaged, member, unsupported};
use crate::evidence::source::{SharedSource, Source, read_exact_at};

/// The chunks of a stream.
struct Stream {
    size: u64,
    chunk: u64,
    per_segment: u64,
    method: Option<Method>,
    /// Segments and their indices, absent where they are missing.
    segments: Vec<Option<(SharedSource, SharedSource)>>,
}

pub(super) fn open(members: &Members, graph: &Graph, name: &str) -> io::Result<SharedSource> {
    let number = |predicate| {
        graph.number(name, predicate).ok_or_else(|| damaged("a stream does not say its size"))
    };
    let (size, chunk) = (number("size")?, number("chunkSize")?);
    let per_segment = number("chunksInSegment")?;
    if chunk == 0 || chunk > LARGEST_UNIT || per_segment == 0 {
        return Err(damaged(format!("segments of {per_segment} chunks of {chunk} bytes")));
    }
    let method = match graph.one(name, "compressionMethod").unwrap_or_default() {
        "http://code.google.com/p/snappy/" => Some(Method::Snappy),
        "https://code.google.com/p/lz4/" | "https://github.com/lz4/lz4" => Some(Method::Lz4),
        "https://www.ietf.org/rfc/rfc1950.txt" => Some(Method::Zlib),
        "https://tools.ietf.org/html/rfc1951" => Some(Method::Deflate),
        "" => None,
        name if name.ends_with("NullCompressor") => None,
        other => return Err(unsupported(format!("compression method {other} is not known"))),
    };
    let count = size.div_ceil(chunk).div_ceil(per_segment);
    let mut segments = Vec::new();
    let mut missing = 0_u64;
    for index in 0..count {
        let base = member(name, &format!("/{index:08x}"));
        let segment = members.stored(&base)?.zip(members.stored(&format!("{base}.index"))?);
        missing = missing.saturating_add(u64::from(segment.is_none()));
        // A stream that claims to be endless has no members to show for it.
        if missing > 1 << 16 {
            return Err(damaged("the segments of a stream are missing"));
        }
        segments.push(segment);
    }
    Ok(Mapped::shared(Stream { size, chunk, per_segment, method, segments }))
}

impl Map for Stream {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let number = offset.checked_div(self.chunk).unwrap_or_default();
        let start = number.saturating_mul(self.chunk);
        let within = offset.saturating_sub(start);
        let size = self.chunk.saturating_sub(within);
        let segment = number.checked_div(self.per_segment).unwrap_or_default();
        let segment = usize::try_from(segment).ok().and_then(|at| self.segments.get(at));
        let Some(Some((data, index))) = segment else {
            let message = "a segment of the image is missing";
            return Err(io::Error::new(io::ErrorKind::NotFound, message));
        };
        let entry = number.checked_rem(self.per_segment).unwrap_or_default();
        let mut bytes = [0; 12];
        read_exact_at(index.as_ref(), entry.saturating_mul(12), &mut bytes)?;
        let (at, packed) = (Fields(&bytes).u64_le(0), u64::from(Fields(&bytes).u32_le(8)));
        let place = match self.method {
            // What did not shrink is stored as it is.
            Some(method) if packed < self.chunk => Place::Packed(Unit {
                source: Arc::clone(data),
                offset: at,
                packed,
                method,
                start,
                size: self.chunk,
            }),
            _ if within >= packed => return Err(damaged("a chunk of the image is too short")),
            _ => {
                let place = Place::Stored(Arc::clone(data), at.saturating_add(within));
                return Ok(Run { place, size: size.min(packed.saturating_sub(within)) });
            }
        };
        Ok(Run { place, size })
    }
}

/// A stream of one byte, as long as a disk can be.
pub(super) fn filled(byte: u8) -> SharedSource {
    Arc::new(Filled(byte))
}

struct Filled(u8);

impl Source for Filled {
    fn size(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, _: u64, buffer: &mut [u8]) -> io::Result<usize> {
        buffer.fill(self.0);
        Ok(buffer.len())
    }
}
