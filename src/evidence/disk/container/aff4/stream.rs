//! A stream of packed chunks, kept in bevies: members with so many chunks and an index of them.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::super::bytes::Fields;
use super::super::mapped::{LARGEST_UNIT, Map, Mapped, Place, Run, Unit};
use super::super::unpack::Method;
use super::super::{damaged, unsupported};
use super::turtle::Turtle;
use crate::evidence::EvidencePath;
use crate::evidence::given::SharedTree;
use crate::evidence::source::{SharedSource, read_exact_at};

/// A bevy with its index.
#[derive(Clone)]
struct Bevy {
    number: u64,
    chunks: SharedSource,
    index: SharedSource,
}

pub(super) struct Stream {
    tree: SharedTree,
    folder: String,
    size: u64,
    /// Of a chunk, in bytes.
    chunk: u64,
    per_bevy: u64,
    method: Option<Method>,
    /// The bevy that was read last.
    last: Mutex<Option<Bevy>>,
}

impl Stream {
    pub(super) fn open(
        tree: &SharedTree,
        turtle: &Turtle<'_>,
        name: &str,
    ) -> io::Result<SharedSource> {
        let chunk = turtle.number(name, "chunkSize")?;
        let per_bevy = turtle.number(name, "chunksInSegment")?;
        if chunk == 0 || chunk > LARGEST_UNIT || per_bevy == 0 {
            return Err(damaged(format!("{per_bevy} chunks of {chunk} bytes in a segment")));
        }
        let method = turtle.object(name, "compressionMethod").unwrap_or("aff4:NullCompressor");
        Ok(Mapped::shared(Self {
            folder: super::folder(tree, name, "00000000")?,
            tree: Arc::clone(tree),
            size: turtle.number(name, "size")?,
            chunk,
            per_bevy,
            method: compression(method)?,
            last: Mutex::default(),
        }))
    }

    fn bevy(&self, number: u64) -> io::Result<Bevy> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bevy) = last.as_ref().filter(|bevy| bevy.number == number) {
            return Ok(bevy.clone());
        }
        let open = |suffix| {
            self.tree.open(&EvidencePath::new(&format!("{}/{number:08x}{suffix}", self.folder)))
        };
        let bevy = Bevy { number, chunks: open("")?, index: open(".index")? };
        *last = Some(bevy.clone());
        Ok(bevy)
    }
}

/// How chunks are packed; absent where they are not.
fn compression(method: &str) -> io::Result<Option<Method>> {
    Ok(match method {
        "aff4:NullCompressor" | "http://aff4.org/Schema#NullCompressor" => None,
        "https://www.ietf.org/rfc/rfc1950.txt" | "aff4:DeflateCompressor" => Some(Method::Zlib),
        "http://code.google.com/p/snappy/" | "https://github.com/google/snappy" => {
            Some(Method::Snappy)
        }
        other => return Err(unsupported(format!("chunks packed with {other} are not read"))),
    })
}

impl Map for Stream {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let number = offset.checked_div(self.chunk).unwrap_or_default();
        let bevy = self.bevy(number.checked_div(self.per_bevy).unwrap_or_default())?;
        let index = number.checked_rem(self.per_bevy).unwrap_or_default();
        let mut entry = [0; 12];
        read_exact_at(bevy.index.as_ref(), index.saturating_mul(12), &mut entry)?;
        let fields = Fields(&entry);
        let (at, packed) = (fields.u64_le(0), u64::from(fields.u32_le(8)));
        let start = number.saturating_mul(self.chunk);
        let within = offset.saturating_sub(start);
        let wanted = self.chunk.min(self.size.saturating_sub(start));
        let place = match self.method {
            // A chunk that did not become smaller is stored as it was.
            Some(method) if packed != self.chunk => Place::Packed(Unit {
                source: bevy.chunks,
                offset: at,
                packed,
                method,
                start,
                size: self.chunk,
            }),
            _ if packed < wanted => return Err(damaged("a chunk of the image is too short")),
            _ => Place::Stored(bevy.chunks, at.saturating_add(within)),
        };
        Ok(Run { place, size: wanted.saturating_sub(within) })
    }
}
