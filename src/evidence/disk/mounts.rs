//! A tree with other trees below it: a volume with its shadow copies.

use std::io;

use jiff::Timestamp;

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{Contents, Entry, EntryKind, FileTree, Metadata, Names, Step};
use crate::evidence::given::SharedTree;
use crate::evidence::source::SharedSource;

/// A root tree and named trees in its root folder. A mount hides what the root has under the same name.
pub(super) struct Mounts {
    root: SharedTree,
    below: Vec<(String, SharedTree)>,
    /// Volumes beside the root, which its folder does not list.
    beside: Vec<(String, SharedTree)>,
}

impl Mounts {
    /// `below` are the names and trees of the mounts, without `/` in the names.
    pub(super) fn new(root: SharedTree, below: Vec<(String, SharedTree)>) -> Self {
        Self { root, below, beside: Vec::new() }
    }

    /// With other volumes of the same disk. Their names must be such as no file can have, for they are not listed.
    pub(super) fn with_volumes(self, beside: Vec<(String, SharedTree)>) -> Self {
        Self { beside, ..self }
    }

    /// The mount that a path leads into, by its name, and the path there.
    fn mount(&self, path: &EvidencePath) -> Option<(&str, &SharedTree, EvidencePath)> {
        let (first, rest) = path.as_str().split_once('/').unwrap_or((path.as_str(), ""));
        let mut all = self.below.iter().chain(&self.beside);
        let (name, tree) = all.find(|(name, _)| name == first)?;
        Some((name, tree, EvidencePath::new(rest)))
    }

    fn list_root(&self) -> Contents {
        let mut contents = self.root.list(&EvidencePath::root());
        let is_hidden =
            |entry: &Entry| self.below.iter().any(|(name, _)| *name == entry.path.as_str());
        for hidden in contents.entries.iter().filter(|entry| is_hidden(entry)) {
            contents.diagnostics.push(Diagnostic {
                artifact: hidden.path.to_string(),
                impact: Impact::Partial,
                message: "the volume itself has something of this name; it is not looked at".into(),
            });
        }
        contents.entries.retain(|entry| !is_hidden(entry));
        contents.entries.extend(
            self.below
                .iter()
                .map(|(name, _)| Entry::new(EvidencePath::new(name), EntryKind::Folder)),
        );
        contents.entries.sort_by(|left, right| left.path.cmp(&right.path));
        contents
    }
}

/// What a mount lists, as seen from the root.
fn from_root(name: &str, mut contents: Contents) -> Contents {
    let outside = |path: &str| format!("{name}/{path}");
    for entry in &mut contents.entries {
        entry.path = EvidencePath::new(&outside(entry.path.as_str()));
    }
    for diagnostic in &mut contents.diagnostics {
        diagnostic.artifact = outside(&diagnostic.artifact);
    }
    contents
}

impl FileTree for Mounts {
    fn list(&self, folder: &EvidencePath) -> Contents {
        if folder.as_str().is_empty() {
            return self.list_root();
        }
        match self.mount(folder) {
            Some((name, tree, path)) => from_root(name, tree.list(&path)),
            None => self.root.list(folder),
        }
    }

    fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
        match self.mount(file) {
            Some((_, tree, path)) => tree.open(&path),
            None => self.root.open(file),
        }
    }

    fn siblings(&self, file: &EvidencePath) -> Contents {
        match self.mount(file) {
            Some((_, _, path)) if path.as_str().is_empty() => self.list_root(),
            Some((name, tree, path)) => from_root(name, tree.siblings(&path)),
            None if file.split().0.as_str().is_empty() => self.list_root(),
            None => self.root.siblings(file),
        }
    }

    fn metadata(&self, file: &EvidencePath) -> io::Result<Metadata> {
        match self.mount(file) {
            Some((_, tree, path)) => tree.metadata(&path),
            None => self.root.metadata(file),
        }
    }

    fn names(&self) -> Option<&dyn Names> {
        let all = self.below.iter().chain(&self.beside).map(|(_, tree)| tree);
        let can = std::iter::once(&self.root).chain(all).all(|tree| tree.names().is_some());
        can.then_some(self)
    }

    fn other_volumes(&self) -> Vec<EvidencePath> {
        self.beside.iter().map(|(name, _)| EvidencePath::new(name)).collect()
    }

    fn security_descriptor(&self, file: &EvidencePath) -> io::Result<Option<Vec<u8>>> {
        match self.mount(file) {
            Some((_, tree, path)) => tree.security_descriptor(&path),
            None => self.root.security_descriptor(file),
        }
    }

    fn neighbors(&self, file: &EvidencePath, reach: u64) -> Vec<Timestamp> {
        match self.mount(file) {
            Some((_, tree, path)) => tree.neighbors(&path, reach),
            None => self.root.neighbors(file, reach),
        }
    }

    /// `mount/name` asks for the deleted files of a mount, a bare name for those of the root.
    fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
        let mut here = Vec::new();
        let mut found = Vec::new();
        for name in names {
            match self.mount(&EvidencePath::new(name)) {
                Some((_, tree, name)) => found.extend(tree.deleted(&[name.as_str()])),
                None => here.push(*name),
            }
        }
        if !here.is_empty() {
            found.splice(0..0, self.root.deleted(&here));
        }
        found
    }
}

