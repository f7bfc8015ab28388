//! One name on the way down a path of Windows.

use std::io;

use super::bytes::shown;
use super::file::File;
use super::guard::{BUDGET, operation};
use super::{Found, Volume, metadata};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{Entry, EntryKind, LinkTarget, Names, Step};

impl Names for Volume {
    fn step(&self, folder: &EvidencePath, name: &str) -> io::Result<Option<Step>> {
        operation(BUDGET, || {
            let parent = self.locate(folder)?.file;
            if !parent.base.is_folder() {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            let Found { file, .. } = match self.find(&parent, name) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(error),
            };
            let name = self.long_name(&file, &parent, name);
            let (kind, target) = self.lead(&file)?;
            let entry = Entry { path: folder.child(&name), name, kind };
            Ok(Some(Step { entry, target }))
        })
    }
}

impl Volume {
    /// How a folder writes the name of a file in it that was found by some form of its name.
    fn long_name(&self, file: &File, folder: &File, name: &str) -> String {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        let here = || {
            metadata::names(file)
                .filter(|name| name.folder.record == folder.number() && !name.is_short())
        };
        let same = here().find(|name| self.upcase.same(&name.name, &wanted));
        let other = || here().find(super::file_name::FileName::is_long).or_else(|| here().next());
        same.or_else(other).map_or_else(|| name.to_owned(), |name| shown(&name.name))
    }

    /// What a file is to somebody on the way, and where it leads if it is a link.
    fn lead(&self, file: &File) -> io::Result<(EntryKind, Option<LinkTarget>)> {
        if let Some(reparse) = self.reparse(file)? {
            if reparse.is_link() {
                return Ok((EntryKind::Link, reparse.target()));
            }
            if reparse.is_special() {
                return Ok((EntryKind::Special, None));
            }
        }
        if file.base.is_folder() {
            return Ok((EntryKind::Folder, None));
        }
        Ok((EntryKind::File(metadata::size(file)), None))
    }
}
