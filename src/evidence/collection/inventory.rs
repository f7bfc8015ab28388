//! Which files a collection holds, looked up without case as its records name them.

use std::collections::{BTreeMap, BTreeSet};

use super::overlay::INDEX;
use crate::diagnostic::Diagnostic;
use crate::evidence::EvidencePath;
use crate::evidence::file_tree::{EntryKind, FileTree, walk};
use crate::text::fold;

/// Levels of folders that are looked at.
const MAX_DEPTH: usize = 64;
/// Files and folders that are looked at.
const MAX_ENTRIES: usize = 1_000_000;

/// The files below a folder of a collection.
#[derive(Default)]
pub(super) struct Inventory {
    /// Where each is stored and its size, by that path without case.
    files: BTreeMap<String, (EvidencePath, u64)>,
}

impl Inventory {
    /// Looks at every file below a folder; what could not be listed goes to `told`.
    pub(super) fn of(
        tree: &dyn FileTree,
        folder: &EvidencePath,
        told: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut inventory = Self::default();
        inventory.add(tree, folder, None, told);
        inventory
    }

    /// Adds the files of a tree that lies at `at`.
    pub(super) fn add(
        &mut self,
        tree: &dyn FileTree,
        folder: &EvidencePath,
        at: Option<&EvidencePath>,
        told: &mut Vec<Diagnostic>,
    ) {
        let contents = walk(tree, folder, MAX_DEPTH, MAX_ENTRIES);
        told.extend(contents.diagnostics);
        for entry in contents.entries {
            let EntryKind::File(size) = entry.kind else { continue };
            let path = match at {
                Some(at) => EvidencePath::new(&format!("{at}/{}", entry.path)),
                None => entry.path,
            };
            self.files.entry(fold(path.as_str())).or_insert((path, size));
        }
    }

    /// The file of that path, in any case, and its size in bytes.
    pub(super) fn find(&self, path: &str) -> Option<&(EvidencePath, u64)> {
        self.files.get(&fold(path))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(EvidencePath, u64)> {
        self.files.values()
    }

    /// The indexes that lie beside the file they belong to.
    pub(super) fn indexes(&self) -> BTreeSet<EvidencePath> {
        let suffix = fold(INDEX);
        let named = self.files.iter().filter_map(|(name, (path, _))| {
            name.strip_suffix(&suffix)
                .filter(|of| self.files.contains_key(*of))
                .map(|_| path.clone())
        });
        named.collect()
    }
}
