//! What checks want to know of all services, events or files of a host: looked up here, worked out once.
//!
//! Judging a service must cost what the service has, not what its host has: a thousand services and a hundred thousand
//! events are a hundred million looks otherwise. No other file of the checklist walks over all of them; a test of the
//! architecture holds that.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::Given;
use super::knowledge::agents::Agent;
use super::knowledge::stock::Catalog;
use super::known_good::Maker;
use super::place::is_in_trusted_folder;
use super::subject::Part;
use crate::host::event::{Action, Event};
use crate::host::fact::SafeBootEntry;
use crate::host::image_path::leaf;
use crate::host::program_file::{RuleMatch, SignatureStatus};
use crate::host::shell::is_shell;
use crate::host::{Host, ImagePath, ProgramFile, Role, Service};
use crate::text;

/// Descriptions shorter than this tell no service from another.
const TELLING: usize = 20;

/// A host as its services have to see it to be compared with each other.
#[derive(Default)]
pub struct Overview<'a> {
    /// The services of Windows by description; of one stock service (and its per-user instances) the first.
    described: BTreeMap<&'a str, BTreeMap<&'a str, &'a Service>>,
    /// Installs and loads of drivers by the normalised path of the driver, in order of time.
    drivers: BTreeMap<&'a str, Vec<(&'a Event, &'a str)>>,
    /// File names of the programs that opened connections, in lower case.
    callers: BTreeSet<String>,
    /// The first file with a valid signature of each folder, by its folded path.
    signed: BTreeMap<String, &'a ProgramFile>,
    /// How many files each rule matches, and whether one of them is a part of Windows.
    matched: BTreeMap<(&'a str, &'a str), (usize, bool)>,
    /// The first entry of each name in the safe modes, by its folded name.
    safe_boot: BTreeMap<String, &'a SafeBootEntry>,
    /// Shells and programs outside the folders for programs that services.exe started for no service, in order of time.
    strays: Vec<&'a Event>,
}

impl<'a> Overview<'a> {
    /// Looks at every service, event and file once.
    pub fn of(host: &'a Host, given: &'a Given) -> Self {
        let mut overview = Self::default();
        let windows = given.windows.as_deref().unwrap_or_else(|| Catalog::shipped());
        for service in &host.services {
            overview.add_service(host, service, windows);
        }
        for events in overview.drivers.values_mut() {
            events.sort_by_key(|(event, name)| (event.time, *name));
        }
        for event in &host.events {
            if let Action::Connected(connection) = &event.action
                && connection.outbound != Some(false)
            {
                let name = leaf(&connection.image);
                if !overview.callers.contains(name) {
                    overview.callers.insert(name.to_ascii_lowercase());
                }
            }
        }
        for file in &host.files {
            overview.add_file(file);
        }
        overview.add_strays(host);
        for entry in &host.safe_boot {
            overview.safe_boot.entry(text::fold(&entry.name)).or_insert(entry);
        }
        overview
    }

    fn add_service(&mut self, host: &'a Host, service: &'a Service, windows: &'a Catalog) {
        let config = service.config.as_ref();
        if let Some(description) = config.and_then(|config| config.description.as_deref())
            && is_telling(description)
            && let Some(stock) = windows.service(&service.name)
        {
            let of_text = self.described.entry(description.trim()).or_default();
            of_text.entry(stock.name).or_insert(service);
        }
        let image = service.image.as_ref().filter(|_| service.is_driver());
        if let Some(image) = image {
            let roles = [Role::Install, Role::DriverLoad].into_iter();
            let shown = roles.flat_map(|role| service.events(role, &host.events));
            let shown = shown.map(|event| (event, service.name.as_str()));
            self.drivers.entry(image.normalized.as_str()).or_default().extend(shown);
        }
    }

    fn add_strays(&mut self, host: &'a Host) {
        let links = host.services.iter().flat_map(|service| &service.links);
        let of_services: BTreeSet<usize> = links
            .filter(|link| matches!(link.role, Role::Process | Role::ChildProcess))
            .map(|link| link.event)
            .collect();
        for (number, event) in host.events.iter().enumerate() {
            let Action::ProcessStarted(start) = &event.action else { continue };
            let by_manager = start
                .parent_image
                .as_deref()
                .is_some_and(|parent| leaf(parent).eq_ignore_ascii_case("services.exe"));
            let odd = by_manager
                && (is_shell(&start.image)
                    || !is_in_trusted_folder(&ImagePath::of_file(&start.image)));
            if odd && !of_services.contains(&number) {
                self.strays.push(event);
            }
        }
        self.strays.sort_by_key(|event| event.time);
    }

