//! Whose process acts on the network: services' processes, followed as long as they live.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::KnownBy;
use crate::host::Volumes;
use crate::host::event::{Action, Event};
use crate::host::image_path::{self, ImagePath, Naming};
use crate::host::service::{Role, Service};
use crate::host::shell::is_interpreter;

/// Programs besides interpreters that many services and people share: their name says nothing about whose process it is.
const SHARED: [&str; 5] =
    ["conhost.exe", "explorer.exe", "lsass.exe", "services.exe", "svchost.exe"];

/// Whether a program is shared by many.
pub(super) fn is_shared(program: &str) -> bool {
    is_interpreter(program) || SHARED.contains(&image_path::leaf(program))
}

/// Whose process it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owners {
    /// Indices of services, sorted.
    pub(super) services: Vec<usize>,
    /// How they are known.
    pub(super) known_by: KnownBy,
    /// When the service's process was started, where a log shows it.
    pub(super) started: Option<Timestamp>,
}

/// Logs write what a process did up to this long after its end.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// A process that lives, or has ended a moment ago.
struct Life {
    services: Vec<usize>,
    leaf: String,
    started: Timestamp,
    ended: Option<Timestamp>,
}

/// Follows processes through the events, which are in order of time.
pub(super) struct Follower<'a> {
    volumes: &'a Volumes,
    /// Which services a start of a process belongs to, by event.
    starts: BTreeMap<usize, Vec<usize>>,
    /// Which services an act belongs to by its links, by event.
    links: BTreeMap<usize, Vec<usize>>,
    /// Whose own program it is.
    programs: BTreeMap<String, Vec<usize>>,
    alive: BTreeMap<(&'a str, u32), Life>,
    /// Programs as logged: as they are compared, and whose they are. The same few come in millions of records.
    seen: BTreeMap<&'a str, (String, Vec<usize>)>,
}

impl<'a> Follower<'a> {
    /// Knows the services, their programs and links.
    pub(super) fn new(services: &[Service], volumes: &'a Volumes) -> Self {
        let mut starts: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut links: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut programs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, service) in services.iter().enumerate() {
            for link in &service.links {
                let kept = match link.role {
                    Role::Process | Role::ChildProcess => &mut starts,
                    Role::Connection | Role::DnsQuery | Role::PortOpening => &mut links,
                    _ => continue,
                };
                kept.entry(link.event).or_default().push(index);
            }
            for path in [&service.image, &service.wrapped].into_iter().flatten() {
                if path.naming == Naming::Absolute && !is_shared(&path.normalized) {
                    programs.entry(path.normalized.clone()).or_default().push(index);
                }
            }
        }
        Self { volumes, starts, links, programs, alive: BTreeMap::new(), seen: BTreeMap::new() }
    }

    /// Takes note of a process that starts or ends.
    pub(super) fn note(&mut self, at: usize, event: &'a Event) {
        let computer = event.computer.as_str();
        match &event.action {
            Action::ProcessStarted(start) => {
                let Some(id) = start.process_id else { return };
                let services = self.starts.get(&at).cloned().unwrap_or_default();
                let leaf = image_path::leaf(&start.image).to_lowercase();
                // Sysmon 1 and 4688 tell of one start: the second must not forget what the first was linked to.
                if services.is_empty()
                    && let Some(life) = self.alive.get(&(computer, id))
                    && life.leaf == leaf
                    && event.time.duration_since(life.started) <= super::contact::SAME
                {
                    return;
                }
                let life = Life { services, leaf, started: event.time, ended: None };
                self.alive.insert((computer, id), life);
            }
            Action::ProcessEnded { process_id: Some(id), .. } => {
                if let Some(life) = self.alive.get_mut(&(computer, *id)) {
                    life.ended = life.ended.or(Some(event.time));
                }
            }
            // 1100: the computer is going down, and process ids are given anew.
            Action::LoggingStopped | Action::SystemStarted => {
                self.alive.retain(|(name, _), _| *name != computer);
            }
            _ => {}
        }
    }

    /// The program that acted, as it is compared (lower case, with a drive letter where the volume is known), and whose
    /// process it was.
    pub(super) fn actor(&mut self, at: usize, event: &'a Event) -> Option<(&str, Option<Owners>)> {
        let (id, image) = event.action.doer()?;
        let life = id.and_then(|id| self.alive.get(&(event.computer.as_str(), id)));
        let is_late = |ended: Timestamp| event.time.duration_since(ended) > LATE;
        let life = life.filter(|life| {
            !life.ended.is_some_and(is_late)
                && image_path::leaf(image).eq_ignore_ascii_case(&life.leaf)
        });
        let linked = self.links.get(&at).map_or(&[] as &[usize], Vec::as_slice);
        let (volumes, programs) = (self.volumes, &self.programs);
        let (program, own) = self.seen.entry(image).or_insert_with(|| {
            let path = ImagePath::of_file(&image.to_lowercase()).normalized;
            let paths = volumes.drive_paths(&path);
            let own = paths.iter().filter_map(|path| programs.get(path)).flatten();
            let own = own.copied().collect();
            (volumes.resolve(&path).unwrap_or(path), own)
        });
        let (known_by, started, own) = match life {
            Some(life) => (KnownBy::Process, Some(life.started), &life.services),
            None => (KnownBy::Program, None, &*own),
        };
        let services: BTreeSet<usize> = own.iter().chain(linked).copied().collect();
        let services: Vec<usize> = services.into_iter().collect();
        let is_owned = !services.is_empty();
        Some((program, is_owned.then_some(Owners { services, known_by, started })))
    }
}
