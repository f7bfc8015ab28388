//! Who vouches for a file: Authenticode signatures in it, and catalogs of the same evidence.
//!
//! Layouts: Microsoft, "Windows Authenticode Portable Executable Signature Format"; RFC 5652, 5280, 3161, 8017. Nobody is asked
//! whether a certificate was revoked. docs/signatures.md says what is checked and what is not.

mod algorithm;
mod asn1;
pub mod catalog;
mod certificate;
mod chain;
mod key;
mod moment;
mod name;
mod oid;
mod refusal;
mod roots;
mod rsa;
mod signed_data;
mod stamp;
mod table;
mod verdict;

use jiff::Timestamp;

pub use algorithm::Algorithm;
pub use catalog::Catalogs;
pub use roots::{PinnedRoot, Roots};

use asn1::Value;
use refusal::Refusal;
use signed_data::SignedData;
use verdict::{Verdict, indirect_digest, judge};

use crate::host::program_file::{Signature, SignatureStatus};

/// How many signatures of a file are looked at, nested ones with them: real files have one to three.
const MOST_SIGNATURES: usize = 8;

/// A file whose signatures are checked.
#[derive(Debug, Clone, Copy, Default)]
pub struct Subject<'a> {
    /// The certificate table of a PE image, as its data directory locates it; empty where there is none.
    pub table: &'a [u8],
    /// The Authenticode digests of a PE image, or the digests of the whole of another file, by algorithm.
    pub digests: &'a [(Algorithm, Vec<u8>)],
    /// When to judge certificates of a signature without a time stamp: the newest moment of the evidence.
    pub reference: Option<Timestamp>,
}

impl Subject<'_> {
    fn digest(&self, algorithm: Algorithm) -> Option<&[u8]> {
        let found = self.digests.iter().find(|(own, _)| *own == algorithm);
        found.map(|(_, digest)| digest.as_slice())
    }
}

/// The digest algorithms that the signatures in a certificate table are over, sorted: what must be computed besides SHA-1 and
/// SHA-256, which catalogs use.
pub fn algorithms(table: &[u8]) -> Vec<Algorithm> {
    let mut found = Vec::new();
    for message in signatures(&table::read(table).messages) {
        let Ok(data) = SignedData::read(message) else { continue };
        if let Ok((algorithm, _)) = indirect_digest(&data.content)
            && !found.contains(&algorithm)
        {
            found.push(algorithm);
        }
    }
    found.sort_unstable();
    found
}

/// Says who vouches for a file, by its own signatures and the catalogs of its evidence.
pub fn check(subject: &Subject<'_>, catalogs: &Catalogs) -> Signature {
    check_with(subject, catalogs, Roots::pinned())
}

/// As [`check`], with other roots than the project's.
pub fn check_with(subject: &Subject<'_>, catalogs: &Catalogs, roots: &Roots) -> Signature {
    let table = table::read(subject.table);
    let mut embedded = embedded(subject, &table.messages, roots);
    if embedded.is_empty() && !subject.table.is_empty() {
        let nothing =
            Refusal::Malformed("the certificate table holds no signature that can be read");
        embedded.push(Verdict::invalid(&nothing));
    }
    let mut signature = match best(&embedded) {
        Some(verdict) if verdict.status == SignatureStatus::Valid => {
            of_verdicts(verdict, &embedded)
        }
        failed => match catalogs.vouching(subject.digests) {
            Some(vouching) => vouching.signature(failed.and_then(|one| one.reason.as_deref())),
            None => match failed {
                Some(verdict) => of_verdicts(verdict, &embedded),
                None => catalogs.silent(),
            },
        },
    };
    signature.remarks.extend(table.remarks);
    signature
}

/// The messages of a table and those nested in them, in order.
fn signatures<'a>(messages: &[Value<'a>]) -> Vec<Value<'a>> {
    let mut found = Vec::new();
    for message in messages {
        found.push(*message);
        let Ok(data) = SignedData::read(*message) else { continue };
        for signer in &data.signers {
            found.extend(signer.unsigned_values(oid::NESTED_SIGNATURE).filter_map(Result::ok));
        }
    }
    found.truncate(MOST_SIGNATURES);
    found
}

fn embedded(subject: &Subject<'_>, messages: &[Value<'_>], roots: &Roots) -> Vec<Verdict> {
    let judged = signatures(messages).into_iter().map(|message| {
        let data = match SignedData::read(message) {
            Ok(data) => data,
            Err(refusal) => return Verdict::invalid(&refusal),
        };
        let stated = indirect_digest(&data.content);
        let content = match &stated {
            _ if data.content_type != oid::INDIRECT_DATA => {
                Err(Refusal::Malformed("it is about something else than a file"))
            }
            Err(refusal) => Err(refusal.clone()),
            Ok((algorithm, digest)) => match subject.digest(*algorithm) {
                Some(own) if own == *digest => Ok(()),
                Some(_) => Err(Refusal::DigestMismatch(algorithm.label())),
                None => Err(Refusal::Malformed("the file's digest could not be computed")),
            },
        };
        let digest = stated.ok().map(|(algorithm, _)| algorithm.label());
        Verdict { digest, ..judge(&data, content, roots, subject.reference) }
    });
    judged.collect()
}

/// The signature that counts: the first, unless it fails for its certificates and another holds. One that does not fit the file's
/// bytes is never made good by another.
fn best(verdicts: &[Verdict]) -> Option<&Verdict> {
    let first = verdicts.first()?;
    if first.status == SignatureStatus::Invalid {
        return Some(first);
    }
    let valid = verdicts.iter().find(|one| one.status == SignatureStatus::Valid);
    Some(valid.unwrap_or(first))
}

fn of_verdicts(counted: &Verdict, all: &[Verdict]) -> Signature {
    let mut remarks = Vec::new();
    for verdict in all {
        remarks.extend(verdict.remarks.iter().cloned());
        if !std::ptr::eq(verdict, counted) && verdict.status != SignatureStatus::Valid {
            let reason = verdict.reason.clone().unwrap_or_default();
            remarks.push(format!("a further signature is {}: {reason}", verdict.status.label()));
        }
    }
    Signature {
        status: counted.status,
        reason: counted.reason.clone(),
        remarks,
        digest: counted.digest,
        signers: all.iter().filter_map(|one| one.signer.clone()).collect(),
        catalog: None,
        is_windows: counted.is_windows,
        is_microsoft: counted.is_microsoft,
        is_forged: counted.is_forged,
        namesake: None,
    }
}
