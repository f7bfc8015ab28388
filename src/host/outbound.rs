//! What this host did to services of other hosts: the attacker's side of a remote install.

use jiff::Timestamp;

use super::citation::Citation;
use super::event::Subject;
use super::service_command::Verb;

/// One act towards a service elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// When.
    pub time: Timestamp,
    /// The other host as the command names it; absent where it names a list or a variable.
    pub host: Option<String>,
    /// The service there, where the command names it.
    pub service: Option<String>,
    /// What was done to it.
    pub verb: Verb,
    /// How: `sc`, `net`, `reg`, `wmi`, `powershell`, `psexec` (and its like), `psservice`, `nssm`, `instsrv`,
    /// `installutil`, `fltmc`, `bcdedit`, `sharpsc`, `scshell`, `impacket`, `netexec`.
    pub means: &'static str,
    /// The command or what else shows it, as logged, passwords replaced.
    pub line: String,
    /// The line as it reads once its disguise is taken off.
    pub decoded: Option<String>,
    /// Who.
    pub subject: Subject,
    /// The account whose credentials were used against that host right before (4648), where that was logged.
    pub credentials: Option<String>,
    /// The records, the command's first. Never empty.
    pub citations: Vec<Citation>,
}
