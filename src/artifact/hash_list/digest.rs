//! Digests by which lists know files.

use crate::host::program_file::{FileContent, ProgramFile};
use crate::text;

/// Which digest, in the order of what it proves: of two equal files the strongest agreement is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DigestKind {
    /// SHA-256 of the whole file.
    Sha256,
    /// SHA-1 of the whole file.
    Sha1,
    /// MD5 of the whole file.
    Md5,
    /// SHA-256 of the parts of a PE image that Authenticode signs: the same for every signature.
    AuthentihashSha256,
    /// SHA-1 of the same parts.
    AuthentihashSha1,
}

impl DigestKind {
    /// Every kind, strongest first.
    pub const ALL: [Self; 5] =
        [Self::Sha256, Self::Sha1, Self::Md5, Self::AuthentihashSha256, Self::AuthentihashSha1];

    /// The word in reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha1 => "sha1",
            Self::Md5 => "md5",
            Self::AuthentihashSha256 => "authentihash sha256",
            Self::AuthentihashSha1 => "authentihash sha1",
        }
    }

    /// Its length in bytes.
    pub const fn length(self) -> usize {
        match self {
            Self::Sha256 | Self::AuthentihashSha256 => 32,
            Self::Sha1 | Self::AuthentihashSha1 => 20,
            Self::Md5 => 16,
        }
    }

    /// The digest of a whole file that has that many bytes.
    pub const fn of_length(length: usize) -> Option<Self> {
        match length {
            32 => Some(Self::Sha256),
            20 => Some(Self::Sha1),
            16 => Some(Self::Md5),
            _ => None,
        }
    }
}

/// A digest, padded with zeros to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest {
    /// Which.
    pub kind: DigestKind,
    bytes: [u8; 32],
}

impl Digest {
    /// Reads the hexadecimal digits of a digest of that kind, in either case; nothing where they are no such digest.
    pub fn of_hex(kind: DigestKind, digits: &[u8]) -> Option<Self> {
        if digits.len() != kind.length().saturating_mul(2) {
            return None;
        }
        let (mut bytes, mut seen) = ([0; 32], 0);
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks().0) {
            let [high, low]: [u8; 2] = pair.map(nibble);
            seen |= high | low;
            *byte = high << 4 | low & 0xf;
        }
        (seen & NO_DIGIT == 0).then_some(Self { kind, bytes })
    }

    /// Reads the digits of a whole file's digest, which its length tells.
    pub fn of_any_hex(digits: &[u8]) -> Option<Self> {
        Self::of_hex(DigestKind::of_length(digits.len() / 2)?, digits)
    }

    /// A digest stored as bytes.
    pub fn of_bytes(kind: DigestKind, stored: &[u8]) -> Option<Self> {
        let mut bytes = [0; 32];
        bytes.get_mut(..kind.length())?.copy_from_slice(
            stored.get(..kind.length()).filter(|_| stored.len() == kind.length())?,
        );
        Some(Self { kind, bytes })
    }

    /// Its first two bytes: what a filter looks at.
    pub fn start(&self) -> u16 {
        let [first, second, ..] = self.bytes;
        u16::from_be_bytes([first, second])
    }

    /// Its digits in lower case.
    pub fn hex(&self) -> String {
        text::hex(self.bytes.get(..self.kind.length()).unwrap_or_default())
    }
}

/// Marks what is no hexadecimal digit.
const NO_DIGIT: u8 = 0x80;

/// The value of every hexadecimal digit: a list has billions of them.
#[expect(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "computed when the program is built: a wrong index would not compile"
)]
const NIBBLES: [u8; 256] = {
    let mut table = [NO_DIGIT; 256];
    let digits = *b"0123456789abcdef";
    let mut value = 0;
    while value < 16 {
        let digit = digits[value];
        table[digit as usize] = value as u8;
        table[digit.to_ascii_uppercase() as usize] = value as u8;
        value += 1;
    }
    table
};

fn nibble(digit: u8) -> u8 {
    NIBBLES.get(usize::from(digit)).copied().unwrap_or(NO_DIGIT)
}

/// The digests of a file, strongest first; none of one that was not read, nor of an empty one, which says nothing:
/// lists of both kinds hold it.
pub fn of_file(file: &ProgramFile) -> Vec<Digest> {
    file.content.as_ref().map(of_content).unwrap_or_default()
}

fn of_content(content: &FileContent) -> Vec<Digest> {
    if content.size == 0 {
        return Vec::new();
    }
    let digests = &content.digests;
    let whole = [
        (DigestKind::Sha256, digests.sha256.as_str()),
        (DigestKind::Sha1, digests.sha1.as_str()),
        (DigestKind::Md5, digests.md5.as_str()),
    ];
    let signed = content.executable.iter().flat_map(|executable| &executable.authentihashes);
    let signed = signed.filter_map(|(algorithm, digits)| match algorithm.as_str() {
        "sha256" => Some((DigestKind::AuthentihashSha256, digits.as_str())),
        "sha1" => Some((DigestKind::AuthentihashSha1, digits.as_str())),
        _ => None,
    });
    let mut found: Vec<Digest> = whole
        .into_iter()
        .chain(signed)
        .filter_map(|(kind, digits)| Digest::of_hex(kind, digits.as_bytes()))
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}

/// The digests in the field `Hashes` of a Sysmon event: `SHA256=…,MD5=…,IMPHASH=…`.
pub fn of_logged(hashes: &str) -> Vec<Digest> {
    let mut found: Vec<Digest> = hashes
        .split(',')
        .filter_map(|one| {
            let (name, digits) = one.split_once('=')?;
            let kind = match name.trim().to_ascii_uppercase().as_str() {
                "SHA256" => DigestKind::Sha256,
                "SHA1" => DigestKind::Sha1,
                "MD5" => DigestKind::Md5,
                _ => return None,
            };
            Digest::of_hex(kind, digits.trim().as_bytes())
        })
        .collect();
    found.sort_unstable();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_told_by_their_length() {
        for (digits, kind) in [
            ("d41d8cd98f00b204e9800998ecf8427e", Some(DigestKind::Md5)),
            ("DA39A3EE5E6B4B0D3255BFEF95601890AFD80709", Some(DigestKind::Sha1)),
            (
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                Some(DigestKind::Sha256),
            ),
            ("d41d8cd98f00b204e9800998ecf8427", None),
            ("d41d8cd98f00b204e9800998ecf8427g", None),
            ("d41d8cd98f00b204e9800998ecf8427e0", None),
            ("", None),
        ] {
            let read = Digest::of_any_hex(digits.as_bytes());
            assert_eq!(read.map(|digest| digest.kind), kind, "{digits}");
            if let Some(digest) = read {
                assert_eq!(digest.hex(), digits.to_lowercase());
            }
        }
    }

    #[test]
    fn sysmon_names_its_digests() {
        let logged = format!(
            "SHA1={},MD5={},SHA256={},IMPHASH={}",
            "AA".repeat(20),
            "bb".repeat(16),
            "cc".repeat(32),
            "dd".repeat(16)
        );
        let kinds: Vec<DigestKind> = of_logged(&logged).iter().map(|one| one.kind).collect();
        assert_eq!(kinds, [DigestKind::Sha256, DigestKind::Sha1, DigestKind::Md5]);
        assert!(of_logged("SHA256=,MD5").is_empty());
    }
}
