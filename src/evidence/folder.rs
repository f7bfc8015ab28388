//! A folder of the examining machine: the only place that reads its file system.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use walkdir::{DirEntry, WalkDir};

use super::EvidencePath;
use super::magic::{Magic, Sniffed, sniff};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::text::same_name;

/// A folder that is evidence, or that evidence lies in.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    base: PathBuf,
}

/// Something in a folder.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    pub(super) path: EvidencePath,
    pub(super) kind: EntryKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A regular file and its size in bytes.
    File(u64),
    Folder,
    /// A symbolic link: it may lead out of the evidence.
    Link,
    /// A device, pipe or socket: opening one can block for ever.
    Special,
}

impl Entry {
    pub(super) fn name(&self) -> &str {
        self.path.name()
    }

    pub(super) fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }
}

/// What is in a folder, sorted by name, and what could not be listed.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) entries: Vec<Entry>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

impl Contents {
    pub(super) fn folders(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| entry.is_folder())
    }

    pub(super) fn folder(&self, name: &str) -> Option<&Entry> {
        self.folders().find(|entry| same_name(entry.name(), name))
    }
}

impl Folder {
    pub(super) fn new(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    /// The entries of a folder inside this one.
    pub(super) fn list(&self, path: &EvidencePath) -> Contents {
        self.walk(path, 1, usize::MAX)
    }

    /// The entries of a folder and of those below it, at most `depth` levels and `limit` entries.
    pub(super) fn walk(&self, path: &EvidencePath, depth: usize, limit: usize) -> Contents {
        let mut contents = Contents::default();
        let place = match self.locate(path) {
            Ok(place) => place,
            Err(error) => {
                contents.diagnostics.push(unreadable(path, &error));
                return contents;
            }
        };
        // A link is followed only where the examiner gave it on the command line.
        let is_given = path.as_str().is_empty();
        let walk = WalkDir::new(&place).follow_root_links(is_given).min_depth(1).max_depth(depth);
        let walk = walk.sort_by_file_name();
        for entry in walk {
            if contents.entries.len() >= limit {
                contents.diagnostics.push(Diagnostic {
                    artifact: path.to_string(),
                    impact: Impact::Partial,
                    message: format!(
                        "more than {limit} files and folders; the rest is not looked at"
                    ),
                });
                break;
            }
            match entry.map_err(|error| walk_error(path, &place, &error)).and_then(|entry| {
                let below = below(path, &place, entry.path());
                kind(&entry).map(|kind| (below.clone(), kind)).map_err(|e| unreadable(&below, &e))
            }) {
                Ok((path, kind)) => contents.entries.push(Entry { path, kind }),
                Err(diagnostic) => contents.diagnostics.push(diagnostic),
            }
        }
        contents
    }

    /// Opens a regular file for reading.
    #[expect(clippy::disallowed_methods, reason = "this is where evidence is opened, read-only")]
    pub(super) fn open(&self, path: &EvidencePath) -> io::Result<File> {
        let place = self.locate(path)?;
        if !place.symlink_metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        File::open(place)
    }

    pub(super) fn sniff(&self, path: &EvidencePath) -> Result<Option<Magic>, Diagnostic> {
        self.open(path)
            .and_then(sniff)
            .map(Sniffed::magic)
            .map_err(|error| unreadable(path, &error))
    }

    /// The path on this machine. A name that is no Unicode is shown with U+FFFD and so must be looked up.
    fn locate(&self, path: &EvidencePath) -> io::Result<PathBuf> {
        let mut place = self.base.clone();
        for name in path.components() {
            if !name.contains(char::REPLACEMENT_CHARACTER) {
                place.push(name);
                continue;
            }
            let entries = WalkDir::new(&place).min_depth(1).max_depth(1).sort_by_file_name();
            place = entries
                .into_iter()
                .filter_map(Result::ok)
                .find(|entry| entry.file_name().to_string_lossy() == name)
                .map(DirEntry::into_path)
                .ok_or(io::ErrorKind::NotFound)?;
        }
        Ok(place)
    }
}

fn kind(entry: &DirEntry) -> io::Result<EntryKind> {
    let file_type = entry.file_type();
    Ok(if file_type.is_dir() {
        EntryKind::Folder
    } else if file_type.is_symlink() {
        EntryKind::Link
    } else if file_type.is_file() {
        EntryKind::File(entry.metadata()?.len())
    } else {
        EntryKind::Special
    })
}

/// The evidence path of something that was found below `folder`, which is `place` on this machine.
fn below(folder: &EvidencePath, place: &Path, found: &Path) -> EvidencePath {
    let rest = found.strip_prefix(place).unwrap_or(found);
    rest.components().fold(folder.clone(), |path, component| {
        path.child(&component.as_os_str().to_string_lossy())
    })
}

fn walk_error(folder: &EvidencePath, place: &Path, error: &walkdir::Error) -> Diagnostic {
    let path = error.path().map_or_else(|| folder.clone(), |path| below(folder, place, path));
    let message = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
    Diagnostic {
        artifact: path.to_string(),
        impact: Impact::Partial,
        message: format!("the folder cannot be read: {message}"),
    }
}

fn unreadable(path: &EvidencePath, error: &io::Error) -> Diagnostic {
    Diagnostic {
        artifact: path.to_string(),
        impact: Impact::Lost,
        message: format!("cannot be read: {error}"),
    }
}

/// Whether a path of the command line is a folder; links are followed here, for the examiner chose them.
pub(super) fn is_folder(path: &Path) -> Result<bool, Error> {
    let metadata = path.metadata();
    let metadata = metadata.map_err(|source| Error::Open { path: path.to_owned(), source })?;
    Ok(metadata.is_dir())
}

/// What a file of the command line is by its first bytes, with its size.
#[expect(clippy::disallowed_methods, reason = "this is where evidence is opened, read-only")]
pub(super) fn sniff_given(path: &Path) -> Result<(Sniffed, u64), Error> {
    let open = || {
        let metadata = path.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok((sniff(File::open(path)?)?, metadata.len()))
    };
    open().map_err(|source| Error::Open { path: path.to_owned(), source })
}

/// The real place of a given file: the folder it is in, and its name there.
pub(super) fn split_given(path: &Path) -> Result<(Folder, EvidencePath), Error> {
    let open = |source| Error::Open { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(open)?;
    let parent = real.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok((Folder { base: parent }, EvidencePath::new(&name.unwrap_or_default())))
}

/// What a path is that no format took, for the error message.
pub(super) fn what_is(path: &Path) -> Result<String, Error> {
    if is_folder(path)? {
        return Ok("a folder without a Windows tree, registry hive or event log".into());
    }
    Ok(match sniff_given(path)? {
        (Sniffed::Foreign(words), _) => words.into(),
        (Sniffed::Known(magic), _) => format!("a {}", magic.label()),
        (Sniffed::Unknown, 0) => "an empty file".into(),
        (Sniffed::Unknown, _) => "a file that is none of these".into(),
    })
}
