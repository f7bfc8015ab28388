//! The index of a folder: the names in it, in nodes that lead to each other.
//!
//! Every readable node is listed, even where the one that should lead to it is damaged.
//! Layout: Linux-NTFS project, `$INDEX_ROOT` and `$INDEX_ALLOCATION`.

use std::collections::BTreeSet;
use std::io;

use super::bytes::{damaged, index, slice_at, u16_at, u32_at, u64_at};
use super::file::File;
use super::file_name::FileName;
use super::record::{BITMAP, INDEX_ALLOCATION, INDEX_ROOT, Reference, fix_up};
use crate::evidence::source::{SharedSource, read_exact_at, read_up_to};

/// The name of the index of names.
const NAMES: &str = "$I30";
/// More than any folder is known to have.
const MOST_ENTRIES: usize = 1_000_000;
const MOST_NODES: usize = 100_000;
const LARGEST_NODE: usize = 1 << 16;
/// Nodes smaller than a cluster are counted in these, whatever the sector size.
const NODE_UNIT: u64 = 512;
const HAS_CHILD: u16 = 1;
const IS_LAST: u16 = 2;

/// A name in a folder, and the file that has it.
#[derive(Debug, Clone)]
pub(super) struct IndexEntry {
    pub(super) file: Reference,
    pub(super) key: FileName,
}

/// What a folder's index says.
#[derive(Debug, Default)]
pub(super) struct Index {
    pub(super) entries: Vec<IndexEntry>,
    /// What could not be read.
    pub(super) damage: BTreeSet<String>,
}

/// Where the nodes other than the root are.
struct Nodes {
    stored: SharedSource,
    size: usize,
    unit: u64,
    seen: BTreeSet<u64>,
}

impl Index {
    /// # Errors
    /// Where the file has no index of names.
    pub(super) fn read(volume: &SharedSource, folder: &File, cluster: u64) -> io::Result<Self> {
        let is_names = |name: &[u16]| name.iter().copied().eq(NAMES.encode_utf16());
        let root = folder.of_kind(INDEX_ROOT).find(|root| is_names(&root.name()));
        let root = root.and_then(|root| root.value());
        let root = root.ok_or_else(|| damaged("the folder has no index of its names"))?;
        let mut index_read = Self::default();
        let mut ahead = index_read.add_node(root.get(16..).unwrap_or_default(), "the root");
        let size = u32_at(root, 8).and_then(|size| usize::try_from(size).ok()).unwrap_or(0);
        let stored = folder.stream(INDEX_ALLOCATION, is_names, cluster);
        let stored = stored.and_then(|stream| stream.open(volume));
        let stored = match stored {
            Ok(stored) if (512..=LARGEST_NODE).contains(&size) => stored,
            Err(error) if error.kind() == io::ErrorKind::NotFound && ahead.is_empty() => {
                return Ok(index_read);
            }
            Ok(_) => return Ok(index_read.with(format!("nodes of {size} bytes cannot be"))),
            Err(error) => return Ok(index_read.with(format!("its nodes are lost: {error}"))),
        };
        let in_clusters = u64::try_from(size).is_ok_and(|size| size >= cluster);
        let unit = if in_clusters { cluster } else { NODE_UNIT };
        let mut nodes = Nodes { stored, size, unit, seen: BTreeSet::new() };
        while let Some(node) = ahead.pop() {
            ahead.extend(index_read.visit(&mut nodes, node));
        }
        if !index_read.damage.is_empty() {
            let in_use = folder.stream(BITMAP, is_names, cluster);
            let in_use = in_use.and_then(|stream| stream.open(volume));
            index_read.salvage(&mut nodes, in_use.ok().as_ref());
        }
        Ok(index_read)
    }

    fn with(mut self, damage: String) -> Self {
        self.damage.insert(damage);
        self
    }

