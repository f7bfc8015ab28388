//! What one signed message comes to.

use jiff::Timestamp;

use super::algorithm::Algorithm;
use super::asn1::{Value, tag};
use super::certificate::Certificate;
use super::chain::{Budget, Chain, build};
use super::roots::Roots;
use super::signed_data::{SignedData, SignerInfo};
use super::stamp;
use super::{Refusal, oid};
use crate::host::program_file::{SignatureStatus, Signer};
use crate::time;

/// What a signed message comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Verdict {
    pub(super) status: SignatureStatus,
    pub(super) reason: Option<String>,
    pub(super) signer: Option<Signer>,
    pub(super) remarks: Vec<String>,
    /// The digest that the signature is over.
    pub(super) digest: Option<&'static str>,
    /// Whether an invalid one was forged.
    pub(super) is_forged: bool,
    /// Signed by Microsoft in its own name.
    pub(super) is_microsoft: bool,
    /// Signed as a part of Windows.
    pub(super) is_windows: bool,
}

impl Verdict {
    /// A signature that does not hold.
    pub(super) fn invalid(refusal: &Refusal) -> Self {
        Self {
            status: SignatureStatus::Invalid,
            reason: Some(refusal.to_string()),
            is_forged: refusal.is_forgery(),
            ..Self::default()
        }
    }
}

/// The digest that an Authenticode signature is over: the `messageDigest` of an `SpcIndirectDataContent`.
pub(super) fn indirect_digest(content: &[u8]) -> Result<(Algorithm, &[u8]), Refusal> {
    let mut fields = Value { tag: tag::SEQUENCE, content, whole: content }.inside();
    fields.expect(tag::SEQUENCE)?;
    let mut digest = fields.expect(tag::SEQUENCE)?.inside();
    let algorithm = Algorithm::read(digest.any()?)?;
    Ok((algorithm, digest.expect(tag::OCTET_STRING)?.content))
}

/// Judges a signed message whose content is the file's, or is not for the reason given. Without a time stamp, the signer's
/// certificate is judged at the reference time.
pub(super) fn judge(
    data: &SignedData<'_>,
    content: Result<(), Refusal>,
    roots: &Roots,
    reference: Option<Timestamp>,
) -> Verdict {
    let budget = Budget::default();
    let mut verdict = Verdict::default();
    if data.unreadable > 0 {
        let what = format!("{} certificates in it cannot be read", data.unreadable);
        verdict.remarks.push(what);
    }
    let Some(signer) = data.signers.first() else {
        let nobody = Verdict::invalid(&Refusal::Malformed("nobody signed it"));
        return Verdict { remarks: verdict.remarks, ..nobody };
    };
    let judged = signer.certificate(&data.certificates).and_then(|certificate| {
        verdict.signer = Some(claimed(certificate));
        content?;
        signer.verify(&data.content, data.content_type, certificate)?;
        let chain = build(certificate, &data.certificates, roots, &budget)?;
        Ok((certificate, chain))
    });
    match judged {
        Ok((certificate, chain)) => {
            verdict.judge_chain(certificate, &chain, (signer, data), roots, &budget, reference);
        }
        Err(refusal) => verdict.refuse(&refusal),
    }
    verdict
}

/// The signer as its certificate names it, whether or not that is proved.
fn claimed(certificate: &Certificate<'_>) -> Signer {
    Signer { name: certificate.common_name(), chain: vec![certificate.shown()], time: None }
}

impl Verdict {
    fn refuse(&mut self, refusal: &Refusal) {
        self.status = SignatureStatus::Invalid;
        self.reason = Some(refusal.to_string());
        self.is_forged = refusal.is_forgery();
    }

