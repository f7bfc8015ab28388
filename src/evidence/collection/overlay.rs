//! A tree as its collector's records explain it: what stored files are called on the host, where they belong, what
//! their holes are and when they were written.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;

use super::sparse::Sparse;
use crate::diagnostic::Diagnostic;
use crate::evidence::file_tree::{Contents, Entry, EntryKind, FileTree};
use crate::evidence::given::SharedTree;
use crate::evidence::magic::{Sniffed, sniff};
use crate::evidence::source::SharedSource;
use crate::evidence::{EvidencePath, Metadata, Storage, Times};
use crate::text::fold;

/// Folders between the root of a volume and a file; Windows' own limit on paths allows no more by far.
const MAX_COMPONENTS: usize = 128;

/// A tree with what a collector's records say about it. Files keep the paths they are stored at, so that a
/// citation leads to them; folders and names are shown as they were on the host.
pub(super) struct Overlay {
    tree: SharedTree,
    /// Archives of the collection: where each lies, and what is in it.
    inner: Vec<(EvidencePath, SharedTree)>,
    /// What a stored name was on the host.
    decode: fn(&str) -> String,
    /// What the records put into a folder, by name without case.
    added: BTreeMap<EvidencePath, BTreeMap<String, Entry>>,
    /// Folders that exist only here.
    made: BTreeSet<EvidencePath>,
    /// What is stored in the folders that the records put something into.
    listed: BTreeMap<EvidencePath, BTreeMap<String, Entry>>,
    /// The folder in which a stored file is shown.
    homes: BTreeMap<EvidencePath, EvidencePath>,
    /// Indexes of files with holes.
    indexes: BTreeSet<EvidencePath>,
    /// How many times larger than stored a file with holes may be.
    ratio: u64,
    /// What the collector wrote down about times, by stored path.
    times: BTreeMap<EvidencePath, Vec<Times>>,
}

impl Overlay {
    pub(super) fn new(tree: &SharedTree, decode: fn(&str) -> String) -> Self {
        Self {
            tree: SharedTree::clone(tree),
            inner: Vec::new(),
            decode,
            added: BTreeMap::new(),
            made: BTreeSet::new(),
            listed: BTreeMap::new(),
            homes: BTreeMap::new(),
            indexes: BTreeSet::new(),
            ratio: 0,
            times: BTreeMap::new(),
        }
    }

    /// Shows what is in an archive below the archive's path.
    pub(super) fn mount(&mut self, at: EvidencePath, tree: SharedTree) {
        self.inner.push((at, tree));
    }

    /// Expands the files beside these indexes, to at most `ratio` times their size, and hides the indexes.
    pub(super) fn expand(&mut self, indexes: BTreeSet<EvidencePath>, ratio: u64) {
        self.indexes = indexes;
        self.ratio = ratio;
    }

    /// Whether a file was stored without its holes.
    pub(super) fn has_holes(&self, file: &EvidencePath) -> bool {
        self.index(file).is_some()
    }

    /// What the collector wrote down about a stored file's times.
    pub(super) fn set_times(&mut self, stored: &EvidencePath, times: Times) {
        let known = self.times.entry(stored.clone()).or_default();
        if known.iter().all(|known| known.source != times.source) {
            known.push(times);
        }
    }

    /// Makes a folder that is nowhere stored.
    pub(super) fn make_folder(&mut self, path: &EvidencePath) {
        self.made.insert(path.clone());
    }

    /// Shows a stored file in its place below `root`. Whether that could be done: a name that would lead elsewhere
    /// and a place that is taken are refused.
    pub(super) fn place(
        &mut self,
        root: &EvidencePath,
        components: &[&str],
        stored: &EvidencePath,
        size: u64,
    ) -> bool {
        let Some((name, folders)) = components.split_last() else { return false };
        if components.len() > MAX_COMPONENTS || components.iter().any(|name| !is_name(name)) {
            return false;
        }
        let mut folder = root.clone();
        for name in folders {
            folder = self.folder(&folder, name);
        }
        if self.entry(&folder, name).is_some() {
            return false;
        }
        let (path, kind) = (stored.clone(), EntryKind::File(size));
        let entry = Entry { path, name: (*name).to_owned(), kind };
        self.added.entry(folder.clone()).or_default().insert(fold(name), entry);
        self.homes.entry(stored.clone()).or_insert(folder);
        true
    }

    /// The folder of that name in a folder, which is made where there is none.
    fn folder(&mut self, folder: &EvidencePath, name: &str) -> EvidencePath {
        if let Some(entry) = self.entry(folder, name).filter(Entry::is_folder) {
            return entry.path;
        }
        let path = folder.child(name);
        let entry = Entry { path: path.clone(), name: name.to_owned(), kind: EntryKind::Folder };
        self.added.entry(folder.clone()).or_default().insert(fold(name), entry);
        self.made.insert(path.clone());
        path
    }

