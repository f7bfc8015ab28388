//! Commands that create, change or delete services, taken apart: `sc`, `net`, `reg`, `wmic`, PowerShell.
//!
//! Syntax after Microsoft's documentation of `sc.exe create/config/failure/sdset`, `reg add`, `New-Service`,
//! `Set-Service` and `Set-ItemProperty`; module-logging text (event 4103) is read by its `ParameterBinding`
//! lines.

use crate::text;

/// What a command does to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// Creates it.
    Create,
    /// Changes its configuration.
    Configure,
    /// Deletes it.
    Delete,
    /// Starts it.
    Start,
    /// Stops or pauses it.
    Stop,
}

/// Which part of the configuration a command sets. Names are those of the registry values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `ImagePath`, `Start`, `FailureCommand`, `FailureActions`, `Security`, `ObjectName`, `DisplayName`,
    /// `Description`, `Parameters\ServiceDll` or whatever value `reg` names.
    pub value: String,
    /// The new data as written in the command.
    pub data: String,
}

/// One command about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCommand {
    /// The service as the command names it: a key name, or for `net` and PowerShell perhaps a display name.
    pub service: String,
    /// The other host it is done on: `sc \\HOST`, `-ComputerName HOST`, `/node:HOST`.
    pub remote: Option<String>,
    /// What is done.
    pub verb: Verb,
    /// What is set.
    pub changes: Vec<Change>,
}

impl ServiceCommand {
    /// The data the command sets that value to.
    pub fn change(&self, value: &str) -> Option<&str> {
        self.changes
            .iter()
            .find(|change| text::same_name(&change.value, value))
            .map(|change| change.data.as_str())
    }
}

/// How many commands within commands (`cmd /c "sc …"`) are followed.
const DEPTH: u8 = 3;
/// Longest text that is looked at, in bytes: longer ones are payloads with a command at the front.
const LONGEST: usize = 256 * 1024;

/// The service commands in a process command line.
pub fn in_command_line(line: &str) -> Vec<ServiceCommand> {
    let mut found = Vec::new();
    scan(&words(clip(line)), DEPTH, &mut found);
    found
}

/// The service commands in PowerShell text: script blocks, payloads, pipeline details.
pub fn in_script(script: &str) -> Vec<ServiceCommand> {
    let script = clip(script);
    let mut found = Vec::new();
    if let Some(command) = module_logging(script) {
        found.push(command);
    }
    for statement in script.split(['\n', ';', '|']) {
        let words = words(statement);
        if let Some(command) = cmdlet(&words) {
            if !found.contains(&command) {
                found.push(command);
            }
        } else {
            scan(&words, 1, &mut found);
        }
    }
    found
}

fn clip(line: &str) -> &str {
    let mut end = line.len().min(LONGEST);
    while !line.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    line.get(..end).unwrap_or_default()
}

/// Splits at white space outside double or single quotes; carets (the command interpreter's escape) vanish.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quote: Option<char> = None;
    let mut started = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) if chars.peek() == Some(&'"') => {
                word.push('"');
                chars.next();
                started = true;
            }
            (c, Some(open)) if c == open => quote = None,
            ('"', None) => {
                quote = Some('"');
                started = true;
            }
            ('\'', None) if !started => {
                quote = Some('\'');
                started = true;
            }
            ('^', None) => {}
            (c, None) if c.is_whitespace() => {
                if started {
                    words.push(std::mem::take(&mut word));
                    started = false;
                }
            }
            (c, _) => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        words.push(word);
    }
    words
}

fn scan(words: &[String], depth: u8, found: &mut Vec<ServiceCommand>) {
    for (at, word) in words.iter().enumerate() {
        let rest = words.get(at.saturating_add(1)..).unwrap_or_default();
        let tool = super::image_path::leaf(word).trim_end_matches('"').to_lowercase();
        let command = match tool.trim_end_matches(".exe") {
            "sc" => sc(rest),
            "net" | "net1" => net(rest),
            "reg" => reg(rest),
            "wmic" => wmic(rest),
            _ if tool.contains("-service") || tool.contains("-itemproperty") => {
                cmdlet(words.get(at..).unwrap_or_default())
            }
            _ => None,
        };
        if let Some(command) = command {
            if !found.contains(&command) {
                found.push(command);
            }
        } else if depth > 0 && at > 0 && word.contains(char::is_whitespace) {
            scan(&self::words(word), depth.saturating_sub(1), found);
        }
    }
}

