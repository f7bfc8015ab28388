//! Digest algorithms of signatures.

use sha1::Sha1;
use sha2::{Digest as _, Sha256, Sha384, Sha512};

use super::asn1::{Value, tag};
use super::{Refusal, oid};

/// A digest algorithm that a signature may rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// SHA-1: not proof against those who make two files of one digest, but against changing a given file.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// The word in reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Sha1 => "sha1",
            Self::Sha256 => "sha256",
            Self::Sha384 => "sha384",
            Self::Sha512 => "sha512",
        }
    }

    /// The algorithm of that label.
    pub fn labeled(label: &str) -> Option<Self> {
        [Self::Sha1, Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|one| one.label() == label)
    }

    /// The digest of some bytes.
    pub fn digest(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha1 => Sha1::digest(bytes).to_vec(),
            Self::Sha256 => Sha256::digest(bytes).to_vec(),
            Self::Sha384 => Sha384::digest(bytes).to_vec(),
            Self::Sha512 => Sha512::digest(bytes).to_vec(),
        }
    }

    /// The size of a digest in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// Its identifier.
    pub(super) const fn identifier(self) -> &'static [u8] {
        match self {
            Self::Sha1 => oid::SHA1,
            Self::Sha256 => oid::SHA256,
            Self::Sha384 => oid::SHA384,
            Self::Sha512 => oid::SHA512,
        }
    }

    /// The algorithm of an identifier.
    pub(super) fn identified(identifier: &[u8]) -> Result<Self, Refusal> {
        match identifier {
            oid::SHA1 => Ok(Self::Sha1),
            oid::SHA256 => Ok(Self::Sha256),
            oid::SHA384 => Ok(Self::Sha384),
            oid::SHA512 => Ok(Self::Sha512),
            oid::MD5 => Err(Refusal::Broken("MD5")),
            oid::MD2 => Err(Refusal::Broken("MD2")),
            other => Err(Refusal::Unsupported(oid::dotted(other))),
        }
    }

    /// The algorithm of an `AlgorithmIdentifier`, whose parameters digests do not have.
    pub(super) fn read(value: Value<'_>) -> Result<Self, Refusal> {
        let mut fields = value.tagged(tag::SEQUENCE)?.inside();
        Self::identified(fields.expect(tag::OBJECT_IDENTIFIER)?.content)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_named_and_sized() {
        for one in [Algorithm::Sha1, Algorithm::Sha256, Algorithm::Sha384, Algorithm::Sha512] {
            assert_eq!(Algorithm::labeled(one.label()), Some(one));
            assert_eq!(Algorithm::identified(one.identifier()), Ok(one));
            assert_eq!(one.digest(b"abc").len(), one.size());
        }
        assert_eq!(Algorithm::identified(oid::MD5), Err(Refusal::Broken("MD5")));
        assert_eq!(
            Algorithm::identified(&[0x2a, 3]),
            Err(Refusal::Unsupported("1.2.3".to_owned()))
        );
    }
}
