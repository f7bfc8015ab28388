//! The only place where artifacts meet: facts in, one host out.
//!
//! Order of work: older states of the registry are put in order; configurations become services; events are sorted and stripped of duplicates; names are
//! learned (display name ↔ key name); events are linked to services by name, then by process; actors are
//! looked up when every install is in its place, and what services did on the network last, when their processes are known.

mod actor;
mod configuration;
mod identity;
mod naming;
mod older;
mod outbound;
mod posture;
mod process;
mod roster;
mod rule_hits;
mod script;
mod sequence;

use std::collections::BTreeMap;

use jiff::SignedDuration;

use super::event::Event;
use super::fact::{Fact, Identity, ServicesKey, Setting, SettingKind};
use super::service::{SERVICE_CONTROL_MANAGER, Service};
use super::{Coverage, Host, Origin, State, Volumes, network};
use crate::text;
use roster::Roster;

/// Joins facts into a host.
pub(super) fn join(facts: Vec<Fact>, coverage: Coverage, window: SignedDuration) -> Host {
    let mut host = Host { coverage, window, ..Host::default() };
    let mut configs = Vec::new();
    let mut identities: Vec<Identity> = Vec::new();
    let mut events: Vec<Event> = Vec::new();
    let mut keys: Vec<ServicesKey> = Vec::new();
    for fact in facts {
        match fact {
            Fact::Identity(identity) => identities.push(identity),
            Fact::Service(config) => configs.push(*config),
            Fact::ConfigurationKey(key) => host.configuration_keys.push(key),
            Fact::ServicesKey(key) => keys.push(key),
            Fact::SvchostGroup(group) => {
                host.svchost_groups.entry(text::fold(&group.name)).or_insert(group);
            }
            Fact::SafeBoot(entry) => host.safe_boot.push(entry),
            Fact::Setting(setting) => host.settings.push(setting),
            Fact::Posture(posture) => host.posture.push(posture),
            Fact::RuleHit(hit) => host.rule_hits.push(*hit),
            Fact::Event(event) => events.push(*event),
        }
    }
    let current =
        keys.iter().find(|key| key.epoch == super::config::Epoch::Current && key.complete);
    host.services_key = current.map(|key| key.citation.clone());
    host.older_states = older::states(&keys, &identities);
    let holdings = older::holdings(&host.older_states, &configs, &host.configuration_keys);
    host.configuration_keys.retain(|key| key.epoch == super::config::Epoch::Current);
    host.configuration_keys.sort_by_cached_key(|key| text::fold(&key.name));
    host.stores = configuration::stores(&host.configuration_keys);
    host.safe_boot.sort_by_cached_key(|entry| (text::fold(&entry.mode), text::fold(&entry.name)));
    host.events = sequence::in_order(events);
    host.identity = identity::identify(identities, &host.events);

    older::remark(&mut host);

    let hive_read =
        matches!(host.coverage.state(Origin::SystemHive), State::Complete | State::Partial);
    let mut roster = Roster::new(configuration::services(configs, &host.older_states), hive_read);
    host.volumes = Volumes::learn(&host.events, host.identity.system_root.as_deref());
    roster.set_volumes(host.volumes.clone());
    naming::learn(&mut roster, &host.events);
    let remotes = naming::link(&mut roster, &host.events);
    host.outbound = outbound::acts(&remotes, &host.events);
    let followed = process::follow(&mut roster, &host.events, window);
    host.processes = followed.processes;
    actor::attribute(&mut roster, &host.events, window);
    host.services = finish(roster);
    let doing = (host.processes.as_slice(), followed.doers.as_slice());
    network::gather(&mut host.services, &host.events, doing, &host.volumes);
    older::place(&mut host, &holdings);
    posture::complete(&mut host);
    host.tampering = super::tampering::tampering(&host.events);
    add_rows(&mut host);
    rule_hits::attach(&mut host);
    host.bursts = super::Bursts::of(&host.services, &host.events);
    host.incidents = super::incident::incidents(&host);
    host
}

/// Gives rows to what findings are about and no service event named: the service control manager where one of its own
/// settings was found, and whatever was tampered with.
fn add_rows(host: &mut Host) {
    let own = |setting: &Setting| {
        matches!(setting.kind, SettingKind::ScmSecurity | SettingKind::ScmRemoteExemption)
    };
    // `sc sdset scmanager` names the manager as if it were a service.
    let as_service = |one: &Service| text::same_name(&one.name, "scmanager") && !one.in_registry();
    if let Some(manager) = host.services.iter_mut().find(|one| as_service(one)) {
        SERVICE_CONTROL_MANAGER.clone_into(&mut manager.name);
    }
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    for (folded, acts) in &host.tampering {
        names.extend(acts.first().map(|act| (folded.clone(), act.service.clone())));
    }
    if host.settings.iter().any(own) {
        let name = SERVICE_CONTROL_MANAGER;
        names.entry(text::fold(name)).or_insert_with(|| name.to_owned());
    }
    for service in &host.services {
        names.remove(&text::fold(&service.name));
    }
    host.services.extend(names.into_values().map(Service::named));
    host.services.sort_by_cached_key(|service| text::fold(&service.name));
}

/// Completes and sorts the services.
fn finish(roster: Roster) -> Vec<Service> {
    let mut services = roster.into_services();
    for service in &mut services {
        service.links.sort_unstable_by_key(|link| (link.event, link.role));
        service.links.dedup();
        service.commands.sort_by_key(|seen| seen.event);
    }
    services.sort_by_cached_key(|service| text::fold(&service.name));
    services
}
