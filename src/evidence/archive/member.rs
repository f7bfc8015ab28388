//! What an archive's own directory says of a member.

use std::sync::Arc;

use super::sparse::{Parts, SparseSource};
use crate::evidence::source::SharedSource;

/// A file, folder or other thing in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name as stored, with whatever separators; what is no Unicode is shown with U+FFFD.
    pub(super) name: String,
    pub(super) kind: MemberKind,
    /// Its size in bytes, as the archive says; 0 where it does not say.
    pub(super) size: u64,
    /// How many bytes of the archive it is unpacked from, at most.
    pub(super) packed: u64,
    /// The number of the run of members that can only be unpacked one after the other.
    pub(super) run: Option<usize>,
    /// Where its bytes belong; absent where it has no holes.
    pub(super) parts: Option<Parts>,
}

impl Member {
    /// Whether only unpacking it tells its size.
    pub(super) fn size_is_unknown(&self) -> bool {
        self.size == 0 && self.packed > 0
    }

    /// Its bytes as they were on the host, from what the archive has of them.
    pub(super) fn with_holes(&self, stored: SharedSource) -> SharedSource {
        match &self.parts {
            Some(parts) => Arc::new(SparseSource { parts: parts.clone(), stored, size: self.size }),
            None => stored,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum MemberKind {
    File,
    /// Another name of the earlier member with that number: a hard link.
    Same(usize),
    Folder,
    /// A symbolic link, or a hard link to something that is not in the archive.
    Link,
    /// A device, pipe or socket.
    Special,
}