/// `sc [\\host] verb name [option= value …]`; the space after `=` is sc's own habit and optional since
/// Windows 10.
fn sc(words: &[String]) -> Option<ServiceCommand> {
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
fn net(words: &[String]) -> Option<ServiceCommand> {
    let verb = match words.first()?.to_lowercase().as_str() {
        "start" => Verb::Start,
        "stop" | "pause" => Verb::Stop,
        _ => return None,
    };
    let service = words.get(1)?.clone();
    Some(ServiceCommand { service, remote: None, verb, changes: Vec::new() })
}

/// `reg add|delete KEY [/v value] [/d data]` below Services.
fn reg(words: &[String]) -> Option<ServiceCommand> {
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

fn join_subkey(subkey: &str, value: &str) -> String {
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

/// `wmic [/node:host] service … call create|change|delete|startservice|stopservice`.
fn wmic(words: &[String]) -> Option<ServiceCommand> {
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

/// A cmdlet with its parameters as words.
fn cmdlet(words: &[String]) -> Option<ServiceCommand> {
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

/// Event 4103: `CommandInvocation(X)` and `ParameterBinding(X): name="N"; value="V"` lines.
fn module_logging(script: &str) -> Option<ServiceCommand> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn only(commands: Vec<ServiceCommand>) -> ServiceCommand {
        assert_eq!(commands.len(), 1, "{commands:?}");
        commands.into_iter().next().unwrap()
    }

    #[test]
    fn command_lines_are_taken_apart() {
        for (line, service, verb, value, data) in [
            (
                r#"sc  create hijackservice binpath= "cmd.exe /k tscon 2 /dest:rdp-tcp#5""#,
                "hijackservice",
                Verb::Create,
                "ImagePath",
                "cmd.exe /k tscon 2 /dest:rdp-tcp#5",
            ),
            ("sc  config sense start= disabled", "sense", Verb::Configure, "Start", "disabled"),
            ("sc.exe config sense start=disabled", "sense", Verb::Configure, "Start", "disabled"),
            (
                r#"C:\Windows\System32\sc.exe failure W32Time command= "\"c:\Windows\system32\pentestlab.exe\"""#,
                "W32Time",
                Verb::Configure,
                "FailureCommand",
                r#""c:\Windows\system32\pentestlab.exe""#,
            ),
            (
                r#"REG  ADD HKLM\SYSTEM\CurrentControlSet\Services\W32Time /v FailureCommand /t REG_SZ /d "C:\tmp\pentestlab.exe""#,
                "W32Time",
                Verb::Configure,
                "FailureCommand",
                r"C:\tmp\pentestlab.exe",
            ),
            (
                r#"reg add "HKLM\SYSTEM\ControlSet001\Services\W64Time\Parameters" /v ServiceDll /d x.dll /f"#,
                "W64Time",
                Verb::Configure,
                r"Parameters\ServiceDll",
                "x.dll",
            ),
            (
                "sc  sdset xboxgip \"D:(A;;CCLC;;;SY)\"",
                "xboxgip",
                Verb::Configure,
                "Security",
                "D:(A;;CCLC;;;SY)",
            ),
            (
                r#"cmd /c "s^c create a binPath= C:\x.exe""#,
                "a",
                Verb::Create,
                "ImagePath",
                r"C:\x.exe",
            ),
            (
                r#"powershell -c "New-Service -Name evil -BinaryPathName 'C:\a b\x.exe'""#,
                "evil",
                Verb::Create,
                "ImagePath",
                r"C:\a b\x.exe",
            ),
        ] {
            let command = only(in_command_line(line));
            assert_eq!((command.service.as_str(), command.verb), (service, verb), "{line}");
            assert_eq!(command.change(value), Some(data), "{line}: {command:?}");
        }
    }

    #[test]
    fn the_other_host_is_named() {
        let command = only(in_command_line(r"sc \\fs03 create hacker-testl binpath= virus.exe"));
        assert_eq!(command.remote.as_deref(), Some("fs03"));
        assert_eq!(command.change("ImagePath"), Some("virus.exe"));
    }

    #[test]
    fn scripts_are_taken_apart() {
        let set = only(in_script(
            r#"Set-ItemProperty -Path "HKLM:\System\CurrentControlSet\services\xboxgip" -Name "FailureCommand" -Value "C:\nc.exe -e powershell.exe""#,
        ));
        assert_eq!(set.change("FailureCommand"), Some(r"C:\nc.exe -e powershell.exe"));
        let logged = "CommandInvocation(New-Service): \"New-Service\"\nParameterBinding(New-Service): name=\"Name\"; value=\"hackervirus\"\nParameterBinding(New-Service): name=\"BinaryPathName\"; value=\"virus.exe\"\n";
        let new = only(in_script(logged));
        assert_eq!(
            (new.service.as_str(), new.change("ImagePath")),
            ("hackervirus", Some("virus.exe"))
        );
    }

    #[test]
    fn ordinary_commands_are_no_service_commands() {
        for line in [
            "sc query state= all",
            "net use x: \\\\h\\s",
            r"reg add HKLM\Software\x /v a /d b",
            "wmic service get name",
            r"C:\Windows\system32\svchost.exe -k netsvcs",
            "",
        ] {
            assert_eq!(in_command_line(line), [], "{line}");
        }
    }
}
