//! When a signature was made, as a time authority attests: PKCS #9 countersignatures and RFC 3161 tokens.

use jiff::Timestamp;

use super::algorithm::Algorithm;
use super::asn1::{Value, tag};
use super::certificate::Certificate;
use super::chain::{Budget, build};
use super::roots::Roots;
use super::signed_data::{SignedData, SignerInfo};
use super::{Refusal, moment, oid};
use crate::host::program_file::{SigningTime, TimeAuthority};

/// How many time stamps of a signature are looked at.
const MOST: usize = 4;

/// The first time stamp of a signature that holds, and why others do not.
pub(super) fn attested(
    signer: &SignerInfo<'_>,
    certificates: &[Certificate<'_>],
    roots: &Roots,
    budget: &Budget,
) -> (Option<SigningTime>, Vec<String>) {
    let mut refused = Vec::new();
    let tokens = signer.unsigned_values(oid::TIME_STAMP_TOKEN).take(MOST).map(|value| {
        value.and_then(|value| token(value, &signer.signature, certificates, roots, budget))
    });
    let countersignatures = signer.unsigned_values(oid::COUNTERSIGNATURE).take(MOST).map(|value| {
        value.and_then(|value| {
            countersignature(value, &signer.signature, certificates, roots, budget)
        })
    });
    for stamp in tokens.chain(countersignatures) {
        match stamp {
            Ok(time) => return (Some(time), refused),
            Err(refusal) => refused.push(format!("its time stamp does not count: {refusal}")),
        }
    }
    (None, refused)
}

/// A PKCS #9 countersignature: another signer's signature over the bytes of the signature (RFC 5652 11.4).
fn countersignature(
    value: Value<'_>,
    signature: &[u8],
    certificates: &[Certificate<'_>],
    roots: &Roots,
    budget: &Budget,
) -> Result<SigningTime, Refusal> {
    let signer = SignerInfo::read(value)?;
    let time = signer.signed_value(oid::SIGNING_TIME)?.and_then(moment::read);
    let time = time.ok_or(Refusal::Malformed("a countersignature without a time"))?;
    let certificate = signer.certificate(certificates)?;
    signer.verify(signature, &[], certificate)?;
    let name = authority(certificate, certificates, time, roots, budget)?;
    Ok(SigningTime { time, authority: TimeAuthority::Countersignature, name })
}

/// An RFC 3161 token.
fn token(
    value: Value<'_>,
    signature: &[u8],
    outer: &[Certificate<'_>],
    roots: &Roots,
    budget: &Budget,
) -> Result<SigningTime, Refusal> {
    let data = SignedData::read(value)?;
    if data.content_type != oid::TIME_STAMP_INFO {
        return Err(Refusal::Malformed("a token that is about no time"));
    }
    let signer = data.signers.first().ok_or(Refusal::Malformed("a token nobody signed"))?;
    let mut certificates = data.certificates.clone();
    certificates.extend(outer.iter().cloned());
    let certificate = signer.certificate(&certificates)?;
    signer.verify(&data.content, data.content_type, certificate)?;
    let time = stated_time(&data.content, signature)?;
    let name = authority(certificate, &certificates, time, roots, budget)?;
    Ok(SigningTime { time, authority: TimeAuthority::Rfc3161, name })
}

/// The time of a `TSTInfo` (RFC 3161 2.4.2) that is about those bytes.
fn stated_time(info: &[u8], signature: &[u8]) -> Result<Timestamp, Refusal> {
    let mut fields = Value::of(info)?.tagged(tag::SEQUENCE)?.inside();
    fields.expect(tag::INTEGER)?;
    fields.expect(tag::OBJECT_IDENTIFIER)?;
    let mut imprint = fields.expect(tag::SEQUENCE)?.inside();
    let algorithm = Algorithm::read(imprint.any()?)?;
    if *imprint.any()?.octets()? != *algorithm.digest(signature) {
        return Err(Refusal::MessageDigestMismatch);
    }
    fields.expect(tag::INTEGER)?;
    moment::read(fields.any()?).ok_or(Refusal::Malformed("a token without a time"))
}

/// The name of a time authority that leads to a root and was in office at that time.
fn authority(
    certificate: &Certificate<'_>,
    certificates: &[Certificate<'_>],
    time: Timestamp,
    roots: &Roots,
    budget: &Budget,
) -> Result<String, Refusal> {
    let name = certificate.common_name();
    if !certificate.is_for(oid::FOR_TIME_STAMPS) {
        return Err(Refusal::Usage(format!("{name} is no time authority")));
    }
    let chain = build(certificate, certificates, roots, budget)?;
    if chain.root.is_none() {
        let what = format!("{name} leads to no known root");
        return Err(Refusal::Usage(what));
    }
    chain.allows(oid::FOR_TIME_STAMPS)?;
    if chain.ended(time).is_some() || chain.not_begun(time).is_some() {
        return Err(Refusal::Usage(format!("the certificate of {name} was not good at that time")));
    }
    Ok(name)
}
