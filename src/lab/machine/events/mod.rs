//! Events as Windows writes them: providers, fixed fields and the names and types of their data.
//!
//! Measured on logs of Windows 10 and Server 2016; one file per channel.

pub(super) mod powershell;
pub(super) mod security;
pub(super) mod sysmon;
pub(super) mod system;

use jiff::Timestamp;

use super::process::Process;
use crate::lab::evtx::{Event, Payload, Provider, Value};

/// The provider of "log cleared" and "service stopped" events of the event log service.
const EVENT_LOG: Provider =
    Provider::Service("Microsoft-Windows-Eventlog", "{fc65ddd8-d6ef-4962-83d5-6e5cfe9ce148}");
const EVENT_LOG_SCHEMA: &str = "http://manifests.microsoft.com/win/2004/08/windows/eventlog";

/// An event with every field at its most usual value.
fn event(provider: Provider, id: u16, time: Timestamp, payload: Payload) -> Event {
    Event {
        provider,
        id,
        qualifiers: None,
        version: 0,
        level: 4,
        task: 0,
        opcode: 0,
        keywords: 0,
        time,
        execution: (0, 0),
        user: None,
        activity: None,
        payload,
    }
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn pid(process: &Process) -> Value {
    Value::Hex64(u64::from(process.pid))
}
