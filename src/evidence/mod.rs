//! Collected evidence, opened for reading only.
//!
//! [`open`] turns the paths of a command line into one [`Evidence`] per host. This is the only module that
//! touches the examining machine's file system; it never writes, never follows a symbolic link below what was
//! given, and opens regular files only.

mod archive;
mod cache;
mod collection;
mod disk;
mod file_tree;
mod folder;
mod given;
mod host_path;
mod magic;
mod memory;
mod options;
mod path;
mod pattern;
mod source;
mod whereabouts;

use std::io::{self, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;

pub use archive::{ARCHIVES, ArchiveKind};
pub use collection::{LAYOUTS, Layout};
pub use file_tree::{Metadata, Storage, TimeSource, Times};
pub use magic::Magic;
pub use memory::open_files;
pub use options::{Limits, Options, ShadowCopies, recovery_password};
pub use path::EvidencePath;
pub use pattern::{Pattern, Place};
pub use whereabouts::{Extent, Whereabouts};

use collection::loose::{self, LooseFile};
use folder::Folder;
use given::{Given, SharedTree};

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

    /// The same among current files only: older states are not looked at.
    fn find_current(&self, wanted: &Pattern) -> Listing {
        let mut listing = self.find(wanted);
        listing.found.retain(|found| found.history.is_none());
        listing
    }

    /// The files in the same folder whose name is that file's name plus one of the suffixes, in any case; in
    /// the order of the suffixes.
    fn beside(&self, path: &EvidencePath, suffixes: &[&str]) -> Listing;

    /// The bytes of a file.
    ///
    /// # Errors
    /// What the operating system or the container says; links and special files are refused.
    fn open(&self, path: &EvidencePath) -> io::Result<Box<dyn Content>>;

    /// What is known about a file besides its bytes. A path here may end in `:stream`.
    ///
    /// # Errors
    /// As [`Evidence::open`].
    fn metadata(&self, path: &EvidencePath) -> io::Result<Metadata>;

    /// Records of deleted files that bear one of the names, in any case, where the evidence has a file system: one
    /// pass over all file records, in their order.
    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        let _ = names;
        Vec::new()
    }

    /// How much of the host's file system it holds.
    fn extent(&self) -> Extent {
        Extent::Loose
    }

    /// Where a full path of the host (`C:\Windows\System32\x.exe`, `\\?\C:\…`) leads, the way Windows goes;
    /// `system_root` is the Windows folder on the host. Older states are not searched.
    fn look_up(&self, path: &str, system_root: &str) -> Whereabouts {
        let _ = (path, system_root);
        Whereabouts::NotCollected("the evidence is files without their places".to_owned())
    }

    /// The self-relative security descriptor of a file or folder; absent where the evidence has none.
    ///
    /// # Errors
    /// As [`Evidence::open`], and where the descriptor is lost.
    fn security_descriptor(&self, path: &EvidencePath) -> io::Result<Option<Vec<u8>>> {
        let _ = path;
        Ok(None)
    }

    /// When the names of the files were given (`$FILE_NAME`) whose NTFS records are next to a file's, at most `reach`
    /// to each side, in the order of their records. Free records are left out.
    fn neighbors(&self, path: &EvidencePath, reach: u64) -> Vec<jiff::Timestamp> {
        let _ = (path, reach);
        Vec::new()
    }

    /// What was wrong with files that were opened so far and could be read all the same, sorted: members that
    /// are damaged in their archive.
    fn damage(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// What a collector wrote down about the bytes of a file it copied.
    fn recorded_hash(&self, path: &EvidencePath) -> Option<&RecordedHash> {
        let _ = path;
        None
    }
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
    /// The archives and disk images it lies in, from outside in: `disk image (E01), 2 segments`.
    pub containers: Vec<String>,
    /// The partitions of the disk image, in the order of their offsets; the one read is marked.
    pub partitions: Vec<Partition>,
    /// The volume shadow copies of the volume, oldest first.
    pub shadow_copies: Vec<ShadowCopy>,
    /// The host's name, where the collector wrote it down.
    pub host_name: Option<HostName>,
    /// The Windows folders: the current one, then older states. Empty for loose files.
    pub windows: Vec<WindowsFolder>,
    /// What the layout itself makes worth saying.
    pub diagnostics: Vec<Diagnostic>,
}

/// A part of a disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partition {
    /// Its number, counted from 1 in the order of its table; 0 for a volume without a partition table.
    pub number: usize,
    /// Where it begins, in bytes.
    pub start: u64,
    /// Its size in bytes.
    pub size: u64,
    /// What the partition table says: `GPT "Basic data partition"`, `MBR type 0x07`.
    pub table: String,
    /// What its first bytes say: `NTFS`, `BitLocker`, `FAT32`.
    pub content: String,
    /// Whether this host was read from it.
    pub is_read: bool,
}

/// A volume shadow copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowCopy {
    /// Its number, counted from 1, oldest first.
    pub number: usize,
    /// Its identifier (a GUID), as `vssadmin list shadows` prints it.
    pub id: String,
    /// When it was taken, UTC.
    pub created: Option<jiff::Timestamp>,
    /// Whether it is read as an older state of the host.
    pub is_read: bool,
}

/// A host's name and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostName {
    /// The name.
    pub name: String,
    /// Who says so: `client_info.json`.
    pub source: String,
}

/// What a collector wrote down about the bytes of a file when it copied it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordedHash {
    /// The record: `2026-01-02T03_04_05_KapeTriage_copylog.csv`.
    pub source: String,
    /// SHA-256 in lower-case hexadecimal digits.
    pub sha256: Option<String>,
    /// SHA-1 in lower-case hexadecimal digits.
    pub sha1: Option<String>,
    /// MD5 in lower-case hexadecimal digits.
    pub md5: Option<String>,
}

