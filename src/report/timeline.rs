//! Everything that happened around the findings, in order of time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Stamp, event_summary};
use crate::host::{Citation, Host, Role};
use crate::rank::{Ranked, Verdict};

/// What a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A record of an event log was written.
    Event,
    /// A service key was last written.
    KeyLastWrite,
}

/// One entry of the timeline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimelineEntry {
    /// When.
    pub time: Stamp,
    /// What the time stands for.
    pub kind: Kind,
    /// The services it concerns, by key name, worst first.
    pub services: Vec<String>,
    /// Why an event concerns the first of them.
    pub role: Option<Role>,
    /// What happened, in one sentence.
    pub summary: String,
    /// Where it stands.
    pub citation: Citation,
}

/// The events of every service worth a note and the last-write times of their keys; each event once.
pub(super) fn timeline(host: &Host, ranked: &[Ranked<'_>]) -> Vec<TimelineEntry> {
    let mut events: BTreeMap<usize, (Role, Vec<String>)> = BTreeMap::new();
    let mut entries = Vec::new();
    for one in ranked.iter().filter(|one| one.verdict >= Verdict::Note) {
        for link in &one.service.links {
            let (_, services) = events.entry(link.event).or_insert((link.role, Vec::new()));
            if !services.contains(&one.service.name) {
                services.push(one.service.name.clone());
            }
        }
        if let Some(config) = &one.service.config
            && let Some(time) = config.last_write
        {
            entries.push(TimelineEntry {
                time: Stamp(time),
                kind: Kind::KeyLastWrite,
                services: vec![one.service.name.clone()],
                role: None,
                summary: format!("the key of {} was last written", config.name),
                citation: config.citation.clone(),
            });
        }
    }
    for (index, (role, services)) in events {
        if let Some(event) = host.events.get(index) {
            entries.push(TimelineEntry {
                time: Stamp(event.time),
                kind: Kind::Event,
                services,
                role: Some(role),
                summary: event_summary::summary(event),
                citation: event.citation.clone(),
            });
        }
    }
    entries.sort_by(|left, right| {
        (left.time, left.kind, &left.citation).cmp(&(right.time, right.kind, &right.citation))
    });
    entries
}
