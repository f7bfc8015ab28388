//! Security descriptors as access rules: who may control a service or rewrite its key.

use crate::artifact::hive::{Acl, RightsKind, SecurityDescriptor};
use crate::host::config::{AccessRule, AccessRules};

/// ACE flag `INHERIT_ONLY_ACE`: the entry is about children, not about this object.
const INHERIT_ONLY: u8 = 0x08;

/// Decodes a self-relative security descriptor.
///
/// # Errors
/// A sentence, where the bytes are none: other data is kept under `Security` keys too.
pub fn access_rules(bytes: &[u8], kind: RightsKind) -> Result<AccessRules, String> {
    let descriptor = SecurityDescriptor::parse(bytes).map_err(|error| error.to_string())?;
    let entries = descriptor.dacl.entries().iter();
    Ok(AccessRules {
        sddl: descriptor.to_sddl(kind),
        owner: descriptor.owner.as_ref().map(ToString::to_string),
        null_dacl: !matches!(descriptor.dacl, Acl::Entries(_)),
        entries: entries
            .filter(|entry| entry.allows() || entry.denies())
            .filter_map(|entry| {
                Some(AccessRule {
                    allow: entry.allows(),
                    sid: entry.sid.as_ref()?.to_string(),
                    mask: entry.mask,
                    inherit_only: entry.flags & INHERIT_ONLY != 0,
                })
            })
            .collect(),
    })
}