    /// Adds the entries of a node; returns the nodes that it leads to.
    fn visit(&mut self, nodes: &mut Nodes, number: u64) -> Vec<u64> {
        if self.entries.len() >= MOST_ENTRIES || nodes.seen.len() >= MOST_NODES {
            self.damage.insert(format!("only the first {} names are listed", self.entries.len()));
            return Vec::new();
        }
        if !nodes.seen.insert(number) {
            self.damage.insert(format!("node {number} is led to twice"));
            return Vec::new();
        }
        match nodes.read(number) {
            Ok(node) => {
                self.add_node(node.get(24..).unwrap_or_default(), &format!("node {number}"))
            }
            Err(error) => {
                self.damage.insert(format!("node {number}: {error}"));
                Vec::new()
            }
        }
    }

    /// Adds the nodes that are in use and that no readable node led to.
    fn salvage(&mut self, nodes: &mut Nodes, in_use: Option<&SharedSource>) {
        let step = u64::try_from(nodes.size).unwrap_or(u64::MAX);
        let count = nodes.stored.size().checked_div(step).unwrap_or(0);
        let count = count.min(u64::try_from(MOST_NODES).unwrap_or(u64::MAX));
        let mut bits = vec![0xff; index(count.div_ceil(8))];
        if let Some(in_use) = in_use {
            // What cannot be read of the map counts as in use.
            let _ = read_up_to(in_use.as_ref(), 0, &mut bits);
        }
        let used =
            (0..count).zip(bits.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1)));
        for (nth, _) in used.filter(|(_, bit)| *bit == 1) {
            let number = nth.saturating_mul(step).checked_div(nodes.unit).unwrap_or(0);
            if !nodes.seen.contains(&number) {
                // A node that cannot be read has been told of, or was never used.
                if let Ok(node) = nodes.read(number) {
                    nodes.seen.insert(number);
                    self.add_node(node.get(24..).unwrap_or_default(), &format!("node {number}"));
                }
            }
        }
    }

    /// Adds the entries of a node that begins with its own header; returns the nodes that it leads to.
    fn add_node(&mut self, node: &[u8], shown: &str) -> Vec<u64> {
        let offset = |at| u32_at(node, at).and_then(|offset| usize::try_from(offset).ok());
        let (start, end) = (offset(0).unwrap_or(usize::MAX), offset(4).unwrap_or(0));
        let mut rest = node.get(start..end.min(node.len())).unwrap_or_default();
        let mut children = Vec::new();
        loop {
            let length = u16_at(rest, 8).map_or(0, usize::from);
            let Some(entry) = slice_at(rest, 0, length).filter(|entry| entry.len() >= 16) else {
                self.damage.insert(format!("{shown} is damaged"));
                return children;
            };
            let flags = u16_at(entry, 12).unwrap_or(0);
            if flags & HAS_CHILD != 0 {
                children.extend(u64_at(entry, length.saturating_sub(8)));
            }
            if flags & IS_LAST != 0 {
                return children;
            }
            let key = u16_at(entry, 10).and_then(|length| slice_at(entry, 16, length.into()));
            match (Reference::parse(entry, 0), key.and_then(FileName::parse)) {
                (Some(file), Some(key)) => self.entries.push(IndexEntry { file, key }),
                _ => {
                    self.damage.insert(format!("{shown} has a name that is damaged"));
                }
            }
            rest = rest.get(length..).unwrap_or_default();
        }
    }
}

impl Nodes {
    fn read(&self, number: u64) -> io::Result<Vec<u8>> {
        let at = number.checked_mul(self.unit).filter(|at| *at < self.stored.size());
        let at = at.ok_or_else(|| damaged("is outside the index"))?;
        let mut node = vec![0; self.size];
        read_exact_at(self.stored.as_ref(), at, &mut node)?;
        if !node.starts_with(b"INDX") {
            return Err(damaged("has no signature"));
        }
        if !fix_up(&mut node) {
            return Err(damaged("is torn"));
        }
        if u64_at(&node, 16) != Some(number) {
            return Err(damaged("is another node"));
        }
        Ok(node)
    }
}
