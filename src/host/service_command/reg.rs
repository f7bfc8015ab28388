//! `reg`, and the key paths below which services lie.

use super::{Change, ServiceCommand, Verb};
use crate::text;

/// `reg add|delete KEY [/v value] [/d data]` below Services.
pub(super) fn parse(words: &[String]) -> Option<ServiceCommand> {
    let verb = words.first()?.to_lowercase();
    let key = words.get(1)?;
    let (service, subkey) = service_of_key(key)?;
    let option = |wanted: &str| {
        let at = words.iter().position(|word| word.eq_ignore_ascii_case(wanted))?;
        words.get(at.saturating_add(1)).cloned()
    };
    match (verb.as_str(), option("/v")) {
        ("add", value) => {
            let value = join_subkey(&subkey, &value.unwrap_or_default());
            let changes = vec![Change { value, data: option("/d").unwrap_or_default() }];
            Some(ServiceCommand { service, remote: None, verb: Verb::Configure, changes })
        }
        ("delete", Some(value)) => {
            let value = join_subkey(&subkey, &value);
            let changes = vec![Change { value, data: String::new() }];
            Some(ServiceCommand { service, remote: None, verb: Verb::Configure, changes })
        }
        ("delete", None) if subkey.is_empty() => {
            Some(ServiceCommand { service, remote: None, verb: Verb::Delete, changes: Vec::new() })
        }
        _ => None,
    }
}

pub(super) fn join_subkey(subkey: &str, value: &str) -> String {
    if subkey.is_empty() { value.to_owned() } else { format!("{subkey}\\{value}") }
}

/// The service and the rest of a key path that goes through a control set's Services, however the root is
/// spelled (`HKLM\`, `HKLM:\`, `\REGISTRY\MACHINE\`, `Microsoft.PowerShell.Core\Registry::`).
pub fn service_of_key(path: &str) -> Option<(String, String)> {
    let mut components = path.split(['\\', '/']).filter(|component| !component.is_empty());
    while let Some(component) = components.next() {
        let upper = text::fold(component);
        if upper == "CURRENTCONTROLSET" || upper.strip_prefix("CONTROLSET").is_some_and(is_number) {
            if !components.next().is_some_and(|next| next.eq_ignore_ascii_case("services")) {
                return None;
            }
            let service = components.next()?.trim().to_owned();
            let rest: Vec<&str> = components.collect();
            return Some((service, rest.join("\\")));
        }
    }
    None
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
