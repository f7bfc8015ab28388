//! Who vouches for a file's bytes.

use serde::{Deserialize, Serialize};

use crate::host::Citation;
use crate::host::program_file::{
    CertificateName, Signature, SignatureStatus, Signer, SigningTime, TimeAuthority,
};
use crate::report::Stamp;

/// Who vouches for a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignatureReport {
    /// The answer.
    pub status: SignatureStatus,
    /// Why, where the answer needs a word.
    pub reason: Option<String>,
    /// The digest algorithm that the signature is over.
    pub digest: Option<String>,
    /// The signers: the primary one first, then nested ones.
    pub signers: Vec<SignerReport>,
    /// The catalog that holds it.
    pub catalog: Option<Citation>,
    /// What else is worth knowing about it.
    pub remarks: Vec<String>,
    /// Whether a valid signature was made with a certificate that Microsoft uses for parts of Windows.
    pub windows: bool,
    /// Whether a valid signature was made by Microsoft in its own name.
    pub microsoft: bool,
    /// A valid catalog of Microsoft's that lists a file of this name, where none lists these bytes.
    pub namesake: Option<Citation>,
}

/// A signer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerReport {
    /// The common name of its certificate, else its organization.
    pub name: String,
    /// From its certificate up.
    pub chain: Vec<CertificateReport>,
    /// When it signed, as a time authority says.
    pub time: Option<SigningTimeReport>,
}

/// What of a certificate is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateReport {
    /// The subject as a distinguished name.
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// SHA-1 of the certificate.
    pub thumbprint: String,
    /// From when it is good.
    pub not_before: Option<Stamp>,
    /// Until when.
    pub not_after: Option<Stamp>,
}

/// When a signature was made, as somebody else attests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningTimeReport {
    /// The time.
    pub time: Stamp,
    /// How it is attested.
    pub authority: TimeAuthority,
    /// The common name of the authority's certificate.
    pub name: String,
}

impl SignatureReport {
    pub(super) fn new(signature: &Signature) -> Self {
        Self {
            status: signature.status,
            reason: signature.reason.clone(),
            digest: signature.digest.map(str::to_owned),
            signers: signature.signers.iter().map(SignerReport::new).collect(),
            catalog: signature.catalog.clone(),
            remarks: signature.remarks.clone(),
            windows: signature.is_windows,
            microsoft: signature.is_microsoft,
            namesake: signature.namesake.clone(),
        }
    }
}

impl SignerReport {
    fn new(signer: &Signer) -> Self {
        Self {
            name: signer.name.clone(),
            chain: signer.chain.iter().map(CertificateReport::new).collect(),
            time: signer.time.as_ref().map(SigningTimeReport::new),
        }
    }
}

impl CertificateReport {
    fn new(certificate: &CertificateName) -> Self {
        Self {
            subject: certificate.subject.clone(),
            issuer: certificate.issuer.clone(),
            serial: certificate.serial.clone(),
            thumbprint: certificate.thumbprint.clone(),
            not_before: certificate.not_before.map(Stamp),
            not_after: certificate.not_after.map(Stamp),
        }
    }
}

impl SigningTimeReport {
    fn new(time: &SigningTime) -> Self {
        Self { time: Stamp(time.time), authority: time.authority, name: time.name.clone() }
    }
}
