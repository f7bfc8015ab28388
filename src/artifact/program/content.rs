//! What the bytes of a file are: all digests, entropies and marks in one pass over it, structures by looking where they point.

use std::io::{self, Read as _, SeekFrom};

use super::digest::{Authenticode, Whole};
use super::entropy::Counter;
use super::executable::{self, Damage, Header, LONGEST_MARK, Layout, Marks, Span, View};
use super::kind;
use crate::evidence::{Content, RecordedHash};
use crate::host::program_file::{Digests, Executable, FileContent};

/// A part of the file that is in memory at once, in bytes.
const PART: usize = 128 << 10;
/// How much of a file's beginning says what it is, in bytes.
const HEAD: usize = 4096;
/// A certificate table is not longer, in bytes: the largest known are below 1 MiB.
const LONGEST_TABLE: u64 = 4 << 20;

/// What was read of a file.
pub(super) struct Contents {
    /// What it is.
    pub(super) content: FileContent,
    /// The certificate table of a PE image as it lies in the file: entries of `WIN_CERTIFICATE`. Empty where there is none.
    pub(super) certificates: Vec<u8>,
}

/// Reads a file to its end. `name` is its path on the host, `recorded` what a collector wrote down when it copied it.
/// `None` where the file is larger than `largest`, in bytes.
///
/// # Errors
/// What the evidence says.
pub(super) fn read(
    content: &mut dyn Content,
    largest: u64,
    name: &str,
    recorded: Option<&RecordedHash>,
) -> io::Result<Option<Contents>> {
    let size = content.seek(SeekFrom::End(0))?;
    if size > largest {
        return Ok(None);
    }
    let mut view = View::new(&mut *content, size);
    let head = view.bytes(0, HEAD);
    let (kind, image) = kind_of(&mut view, &head, name);
    let certificates = image.as_ref().map_or_else(Vec::new, |image| image.certificates.clone());
    if let Some(error) = view.failure() {
        return Err(error);
    }
    let mut pass = Pass::new(size, image.as_ref());
    let read = pass.run(content, largest)?;
    let (digests, executable, is_zero) = pass.finish(image);
    let kind = if is_zero && kind == "data" { "zeros" } else { kind };
    let collector_disagrees = recorded.and_then(|recorded| disagreement(&digests, recorded));
    let mut content = FileContent { size: read, digests, collector_disagrees, kind, executable };
    if let Some(executable) = content.executable.as_mut().filter(|_| read != size) {
        executable.damage.push(format!("{read} of {size} bytes could be read"));
    }
    Ok(Some(Contents { content, certificates }))
}

/// A PE image whose structures were read.
struct Image {
    layout: Box<Layout>,
    executable: Executable,
    certificates: Vec<u8>,
}

fn kind_of(view: &mut View<'_>, head: &[u8], name: &str) -> (&'static str, Option<Image>) {
    if head.is_empty() {
        return ("empty", None);
    }
    if !head.starts_with(b"MZ") {
        return (kind::of(head, name), None);
    }
    let mut damage = Damage::default();
    let layout = match executable::header(view, &mut damage) {
        Header::Image(layout) => layout,
        Header::Older(kind) => return (kind, None),
    };
    let table = layout.certificates(view.size()).filter(|table| table.length() <= LONGEST_TABLE);
    let certificates = table.map_or_else(Vec::new, |table| {
        view.bytes(table.start, usize::try_from(table.length()).unwrap_or_default())
    });
    let executable = executable::read(view, &layout, damage);
    ("PE image", Some(Image { layout, executable, certificates }))
}

/// One pass over all bytes.
struct Pass {
    whole: Whole,
    image: Option<ImagePass>,
    is_zero: bool,
}

/// What only an image needs.
struct ImagePass {
    authenticode: Authenticode,
    counter: Counter,
    marks: Marks,
}

impl Pass {
    fn new(size: u64, image: Option<&Image>) -> Self {
        let image = image.map(|image| {
            let layout = &image.layout;
            let end = layout.end(size);
            let table = layout.certificates(size).unwrap_or(Span { start: size, end: size });
            let overlay = vec![
                Span { start: end, end: table.start.max(end) },
                Span { start: table.end.max(end), end: size },
            ];
            let left_out = layout.left_out(size);
            ImagePass {
                authenticode: Authenticode::new(size, left_out, &image.certificates),
                counter: Counter::new(layout.section_spans(), overlay),
                marks: Marks::default(),
            }
        });
        Self { whole: Whole::default(), image, is_zero: true }
    }

    /// Reads from the first byte to the last; gives how many there were.
    fn run(&mut self, content: &mut dyn Content, largest: u64) -> io::Result<u64> {
        content.seek(SeekFrom::Start(0))?;
        let mut buffer = Vec::with_capacity(PART.saturating_add(LONGEST_MARK));
        let mut offset: u64 = 0;
        loop {
            let kept = buffer.len();
            let read = io::Read::take(&mut *content, PART as u64).read_to_end(&mut buffer)?;
            if read == 0 {
                return Ok(offset);
            }
            let part = buffer.get(kept..).unwrap_or_default();
            self.is_zero = self.is_zero && part.iter().all(|byte| *byte == 0);
            self.whole.update(part);
            if let Some(image) = &mut self.image {
                image.authenticode.update(offset, part);
                image.counter.count(offset, part);
                image.marks.look(&buffer);
            }
            offset = offset.saturating_add(read as u64);
            if offset > largest {
                return Err(io::Error::other("it holds more bytes than it says"));
            }
            let tail = buffer.len().saturating_sub(LONGEST_MARK);
            buffer.drain(..tail);
        }
    }

    fn finish(self, image: Option<Image>) -> (Digests, Option<Executable>, bool) {
        let executable = image.zip(self.image).map(|(image, pass)| {
            let mut executable = image.executable;
            executable.authentihashes = pass.authenticode.finish();
            executable::finish(&mut executable, &pass.counter.finish(), pass.marks);
            executable
        });
        (self.whole.finish(), executable, self.is_zero)
    }
}

/// What a collector wrote down that does not agree with the digests.
fn disagreement(digests: &Digests, recorded: &RecordedHash) -> Option<String> {
    let pairs = [
        ("SHA-256", &recorded.sha256, &digests.sha256),
        ("SHA-1", &recorded.sha1, &digests.sha1),
        ("MD5", &recorded.md5, &digests.md5),
    ];
    let wrong: Vec<String> = pairs
        .into_iter()
        .filter_map(|(name, recorded, own)| Some((name, recorded.as_ref()?, own)))
        .filter(|(_, recorded, own)| !recorded.eq_ignore_ascii_case(own))
        .map(|(name, recorded, _)| format!("{name} {recorded}"))
        .collect();
    (!wrong.is_empty()).then(|| format!("{} says {}", recorded.source, wrong.join(", ")))
}

#[cfg(test)]
mod tests;
