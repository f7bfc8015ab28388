//! A file that may be evidence, with the tree around it: images and archives come in parts that lie side by side.

use std::io;
use std::sync::Arc;

use super::EvidencePath;
use super::file_tree::FileTree;
use super::source::SharedSource;

/// A tree that several parts of one host's evidence hold.
pub(super) type SharedTree = Arc<dyn FileTree>;

/// A file that may be evidence.
#[derive(Clone)]
pub(super) struct Given {
    /// How reports name it.
    pub(super) shown: String,
    /// The tree it lies in.
    pub(super) tree: SharedTree,
    /// Where in that tree.
    pub(super) path: EvidencePath,
    /// How many archives and images it lies in.
    pub(super) depth: usize,
}

impl Given {
    /// Its bytes.
    pub(super) fn open(&self) -> io::Result<SharedSource> {
        self.tree.open(&self.path)
    }
}
