//! The roots at which signatures may end, and where else to end for tests.
//!
//! Roots are compared by their bytes or their key, never verified by their own signature, which for the oldest of them rests on
//! MD2 or MD5. See docs/signatures.md.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::asn1::Value;
use super::certificate::Certificate;
use super::oid;

/// The project's list; its head says where it comes from.
const LIST: &str = include_str!("roots.pem");

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// A root.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) certificate: Certificate<'static>,
    /// Whose it is: `Microsoft`.
    owner: &'static str,
    is_for_code: bool,
}

impl Root {
    /// Whether it is one of Microsoft's own.
    pub(super) fn is_microsoft(&self) -> bool {
        self.owner == "Microsoft"
    }

    /// Whether it is trusted for that.
    pub(super) fn allows(&self, usage: &[u8]) -> bool {
        usage != oid::FOR_CODE || self.is_for_code
    }
}

/// A list of roots.
#[derive(Debug)]
pub struct Roots {
    roots: Vec<Root>,
}

/// What is known of a pinned root, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinnedRoot {
    /// Whose it is: `DigiCert (Baltimore, GTE CyberTrust)`.
    pub owner: &'static str,
    /// What people call it: the common name of its subject.
    pub name: String,
    /// SHA-1 of the certificate in hexadecimal digits.
    pub thumbprint: String,
    /// SHA-256 of the certificate in hexadecimal digits.
    pub sha256: String,
    /// Whether signatures of programs may end at it; else time stamps only.
    pub is_for_code: bool,
}

impl Roots {
    /// The project's list.
    pub fn pinned() -> &'static Self {
        static ROOTS: LazyLock<Roots> = LazyLock::new(|| Roots::read(LIST));
        &ROOTS
    }

    /// A list of certificates in PEM, each under a line `# thumbprint; owner; uses; name`. What cannot be read is left out.
    pub fn read(text: &'static str) -> Self {
        static DECODED: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| ders(LIST));
        let decoded: &'static [Vec<u8>] = if std::ptr::eq(text, LIST) {
            &DECODED
        } else {
            // Lists other than the project's are those of tests, a few certificates that live as long as the program.
            ders(text).leak()
        };
        let heads = text.lines().filter_map(|line| {
            let mut parts = line.strip_prefix("# ")?.split("; ");
            let thumbprint = parts.next()?;
            let is_head =
                thumbprint.len() == 40 && thumbprint.bytes().all(|c| c.is_ascii_hexdigit());
            is_head.then_some((parts.next()?, parts.next()?))
        });
        let roots = decoded.iter().zip(heads).filter_map(|(der, (owner, uses))| {
            let certificate = Certificate::read(Value::of(der).ok()?).ok()?;
            Some(Root {
                certificate,
                owner,
                is_for_code: uses.split(", ").any(|use_| use_ == "code"),
            })
        });
        Self { roots: roots.collect() }
    }

    /// What is known of each, in the order of the list.
    pub fn list(&self) -> Vec<PinnedRoot> {
        let about = |root: &Root| PinnedRoot {
            owner: root.owner,
            name: root.certificate.common_name(),
            thumbprint: crate::text::hex(&root.certificate.thumbprint()),
            sha256: crate::text::hex(&super::Algorithm::Sha256.digest(root.certificate.whole)),
            is_for_code: root.is_for_code,
        };
        self.roots.iter().map(about).collect()
    }

    /// The root that a certificate is.
    pub(super) fn pinned_as(&self, certificate: &Certificate<'_>) -> Option<&Root> {
        self.roots.iter().find(|root| root.certificate.whole == certificate.whole)
    }

    /// The roots that bear the name of a certificate's issuer.
    pub(super) fn named_as_issuer<'r>(
        &'r self,
        certificate: &Certificate<'_>,
    ) -> impl Iterator<Item = &'r Root> {
        self.roots.iter().filter(|root| certificate.names_issuer(&root.certificate))
    }
}

/// The certificates of a PEM file.
fn ders(text: &str) -> Vec<Vec<u8>> {
    let blocks = text.split(BEGIN).skip(1).filter_map(|rest| rest.split(END).next());
    let decoded = blocks.map(|block| {
        let digits: String = block.split_whitespace().collect();
        // An entry that is damaged stays as an empty one, so that those after it keep their heads.
        STANDARD.decode(digits).unwrap_or_default()
    });
    decoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_root_is_read_and_is_the_one_its_head_names() {
        let heads: Vec<&str> = LIST
            .lines()
            .filter_map(|line| line.strip_prefix("# "))
            .filter(|line| line.contains("; "))
            .filter_map(|line| line.split("; ").next())
            .filter(|word| word.len() == 40)
            .collect();
        let list = Roots::pinned().list();
        let thumbprints: Vec<&str> = list.iter().map(|root| root.thumbprint.as_str()).collect();
        assert_eq!(thumbprints, heads);
        assert_eq!(list.len(), LIST.matches(BEGIN).count());
        let mut sorted = thumbprints.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(sorted.len(), thumbprints.len());
        assert_eq!(list.iter().filter(|root| root.owner == "Microsoft").count(), 10);
        assert!(list.iter().all(|root| !root.name.is_empty() && !root.owner.is_empty()));
    }

    #[test]
    fn lists_that_are_damaged_give_what_they_have() {
        assert_eq!(Roots::read("").list(), []);
        assert_eq!(Roots::read("# nothing\n-----BEGIN CERTIFICATE-----\nAAAA").list(), []);
    }
}
