//! Configurations become services: the current one, its history, and what differs.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use crate::host::config::{Data, Epoch, RawValue, ServiceConfig, ServiceType};
use crate::host::fact::ConfigurationKey;
use crate::host::image_path::{ImagePath, Naming};
use crate::host::older::{OlderState, Standing, state_of};
use crate::host::service::{Difference, Service};
use crate::text;

/// One service for every name, from the configurations of all epochs.
pub(super) fn services(configs: Vec<ServiceConfig>, states: &[OlderState]) -> Vec<Service> {
    let mut by_name: BTreeMap<String, Vec<ServiceConfig>> = BTreeMap::new();
    for config in configs {
        by_name.entry(text::fold(&config.name)).or_default().push(config);
    }
    by_name.into_values().map(|configs| service(configs, states)).collect()
}

/// The current configuration first, then other control sets, older states from the newest on, deleted keys.
fn sort(configs: &mut [ServiceConfig], states: &[OlderState]) {
    configs.sort_by_cached_key(|config| {
        let kind = match config.epoch {
            Epoch::Current => 0,
            Epoch::ControlSet(_) => 1,
            Epoch::History(_) => 2,
            Epoch::Deleted(_) => 3,
        };
        let state = state_of(config, states);
        let place = state.and_then(|state| states.iter().position(|other| other == state));
        (kind, Reverse(place), config.epoch.clone())
    });
}

/// The configuration keys that make Windows load a file, in the form of services.
pub(super) fn stores(keys: &[ConfigurationKey]) -> Vec<Service> {
    let loads = keys.iter().filter(|key| !key.load_points.is_empty());
    loads
        .map(|key| {
            let mut config = ServiceConfig::new(&key.name, key.epoch.clone(), key.citation.clone());
            config.last_write = key.last_write;
            config.values.clone_from(&key.values);
            config.load_points.clone_from(&key.load_points);
            Service { config: Some(config), ..Service::named(&key.name) }
        })
        .collect()
}

fn service(mut configs: Vec<ServiceConfig>, states: &[OlderState]) -> Service {
    sort(&mut configs, states);
    let name = configs.first().map(|config| config.name.clone()).unwrap_or_default();
    let mut service = Service::named(name);
    for config in configs {
        // Two keys whose names differ only in case cannot be made with the API; the first one is what
        // Windows finds, the other must not vanish.
        if config.epoch == Epoch::Current && service.config.is_none() {
            service.config = Some(config);
        } else {
            service.history.push(config);
        }
    }
    let Some(config) = service.config.as_ref().or(service.history.first()) else { return service };
    service.display_name.clone_from(&config.display_name);
    service.image = image(config);
    service.dll = config.service_dll.as_ref().map(|(_, path)| quoted(path));
    service.failure_command = config.failure_command.as_deref().map(ImagePath::parse);
    service.wrapped = config.wrapper.as_ref().map(|wrapper| {
        let mut target = quoted(&wrapper.application);
        target.arguments = wrapper.parameters.clone().unwrap_or_default();
        target
    });
    service.differences = differences(&service, states);
    service
}

/// A value that holds a path and no arguments, so that spaces in it end nothing.
pub(super) fn quoted(path: &str) -> ImagePath {
    let bare = path.trim().trim_matches('"');
    ImagePath { raw: path.to_owned(), quoted: true, ..ImagePath::of_file(bare) }
}

fn image(config: &ServiceConfig) -> Option<ImagePath> {
    let is_driver = config.service_type.is_some_and(ServiceType::is_driver);
    match config.image_path.as_deref().map(str::trim) {
        // The kernel takes a driver's relative path from the Windows folder.
        Some(path) if is_driver && ImagePath::parse(path).naming == Naming::Bare => {
            let raw = path.to_owned();
            Some(ImagePath { raw, ..ImagePath::parse(&format!(r"\SystemRoot\{path}")) })
        }
        Some(path) if !path.is_empty() => Some(ImagePath::parse(path)),
        _ if config.service_type.is_some_and(|kind| kind.is_driver() && kind.0 & 0x4 == 0) => {
            Some(ImagePath::implied_driver(&config.name))
        }
        _ => None,
    }
}

/// What differs between the current configuration and those of other control sets and backups. Deleted keys
/// are not compared: they are no earlier state of a key that exists.
fn differences(service: &Service, states: &[OlderState]) -> Vec<Difference> {
    let mut found = Vec::new();
    // The next newer state that can be put in order with the one looked at.
    let mut newer: Option<(String, Values<'_>)> = None;
    for other in &service.history {
        if !other.epoch.is_earlier_state() {
            continue;
        }
        let state = state_of(other, states);
        let is_change = state.is_some_and(|state| {
            !matches!(state.standing, Standing::OtherComputer | Standing::NotOlder)
        });
        let against = other.epoch.label();
        let Some(current) = &service.config else {
            found.push(Difference {
                against,
                field: String::new(),
                before: Some("present".to_owned()),
                now: None,
                is_change,
                until: None,
                citation: Some(other.citation.clone()),
                now_citation: None,
            });
            continue;
        };
        let (now, before) = (values(current), values(other));
        let names: BTreeSet<&String> = now.keys().chain(before.keys()).collect();
        for name in names {
            let (left, right) = (before.get(name).copied(), now.get(name).copied());
            let Some(field) = right.or(left).map(|value| value.name.as_str()) else { continue };
            if data(left) == data(right) || is_volatile(field) {
                continue;
            }
            let reached = newer
                .as_ref()
                .filter(|(_, values)| is_change && data(values.get(name).copied()) == data(right));
            found.push(Difference {
                against: against.clone(),
                field: field.to_owned(),
                before: data(left).map(display),
                now: data(right).map(display),
                is_change,
                until: reached.map(|(label, _)| label.clone()),
                citation: Some(other.cite(field)),
                now_citation: Some(current.cite(field)),
            });
        }
        if is_change {
            newer = Some((against, before));
        }
    }
    found
}

/// Values by folded name.
type Values<'c> = BTreeMap<String, &'c RawValue>;

fn values(config: &ServiceConfig) -> Values<'_> {
    config.values.iter().map(|value| (text::fold(&value.name), value)).collect()
}

fn data(value: Option<&RawValue>) -> Option<&Data> {
    value.map(|value| &value.data)
}

/// Sub-keys that Windows itself rewrites all the time, so that a difference says nothing.
fn is_volatile(field: &str) -> bool {
    let upper = text::fold(field);
    ["ENUM\\", "STATE\\", "PARAMETERS\\INTERFACES\\", "DIAG\\", "PROBE\\", "EPOCH"]
        .iter()
        .any(|prefix| upper.starts_with(prefix))
}

/// Data in one line.
pub(super) fn display(data: &Data) -> String {
    match data {
        Data::Number(number) => number.to_string(),
        Data::Text(words) => words.clone(),
        Data::Texts(lines) => lines.join(", "),
        Data::Bytes(bytes) => {
            let shown = text::hex(bytes.get(..32).unwrap_or(bytes));
            if bytes.len() > 32 { format!("{shown}… ({} bytes)", bytes.len()) } else { shown }
        }
    }
}
