//! Catalogs: files signed by others than themselves, as most files of Windows are.
//!
//! A Windows has ten to twenty thousand of them. They are read once, in parallel, for the digests that are wanted; the signature
//! of a catalog is verified only where it lists one of those.

mod list;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub(in crate::artifact) use search::CATALOGS;
pub use search::{search, search_with};

use super::algorithm::Algorithm;
use super::verdict::Verdict;
use crate::host::citation::{Citation, Place, Provenance};
use crate::host::coverage::State;
use crate::host::program_file::{Signature, SignatureStatus};

/// What is looked for in catalogs.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Digests of SHA-1 and SHA-256: Authenticode digests of PE images, digests of the whole of other files.
    pub digests: BTreeSet<Vec<u8>>,
    /// Names of files without their folders, in lower case: a catalog that lists the name with other bytes says that these
    /// are not the ones.
    pub names: BTreeSet<String>,
}

/// What the catalogs of a host say about the files that were looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalogs {
    /// How far they could be read: all, some, none there.
    pub state: State,
    /// How many were read.
    pub count: usize,
    /// Catalogs that list a digest, in the order of their paths.
    by_digest: BTreeMap<Vec<u8>, Vec<Arc<Catalog>>>,
    /// A valid catalog of Microsoft's that lists a name.
    by_name: BTreeMap<String, Arc<Catalog>>,
}

impl Default for Catalogs {
    /// No catalogs in the evidence.
    fn default() -> Self {
        Self {
            state: State::Absent,
            count: 0,
            by_digest: BTreeMap::new(),
            by_name: BTreeMap::new(),
        }
    }
}

/// A catalog that lists something wanted.
#[derive(Debug, PartialEq, Eq)]
struct Catalog {
    citation: Citation,
    verdict: Verdict,
}

/// The best catalog that lists a file.
pub(super) struct Vouching<'c> {
    catalog: &'c Catalog,
    digest: &'static str,
}

impl Catalogs {
    /// The best catalog that lists one of those digests: a valid one of Windows before another valid one, before one that is not
    /// valid; of the same kind the first by path.
    pub(super) fn vouching(&self, digests: &[(Algorithm, Vec<u8>)]) -> Option<Vouching<'_>> {
        let mut best: Option<Vouching<'_>> = None;
        let rank = |catalog: &Catalog| {
            let verdict = &catalog.verdict;
            (verdict.status == SignatureStatus::Valid, verdict.is_windows, verdict.is_microsoft)
        };
        for (algorithm, digest) in digests {
            for catalog in self.by_digest.get(digest).into_iter().flatten() {
                if best.as_ref().is_none_or(|best| rank(catalog) > rank(best.catalog)) {
                    best = Some(Vouching { catalog, digest: algorithm.label() });
                }
            }
        }
        best
    }

    /// A catalog of Microsoft's that lists a file of that name, in lower case.
    pub fn naming(&self, name: &str) -> Option<&Citation> {
        self.by_name.get(name).map(|catalog| &catalog.citation)
    }

    /// What it means that no catalog lists a file which bears no signature.
    pub(super) fn silent(&self) -> Signature {
        match self.state {
            State::Complete => Signature {
                status: SignatureStatus::Unsigned,
                reason: Some(format!("none of the {} catalogs lists it", self.count)),
                ..Signature::default()
            },
            State::Partial => Signature::unknown(
                "it bears no signature, and not all catalogs of the evidence could be read",
            ),
            State::Lost => Signature::unknown(
                "it bears no signature, and the catalogs of the evidence could not be read",
            ),
            State::Absent => {
                Signature::unknown("it bears no signature, and the evidence has no catalogs")
            }
        }
    }
}

impl Vouching<'_> {
    /// The signature of a file that this catalog lists; `embedded` is why the file's own does not hold.
    pub(super) fn signature(&self, embedded: Option<&str>) -> Signature {
        let verdict = &self.catalog.verdict;
        let mut remarks = verdict.remarks.clone();
        if let Some(reason) = embedded {
            remarks.push(format!("a signature in the file does not count: {reason}"));
        }
        Signature {
            status: match verdict.status {
                SignatureStatus::Valid => SignatureStatus::ValidCatalog,
                other => other,
            },
            reason: verdict.reason.as_deref().map(|reason| match verdict.status {
                SignatureStatus::Valid => reason.to_owned(),
                _ => format!("a catalog lists it, but {reason}"),
            }),
            remarks,
            digest: Some(self.digest),
            signers: verdict.signer.iter().cloned().collect(),
            catalog: Some(self.catalog.citation.clone()),
            is_windows: verdict.is_windows,
            is_microsoft: verdict.is_microsoft,
            is_forged: verdict.is_forged,
            namesake: None,
        }
    }
}

fn citation(path: &crate::evidence::EvidencePath) -> Citation {
    Citation { artifact: path.shared(), place: Place::File, provenance: Provenance::Live }
}
