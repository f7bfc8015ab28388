//! AFF4 images (AFF4 Standard v1.0, aff4.org): a zip archive with streams of packed chunks, and a map over them.

mod stream;
mod turtle;

use std::io;
use std::sync::Arc;

use self::stream::Stream;
use self::turtle::Turtle;
use super::bytes::Fields;
use super::mapped::{Map, Mapped, Place, Run};
use super::{Container, Disk, Image, damaged, size_words, unsupported};
use crate::evidence::archive::{self, ArchiveOpened};
use crate::evidence::given::SharedTree;
use crate::evidence::source::{MemorySource, SharedSource, read_exact_at};
use crate::evidence::{EvidencePath, Options};

pub(super) const CONTAINER: Container = Container {
    name: "AFF4",
    known_by: "a zip archive with information.turtle at its end or container.description at its start",
    is: |ends| {
        let has = |bytes: &[u8], name: &[u8]| bytes.windows(name.len()).any(|part| part == name);
        ends.starts_with(b"PK\x03\x04")
            && (has(&ends.end, b"information.turtle") || has(&ends.start, b"container.description"))
    },
    open,
};

/// Texts of an image are some KiB; with hashes of every part some MiB.
const LONGEST_TEXT: u64 = 64 << 20;
/// Parts of a map: 28 bytes each are kept in memory.
const MOST_PARTS: u64 = 2 << 20;

fn open(image: &Image<'_>) -> io::Result<Disk> {
    let opened = archive::open(image.given, &Options::default())
        .map_err(|error| damaged(error.to_string()))?;
    let Some(ArchiveOpened { tree, mut diagnostics, .. }) = opened else {
        return Err(damaged("the zip archive of the image is damaged"));
    };
    let text = text(&tree, "information.turtle")?;
    let turtle = Turtle::read(&text);
    if turtle.subject_of_type("EncryptedStream").is_some() {
        return Err(unsupported(
            "the image is encrypted; decrypt it with the program that made it",
        ));
    }
    let whole = top(&turtle)?;
    let source: SharedSource = if turtle.is(whole, "Map") {
        Mapped::shared(Parts::read(&tree, &turtle, whole)?)
    } else {
        Stream::open(&tree, &turtle, whole)?
    };
    let words = format!("disk image (AFF4), {}", size_words(source.size()));
    diagnostics.truncate(16);
    Ok(Disk { source, words, diagnostics, hash: None })
}

/// The stream that is the disk: what an image names as its data, or the only map or stream there is.
fn top<'a>(turtle: &Turtle<'a>) -> io::Result<&'a str> {
    let named =
        turtle.subject_of_type("Image").and_then(|image| turtle.object(image, "dataStream"));
    let streams = ["Map", "ImageStream"];
    named
        .filter(|stream| streams.iter().any(|kind| turtle.is(stream, kind)))
        .or_else(|| streams.iter().find_map(|kind| turtle.subject_of_type(kind)))
        .ok_or_else(|| match turtle.subject_of_type("FileImage") {
            Some(_) => unsupported(
                "a logical AFF4 image holds files and no disk; unpack it as a zip archive",
            ),
            None => damaged("the image describes no stream"),
        })
}

