//! Why a signature is not accepted.

use std::fmt;

/// Why a signature, or a part of one, is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// It is not what the format says.
    Malformed(&'static str),
    /// There is more of something than is ever needed.
    TooMuch(&'static str),
    /// A digest that anybody can forge.
    Broken(&'static str),
    /// An algorithm that is not checked here, as object identifier.
    Unsupported(String),
    /// A key that no signature should rest on, or that would cost too much time.
    Key(&'static str),
    /// The file is not the one that was signed.
    DigestMismatch(&'static str),
    /// The signed attributes are about other content.
    MessageDigestMismatch,
    /// The signature was not made with that key.
    SignatureMismatch(String),
    /// The signer's certificate is not in the signature.
    NoCertificate,
    /// A certificate that may not be used for this.
    Usage(String),
}

impl Refusal {
    /// Whether it shows that the file or the signature was changed: everything but what is merely not accepted.
    pub(super) const fn is_forgery(&self) -> bool {
        !matches!(self, Self::TooMuch(_) | Self::Broken(_) | Self::Unsupported(_) | Self::Key(_))
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(what) => write!(f, "its structure is damaged: {what}"),
            Self::TooMuch(what) => write!(f, "it holds {what} than are looked at"),
            Self::Broken(name) => {
                write!(f, "it rests on {name}, which can be forged; it is not accepted as proof")
            }
            Self::Unsupported(identifier) => {
                write!(f, "it uses the algorithm {identifier}, which is not accepted")
            }
            Self::Key(what) => write!(f, "its key is not accepted: {what}"),
            Self::DigestMismatch(algorithm) => {
                write!(
                    f,
                    "the file was changed after it was signed: its {algorithm} digest is another"
                )
            }
            Self::MessageDigestMismatch => {
                f.write_str("what was signed is about other content: the message digest differs")
            }
            Self::SignatureMismatch(name) => write!(f, "the signature by {name} does not fit"),
            Self::NoCertificate => f.write_str("the signer's certificate is not in it"),
            Self::Usage(what) => f.write_str(what),
        }
    }
}
