//! The same process logged twice: by the Security log (4688) and by Sysmon (1).

use std::collections::BTreeMap;

use jiff::SignedDuration;

use crate::host::citation::Place;
use crate::host::event::{Action, Event, ProcessStart};
use crate::host::image_path::leaf;

/// The two logs write the creation of one process within this time of each other.
const SAME_START: SignedDuration = SignedDuration::from_secs(2);

/// Pairs of creations that are one process: first → second, and second → first.
#[derive(Default)]
pub(super) struct Twins {
    second: BTreeMap<usize, usize>,
    first: BTreeMap<usize, usize>,
}

impl Twins {
    pub(super) fn of(events: &[Event]) -> Self {
        let mut twins = Self::default();
        let mut open: BTreeMap<(&str, u32), usize> = BTreeMap::new();
        for (at, event) in events.iter().enumerate() {
            let Some((process, id)) = start(event) else { continue };
            let key = (event.computer.as_str(), id);
            let earlier = open.get(&key).copied().filter(|earlier| {
                events.get(*earlier).is_some_and(|other| same(other, event, process))
            });
            if let Some(earlier) = earlier {
                twins.second.insert(earlier, at);
                twins.first.insert(at, earlier);
                open.remove(&key);
            } else {
                open.insert(key, at);
            }
        }
        twins
    }

    /// Whether the creation was already told by an earlier event.
    pub(super) fn is_second(&self, at: usize) -> bool {
        self.first.contains_key(&at)
    }

    /// The later event of the same creation.
    pub(super) fn second_of(&self, at: usize) -> Option<usize> {
        self.second.get(&at).copied()
    }

    /// What both events say together: each log leaves out something the other has.
    pub(super) fn joined(
        &self,
        at: usize,
        process: &ProcessStart,
        events: &[Event],
    ) -> ProcessStart {
        let mut whole = process.clone();
        let other = self.second_of(at).and_then(|second| events.get(second)).and_then(start);
        if let Some((other, _)) = other {
            whole.command_line = whole.command_line.or_else(|| other.command_line.clone());
            whole.parent_image = whole.parent_image.or_else(|| other.parent_image.clone());
            whole.parent_process_id = whole.parent_process_id.or(other.parent_process_id);
        }
        whole
    }
}

fn start(event: &Event) -> Option<(&ProcessStart, u32)> {
    match &event.action {
        Action::ProcessStarted(process) => Some((process, process.process_id?)),
        _ => None,
    }
}

/// Both events tell one creation: different logs, the same program, nearly the same time.
fn same(earlier: &Event, later: &Event, process: &ProcessStart) -> bool {
    let Some((other, _)) = start(earlier) else { return false };
    channel(earlier) != channel(later)
        && leaf(&other.image).eq_ignore_ascii_case(leaf(&process.image))
        && later.time.duration_since(earlier.time) <= SAME_START
}

fn channel(event: &Event) -> Option<&str> {
    match &event.citation.place {
        Place::Record { channel, .. } => Some(channel),
        Place::Key { .. } | Place::File => None,
    }
}
