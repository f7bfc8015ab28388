//! Files that are compressed as a whole: gzip, xz, Zstandard, bzip2.

use std::io::{self, BufRead, BufReader, Read};

use super::Contained;
use super::limits::Meter;
use super::member::{Member, MemberKind};
use super::tree::{HEAD, Shelf, Take, Unpacker};
use crate::evidence::EvidencePath;
use crate::evidence::given::Given;
use crate::evidence::source::{Cursor, SharedSource, Source, read_up_to};
use crate::text::fold;

/// The largest window of Zstandard in bytes: what `zstd --ultra --long=31` needs is refused, as `zstd -d` does.
const LARGEST_WINDOW: u64 = 128 << 20;

/// What the dictionary of an xz file may take, in KiB.
const XZ_MEMORY: u32 = 1 << 20;

/// The bytes of a compressed file.
type Packed = Box<dyn BufRead + Send>;

/// What they are unpacked to.
type Unpacked = Box<dyn Read + Send>;

/// A way to compress one file.
pub(super) struct Compression {
    /// What people call it.
    pub(super) name: &'static str,
    /// The bytes it begins with.
    magic: &'static [u8],
    /// How its files are named, and what is put in place of that.
    suffixes: &'static [(&'static str, &'static str)],
    decode: fn(Packed) -> io::Result<Unpacked>,
}

/// All of them.
const COMPRESSIONS: &[Compression] = &[
    Compression {
        name: "gzip",
        magic: b"\x1f\x8b\x08",
        suffixes: &[(".GZ", ""), (".TGZ", ".tar")],
        decode: |reader| Ok(Box::new(flate2::bufread::MultiGzDecoder::new(reader))),
    },
    Compression {
        name: "xz",
        magic: b"\xfd7zXZ\x00",
        suffixes: &[(".XZ", ""), (".TXZ", ".tar")],
        decode: |reader| Ok(Box::new(lzma_rust2::XzReader::new_mem_limit(reader, true, XZ_MEMORY))),
    },
    Compression {
        name: "Zstandard",
        magic: b"\x28\xb5\x2f\xfd",
        suffixes: &[(".ZST", ""), (".TZST", ".tar"), (".ZSTD", "")],
        decode: |reader| Ok(Box::new(Frames { reader: Some(reader), frame: None })),
    },
    Compression {
        name: "bzip2",
        magic: b"BZh",
        suffixes: &[(".BZ2", ""), (".TBZ", ".tar"), (".TBZ2", ".tar")],
        decode: |reader| Ok(Box::new(bzip2::bufread::MultiBzDecoder::new(reader))),
    },
];

/// How a file is compressed, told by its first bytes.
pub(super) fn told(start: &[u8]) -> Option<&'static Compression> {
    COMPRESSIONS.iter().find(|compression| start.starts_with(compression.magic))
}

/// How a file is compressed.
pub(super) fn compression(source: &dyn Source) -> io::Result<Option<&'static Compression>> {
    let mut start = [0; 8];
    let count = read_up_to(source, 0, &mut start)?;
    Ok(told(start.get(..count).unwrap_or_default()))
}

impl Compression {
    /// What it unpacks to, from its start.
    pub(super) fn reader(&self, source: &SharedSource) -> io::Result<Box<dyn Read + Send>> {
        let cursor = Cursor::new(SharedSource::clone(source));
        (self.decode)(Box::new(BufReader::with_capacity(1 << 16, cursor)))
    }

    /// Whether it unpacks to a tar archive.
    pub(super) fn is_tar(&self, source: &SharedSource) -> bool {
        let start = super::fuse::fused(|| {
            let mut start = Vec::new();
            self.reader(source)?.take(HEAD).read_to_end(&mut start)?;
            Ok(start)
        });
        start.is_ok_and(|start| super::tar_reel::is_header(&start))
    }

