//! Configurations become services: the current one, its history, and what differs.

use std::collections::BTreeMap;

use crate::host::config::{Data, Epoch, RawValue, ServiceConfig, ServiceType};
use crate::host::fact::ConfigurationKey;
use crate::host::image_path::{ImagePath, Naming};
use crate::host::service::{Difference, Service};
use crate::text;

/// One service for every name, from the configurations of all epochs.
pub(super) fn services(configs: Vec<ServiceConfig>) -> Vec<Service> {
    let mut by_name: BTreeMap<String, Vec<ServiceConfig>> = BTreeMap::new();
    for config in configs {
        by_name.entry(text::fold(&config.name)).or_default().push(config);
    }
    by_name.into_values().map(service).collect()
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

fn service(mut configs: Vec<ServiceConfig>) -> Service {
    configs.sort_by(|left, right| left.epoch.cmp(&right.epoch));
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
    service.differences = differences(&service);
    service
}

/// A value that holds a path and no arguments, so that spaces in it end nothing.
fn quoted(path: &str) -> ImagePath {
    let bare = path.trim().trim_matches('"');
    ImagePath { raw: path.to_owned(), quoted: true, ..ImagePath::parse(&format!("\"{bare}\"")) }
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
fn differences(service: &Service) -> Vec<Difference> {
    let mut found = Vec::new();
    for other in &service.history {
        if !other.epoch.is_earlier_state() {
            continue;
        }
        let against = other.epoch.label();
        let Some(current) = &service.config else {
            found.push(Difference {
                against,
                field: String::new(),
                before: Some("present".to_owned()),
                now: None,
                citation: Some(other.citation.clone()),
            });
            continue;
        };
        compare(current, other, &against, &mut found);
    }
    found
}

fn compare(
    current: &ServiceConfig,
    other: &ServiceConfig,
    against: &str,
    found: &mut Vec<Difference>,
) {
    let fold_values = |config: &ServiceConfig| -> BTreeMap<String, RawValue> {
        config.values.iter().map(|value| (text::fold(&value.name), value.clone())).collect()
    };
    let now = fold_values(current);
    let before = fold_values(other);
    let names: std::collections::BTreeSet<&String> = now.keys().chain(before.keys()).collect();
    for name in names {
        let (left, right) = (before.get(name), now.get(name));
        if left.map(|value| &value.data) == right.map(|value| &value.data) {
            continue;
        }
        let Some(field) = right.or(left).map(|value| value.name.clone()) else { continue };
        if is_volatile(&field) {
            continue;
        }
        found.push(Difference {
            against: against.to_owned(),
            citation: Some(other.cite(&field)),
            field,
            before: left.map(|value| display(&value.data)),
            now: right.map(|value| display(&value.data)),
        });
    }
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
            use std::fmt::Write as _;
            let mut hex = String::new();
            for byte in bytes.iter().take(32) {
                let _infallible = write!(hex, "{byte:02x}");
            }
            if bytes.len() > 32 {
                let _infallible = write!(hex, "… ({} bytes)", bytes.len());
            }
            hex
        }
    }
}
