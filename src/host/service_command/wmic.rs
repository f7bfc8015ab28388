//! `wmic`.

use super::secrets::GIVEN;
use super::{Change, ServiceCommand, Verb, host_of};

/// Parameters of `Win32_Service.Create` and `.Change` and the registry values they end in.
pub(super) const PARAMETERS: [(&str, &str); 9] = [
    ("pathname", "ImagePath"),
    ("startmode", "Start"),
    ("startname", "ObjectName"),
    ("startpassword", "Password"),
    ("displayname", "DisplayName"),
    ("servicetype", "Type"),
    ("errorcontrol", "ErrorControl"),
    ("loadordergroup", "Group"),
    ("servicedependencies", "DependOnService"),
];

/// What a method of `Win32_Service` does.
pub(super) fn verb_of(method: &str) -> Option<Verb> {
    Some(match method.to_lowercase().as_str() {
        "create" => Verb::Create,
        "change" | "changestartmode" | "setsecuritydescriptor" => Verb::Configure,
        "delete" => Verb::Delete,
        "startservice" | "resumeservice" => Verb::Start,
        "stopservice" | "pauseservice" => Verb::Stop,
        "usercontrolservice" => Verb::Control,
        _ => return None,
    })
}

/// What `wmic` was asked to do on which hosts.
pub(super) enum Wmic {
    /// Something with a service, on the hosts named.
    Service(ServiceCommand),
    /// `process call create "command"`.
    Run(String),
}

/// `wmic [/node:host] service [where …|name] call method [name=value, …] | delete`, and `process call create`.
pub(super) fn parse(words: &[String]) -> Option<(Vec<String>, Wmic)> {
    let mut hosts = Vec::new();
    let mut at = 0_usize;
    while let Some(word) = words.get(at).filter(|word| word.starts_with(['/', '-'])) {
        if let Some((option, value)) = word.split_once(':')
            && option.get(1..).is_some_and(|option| option.eq_ignore_ascii_case("node"))
        {
            hosts.extend(
                value.split(',').map(|host| host.trim_matches(['"', '\'', '@']).to_owned()),
            );
        }
        at = at.saturating_add(1);
    }
    let alias = words.get(at)?.to_lowercase();
    let rest = words.get(at.saturating_add(1)..).unwrap_or_default();
    let class = if alias == "path" {
        rest.first().map(|class| class.to_lowercase()).unwrap_or_default()
    } else {
        alias
    };
    let what = match class.split('.').next()? {
        "service" | "win32_service" | "sysdriver" | "win32_systemdriver" | "win32_baseservice" => {
            Wmic::Service(service(rest)?)
        }
        "process" | "win32_process" => {
            let call = after(rest, "call")?;
            let create = call.first()?.eq_ignore_ascii_case("create");
            let line = call.get(1..).unwrap_or_default().join(" ");
            Wmic::Run(create.then_some(line)?)
        }
        _ => return None,
    };
    Some((hosts.iter().filter_map(|host| host_of(host)).collect(), what))
}

fn after<'a>(words: &'a [String], word: &str) -> Option<&'a [String]> {
    let at = words.iter().position(|one| one.eq_ignore_ascii_case(word))?;
    words.get(at.saturating_add(1)..)
}

fn service(words: &[String]) -> Option<ServiceCommand> {
    let line = words.join(" ");
    let Some(call) = after(words, "call") else {
        let deletes = words.iter().any(|word| word.eq_ignore_ascii_case("delete"));
        let name = condition(&line)?;
        return deletes.then(|| ServiceCommand::new("wmic", &name, Verb::Delete));
    };
    let method: String = call.first()?.chars().take_while(char::is_ascii_alphanumeric).collect();
    let verb = verb_of(&method)?;
    let arguments = call.join(" ");
    let arguments = arguments.get(method.len()..).unwrap_or_default();
    let mut changes: Vec<Change> = PARAMETERS
        .iter()
        .filter_map(|(name, value)| {
            let data = argument(arguments, name)?;
            let data = if *value == "Password" { GIVEN.to_owned() } else { data };
            Some(Change::new(value, &data))
        })
        .collect();
    if method.eq_ignore_ascii_case("changestartmode") && changes.is_empty() {
        let mode = arguments.trim().trim_matches(['"', '\'', '(', ')']);
        changes.push(Change::new("Start", mode));
    }
    let name = if verb == Verb::Create { argument(arguments, "name") } else { None };
    let name = name.or_else(|| condition(&line)).or_else(|| argument(&line, "name"))?;
    Some(ServiceCommand { changes, ..ServiceCommand::new("wmic", &name, verb) })
}

/// The name in `where "name='x'"`, `where (caption like "x")`, or the alias's own `service x call`.
fn condition(line: &str) -> Option<String> {
    let head = line.to_lowercase();
    let head = head.split(" call ").next().unwrap_or_default().len();
    let head = line.get(..head)?;
    for key in ["name", "displayname", "caption"] {
        if let Some(name) = argument(head, key) {
            return Some(name);
        }
    }
    let mut words = head.split_whitespace();
    let first = words.next()?.trim_matches(['"', '\'']);
    let word = if first.eq_ignore_ascii_case("where") { words.next()? } else { first };
    let plain = !word.contains('=')
        && !["call", "get", "delete", "list"].contains(&word.to_lowercase().as_str());
    plain.then(|| word.trim_matches(['"', '\'', '(', ')']).to_owned())
}

/// `name=value` or `name like value`, quoted or not. A value without quotes ends at a comma.
pub(super) fn argument(text: &str, name: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut from = 0_usize;
    while let Some(found) = lower.get(from..)?.find(name) {
        let at = from.saturating_add(found);
        let end = at.saturating_add(name.len());
        let starts =
            lower.get(..at)?.chars().next_back().is_none_or(|c| !c.is_alphanumeric() && c != '_');
        let rest = text.get(end..)?.trim_start_matches(['"', '\'', ' ']);
        let value = rest.strip_prefix('=').or_else(|| {
            rest.get(..5)
                .filter(|like| like.eq_ignore_ascii_case("like "))
                .and_then(|_| rest.get(5..))
        });
        if starts && let Some(value) = value {
            let value = value.trim_start_matches([' ', '\\']);
            let quote = value.chars().next().filter(|c| matches!(c, '"' | '\''));
            let value = match quote {
                Some(quote) => value.get(1..)?.split(quote).next(),
                None => value.split([',', '"', '\'', ')']).next().map(|value| {
                    // Beyond a space another parameter or keyword begins.
                    if name == "pathname" {
                        value
                    } else {
                        value.split(' ').next().unwrap_or(value)
                    }
                }),
            }?;
            return Some(value.trim().trim_end_matches('\\').to_owned());
        }
        from = end;
    }
    None
}