    fn judge_chain(
        &mut self,
        certificate: &Certificate<'_>,
        chain: &Chain<'_, '_>,
        (signer, data): (&SignerInfo<'_>, &SignedData<'_>),
        roots: &Roots,
        budget: &Budget,
        reference: Option<Timestamp>,
    ) {
        let (time, refused) = stamp::attested(signer, &data.certificates, roots, budget);
        self.remarks.extend(refused);
        let stamped = time.as_ref().map(|stamp| stamp.time);
        if let Some(own) = &mut self.signer {
            own.chain = chain.certificates.iter().map(Certificate::shown).collect();
            own.time = time;
        }
        if let Err(refusal) = chain.allows(oid::FOR_CODE) {
            return self.refuse(&refusal);
        }
        let root = chain.root.filter(|root| root.allows(oid::FOR_CODE));
        let Some(root) = root else {
            self.status = SignatureStatus::UntrustedRoot;
            self.reason = Some(untrusted(chain));
            return;
        };
        (self.status, self.reason) = in_time(certificate, chain, stamped, reference);
        let is_good = self.status == SignatureStatus::Valid;
        let names_microsoft = certificate.subject_name().organization() == Some(MICROSOFT);
        let is_for_others = is_for_others(certificate);
        self.is_microsoft = is_good && root.is_microsoft() && names_microsoft && !is_for_others;
        self.is_windows = self.is_microsoft && is_for_windows(certificate);
    }
}

/// The organization of Microsoft's certificates.
const MICROSOFT: &str = "Microsoft Corporation";

/// Whether Microsoft signs with it what others made: drivers that were tested, or whose makers vouch for them.
fn is_for_others(certificate: &Certificate<'_>) -> bool {
    certificate.is_for(oid::FOR_TESTED_DRIVERS) || certificate.is_for(oid::FOR_ATTESTED_DRIVERS)
}

/// Whether Microsoft signs parts of Windows with it.
fn is_for_windows(certificate: &Certificate<'_>) -> bool {
    // Windows XP signed with certificates that lack the usage.
    certificate.is_for(oid::FOR_WINDOWS)
        || certificate.common_name().starts_with("Microsoft Windows ")
            && certificate.common_name().ends_with("Publisher")
}

/// Where a chain without a root ends.
fn untrusted(chain: &Chain<'_, '_>) -> String {
    let Some(last) = chain.certificates.last() else { return String::new() };
    let name = last.common_name();
    match (chain.certificates.len(), last.is_self_issued()) {
        (1, true) => format!("{name} signed its own certificate"),
        (_, true) => format!("its chain ends at the root {name}, which is not on the list"),
        (_, false) => {
            format!("its chain ends at {name}, whose issuer is neither in it nor on the list")
        }
    }
}

/// Whether the certificates were good when the signature was made, as far as anybody says when that was.
fn in_time(
    certificate: &Certificate<'_>,
    chain: &Chain<'_, '_>,
    stamped: Option<Timestamp>,
    reference: Option<Timestamp>,
) -> (SignatureStatus, Option<String>) {
    let lives_on = stamped.filter(|_| !certificate.is_for(oid::LIFETIME_SIGNING));
    let ended_at = |time: Timestamp| {
        chain.ended(time).map(|one| {
            let end = one.not_after.map(time::format_short).unwrap_or_default();
            format!("the certificate of {} ended at {end}", one.common_name())
        })
    };
    match (lives_on, reference) {
        (Some(time), _) => {
            let early = chain.not_begun(time).map(|one| {
                format!("it was stamped before the certificate of {} began", one.common_name())
            });
            match ended_at(time).map(|what| format!("{what}, before it was stamped")).or(early) {
                Some(reason) => (SignatureStatus::Invalid, Some(reason)),
                None => (SignatureStatus::Valid, None),
            }
        }
        (None, Some(time)) => match ended_at(time) {
            Some(reason) => (SignatureStatus::ExpiredWithoutTimestamp, Some(reason)),
            None => (SignatureStatus::Valid, None),
        },
        (None, None) => {
            let what =
                "nothing says when it was signed, nor at what time to judge its certificates";
            (SignatureStatus::Valid, Some(what.to_owned()))
        }
    }
}
