//! The keys under Services of one control set.

use super::{ControlSet, cite_key, tell, told, values};
use crate::artifact::Sink;
use crate::artifact::hive::{Key, RightsKind};
use crate::artifact::hive_file::unless_damaged;
use crate::artifact::service_values::{access_rules, decode, load_points};
use crate::host::Fact;
use crate::host::config::{AccessRules, ServiceConfig};
use crate::host::fact::{ConfigurationKey, ServicesKey};
use crate::text::same_name;

pub(super) fn read(set: &ControlSet<'_>, sink: &mut Sink) {
    let services = unless_damaged(set.key.subkey("Services"), sink);
    let Some(services) = services else {
        sink.partial(format!("{} has no Services key", set.key.path()));
        return;
    };
    let listing = services.subkeys();
    let complete = listing.damaged.is_empty() && !sink.is_behind;
    let mut newest = None;
    for key in told(listing, services.path(), sink) {
        let fact = service(&key, set, sink);
        newest = newest.max(key.last_write());
        sink.fact(fact);
    }
    sink.newest = sink.newest.max(newest);
    let (epoch, citation) = (set.epoch.clone(), cite_key(&services, sink));
    sink.fact(Fact::ServicesKey(ServicesKey { epoch, citation, complete, newest }));
}

fn service(key: &Key<'_>, set: &ControlSet<'_>, sink: &mut Sink) -> Fact {
    let values = values::of_service(key, sink);
    let citation = cite_key(key, sink);
    // The service control manager reads no key without a type. In a damaged key the type may be what is lost.
    let has = |name| values.iter().any(|value| same_name(&value.name, name));
    let is_service = has("Type") || has("ImagePath") && !key.values().damaged.is_empty();
    if !is_service {
        return Fact::ConfigurationKey(ConfigurationKey {
            name: key.name().to_owned(),
            epoch: set.epoch.clone(),
            load_points: load_points(key.name(), &citation, &values),
            citation,
            last_write: key.last_write(),
            values,
        });
    }
    let mut config = ServiceConfig::new(key.name(), set.epoch.clone(), citation);
    config.last_write = key.last_write();
    config.parameters_last_write = parameters_last_write(key, sink);
    config.values = values;
    config.key_security = key_security(key, sink);
    for problem in decode(&mut config) {
        sink.note(format!("{}: {problem}", key.path()));
    }
    Fact::Service(Box::new(config))
}

fn parameters_last_write(key: &Key<'_>, sink: &mut Sink) -> Option<jiff::Timestamp> {
    let listing = key.subkeys();
    tell(&listing.damaged, key.path(), sink);
    listing.items.iter().find(|key| same_name(key.name(), "Parameters"))?.last_write()
}

fn key_security(key: &Key<'_>, sink: &mut Sink) -> Option<AccessRules> {
    let Some(bytes) = key.security() else {
        sink.partial(format!("{}: the key has no readable security descriptor", key.path()));
        return None;
    };
    match access_rules(&bytes, RightsKind::Key) {
        Ok(rules) => Some(rules),
        Err(problem) => {
            sink.partial(format!("{}: the key's security descriptor: {problem}", key.path()));
            None
        }
    }
}
