//! Public keys, and whether a signature was made with one.

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;

use super::algorithm::Algorithm;
use super::asn1::{Value, tag};
use super::rsa::RsaKey;
use super::{Refusal, oid};

/// How a signature was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scheme {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 8.2).
    Pkcs1(Algorithm),
    /// RSASSA-PSS (RFC 8017 8.1).
    Pss {
        /// The digest of the message.
        digest: Algorithm,
        /// The digest of the mask.
        mask: Algorithm,
        /// The length of the salt in bytes.
        salt: usize,
    },
    /// ECDSA (FIPS 186-5).
    Ecdsa(Algorithm),
}

impl Scheme {
    /// Reads an `AlgorithmIdentifier`. Where it names the key only, as signatures of PKCS #7 do, `digest` says the rest.
    pub(super) fn read(algorithm: Value<'_>, digest: Option<Algorithm>) -> Result<Self, Refusal> {
        let mut fields = algorithm.tagged(tag::SEQUENCE)?.inside();
        let identifier = fields.expect(tag::OBJECT_IDENTIFIER)?.content;
        Ok(match identifier {
            oid::RSA_SHA1 | oid::RSA_SHA1_OLD => Self::Pkcs1(Algorithm::Sha1),
            oid::RSA_SHA256 => Self::Pkcs1(Algorithm::Sha256),
            oid::RSA_SHA384 => Self::Pkcs1(Algorithm::Sha384),
            oid::RSA_SHA512 => Self::Pkcs1(Algorithm::Sha512),
            oid::ECDSA_SHA1 => Self::Ecdsa(Algorithm::Sha1),
            oid::ECDSA_SHA256 => Self::Ecdsa(Algorithm::Sha256),
            oid::ECDSA_SHA384 => Self::Ecdsa(Algorithm::Sha384),
            oid::ECDSA_SHA512 => Self::Ecdsa(Algorithm::Sha512),
            oid::RSA_PSS => Self::pss(fields.next()?)?,
            oid::RSA_MD5 => return Err(Refusal::Broken("MD5")),
            oid::RSA_MD2 => return Err(Refusal::Broken("MD2")),
            other => match (other, digest) {
                (oid::RSA, Some(digest)) => Self::Pkcs1(digest),
                (oid::ELLIPTIC, Some(digest)) => Self::Ecdsa(digest),
                _ => return Err(Refusal::Unsupported(oid::dotted(other))),
            },
        })
    }

    /// `RSASSA-PSS-params` with its defaults.
    fn pss(parameters: Option<Value<'_>>) -> Result<Self, Refusal> {
        let (mut digest, mut mask, mut salt) = (Algorithm::Sha1, Algorithm::Sha1, 20);
        let mut fields = match parameters {
            Some(value) if value.tag == tag::SEQUENCE => value.inside(),
            _ => return Ok(Self::Pss { digest, mask, salt }),
        };
        while let Some(field) = fields.next()? {
            let value = field.inside().any()?;
            match field.tag {
                one if one == tag::context(0) => digest = Algorithm::read(value)?,
                one if one == tag::context(1) => {
                    let mut fields = value.tagged(tag::SEQUENCE)?.inside();
                    if fields.expect(tag::OBJECT_IDENTIFIER)?.content != oid::MGF1 {
                        return Err(Refusal::Malformed("a mask of another kind than MGF1"));
                    }
                    mask = Algorithm::read(fields.any()?)?;
                }
                one if one == tag::context(2) => {
                    salt = match value.magnitude()? {
                        [] => 0,
                        [small] => usize::from(*small),
                        _ => return Err(Refusal::Malformed("a salt longer than any digest")),
                    };
                }
                _ => {}
            }
        }
        Ok(Self::Pss { digest, mask, salt })
    }
}

/// A public key.
pub(super) enum Key<'a> {
    /// RSA.
    Rsa(RsaKey<'a>),
    /// A point of a curve, the curve by its identifier.
    Elliptic(&'a [u8], &'a [u8]),
}

impl<'a> Key<'a> {
    /// Reads a `SubjectPublicKeyInfo`.
    pub(super) fn read(value: Value<'a>) -> Result<Self, Refusal> {
        let mut fields = value.tagged(tag::SEQUENCE)?.inside();
        let mut algorithm = fields.expect(tag::SEQUENCE)?.inside();
        let bits = fields.expect(tag::BIT_STRING)?.whole_bits()?;
        match algorithm.expect(tag::OBJECT_IDENTIFIER)?.content {
            oid::RSA | oid::RSA_PSS => {
                let mut numbers = Value::of(bits)?.tagged(tag::SEQUENCE)?.inside();
                let modulus = numbers.any()?.magnitude()?;
                RsaKey::new(modulus, numbers.any()?.magnitude()?).map(Self::Rsa)
            }
            oid::ELLIPTIC => {
                let curve = algorithm.expect(tag::OBJECT_IDENTIFIER)?.content;
                Ok(Self::Elliptic(curve, bits))
            }
            other => Err(Refusal::Unsupported(oid::dotted(other))),
        }
    }

    /// Whether the signature over a message was made with this key.
    pub(super) fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<bool, Refusal> {
        match (self, scheme) {
            (Self::Rsa(key), Scheme::Pkcs1(digest)) => {
                Ok(key.verify_pkcs1(digest, message, signature))
            }
            (Self::Rsa(key), Scheme::Pss { digest, mask, salt }) => {
                Ok(key.verify_pss(digest, mask, salt, message, signature))
            }
            (Self::Elliptic(curve, point), Scheme::Ecdsa(digest)) => {
                elliptic(curve, point, &digest.digest(message), signature)
            }
            _ => Err(Refusal::Malformed("a signature of another kind than its key")),
        }
    }
}

/// Whether an ECDSA signature over a digest was made with the key at that point of the curve.
fn elliptic(curve: &[u8], point: &[u8], digest: &[u8], signature: &[u8]) -> Result<bool, Refusal> {
    macro_rules! verify {
        ($curve:ident) => {{
            let key = $curve::ecdsa::VerifyingKey::from_sec1_bytes(point)
                .map_err(|_| Refusal::Key("it is no point of its curve"))?;
            $curve::ecdsa::DerSignature::from_bytes(signature)
                .and_then(|signature| $curve::ecdsa::Signature::try_from(signature))
                .is_ok_and(|signature| key.verify_prehash(digest, &signature).is_ok())
        }};
    }
    Ok(match curve {
        oid::P256 => verify!(p256),
        oid::P384 => verify!(p384),
        oid::P521 => verify!(p521),
        other => return Err(Refusal::Unsupported(oid::dotted(other))),
    })
}
