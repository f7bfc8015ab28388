//! A folder of the examining machine: the only place that reads its file system.

use std::fs::File;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use walkdir::{DirEntry, WalkDir};

use super::EvidencePath;
use super::file_tree::{Contents, Entry, EntryKind, FileTree, unreadable};
use super::source::{FileSource, SharedSource};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;

/// A folder that is evidence, or that evidence lies in.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    base: PathBuf,
}

impl Folder {
    pub(super) fn new(base: &Path) -> Self {
        Self { base: base.to_owned() }
    }

    /// The path on this machine. A name that is no Unicode is shown with U+FFFD and so must be looked up.
    ///
    /// Collectors' own records name files too, so a path may be an attacker's: it must not lead out of here.
    fn locate(&self, path: &EvidencePath) -> io::Result<PathBuf> {
        let mut place = self.base.clone();
        for (depth, name) in path.components().enumerate() {
            if depth > 0 && place.symlink_metadata()?.is_symlink() {
                return Err(io::Error::other("leads through a symbolic link"));
            }
            let mut parts = Path::new(name).components();
            if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
                return Err(io::Error::other("leads out of the evidence"));
            }
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

impl FileTree for Folder {
    fn list(&self, folder: &EvidencePath) -> Contents {
        let mut contents = Contents::default();
        let place = match self.locate(folder) {
            Ok(place) => place,
            Err(error) => {
                contents.diagnostics.push(unreadable(folder, &error));
                return contents;
            }
        };
        // A link is followed only where the examiner gave it on the command line.
        let is_given = folder.as_str().is_empty();
        let walk = WalkDir::new(&place).follow_root_links(is_given).min_depth(1).max_depth(1);
        for entry in walk.sort_by_file_name() {
            match entry.map_err(|error| walk_error(folder, &place, &error)).and_then(|entry| {
                let below = below(folder, &place, entry.path());
                kind(&entry).map(|kind| (below.clone(), kind)).map_err(|e| unreadable(&below, &e))
            }) {
                Ok((path, kind)) => contents.entries.push(Entry::new(path, kind)),
                Err(diagnostic) => contents.diagnostics.push(diagnostic),
            }
        }
        contents
    }

    #[expect(clippy::disallowed_methods, reason = "this is where evidence is opened, read-only")]
    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        let place = self.locate(file)?;
        if !place.symlink_metadata()?.is_file() {
            return Err(io::Error::other("not a regular file"));
        }
        Ok(Arc::new(FileSource::new(File::open(place)?)?))
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

/// Whether a path of the command line is a folder; links are followed here, for the examiner chose them.
pub(super) fn is_folder(path: &Path) -> Result<bool, Error> {
    let metadata = path.metadata();
    let metadata = metadata.map_err(|source| Error::Open { path: path.to_owned(), source })?;
    Ok(metadata.is_dir())
}

/// The real place of a given file: the folder it is in, and its name there.
pub(super) fn split_given(path: &Path) -> Result<(Folder, EvidencePath), Error> {
    let open = |source| Error::Open { path: path.to_owned(), source };
    let real = path.canonicalize().map_err(open)?;
    let parent = real.parent().map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    let name = real.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok((Folder { base: parent }, EvidencePath::new(&name.unwrap_or_default())))
}
