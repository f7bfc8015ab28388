//! Events in order of time, each once.

use crate::host::citation::Place;
use crate::host::event::Event;

/// Sorts events by time, computer, channel and record id and removes duplicates: the same record read from
/// a live log, an archive and a shadow copy is one event, cited from the most trustworthy copy.
pub(super) fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    events.sort_by(|left, right| {
        key(left)
            .cmp(&key(right))
            .then_with(|| left.citation.provenance.cmp(&right.citation.provenance))
            .then_with(|| left.citation.artifact.cmp(&right.citation.artifact))
    });
    events.dedup_by(|later, earlier| key(later) == key(earlier));
    events
}

fn key(event: &Event) -> (jiff::Timestamp, &str, &str, u64, u16) {
    match &event.citation.place {
        Place::Record { channel, event_id, record_id } => {
            (event.time, event.computer.as_str(), channel, *record_id, *event_id)
        }
        Place::Key { path, offset, .. } => (event.time, event.computer.as_str(), path, *offset, 0),
        Place::File => (event.time, event.computer.as_str(), "", 0, 0),
    }
}