    /// The name of what it unpacks to.
    fn name_inside(&self, name: &str) -> String {
        let folded = fold(name);
        let inside = self.suffixes.iter().find_map(|(suffix, instead)| {
            let length = folded.strip_suffix(suffix)?.chars().count();
            Some(name.chars().take(length).chain(instead.chars()).collect::<String>())
        });
        inside.filter(|inside| !inside.is_empty()).unwrap_or_else(|| name.to_owned())
    }
}

/// The frames of a Zstandard file, one after the other; those to be skipped are.
struct Frames {
    reader: Option<Box<dyn BufRead + Send>>,
    frame: Option<Frame>,
}

type Frame = Box<
    ruzstd::decoding::StreamingDecoder<Box<dyn BufRead + Send>, ruzstd::decoding::FrameDecoder>,
>;

impl Read for Frames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if let Some(frame) = &mut self.frame {
                let count = frame.read(buffer)?;
                if count > 0 || buffer.is_empty() {
                    return Ok(count);
                }
                check(&frame.decoder)?;
            }
            if let Some(frame) = self.frame.take() {
                self.reader = Some(frame.into_inner());
            }
            let Some(mut reader) = self.reader.take() else { return Ok(0) };
            if reader.fill_buf()?.is_empty() || skip_frame(&mut reader)? {
                self.reader = Some(reader);
                if self.is_at_end()? {
                    return Ok(0);
                }
                continue;
            }
            let frame = ruzstd::decoding::StreamingDecoder::new_with_max_window_size(
                reader,
                LARGEST_WINDOW,
            )
            .map_err(io::Error::other)?;
            self.frame = Some(Box::new(frame));
        }
    }
}

/// What Zstandard frames unpack to.
pub(super) fn zstandard(packed: Cursor) -> impl Read {
    Frames { reader: Some(Box::new(BufReader::new(packed))), frame: None }
}

impl Frames {
    fn is_at_end(&mut self) -> io::Result<bool> {
        match &mut self.reader {
            Some(reader) => Ok(reader.fill_buf()?.is_empty()),
            None => Ok(true),
        }
    }
}

/// The checksum of a frame that was read to its end.
fn check(decoder: &ruzstd::decoding::FrameDecoder) -> io::Result<()> {
    match (decoder.get_checksum_from_data(), decoder.get_calculated_checksum()) {
        (Some(stored), Some(calculated)) if stored != calculated => {
            Err(io::Error::new(io::ErrorKind::InvalidData, "checksum is wrong"))
        }
        _ => Ok(()),
    }
}

/// Skips a skippable frame (RFC 8878 section 3.1.2); whether there was one.
fn skip_frame(reader: &mut dyn BufRead) -> io::Result<bool> {
    let start = reader.fill_buf()?;
    let is_skippable = matches!(start.get(..4), Some([0x50..=0x5f, 0x2a, 0x4d, 0x18]));
    if !is_skippable {
        return Ok(false);
    }
    let mut header = [0; 8];
    reader.read_exact(&mut header)?;
    let [_, _, _, _, size @ ..] = header;
    let size = u64::from(u32::from_le_bytes(size));
    io::copy(&mut reader.take(size), &mut io::sink())?;
    Ok(true)
}

/// A file that is compressed as a whole, as a tree with one member.
struct Single {
    source: SharedSource,
    compression: &'static Compression,
}

impl Unpacker for Single {
    fn unpack(&self, _member: usize, take: Take<'_>) -> io::Result<()> {
        take(&mut self.compression.reader(&self.source)?).map(drop)
    }
}

/// Opens a file that is compressed as a whole and not a tar archive.
pub(super) fn open(
    given: &Given,
    source: &SharedSource,
    compression: &'static Compression,
    meter: Meter,
) -> Contained {
    let name = compression.name_inside(EvidencePath::new(&given.shown).name());
    let member = Member {
        name,
        kind: MemberKind::File,
        size: 0,
        packed: source.size(),
        run: None,
        parts: None,
    };
    let single = Single { source: SharedSource::clone(source), compression };
    Contained {
        what: format!("{} file", compression.name),
        members: vec![member],
        unpacker: Box::new(single),
        shelf: Shelf::new(meter),
        diagnostics: Vec::new(),
    }
}