/// A Windows folder inside evidence.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WindowsFolder {
    /// Absent for the current one; else the label of the older state.
    pub history: Option<String>,
    /// Where it is.
    pub path: EvidencePath,
}

/// A form in which evidence is handed over, in words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// `disk image`, `archive` or `layout`.
    pub group: &'static str,
    /// What it is.
    pub name: &'static str,
    /// What it is known by.
    pub known_by: &'static str,
}

/// Every form of evidence that is opened, in the order in which the forms of a group are tried.
pub fn formats() -> Vec<Format> {
    let containers = disk::CONTAINERS.iter().map(|one| ("disk image", one.name, one.known_by));
    let archives = ARCHIVES.iter().map(|one| ("archive", one.name, one.known_by));
    let layouts = LAYOUTS.iter().chain(collection::LOOSE_LAYOUTS);
    let layouts = layouts.map(|one| ("layout", one.name, one.known_by));
    containers
        .chain(archives)
        .chain(layouts)
        .map(|(group, name, known_by)| Format { group, name, known_by })
        .collect()
}

/// What a format makes of a file or tree.
enum Taken {
    /// Not this format.
    No,
    /// The hosts in it.
    Hosts(Vec<Box<dyn Evidence>>),
    /// Volumes that hold no host: there is nothing to scan, but files on them can be looked at.
    Bare {
        /// The volumes.
        volumes: Vec<Box<dyn Evidence>>,
        /// What they are, and that nothing on them is read.
        refusal: Error,
    },
}

/// The evidence of a command line.
#[derive(Default)]
pub struct Opened {
    /// One per host: loose files together first, the others in the order given.
    pub hosts: Vec<Box<dyn Evidence>>,
    /// Volumes of disk images without Windows, hives and logs; each of their images is an error as well.
    pub bare: Vec<Box<dyn Evidence>>,
    /// Paths that gave nothing.
    pub errors: Vec<Error>,
}

/// Opens what was given. A path that cannot be used is an error of its own and costs nothing else.
pub fn open(paths: &[PathBuf], options: &Options) -> Opened {
    let mut opened = Opened::default();
    let mut files = Vec::new();
    for path in paths {
        match open_one(path, options, &mut files) {
            Ok(Taken::Hosts(hosts)) => opened.hosts.extend(hosts),
            Ok(Taken::Bare { volumes, refusal }) => {
                opened.bare.extend(volumes);
                opened.errors.push(refusal);
            }
            Ok(Taken::No) => {}
            Err(error) => opened.errors.push(error),
        }
    }
    if !files.is_empty() {
        opened.hosts.insert(0, Box::new(loose::Loose::files(files)));
    }
    opened
}

/// Opens one path of the command line. Loose files are put aside: all of them are one host.
fn open_one(path: &Path, options: &Options, files: &mut Vec<LooseFile>) -> Result<Taken, Error> {
    let about = Description { path: shown(path), ..Description::default() };
    let unsupported = |found: String| Error::Unsupported { path: path.to_owned(), found };
    if folder::is_folder(path)? {
        let tree: SharedTree = Arc::new(Folder::new(path));
        return match collection::open(&tree, &about, options)? {
            Taken::No => Err(unsupported(
                "a folder without a Windows tree, registry hive or event log".into(),
            )),
            taken => Ok(taken),
        };
    }
    let (folder, name) = folder::split_given(path)?;
    let given = Given { shown: about.path.clone(), tree: Arc::new(folder), path: name, depth: 0 };
    let failed = |source| Error::Open { path: path.to_owned(), source };
    if let Some(file) = loose::open_file(&given).map_err(failed)? {
        files.push(file);
        return Ok(Taken::No);
    }
    if let Some(inside) = archive::open_single(&given, options)?
        && let Some(file) = loose::open_file(&inside).map_err(failed)?
    {
        files.push(file);
        return Ok(Taken::No);
    }
    match open_given(&given, about, options)? {
        Taken::No => {
            let source = given.open().map_err(failed)?;
            Err(unsupported(magic::words(source.as_ref()).map_err(failed)?))
        }
        taken => Ok(taken),
    }
}

/// The hosts in a file of any kind. `about` says how it was reached.
fn open_given(given: &Given, about: Description, options: &Options) -> Result<Taken, Error> {
    let failed = |source| Error::Open { path: PathBuf::from(&given.shown), source };
    let source = given.open().map_err(failed)?;
    if disk::is_image_in_archive(given, Arc::clone(&source)).map_err(failed)? {
        return disk::open(given, source, &about, options);
    }
    let Some(archive) = archive::open(given, options)? else {
        // A hive or log is no disk image, whatever its bytes hold further on.
        if let Some(file) = loose::open_file(given).map_err(failed)? {
            return Ok(Taken::Hosts(vec![Box::new(loose::Loose::files(vec![file]))]));
        }
        return disk::open(given, source, &about, options);
    };
    let mut about = about;
    about.containers.push(archive.words);
    about.diagnostics.extend(archive.diagnostics);
    let opened = given.path.to_string();
    about.diagnostics.extend(given.tree.damage().into_iter().filter(|one| one.artifact == opened));
    collection::open(&archive.tree, &about, options)
}

/// A path of the examining machine with `/` between components, for reports.
fn shown(path: &Path) -> String {
    let text = path.to_string_lossy();
    let text = if cfg!(windows) { text.replace('\\', "/") } else { text.into_owned() };
    let trimmed = text.trim_end_matches('/');
    if trimmed.is_empty() { text } else { trimmed.to_owned() }
}
