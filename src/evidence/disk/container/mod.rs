//! Disk images of every form as one thing: the bytes of the disk.
//!
//! A format is a record in [`CONTAINERS`]. Formats are told by content, never by the name of a file; names
//! matter only for finding the other parts of an image, which lie beside it. The formats are read here
//! and not by libraries, because an image that is damaged, cut off or hostile must give errors and never zeros, memory must
//! not grow with the image, and parts and parents must be readable inside archives and other images too.

mod aff4;
mod beside;
pub(super) mod bytes;
mod ewf;
mod mapped;
mod qcow2;
mod raw;
mod unpack;
mod vhd;
mod vhdx;
mod vmdk;

use std::io;

use self::beside::Beside;
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::RecordedHash;
use crate::evidence::given::Given;
use crate::evidence::source::{SharedSource, read_up_to};

/// A format of disk images.
pub(in crate::evidence) struct Container {
    /// What people call it.
    pub(in crate::evidence) name: &'static str,
    /// What tells it from others, in words.
    pub(in crate::evidence) known_by: &'static str,
    /// Whether a file is one.
    is: fn(&Ends) -> bool,
    /// Opens it.
    open: fn(&Image<'_>) -> io::Result<Disk>,
}

/// Every format of disk images that is read; the first that fits is taken.
pub(in crate::evidence) static CONTAINERS: &[Container] = &[
    ewf::CONTAINER,
    vhdx::CONTAINER,
    vmdk::CONTAINER,
    qcow2::CONTAINER,
    aff4::CONTAINER,
    vhd::CONTAINER,
    raw::CONTAINER,
];

/// A disk image, opened.
pub(super) struct Disk {
    /// The bytes of the disk.
    pub(super) source: SharedSource,
    /// What it is, in words: `disk image (E01), 2 segments, 512.0 MiB`.
    pub(super) words: String,
    /// What is missing or odd.
    pub(super) diagnostics: Vec<Diagnostic>,
    /// What the image says about the bytes of the disk.
    pub(super) hash: Option<RecordedHash>,
}

/// How many images may lie under one another as parents.
const LONGEST_CHAIN: usize = 32;

/// An image that is being opened.
struct Image<'a> {
    given: &'a Given,
    source: SharedSource,
    /// How many images above this one have it as a parent.
    above: usize,
}

impl Image<'_> {
    /// The files in the same folder.
    fn beside(&self) -> Beside {
        Beside::of(self.given)
    }

    fn diagnostic(&self, impact: Impact, message: impl Into<String>) -> Diagnostic {
        Diagnostic { artifact: self.given.path.to_string(), impact, message: message.into() }
    }

    /// Says that the file ends before the last byte that its tables name, if so.
    fn cut_off(&self, needed: u64) -> Option<Diagnostic> {
        let size = self.source.size();
        (size < needed).then(|| {
            self.diagnostic(
                Impact::Partial,
                format!(
                    "cut off: the image ends at byte {size} and its tables name bytes up to {needed}; \
                     what is missing is not read"
                ),
            )
        })
    }

    /// The image that this one only holds the changes to, found by the last component of the names it gives.
    fn parent(&self, names: &[String]) -> io::Result<Parent> {
        if self.above >= LONGEST_CHAIN {
            return Err(damaged(format!(
                "more than {LONGEST_CHAIN} images are each other's parents"
            )));
        }
        let beside = self.beside();
        let found = names.iter().find_map(|name| beside.given(last_component(name), self.given));
        let Some(given) = found else {
            let names: Vec<&str> = names.iter().map(|name| last_component(name)).collect();
            return Err(io::Error::new(
                io::ErrorKind::NotFound,
                format!(
                    "this image holds only the changes to another, {}, which is not beside it",
                    or_unnamed(&names.join(" or "))
                ),
            ));
        };
        let source = given.open()?;
        let image = Image { given: &given, source, above: self.above.saturating_add(1) };
        let Some(disk) = open_image(&image)? else {
            let name = given.path.name();
            return Err(damaged(format!("{name}, the parent of this image, is no disk image")));
        };
        Ok(Parent { name: given.path.name().to_owned(), source: image.source, disk })
    }
}

/// The image under another.
struct Parent {
    name: String,
    /// The bytes of the file.
    source: SharedSource,
    disk: Disk,
}

/// Opens a disk image; absent where the file is none.
///
/// # Errors
/// What makes the image unreadable as a whole, with the remedy where there is one.
pub(super) fn open(given: &Given, source: SharedSource) -> io::Result<Option<Disk>> {
    open_image(&Image { given, source, above: 0 })
}

/// Whether a file that is an archive by its bytes is a disk image all the same.
pub(in crate::evidence) fn is_image_in_archive(
    given: &Given,
    source: SharedSource,
) -> io::Result<bool> {
    let ends = Ends::of(&Image { given, source, above: 0 })?;
    Ok((aff4::CONTAINER.is)(&ends))
}

fn open_image(image: &Image<'_>) -> io::Result<Option<Disk>> {
    let ends = Ends::of(image)?;
    match CONTAINERS.iter().find(|container| (container.is)(&ends)) {
        Some(container) => (container.open)(image).map(Some),
        None => Ok(None),
    }
}

/// The first and last bytes of a file.
struct Ends {
    start: Vec<u8>,
    end: Vec<u8>,
    size: u64,
}

impl Ends {
    /// Bytes that are enough to tell: a sector of 4096 bytes and a partition table in the next.
    const ENOUGH: u64 = 8192;

    fn of(image: &Image<'_>) -> io::Result<Self> {
        let size = image.source.size();
        let count = size.min(Self::ENOUGH);
        let mut start = vec![0; usize::try_from(count).unwrap_or_default()];
        let mut end = start.clone();
        let got = read_up_to(image.source.as_ref(), 0, &mut start)?;
        start.truncate(got);
        // A file that cannot be read to its end may still be told by its start.
        let got = read_up_to(image.source.as_ref(), size.saturating_sub(count), &mut end);
        if got.is_err() {
            end.clear();
        }
        Ok(Self { start, end, size })
    }

    fn starts_with(&self, magic: &[u8]) -> bool {
        self.start.starts_with(magic)
    }

    /// The bytes that begin so many bytes before the end.
    fn before_end(&self, before: usize) -> &[u8] {
        let at = self.end.len().checked_sub(before);
        at.and_then(|at| self.end.get(at..)).unwrap_or_default()
    }
}

/// The last component of a path of any system: a name in an image is hostile.
fn last_component(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().unwrap_or(path)
}

fn or_unnamed(name: &str) -> &str {
    if name.is_empty() { "without a name" } else { name }
}

/// A size in words: `512.0 MiB`.
fn size_words(bytes: u64) -> String {
    let mut tenths = u128::from(bytes).saturating_mul(10);
    let mut unit = "bytes";
    for next in ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"] {
        if tenths < 10_240 {
            break;
        }
        tenths = tenths.saturating_add(512) / 1024;
        unit = next;
    }
    if unit == "bytes" {
        return format!("{bytes} bytes");
    }
    format!("{}.{} {unit}", tenths / 10, tenths % 10)
}

fn damaged(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, message.into())
}

fn unsupported(message: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message.into())
}

#[cfg(test)]
mod tests;
