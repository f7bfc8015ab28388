//! Folders and files, wherever they are kept: on the examining machine, in a volume, in an archive.

use std::io;

use jiff::Timestamp;

use super::magic::Sniffed;
use super::source::SharedSource;
use super::{EvidencePath, Magic};
use crate::diagnostic::{Diagnostic, Impact};
use crate::text::same_name;

/// A tree of folders and files that is evidence.
pub(super) trait FileTree: Send + Sync {
    /// The entries of a folder, sorted by path, and what could not be listed.
    fn list(&self, folder: &EvidencePath) -> Contents;

    /// The bytes of a file. `name:stream` in the last component asks for an alternate data stream, where the
    /// tree has such.
    ///
    /// # Errors
    /// What the operating system or the container says; links and special files are refused.
    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource>;

    /// The entries of the folder that a file was found in.
    fn siblings(&self, file: &EvidencePath) -> Contents {
        self.list(&file.split().0)
    }

    /// What the tree knows about a file besides its bytes.
    ///
    /// # Errors
    /// As [`FileTree::open`].
    fn metadata(&self, file: &EvidencePath) -> io::Result<Metadata> {
        Ok(Metadata { size: self.open(file)?.size(), ..Metadata::default() })
    }

    /// Records of deleted files that bear one of the names, in any case, in the order of their record numbers.
    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        let _ = names;
        Vec::new()
    }

    /// What the first bytes of a file say, and its size in bytes.
    ///
    /// # Errors
    /// As [`FileTree::open`].
    fn examine(&self, file: &EvidencePath) -> io::Result<(Sniffed, u64)> {
        let source = self.open(file)?;
        Ok((super::magic::sniff(source.as_ref())?, source.size()))
    }

    /// Whether a file is read, by its first bytes, and its size in bytes.
    fn sniff(&self, file: &EvidencePath) -> Result<(Option<Magic>, u64), Diagnostic> {
        let examined = self.examine(file);
        let examined = examined.map(|(sniffed, size)| (sniffed.magic(), size));
        examined.map_err(|error| unreadable(file, &error))
    }

    /// What was wrong with files that were opened so far and could be read all the same, sorted.
    fn damage(&self) -> Vec<Diagnostic> {
        Vec::new()
    }

    /// The names of its folders, where the tree is a file system that looks them up itself.
    fn names(&self) -> Option<&dyn Names> {
        None
    }

    /// The roots of the other volumes of the same disk, which are not listed in this tree's root.
    fn other_volumes(&self) -> Vec<EvidencePath> {
        Vec::new()
    }

    /// The self-relative security descriptor of a file or folder; absent where the tree has none.
    ///
    /// # Errors
    /// As [`FileTree::open`], and where the descriptor is lost.
    fn security_descriptor(&self, file: &EvidencePath) -> io::Result<Option<Vec<u8>>> {
        let _ = file;
        Ok(None)
    }

    /// When the names of the files were given whose records are next to a file's, at most `reach` to each side, in
    /// the order of their records.
    fn neighbors(&self, file: &EvidencePath, reach: u64) -> Vec<Timestamp> {
        let _ = (file, reach);
        Vec::new()
    }
}

/// Names looked up in folders by a file system's own rules.
pub(super) trait Names: Send + Sync {
    /// What has that name in a folder, in any case, long or short (8.3).
    ///
    /// # Errors
    /// Where the folder cannot be read; where its index is damaged and the readable part lacks the name.
    fn step(&self, folder: &EvidencePath, name: &str) -> io::Result<Option<Step>>;
}

/// What a name in a folder leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    /// Its name is the long one.
    pub(super) entry: Entry,
    /// Where a link leads, as far as the tree knows.
    pub(super) target: Option<LinkTarget>,
}

/// Where a symbolic link or junction leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LinkTarget {
    /// As the link says, without `\??\`.
    pub(super) path: String,
    /// Whether it counts from the folder that the link is in.
    pub(super) is_relative: bool,
}

impl LinkTarget {
    /// The target's full path on the host; absent where it is on no drive (`Volume{…}`, a share).
    pub(super) fn on_host(&self, folder: &str) -> Option<String> {
        let path = match (self.is_relative, self.path.strip_prefix('\\')) {
            (true, Some(rest)) => format!(r"{}\{rest}", folder.get(..2)?),
            (true, None) => format!(r"{folder}\{}", self.path),
            (false, _) => self.path.clone(),
        };
        super::host_path::HostPath::parse(&path).map(|_| path)
    }
}