fn text(tree: &SharedTree, name: &str) -> io::Result<String> {
    let source = tree.open(&EvidencePath::new(name))?;
    let mut bytes = vec![0; usize::try_from(source.size().min(LONGEST_TEXT)).unwrap_or_default()];
    read_exact_at(source.as_ref(), 0, &mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The folder with the members of a stream: its name as it is, escaped, or without its scheme.
fn folder(tree: &SharedTree, stream: &str, member: &str) -> io::Result<String> {
    let bare = stream.strip_prefix("aff4://").unwrap_or(stream);
    let candidates = [format!("aff4%3A%2F%2F{}", bare.replace('/', "%2F")), bare.to_owned()];
    let found = candidates.into_iter().find(|folder| {
        let path = EvidencePath::new(&format!("{folder}/{member}"));
        tree.siblings(&path).file(member).is_some()
    });
    found.ok_or_else(|| {
        io::Error::new(
            io::ErrorKind::NotFound,
            format!("the stream {stream} is in another file of the image; images of several files are not read"),
        )
    })
}

/// A disk that is put together from parts of streams.
struct Parts {
    /// In the order of their places on the disk; of two that overlap, the later one begins where the earlier ends.
    parts: Vec<Part>,
    targets: Vec<Target>,
    gap: Target,
    size: u64,
}

struct Part {
    start: u64,
    size: u64,
    target: usize,
    /// Where in the target it begins.
    at: u64,
}

enum Target {
    Stream(SharedSource),
    Zeros,
    /// The same byte throughout.
    Filled(u8),
    /// Why there are no bytes.
    Lost(String),
}

impl Parts {
    fn read(tree: &SharedTree, turtle: &Turtle<'_>, map: &str) -> io::Result<Self> {
        let size = turtle.number(map, "size")?;
        let folder = folder(tree, map, "map")?;
        let targets = text(tree, &format!("{folder}/idx"))?;
        let targets = targets.lines().map(str::trim).filter(|line| !line.is_empty());
        let targets = targets.map(|name| Target::named(tree, turtle, name)).collect();
        let gap = turtle.object(map, "mapGapDefaultStream").unwrap_or("aff4:Zero");
        let gap = Target::named(tree, turtle, gap);
        let entries = tree.open(&EvidencePath::new(&format!("{folder}/map")))?;
        if entries.size() / 28 > MOST_PARTS {
            return Err(unsupported(format!("a map of more than {MOST_PARTS} parts is not read")));
        }
        let mut bytes = vec![0; usize::try_from(entries.size()).unwrap_or_default()];
        read_exact_at(entries.as_ref(), 0, &mut bytes)?;
        let part = |entry: &[u8]| {
            let fields = Fields(entry);
            let target = usize::try_from(fields.u32_le(24)).unwrap_or(usize::MAX);
            Part { start: fields.u64_le(0), size: fields.u64_le(8), at: fields.u64_le(16), target }
        };
        let mut parts: Vec<Part> = bytes.chunks_exact(28).map(part).collect();
        parts.sort_by_key(|part| part.start);
        Ok(Self { parts, targets, gap, size })
    }
}

impl Target {
    fn named(tree: &SharedTree, turtle: &Turtle<'_>, name: &str) -> Self {
        let local = name.rsplit(['#', ':']).next().unwrap_or(name);
        let filled = local.strip_prefix("SymbolicStream").map(|byte| u8::from_str_radix(byte, 16));
        match (local, filled) {
            ("Zero", _) => Self::Zeros,
            (_, Some(Ok(byte))) => Self::Filled(byte),
            ("UnknownData", _) => Self::Lost("was not copied when the image was made".into()),
            ("UnreadableData", _) => Self::Lost("could not be read when the image was made".into()),
            _ => match Stream::open(tree, turtle, name) {
                Ok(stream) => Self::Stream(stream),
                Err(error) => Self::Lost(format!("cannot be read: {error}")),
            },
        }
    }

    fn place(&self, at: u64, size: u64) -> io::Result<(Place, u64)> {
        /// Bytes of one value that are made at a time.
        const MADE: u64 = 1 << 16;
        Ok(match self {
            Self::Stream(stream) => (Place::Stored(Arc::clone(stream), at), size),
            Self::Zeros | Self::Filled(0) => (Place::Zeros, size),
            Self::Filled(byte) => {
                let size = size.min(MADE);
                let bytes = vec![*byte; usize::try_from(size).unwrap_or_default()];
                (Place::Stored(Arc::new(MemorySource(bytes)), 0), size)
            }
            Self::Lost(why) => {
                return Err(io::Error::other(format!("this part of the disk {why}")));
            }
        })
    }
}

impl Map for Parts {
    fn size(&self) -> u64 {
        self.size
    }

    fn find(&self, offset: u64) -> io::Result<Run> {
        let next = self.parts.partition_point(|part| part.start <= offset);
        let before = next.checked_sub(1).and_then(|index| self.parts.get(index));
        let within = before.map(|part| (part, offset.saturating_sub(part.start)));
        let (place, size) = match within.filter(|(part, within)| *within < part.size) {
            Some((part, within)) => {
                let target = self.targets.get(part.target);
                let target = target.ok_or_else(|| damaged("the map of the image is damaged"))?;
                target.place(part.at.saturating_add(within), part.size.saturating_sub(within))?
            }
            None => {
                let end = self.parts.get(next).map_or(self.size, |part| part.start);
                self.gap.place(offset, end.saturating_sub(offset).max(1))?
            }
        };
        let until_next =
            self.parts.get(next).map_or(u64::MAX, |part| part.start.saturating_sub(offset));
        Ok(Run { place, size: size.min(until_next) })
    }
}
