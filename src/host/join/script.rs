//! Script blocks are logged in parts: 4104 splits what does not fit into one record.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::host::event::{Action, Event};
use crate::host::service_command;

/// How long a joined text may grow before it is read in pieces, in bytes.
const LONGEST: usize = service_command::LONGEST;

/// The parts of a block: the event of each, and how many it says there are.
type Parts = BTreeMap<u32, (usize, u32)>;

/// Consecutive parts of a script as one text.
pub(super) struct Script<'a> {
    /// Its text, in the order of the parts.
    pub(super) text: Cow<'a, str>,
    /// Where the text of each part ends, and the part's event: an index into the events.
    pub(super) parts: Vec<(usize, usize)>,
    /// How many parts of the script no log holds.
    pub(super) missing: u32,
}

impl Script<'_> {
    /// The events of the parts, in order.
    pub(super) fn events(&self) -> Vec<usize> {
        self.parts.iter().map(|(_, event)| *event).collect()
    }

    /// The event of the first part that holds a word; the first part where the word lies across two.
    pub(super) fn event_with(&self, word: &str) -> Option<usize> {
        let lower = self.text.to_lowercase();
        let word = word.to_lowercase();
        let at = if word.is_empty() { None } else { lower.find(&word) };
        let holder = at.and_then(|at| self.parts.iter().find(|(end, _)| at < *end));
        holder.or_else(|| self.parts.first()).map(|(_, event)| *event)
    }
}

/// Every script of the events: blocks with their parts joined, everything else as it stands.
pub(super) fn joined(events: &[Event]) -> Vec<Script<'_>> {
    let mut blocks: BTreeMap<(&str, &str), Parts> = BTreeMap::new();
    let mut scripts = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let Action::Script { text, block, .. } = &event.action else { continue };
        match block {
            Some((id, part, of)) if *of > 1 && !id.is_empty() => {
                let parts = blocks.entry((event.computer.as_str(), id.as_str())).or_default();
                // A block that is run again is not logged again; a second record is a copy.
                parts.entry(*part).or_insert((at, *of));
            }
            _ => scripts.push(Script {
                text: Cow::Borrowed(text.as_str()),
                parts: vec![(text.len(), at)],
                missing: 0,
            }),
        }
    }
    for parts in blocks.values() {
        join(parts, events, &mut scripts);
    }
    scripts
}

fn join(parts: &Parts, events: &[Event], scripts: &mut Vec<Script<'_>>) {
    let of = parts.values().map(|(_, of)| *of).max().unwrap_or(0);
    let missing = of.saturating_sub(u32::try_from(parts.len()).unwrap_or(u32::MAX));
    let empty = || Script { text: Cow::Borrowed(""), parts: Vec::new(), missing };
    let mut script = empty();
    let mut last = 0_u32;
    for (number, (at, _)) in parts {
        let Some(Action::Script { text, .. }) = events.get(*at).map(|event| &event.action) else {
            continue;
        };
        if !script.parts.is_empty() && script.text.len().saturating_add(text.len()) > LONGEST {
            scripts.push(std::mem::replace(&mut script, empty()));
        }
        // What stands on both sides of a gap belongs to different lines.
        if number.checked_sub(1) != Some(last) && !script.parts.is_empty() {
            script.text.to_mut().push('\n');
        }
        last = *number;
        script.text.to_mut().push_str(text);
        script.parts.push((script.text.len(), *at));
    }
    if !script.parts.is_empty() {
        scripts.push(script);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::citation::{Citation, Place, Provenance};

    fn block(part: u32, of: u32, text: &str) -> Event {
        let place = Place::Record {
            channel: "Microsoft-Windows-PowerShell/Operational".into(),
            record_id: u64::from(part),
            event_id: 4104,
        };
        Event {
            time: jiff::Timestamp::UNIX_EPOCH,
            computer: "WS".to_owned(),
            user_sid: None,
            citation: Citation { artifact: "p.evtx".into(), provenance: Provenance::Live, place },
            action: Action::Script {
                text: text.to_owned(),
                host_application: None,
                block: Some(("a".to_owned(), part, of)),
            },
        }
    }

    #[test]
    fn parts_are_put_in_order() {
        let events = [block(2, 2, "ice x"), block(1, 2, "Stop-Serv"), block(1, 1, "a")];
        let scripts = joined(&events);
        let shown: Vec<_> =
            scripts.iter().map(|one| (&*one.text, one.missing, one.events())).collect();
        assert_eq!(shown, [("a", 0, vec![2]), ("Stop-Service x", 0, vec![1, 0])]);
        let joined = scripts.last().unwrap();
        assert_eq!((joined.event_with("ice X"), joined.event_with("none")), (Some(0), Some(1)));
    }

    #[test]
    fn missing_parts_are_counted_and_never_bridged() {
        let events = [block(1, 9, "Stop-"), block(3, 9, "Service x")];
        let scripts = joined(&events);
        assert_eq!((&*scripts[0].text, scripts[0].missing), ("Stop-\nService x", 7));
    }
}
