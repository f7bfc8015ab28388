//! `reg`, and the key paths below which services lie.

use super::{Change, ServiceCommand, Verb, host_of};
use crate::text;

/// `reg add|delete|copy|restore KEY …` below Services, and on `Control\SafeBoot`. `import` and `load` name no
/// service; `save`, `export` and `query` change none.
pub(super) fn parse(words: &[String]) -> Option<ServiceCommand> {
    let verb = words.first()?.to_lowercase();
    let key = words.get(1)?;
    if verb == "copy" {
        return copy(words.get(2)?);
    }
    let remote = remote_of(key);
    let (service, subkey) = service_of_key(key).or_else(|| safe_boot_of_key(key))?;
    if service.is_empty() {
        return None;
    }
    let option = |wanted: &str| {
        let at = words.iter().position(|word| {
            word.strip_prefix(['/', '-']).is_some_and(|option| option.eq_ignore_ascii_case(wanted))
        })?;
        words.get(at.saturating_add(1)).cloned()
    };
    let (verb, changes) = match (verb.as_str(), option("v")) {
        ("add", value) => {
            let value = join_subkey(&subkey, &value.unwrap_or_default());
            (Verb::Configure, vec![Change::new(&value, &option("d").unwrap_or_default())])
        }
        ("delete", Some(value)) => {
            (Verb::Configure, vec![Change::new(&join_subkey(&subkey, &value), "")])
        }
        ("delete", None) if subkey.is_empty() && !is_option(words, "va") => {
            (Verb::Delete, Vec::new())
        }
        ("delete", None) => {
            let value = if subkey.is_empty() { "*" } else { &subkey };
            (Verb::Configure, vec![Change::new(value, "")])
        }
        ("restore", _) => {
            let value = if subkey.is_empty() { "*" } else { &subkey };
            (Verb::Configure, vec![Change::new(value, words.get(2)?)])
        }
        _ => return None,
    };
    Some(ServiceCommand { remote, changes, ..ServiceCommand::new("reg", &service, verb) })
}

/// `reg copy FROM TO`: the key that comes into being or is overwritten.
fn copy(to: &str) -> Option<ServiceCommand> {
    let (service, subkey) = service_of_key(to)?;
    let (verb, changes) = if subkey.is_empty() {
        (Verb::Create, Vec::new())
    } else {
        (Verb::Configure, vec![Change::new(&subkey, "")])
    };
    let remote = remote_of(to);
    Some(ServiceCommand { remote, changes, ..ServiceCommand::new("reg", &service, verb) })
}

fn is_option(words: &[String], wanted: &str) -> bool {
    words.iter().any(|word| {
        word.strip_prefix(['/', '-']).is_some_and(|option| option.eq_ignore_ascii_case(wanted))
    })
}

/// `\\host\HKLM\…`.
fn remote_of(key: &str) -> Option<String> {
    host_of(key.strip_prefix(r"\\")?.split('\\').next()?)
}

pub(super) fn join_subkey(subkey: &str, value: &str) -> String {
    match (subkey.is_empty(), value.is_empty()) {
        (true, _) => value.to_owned(),
        (false, true) => subkey.to_owned(),
        (false, false) => format!("{subkey}\\{value}"),
    }
}

/// The service and the rest of a key path that goes through a control set's Services, however the root is
/// spelled (`HKLM\`, `HKLM:\`, `\REGISTRY\MACHINE\`, `Microsoft.PowerShell.Core\Registry::`).
pub fn service_of_key(path: &str) -> Option<(String, String)> {
    let mut components = below_control_set(path)?;
    if !components.next().is_some_and(|next| next.eq_ignore_ascii_case("services")) {
        return None;
    }
    let service = components.next()?.trim().to_owned();
    let rest: Vec<&str> = components.collect();
    Some((service, rest.join("\\")))
}

/// `…\Control\SafeBoot\Minimal\name` decides whether that service starts in safe mode.
fn safe_boot_of_key(path: &str) -> Option<(String, String)> {
    let mut components = below_control_set(path)?;
    let control = components.next().is_some_and(|one| one.eq_ignore_ascii_case("control"));
    let safe_boot = components.next().is_some_and(|one| one.eq_ignore_ascii_case("safeboot"));
    let mode = components.next()?;
    let service = components.next()?.trim().to_owned();
    (control && safe_boot).then(|| (service, format!(r"SafeBoot\{mode}")))
}

fn below_control_set(path: &str) -> Option<impl Iterator<Item = &str>> {
    let mut components = path.split(['\\', '/']).filter(|component| !component.is_empty());
    while let Some(component) = components.next() {
        let upper = text::fold(component);
        if upper == "CURRENTCONTROLSET" || upper.strip_prefix("CONTROLSET").is_some_and(is_number) {
            return Some(components);
        }
    }
    None
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
