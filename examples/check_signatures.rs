//! Prints for each file given, one a line: the answer, the signer, the time of a time stamp, the reason, separated by tabs.
//! `--at=TIME` says when to judge certificates of signatures without a time stamp, `--roots=FILE` at which roots to end.
//!
//! `.ci/signatures.py` compares this with what osslsigncode says.

#![expect(clippy::print_stdout, reason = "its output")]
#![expect(clippy::disallowed_methods, reason = "a tool for tests")]
#![expect(clippy::unwrap_used, reason = "a tool for tests")]

use svctriage::artifact::signature::{Algorithm, Catalogs, Roots, Subject, algorithms, check_with};

#[path = "../tests/it/support/authentihash.rs"]
#[expect(dead_code, reason = "what tests use is more")]
mod authentihash;

fn main() {
    let mut reference = None;
    let mut own = None;
    for argument in std::env::args().skip(1) {
        if let Some(time) = argument.strip_prefix("--at=") {
            reference = Some(time.parse().unwrap());
            continue;
        }
        if let Some(path) = argument.strip_prefix("--roots=") {
            own = Some(Roots::read(std::fs::read_to_string(path).unwrap().leak()));
            continue;
        }
        let bytes = std::fs::read(&argument).unwrap();
        let is_image = bytes.starts_with(b"MZ");
        let table = if is_image { authentihash::table(&bytes) } else { &[] };
        let mut wanted = algorithms(table);
        wanted.extend([Algorithm::Sha1, Algorithm::Sha256]);
        wanted.dedup();
        let digest = |one: Algorithm| {
            (one, if is_image { authentihash::digest(one, &bytes) } else { one.digest(&bytes) })
        };
        let digests: Vec<_> = wanted.into_iter().map(digest).collect();
        let subject = Subject { table, digests: &digests, reference };
        let signature =
            check_with(&subject, &Catalogs::default(), own.as_ref().unwrap_or(Roots::pinned()));
        let signer = signature.signers.first();
        let time = signer.and_then(|one| one.time.as_ref()).map(|time| time.time.to_string());
        println!(
            "{argument}\t{}\t{}\t{}\t{}\t{}\t{}",
            signature.status.label(),
            signature.signer().unwrap_or("-"),
            time.unwrap_or_else(|| "-".to_owned()),
            signature.reason.as_deref().unwrap_or("-"),
            signature.remarks.join("; "),
            if signature.is_windows {
                "windows"
            } else if signature.is_microsoft {
                "microsoft"
            } else {
                ""
            },
        );
    }
}
