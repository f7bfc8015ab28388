//! Signed messages: PKCS #7 1.5 (RFC 2315) as Authenticode uses it, CMS (RFC 5652) as time stamps do.

use std::borrow::Cow;

use super::algorithm::Algorithm;
use super::asn1::{Reader, Value, tag};
use super::certificate::Certificate;
use super::key::Scheme;
use super::{Refusal, oid};

/// How many certificates, signers and attributes are looked at: real ones have 2 to 8, 1 and 3 to 8.
const MOST_CERTIFICATES: usize = 48;
const MOST_SIGNERS: usize = 4;
const MOST_ATTRIBUTES: usize = 48;

/// A signed message.
pub(super) struct SignedData<'a> {
    /// What the content is.
    pub(super) content_type: &'a [u8],
    /// The bytes that were signed: those of an octet string, or the content of another value.
    pub(super) content: Cow<'a, [u8]>,
    /// Its certificates, as far as they can be read.
    pub(super) certificates: Vec<Certificate<'a>>,
    /// Its signers.
    pub(super) signers: Vec<SignerInfo<'a>>,
    /// How many certificates could not be read.
    pub(super) unreadable: usize,
}

impl<'a> SignedData<'a> {
    /// Reads a `ContentInfo` that holds a signed message.
    pub(super) fn read(value: Value<'a>) -> Result<Self, Refusal> {
        let mut fields = value.tagged(tag::SEQUENCE)?.inside();
        if fields.expect(tag::OBJECT_IDENTIFIER)?.content != oid::SIGNED_DATA {
            return Err(Refusal::Malformed("it is no signed message"));
        }
        let message = fields.expect(tag::context(0))?.inside().expect(tag::SEQUENCE)?;
        let mut fields = message.inside();
        fields.expect(tag::INTEGER)?;
        fields.expect(tag::SET)?;
        let mut about = fields.expect(tag::SEQUENCE)?.inside();
        let content_type = about.expect(tag::OBJECT_IDENTIFIER)?.content;
        let content = match about.optional(tag::context(0))? {
            None => Cow::Borrowed(&[][..]),
            Some(wrapped) => {
                let value = wrapped.inside().any()?;
                match value.tag {
                    tag::OCTET_STRING | tag::OCTET_STRING_IN_PARTS => value.octets()?,
                    _ => Cow::Borrowed(value.content),
                }
            }
        };
        let mut read = Self {
            content_type,
            content,
            certificates: Vec::new(),
            signers: Vec::new(),
            unreadable: 0,
        };
        if let Some(list) = fields.optional(tag::context(0))? {
            read.take_certificates(list.inside())?;
        }
        fields.optional(tag::context(1))?;
        let mut signers = fields.expect(tag::SET)?.inside();
        while let Some(signer) = signers.next()? {
            if read.signers.len() >= MOST_SIGNERS {
                return Err(Refusal::TooMuch("more signers"));
            }
            read.signers.push(SignerInfo::read(signer)?);
        }
        Ok(read)
    }

    fn take_certificates(&mut self, mut list: Reader<'a>) -> Result<(), Refusal> {
        while let Some(one) = list.next()? {
            if self.certificates.len() >= MOST_CERTIFICATES {
                return Err(Refusal::TooMuch("more certificates"));
            }
            match Certificate::read(one) {
                Ok(certificate) => self.certificates.push(certificate),
                Err(_) => self.unreadable = self.unreadable.saturating_add(1),
            }
        }
        Ok(())
    }
}

/// Who a signer says it is.
#[derive(Clone, Copy)]
enum SignerId<'a> {
    /// By the issuer's name and the serial number of its certificate.
    Serial { issuer: &'a [u8], serial: &'a [u8] },
    /// By the identifier of its key.
    Key(&'a [u8]),
}

/// One signer's part of a signed message.
pub(super) struct SignerInfo<'a> {
    id: SignerId<'a>,
    digest: Value<'a>,
    /// The signed attributes as they stand.
    signed: Option<Value<'a>>,
    algorithm: Value<'a>,
    /// The signature's bytes.
    pub(super) signature: Cow<'a, [u8]>,
    signed_attributes: Vec<Attribute<'a>>,
    unsigned_attributes: Vec<Attribute<'a>>,
}

/// An attribute of a signer.
#[derive(Clone, Copy)]
struct Attribute<'a> {
    kind: &'a [u8],
    values: Value<'a>,
}

impl<'a> SignerInfo<'a> {
    /// Reads a `SignerInfo`.
    pub(super) fn read(value: Value<'a>) -> Result<Self, Refusal> {
        let mut fields = value.tagged(tag::SEQUENCE)?.inside();
        fields.expect(tag::INTEGER)?;
        let id = fields.any()?;
        let id = if id.tag == tag::plain_context(0) {
            SignerId::Key(id.content)
        } else {
            let mut fields = id.tagged(tag::SEQUENCE)?.inside();
            let issuer = fields.expect(tag::SEQUENCE)?.whole;
            SignerId::Serial { issuer, serial: fields.expect(tag::INTEGER)?.content }
        };
        let digest = fields.expect(tag::SEQUENCE)?;
        let signed = fields.optional(tag::context(0))?;
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature = fields.any()?.octets()?;
        let unsigned = fields.optional(tag::context(1))?;
        Ok(Self {
            id,
            digest,
            signed,
            algorithm,
            signature,
            signed_attributes: attributes(signed)?,
            unsigned_attributes: attributes(unsigned)?,
        })
    }

