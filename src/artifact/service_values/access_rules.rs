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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn denials_that_hide_a_service_are_kept_in_order() {
        let interactive = [1, 1, 0, 0, 0, 0, 0, 5, 4, 0, 0, 0];
        let mut bytes = vec![1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
        bytes.extend([2, 0, 48, 0, 2, 0, 0, 0]);
        for (kind, flags, mask) in [(1, 0, 0x74_u32), (0, INHERIT_ONLY, 0x01)] {
            bytes.extend([kind, flags, 20, 0]);
            bytes.extend(mask.to_le_bytes());
            bytes.extend(interactive);
        }
        let rules = access_rules(&bytes, RightsKind::Service).unwrap();
        let sid = || "S-1-5-4".to_owned();
        assert_eq!(
            rules.entries,
            [
                AccessRule { allow: false, sid: sid(), mask: 0x74, inherit_only: false },
                AccessRule { allow: true, sid: sid(), mask: 1, inherit_only: true },
            ]
        );
        assert_eq!((rules.owner, rules.null_dacl), (None, false));
        assert!(rules.sddl.starts_with("D:(D;;"), "{}", rules.sddl);
        let other = [0, 0, 0x0e, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0];
        assert!(access_rules(&other, RightsKind::Service).is_err());
    }
}
