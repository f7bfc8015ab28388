//! Archives that are known and not read.

use std::io;

use super::Contained;
use super::limits::Meter;
use crate::evidence::Options;
use crate::evidence::given::Given;
use crate::evidence::source::{SharedSource, read_up_to};

/// What they begin with and what they are.
const FOREIGN: [(&[u8], &str); 6] = [
    (b"MSCF\0\0\0\0", "a cabinet file (cab); `expand FILE.cab -F:* FOLDER` unpacks it"),
    (b"Rar!\x1a\x07", "a RAR archive; `7z x FILE.rar` unpacks it"),
    (b"MSWIM\0\0\0", "a Windows image (WIM); `7z x FILE.wim` unpacks it"),
    (b"\x60\xea", "an ARJ archive; `7z x FILE.arj` unpacks it"),
    (b"\x04\x22\x4d\x18", "an LZ4 file; `lz4 -d FILE.lz4` unpacks it"),
    (b"\x1f\x9d", "a file of the old Unix compress; `gzip -d FILE.Z` unpacks it"),
];

/// What an archive is that is not read, told by its first bytes, and what helps.
pub(super) fn told(start: &[u8]) -> Option<&'static str> {
    FOREIGN.iter().find(|(magic, _)| start.starts_with(magic)).map(|(_, what)| *what)
}

/// Says what helps.
pub(super) fn refuse(
    _given: &Given,
    source: &SharedSource,
    _options: &Options,
    _meter: Meter,
) -> io::Result<Contained> {
    let mut start = [0; 8];
    let count = read_up_to(source.as_ref(), 0, &mut start)?;
    let what = told(start.get(..count).unwrap_or_default()).unwrap_or("an archive");
    Err(io::Error::new(io::ErrorKind::Unsupported, format!("{what}; then give the folder")))
}
