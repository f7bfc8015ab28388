//! `sc`.

use super::secrets::GIVEN;
use super::{Change, ServiceCommand, Verb, host_of};
use crate::host::service::SERVICE_CONTROL_MANAGER;

/// `option=` of `create`, `config` and `failure`, and the registry value it ends in.
const OPTIONS: [(&str, &str); 14] = [
    ("binpath", "ImagePath"),
    ("start", "Start"),
    ("type", "Type"),
    ("error", "ErrorControl"),
    ("obj", "ObjectName"),
    ("password", "Password"),
    ("displayname", "DisplayName"),
    ("depend", "DependOnService"),
    ("group", "Group"),
    ("tag", "Tag"),
    ("command", "FailureCommand"),
    ("actions", "FailureActions"),
    ("reset", "ResetPeriod"),
    ("reboot", "RebootMessage"),
];

/// `sc [\\host] verb name [option= value …]`; the space after `=` is sc's own habit and optional since
/// Windows 10.
pub(super) fn parse(words: &[String]) -> Option<ServiceCommand> {
    let mut rest = words;
    let first = rest.first()?;
    let remote = first.strip_prefix(r"\\");
    if remote.is_some() {
        rest = rest.get(1..)?;
    }
    let verb = rest.first()?.to_lowercase();
    let service = rest.get(1)?.as_str();
    let rest = rest.get(2..).unwrap_or_default();
    let (verb, changes) = match verb.as_str() {
        "create" => (Verb::Create, options(rest)),
        "config" | "failure" => (Verb::Configure, options(rest)),
        "failureflag" => (Verb::Configure, one("FailureActionsOnNonCrashFailures", rest)),
        "sdset" => (Verb::Configure, one("Security", rest)),
        "description" => (Verb::Configure, one("Description", rest)),
        "sidtype" => (Verb::Configure, one("ServiceSidType", rest)),
        "privs" => (Verb::Configure, one("RequiredPrivileges", rest)),
        "triggerinfo" if !rest.is_empty() => (Verb::Configure, one("TriggerInfo", rest)),
        "preferrednode" => (Verb::Configure, one("PreferredNode", rest)),
        "managedaccount" => (Verb::Configure, one("ServiceAccountManaged", rest)),
        "delete" => (Verb::Delete, Vec::new()),
        "start" | "continue" => (Verb::Start, one_if_given("Arguments", rest)),
        "stop" | "pause" => (Verb::Stop, Vec::new()),
        "control" => (Verb::Control, one("Control", rest)),
        _ => return None,
    };
    if service.is_empty() || service.contains('=') {
        return None;
    }
    // The service control manager's own descriptor goes by the names `scmanager` and `scm`.
    let manager = ["scmanager", "scm"].iter().any(|own| service.eq_ignore_ascii_case(own));
    let service = if manager && changes.iter().any(|change| change.value == "Security") {
        SERVICE_CONTROL_MANAGER
    } else {
        service
    };
    Some(ServiceCommand {
        remote: remote.and_then(host_of),
        changes,
        ..ServiceCommand::new("sc", service, verb)
    })
}

fn one(value: &str, words: &[String]) -> Vec<Change> {
    vec![Change::new(value, &words.join(" "))]
}

fn one_if_given(value: &str, words: &[String]) -> Vec<Change> {
    if words.is_empty() { Vec::new() } else { one(value, words) }
}

fn options(words: &[String]) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut words = words.iter().peekable();
    while let Some(word) = words.next() {
        let (name, mut data) = match word.split_once('=') {
            Some((name, data)) => (name.to_lowercase(), data.to_owned()),
            None if words.peek().is_some_and(|next| next.starts_with('=')) => {
                let next = words.next().map_or("", |next| next.trim_start_matches('='));
                (word.to_lowercase(), next.to_owned())
            }
            None => continue,
        };
        let Some((_, value)) = OPTIONS.iter().find(|(option, _)| *option == name) else { continue };
        if data.is_empty()
            && let Some(next) = words.next_if(|next| option_of(next).is_none())
        {
            data.clone_from(next);
        }
        // `\"C:\a b.exe\"` typed without quotes around it falls apart at its space.
        if data.starts_with('"') && !(data.len() > 1 && data.ends_with('"')) {
            let mut whole = data.clone();
            let mut taken = 0_usize;
            for next in words.clone() {
                whole.push(' ');
                whole.push_str(next);
                taken = taken.saturating_add(1);
                if next.ends_with('"') || taken > 16 {
                    break;
                }
            }
            if whole.ends_with('"') {
                words.by_ref().take(taken).for_each(drop);
                data = whole;
            }
        }
        if *value == "Password" {
            GIVEN.clone_into(&mut data);
        }
        changes.push(Change::new(value, &data));
    }
    changes
}

/// The option a word is, where it is one.
fn option_of(word: &str) -> Option<&'static str> {
    let (name, _) = word.split_once('=')?;
    OPTIONS.iter().find(|(option, _)| option.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
}