impl Names for Mounts {
    fn step(&self, folder: &EvidencePath, name: &str) -> io::Result<Option<Step>> {
        let (mount, tree, folder) = match self.mount(folder) {
            Some((mount, tree, folder)) => (Some(mount), tree, folder),
            None => (None, &self.root, folder.clone()),
        };
        let Some(names) = tree.names() else { return Ok(None) };
        let step = names.step(&folder, name)?;
        Ok(step.map(|mut step| {
            if let Some(mount) = mount {
                step.entry.path = EvidencePath::new(&format!("{mount}/{}", step.entry.path));
            }
            step
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::source::{MemorySource, read_up_to};

    /// A tree with two files, which says its own name.
    struct Tree(&'static str);

    impl FileTree for Tree {
        fn list(&self, folder: &EvidencePath) -> Contents {
            let names = if folder.as_str().is_empty() { ["Windows", "copy 1"] } else { ["a", "b"] };
            let entries =
                names.iter().map(|name| Entry::new(folder.child(name), EntryKind::File(1)));
            let lost = Diagnostic {
                artifact: folder.to_string(),
                impact: Impact::Partial,
                message: "one was lost".into(),
            };
            Contents { entries: entries.collect(), diagnostics: vec![lost] }
        }

        fn open(&self, file: &EvidencePath) -> io::Result<SharedSource> {
            Ok(Arc::new(MemorySource(format!("{}:{file}", self.0).into_bytes())))
        }

        fn deleted(&self, names: &[&str]) -> Vec<Metadata> {
            let found = names.iter().map(|name| vec![format!("{}:{name}", self.0)]);
            found.map(|names| Metadata { names, ..Metadata::default() }).collect()
        }
    }

    fn mounts() -> Mounts {
        let below: Vec<(String, SharedTree)> = vec![
            ("copy 1".into(), Arc::new(Tree("one"))),
            ("copy 2".into(), Arc::new(Tree("two"))),
        ];
        Mounts::new(Arc::new(Tree("root")), below)
    }

    fn paths(contents: &Contents) -> Vec<&str> {
        contents.entries.iter().map(|entry| entry.path.as_str()).collect()
    }

    #[test]
    fn the_first_component_says_which_tree_is_meant() {
        let mounts = mounts();
        for (path, expected) in [
            ("Windows/x", "root:Windows/x"),
            ("copy 1/Windows/x", "one:Windows/x"),
            ("copy 2/Windows/x", "two:Windows/x"),
            ("copy 3/x", "root:copy 3/x"),
        ] {
            let source = mounts.open(&EvidencePath::new(path)).unwrap();
            let mut buffer = [0; 64];
            let read = read_up_to(source.as_ref(), 0, &mut buffer).unwrap();
            assert_eq!(&buffer[..read], expected.as_bytes(), "{path}");
            let size = mounts.metadata(&EvidencePath::new(path)).unwrap().size;
            assert_eq!(size, source.size(), "{path}");
        }
        assert_eq!(mounts.deleted(&["x.exe"])[0].names, ["root:x.exe"]);
        assert_eq!(mounts.deleted(&["copy 2/x.exe"])[0].names, ["two:x.exe"]);
    }

    #[test]
    fn mounts_are_listed_as_folders_and_hide_their_namesakes() {
        let mounts = mounts();
        let root = mounts.list(&EvidencePath::root());
        assert_eq!(paths(&root), ["Windows", "copy 1", "copy 2"]);
        assert!(root.entries[1].is_folder());
        assert_eq!(root.diagnostics.len(), 2);
        assert_eq!(root.diagnostics[1].artifact, "copy 1");
        let inside = mounts.list(&EvidencePath::new("copy 2/Windows"));
        assert_eq!(paths(&inside), ["copy 2/Windows/a", "copy 2/Windows/b"]);
        assert_eq!(inside.diagnostics[0].artifact, "copy 2/Windows");
        let beside = mounts.siblings(&EvidencePath::new("copy 2/Windows/a"));
        assert_eq!(paths(&beside), paths(&inside));
        assert_eq!(paths(&mounts.siblings(&EvidencePath::new("Windows"))), paths(&root));
    }
}
