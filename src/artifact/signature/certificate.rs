//! Certificates (RFC 5280).

use jiff::Timestamp;

use super::algorithm::Algorithm;
use super::asn1::{Reader, Value, tag};
use super::key::{Key, Scheme};
use super::name::Name;
use super::{Refusal, moment, oid};
use crate::host::program_file::CertificateName;

/// How many extensions and usages of a certificate are looked at.
const MOST_EXTENSIONS: usize = 64;
/// How many digits of a serial number are shown; the standard allows 20 octets.
const LONGEST_SERIAL: usize = 32;

/// A certificate.
#[derive(Debug, Clone)]
pub(super) struct Certificate<'a> {
    /// All of it.
    pub(super) whole: &'a [u8],
    /// The part that its issuer signed.
    signed: &'a [u8],
    /// The serial number as stored.
    pub(super) serial: &'a [u8],
    /// The issuer's name as stored.
    pub(super) issuer: &'a [u8],
    /// The subject's name as stored.
    pub(super) subject: &'a [u8],
    pub(super) not_before: Option<Timestamp>,
    pub(super) not_after: Option<Timestamp>,
    key: Value<'a>,
    algorithm: Value<'a>,
    signature: &'a [u8],
    extensions: Extensions<'a>,
}

/// What is read of a certificate's extensions.
#[derive(Debug, Clone, Default)]
struct Extensions<'a> {
    /// Whether it may sign certificates; absent where it does not say.
    is_authority: Option<bool>,
    /// How many authorities may stand below it.
    path_length: Option<usize>,
    /// What its key may be used for; absent where it does not say.
    usages: Option<Vec<&'a [u8]>>,
    /// The identifier of its key.
    subject_key: Option<&'a [u8]>,
}

impl<'a> Certificate<'a> {
    /// Reads a certificate.
    pub(super) fn read(value: Value<'a>) -> Result<Self, Refusal> {
        let mut fields = value.tagged(tag::SEQUENCE)?.inside();
        let signed = fields.expect(tag::SEQUENCE)?;
        let algorithm = fields.expect(tag::SEQUENCE)?;
        let signature = fields.expect(tag::BIT_STRING)?.whole_bits()?;
        let mut fields = signed.inside();
        fields.optional(tag::context(0))?;
        let serial = fields.expect(tag::INTEGER)?.content;
        if fields.expect(tag::SEQUENCE)?.content != algorithm.content {
            return Err(Refusal::Malformed("a certificate names two signature algorithms"));
        }
        let issuer = fields.expect(tag::SEQUENCE)?.whole;
        let mut validity = fields.expect(tag::SEQUENCE)?.inside();
        let (not_before, not_after) = (validity.any()?, validity.any()?);
        let subject = fields.expect(tag::SEQUENCE)?.whole;
        let key = fields.expect(tag::SEQUENCE)?;
        Ok(Self {
            whole: value.whole,
            signed: signed.whole,
            serial,
            issuer,
            subject,
            not_before: moment::read(not_before),
            not_after: moment::read(not_after),
            key,
            algorithm,
            signature,
            extensions: Extensions::after_key(fields)?,
        })
    }

