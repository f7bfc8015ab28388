//! The digests that are looked for, and what was found of them.

use std::collections::BTreeMap;

use super::digest::Digest;

/// The digests of files, gathered before any list is read: what a list has besides is never kept.
#[derive(Debug)]
pub(super) struct Wanted {
    /// The digests of each file.
    files: Vec<Vec<Digest>>,
    /// Which files have a digest.
    by_digest: BTreeMap<Digest, Vec<usize>>,
    /// One bit for each start of a digest: most lines of a list need no more than this look.
    starts: Box<[u64; 1024]>,
}

impl Wanted {
    /// The digests of files, in the order of the files.
    pub(super) fn new(files: Vec<Vec<Digest>>) -> Self {
        let mut by_digest: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
        let mut starts = Box::new([0_u64; 1024]);
        for (file, digests) in files.iter().enumerate() {
            for digest in digests {
                by_digest.entry(*digest).or_default().push(file);
                let start = digest.start();
                if let Some(word) = starts.get_mut(usize::from(start >> 6)) {
                    *word |= 1 << (start & 63);
                }
            }
        }
        Self { files, by_digest, starts }
    }

    /// Whether there is nothing to look for.
    pub(super) fn is_empty(&self) -> bool {
        self.by_digest.is_empty()
    }

    /// Every digest, sorted.
    pub(super) fn digests(&self) -> impl Iterator<Item = &Digest> {
        self.by_digest.keys()
    }

    /// The files with that digest.
    pub(super) fn files(&self, digest: &Digest) -> &[usize] {
        let start = digest.start();
        let word = self.starts.get(usize::from(start >> 6)).copied().unwrap_or_default();
        if word & 1 << (start & 63) == 0 {
            return &[];
        }
        self.by_digest.get(digest).map_or(&[], Vec::as_slice)
    }

    /// The file's own digest of the same kind.
    pub(super) fn of_kind(&self, file: usize, like: &Digest) -> Option<&Digest> {
        self.files.get(file)?.iter().find(|digest| digest.kind == like.kind)
    }
}

/// A row of a list that has a wanted digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// Its place in the list: `line 17`.
    pub(super) place: String,
    /// Every digest that it has.
    pub(super) digests: Vec<Digest>,
    /// What else it says.
    pub(super) remark: String,
}

/// What one list has of the files.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The first row of each file, and the strongest digest by which it agrees.
    pub(super) rows: BTreeMap<usize, (Digest, Row)>,
    /// Rows that have one digest of a file and another digest which the file does not have.
    pub(super) contradictions: Vec<(usize, Row)>,
}

/// Contradictions that are kept of one list.
const MOST_CONTRADICTIONS: usize = 16;

impl Found {
    /// Takes a row for the files that have one of its digests. All digests of the row must be the file's: an MD5 that
    /// agrees beside a SHA-256 that does not is another file, made to collide, or a slip of the list.
    pub(super) fn take(&mut self, wanted: &Wanted, row: &Row) {
        for digest in &row.digests {
            for file in wanted.files(digest) {
                if self.rows.contains_key(file) {
                    continue;
                }
                let same = |one: &Digest| wanted.of_kind(*file, one).is_none_or(|own| own == one);
                if row.digests.iter().all(same) {
                    let own = |one: &&Digest| wanted.of_kind(*file, one) == Some(*one);
                    let strongest = row.digests.iter().filter(own).min().unwrap_or(digest);
                    self.rows.insert(*file, (*strongest, row.clone()));
                } else if self.contradictions.len() < MOST_CONTRADICTIONS
                    && !self.contradictions.iter().any(|(_, known)| known == row)
                {
                    self.contradictions.push((*file, row.clone()));
                }
            }
        }
    }
}
