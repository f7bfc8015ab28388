//! The stage that says who vouches for files: their own signatures, and the catalogs of the same evidence.

use jiff::Timestamp;
use rayon::iter::{
    IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator,
};

use super::fused;
use crate::artifact::signature::{Algorithm, Catalogs, Subject, catalog, check};
use crate::diagnostic::Diagnostic;
use crate::evidence::{Evidence, Extent};
use crate::host::program_file::{ProgramFile, SignatureStatus};
use crate::host::{Coverage, Origin, Span, State};

/// Checks the signatures of the files that were read, and records in `coverage` how far the catalogs could answer. `tables`
/// has the certificate table of each file.
pub(super) fn check_all(
    evidence: &dyn Evidence,
    files: &mut [ProgramFile],
    tables: &[Vec<u8>],
    coverage: &mut Coverage,
    diagnostics: &mut Vec<Diagnostic>,
) {
    if files.iter().all(|file| file.content.is_none()) {
        return;
    }
    let digests: Vec<Vec<(Algorithm, Vec<u8>)>> = files.iter().map(digests).collect();
    let reference = newest(coverage, files);
    let mut wanted = catalog::Wanted::default();
    for (file, digests) in files.iter().zip(&digests).filter(|(file, _)| file.content.is_some()) {
        wanted.digests.extend(digests.iter().map(|(_, digest)| digest.clone()));
        wanted.names.insert(file.leaf());
    }
    let mut catalogs = catalog::search(evidence, &wanted, reference, diagnostics);
    // What a collector left behind says nothing about what was there.
    if evidence.extent() != Extent::Whole && catalogs.state == State::Complete {
        catalogs.state = State::Partial;
    }
    cover(&catalogs, coverage);
    let told: Vec<_> = files
        .par_iter_mut()
        .zip(tables.par_iter().zip(digests.par_iter()))
        .map(|(file, (table, digests))| {
            let subject = Subject { table, digests, reference };
            fused(file, |file| check_one(file, &subject, &catalogs))
        })
        .collect();
    diagnostics.extend(told.into_iter().flatten());
}

fn check_one(
    file: &mut ProgramFile,
    subject: &Subject<'_>,
    catalogs: &Catalogs,
) -> Vec<Diagnostic> {
    if file.content.is_none() {
        return Vec::new();
    }
    file.signature = check(subject, catalogs);
    if !file.signature.status.is_valid() {
        file.signature.namesake = catalogs.naming(&file.leaf()).cloned();
    }
    // Scripts and texts cannot bear a signature that is read here, so that silence of catalogs says nothing about them.
    if file.signature.status == SignatureStatus::Unsigned && file.executable().is_none() {
        let kind = file.content.as_ref().map_or("file", |content| content.kind);
        file.signature.reason = Some(format!(
            "no catalog lists it; a signature in a file of this kind ({kind}) is not read"
        ));
        file.signature.status = SignatureStatus::Unknown;
    }
    Vec::new()
}

/// The Authenticode digests of a PE image, the digests of the whole of another file.
fn digests(file: &ProgramFile) -> Vec<(Algorithm, Vec<u8>)> {
    let Some(content) = &file.content else { return Vec::new() };
    let of = |algorithm: Algorithm, text: &str| Some((algorithm, bytes(text)?));
    match &content.executable {
        Some(image) => image
            .authentihashes
            .iter()
            .filter_map(|(name, text)| of(Algorithm::labeled(name)?, text))
            .collect(),
        None => {
            [(Algorithm::Sha1, &content.digests.sha1), (Algorithm::Sha256, &content.digests.sha256)]
                .into_iter()
                .filter_map(|(algorithm, text)| of(algorithm, text))
                .collect()
        }
    }
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let pair = |pair: &[u8; 2]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    rest.is_empty().then(|| pairs.iter().map(pair).collect())?
}

/// The newest moment of the evidence: the last record of a log, the newest key. Where it has neither, the newest time of the files
/// themselves.
fn newest(coverage: &Coverage, files: &[ProgramFile]) -> Option<Timestamp> {
    coverage.newest().or_else(|| {
        let records = files.iter().filter_map(|file| file.record.as_ref());
        let times = records.flat_map(|record| &record.metadata.times);
        times.filter_map(|times| times.changed.max(times.modified)).max()
    })
}

fn cover(catalogs: &Catalogs, coverage: &mut Coverage) {
    if catalogs.state == State::Absent {
        return;
    }
    let note = format!("{} catalogs of signatures", catalogs.count);
    let span = Span { state: catalogs.state, from: None, to: None, notes: vec![note] };
    coverage.record(Origin::Catalogs, span);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_bytes_again() {
        assert_eq!(bytes("00ff10"), Some(vec![0, 0xff, 0x10]));
        assert_eq!(bytes("0"), None);
        assert_eq!(bytes("zz"), None);
        assert_eq!(bytes(""), Some(Vec::new()));
    }
}
