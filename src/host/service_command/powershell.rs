//! PowerShell: cmdlets as words of a script, and as module logging records them.

use super::reg::{join_subkey, service_of_key};
use super::{Change, ServiceCommand, Verb};

const CMDLETS: [(&str, Verb); 12] = [
    ("new-service", Verb::Create),
    ("set-service", Verb::Configure),
    ("set-servicebinarypath", Verb::Configure),
    ("remove-service", Verb::Delete),
    ("start-service", Verb::Start),
    ("restart-service", Verb::Start),
    ("stop-service", Verb::Stop),
    ("suspend-service", Verb::Stop),
    ("set-itemproperty", Verb::Configure),
    ("new-itemproperty", Verb::Configure),
    ("remove-itemproperty", Verb::Configure),
    ("sp", Verb::Configure),
];

/// A cmdlet with its parameters as words.
pub(super) fn cmdlet(words: &[String]) -> Option<ServiceCommand> {
    let mut words = words.iter().peekable();
    let name = loop {
        let word = words.next()?.trim_start_matches(['(', '&', '{', '"', '\'']).to_lowercase();
        if CMDLETS.iter().any(|(cmdlet, _)| *cmdlet == word) {
            break word;
        }
    };
    let mut parameters: Vec<(String, String)> = Vec::new();
    while let Some(word) = words.next() {
        match word.strip_prefix('-') {
            Some(parameter) if !parameter.is_empty() => {
                let (parameter, inline) = match parameter.split_once(':') {
                    Some((parameter, data)) if !data.is_empty() => {
                        (parameter, Some(data.to_owned()))
                    }
                    _ => (parameter.trim_end_matches(':'), None),
                };
                let data = inline.or_else(|| words.next_if(|next| !is_parameter(next)).cloned());
                parameters.push((parameter.to_lowercase(), data.unwrap_or_default()));
            }
            _ => parameters.push((String::new(), word.clone())),
        }
    }
    from_parameters(&name, &parameters)
}

fn is_parameter(word: &str) -> bool {
    word.strip_prefix('-').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// Event 4103: `CommandInvocation(X)` and `ParameterBinding(X): name="N"; value="V"` lines.
pub(super) fn module_logging(script: &str) -> Option<ServiceCommand> {
    let invoked = script.split_once("CommandInvocation(")?.1;
    let name = invoked.split(')').next()?.to_lowercase();
    if !CMDLETS.iter().any(|(cmdlet, _)| *cmdlet == name) {
        return None;
    }
    let mut parameters = Vec::new();
    for binding in script.split("ParameterBinding(").skip(1) {
        let Some((_, pair)) = binding.split_once("name=\"") else { continue };
        let Some((parameter, rest)) = pair.split_once('"') else { continue };
        let Some((_, data)) = rest.split_once("value=\"") else { continue };
        let end = data.rfind('"').unwrap_or(data.len());
        let data = data.get(..end).unwrap_or_default();
        parameters.push((parameter.to_lowercase(), data.to_owned()));
    }
    from_parameters(&name, &parameters)
}

fn from_parameters(cmdlet: &str, parameters: &[(String, String)]) -> Option<ServiceCommand> {
    let (_, verb) = CMDLETS.iter().find(|(name, _)| *name == cmdlet)?;
    // PowerShell takes unambiguous prefixes of parameter names.
    let get = |full: &str, shortest: usize| {
        parameters
            .iter()
            .find(|(name, _)| name.len() >= shortest && full.starts_with(name.as_str()))
            .map(|(_, data)| data.clone())
    };
    let mut positional =
        parameters.iter().filter(|(name, _)| name.is_empty()).map(|(_, data)| data.clone());
    let remote = get("computername", 1).filter(|host| host != ".");
    if cmdlet.ends_with("itemproperty") || cmdlet == "sp" {
        let path =
            get("path", 2).or_else(|| get("literalpath", 1)).or_else(|| positional.next())?;
        let (service, subkey) = service_of_key(&path)?;
        let name = get("name", 1).or_else(|| positional.next()).unwrap_or_default();
        let data = get("value", 1).or_else(|| positional.next()).unwrap_or_default();
        let changes = vec![Change { value: join_subkey(&subkey, &name), data }];
        return Some(ServiceCommand { service, remote, verb: *verb, changes });
    }
    let service = get("name", 1).or_else(|| positional.next())?;
    let mut changes = Vec::new();
    for (parameter, shortest, value) in [
        ("binarypathname", 1, "ImagePath"),
        ("path", 2, "ImagePath"),
        ("startuptype", 2, "Start"),
        ("displayname", 2, "DisplayName"),
        ("description", 3, "Description"),
        ("credential", 1, "ObjectName"),
        ("securitydescriptorsddl", 2, "Security"),
    ] {
        if let Some(data) = get(parameter, shortest) {
            changes.push(Change { value: value.to_owned(), data });
        }
    }
    if changes.is_empty()
        && *verb == Verb::Create
        && let Some(data) = positional.next()
    {
        changes.push(Change { value: "ImagePath".to_owned(), data });
    }
    Some(ServiceCommand { service, remote, verb: *verb, changes })
}
