//! Whose process acts on the network: as its start tells, else as its program does.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::KnownBy;
use crate::host::Volumes;
use crate::host::event::Event;
use crate::host::image_path::{self, ImagePath, Naming};
use crate::host::process::{Doer, ServiceProcess};
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

/// Finds whose an act is. Asked in the order of the events.
pub(super) struct Ownership<'a> {
    volumes: &'a Volumes,
    processes: &'a [ServiceProcess],
    doers: std::iter::Peekable<std::slice::Iter<'a, Doer>>,
    /// The services of each process.
    owners: Vec<Vec<usize>>,
    /// Which services an act belongs to by its links, by event.
    links: BTreeMap<usize, Vec<usize>>,
    /// Whose own program it is.
    programs: BTreeMap<String, Vec<usize>>,
    /// Programs as logged: as they are compared, and whose they are. The same few come in millions of records.
    seen: BTreeMap<&'a str, (String, Vec<usize>)>,
}

impl<'a> Ownership<'a> {
    /// Knows the services with their programs, processes and links.
    pub(super) fn new(
        services: &[Service],
        processes: &'a [ServiceProcess],
        doers: &'a [Doer],
        volumes: &'a Volumes,
    ) -> Self {
        let mut owners = vec![Vec::new(); processes.len()];
        let mut links: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        let mut programs: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, service) in services.iter().enumerate() {
            for process in &service.processes {
                owners.get_mut(*process).into_iter().for_each(|owners| owners.push(index));
            }
            for link in &service.links {
                if matches!(link.role, Role::Connection | Role::DnsQuery | Role::PortOpening) {
                    links.entry(link.event).or_default().push(index);
                }
            }
            for path in [&service.image, &service.wrapped].into_iter().flatten() {
                if path.naming == Naming::Absolute && !is_shared(&path.normalized) {
                    programs.entry(path.normalized.clone()).or_default().push(index);
                }
            }
        }
        let doers = doers.iter().peekable();
        Self { volumes, processes, doers, owners, links, programs, seen: BTreeMap::new() }
    }

    /// The program that acted, as it is compared (lower case, with a drive letter where the volume is known), and whose
    /// process it was.
    pub(super) fn actor(&mut self, at: usize, event: &'a Event) -> Option<(&str, Option<Owners>)> {
        let (_, image) = event.action.doer()?;
        while self.doers.next_if(|doer| doer.event < at).is_some() {}
        let doer = self.doers.next_if(|doer| doer.event == at);
        // Where no log has its start, a service's process is known by its program only.
        let process = doer.and_then(|doer| self.processes.get(doer.process?));
        let is_implied = process.is_some_and(|process| process.started.is_none());
        let linked = self.links.get(&at).map_or(&[] as &[usize], Vec::as_slice);
        let (volumes, programs) = (self.volumes, &self.programs);
        let (program, own) = self.seen.entry(image).or_insert_with(|| {
            let path = ImagePath::of_file(&image.to_lowercase()).normalized;
            let paths = volumes.drive_paths(&path);
            let own = paths.iter().filter_map(|path| programs.get(path)).flatten();
            let own = own.copied().collect();
            (volumes.resolve(&path).unwrap_or(path), own)
        });
        let (known_by, started, own) = match doer {
            Some(doer) if !is_implied => {
                let owners = doer.process.and_then(|process| self.owners.get(process));
                let services = owners.map_or(&[] as &[usize], Vec::as_slice);
                (KnownBy::Process, process.and_then(|process| process.started), services)
            }
            _ => (KnownBy::Program, None, own.as_slice()),
        };
        let services: BTreeSet<usize> = own.iter().chain(linked).copied().collect();
        let services: Vec<usize> = services.into_iter().collect();
        let is_owned = !services.is_empty();
        Some((program, is_owned.then_some(Owners { services, known_by, started })))
    }
}
