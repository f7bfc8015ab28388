//! Events for logs that the lab writes.

use jiff::Timestamp;
use svctriage::lab::evtx::{Event, Payload, Provider};

/// When the first event of a test's log is written.
pub(crate) fn start() -> Timestamp {
    "2023-05-04T12:00:00.1234567Z".parse().unwrap()
}

/// An ordinary event at [`start`]; tests change the fields they are about.
pub(crate) fn event(provider: Provider, id: u16, payload: Payload) -> Event {
    Event {
        provider,
        id,
        qualifiers: None,
        version: 0,
        level: 4,
        task: 0,
        opcode: 0,
        keywords: 0x8080_0000_0000_0000,
        time: start(),
        execution: (724, 3336),
        user: None,
        activity: None,
        payload,
    }
}
