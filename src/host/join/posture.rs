//! What the services themselves add to the posture, and its order.

use crate::host::config::{AccessRules, ServiceConfig};
use crate::host::posture::knowledge::SERVICE_RIGHTS;
use crate::host::posture::{Effect, in_order};
use crate::host::{Host, Origin, State};

/// `SERVICE_CHANGE_CONFIG`, `WRITE_DAC`, `WRITE_OWNER`, `GENERIC_WRITE`, `GENERIC_ALL` (winsvc.h, winnt.h).
const TAKES_SERVICE: u32 = 0x2 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
/// `KEY_SET_VALUE` and the rights over the descriptor. `KEY_CREATE_SUB_KEY` alone rewrites no configuration.
const TAKES_KEY: u32 = 0x2 | 0x4_0000 | 0x8_0000 | 0x4000_0000 | 0x1000_0000;
/// Everyone, network, interactive, anonymous, authenticated users, users, guests, apps.
const ORDINARY: [&str; 8] = [
    "S-1-1-0",
    "S-1-5-2",
    "S-1-5-4",
    "S-1-5-7",
    "S-1-5-11",
    "S-1-5-32-545",
    "S-1-5-32-546",
    "S-1-15-2-1",
];

/// Adds how many services ordinary users may reconfigure, and puts the settings in order.
pub(super) fn complete(host: &mut Host) {
    let read = matches!(host.coverage.state(Origin::SystemHive), State::Complete | State::Partial);
    if let Some(key) = host.services_key.clone().filter(|_| read) {
        let configs = host.services.iter().filter_map(|service| service.config.as_ref());
        let open: Vec<&ServiceConfig> = configs.filter(|config| is_open(config)).collect();
        host.posture.push(match open.first() {
            None => SERVICE_RIGHTS.found("none", Effect::Forbids, key),
            Some(first) => {
                let names: Vec<&str> = open.iter().take(3).map(|one| one.name.as_str()).collect();
                let more = open.len().saturating_sub(names.len());
                let more = if more > 0 { format!(" and {more} more") } else { String::new() };
                let state = format!("{}: {}{more}", open.len(), names.join(", "));
                SERVICE_RIGHTS.found(state, Effect::Permits, first.citation.clone())
            }
        });
    }
    in_order(&mut host.posture);
}

fn is_open(config: &ServiceConfig) -> bool {
    let takes = |rules: &Option<AccessRules>, mask| {
        rules.as_ref().is_some_and(|rules| {
            rules.null_dacl
                || rules.entries.iter().any(|rule| {
                    rule.allow
                        && !rule.inherit_only
                        && rule.mask & mask != 0
                        && ORDINARY.contains(&rule.sid.as_str())
                })
        })
    };
    takes(&config.security, TAKES_SERVICE) || takes(&config.key_security, TAKES_KEY)
}
