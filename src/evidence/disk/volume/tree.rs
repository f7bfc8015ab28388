//! The volume as a tree of files.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;

use super::bytes::shown;
use super::file::File;
use super::file_name::FileName;
use super::guard::{BUDGET, guarded, operation};
use super::index::{Index, IndexEntry};
use super::metadata;
use super::overlay::{self, Overlay};
use super::record::{DATA, FILE_NAME};
use super::reparse::{OVERLAY, Reparse};
use super::stream::Stream;
use super::{Found, Volume, deleted, file_name};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{
    Contents, Entry, EntryKind, FileTree, Metadata, Names, TimeSource, unreadable,
};
use crate::evidence::source::{MemorySource, SharedSource};

impl FileTree for Volume {
    fn list(&self, folder: &EvidencePath) -> Contents {
        operation(BUDGET, || self.list_folder(folder)).unwrap_or_else(|error| Contents {
            entries: Vec::new(),
            diagnostics: vec![unreadable(folder, &error)],
        })
    }

    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        operation(BUDGET, || {
            let found = self.locate(file)?;
            match &found.stream {
                Some(name) => self.named(&found.file, name)?.open(&self.source),
                None => self.content(&found.file),
            }
        })
    }

    fn metadata(&self, file: &EvidencePath) -> io::Result<Metadata> {
        operation(BUDGET, || {
            let found = self.locate(file)?;
            let mut metadata = metadata::of(self, &found.file);
            let Found { file, index_times, stream } = found;
            metadata
                .times
                .extend(index_times.map(|times| file_name::times(times, TimeSource::Index)));
            if let Some(name) = stream {
                let stream = self.named(&file, &name)?;
                metadata.size = stream.size;
                metadata.storage = stream.storage();
            }
            Ok(metadata)
        })
    }

    fn names(&self) -> Option<&dyn Names> {
        Some(self)
    }

    fn security_descriptor(&self, file: &EvidencePath) -> io::Result<Option<Vec<u8>>> {
        operation(BUDGET, || {
            let found = self.locate(file)?;
            self.descriptor(&found.file)
        })
    }

    fn neighbors(&self, file: &EvidencePath, reach: u64) -> Vec<Timestamp> {
        let found = operation(BUDGET, || {
            let own = self.locate(file)?.file.number();
            let first = own.saturating_sub(reach).max(metadata::FIRST_FILE);
            let near = (first..=own.saturating_add(reach)).filter(|number| *number != own);
            Ok(near.filter_map(|number| self.named_at(number)).collect())
        });
        found.unwrap_or_default()
    }

    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        let budget = BUDGET.saturating_add(self.mft.size.saturating_mul(2));
        let files = operation(budget, || {
            let numbers = deleted::find(&self.mft, &self.upcase, names).into_iter();
            let files = numbers
                .filter_map(|number| guarded(|| Ok(metadata::of(self, &self.read(number)?))).ok());
            Ok(files.filter(|file| file.is_deleted).collect())
        });
        files.unwrap_or_default()
    }
}

impl Volume {
    /// When a file got its name, by the number of its record; absent for free records and those that extend others.
    fn named_at(&self, number: u64) -> Option<Timestamp> {
        let record = self.mft.record(number).ok()?;
        let is_file = record.is_in_use() && record.base().record == 0 && !record.is_folder();
        let mut names = record.attributes().filter(|attribute| attribute.kind == FILE_NAME);
        let name = names.find_map(|name| FileName::parse(name.value()?)).filter(|_| is_file)?;
        name.times(TimeSource::Index).created
    }

    fn list_folder(&self, path: &EvidencePath) -> io::Result<Contents> {
        let found = self.locate(path)?;
        if !found.file.base.is_folder() || found.stream.is_some() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if self.reparse(&found.file)?.is_some_and(|reparse| reparse.is_link()) {
            return Err(io::Error::other("a link, which may lead out of the evidence"));
        }
        let index = Index::read(&self.source, &found.file, self.cluster())?;
        let mut contents = Contents::default();
        contents.diagnostics.extend(index.damage.into_iter().map(|damage| Diagnostic {
            artifact: path.to_string(),
            impact: Impact::Partial,
            message: format!("the folder's index is damaged: {damage}"),
        }));
        for entry in &index.entries {
            let name = shown(&entry.key.name);
            // The root has itself as an entry.
            if entry.key.is_short() || name == "." || name == ".." {
                continue;
            }
            let path = path.child(&name);
            // What the file system keeps for itself need not have an unnamed stream.
            let is_metafile =
                entry.file.record < metadata::FIRST_FILE || found.file.number() == metadata::EXTEND;
            match self.kind(entry) {
                Ok(EntryKind::File(_)) if is_metafile => {
                    contents.entries.push(Entry { path, name, kind: EntryKind::Special });
                }
                Ok(kind) => contents.entries.push(Entry { path, name, kind }),
                Err(error) => contents.diagnostics.push(unreadable(&path, &error)),
            }
        }
        contents.entries.sort_by(|left, right| left.path.cmp(&right.path));
        contents.entries.dedup();
        Ok(contents)
    }

    /// What an entry is. Only reparse points need a look at the file itself.
    fn kind(&self, entry: &IndexEntry) -> io::Result<EntryKind> {
        let key = &entry.key;
        if key.is_reparse_point() && key.tag != OVERLAY {
            let file = self.follow(entry.file)?;
            if let Some(reparse) = self.reparse(&file)? {
                if reparse.is_link() {
                    return Ok(EntryKind::Link);
                }
                if reparse.is_special() {
                    return Ok(EntryKind::Special);
                }
            }
        }
        Ok(if key.is_folder() { EntryKind::Folder } else { EntryKind::File(key.size) })
    }

    /// A file's alternate data stream, as it is stored.
    fn named(&self, file: &File, name: &str) -> io::Result<Stream> {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        let is_exact = |name: &[u16]| name == wanted;
        let is_same = |name: &[u16]| !name.is_empty() && self.upcase.same(name, &wanted);
        match file.stream(DATA, is_exact, self.cluster()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                file.stream(DATA, is_same, self.cluster())
            }
            found => found,
        }
    }

    /// A file's content: what a program reads that opens it.
    fn content(&self, file: &File) -> io::Result<SharedSource> {
        if file.base.is_folder() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let reparse = self.reparse(file)?;
        let algorithm = reparse.as_ref().map(Reparse::algorithm).transpose()?.flatten();
        if let (Some(reparse), None) = (&reparse, algorithm) {
            let attributes = metadata::attributes(file).unwrap_or(u32::MAX);
            if let Some(obstacle) = reparse.obstacle(attributes) {
                return Err(io::Error::new(io::ErrorKind::Unsupported, obstacle));
            }
        }
        let unnamed = file.stream(DATA, <[u16]>::is_empty, self.cluster())?;
        let Some(algorithm) = algorithm else { return unnamed.open(&self.source) };
        if unnamed.size == 0 {
            return Ok(Arc::new(MemorySource(Vec::new())));
        }
        let packed = self.named(file, overlay::STREAM)?.open(&self.source)?;
        Ok(Arc::new(Overlay::new(packed, unnamed.size, algorithm)))
    }
}
