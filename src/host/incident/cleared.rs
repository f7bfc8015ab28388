//! Logs cleared in a row.

use std::collections::BTreeSet;

use super::{Gravity, Incident, IncidentKind, agreed, cited, groups, plural, quote, who};
use crate::host::Host;
use crate::host::event::{Action, Event, Subject};
use crate::time::format_short;

/// Nobody clears so many logs by hand: a loop over `wevtutil el` does.
const A_LOOP: usize = 10;
/// Logs named in the sentence.
const NAMED: usize = 3;

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let by_actor = groups(host, |event| {
        let Action::LogCleared { subject, .. } = &event.action else { return None };
        let who =
            subject.sid.clone().or_else(|| subject.name.clone()).or_else(|| event.user_sid.clone());
        Some((event.computer.clone(), who.unwrap_or_default()))
    });
    by_actor
        .into_values()
        .flatten()
        .filter_map(|group| {
            let events: Vec<&Event> = group.iter().filter_map(|at| host.events.get(*at)).collect();
            incident(&events)
        })
        .collect()
}

fn incident(group: &[&Event]) -> Option<Incident> {
    let (first, last) = (group.first()?, group.last()?);
    let cleared = group.iter().filter_map(|event| match &event.action {
        Action::LogCleared { channel, subject } => Some((channel.as_str(), subject, event)),
        _ => None,
    });
    let mut subjects: Vec<Subject> = Vec::new();
    let mut channels = BTreeSet::new();
    for (channel, subject, event) in cleared {
        let mut subject = subject.clone();
        subject.sid = subject.sid.or_else(|| event.user_sid.clone());
        subjects.push(subject);
        channels.insert(channel);
    }
    let actor = agreed(subjects.iter());
    let mut named: Vec<String> =
        channels.iter().take(NAMED).map(|channel| quote(channel)).collect();
    // The logs that matter most are named first.
    let important = ["Security", "System"];
    for channel in important.iter().rev().filter(|one| channels.contains(**one)) {
        let quoted = quote(channel);
        named.retain(|one| *one != quoted);
        named.insert(0, quoted);
    }
    named.truncate(NAMED);
    let more = channels.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sentence = format!(
        "{} cleared by {} at {}: {}{more}",
        plural(channels.len(), "log"),
        actor.as_ref().map_or_else(|| who(&Subject::default()), who),
        format_short(first.time),
        named.join(", ")
    );
    let looped = channels.len() >= A_LOOP;
    Some(Incident {
        kind: IncidentKind::LogsCleared,
        gravity: if looped { Gravity::Suspicious } else { Gravity::Unusual },
        from: first.time,
        to: last.time,
        actor,
        address: None,
        count: channels.len(),
        services: Vec::new(),
        sentence,
        citations: cited(group.iter().map(|event| event.citation.clone())),
    })
}
