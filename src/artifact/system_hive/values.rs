//! Values as they stand, of a service key and of those of its sub-keys that matter.

use super::{is_one_of, provenance, tell};
use crate::artifact::Sink;
use crate::artifact::hive::{Key, Value, ValueKind};
use crate::host::Provenance;
use crate::host::config::{Data, RawValue};

/// Sub-keys of service keys whose values are read. Others hold what is not about how a service runs: event
/// sources, device enumeration, state that Windows rewrites all the time.
const SUBKEYS: [&str; 12] = [
    "Parameters",
    "TriggerInfo",
    "Performance",
    "Security",
    "NetworkProvider",
    "TimeProviders",
    "RouterManagers",
    "StartOverride",
    "v4tov4",
    "v4tov6",
    "v6tov4",
    "v6tov6",
];
/// Levels of sub-keys below the service key; on real hosts the firewall's rules lie deepest, at 5.
const MAX_DEPTH: usize = 8;
/// Values of one service; the firewall keeps some thousand rules below one.
const MAX_VALUES: usize = 20_000;

/// The values of a service key in on-disk order, then those of its sub-keys with their path before the name.
pub(super) fn of_service(key: &Key<'_>, sink: &mut Sink) -> Vec<RawValue> {
    let mut values = Vec::new();
    own(key, "", &mut values, sink);
    let listing = key.subkeys();
    tell(&listing.damaged, key.path(), sink);
    for subkey in listing.items.iter().filter(|subkey| is_one_of(subkey.name(), &SUBKEYS)) {
        below(subkey, subkey.name(), 1, &mut values, sink);
    }
    if values.len() >= MAX_VALUES {
        values.truncate(MAX_VALUES);
        sink.partial(format!(
            "{}: more than {MAX_VALUES} values; the rest is not read",
            key.path()
        ));
    }
    values
}

fn below(key: &Key<'_>, path: &str, depth: usize, values: &mut Vec<RawValue>, sink: &mut Sink) {
    if values.len() >= MAX_VALUES {
        return;
    }
    own(key, path, values, sink);
    let listing = key.subkeys();
    tell(&listing.damaged, key.path(), sink);
    if depth >= MAX_DEPTH {
        if !listing.items.is_empty() {
            sink.note(format!("{}: what lies deeper is not read", key.path()));
        }
        return;
    }
    for subkey in &listing.items {
        let path = format!("{path}\\{}", subkey.name());
        below(subkey, &path, depth.saturating_add(1), values, sink);
    }
}

fn own(key: &Key<'_>, path: &str, values: &mut Vec<RawValue>, sink: &mut Sink) {
    let listing = key.values();
    tell(&listing.damaged, key.path(), sink);
    values.extend(listing.items.into_iter().map(|value| raw(value, path)));
}

/// A value as the model keeps it; `path` is that of its sub-key below the service key, empty for the key itself.
pub(super) fn raw(value: Value, path: &str) -> RawValue {
    let provenance = provenance(value.from_log);
    let name = if path.is_empty() { value.name.clone() } else { format!("{path}\\{}", value.name) };
    let offset = u64::try_from(value.offset).unwrap_or(u64::MAX);
    RawValue { name, kind: code(value.kind), data: data(value), offset, provenance }
}

/// As [`raw`], of a value that was recovered.
pub(super) fn recovered(value: Value, path: &str) -> RawValue {
    RawValue { provenance: Provenance::Recovered, ..raw(value, path) }
}

fn data(value: Value) -> Data {
    let number = value.dword().map(u64::from).or_else(|| value.qword());
    if let Some(number) = number {
        return Data::Number(number);
    }
    match value.kind {
        ValueKind::MultiSz => Data::Texts(value.texts().unwrap_or_default()),
        _ => value.text().map_or(Data::Bytes(value.data), Data::Text),
    }
}

/// The registry's number of a type.
fn code(kind: ValueKind) -> u32 {
    match kind {
        ValueKind::None => 0,
        ValueKind::Sz => 1,
        ValueKind::ExpandSz => 2,
        ValueKind::Binary => 3,
        ValueKind::Dword => 4,
        ValueKind::DwordBigEndian => 5,
        ValueKind::Link => 6,
        ValueKind::MultiSz => 7,
        ValueKind::ResourceList => 8,
        ValueKind::FullResourceDescriptor => 9,
        ValueKind::ResourceRequirementsList => 10,
        ValueKind::Qword => 11,
        ValueKind::Other(code) => code,
    }
}