    /// The digest algorithm of the content.
    pub(super) fn digest(&self) -> Result<Algorithm, Refusal> {
        Algorithm::read(self.digest)
    }

    /// The certificate with which it says it signed.
    pub(super) fn certificate<'c>(
        &self,
        certificates: &'c [Certificate<'a>],
    ) -> Result<&'c Certificate<'a>, Refusal> {
        certificates
            .iter()
            .find(|one| match self.id {
                SignerId::Serial { issuer, serial } => one.issuer == issuer && one.serial == serial,
                SignerId::Key(identifier) => one.has_key_identifier(identifier),
            })
            .ok_or(Refusal::NoCertificate)
    }

    /// Whether it signed that content with the key of that certificate. The content's type must be the one it signed.
    pub(super) fn verify(
        &self,
        content: &[u8],
        content_type: &[u8],
        certificate: &Certificate<'_>,
    ) -> Result<(), Refusal> {
        let digest = self.digest()?;
        let scheme = Scheme::read(self.algorithm, Some(digest))?;
        let Some(signed) = self.signed else {
            return certificate.verify(scheme, content, &self.signature);
        };
        let stated = self.signed_value(oid::MESSAGE_DIGEST)?;
        let stated = stated.ok_or(Refusal::Malformed("the signed attributes lack a digest"))?;
        if *stated.octets()? != *digest.digest(content) {
            return Err(Refusal::MessageDigestMismatch);
        }
        // A countersignature has no content type (RFC 5652 11.4).
        if let Some(stated) = self.signed_value(oid::CONTENT_TYPE)?
            && stated.content != content_type
            && !content_type.is_empty()
        {
            return Err(Refusal::Malformed(
                "the signed attributes are about another type of content",
            ));
        }
        certificate.verify(scheme, &as_set(signed.content), &self.signature)
    }

    /// The value of a signed attribute.
    pub(super) fn signed_value(&self, kind: &[u8]) -> Result<Option<Value<'a>>, Refusal> {
        values(&self.signed_attributes, kind).next().transpose()
    }

    /// The values of unsigned attributes of a kind, all attributes and all their values.
    pub(super) fn unsigned_values(
        &self,
        kind: &'static [u8],
    ) -> impl Iterator<Item = Result<Value<'a>, Refusal>> + '_ {
        values(&self.unsigned_attributes, kind)
    }
}

fn values<'a>(
    attributes: &[Attribute<'a>],
    kind: &[u8],
) -> impl Iterator<Item = Result<Value<'a>, Refusal>> {
    attributes.iter().filter(move |one| one.kind == kind).flat_map(|one| {
        let mut values = one.values.inside();
        std::iter::from_fn(move || values.next().transpose()).take(MOST_SIGNERS)
    })
}

/// What is signed of signed attributes: a SET OF, whatever tag they bear where they stand (RFC 5652 5.4).
fn as_set(content: &[u8]) -> Vec<u8> {
    let length = content.len().to_be_bytes();
    let start = length.iter().position(|byte| *byte != 0).unwrap_or(length.len());
    let octets = length.get(start..).unwrap_or_default();
    let mut set = vec![tag::SET];
    match octets {
        [] => set.push(0),
        [small] if *small < 0x80 => set.push(*small),
        octets => {
            // A length has at most eight octets.
            set.push(0x80 | u8::try_from(octets.len()).unwrap_or(8));
            set.extend_from_slice(octets);
        }
    }
    set.extend_from_slice(content);
    set
}

fn attributes(set: Option<Value<'_>>) -> Result<Vec<Attribute<'_>>, Refusal> {
    let mut found = Vec::new();
    let Some(set) = set else { return Ok(found) };
    let mut list = set.inside();
    while let Some(one) = list.next()? {
        if found.len() >= MOST_ATTRIBUTES {
            return Err(Refusal::TooMuch("more attributes of a signer"));
        }
        let mut fields = one.tagged(tag::SEQUENCE)?.inside();
        let kind = fields.expect(tag::OBJECT_IDENTIFIER)?.content;
        found.push(Attribute { kind, values: fields.expect(tag::SET)? });
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signed_attributes_become_a_set() {
        assert_eq!(as_set(&[1, 2]), [0x31, 2, 1, 2]);
        assert_eq!(as_set(&[]), [0x31, 0]);
        assert_eq!(as_set(&[0; 0x80]).get(..3), Some(&[0x31, 0x81, 0x80][..]));
        assert_eq!(as_set(&[0; 0x1234]).get(..4), Some(&[0x31, 0x82, 0x12, 0x34][..]));
    }
}
