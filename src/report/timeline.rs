//! Everything that happened around the findings, in order of time.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::file::FileReport;
use super::{Stamp, event_summary};
use crate::host::program_file::Purpose;
use crate::host::{Citation, Host, ImagePath, Role, Service};
use crate::rank::{Ranked, Verdict};

/// What a time stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A record of an event log was written.
    Event,
    /// A service key was last written.
    KeyLastWrite,
    /// A file that a service runs or loads was born.
    FileBirth,
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

/// The events of every service worth a note, the last-write times of their keys and the births of their files; each
/// event and file once.
pub(super) fn timeline(
    host: &Host,
    ranked: &[Ranked<'_>],
    files: &[FileReport],
) -> Vec<TimelineEntry> {
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
    entries.extend(births(ranked, files));
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

fn births(ranked: &[Ranked<'_>], files: &[FileReport]) -> Vec<TimelineEntry> {
    let mut services: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for one in ranked.iter().filter(|one| one.verdict >= Verdict::Note) {
        for index in own_files(one.service) {
            let names = services.entry(index).or_default();
            if !names.contains(&one.service.name) {
                names.push(one.service.name.clone());
            }
        }
    }
    let entry = |(index, services): (usize, Vec<String>)| {
        let file = files.get(index)?;
        Some(TimelineEntry {
            time: file.born?,
            kind: Kind::FileBirth,
            services,
            role: None,
            summary: format!("the file {} was born", file.path),
            citation: file.citation.clone(),
        })
    };
    services.into_iter().filter_map(entry).collect()
}

/// The files that are about this service: svchost.exe is as old as Windows and hosts a hundred others.
fn own_files(service: &Service) -> impl Iterator<Item = usize> {
    let is_hosted = service.image.as_ref().and_then(ImagePath::svchost_group).is_some();
    let links = service.files.iter();
    links.filter(move |link| !(is_hosted && link.purpose == Purpose::Image)).map(|link| link.file)
}
