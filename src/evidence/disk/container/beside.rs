//! The parts of an image: files in one folder, found by name in any case, opened when they are needed.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use crate::evidence::EvidencePath;
use crate::evidence::file_tree::Contents;
use crate::evidence::given::{Given, SharedTree};
use crate::evidence::source::SharedSource;

/// Parts that are open at the same time; an image can have more of them than a process can have files.
const OPEN: usize = 64;

/// The files in the folder of an image.
pub(super) struct Beside {
    contents: Contents,
    tree: SharedTree,
}

impl Beside {
    pub(super) fn of(given: &Given) -> Self {
        Self { contents: given.tree.siblings(&given.path), tree: Arc::clone(&given.tree) }
    }

    /// Where the file of that name is, in any case.
    pub(super) fn find(&self, name: &str) -> Option<&EvidencePath> {
        self.contents.file(name).map(|entry| &entry.path)
    }

    pub(super) fn open(&self, name: &str) -> io::Result<Option<SharedSource>> {
        self.find(name).map(|path| self.tree.open(path)).transpose()
    }

    /// The file of that name as something given.
    pub(super) fn given(&self, name: &str, like: &Given) -> Option<Given> {
        let path = self.find(name)?.clone();
        let shown = like.shown.strip_suffix(like.path.name()).unwrap_or_default();
        let shown = format!("{shown}{}", path.name());
        Some(Given { shown, tree: Arc::clone(&self.tree), path, depth: like.depth })
    }
}

/// The parts of an image in their order, so many of them open as a process can afford.
pub(super) struct Parts {
    tree: SharedTree,
    paths: Vec<EvidencePath>,
    /// The one used last at the end.
    open: Mutex<Vec<(usize, SharedSource)>>,
}

impl Parts {
    pub(super) fn new(tree: &SharedTree, paths: Vec<EvidencePath>) -> Self {
        Self { tree: Arc::clone(tree), paths, open: Mutex::default() }
    }

    pub(super) fn get(&self, index: usize) -> io::Result<SharedSource> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = open.iter().position(|(other, _)| *other == index) {
            let part = open.remove(at);
            let source = Arc::clone(&part.1);
            open.push(part);
            return Ok(source);
        }
        let path = self.paths.get(index).ok_or(io::ErrorKind::NotFound)?;
        let source = self.tree.open(path)?;
        if open.len() >= OPEN {
            open.remove(0);
        }
        open.push((index, Arc::clone(&source)));
        Ok(source)
    }
}
