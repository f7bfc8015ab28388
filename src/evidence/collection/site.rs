//! A folder that may be the top of a collection.

use std::io;
use std::path::PathBuf;

use super::survey::{self, Survey, survey_below};
use super::windows_tree::WindowsTree;
use super::{Description, Options, Taken, loose};
use crate::diagnostic::{Diagnostic, Impact};
use crate::error::Error;
use crate::evidence::file_tree::{Contents, EntryKind};
use crate::evidence::given::{Given, SharedTree};
use crate::evidence::source::SharedSource;
use crate::evidence::{Evidence, EvidencePath};

/// A folder that may be the top of a collection, and how it was reached.
pub(super) struct Site<'o> {
    pub(super) tree: SharedTree,
    pub(super) base: EvidencePath,
    /// What lies in it.
    pub(super) contents: Contents,
    pub(super) about: Description,
    pub(super) options: &'o Options,
}

impl<'o> Site<'o> {
    /// The top of a tree.
    pub(super) fn top(tree: &SharedTree, about: &Description, options: &'o Options) -> Self {
        Self::at(tree, EvidencePath::root(), about.clone(), options)
    }

    pub(super) fn at(
        tree: &SharedTree,
        base: EvidencePath,
        about: Description,
        options: &'o Options,
    ) -> Self {
        let contents = tree.list(&base);
        Self { tree: SharedTree::clone(tree), base, contents, about, options }
    }

    /// A folder below, as the top of a collection of its own.
    pub(super) fn below(&self, folder: &EvidencePath) -> Self {
        let path = format!("{}/{folder}", self.about.path);
        let about = Description { path, ..self.about.clone() };
        Self::at(&self.tree, folder.clone(), about, self.options)
    }

    /// The file of that name in it, in any case.
    pub(super) fn file(&self, name: &str) -> Option<EvidencePath> {
        self.contents.file(name).map(|entry| entry.path.clone())
    }

    /// The folder of that name in it, in any case.
    pub(super) fn folder(&self, name: &str) -> Option<EvidencePath> {
        self.contents.folder(name).map(|entry| entry.path.clone())
    }

    /// The files in it whose name, in upper case, fits.
    pub(super) fn files(&self, fits: impl Fn(&str) -> bool) -> Vec<EvidencePath> {
        let files = self.contents.entries.iter();
        let files = files.filter(|entry| matches!(entry.kind, EntryKind::File(_)));
        let files = files.filter(|entry| fits(&crate::text::fold(&entry.name)));
        files.map(|entry| entry.path.clone()).collect()
    }

    /// Offers it to a layout. What lies in the root of a volume or in the Windows folder is the host's: whoever
    /// could write there must not be able to make a collection of it.
    pub(super) fn offer(&self, take: Taker) -> Result<Taken, Error> {
        if self.is_volume() { Ok(Taken::No) } else { take(self) }
    }

    /// Whether it is the root of a volume or the Windows folder.
    pub(super) fn is_volume(&self) -> bool {
        ["Windows", "WINNT", "System32", "Users"].iter().any(|name| self.folder(name).is_some())
    }

    /// A file in it, as what may be evidence itself.
    pub(super) fn given(&self, path: &EvidencePath) -> Given {
        Given {
            shown: format!("{}/{path}", self.about.path),
            tree: SharedTree::clone(&self.tree),
            path: path.clone(),
            depth: self.about.containers.len(),
        }
    }

    /// Reads one of the collector's records; why it could not be goes to `told`.
    pub(super) fn read<T>(
        &self,
        record: &EvidencePath,
        told: &mut Vec<Diagnostic>,
        read: impl FnOnce(SharedSource) -> io::Result<T>,
    ) -> Option<T> {
        match self.tree.open(record).and_then(read) {
            Ok(value) => Some(value),
            Err(error) => {
                let message = format!("the collector's record cannot be read: {error}");
                let artifact = record.to_string();
                told.push(Diagnostic { artifact, impact: Impact::Partial, message });
                None
            }
        }
    }

    /// Why it is not examined, in a sentence.
    pub(super) fn refuse(&self, message: &str) -> Error {
        Error::Refused { path: PathBuf::from(&self.about.path), message: message.into() }
    }

    /// Refuses it, unless there are Windows folders, hives or logs that another layout takes.
    pub(super) fn refuse_or_leave(&self, message: &str) -> Result<Taken, Error> {
        let tree = &self.tree;
        let is_any = !survey_below(tree.as_ref(), &self.base, None).windows.is_empty()
            || self.base == EvidencePath::root()
                && matches!(
                    (loose::LAYOUT.open)(tree, &self.about, self.options)?,
                    Taken::Hosts(_)
                );
        if is_any { Ok(Taken::No) } else { Err(self.refuse(message)) }
    }

    /// What the last component of the given path is called, without the suffix of an archive.
    pub(super) fn stem(&self) -> &str {
        let name = match self.base.name() {
            "" => self.about.path.rsplit('/').next().unwrap_or_default(),
            name => {
                self.about.path.rsplit('/').next().filter(|last| !last.is_empty()).unwrap_or(name)
            }
        };
        let mut stem = name;
        while let Some((rest, suffix)) = stem.rsplit_once('.') {
            let suffix = suffix.to_ascii_lowercase();
            if !matches!(
                suffix.as_str(),
                "zip" | "7z" | "tar" | "gz" | "tgz" | "xz" | "zst" | "bz2" | "p7b" | "vhd" | "vhdx"
            ) {
                break;
            }
            stem = rest;
        }
        stem
    }
}

/// As many as are read, and a word about the others.
pub(super) fn bounded<T>(
    mut all: Vec<T>,
    limit: usize,
    what: &str,
    at: &EvidencePath,
    told: &mut Vec<Diagnostic>,
) -> Vec<T> {
    if all.len() > limit {
        let message = format!("{} {what}, of which only {limit} are read", all.len());
        told.push(Diagnostic { artifact: at.to_string(), impact: Impact::Partial, message });
        all.truncate(limit);
    }
    all
}

/// What takes the top of a collection.
pub(super) type Taker = fn(&Site<'_>) -> Result<Taken, Error>;

/// The hosts whose Windows folders lie below a folder of a collection. `about` is what all of them share.
pub(super) fn hosts_below(
    site: &Site<'_>,
    tree: &SharedTree,
    folder: &EvidencePath,
    mut about: Description,
    make: impl Fn(Description) -> WindowsTree,
) -> Taken {
    let Survey { windows, diagnostics } = survey_below(tree.as_ref(), folder, None);
    if windows.is_empty() {
        return Taken::No;
    }
    about.diagnostics.extend(diagnostics);
    let found = survey::hosts(windows).into_iter();
    let found = found.map(|windows| Description { windows, ..about.clone() });
    hosts(site, found.collect(), make)
}

/// Describes the hosts of a collection and makes them evidence.
pub(super) fn hosts(
    site: &Site<'_>,
    hosts: Vec<Description>,
    make: impl Fn(Description) -> WindowsTree,
) -> Taken {
    let several = hosts.len() > 1;
    let hosts = hosts.into_iter().map(|mut description| {
        super::windows_tree::describe_host(&mut description, &site.base, several);
        Box::new(make(description)) as Box<dyn Evidence>
    });
    Taken::Hosts(hosts.collect())
}
