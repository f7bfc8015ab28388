//! Cmdlets that work on services and on the registry below Services.

use crate::host::service_command::reg::{join_subkey, service_of_key};
use crate::host::service_command::secrets::GIVEN;
use crate::host::service_command::{Change, ServiceCommand, Verb, host_of};

/// A parameter of a cmdlet; a positional one has no name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parameter {
    /// Lower case, without the hyphen.
    pub(super) name: String,
    /// Its value; several for a list.
    pub(super) values: Vec<String>,
    /// The fields of a table, lower-case names.
    pub(super) table: Vec<(String, String)>,
}

impl Parameter {
    fn text(&self) -> String {
        self.values.join(", ")
    }
}

/// Cmdlets and their aliases.
const CMDLETS: [(&str, &str); 26] = [
    ("new-service", "new-service"),
    ("set-service", "set-service"),
    ("remove-service", "remove-service"),
    ("start-service", "start-service"),
    ("sasv", "start-service"),
    ("resume-service", "start-service"),
    ("restart-service", "start-service"),
    ("stop-service", "stop-service"),
    ("spsv", "stop-service"),
    ("suspend-service", "stop-service"),
    ("set-servicebinarypath", "set-service"),
    ("install-service", "new-service"),
    ("uninstall-service", "remove-service"),
    ("set-itemproperty", "set-itemproperty"),
    ("sp", "set-itemproperty"),
    ("new-itemproperty", "set-itemproperty"),
    ("remove-itemproperty", "remove-itemproperty"),
    ("rp", "remove-itemproperty"),
    ("clear-itemproperty", "remove-itemproperty"),
    ("clp", "remove-itemproperty"),
    ("remove-item", "remove-item"),
    ("ri", "remove-item"),
    ("new-item", "new-item"),
    ("ni", "new-item"),
    ("copy-item", "copy-item"),
    ("rename-itemproperty", "remove-itemproperty"),
];

/// The cmdlet behind a name or alias.
pub(super) fn named(name: &str) -> Option<&'static str> {
    CMDLETS.iter().find(|(alias, _)| *alias == name).map(|(_, cmdlet)| *cmdlet)
}

/// The commands that a cmdlet's parameters give; `piped` are the names of services that came through the pipe.
pub(super) fn read(name: &str, parameters: &[Parameter], piped: &[String]) -> Vec<ServiceCommand> {
    let Some(cmdlet) = named(name) else { return Vec::new() };
    let arguments = Arguments(parameters);
    let commands = if cmdlet.ends_with("-service") {
        service(cmdlet, arguments, piped)
    } else {
        registry(cmdlet, arguments)
    };
    let hosts: Vec<String> = arguments
        .get("computername", 1)
        .map(|hosts| hosts.values.iter().filter_map(|host| host_of(host)).collect())
        .unwrap_or_default();
    if hosts.is_empty() {
        return commands;
    }
    let on = |command: &ServiceCommand| {
        let command = command.clone();
        hosts
            .iter()
            .map(move |host| ServiceCommand { remote: Some(host.clone()), ..command.clone() })
    };
    commands.iter().flat_map(on).collect()
}

#[derive(Clone, Copy)]
struct Arguments<'a>(&'a [Parameter]);

impl<'a> Arguments<'a> {
    /// PowerShell takes unambiguous prefixes of parameter names.
    fn get(self, full: &str, shortest: usize) -> Option<&'a Parameter> {
        self.0.iter().find(|one| one.name.len() >= shortest && full.starts_with(one.name.as_str()))
    }

    fn positional(self) -> impl Iterator<Item = &'a Parameter> {
        self.0.iter().filter(|one| one.name.is_empty())
    }
}

