//! What this host did to services of other hosts, in the report.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::host::event::Subject;
use crate::host::service_command::Verb;
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
    /// What was done to it.
    pub verb: Verb,
    /// How: `sc`, `net`, `reg`, `wmi`, `powershell`, `psexec` and so on.
    pub means: String,
    /// The command or what else shows it, as logged, passwords replaced.
    pub line: String,
    /// The line as it reads once its disguise is taken off.
    pub decoded: Option<String>,
    /// Who.
    pub subject: Subject,
    /// The account whose credentials were used against that host right before (4648).
    pub credentials: Option<String>,
    /// The records.
    pub citations: Vec<Citation>,
}

impl OutboundReport {
    pub(super) fn new(outbound: &Outbound) -> Self {
        Self {
            time: Stamp(outbound.time),
            host: outbound.host.clone(),
            service: outbound.service.clone(),
            verb: outbound.verb,
            means: outbound.means.to_owned(),
            line: outbound.line.clone(),
            decoded: outbound.decoded.clone(),
            subject: outbound.subject.clone(),
            credentials: outbound.credentials.clone(),
            citations: outbound.citations.clone(),
        }
    }

    /// What was done, in one sentence without the time.
    pub(super) fn sentence(&self) -> String {
        let done = match self.verb {
            Verb::Create => "created",
            Verb::Configure => "changed",
            Verb::Delete => "deleted",
            Verb::Start => "started",
            Verb::Stop => "stopped",
            Verb::Control => "controlled",
        };
        let service = self.service.as_deref().unwrap_or("a service");
        let host = self.host.as_deref().unwrap_or("other hosts");
        let by = self.subject.name.as_deref().or(self.subject.sid.as_deref());
        let by = by.map(|by| format!(" by {by}")).unwrap_or_default();
        let with =
            self.credentials.as_deref().map(|with| format!(" with the credentials of {with}"));
        format!("{service} on {host} {done} with {}{by}{}", self.means, with.unwrap_or_default())
    }
}
