//! Commands that create, change or delete services, taken apart: `sc`, `net`, `reg`, `wmic`, PowerShell.
//!
//! Syntax after Microsoft's documentation of `sc.exe create/config/failure/sdset`, `reg add`, `New-Service`,
//! `Set-Service` and `Set-ItemProperty`; module-logging text (event 4103) is read by its `ParameterBinding`
//! lines.

use crate::text;

mod powershell;
mod reg;
mod sc;
mod wmic;
mod words;

pub use reg::service_of_key;

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
    scan(&words::split(clip(line)), DEPTH, &mut found);
    found
}

/// The service commands in PowerShell text: script blocks, payloads, pipeline details.
pub fn in_script(script: &str) -> Vec<ServiceCommand> {
    let script = clip(script);
    let mut found = Vec::new();
    if let Some(command) = powershell::module_logging(script) {
        found.push(command);
    }
    for statement in script.split(['\n', ';', '|']) {
        let words = words::split(statement);
        if let Some(command) = powershell::cmdlet(&words) {
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

fn scan(words: &[String], depth: u8, found: &mut Vec<ServiceCommand>) {
    for (at, word) in words.iter().enumerate() {
        let rest = words.get(at.saturating_add(1)..).unwrap_or_default();
        let tool = super::image_path::leaf(word).trim_end_matches('"').to_lowercase();
        let command = match tool.trim_end_matches(".exe") {
            "sc" => sc::parse(rest),
            "net" | "net1" => sc::parse_net(rest),
            "reg" => reg::parse(rest),
            "wmic" => wmic::parse(rest),
            _ if tool.contains("-service") || tool.contains("-itemproperty") => {
                powershell::cmdlet(words.get(at..).unwrap_or_default())
            }
            _ => None,
        };
        if let Some(command) = command {
            if !found.contains(&command) {
                found.push(command);
            }
        } else if depth > 0 && at > 0 && word.contains(char::is_whitespace) {
            scan(&words::split(word), depth.saturating_sub(1), found);
        }
    }
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
