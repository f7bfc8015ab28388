//! Parts of a file, read where its structures point: few bytes in memory, however large the file is.

use std::collections::BTreeMap;
use std::io::{self, Read as _, SeekFrom};

use object::pod::{self, Pod};

use crate::evidence::Content;

/// A read from the file, in bytes.
const BLOCK: u64 = 8 << 10;
/// Blocks that are kept: 1 MiB.
const KEPT: usize = 128;
/// Blocks that are read at most, 64 MiB: what tables of real programs point at is far less.
const MOST_READS: usize = 8192;

/// A file's bytes at offsets that the file itself chose.
pub(in crate::artifact::program) struct View<'a> {
    content: &'a mut dyn Content,
    size: u64,
    blocks: BTreeMap<u64, Vec<u8>>,
    reads: usize,
    failure: Option<io::Error>,
}

impl<'a> View<'a> {
    /// A view of a file of that size in bytes.
    pub(in crate::artifact::program) fn new(content: &'a mut dyn Content, size: u64) -> Self {
        Self { content, size, blocks: BTreeMap::new(), reads: 0, failure: None }
    }

    /// The file's size in bytes.
    pub(in crate::artifact::program) fn size(&self) -> u64 {
        self.size
    }

    /// Whether the structures point at more places than are read.
    pub(super) fn is_exhausted(&self) -> bool {
        self.reads >= MOST_READS
    }

    /// The first error of the evidence while parts were read.
    pub(in crate::artifact::program) fn failure(&mut self) -> Option<io::Error> {
        self.failure.take()
    }

    /// So many bytes from an offset, fewer where the file ends before.
    pub(in crate::artifact::program) fn bytes(&mut self, offset: u64, length: usize) -> Vec<u8> {
        let mut found = Vec::new();
        let mut at = offset;
        while found.len() < length {
            let wanted = length.saturating_sub(found.len());
            let part = self.part(at, wanted);
            if part.is_empty() {
                break;
            }
            found.extend_from_slice(part);
            at = offset.saturating_add(found.len() as u64);
        }
        found
    }

    /// The structure at an offset, where the file holds all of it.
    pub(super) fn get<T: Pod>(&mut self, offset: u64) -> Option<T> {
        let bytes = self.bytes(offset, size_of::<T>());
        pod::from_bytes::<T>(&bytes).ok().map(|(structure, _)| *structure)
    }

    /// The text up to its NUL, at most so many bytes, and whether the NUL came. What is no UTF-8 becomes U+FFFD.
    pub(super) fn text(&mut self, offset: u64, longest: usize) -> (String, bool) {
        let bytes = self.bytes(offset, longest);
        let end = bytes.iter().position(|byte| *byte == 0);
        let text = bytes.get(..end.unwrap_or(bytes.len())).unwrap_or_default();
        (String::from_utf8_lossy(text).into_owned(), end.is_some())
    }

    /// Bytes of one block from an offset.
    fn part(&mut self, offset: u64, longest: usize) -> &[u8] {
        let start = offset / BLOCK * BLOCK;
        if offset >= self.size || !self.load(start) {
            return &[];
        }
        let block = self.blocks.get(&start).map(Vec::as_slice).unwrap_or_default();
        let within = usize::try_from(offset.saturating_sub(start)).unwrap_or(usize::MAX);
        let rest = block.get(within..).unwrap_or_default();
        rest.get(..longest.min(rest.len())).unwrap_or_default()
    }

    /// Whether a block could be had.
    fn load(&mut self, start: u64) -> bool {
        if self.blocks.contains_key(&start) {
            return true;
        }
        if self.is_exhausted() || self.failure.is_some() {
            return false;
        }
        self.reads = self.reads.saturating_add(1);
        let mut block = Vec::new();
        let read = self
            .content
            .seek(SeekFrom::Start(start))
            .and_then(|_| io::Read::take(&mut *self.content, BLOCK).read_to_end(&mut block));
        if let Err(error) = read {
            self.failure = Some(error);
            return false;
        }
        if self.blocks.len() >= KEPT {
            self.blocks.clear();
        }
        self.blocks.insert(start, block);
        true
    }
}