    fn entry(&mut self, folder: &EvidencePath, name: &str) -> Option<Entry> {
        let name = fold(name);
        if let Some(entry) = self.added.get(folder).and_then(|added| added.get(&name)) {
            return Some(entry.clone());
        }
        if self.made.contains(folder) {
            return None;
        }
        if !self.listed.contains_key(folder) {
            let entries = self.stored(folder).entries;
            let named = entries.into_iter().map(|entry| (fold(&entry.name), entry)).collect();
            self.listed.insert(folder.clone(), named);
        }
        self.listed.get(folder).and_then(|listed| listed.get(&name)).cloned()
    }

    /// What is stored in a folder, by its names on the host.
    fn stored(&self, folder: &EvidencePath) -> Contents {
        if self.made.contains(folder) {
            return Contents::default();
        }
        let (tree, path, at) = self.resolve(folder);
        let mut contents = tree.list(&path);
        for entry in &mut contents.entries {
            entry.path = below(at, &entry.path);
            entry.name = (self.decode)(&entry.name);
        }
        contents.entries.retain(|entry| !self.indexes.contains(&entry.path));
        contents
    }

    /// The tree that holds a path, the path there, and where that tree lies.
    fn resolve(&self, path: &EvidencePath) -> (&SharedTree, EvidencePath, Option<&EvidencePath>) {
        for (at, tree) in &self.inner {
            if path == at {
                return (tree, EvidencePath::root(), Some(at));
            }
            let rest = path.as_str().strip_prefix(at.as_str());
            if let Some(rest) = rest.and_then(|rest| rest.strip_prefix('/')) {
                return (tree, EvidencePath::new(rest), Some(at));
            }
        }
        (&self.tree, path.clone(), None)
    }

    fn index(&self, file: &EvidencePath) -> Option<EvidencePath> {
        let index = EvidencePath::new(&format!("{file}{INDEX}"));
        self.indexes.contains(&index).then_some(index)
    }
}

/// How the index of a file with holes is named after it.
pub(super) const INDEX: &str = ".idx";

/// Whether a record's word can be the name of a file or folder.
fn is_name(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['/', '\\', '\0'])
}

fn below(at: Option<&EvidencePath>, path: &EvidencePath) -> EvidencePath {
    at.map_or_else(|| path.clone(), |at| EvidencePath::new(&format!("{at}/{path}")))
}

impl FileTree for Overlay {
    fn list(&self, folder: &EvidencePath) -> Contents {
        let mut contents = self.stored(folder);
        if let Some(added) = self.added.get(folder) {
            contents.entries.extend(added.values().cloned());
            contents.entries.sort_by(|left, right| left.path.cmp(&right.path));
        }
        contents
    }

    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        let (tree, path, _) = self.resolve(file);
        let stored = tree.open(&path)?;
        let Some(index) = self.index(file) else { return Ok(stored) };
        let (tree, path, _) = self.resolve(&index);
        Ok(Arc::new(Sparse::new(stored, tree.open(&path)?, self.ratio)?))
    }

    fn siblings(&self, file: &EvidencePath) -> Contents {
        match self.homes.get(file) {
            Some(home) => self.list(home),
            None => self.list(&file.split().0),
        }
    }

    fn metadata(&self, file: &EvidencePath) -> io::Result<Metadata> {
        let (tree, path, _) = self.resolve(file);
        let mut metadata = tree.metadata(&path)?;
        if self.index(file).is_some() {
            metadata.size = self.open(file)?.size();
            metadata.storage = Storage::Sparse;
        }
        let times = self.times.get(file);
        metadata.times.extend(times.into_iter().flatten().cloned());
        Ok(metadata)
    }

    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        self.tree.deleted(names)
    }

    fn examine(&self, file: &EvidencePath) -> io::Result<(Sniffed, u64)> {
        if self.index(file).is_none() {
            let (tree, path, _) = self.resolve(file);
            return tree.examine(&path);
        }
        let source = self.open(file)?;
        Ok((sniff(source.as_ref())?, source.size()))
    }

    fn damage(&self) -> Vec<Diagnostic> {
        let inner = self.inner.iter().flat_map(|(at, tree)| {
            tree.damage().into_iter().map(move |one| {
                let artifact = format!("{at}/{}", one.artifact);
                Diagnostic { artifact, ..one }
            })
        });
        let mut damage: Vec<Diagnostic> = self.tree.damage().into_iter().chain(inner).collect();
        damage.sort();
        damage
    }
}