fn service(cmdlet: &str, arguments: Arguments<'_>, piped: &[String]) -> Vec<ServiceCommand> {
    let verb = match cmdlet {
        "new-service" => Verb::Create,
        "remove-service" => Verb::Delete,
        "start-service" => Verb::Start,
        "stop-service" => Verb::Stop,
        _ => Verb::Configure,
    };
    let mut positional = arguments.positional();
    let given = arguments.get("name", 1).or_else(|| arguments.get("servicename", 1));
    let names = match given.or_else(|| arguments.get("inputobject", 1)) {
        Some(given) => given.values.clone(),
        None if verb == Verb::Configure || verb == Verb::Create || piped.is_empty() => positional
            .next()
            .map(|given| given.values.clone())
            .or_else(|| {
                arguments
                    .get("displayname", 2)
                    .filter(|_| verb != Verb::Configure)
                    .map(|one| one.values.clone())
            })
            .unwrap_or_else(|| piped.to_vec()),
        None => piped.to_vec(),
    };
    let mut changes = Vec::new();
    for (parameter, shortest, value) in [
        ("binarypathname", 1, "ImagePath"),
        ("path", 2, "ImagePath"),
        ("startuptype", 5, "Start"),
        ("startmode", 6, "Start"),
        ("displayname", 2, "DisplayName"),
        ("description", 3, "Description"),
        ("credential", 2, "ObjectName"),
        ("dependson", 3, "DependOnService"),
        ("securitydescriptorsddl", 2, "Security"),
        ("sd", 2, "Security"),
    ] {
        if let Some(given) = arguments.get(parameter, shortest) {
            changes.push(Change::new(value, &given.text()));
        }
    }
    if verb == Verb::Create
        && !changes.iter().any(|change| change.value == "ImagePath")
        && let Some(given) = positional.next()
    {
        changes.insert(0, Change::new("ImagePath", &given.text()));
    }
    let mut verb = verb;
    // `Set-Service -Status Stopped` starts and stops.
    if verb == Verb::Configure
        && changes.is_empty()
        && let Some(status) = arguments.get("status", 5)
    {
        verb = if status.text().eq_ignore_ascii_case("running") { Verb::Start } else { Verb::Stop };
    }
    names
        .iter()
        .filter(|name| is_name(name))
        .map(|name| ServiceCommand {
            changes: changes.clone(),
            ..ServiceCommand::new("powershell", name, verb)
        })
        .collect()
}

/// A variable that nothing gave a value to, or a pattern, names no service.
fn is_name(name: &str) -> bool {
    !name.trim().is_empty() && !name.starts_with(['$', '-', '@', '[']) && !name.contains(['*', '?'])
}

fn registry(cmdlet: &str, arguments: Arguments<'_>) -> Vec<ServiceCommand> {
    let mut positional = arguments.positional();
    let path = if cmdlet == "copy-item" {
        positional.next();
        arguments.get("destination", 1).or_else(|| positional.next())
    } else {
        arguments
            .get("path", 2)
            .or_else(|| arguments.get("literalpath", 1))
            .or_else(|| arguments.get("pspath", 2))
            .or_else(|| positional.next())
    };
    let Some((service, subkey)) = path.and_then(|path| service_of_key(path.values.first()?)) else {
        return Vec::new();
    };
    let mut next = || positional.next();
    let name = arguments.get("name", 1).or_else(&mut next).map(Parameter::text).unwrap_or_default();
    let (verb, service, changes) = match cmdlet {
        "set-itemproperty" => {
            let data =
                arguments.get("value", 1).or_else(next).map(Parameter::text).unwrap_or_default();
            (Verb::Configure, service, vec![Change::new(&join_subkey(&subkey, &name), &data)])
        }
        "remove-itemproperty" => {
            (Verb::Configure, service, vec![Change::new(&join_subkey(&subkey, &name), "")])
        }
        "remove-item" if subkey.is_empty() => (Verb::Delete, service, Vec::new()),
        "new-item" | "copy-item" if subkey.is_empty() => (Verb::Create, service, Vec::new()),
        _ => (Verb::Configure, service, vec![Change::new(&subkey, "")]),
    };
    if !is_name(&service) {
        return Vec::new();
    }
    vec![ServiceCommand { changes, ..ServiceCommand::new("powershell", &service, verb) }]
}

/// The fields of a table as parameters: `@splatting` and `-Arguments @{…}`.
pub(super) fn of_table(table: &[(String, String)]) -> Vec<Parameter> {
    table
        .iter()
        .map(|(name, value)| {
            let secret = name.contains("password");
            let value = if secret { GIVEN.to_owned() } else { value.clone() };
            Parameter { name: name.clone(), values: vec![value], table: Vec::new() }
        })
        .collect()
}
