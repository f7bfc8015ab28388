//! Who vouches for a file's bytes.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::host::citation::Citation;

/// What the check of a signature came to. Offline: nobody was asked whether a certificate was revoked.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum SignatureStatus {
    /// An embedded signature fits the bytes and leads to a root of the project's list.
    Valid,
    /// A catalog of the evidence vouches for the bytes, and its signature is valid.
    ValidCatalog,
    /// There is a signature and it does not fit: the reason says what.
    Invalid,
    /// It fits, but leads to no root of the project's list.
    UntrustedRoot,
    /// It fits, but the certificate had ended and nothing says that the signature is older.
    ExpiredWithoutTimestamp,
    /// There is none: no embedded one, and no catalog of the evidence, which has catalogs, holds it.
    Unsigned,
    /// It cannot be known: no catalogs in the evidence, or the bytes were not read.
    #[default]
    Unknown,
}

impl SignatureStatus {
    /// The word in reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::ValidCatalog => "valid_catalog",
            Self::Invalid => "invalid",
            Self::UntrustedRoot => "untrusted_root",
            Self::ExpiredWithoutTimestamp => "expired_without_timestamp",
            Self::Unsigned => "unsigned",
            Self::Unknown => "unknown",
        }
    }

    /// Whether somebody known vouches for the bytes.
    pub const fn is_valid(self) -> bool {
        matches!(self, Self::Valid | Self::ValidCatalog)
    }
}

/// Who vouches for a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signature {
    /// The answer.
    pub status: SignatureStatus,
    /// Why, where the answer needs a word.
    pub reason: Option<String>,
    /// What else is worth knowing about it, in words: a time stamp that does not count, bytes that no digest covers.
    pub remarks: Vec<String>,
    /// The digest algorithm that the signature is over: `sha256`.
    pub digest: Option<&'static str>,
    /// The signers: the primary one first, then nested ones.
    pub signers: Vec<Signer>,
    /// The catalog that holds it.
    pub catalog: Option<Citation>,
    /// Whether a valid signature was made with a certificate that Microsoft uses for parts of Windows.
    pub is_windows: bool,
    /// Whether a valid signature was made by Microsoft in its own name: not the one it gives drivers of others, nor one of somebody
    /// else whose chain ends at a root of Microsoft's.
    pub is_microsoft: bool,
    /// Whether an invalid signature shows forgery (a changed file, a certificate that was never allowed to sign it), and not merely
    /// that it rests on something that is not accepted.
    pub is_forged: bool,
    /// A valid catalog of Microsoft's that lists a file of this name, where none lists these bytes.
    pub namesake: Option<Citation>,
}

impl Signature {
    /// No answer, and why.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { reason: Some(reason.into()), ..Self::default() }
    }

    /// The common name of the primary signer.
    pub fn signer(&self) -> Option<&str> {
        self.signers.first().map(|signer| signer.name.as_str())
    }
}

/// A signer of a signature.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// The common name of its certificate, else its organization.
    pub name: String,
    /// From its certificate up to the last one that the signature brings or the list of roots knows.
    pub chain: Vec<CertificateName>,
    /// When it signed, as a time authority says.
    pub time: Option<SigningTime>,
}

/// What of a certificate is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateName {
    /// The subject as a distinguished name (RFC 4514).
    pub subject: String,
    /// The issuer.
    pub issuer: String,
    /// The serial number in hexadecimal digits.
    pub serial: String,
    /// SHA-1 of the certificate in hexadecimal digits: what Windows calls its thumbprint.
    pub thumbprint: String,
    /// From when it is good, UTC.
    pub not_before: Option<Timestamp>,
    /// Until when, UTC.
    pub not_after: Option<Timestamp>,
}

/// When a signature was made, as somebody else attests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SigningTime {
    /// The time, UTC.
    pub time: Timestamp,
    /// How it is attested.
    pub authority: TimeAuthority,
    /// The common name of the authority's certificate.
    pub name: String,
}

/// How a signing time is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeAuthority {
    /// A PKCS #9 countersignature.
    Countersignature,
    /// An RFC 3161 time-stamp token.
    Rfc3161,
}
