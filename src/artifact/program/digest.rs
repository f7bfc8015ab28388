//! Digests of a file that is read once, front to back.

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::executable::Span;
use crate::host::program_file::Digests;
use crate::text;

/// A digest algorithm that a signature may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Algorithm {
    Md5,
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// Object identifiers in DER, as a signature names its digest algorithm.
const IDENTIFIERS: [(Algorithm, &[u8]); 3] = [
    (Algorithm::Md5, b"\x06\x08\x2a\x86\x48\x86\xf7\x0d\x02\x05"),
    (Algorithm::Sha384, b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02"),
    (Algorithm::Sha512, b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03"),
];

impl Algorithm {
    const fn label(self) -> &'static str {
        match self {
            Self::Md5 => "md5",
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// Those that catalogs and lists use, and whatever else a certificate table names anywhere: one too many costs little.
    fn of_signatures(certificates: &[u8]) -> Vec<Self> {
        let named = |identifier: &[u8]| {
            certificates.windows(identifier.len()).any(|window| window == identifier)
        };
        let others = IDENTIFIERS.into_iter().filter(|(_, identifier)| named(identifier));
        let mut found: Vec<_> = others.map(|(algorithm, _)| algorithm).collect();
        found.extend([Self::Sha1, Self::Sha256]);
        found.sort_unstable();
        found
    }
}

/// A digest in the making.
enum Hasher {
    Md5(Md5),
    Sha1(Sha1),
    Sha256(Sha256),
    Sha384(Sha384),
    Sha512(Sha512),
}

impl Hasher {
    fn new(algorithm: Algorithm) -> Self {
        match algorithm {
            Algorithm::Md5 => Self::Md5(Md5::new()),
            Algorithm::Sha1 => Self::Sha1(Sha1::new()),
            Algorithm::Sha256 => Self::Sha256(Sha256::new()),
            Algorithm::Sha384 => Self::Sha384(Sha384::new()),
            Algorithm::Sha512 => Self::Sha512(Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hasher) => hasher.update(bytes),
            Self::Sha1(hasher) => hasher.update(bytes),
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha384(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> String {
        match self {
            Self::Md5(hasher) => text::hex(&hasher.finalize()),
            Self::Sha1(hasher) => text::hex(&hasher.finalize()),
            Self::Sha256(hasher) => text::hex(&hasher.finalize()),
            Self::Sha384(hasher) => text::hex(&hasher.finalize()),
            Self::Sha512(hasher) => text::hex(&hasher.finalize()),
        }
    }
}

/// Digests of the whole file.
#[derive(Default)]
pub(super) struct Whole {
    md5: Md5,
    sha1: Sha1,
    sha256: Sha256,
}

impl Whole {
    /// Takes the next part.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        self.sha1.update(bytes);
        self.sha256.update(bytes);
    }

    /// The digests.
    pub(super) fn finish(self) -> Digests {
        Digests {
            sha256: text::hex(&self.sha256.finalize()),
            sha1: text::hex(&self.sha1.finalize()),
            md5: text::hex(&self.md5.finalize()),
        }
    }
}

/// Authenticode digests of a PE image (Microsoft, "Windows Authenticode Portable Executable Signature Format"): over all
/// bytes but the checksum, the certificate table and its entry in the directories. An image without a table is filled
/// up with zeros to a multiple of eight, as Windows does (`Get-AppLockerFileInformation`, winsiderss/systeminformer issue 3073); other
/// tools leave that out.
pub(super) struct Authenticode {
    hashers: Vec<(Algorithm, Hasher)>,
    left_out: Vec<Span>,
    padding: usize,
}

impl Authenticode {
    /// Of an image of that size with these places left out, sorted, by the algorithms that its certificate table names.
    pub(super) fn new(size: u64, left_out: Vec<Span>, certificates: &[u8]) -> Self {
        let algorithms = Algorithm::of_signatures(certificates).into_iter();
        let missing = size.next_multiple_of(8).saturating_sub(size);
        let padding = if certificates.is_empty() { missing } else { 0 };
        Self {
            hashers: algorithms.map(|algorithm| (algorithm, Hasher::new(algorithm))).collect(),
            left_out,
            padding: usize::try_from(padding).unwrap_or_default(),
        }
    }

    /// Takes the next part, which begins at an offset.
    pub(super) fn update(&mut self, offset: u64, bytes: &[u8]) {
        let end = offset.saturating_add(bytes.len() as u64);
        let index = |at: u64| usize::try_from(at.saturating_sub(offset)).unwrap_or(usize::MAX);
        let mut at = offset;
        let hashers = &mut self.hashers;
        let mut take = |from: u64, to: u64| {
            let part = bytes.get(index(from)..index(to)).unwrap_or_default();
            for (_, hasher) in hashers.iter_mut().filter(|_| !part.is_empty()) {
                hasher.update(part);
            }
        };
        for span in self.left_out.iter().filter(|span| span.start < end && span.end > offset) {
            if span.start > at {
                take(at, span.start);
            }
            at = at.max(span.end);
        }
        if at < end {
            take(at, end);
        }
    }

    /// The digests with their algorithms' names, sorted.
    pub(super) fn finish(self) -> Vec<(String, String)> {
        let padding = [0; 8];
        let padding = padding.get(..self.padding).unwrap_or_default();
        let finished = self.hashers.into_iter().map(|(algorithm, mut hasher)| {
            hasher.update(padding);
            (algorithm.label().to_owned(), hasher.finish())
        });
        finished.collect()
    }
}
