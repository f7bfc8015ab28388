//! Whether files are still what the collector wrote down.

use std::io::{self, Read};

use md5::Md5;
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::evidence::{Evidence, EvidencePath, RecordedHash};
use crate::text;

/// Bytes that are hashed at a time.
const PIECE: usize = 64 << 10;

/// What a hash says about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HashVerdict {
    /// The file is what the collector copied.
    Match,
    /// It is not.
    Mismatch,
}

/// A file's hash beside the one that the collector wrote down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    /// Whether they are equal.
    pub verdict: HashVerdict,
    /// The algorithm: `SHA-256`.
    pub algorithm: &'static str,
    /// What the file's bytes give, in lower-case hexadecimal digits.
    pub actual: String,
    /// What the collector wrote down, in lower-case hexadecimal digits.
    pub recorded: String,
    /// The collector's record.
    pub source: String,
}

impl Verified {
    /// `its SHA-1 is …, but … recorded …`; for a mismatch.
    pub fn complaint(&self) -> String {
        format!(
            "its {} is {}, but the collector recorded {} ({}): the file was changed after it was collected, or \
             copied wrongly",
            self.algorithm, self.actual, self.recorded, self.source
        )
    }
}

/// Compares a file with the strongest hash that the collector wrote down; absent where it wrote none.
///
/// # Errors
/// As [`Evidence::open`], and while reading.
pub fn verify(evidence: &dyn Evidence, path: &EvidencePath) -> io::Result<Option<Verified>> {
    let Some((algorithm, recorded, hash, source)) =
        evidence.recorded_hash(path).and_then(strongest)
    else {
        return Ok(None);
    };
    let actual = hash(&mut evidence.open(path)?)?;
    let recorded = recorded.to_ascii_lowercase();
    let is_same = actual == recorded;
    let verdict = if is_same { HashVerdict::Match } else { HashVerdict::Mismatch };
    Ok(Some(Verified { verdict, algorithm, actual, recorded, source: source.to_owned() }))
}

/// The SHA-256 of a file, in lower-case hexadecimal digits.
///
/// # Errors
/// As [`Evidence::open`], and while reading.
pub fn sha256(evidence: &dyn Evidence, path: &EvidencePath) -> io::Result<String> {
    hash::<Sha256>(&mut evidence.open(path)?)
}

type Hash = fn(&mut dyn Read) -> io::Result<String>;

fn strongest(recorded: &RecordedHash) -> Option<(&'static str, &str, Hash, &str)> {
    let hashes: [(&str, &Option<String>, Hash); 3] = [
        ("SHA-256", &recorded.sha256, |bytes| hash::<Sha256>(bytes)),
        ("SHA-1", &recorded.sha1, |bytes| hash::<Sha1>(bytes)),
        ("MD5", &recorded.md5, |bytes| hash::<Md5>(bytes)),
    ];
    hashes.into_iter().find_map(|(algorithm, digits, hash)| {
        Some((algorithm, digits.as_deref()?, hash, recorded.source.as_str()))
    })
}

fn hash<D: Digest>(bytes: &mut dyn Read) -> io::Result<String> {
    let mut digest = D::new();
    let mut piece = vec![0; PIECE];
    loop {
        match bytes.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => digest.update(piece.get(..read).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(text::hex(&digest.finalize()))
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;
    use crate::evidence::{Content, Description, Listing, Metadata, Pattern};

    struct OneFile(RecordedHash);

    impl Evidence for OneFile {
        fn describe(&self) -> &Description {
            unreachable!()
        }

        fn find(&self, _wanted: &Pattern) -> Listing {
            Listing::default()
        }

        fn beside(&self, _path: &EvidencePath, _suffixes: &[&str]) -> Listing {
            Listing::default()
        }

        fn open(&self, _path: &EvidencePath) -> io::Result<Box<dyn Content>> {
            Ok(Box::new(Cursor::new(b"abc".to_vec())))
        }

        fn metadata(&self, _path: &EvidencePath) -> io::Result<Metadata> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn recorded_hash(&self, path: &EvidencePath) -> Option<&RecordedHash> {
            (path.as_str() == "SYSTEM").then_some(&self.0)
        }
    }

    // Test vectors of FIPS 180-4 and RFC 1321 for `abc`.
    const SHA256: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const SHA1: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";
    const MD5: &str = "900150983cd24fb0d6963f7d28e17f72";

    #[test]
    fn the_strongest_recorded_hash_decides() {
        let some = |digits: &str| Some(digits.to_owned());
        for (sha256, sha1, md5, algorithm, verdict) in [
            (some(SHA256), some("0"), None, "SHA-256", HashVerdict::Match),
            (some(SHA1), some(SHA1), None, "SHA-256", HashVerdict::Mismatch),
            (None, some(&SHA1.to_uppercase()), some("0"), "SHA-1", HashVerdict::Match),
            (None, None, some(MD5), "MD5", HashVerdict::Match),
        ] {
            let recorded = RecordedHash { source: "log.csv".into(), sha256, sha1, md5 };
            let verified = verify(&OneFile(recorded), &EvidencePath::new("SYSTEM"));
            let verified = verified.unwrap().unwrap();
            assert_eq!((verified.algorithm, verified.verdict), (algorithm, verdict));
            assert!(verified.complaint().contains("log.csv"));
        }
        let nothing = OneFile(RecordedHash::default());
        assert_eq!(verify(&nothing, &EvidencePath::new("SYSTEM")).unwrap(), None);
        assert_eq!(verify(&nothing, &EvidencePath::new("other")).unwrap(), None);
        assert_eq!(sha256(&nothing, &EvidencePath::new("other")).unwrap(), SHA256);
    }
}
