//! The SECURITY hive: which events the host was set up to record in its Security log.

mod audit_policy;

use super::hive::{Hive, Key};
use super::hive_file::{self, unless_damaged};
use super::{ArtifactKind, Sink};
use crate::evidence::{Magic, Pattern, Place};
use crate::host::{Citation, Fact, Origin, Provenance};

/// The SECURITY hive.
pub const KIND: ArtifactKind = ArtifactKind {
    name: "SECURITY hive",
    pattern: Pattern {
        magic: Magic::Hive,
        places: &[
            Place::current("System32/config/SECURITY"),
            Place::history("System32/config/RegBack/SECURITY", "RegBack"),
            Place::history("repair/SECURITY", "repair"),
        ],
    },
    origin: Some(Origin::SecurityHive),
    without_it: "which events the audit policy kept out of the Security log",
    read: hive_file::read,
};

const AUDIT_POLICY: &str = "Policy\\PolAdtEv";

/// Whether a root key is that of a SECURITY hive. Windows XP has no `PolAdtEv` before a policy was set, but always the
/// revision of the policy database.
pub(super) fn is_security(root: &Key<'_>) -> bool {
    ["Policy\\PolRevision", AUDIT_POLICY]
        .iter()
        .any(|path| matches!(root.subkey(path), Ok(Some(_))))
}

pub(super) fn read(_hive: &Hive<'_>, root: &Key<'_>, sink: &mut Sink) {
    let Some(policy) = unless_damaged(root.subkey("Policy"), sink) else { return };
    sink.newest = policy.last_write();
    let Some(key) = unless_damaged(root.subkey(AUDIT_POLICY), sink) else {
        return sink.partial(format!("no {AUDIT_POLICY} in it"));
    };
    sink.newest = sink.newest.max(key.last_write());
    let Some(value) = unless_damaged(key.value(""), sink) else {
        return sink.partial(format!("{AUDIT_POLICY} has no data"));
    };
    let offset = u64::try_from(value.offset).unwrap_or(u64::MAX);
    let citation = cite(&key, sink).value("", offset, provenance(value.from_log));
    match audit_policy::read(&value.data) {
        Ok(policy) => {
            for posture in policy.settings(&citation) {
                sink.fact(Fact::Posture(posture));
            }
        }
        Err(problem) => sink.partial(format!("{AUDIT_POLICY}: {problem}")),
    }
}

fn cite(key: &Key<'_>, sink: &Sink) -> Citation {
    sink.cite(key.path(), None, key.offset(), provenance(key.from_log()))
}

fn provenance(from_log: bool) -> Provenance {
    if from_log { Provenance::TransactionLog } else { Provenance::Live }
}
