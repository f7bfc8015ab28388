//! From a signer's certificate to a root.

use std::cell::Cell;

use jiff::Timestamp;

use super::certificate::Certificate;
use super::roots::{Root, Roots};
use super::{Refusal, oid};

/// How many certificates a chain may have: real ones have 3 to 5.
const LONGEST: usize = 8;
/// How many signatures of certificates are verified for one signed message, so that certificates of one name cost no time.
const MOST_VERIFICATIONS: u32 = 64;

/// How many signatures may still be verified.
pub(super) struct Budget(Cell<u32>);

impl Default for Budget {
    fn default() -> Self {
        Self(Cell::new(MOST_VERIFICATIONS))
    }
}

impl Budget {
    fn spend(&self) -> Result<(), Refusal> {
        let left = self.0.get().checked_sub(1).ok_or(Refusal::TooMuch("more chains"))?;
        self.0.set(left);
        Ok(())
    }
}

/// A chain of certificates, each signed by the next.
#[derive(Debug, Clone)]
pub(super) struct Chain<'a, 'r> {
    /// From the signer's up to the last that is known, the root where there is one.
    pub(super) certificates: Vec<Certificate<'a>>,
    /// The root at which it ends; absent where none of the list was reached.
    pub(super) root: Option<&'r Root>,
}

/// The chain of a certificate, one that leads to a root where there is one.
///
/// # Errors
/// Where a certificate names an issuer that is there and did not sign it.
pub(super) fn build<'a, 'r: 'a>(
    leaf: &Certificate<'a>,
    pool: &[Certificate<'a>],
    roots: &'r Roots,
    budget: &Budget,
) -> Result<Chain<'a, 'r>, Refusal> {
    let mut search = Search { pool, roots, budget, untrusted: None, refusal: None };
    let mut path = vec![leaf.clone()];
    if let Some(root) = search.climb(&mut path)? {
        return Ok(Chain { certificates: path, root: Some(root) });
    }
    match (search.untrusted, search.refusal) {
        (Some(certificates), None) => Ok(Chain { certificates, root: None }),
        (_, Some(refusal)) => Err(refusal),
        (None, None) => Ok(Chain { certificates: vec![leaf.clone()], root: None }),
    }
}

struct Search<'s, 'a, 'r> {
    pool: &'s [Certificate<'a>],
    roots: &'r Roots,
    budget: &'s Budget,
    /// The first chain that ended without a root.
    untrusted: Option<Vec<Certificate<'a>>>,
    /// Why the first issuer that is there was none.
    refusal: Option<Refusal>,
}

impl<'a, 'r: 'a> Search<'_, 'a, 'r> {
    /// Goes up from the last certificate of the path; `path` is the whole chain where a root was reached.
    fn climb(&mut self, path: &mut Vec<Certificate<'a>>) -> Result<Option<&'r Root>, Refusal> {
        let Some(current) = path.last().cloned() else { return Ok(None) };
        if let Some(root) = self.roots.pinned_as(&current) {
            return Ok(Some(root));
        }
        for root in self.roots.named_as_issuer(&current) {
            if self.is_issuer(&current, &root.certificate)? {
                path.push(root.certificate.clone());
                return Ok(Some(root));
            }
        }
        let mut has_issuer = false;
        if path.len() < LONGEST && !current.is_self_issued() {
            for issuer in self.pool.iter().filter(|issuer| current.names_issuer(issuer)) {
                if path.iter().any(|one| one.whole == issuer.whole) {
                    continue;
                }
                if !issuer.may_issue(path.len().saturating_sub(1)) {
                    let name = issuer.common_name();
                    let what = format!("the certificate of {name} may not sign other certificates");
                    self.refusal.get_or_insert(Refusal::Usage(what));
                    continue;
                }
                if self.is_issuer(&current, issuer)? {
                    has_issuer = true;
                    path.push(issuer.clone());
                    if let Some(root) = self.climb(path)? {
                        return Ok(Some(root));
                    }
                    path.pop();
                }
            }
        }
        if !has_issuer && self.untrusted.is_none() {
            self.untrusted = Some(path.clone());
        }
        Ok(None)
    }

    fn is_issuer(
        &mut self,
        certificate: &Certificate<'_>,
        issuer: &Certificate<'_>,
    ) -> Result<bool, Refusal> {
        self.budget.spend()?;
        Ok(match certificate.is_signed_by(issuer) {
            Ok(()) => true,
            Err(refusal) => {
                let refusal = match refusal {
                    Refusal::SignatureMismatch(name) => Refusal::Usage(format!(
                        "the certificate of {} names {name} as its issuer, who did not sign it",
                        certificate.common_name()
                    )),
                    other => other,
                };
                self.refusal.get_or_insert(refusal);
                false
            }
        })
    }
}

impl Chain<'_, '_> {
    /// Whether every certificate below the root may be used for that.
    pub(super) fn allows(&self, usage: &[u8]) -> Result<(), Refusal> {
        let refused = self.below_root().iter().find(|one| !one.allows(usage));
        match refused {
            None => Ok(()),
            Some(one) => {
                let what = if usage == oid::FOR_CODE { "programs" } else { "time stamps" };
                let name = one.common_name();
                Err(Refusal::Usage(format!("the certificate of {name} may not sign {what}")))
            }
        }
    }

    /// The certificates below the root: what is pinned needs no date.
    fn below_root(&self) -> &[Certificate<'_>] {
        let count = self.certificates.len().saturating_sub(usize::from(self.root.is_some()));
        self.certificates.get(..count.max(1)).unwrap_or_default()
    }

    /// The first certificate that had ended at that time.
    pub(super) fn ended(&self, time: Timestamp) -> Option<&Certificate<'_>> {
        self.below_root().iter().find(|one| one.not_after.is_some_and(|end| end < time))
    }

    /// The first certificate that was not yet good at that time.
    pub(super) fn not_begun(&self, time: Timestamp) -> Option<&Certificate<'_>> {
        self.below_root().iter().find(|one| one.not_before.is_some_and(|begin| time < begin))
    }
}
