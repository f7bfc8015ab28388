//! The files behind services: found the way Windows finds them, read once, checked.
//!
//! Which files matter is known only when services are joined, so this is read after the artifacts of [`super::CATALOG`].

mod access;
mod content;
mod deleted;
mod digest;
mod entropy;
mod executable;
mod kind;
mod reading;
mod record;
mod resolve;
mod vouching;
mod zone;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rayon::iter::{IntoParallelRefMutIterator, ParallelIterator};

use self::resolve::Resolved;
use super::Progress;
use super::hash_list::{self, HashLists};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, EvidencePath, Extent};
use crate::host::program_file::{FileState, Owner, ProgramFile, Purpose, ServiceFile, Wanted};
use crate::host::{Citation, Coverage, Host, Origin, Place, Provenance, Span, State};

/// Which files are read to their end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Hashing {
    /// None: whether they are there, and what the file system says.
    None,
    /// Those of services whose configuration or events already gave a reason.
    Suspicious,
    /// All.
    #[default]
    All,
}

impl Hashing {
    /// The word of the command line.
    pub const fn label(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Suspicious => "suspicious",
            Self::All => "all",
        }
    }
}

/// How files are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOptions {
    /// Which are read to their end.
    pub hashing: Hashing,
    /// Files larger than this are not read, in bytes; that is reported.
    pub largest: u64,
}

impl Default for FileOptions {
    fn default() -> Self {
        Self { hashing: Hashing::All, largest: 512 << 20 }
    }
}

/// What became of the files that were asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Programs {
    /// Every file once, sorted by path.
    pub files: Vec<ProgramFile>,
    /// One for each that was asked for, in that order.
    pub links: Vec<ServiceFile>,
    /// What went wrong, sorted.
    pub diagnostics: Vec<Diagnostic>,
}

/// Finds and reads the files that a host's services need, on the threads of the current rayon pool, and records in `coverage`
/// how far the file system and the catalogs could answer. `is_read` says whose files are read to their end.
///
/// The result is the same for any number of threads.
pub fn read(
    evidence: &dyn Evidence,
    host: &Host,
    wanted: &[Wanted],
    options: &FileOptions,
    is_read: &(dyn Fn(Owner) -> bool + Sync),
    progress: &dyn Progress,
    coverage: &mut Coverage,
) -> Programs {
    let extent = evidence.extent();
    if extent == Extent::Loose {
        return Programs::default();
    }
    let Resolved { mut files, links } = resolve::resolve(evidence, host, wanted);
    let mut diagnostics = each(&mut files, |file| record::read(evidence, file));
    cover(extent, &files, &links, coverage);
    let chosen = chosen(wanted, &links, files.len(), is_read);
    let names = deleted::names(&files, &links);
    let contents = reading::Reading { evidence, options, progress };
    // Both read much: the whole $MFT, and every file.
    let (deleted, tables) = rayon::join(
        || deleted::find(evidence, &names),
        || contents.read(&mut files, &chosen, &mut diagnostics),
    );
    vouching::check_all(evidence, &mut files, &tables, coverage, &mut diagnostics);
    deleted::attach(&mut files, &deleted);
    diagnostics.sort();
    diagnostics.dedup();
    Programs { files, links, diagnostics }
}

/// Reads one file of the evidence, whatever needs it: what the file system says of it, its bytes, who vouches for them, the
/// project's lists that hold it; and what went wrong.
pub fn read_file(evidence: &dyn Evidence, path: &EvidencePath) -> (ProgramFile, Vec<Diagnostic>) {
    let citation =
        Citation { artifact: path.shared(), place: Place::File, provenance: Provenance::Live };
    let mut files = vec![ProgramFile::at(path.as_str(), FileState::Present, citation.clone())];
    let mut diagnostics = each(&mut files, |file| record::read(evidence, file));
    let options = &FileOptions { hashing: Hashing::All, largest: u64::MAX };
    let contents = reading::Reading { evidence, options, progress: &() };
    let tables = contents.read(&mut files, &[true], &mut diagnostics);
    let mut coverage = Coverage::default();
    vouching::check_all(evidence, &mut files, &tables, &mut coverage, &mut diagnostics);
    hash_list::mark(&mut files, &HashLists::default(), &mut coverage);
    let nothing = || ProgramFile::at(path.as_str(), FileState::Unreadable, citation);
    (files.pop().unwrap_or_else(nothing), diagnostics)
}

/// Which files are read to their end: those of services that are, whatever other services share them.
fn chosen(
    wanted: &[Wanted],
    links: &[ServiceFile],
    count: usize,
    is_read: &(dyn Fn(Owner) -> bool + Sync),
) -> Vec<bool> {
    let mut chosen = vec![false; count];
    let read = wanted.iter().zip(links).filter(|(wanted, _)| is_read(wanted.owner));
    for file in read.flat_map(|(_, link)| [Some(link.file), link.meant]).flatten() {
        if let Some(slot) = chosen.get_mut(file) {
            *slot = true;
        }
    }
    chosen
}

/// Runs one stage over all files; what went wrong, in the order of the files.
fn each(
    files: &mut [ProgramFile],
    stage: impl Fn(&mut ProgramFile) -> Vec<Diagnostic> + Sync,
) -> Vec<Diagnostic> {
    files.par_iter_mut().map(|file| fused(file, &stage)).flatten_iter().collect()
}

/// The fuse: a panic over hostile bytes is a fault of this program and costs one stage of one file.
fn fused(
    file: &mut ProgramFile,
    stage: impl FnOnce(&mut ProgramFile) -> Vec<Diagnostic>,
) -> Vec<Diagnostic> {
    let before = file.clone();
    catch_unwind(AssertUnwindSafe(|| stage(file))).unwrap_or_else(|panic| {
        let words = super::words(panic.as_ref());
        *file = before;
        vec![Diagnostic {
            artifact: file.citation.artifact.to_string(),
            impact: Impact::Partial,
            message: format!("reading it failed, a fault of this program: {words}"),
        }]
    })
}

/// Records how far the evidence could say whether files are there.
fn cover(extent: Extent, files: &[ProgramFile], links: &[ServiceFile], coverage: &mut Coverage) {
    // What should be missing is no missing file.
    let phantoms = links.iter().filter(|link| matches!(link.purpose, Purpose::Phantom(_)));
    let phantoms: BTreeSet<usize> = phantoms.map(|link| link.file).collect();
    let files: Vec<&ProgramFile> = (0..)
        .zip(files)
        .filter(|(at, file)| file.state == FileState::Present || !phantoms.contains(at))
        .map(|(_, file)| file)
        .collect();
    let count = |state: FileState| files.iter().filter(|file| file.state == state).count();
    let (present, missing) = (count(FileState::Present), count(FileState::Missing));
    let state = match extent {
        Extent::Whole if count(FileState::Unreadable) > 0 => State::Partial,
        Extent::Whole => State::Complete,
        Extent::Collected if present > 0 => State::Partial,
        Extent::Collected | Extent::Loose => return,
    };
    let note = format!(
        "{} files behind services: {present} present, {missing} missing, {} not in the evidence",
        files.len(),
        count(FileState::NotCollected)
    );
    let span = Span { state, from: None, to: None, notes: vec![note] };
    coverage.record(Origin::FileSystem, span);
}
