//! Service keys and values that were deleted and could be recovered.

use std::collections::BTreeMap;

use super::{ControlSet, is_one_of, values};
use crate::artifact::Sink;
use crate::artifact::hive::{Confidence as Found, DeletedKey, Hive, Value};
use crate::artifact::service_values::{decode, is_load_point, load_points};
use crate::host::config::{Confidence, Epoch, RawValue, ServiceConfig, ServiceType};
use crate::host::fact::ConfigurationKey;
use crate::host::{Citation, Fact, Provenance};
use crate::text::{fold, same_name};

/// A deleted key or value below a service key.
struct Remains {
    service: String,
    /// Path of the key below the service key, empty for the service key itself.
    below: String,
    path: String,
}

pub(super) fn read(hive: &Hive<'_>, sets: &[ControlSet<'_>], sink: &mut Sink) {
    let deleted = hive.deleted();
    let mut sub_keys: BTreeMap<String, Vec<RawValue>> = BTreeMap::new();
    let mut services = Vec::new();
    for key in deleted.keys {
        let Some(remains) = key.path.as_deref().and_then(|path| under_services(path, sets)) else {
            continue;
        };
        if remains.below.is_empty() {
            services.push((remains, key));
        } else {
            let values = key.values.into_iter();
            let values = values.map(|value| values::recovered(value, &remains.below));
            let whole = service_path(&remains);
            sub_keys.entry(fold(&whole)).or_default().extend(values);
        }
    }
    let mut instances = 0_usize;
    for (remains, key) in services {
        let own_sub_keys = sub_keys.remove(&fold(&remains.path)).unwrap_or_default();
        match service(&remains, key, own_sub_keys, sink) {
            Some(fact) => sink.fact(fact),
            None => instances = instances.saturating_add(1),
        }
    }
    if instances > 0 {
        sink.note(format!(
            "{instances} deleted keys are instances of per-user services, which Windows removes at sign-out; not listed"
        ));
    }
    let values = deleted.values.into_iter().filter_map(|deleted| {
        let remains = under_services(deleted.key.as_deref()?, sets)?;
        Some((remains, deleted.value, confidence(deleted.confidence)))
    });
    let (values, others): (Vec<_>, Vec<_>) =
        values.partition(|(remains, value, _)| says_what_runs(remains, value));
    if !others.is_empty() {
        sink.note(format!(
            "{} deleted values below service keys do not say what runs; not listed",
            others.len()
        ));
    }
    for fact in deleted_values(values, sink) {
        sink.fact(fact);
    }
}

/// The parts of a path `ControlSet001\Services\<name>\…`.
fn under_services(path: &str, sets: &[ControlSet<'_>]) -> Option<Remains> {
    let mut parts = path.splitn(4, '\\');
    let (set, services, service) = (parts.next()?, parts.next()?, parts.next()?);
    let is_ours = sets.iter().any(|known| same_name(known.key.path(), set))
        && same_name(services, "Services");
    is_ours.then(|| Remains {
        service: service.to_owned(),
        below: parts.next().unwrap_or_default().to_owned(),
        path: path.to_owned(),
    })
}

/// The path of the service key.
fn service_path(remains: &Remains) -> String {
    let suffix = format!("\\{}", remains.below);
    remains.path.strip_suffix(&suffix).unwrap_or(&remains.path).to_owned()
}

/// A deleted key as a fact; `None` for an instance of a per-user service.
fn service(
    remains: &Remains,
    key: DeletedKey,
    sub_keys: Vec<RawValue>,
    sink: &Sink,
) -> Option<Fact> {
    let citation = sink.cite(&remains.path, None, key.offset, Provenance::Recovered);
    let epoch = Epoch::Deleted(confidence(key.confidence));
    let mut values: Vec<RawValue> =
        key.values.into_iter().map(|value| values::recovered(value, "")).collect();
    values.extend(sub_keys);
    let has_type = values.iter().any(|value| same_name(&value.name, "Type"));
    if !has_type {
        if is_instance_name(&remains.service) {
            return None;
        }
        return Some(Fact::ConfigurationKey(ConfigurationKey {
            name: key.name,
            epoch,
            load_points: load_points(&remains.service, &citation, &values),
            citation,
            last_write: key.last_write,
            values,
        }));
    }
    let mut config = ServiceConfig::new(key.name, epoch, citation);
    config.last_write = key.last_write;
    config.values = values;
    // Odd data is what recovered data is made of; the confidence says so.
    let _odd = decode(&mut config);
    if config.service_type.is_some_and(ServiceType::is_user_instance) {
        return None;
    }
    Some(Fact::Service(Box::new(config)))
}

/// `Name_<hex>`: what is left of an instance whose values are gone.
fn is_instance_name(name: &str) -> bool {
    name.rsplit_once('_').is_some_and(|(_, session)| {
        (4..=8).contains(&session.len()) && session.bytes().all(|byte| byte.is_ascii_hexdigit())
    })
}

/// Values of a service key that say what runs, how and as whom.
const OWN: [&str; 14] = [
    "Type",
    "Start",
    "ErrorControl",
    "ImagePath",
    "ObjectName",
    "DisplayName",
    "Description",
    "ServiceDll",
    "ServiceMain",
    "FailureActions",
    "FailureCommand",
    "LaunchProtected",
    "RequiredPrivileges",
    "DeleteFlag",
];
/// Values in `Parameters` that say what runs, besides load points.
const TELLING: [&str; 4] = ["ServiceDll", "ServiceMain", "Application", "AppParameters"];

/// Whether a deleted value matters: most of what Windows deletes below service keys is state of the services.
fn says_what_runs(remains: &Remains, value: &Value) -> bool {
    if remains.below.is_empty() {
        return is_one_of(&value.name, &OWN) || is_load_point(&remains.service, &value.name);
    }
    let is_telling = same_name(&remains.below, "Parameters") && is_one_of(&value.name, &TELLING);
    is_telling || is_load_point(&remains.service, &format!("{}\\{}", remains.below, value.name))
}

/// Values deleted from keys that still exist: one partial configuration per service.
fn deleted_values(values: Vec<(Remains, Value, Confidence)>, sink: &Sink) -> Vec<Fact> {
    let mut services: BTreeMap<String, (Citation, ServiceConfig, Confidence)> = BTreeMap::new();
    for (remains, value, confidence) in values {
        let path = service_path(&remains);
        let (_, config, least) = services.entry(fold(&path)).or_insert_with(|| {
            let citation = sink.cite(&path, None, value.offset, Provenance::Recovered);
            let epoch = Epoch::Deleted(confidence);
            let config = ServiceConfig::new(remains.service.clone(), epoch, citation.clone());
            (citation, config, confidence)
        });
        config.values.push(values::recovered(value, &remains.below));
        *least = (*least).max(confidence);
    }
    let configs = services.into_values().map(|(_, mut config, least)| {
        config.epoch = Epoch::Deleted(least);
        let _odd = decode(&mut config);
        Fact::Service(Box::new(config))
    });
    configs.collect()
}

fn confidence(found: Found) -> Confidence {
    match found {
        Found::High => Confidence::High,
        Found::Medium => Confidence::Medium,
        Found::Low => Confidence::Low,
    }
}
