//! `Win32_Service` through WMI: `Invoke-WmiMethod`, `Invoke-CimMethod`, methods of an object.

use super::cmdlet::Parameter;
use crate::host::service_command::secrets::GIVEN;
use crate::host::service_command::wmic::{PARAMETERS, argument, verb_of};
use crate::host::service_command::{Change, ServiceCommand, Verb};

/// The values that the parameters of `Win32_Service.Create` end in, in their order; `Change` has the same without
/// the name ("Create method of the `Win32_Service` class", Microsoft Learn).
const CREATE: [&str; 11] = [
    "Name",
    "DisplayName",
    "ImagePath",
    "Type",
    "ErrorControl",
    "Start",
    "DesktopInteract",
    "ObjectName",
    "Password",
    "Group",
    "LoadOrderGroupDependencies",
];
/// `Invoke-WmiMethod -ArgumentList` takes them in the order of their names.
const BY_NAME: [&str; 12] = [
    "DesktopInteract",
    "DisplayName",
    "ErrorControl",
    "Group",
    "LoadOrderGroupDependencies",
    "Name",
    "ImagePath",
    "DependOnService",
    "Type",
    "Start",
    "ObjectName",
    "Password",
];

/// A service selected by a filter or query: `Name='x'`, `… where name = "x"`.
pub(super) fn filtered(text: &str) -> Option<String> {
    ["name", "displayname"]
        .iter()
        .find_map(|name| argument(text, name))
        .filter(|name| !name.is_empty())
}

/// A method of the class or of an object with arguments by position.
pub(super) fn by_position(
    method: &str,
    values: &[String],
    object: Option<&str>,
) -> Option<ServiceCommand> {
    let verb = verb_of(method)?;
    let order: &[&str] = match verb {
        Verb::Create
            if values.len() >= BY_NAME.len().saturating_sub(2) && is_flag(values.first()) =>
        {
            &BY_NAME
        }
        Verb::Create => &CREATE,
        Verb::Configure if method.eq_ignore_ascii_case("changestartmode") => &["Start"],
        Verb::Configure if method.eq_ignore_ascii_case("change") => CREATE.get(1..)?,
        _ => &[],
    };
    let mut name = object.map(str::to_owned);
    let mut changes = Vec::new();
    for (value, data) in order.iter().zip(values) {
        let data = data.trim();
        if data.is_empty() || data.eq_ignore_ascii_case("$null") {
            continue;
        }
        match *value {
            "Name" => name = Some(data.to_owned()),
            "DesktopInteract" | "LoadOrderGroupDependencies" => {}
            "Password" => changes.push(Change::new(value, GIVEN)),
            value => changes.push(Change::new(value, data)),
        }
    }
    let name = name.filter(|name| !name.starts_with('$'))?;
    Some(ServiceCommand { changes, ..ServiceCommand::new("wmi", &name, verb) })
}

fn is_flag(value: Option<&String>) -> bool {
    value.is_some_and(|value| {
        matches!(value.to_lowercase().as_str(), "$true" | "$false" | "true" | "false" | "0" | "1")
    })
}

/// A method with arguments by name: `-Arguments @{Name='x'; PathName='y'}`.
pub(super) fn by_name(
    method: &str,
    table: &[(String, String)],
    object: Option<&str>,
) -> Option<ServiceCommand> {
    let verb = verb_of(method)?;
    let get = |wanted: &str| {
        table.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.clone())
    };
    let changes = PARAMETERS
        .iter()
        .filter_map(|(name, value)| {
            let data = get(name)?;
            Some(Change::new(value, if *value == "Password" { GIVEN } else { &data }))
        })
        .collect();
    let name =
        get("name").filter(|_| verb == Verb::Create).or_else(|| object.map(str::to_owned))?;
    Some(ServiceCommand { changes, ..ServiceCommand::new("wmi", &name, verb) })
}

/// What `Invoke-WmiMethod` or `Invoke-CimMethod` was asked for.
pub(super) struct Invoked {
    /// The class or the query, lower case.
    pub(super) class: String,
    pub(super) method: String,
    pub(super) values: Vec<String>,
    pub(super) table: Vec<(String, String)>,
    pub(super) object: Option<String>,
}

/// Reads the parameters of such a cmdlet.
pub(super) fn invoked(parameters: &[Parameter]) -> Invoked {
    let get = |names: &[&str]| {
        names.iter().find_map(|full| {
            parameters
                .iter()
                .find(|one| !one.name.is_empty() && full.starts_with(one.name.as_str()))
        })
    };
    let text = |names: &[&str]| get(names).map(|one| one.values.join(" ")).unwrap_or_default();
    let mut positional = parameters.iter().filter(|one| one.name.is_empty());
    let mut class = text(&["classname", "class", "query", "path"]);
    if class.is_empty() {
        class = positional.next().map(|one| one.values.join(" ")).unwrap_or_default();
    }
    let mut method = text(&["methodname", "name"]);
    if method.is_empty() {
        method = positional.next().map(|one| one.values.join(" ")).unwrap_or_default();
    }
    let arguments = get(&["argumentlist", "arguments"]).or_else(|| positional.next());
    let object = filtered(&text(&["filter"])).or_else(|| filtered(&class));
    Invoked {
        class: class.to_lowercase(),
        method,
        values: arguments.map(|one| one.values.clone()).unwrap_or_default(),
        table: arguments.map(|one| one.table.clone()).unwrap_or_default(),
        object,
    }
}
