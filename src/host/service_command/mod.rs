//! Commands that create, change or delete services, taken apart: `sc`, `net`, `reg`, `wmic`, PowerShell, PsExec and others.
//!
//! What is understood, and where each syntax comes from, is listed in docs/commands.md. Nothing is run: disguises are taken
//! off as far as that is mechanical, within fixed bounds, and a command found below one says what it reads
//! as ([`ServiceCommand::decoded`]).

use serde::{Deserialize, Serialize};

use crate::host::event::ProcessStart;
use crate::text;

mod attack_tools;
mod cmd;
mod control;
mod encoded;
mod install;
mod powershell;
mod reader;
mod reg;
mod sc;
mod secrets;
mod variables;
mod wmic;
mod words;

pub use reg::service_of_key;
pub use secrets::without_passwords;

use reader::Reader;

/// What a command does to a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    /// Sends it a control code of its own.
    Control,
}

/// Which part of the configuration a command sets. Names are those of the registry values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `ImagePath`, `Start`, `Type`, `ErrorControl`, `ObjectName`, `Password`, `DisplayName`, `Description`,
    /// `DependOnService`, `Group`, `FailureCommand`, `FailureActions`, `ResetPeriod`, `RebootMessage`,
    /// `FailureActionsOnNonCrashFailures`, `Security`, `ServiceSidType`, `RequiredPrivileges`, `TriggerInfo`,
    /// `Parameters\ServiceDll` or whatever value the command names.
    pub value: String,
    /// The new data as written in the command; empty where the value is deleted, `(given)` for a password.
    pub data: String,
}

impl Change {
    fn new(value: &str, data: &str) -> Self {
        Self { value: value.to_owned(), data: data.to_owned() }
    }
}

/// One command about one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceCommand {
    /// The service as the command names it: a key name, or for `net` and PowerShell perhaps a display name. Empty where
    /// the command names only the program (`installutil`).
    pub service: String,
    /// The other host it is done on: `sc \\HOST`, `-ComputerName HOST`, `/node:HOST`; spellings of this host
    /// (`\\.`, `\\localhost`, `\\127.0.0.1`) are left out.
    pub remote: Option<String>,
    /// What is done.
    pub verb: Verb,
    /// What is set.
    pub changes: Vec<Change>,
    /// By which tool: `sc`, `net`, `reg`, `wmic`, `wmi`, `powershell`, `psexec`, `psservice`, `nssm`, `instsrv`,
    /// `installutil`, `fltmc`, `bcdedit`, `sharpersist`, `sharpsc`, `scshell`, `impacket`, `netexec`.
    pub tool: &'static str,
    /// The line as it reads once its disguise is taken off; absent where it was logged in the clear. Passwords are
    /// replaced.
    pub decoded: Option<String>,
}

impl ServiceCommand {
    fn new(tool: &'static str, service: &str, verb: Verb) -> Self {
        Self {
            service: service.trim().to_owned(),
            remote: None,
            verb,
            changes: Vec::new(),
            tool,
            decoded: None,
        }
    }

    /// The data the command sets that value to.
    pub fn change(&self, value: &str) -> Option<&str> {
        self.changes
            .iter()
            .find(|change| text::same_name(&change.value, value))
            .map(|change| change.data.as_str())
    }

    /// Whether both do the same to the same service; how they are written aside.
    pub fn same_act(&self, other: &Self) -> bool {
        self.verb == other.verb
            && text::same_name(&self.service, &other.service)
            && self.remote == other.remote
            && self.changes.len() == other.changes.len()
            && self.changes.iter().all(|change| {
                other.change(&change.value).is_some_and(|data| plain(data) == plain(&change.data))
            })
    }
}

/// Data without the quotes and white space in which logs differ.
fn plain(data: &str) -> String {
    let kept = data.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\''));
    kept.collect::<String>().to_lowercase()
}

/// Longest text that is looked at, in bytes: longer ones are payloads with a command at the front.
pub(super) const LONGEST: usize = 256 * 1024;
/// How many commands of one event are kept.
const MOST_COMMANDS: usize = 256;
/// How many hosts of one command are kept.
const MOST_HOSTS: usize = 64;

/// The service commands of a new process, whatever its file is called: a renamed tool is known by the original file
/// name in its version resource, where that was logged.
pub fn in_process(process: &ProcessStart) -> Vec<ServiceCommand> {
    let line = process.command_line.as_deref().unwrap_or_default();
    let mut reader = Reader::new();
    reader.process(words::clip(line, LONGEST), process.original_file_name.as_deref());
    reader.into_found()
}

/// The service commands in a process command line.
pub fn in_command_line(line: &str) -> Vec<ServiceCommand> {
    let mut reader = Reader::new();
    reader.process(words::clip(line, LONGEST), None);
    reader.into_found()
}

/// The service commands in PowerShell text: script blocks, payloads, pipeline details, host applications.
pub fn in_script(script: &str) -> Vec<ServiceCommand> {
    powershell::event(words::clip(script, LONGEST))
}

/// The other host that a spelling names; nothing for this one.
pub(super) fn host_of(spelled: &str) -> Option<String> {
    let host = spelled.trim().trim_matches(['\\', '/', '"', '\'']).trim();
    let local = host.is_empty()
        || matches!(host.to_ascii_lowercase().as_str(), "." | "localhost" | "::1" | "[::1]")
        || host.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || host.eq_ignore_ascii_case("%computername%")
        || host.eq_ignore_ascii_case("$env:computername");
    (!local).then(|| host.to_owned())
}

#[cfg(test)]
mod tests;