    /// The last shell or program outside the folders for programs that services.exe started for no service before that time,
    /// by no more than `limit`.
    pub(super) fn stray_before(&self, time: Timestamp, limit: SignedDuration) -> Option<&'a Event> {
        let after = self.strays.partition_point(|event| event.time <= time);
        let event = after.checked_sub(1).and_then(|last| self.strays.get(last)).copied()?;
        (time.duration_since(event.time) <= limit).then_some(event)
    }

    fn add_file(&mut self, file: &'a ProgramFile) {
        if file.signature.status == SignatureStatus::Valid
            && let Some((folder, _)) = file.path.rsplit_once('\\')
        {
            self.signed.entry(text::fold(folder)).or_insert(file);
        }
        let rules: BTreeSet<(&str, &str)> =
            file.rule_matches.iter().map(|one| (one.rule.as_str(), one.source.as_str())).collect();
        for rule in rules {
            let (files, of_windows) = self.matched.entry(rule).or_default();
            *files = files.saturating_add(1);
            *of_windows |= Maker::of(Some(file)) == Maker::Windows;
        }
    }

    /// The services of Windows with that description; none for one too short to tell.
    pub(super) fn described(&self, description: &str) -> impl Iterator<Item = &'a Service> + '_ {
        let of_text = self.described.get(description.trim());
        of_text.into_iter().flat_map(|services| services.values().copied())
    }

    /// The first install or load of the driver with that normalised path, from that time on, and the driver's name.
    pub(super) fn driver_from(&self, path: &str, time: Timestamp) -> Option<(&'a Event, &'a str)> {
        let events = self.drivers.get(path)?;
        let first = events.partition_point(|(event, _)| event.time < time);
        events.get(first).copied()
    }

    /// The file names, in lower case, of all programs of the host that opened connections.
    pub(super) fn callers(&self) -> impl Iterator<Item = &str> {
        self.callers.iter().map(String::as_str)
    }

    /// The first file of that folder with a valid signature.
    pub(super) fn signed_in(&self, folder: &str) -> Option<&'a ProgramFile> {
        self.signed.get(&text::fold(folder)).copied()
    }

    /// How many files of the host that rule matches, and whether one of them is a part of Windows.
    pub(super) fn matched(&self, rule: &RuleMatch) -> (usize, bool) {
        let key = (rule.rule.as_str(), rule.source.as_str());
        self.matched.get(&key).copied().unwrap_or_default()
    }

    /// The entry of the safe modes for a service of that name, or for that driver file.
    pub(super) fn safe_boot(&self, service: &str, file: &str) -> Option<&'a SafeBootEntry> {
        let of = |name: &str| self.safe_boot.get(&text::fold(name)).copied();
        of(service).or_else(|| (!file.is_empty()).then(|| of(file)).flatten())
    }
}

/// Whether a description is long enough to be somebody's.
pub(super) fn is_telling(description: &str) -> bool {
    description.trim().chars().count() >= TELLING
}

/// What several checks want to know of one service: worked out when the first of them asks.
#[derive(Default)]
pub struct Memory {
    pub(super) agent: OnceCell<Option<Agent>>,
    pub(super) is_stock: OnceCell<bool>,
    pub(super) is_as_shipped: OnceCell<bool>,
    /// What of it neither Windows ships nor a known agent has.
    pub(super) foreign: OnceCell<Vec<Part>>,
    pub(super) births: OnceCell<Vec<Timestamp>>,
    pub(super) deletions: OnceCell<Vec<Timestamp>>,
    pub(super) sha256: OnceCell<Option<String>>,
}

/// The first of these events, which are in order of time, that comes after `start` by no more than `limit`.
pub(super) fn followed_by<'a>(
    events: &[&'a Event],
    start: Timestamp,
    limit: SignedDuration,
) -> Option<&'a Event> {
    let first = events.partition_point(|event| event.time < start);
    let event = events.get(first).copied()?;
    (event.time.duration_since(start) <= limit).then_some(event)
}

/// The first of these events, which are in order of time, that `time` comes after by no more than `limit`.
pub(super) fn preceded_by<'a>(
    events: &[&'a Event],
    time: Timestamp,
    limit: SignedDuration,
) -> Option<&'a Event> {
    let first = events.partition_point(|event| time.duration_since(event.time) > limit);
    events.get(first).copied().filter(|event| event.time <= time)
}
