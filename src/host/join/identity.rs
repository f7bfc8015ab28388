//! Which host it is.

use std::collections::BTreeMap;

use crate::host::HostIdentity;
use crate::host::config::Epoch;
use crate::host::event::Event;
use crate::host::fact::{Identity, IdentityItem};

/// The host's identity from its current hives, else the name most events give.
pub(super) fn identify(identities: Vec<Identity>, events: &[Event]) -> HostIdentity {
    let mut known = HostIdentity::default();
    for identity in identities {
        if identity.epoch != Epoch::Current {
            continue;
        }
        match identity.item {
            IdentityItem::ComputerName(name) => {
                known.name = Some(name);
                known.name_source = Some(identity.citation.to_string());
            }
            IdentityItem::Domain(domain) => known.domain = Some(domain),
            IdentityItem::TimeZone { name, bias_minutes } => {
                known.time_zone = Some((name, bias_minutes));
            }
            IdentityItem::LastShutdown(time) => known.last_shutdown = Some(time),
            IdentityItem::CurrentControlSet(number) => known.control_set = Some(number),
            IdentityItem::Windows { product, build, version, installed } => {
                known.product = Some(product);
                known.build = build;
                known.version = version;
                known.installed = installed;
            }
            IdentityItem::SystemRoot(root) => known.system_root = Some(root),
            IdentityItem::Environment(variables) => {
                let named = variables.into_iter().map(|(name, value)| (name.to_lowercase(), value));
                known.environment = named.collect();
            }
        }
    }
    if known.name.is_none()
        && let Some((name, count)) = most_named(events)
    {
        known.name_source =
            Some(format!("the computer that {count} of {} events name", events.len()));
        known.name = Some(name);
    }
    known
}

fn most_named(events: &[Event]) -> Option<(String, usize)> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for event in events.iter().filter(|event| !event.computer.is_empty()) {
        let count = counts.entry(event.computer.as_str()).or_default();
        *count = count.saturating_add(1);
    }
    // The first of equals by name, so that the answer never depends on the order of files.
    counts
        .into_iter()
        .rev()
        .max_by_key(|(_, count)| *count)
        .map(|(name, count)| (name.to_owned(), count))
}
