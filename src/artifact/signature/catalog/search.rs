//! Reading the catalogs of a host.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::super::asn1::Value;
use super::super::roots::Roots;
use super::super::signed_data::SignedData;
use super::super::verdict::{Verdict, judge};
use super::super::{Refusal, oid};
use super::{Catalog, Catalogs, Wanted, citation, list};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, Found, Magic, Pattern, Place};
use crate::host::coverage::State;
use crate::host::program_file::SignatureStatus;

/// The largest catalog that is read, in bytes: the largest of Windows have some 10 MiB.
const LARGEST: u64 = 64 << 20;
/// Among how many wanted files at least one must be listed, where the catalogs are those of the whole Windows.
const MANY: usize = 32;
/// How many catalogs are verified for one name.
const MOST_FOR_A_NAME: usize = 4;

/// Where Windows keeps them. The first is the place of those it trusts; drivers bring theirs beside them.
pub(in crate::artifact) const CATALOGS: Pattern = Pattern {
    magic: Magic::Catalog,
    places: &[
        Place::current("System32/CatRoot/*/*.cat"),
        Place::current("System32/DriverStore/FileRepository/*/*.cat"),
    ],
};

/// Looks through every catalog of the host for what is wanted, on the threads of the current rayon pool. The newest moment of the
/// evidence judges certificates of catalogs without a time stamp.
pub fn search(
    evidence: &dyn Evidence,
    wanted: &Wanted,
    reference: Option<Timestamp>,
    diagnostics: &mut Vec<Diagnostic>,
) -> Catalogs {
    search_with(evidence, wanted, reference, Roots::pinned(), diagnostics)
}

/// As [`search`], with other roots than the project's.
pub fn search_with(
    evidence: &dyn Evidence,
    wanted: &Wanted,
    reference: Option<Timestamp>,
    roots: &Roots,
    diagnostics: &mut Vec<Diagnostic>,
) -> Catalogs {
    let listing = evidence.find_current(&CATALOGS);
    let mut is_whole = listing.diagnostics.is_empty();
    diagnostics.extend(listing.diagnostics);
    let job = Job { evidence, wanted, roots, reference };
    let read: Vec<Outcome> = listing.found.par_iter().map(|found| job.read(found)).collect();
    let mut catalogs = Catalogs { count: read.len(), ..Catalogs::default() };
    let mut named: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (at, (outcome, found)) in read.into_iter().zip(&listing.found).enumerate() {
        match outcome {
            Outcome::Lost(diagnostic) => {
                is_whole = false;
                diagnostics.push(diagnostic);
            }
            Outcome::Damaged(diagnostic) => diagnostics.push(diagnostic),
            Outcome::Read(lists) => {
                for name in lists.names {
                    named.entry(name).or_default().push(at);
                }
                let Some(verdict) = lists.verdict else { continue };
                let catalog = Arc::new(Catalog { citation: citation(&found.path), verdict });
                for digest in lists.digests {
                    catalogs.by_digest.entry(digest).or_default().push(Arc::clone(&catalog));
                }
            }
        }
    }
    catalogs.by_name = job.names(&listing.found, named);
    let is_trusted_place = |found: &Found| found.path.as_str().to_lowercase().contains("/catroot/");
    let has_any = listing.found.iter().any(is_trusted_place);
    // The catalogs of a whole Windows list nearly all of its services' files.
    let is_part = wanted.digests.len() >= MANY && catalogs.by_digest.is_empty();
    catalogs.state = match (has_any, is_whole) {
        (false, true) => State::Absent,
        (false, false) if listing.found.is_empty() => State::Lost,
        (true, true) if !is_part => State::Complete,
        (_, _) => State::Partial,
    };
    catalogs
}

struct Job<'j> {
    evidence: &'j dyn Evidence,
    wanted: &'j Wanted,
    roots: &'j Roots,
    reference: Option<Timestamp>,
}

