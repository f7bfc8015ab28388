//! What the host says about itself.

use super::{cite_key, provenance, told};
use crate::artifact::Sink;
use crate::artifact::hive::{Key, Value};
use crate::artifact::hive_file::unless_damaged;
use crate::host::config::Epoch;
use crate::host::fact::{Identity, IdentityItem};
use crate::host::{Citation, Fact};
use crate::time;

/// Variables that are kept: a machine has some dozens.
const MOST_VARIABLES: usize = 512;

pub(super) fn read(set: &Key<'_>, sink: &mut Sink) {
    if let Some((value, citation)) = find(set, COMPUTER_NAME, "ComputerName", sink) {
        say(value.text().map(IdentityItem::ComputerName), citation, sink);
    }
    // `Domain` is what is in use, `NV Domain` what will be after a restart.
    for name in ["Domain", "NV Domain"] {
        let found = find(set, "Services\\Tcpip\\Parameters", name, sink);
        let Some((value, citation)) = found else { continue };
        let domain = value.text().filter(|domain| !domain.is_empty());
        if domain.is_some() {
            say(domain.map(IdentityItem::Domain), citation, sink);
            break;
        }
    }
    time_zone(set, sink);
    if let Some((value, citation)) = find(set, "Control\\Windows", "ShutdownTime", sink) {
        let ticks = <[u8; 8]>::try_from(value.data.as_slice()).map(u64::from_le_bytes);
        let shutdown = ticks.ok().and_then(time::from_filetime);
        say(shutdown.map(IdentityItem::LastShutdown), citation, sink);
    }
    environment(set, sink);
}

/// The variables that the service control manager gives to services.
fn environment(set: &Key<'_>, sink: &mut Sink) {
    let path = "Control\\Session Manager\\Environment";
    let Some(key) = unless_damaged(set.subkey(path), sink) else { return };
    let values = told(key.values(), key.path(), sink);
    let variables: Vec<(String, String)> = values
        .into_iter()
        .filter_map(|value| Some((value.name.clone(), value.text()?)))
        .take(MOST_VARIABLES)
        .collect();
    if !variables.is_empty() {
        let citation = cite_key(&key, sink);
        say(Some(IdentityItem::Environment(variables)), citation, sink);
    }
}

/// The computer's name, where it is text and not empty.
pub(super) fn computer_name(set: &Key<'_>, sink: &mut Sink) -> Option<String> {
    let (value, _) = find(set, COMPUTER_NAME, "ComputerName", sink)?;
    value.text().filter(|name| !name.is_empty())
}

const COMPUTER_NAME: &str = "Control\\ComputerName\\ComputerName";

fn time_zone(set: &Key<'_>, sink: &mut Sink) {
    let path = "Control\\TimeZoneInformation";
    let bias = find(set, path, "ActiveTimeBias", sink)
        .and_then(|(value, _)| value.dword())
        .map(u32::cast_signed);
    // Before Windows Vista there is only the localised standard name.
    let name = ["TimeZoneKeyName", "StandardName"].into_iter().find_map(|name| {
        let (value, citation) = find(set, path, name, sink)?;
        let name = value.text().filter(|name| !name.is_empty())?;
        Some((name, citation))
    });
    if let Some((name, citation)) = name {
        let item = IdentityItem::TimeZone { name, bias_minutes: bias };
        say(Some(item), citation, sink);
    }
}

/// A value below a key with its citation.
pub(super) fn find(
    key: &Key<'_>,
    path: &str,
    name: &str,
    sink: &mut Sink,
) -> Option<(Value, Citation)> {
    let key = unless_damaged(key.subkey(path), sink)?;
    let value = unless_damaged(key.value(name), sink)?;
    let origin = provenance(value.from_log);
    let citation = cite_key(&key, sink).value(&value.name, offset(&value), origin);
    Some((value, citation))
}

pub(super) fn offset(value: &Value) -> u64 {
    u64::try_from(value.offset).unwrap_or(u64::MAX)
}

fn say(item: Option<IdentityItem>, citation: Citation, sink: &mut Sink) {
    match item {
        Some(item) => sink.fact(Fact::Identity(Identity { item, epoch: Epoch::Current, citation })),
        None => sink.note(format!("{citation}: not what Windows writes there")),
    }
}
