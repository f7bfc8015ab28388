//! What this host did to services of other hosts, in the report.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::host::event::Subject;
use crate::host::{Citation, Outbound};

/// One act towards a service elsewhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutboundReport {
    /// When.
    pub time: Stamp,
    /// The other host as the command names it.
    pub host: Option<String>,
    /// The service there.
    pub service: Option<String>,
    /// How: `sc`, `psexec`, `wmi`, `powershell`, `reg`, `smb`.
    pub means: String,
    /// The command or what else shows it, as logged.
    pub line: String,
    /// Who.
    pub subject: Subject,
    /// The records.
    pub citations: Vec<Citation>,
}

impl OutboundReport {
    pub(super) fn new(outbound: &Outbound) -> Self {
        Self {
            time: Stamp(outbound.time),
            host: outbound.host.clone(),
            service: outbound.service.clone(),
            means: outbound.means.to_owned(),
            line: outbound.line.clone(),
            subject: outbound.subject.clone(),
            citations: outbound.citations.clone(),
        }
    }
}