    /// The subject's name.
    pub(super) fn subject_name(&self) -> Name<'a> {
        Name::read(self.subject)
    }

    /// What people call its subject.
    pub(super) fn common_name(&self) -> String {
        self.subject_name().common()
    }

    /// SHA-1 over all of it: what Windows calls its thumbprint.
    pub(super) fn thumbprint(&self) -> Vec<u8> {
        Algorithm::Sha1.digest(self.whole)
    }

    /// What of it is shown.
    pub(super) fn shown(&self) -> CertificateName {
        let serial = self.serial.strip_prefix(&[0]).filter(|rest| !rest.is_empty());
        let serial = serial.unwrap_or(self.serial);
        CertificateName {
            subject: self.subject_name().distinguished(),
            issuer: Name::read(self.issuer).distinguished(),
            serial: crate::text::hex(serial.get(..LONGEST_SERIAL).unwrap_or(serial)),
            thumbprint: crate::text::hex(&self.thumbprint()),
            not_before: self.not_before,
            not_after: self.not_after,
        }
    }

    /// Whether a signature over a message was made with its key.
    pub(super) fn verify(
        &self,
        scheme: Scheme,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Refusal> {
        if Key::read(self.key)?.verify(scheme, message, signature)? {
            Ok(())
        } else {
            Err(Refusal::SignatureMismatch(self.common_name()))
        }
    }

    /// Whether that certificate bears the name of this one's issuer.
    pub(super) fn names_issuer(&self, issuer: &Certificate<'_>) -> bool {
        self.issuer == issuer.subject || Name::read(self.issuer).is_same(&issuer.subject_name())
    }

    /// Whether it names itself as its issuer.
    pub(super) fn is_self_issued(&self) -> bool {
        self.names_issuer(self)
    }

    /// Whether its issuer's key signed it.
    pub(super) fn is_signed_by(&self, issuer: &Certificate<'_>) -> Result<(), Refusal> {
        issuer.verify(Scheme::read(self.algorithm, None)?, self.signed, self.signature)
    }

    /// Whether it may sign certificates with so many authorities between it and the signer.
    pub(super) fn may_issue(&self, authorities_below: usize) -> bool {
        self.extensions.is_authority == Some(true)
            && self.extensions.path_length.is_none_or(|most| authorities_below <= most)
    }

    /// Whether its key may be used for that, by its own word; one that says nothing allows anything.
    pub(super) fn allows(&self, usage: &[u8]) -> bool {
        self.extensions.usages.as_ref().is_none_or(|usages| {
            usages.iter().any(|one| *one == usage || *one == oid::FOR_ANYTHING)
        })
    }

    /// Whether it says that its key is for exactly that.
    pub(super) fn is_for(&self, usage: &[u8]) -> bool {
        self.extensions.usages.as_ref().is_some_and(|usages| usages.contains(&usage))
    }

    /// Whether it is the one with that key identifier.
    pub(super) fn has_key_identifier(&self, identifier: &[u8]) -> bool {
        self.extensions.subject_key == Some(identifier)
    }
}

impl<'a> Extensions<'a> {
    /// What follows the key in the signed part: two identifiers of old, and the extensions.
    fn after_key(mut fields: Reader<'a>) -> Result<Self, Refusal> {
        let mut read = Self::default();
        while let Some(field) = fields.next()? {
            if field.tag != tag::context(3) {
                continue;
            }
            let mut list = field.inside().expect(tag::SEQUENCE)?.inside();
            let mut count = 0_usize;
            while let Some(one) = list.next()? {
                count = count.saturating_add(1);
                if count > MOST_EXTENSIONS {
                    return Err(Refusal::TooMuch("a certificate with more extensions"));
                }
                read.take(one)?;
            }
        }
        Ok(read)
    }

    fn take(&mut self, extension: Value<'a>) -> Result<(), Refusal> {
        let mut fields = extension.tagged(tag::SEQUENCE)?.inside();
        let kind = fields.expect(tag::OBJECT_IDENTIFIER)?.content;
        fields.optional(tag::BOOLEAN)?;
        let value = fields.expect(tag::OCTET_STRING)?.content;
        match kind {
            oid::BASIC_CONSTRAINTS => {
                let mut fields = Value::of(value)?.tagged(tag::SEQUENCE)?.inside();
                let is_authority = fields.optional(tag::BOOLEAN)?;
                self.is_authority =
                    Some(is_authority.is_some_and(|one| one.content.iter().any(|byte| *byte != 0)));
                self.path_length = match fields.optional(tag::INTEGER)? {
                    None => None,
                    Some(number) => Some(match number.magnitude()? {
                        [] => 0,
                        [small] => usize::from(*small),
                        _ => usize::MAX,
                    }),
                };
            }
            oid::EXTENDED_KEY_USAGE => {
                let mut list = Value::of(value)?.tagged(tag::SEQUENCE)?.inside();
                let usages = self.usages.get_or_insert_default();
                while let Some(one) = list.next()? {
                    if usages.len() >= MOST_EXTENSIONS {
                        return Err(Refusal::TooMuch("a certificate with more usages"));
                    }
                    usages.push(one.tagged(tag::OBJECT_IDENTIFIER)?.content);
                }
            }
            oid::SUBJECT_KEY => {
                self.subject_key = Some(Value::of(value)?.tagged(tag::OCTET_STRING)?.content);
            }
            _ => {}
        }
        Ok(())
    }
}
