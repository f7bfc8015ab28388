//! What the services themselves add to the posture, and its order.

use jiff::Timestamp;

use crate::host::config::{AccessRules, ServiceConfig};
use crate::host::posture::knowledge::{COMMAND_LINE, SERVICE_RIGHTS, SETTINGS, SYSMON};
use crate::host::posture::{Effect, in_order};
use crate::host::{Action, Event, Host, Origin, Place, State};

const SECURITY_CHANNEL: &str = "Security";
const SYSMON_CHANNEL: &str = "Microsoft-Windows-Sysmon/Operational";

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
    for posture in host.posture.iter_mut().filter(|one| one.effect == Effect::Blind) {
        if let Some(last) = last_shown(&posture.setting, &host.events) {
            let until = crate::time::format_short(last);
            posture.state = format!("{}, yet there are such records up to {until}", posture.state);
            posture.effect = Effect::SeesPart;
        }
    }
    in_order(&mut host.posture);
}

/// The last record that would not be there had the setting always been as it is now. A hive says what held when the evidence
/// was taken; the logs reach further back.
fn last_shown(setting: &str, events: &[Event]) -> Option<Timestamp> {
    let known = SETTINGS.iter().find(|known| known.id == setting)?;
    let shows = |event: &&Event| {
        let Place::Record { channel, event_id, .. } = &event.citation.place else { return false };
        match (known.id, known.records) {
            (id, _) if id == SYSMON.id => channel.eq_ignore_ascii_case(SYSMON_CHANNEL),
            (id, _) if id == COMMAND_LINE.id => {
                channel.eq_ignore_ascii_case(SECURITY_CHANNEL)
                    && matches!(&event.action, Action::ProcessStarted(process)
                        if process.command_line.is_some())
            }
            (_, Some((Origin::SecurityLog, id))) => {
                *event_id == id && channel.eq_ignore_ascii_case(SECURITY_CHANNEL)
            }
            _ => false,
        }
    };
    events.iter().rev().find(shows).map(|event| event.time)
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
