//! Access rules (D): who may control the service, its key, and the service control manager.

use super::Indicator;
use crate::host::config::{AccessRule, AccessRules};
use crate::sid::ordinary_users;

mod change;
mod hidden;
mod open;

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    hidden::DENIED,
    open::OPEN_SERVICE,
    open::OPEN_MANAGER,
    open::OPEN_KEY,
    change::SET_BY_COMMAND,
    change::MANAGER_OPENED,
];

/// Those from whom a service is hidden by denying them.
const HIDDEN_FROM: [(&str, &str); 6] = [
    ("S-1-1-0", "everyone"),
    ("S-1-5-4", "interactive users"),
    ("S-1-5-6", "services"),
    ("S-1-5-11", "authenticated users"),
    ("S-1-5-18", "SYSTEM"),
    ("S-1-5-32-544", "administrators"),
];

fn label(sid: &str) -> &str {
    let known = HIDDEN_FROM.iter().find(|(known, _)| *known == sid).map(|(_, label)| *label);
    known.or_else(|| ordinary_users(sid)).unwrap_or(sid)
}

fn effective(rules: &AccessRules) -> impl Iterator<Item = &AccessRule> {
    rules.entries.iter().filter(|rule| !rule.inherit_only)
}
