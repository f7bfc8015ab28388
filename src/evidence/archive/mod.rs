//! Archives as trees of files, without unpacking them to disk by name.
//!
//! What a scan costs: members that lie in a zip or tar archive as they are, are read in place; other members of a
//! zip are unpacked one by one when they are opened. A compressed tar archive and each solid block of a 7z archive
//! is unpacked once, whatever is in it: that one pass lists it and keeps what will be read, so that a scan costs
//! one pass and one more for each further member that is asked for, which is none in practice.
//!
//! Unpacked bytes are kept in memory up to a bound for the whole process and beyond it in one temporary file
//! without a name. Damage costs as little as possible: what of a member could be unpacked is read, and
//! [`FileTree::damage`](super::file_tree::FileTree::damage) says so.

mod compressed;
mod cp437;
mod foreign;
mod fuse;
mod limits;
mod member;
mod names;
mod register;
mod seven_z;
mod seven_z_header;
mod sparse;
mod spool;
mod tar;
mod tar_reel;
mod tree;
mod wanted;
mod zip;
mod zip_directory;

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use limits::Meter;
use member::Member;
use names::Names;
use tree::{ArchiveTree, Shelf, Unpacker};

use super::given::{Given, SharedTree};
use super::magic::{self, Sniffed};
use super::source::{SharedSource, read_up_to};
use super::{EvidencePath, Options};
use crate::diagnostic::Diagnostic;
use crate::error::Error;

/// A kind of archive.
pub struct ArchiveKind {
    /// What it is, for reports and documentation.
    pub name: &'static str,
    /// What it is known by.
    pub known_by: &'static str,
    /// Whether a file that begins so is one.
    is: fn(&[u8], &SharedSource) -> io::Result<bool>,
    open: fn(&Given, &SharedSource, &Options, Meter) -> io::Result<Contained>,
}

/// The kinds of archives, in the order in which they are tried.
pub const ARCHIVES: &[ArchiveKind] = &[
    ArchiveKind {
        name: "zip archive",
        known_by: "a local header, or an end record in the last 64 KiB of a file that is nothing else",
        is: is_zip,
        open: zip::open,
    },
    ArchiveKind {
        name: "7z archive",
        known_by: "its signature",
        is: |start, _| Ok(start.starts_with(&seven_z_header::SIGNATURE)),
        open: seven_z::open,
    },
    ArchiveKind {
        name: "tar archive",
        known_by: "a header with a checksum that is right",
        is: |start, _| Ok(tar_reel::is_header(start)),
        open: |given, source, _, meter| Ok(tar::open_plain(given, source, meter)),
    },
    ArchiveKind {
        name: "file compressed with gzip, xz, Zstandard or bzip2, or a tar archive in one",
        known_by: "its signature; what it unpacks to begins with a tar header or not",
        is: |start, _| Ok(compressed::told(start).is_some()),
        open: open_compressed,
    },
    ArchiveKind {
        name: "archive of a kind that is not supported",
        known_by: "the signatures of cab, rar, arj, lzh and others",
        is: |start, _| Ok(foreign::told(start).is_some()),
        open: foreign::refuse,
    },
];

/// What a format finds in an archive.
struct Contained {
    /// What it is, in words.
    what: String,
    members: Vec<Member>,
    unpacker: Box<dyn Unpacker>,
    shelf: Shelf,
    diagnostics: Vec<Diagnostic>,
}

/// An archive that was opened.
pub(super) struct ArchiveOpened {
    pub(super) tree: SharedTree,
    /// What it is, in words: `zip archive, 1,234 members`.
    pub(super) words: String,
    /// What stood in the way of listing it.
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// Opens a file that is an archive; absent where it is none.
///
/// # Errors
/// Where it is an archive and nothing of it can be read.
pub(super) fn open(given: &Given, options: &Options) -> Result<Option<ArchiveOpened>, Error> {
    open_source(given, options)
        .map_err(|source| Error::Open { path: PathBuf::from(&given.shown), source })
}

/// The file in a file that is compressed by itself; absent where it is anything else.
///
/// # Errors
/// Where it cannot be read.
pub(super) fn open_single(given: &Given, options: &Options) -> Result<Option<Given>, Error> {
    single(given, options)
        .map_err(|source| Error::Open { path: PathBuf::from(&given.shown), source })
}

fn single(given: &Given, options: &Options) -> io::Result<Option<Given>> {
    let source = given.open()?;
    let Some(compression) = compressed::compression(source.as_ref())? else { return Ok(None) };
    if compression.is_tar(&source) {
        return Ok(None);
    }
    let contained = compressed::open(given, &source, compression, Meter::new(options.limits));
    let names = Names::new(&contained.members);
    let path = contained.members.first().map_or("", |member| member.name.as_str());
    let path = EvidencePath::new(path);
    let shown = EvidencePath::new(&given.shown).split().0.child(path.as_str()).to_string();
    let Contained { members, unpacker, shelf, .. } = contained;
    let tree: SharedTree = Arc::new(ArchiveTree::new(members, names, unpacker, shelf));
    Ok(Some(Given { shown, tree, path, depth: given.depth.saturating_add(1) }))
}

fn open_source(given: &Given, options: &Options) -> io::Result<Option<ArchiveOpened>> {
    let source = given.open()?;
    let mut start = vec![0; 512];
    let count = read_up_to(source.as_ref(), 0, &mut start)?;
    start.truncate(count);
    for kind in ARCHIVES {
        if !(kind.is)(&start, &source)? {
            continue;
        }
        let meter = Meter::new(options.limits);
        let mut contained = fuse::fused(|| (kind.open)(given, &source, options, meter))?;
        let names = Names::new(&contained.members);
        contained.diagnostics.extend(names.remarks(&given.shown));
        let words = format!("{}, {}", contained.what, counted(contained.members.len()));
        let Contained { members, unpacker, shelf, diagnostics, .. } = contained;
        let tree = Arc::new(ArchiveTree::new(members, names, unpacker, shelf));
        return Ok(Some(ArchiveOpened { tree, words, diagnostics }));
    }
    Ok(None)
}

/// Files that begin as something else may end as a zip archive does, and are what they begin as.
fn is_zip(start: &[u8], source: &SharedSource) -> io::Result<bool> {
    let begins =
        [&zip_directory::LOCAL[..], b"PK\x05\x06", b"PK\x07\x08PK\x03\x04", b"PK00PK\x03\x04"];
    if begins.iter().any(|signature| start.starts_with(signature)) {
        return Ok(true);
    }
    let is_unknown = magic::sniff(source.as_ref())? == Sniffed::Unknown;
    Ok(is_unknown && !tar_reel::is_header(start) && zip_directory::has_end(source.as_ref())?)
}

fn open_compressed(
    given: &Given,
    source: &SharedSource,
    _options: &Options,
    meter: Meter,
) -> io::Result<Contained> {
    let compression =
        compressed::compression(source.as_ref())?.ok_or(io::ErrorKind::InvalidData)?;
    if compression.is_tar(source) {
        return tar::open_compressed(given, source, compression, meter);
    }
    Ok(compressed::open(given, source, compression, meter))
}

/// `1,234 members`.
fn counted(count: usize) -> String {
    let digits = count.to_string();
    let mut grouped = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at) % 3 == 0 {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{grouped} member{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_counted_in_words() {
        for (count, expected) in [
            (0, "0 members"),
            (1, "1 member"),
            (999, "999 members"),
            (1234, "1,234 members"),
            (1_000_000, "1,000,000 members"),
        ] {
            assert_eq!(counted(count), expected);
        }
    }
}
