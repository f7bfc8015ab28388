//! Collected evidence, opened for reading only.
//!
//! [`open`] turns the paths of a command line into one [`Evidence`] per host. This is the only module that
//! touches the examining machine's file system; it never writes, never follows a symbolic link below what was
//! given, and opens regular files only.

mod folder;
mod layout;
mod loose;
mod magic;
mod path;
mod pattern;
mod tree;

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};

pub use magic::Magic;
pub use path::EvidencePath;
pub use pattern::{Pattern, Place};

use crate::diagnostic::Diagnostic;
use crate::error::Error;

/// One host's evidence: where artifacts are, and their bytes.
///
/// The one trait of the pipeline, because only here does behavior with state behind it vary at run time:
/// folders, loose files, archives and volumes of disk images.
pub trait Evidence: Send + Sync {
    /// What was given and how it was understood.
    fn describe(&self) -> &Description;

    /// Every file that fits: by its place in a Windows tree, by content where there is none. Current files
    /// first, then by path.
    fn find(&self, wanted: &Pattern) -> Listing;

    /// The files in the same folder whose name is that file's name plus one of the suffixes, in any case; in
    /// the order of the suffixes.
    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing;

    /// The bytes of a file.
    ///
    /// # Errors
    /// What the operating system or the container says; links and special files are refused.
    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>>;
}

/// The bytes of one file: streamed, so that a log of gigabytes needs no such memory.
pub trait Content: Read + Seek + Send {}

impl<T: Read + Seek + Send> Content for T {}

/// A file that was looked for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Found {
    /// Absent for the current file; else which older state it belongs to: `RegBack`, `Windows.old`.
    pub history: Option<String>,
    /// Where it is.
    pub path: EvidencePath,
    /// Its size in bytes.
    pub size: u64,
    /// What its first bytes say; absent where they say nothing known.
    pub magic: Option<Magic>,
}

/// The answer to a search, and what stood in its way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The files.
    pub found: Vec<Found>,
    /// Folders and files that could not be looked at.
    pub diagnostics: Vec<Diagnostic>,
}

/// What was given and how it was understood.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Description {
    /// The path as it was given, with `/` between components.
    pub path: String,
    /// The layout in words: `Windows folder tree`.
    pub format: &'static str,
    /// The Windows folders: the current one, then older states. Empty for loose files.
    pub windows: Vec<WindowsFolder>,
    /// What the layout itself makes worth saying.
    pub diagnostics: Vec<Diagnostic>,
}

/// A Windows folder inside evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowsFolder {
    /// Absent for the current one; else the label of the older state.
    pub history: Option<String>,
    /// Where it is.
    pub path: EvidencePath,
}

/// A form in which evidence is handed over.
pub struct Format {
    /// What it is, for help texts and documentation.
    pub name: &'static str,
    /// What it is known by.
    pub known_by: &'static str,
    open: fn(&Path) -> Result<Taken, Error>,
}

/// The formats in the order in which they are tried; the first that takes a path has it.
pub const FORMATS: &[Format] = &[tree::FORMAT, loose::FOLDER_FORMAT, loose::FILE_FORMAT];

/// What a format makes of a path.
enum Taken {
    /// Not this format.
    No,
    /// The hosts in it.
    Hosts(Vec<Box<dyn Evidence>>),
    /// A loose file, one host together with all others of the command line.
    LooseFile(loose::LooseFile),
}

/// The evidence of a command line.
#[derive(Default)]
pub struct Opened {
    /// One per host: loose files together first, the others in the order given.
    pub hosts: Vec<Box<dyn Evidence>>,
    /// Paths that gave nothing.
    pub errors: Vec<Error>,
}

/// Opens what was given. A path that cannot be used is an error of its own and costs nothing else.
pub fn open(paths: &[PathBuf]) -> Opened {
    let mut opened = Opened::default();
    let mut files = Vec::new();
    for path in paths {
        match open_one(path) {
            Ok(Taken::Hosts(hosts)) => opened.hosts.extend(hosts),
            Ok(Taken::LooseFile(file)) => files.push(file),
            Ok(Taken::No) => {}
            Err(error) => opened.errors.push(error),
        }
    }
    if !files.is_empty() {
        opened.hosts.insert(0, Box::new(loose::Loose::files(files)));
    }
    opened
}

fn open_one(path: &Path) -> Result<Taken, Error> {
    for format in FORMATS {
        match (format.open)(path)? {
            Taken::No => {}
            taken => return Ok(taken),
        }
    }
    let found = folder::what_is(path)?;
    Err(Error::Unsupported { path: path.to_owned(), found })
}

/// A path of the examining machine with `/` between components, for reports.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    let trimmed = text.trim_end_matches('/');
    if trimmed.is_empty() { text } else { trimmed.to_owned() }
}