/// What a catalog lists of what is wanted.
#[derive(Default)]
struct Lists {
    digests: BTreeSet<Vec<u8>>,
    names: BTreeSet<String>,
    /// What its signature comes to; verified only where it lists a digest that is wanted.
    verdict: Option<Verdict>,
}

enum Outcome {
    Read(Lists),
    /// It is no catalog that Windows could use either.
    Damaged(Diagnostic),
    /// What it lists is not known.
    Lost(Diagnostic),
}

impl Job<'_> {
    /// The fuse: a panic over hostile bytes is a fault of this program and costs this catalog.
    fn read(&self, found: &Found) -> Outcome {
        let diagnostic =
            |impact, message| Diagnostic { artifact: found.path.to_string(), impact, message };
        let read = catch_unwind(AssertUnwindSafe(|| {
            let bytes = self.bytes(found)?;
            Ok(self.look_into(&bytes))
        }));
        match read {
            Ok(Ok(Ok(lists))) => Outcome::Read(lists),
            Ok(Ok(Err(refusal))) => {
                let message = format!("this catalog vouches for nothing: {refusal}");
                Outcome::Damaged(diagnostic(Impact::Note, message))
            }
            Ok(Err(message)) => Outcome::Lost(diagnostic(Impact::Partial, message)),
            Err(_) => {
                let message = "reading this catalog failed, a fault of this program".to_owned();
                Outcome::Lost(diagnostic(Impact::Partial, message))
            }
        }
    }

    fn bytes(&self, found: &Found) -> Result<Vec<u8>, String> {
        if found.size > LARGEST {
            let limit = LARGEST >> 20;
            return Err(format!("a catalog larger than {limit} MiB is not read"));
        }
        let failed = |error: std::io::Error| format!("this catalog cannot be read: {error}");
        let content = self.evidence.open(&found.path).map_err(failed)?;
        let mut bytes = Vec::new();
        content.take(LARGEST).read_to_end(&mut bytes).map_err(failed)?;
        Ok(bytes)
    }

    fn look_into(&self, bytes: &[u8]) -> Result<Lists, Refusal> {
        let data = trust_list(bytes)?;
        let mut lists = Lists::default();
        list::members(&data.content, |member| {
            for digest in member.digests() {
                if self.wanted.digests.contains(digest) {
                    lists.digests.insert(digest.to_vec());
                }
            }
            if let Some(name) =
                member.name.as_ref().filter(|name| self.wanted.names.contains(*name))
            {
                lists.names.insert(name.clone());
            }
        })?;
        if !lists.digests.is_empty() {
            lists.verdict = Some(judge(&data, Ok(()), self.roots, self.reference));
        }
        Ok(lists)
    }

    /// For each name the first catalog of Microsoft's that is valid.
    fn names(
        &self,
        found: &[Found],
        named: BTreeMap<String, Vec<usize>>,
    ) -> BTreeMap<String, Arc<Catalog>> {
        let named: Vec<(String, Vec<usize>)> = named.into_iter().collect();
        let catalogs = named.into_par_iter().filter_map(|(name, places)| {
            places.into_iter().take(MOST_FOR_A_NAME).find_map(|at| {
                let found = found.get(at)?;
                let verdict = catch_unwind(AssertUnwindSafe(|| {
                    let bytes = self.bytes(found).ok()?;
                    Some(judge(&trust_list(&bytes).ok()?, Ok(()), self.roots, self.reference))
                }));
                let verdict = verdict.ok().flatten()?;
                let is_good = verdict.status == SignatureStatus::Valid && verdict.is_microsoft;
                let catalog = Catalog { citation: citation(&found.path), verdict };
                is_good.then(|| (name.clone(), Arc::new(catalog)))
            })
        });
        catalogs.collect()
    }
}

fn trust_list(bytes: &[u8]) -> Result<SignedData<'_>, Refusal> {
    let data = SignedData::read(Value::of(bytes)?)?;
    if data.content_type == oid::TRUST_LIST {
        Ok(data)
    } else {
        Err(Refusal::Malformed("it is no list of files"))
    }
}
