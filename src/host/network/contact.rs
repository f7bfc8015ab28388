//! Connections out of records: one connection that two logs recorded is one.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};

use super::reach;
use crate::host::citation::Place;
use crate::host::event::{Connection, Event};

/// Records of one thing in two logs lie within this time: Sysmon writes its records of connections late, in batches.
pub(super) const SAME: SignedDuration = SignedDuration::from_secs(60);

/// What makes a connection one: computer, process, protocol, and both ends.
type Ends<'a> = (&'a str, Option<u32>, String, String, Option<u16>, Option<u16>);

/// Tells records of a connection that another log has recorded already.
///
/// A local port is not given to the same two ends again within [`SAME`], so equal ends in records of two kinds are one
/// connection.
#[derive(Debug, Default)]
pub(super) struct Records<'a> {
    last: BTreeMap<Ends<'a>, (Timestamp, u16)>,
}

impl<'a> Records<'a> {
    /// Whether this record repeats one of another kind.
    pub(super) fn repeats(&mut self, event: &'a Event, connection: &'a Connection) -> bool {
        let Place::Record { event_id, .. } = event.citation.place else { return false };
        if connection.source_port.is_none() {
            return false;
        }
        let ends = (
            event.computer.as_str(),
            connection.process_id,
            connection.protocol.to_lowercase(),
            address(&connection.destination),
            connection.source_port,
            connection.destination_port,
        );
        let known = self.last.get(&ends).is_some_and(|(time, kind)| {
            *kind != event_id && event.time.duration_since(*time) <= SAME
        });
        if !known {
            self.last.insert(ends, (event.time, event_id));
        }
        known
    }
}

/// An address in its one spelling; as logged where it is none.
pub(super) fn address(text: &str) -> String {
    reach::parse(text).map_or_else(|| text.trim().to_lowercase(), |address| address.to_string())
}
