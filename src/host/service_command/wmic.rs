//! `wmic service … call`.

use super::{Change, ServiceCommand, Verb};

/// `wmic [/node:host] service … call create|change|delete|startservice|stopservice`.
pub(super) fn parse(words: &[String]) -> Option<ServiceCommand> {
    let line = words.join(" ");
    let lower = line.to_lowercase();
    if !words.iter().any(|word| word.eq_ignore_ascii_case("service")) {
        return None;
    }
    let call = lower.split_once(" call ").map(|(_, call)| call.trim_start().to_owned())?;
    let verb = match call.split(|c: char| !c.is_alphabetic()).next()? {
        "create" => Verb::Create,
        "change" | "changestartmode" | "setsecuritydescriptor" => Verb::Configure,
        "delete" => Verb::Delete,
        "startservice" | "resumeservice" => Verb::Start,
        "stopservice" | "pauseservice" => Verb::Stop,
        _ => return None,
    };
    let named = |name: &str| {
        let at = lower.find(&format!("{name}="))?.saturating_add(name.len()).saturating_add(1);
        let rest = line.get(at..)?.trim_start_matches(['"', '\'', '\\']);
        rest.split(['"', '\'', ',', ' ']).next().map(str::to_owned)
    };
    let remote = words.iter().find_map(|word| {
        word.split_once(':')
            .filter(|(option, _)| option.eq_ignore_ascii_case("/node"))
            .map(|(_, host)| host.to_owned())
    });
    let changes = [("pathname", "ImagePath"), ("startmode", "Start"), ("startname", "ObjectName")]
        .into_iter()
        .filter_map(|(name, value)| Some(Change { value: value.to_owned(), data: named(name)? }))
        .collect();
    Some(ServiceCommand { service: named("name")?, remote, verb, changes })
}
