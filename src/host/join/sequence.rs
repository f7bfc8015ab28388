//! Events in order of time, each once.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use crate::host::citation::{Place, Provenance};
use crate::host::event::Event;
use crate::text;

/// Sorts events by time, computer, channel and record id and removes duplicates: the same record read from
/// a live log and an archive is one event, cited from the most trustworthy copy. A record that says something else than
/// another of the same id and time was altered in one of the logs, and both are kept; but what was recovered
/// from free space may be damaged, and never stands beside a better copy.
pub(super) fn in_order(mut events: Vec<Event>) -> Vec<Event> {
    // Records of one log mostly are in order; of those that differ in nothing else, the live log's come first.
    events.sort_by(|left, right| {
        key(left)
            .cmp(&key(right))
            .then_with(|| left.citation.provenance.cmp(&right.citation.provenance))
            .then_with(|| preference(left, right))
    });
    let mut kept: Vec<Event> = Vec::with_capacity(events.len());
    // How many of the last ones have the same id and time.
    let mut alike = 0_usize;
    // What those say; filled only where there are too many to compare one by one.
    let mut said: BTreeSet<String> = BTreeSet::new();
    for event in events {
        if kept.last().is_none_or(|last| key(last) != key(&event)) {
            alike = 1;
            said.clear();
            kept.push(event);
            continue;
        }
        let is_recovered = event.citation.provenance == Provenance::Recovered;
        if is_recovered || repeats(&event, kept.iter().rev().take(alike), &mut said) {
            continue;
        }
        alike = alike.saturating_add(1);
        kept.push(event);
    }
    kept
}

/// Records of one id and time that are compared one by one.
const FEW: usize = 8;

/// Whether an event says what one of these says.
fn repeats<'e>(
    event: &Event,
    alike: impl ExactSizeIterator<Item = &'e Event>,
    said: &mut BTreeSet<String>,
) -> bool {
    if alike.len() < FEW {
        let same = |one: &Event| one.user_sid == event.user_sid && one.action == event.action;
        return alike.into_iter().any(same);
    }
    if said.is_empty() {
        said.extend(alike.map(content));
    }
    !said.insert(content(event))
}

/// Which of two copies of one record is cited: that of the live log, then the first by name.
fn preference(left: &Event, right: &Event) -> Ordering {
    if left.citation.artifact == right.citation.artifact {
        return Ordering::Equal;
    }
    is_live(right)
        .cmp(&is_live(left))
        .then_with(|| left.citation.artifact.cmp(&right.citation.artifact))
}

/// Whether it is cited from the file that Windows keeps the channel in, rather than from an archive or export.
fn is_live(event: &Event) -> bool {
    let Place::Record { channel, .. } = &event.citation.place else { return false };
    let name = event.citation.artifact.rsplit('/').next().unwrap_or_default();
    text::same_name(name, &format!("{}.evtx", channel.replace('/', "%4")))
}

fn content(event: &Event) -> String {
    format!("{:?} {:?}", event.user_sid, event.action)
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::Citation;
    use crate::host::event::Action;

    fn event(artifact: &str, record_id: u64, image: &str, provenance: Provenance) -> Event {
        Event {
            time: jiff::Timestamp::UNIX_EPOCH,
            computer: "WS01".to_owned(),
            user_sid: None,
            citation: Citation {
                artifact: Arc::from(artifact),
                place: Place::Record { channel: Arc::from("System"), event_id: 1, record_id },
                provenance,
            },
            action: Action::ProcessEnded { process_id: None, image: image.to_owned() },
        }
    }

    #[test]
    fn a_record_is_one_event_however_often_it_is_there() {
        use Provenance::{Live, Recovered};
        let mut events = vec![
            event("b", 2, "x", Live),
            event("archive", 1, "x", Live),
            event("C/system.evtx", 1, "x", Live),
            event("live", 1, "y", Recovered),
            event("altered", 1, "z", Live),
            event("altered again", 1, "z", Live),
            event("a", 2, "x", Recovered),
        ];
        let expected = ["C/system.evtx", "altered", "b"];
        for _ in 0..events.len() {
            events.rotate_left(1);
            let kept = in_order(events.clone());
            let kept: Vec<&str> = kept.iter().map(|one| &*one.citation.artifact).collect();
            assert_eq!(kept, expected);
        }
    }
}
