//! An event in the report.

use serde::{Deserialize, Serialize};

use super::{Stamp, event_summary};
use crate::host::service::Link;
use crate::host::{Event, Host, Place, Provenance, Role, Service};

/// An event and why it belongs to the service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventReport {
    /// When it was logged.
    pub time: Stamp,
    /// Why it belongs to the service.
    pub role: Role,
    /// The channel.
    pub channel: Option<String>,
    /// The event id.
    pub event_id: Option<u16>,
    /// The record id.
    pub record_id: Option<u64>,
    /// The computer the record names.
    pub computer: String,
    /// SID of the user in whose name it was logged.
    pub user_sid: Option<String>,
    /// What happened, in one sentence.
    pub summary: String,
    /// The log file.
    pub artifact: String,
    /// How the record came to be readable.
    pub provenance: Provenance,
}

impl EventReport {
    fn new(event: &Event, role: Role) -> Self {
        let (channel, event_id, record_id) = match &event.citation.place {
            Place::Record { channel, event_id, record_id } => {
                (Some(channel.to_string()), Some(*event_id), Some(*record_id))
            }
            Place::Key { .. } | Place::File => (None, None, None),
        };
        Self {
            time: Stamp(event.time),
            role,
            channel,
            event_id,
            record_id,
            computer: event.computer.clone(),
            user_sid: event.user_sid.clone(),
            summary: event_summary::summary(event),
            artifact: event.citation.artifact.to_string(),
            provenance: event.citation.provenance,
        }
    }
}

/// The events of a service, in order of time.
pub(super) fn events(host: &Host, service: &Service) -> Vec<EventReport> {
    let report =
        |link: &Link| host.events.get(link.event).map(|event| EventReport::new(event, link.role));
    service.links.iter().filter_map(report).collect()
}
