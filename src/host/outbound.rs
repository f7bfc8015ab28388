//! What this host did to services of other hosts: the attacker's side of a remote install.

use jiff::Timestamp;

use super::citation::Citation;
use super::event::Subject;

/// One act towards a service elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    /// When.
    pub time: Timestamp,
    /// The other host as the command names it; absent where it names a list or a variable.
    pub host: Option<String>,
    /// The service there, where the command names it.
    pub service: Option<String>,
    /// How: `sc`, `psexec`, `wmi`, `powershell`, `reg`, `smb`.
    pub means: &'static str,
    /// The command or what else shows it, as logged.
    pub line: String,
    /// Who.
    pub subject: Subject,
    /// The records. Never empty.
    pub citations: Vec<Citation>,
}
