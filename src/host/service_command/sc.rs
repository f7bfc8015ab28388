//! `sc` and `net`.

use super::{Change, ServiceCommand, Verb};

/// `sc [\\host] verb name [option= value …]`; the space after `=` is sc's own habit and optional since
/// Windows 10.
pub(super) fn parse(words: &[String]) -> Option<ServiceCommand> {
    let mut rest = words.iter();
    let mut verb = rest.next()?;
    let remote = verb.strip_prefix(r"\\").map(str::to_owned);
    if remote.is_some() {
        verb = rest.next()?;
    }
    let service = rest.next()?.clone();
    let rest: Vec<&String> = rest.collect();
    let (verb, changes) = match verb.to_lowercase().as_str() {
        "create" => (Verb::Create, sc_options(&rest)),
        "config" | "failure" => (Verb::Configure, sc_options(&rest)),
        "failureflag" => (Verb::Configure, one("FailureActionsOnNonCrashFailures", &rest)),
        "sdset" => (Verb::Configure, one("Security", &rest)),
        "description" => (Verb::Configure, one("Description", &rest)),
        "sidtype" => (Verb::Configure, one("ServiceSidType", &rest)),
        "privs" => (Verb::Configure, one("RequiredPrivileges", &rest)),
        "triggerinfo" => (Verb::Configure, one("TriggerInfo", &rest)),
        "delete" => (Verb::Delete, Vec::new()),
        "start" => (Verb::Start, Vec::new()),
        "stop" | "pause" => (Verb::Stop, Vec::new()),
        _ => return None,
    };
    Some(ServiceCommand { service, remote, verb, changes })
}

fn one(value: &str, words: &[&String]) -> Vec<Change> {
    let data = words.iter().map(|word| word.as_str()).collect::<Vec<_>>().join(" ");
    vec![Change { value: value.to_owned(), data }]
}

fn sc_options(words: &[&String]) -> Vec<Change> {
    const OPTIONS: [(&str, &str); 11] = [
        ("binpath", "ImagePath"),
        ("start", "Start"),
        ("type", "Type"),
        ("error", "ErrorControl"),
        ("obj", "ObjectName"),
        ("displayname", "DisplayName"),
        ("depend", "DependOnService"),
        ("group", "Group"),
        ("command", "FailureCommand"),
        ("actions", "FailureActions"),
        ("reboot", "RebootMessage"),
    ];
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
            && let Some(next) = words.next()
        {
            data.clone_from(next);
        }
        changes.push(Change { value: (*value).to_owned(), data });
    }
    changes
}

/// `net start|stop name`.
pub(super) fn parse_net(words: &[String]) -> Option<ServiceCommand> {
    let verb = match words.first()?.to_lowercase().as_str() {
        "start" => Verb::Start,
        "stop" | "pause" => Verb::Stop,
        _ => return None,
    };
    let service = words.get(1)?.clone();
    Some(ServiceCommand { service, remote: None, verb, changes: Vec::new() })
}
