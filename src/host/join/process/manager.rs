//! Which process id services.exe had, and when.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::file_path;
use crate::host::event::{Action, Event, ProcessStart};

/// The ids of services.exe by computer and time.
///
/// It starts at boot, mostly before the log's first record, so its id is learned from whatever names it: processes it
/// started, registry values it wrote, pipes and connections of its own.
pub(super) struct Managers<'a> {
    /// In order of time; nothing where Windows started and the new id is not known yet.
    seen: BTreeMap<&'a str, Vec<(Timestamp, Option<u32>)>>,
}

impl<'a> Managers<'a> {
    pub(super) fn of(events: &'a [Event]) -> Self {
        let mut seen: BTreeMap<&str, Vec<(Timestamp, Option<u32>)>> = BTreeMap::new();
        for event in events {
            let id = match &event.action {
                Action::SystemStarted => None,
                action => match named(action) {
                    Some(id) => Some(id),
                    None => continue,
                },
            };
            let known = seen.entry(event.computer.as_str()).or_default();
            if known.last().is_none_or(|(_, last)| *last != id) {
                known.push((event.time, id));
            }
        }
        Self { seen }
    }

    /// The id at that time: the last one seen before it, else the first one after, in the same run of Windows.
    fn at(&self, computer: &str, time: Timestamp) -> Option<u32> {
        let known = self.seen.get(computer)?;
        let after = known.partition_point(|(seen, _)| *seen <= time);
        let before = after.checked_sub(1).and_then(|last| known.get(last));
        match before {
            Some((_, Some(id))) => Some(*id),
            _ => known.get(after)?.1,
        }
    }

    /// Whether the id is known at the time of that event.
    pub(super) fn is_known(&self, event: &Event) -> bool {
        self.at(&event.computer, event.time).is_some()
    }

    /// Whether services.exe started that process. Sysmon writes `?` for the parent of some services; 4688 before
    /// Windows 10 has only the parent's id.
    pub(super) fn started(&self, event: &Event, process: &ProcessStart) -> bool {
        match process.parent_image.as_deref() {
            Some(parent) if !parent.is_empty() && parent != "?" && parent != "-" => {
                is_manager(parent)
            }
            _ => process
                .parent_process_id
                .is_some_and(|parent| self.at(&event.computer, event.time) == Some(parent)),
        }
    }
}

/// The process id that an action gives services.exe.
fn named(action: &Action) -> Option<u32> {
    let (image, id) = match action {
        Action::ProcessStarted(process) => {
            let parent = process.parent_image.as_deref().filter(|parent| is_manager(parent));
            match parent {
                Some(_) => return process.parent_process_id,
                None => (&process.image, process.process_id),
            }
        }
        Action::RegistryChanged(change) => (&change.image, change.process_id),
        Action::Connected(connection) => (&connection.image, connection.process_id),
        Action::Pipe { image, process_id, .. } | Action::FileCreated { image, process_id, .. } => {
            (image, *process_id)
        }
        _ => return None,
    };
    is_manager(image).then_some(id).flatten()
}

/// A program of that name anywhere else is somebody's who wants to be taken for it.
fn is_manager(path: &str) -> bool {
    let path = file_path(path);
    path == "services.exe" || path.ends_with(r"\system32\services.exe")
}