/// Something in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where it is, as this evidence stores it.
    pub(super) path: EvidencePath,
    /// Its name on the host it came from.
    pub(super) name: String,
    pub(super) kind: EntryKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    /// A regular file and its size in bytes, as far as its folder knows.
    File(u64),
    Folder,
    /// A symbolic link or junction: it may lead out of the evidence.
    Link,
    /// A device, pipe or socket: opening one can block for ever.
    Special,
}

impl Entry {
    /// An entry whose stored name is its own.
    pub(super) fn new(path: EvidencePath, kind: EntryKind) -> Self {
        Self { name: path.name().to_owned(), path, kind }
    }

    pub(super) fn is_folder(&self) -> bool {
        self.kind == EntryKind::Folder
    }
}

/// What is in a folder, and what could not be listed.
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
        self.folders().find(|entry| same_name(&entry.name, name))
    }

    /// The file of that name, in any case.
    pub(super) fn file(&self, name: &str) -> Option<&Entry> {
        self.entries
            .iter()
            .find(|entry| matches!(entry.kind, EntryKind::File(_)) && same_name(&entry.name, name))
    }
}

/// The entries below a folder, at most `depth` levels and `limit` entries; folders before what is in them.
pub(super) fn walk(
    tree: &dyn FileTree,
    folder: &EvidencePath,
    depth: usize,
    limit: usize,
) -> Contents {
    let mut all = Contents::default();
    let mut ahead = vec![(folder.clone(), depth)];
    while let Some((folder, depth)) = ahead.pop() {
        let contents = tree.list(&folder);
        all.diagnostics.extend(contents.diagnostics);
        for entry in contents.entries {
            if all.entries.len() >= limit {
                all.diagnostics.push(Diagnostic {
                    artifact: folder.to_string(),
                    impact: Impact::Partial,
                    message: format!(
                        "more than {limit} files and folders; the rest is not looked at"
                    ),
                });
                return all;
            }
            if entry.is_folder() && depth > 1 {
                ahead.push((entry.path.clone(), depth.saturating_sub(1)));
            }
            all.entries.push(entry);
        }
    }
    all
}

/// What a file system or a collector says about a file besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The names it has, each with its folder's record where known; several for hard links.
    pub names: Vec<String>,
    /// The size of its unnamed stream in bytes.
    pub size: u64,
    /// NTFS: the number of its file record.
    pub record: Option<u64>,
    /// Whether the file was deleted: its record is free and its bytes may be another's by now.
    pub is_deleted: bool,
    /// How its bytes are kept.
    pub storage: Storage,
    /// `FILE_ATTRIBUTE_*` (winnt.h).
    pub attributes: Option<u32>,
    /// NTFS: the number of its security descriptor in `$Secure`.
    pub security_id: Option<u32>,
    /// Every set of times known, in the order: standard information, names, index entry, collector.
    pub times: Vec<Times>,
    /// Alternate data streams: name and size in bytes, sorted by name.
    pub streams: Vec<(String, u64)>,
}

/// How a file's bytes are kept in its volume.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Storage {
    /// As they are.
    #[default]
    Plain,
    /// With holes.
    Sparse,
    /// NTFS compression (LZNT1).
    Lznt1,
    /// Compressed by the Windows Overlay Filter (CompactOS), with the name of its algorithm.
    Overlay(&'static str),
    /// In a WIM file elsewhere (WIMBoot): the bytes are not here.
    External,
    /// Encrypted (EFS): the bytes are here and cannot be read.
    Encrypted,
}

/// One set of a file's times. All are UTC with 100 ns resolution; absent where zero or out of range.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Times {
    /// Who says so.
    pub source: TimeSource,
    /// When the file was created.
    pub created: Option<Timestamp>,
    /// When its bytes were last changed.
    pub modified: Option<Timestamp>,
    /// When its record was last changed.
    pub changed: Option<Timestamp>,
    /// When it was last read.
    pub accessed: Option<Timestamp>,
}

/// Who says when something happened to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeSource {
    /// `$STANDARD_INFORMATION`: what programs can set.
    StandardInformation,
    /// `$FILE_NAME` with that name: set by the file system only.
    FileName(String),
    /// The copy of `$FILE_NAME` in the index of its folder.
    Index,
    /// The collector's own records.
    Collector,
}

pub(super) fn unreadable(path: &EvidencePath, error: &io::Error) -> Diagnostic {
    Diagnostic {
        artifact: path.to_string(),
        impact: Impact::Lost,
        message: format!("cannot be read: {error}"),
    }
}
