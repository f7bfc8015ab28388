//! Services become processes, and processes act: services.exe → program → children → network.
//!
//! A process that descends from a service's is the service's however late it starts: parentage has no window. What
//! ends it is the end of the parent, the reuse of its process id, or a new start of Windows. The window is for
//! what only a program's name connects with a service.

mod commands;
mod manager;
mod twins;

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::roster::Roster;
use crate::host::event::{Action, Event, ProcessStart, RegistryOperation, ServiceNames};
use crate::host::image_path::{self, ImagePath};
use crate::host::process::{Doer, Kinship, ServiceProcess};
use crate::host::program_file::phantom;
use crate::host::service::Role;
use crate::host::shell::is_interpreter;
use commands::Commands;
use manager::Managers;
use twins::Twins;

/// Logs write what a process did up to this long after its end: Sysmon waits for names to be resolved.
const LATE: SignedDuration = SignedDuration::from_secs(10);

/// A process id in use.
struct Living {
    /// Index into the processes of services; absent for a process that is no service's.
    process: Option<usize>,
    /// The file name of its program, as logged.
    leaf: String,
    ended: Option<Timestamp>,
}

/// The processes of services, and whose process acted.
pub(super) struct Followed {
    /// The processes of services.
    pub(super) processes: Vec<ServiceProcess>,
    /// Whose acts were whose, in order of the events.
    pub(super) doers: Vec<Doer>,
}

/// The processes of services in the making.
struct Tree<'a> {
    roster: &'a mut Roster,
    events: &'a [Event],
    window: SignedDuration,
    commands: Commands,
    managers: Managers<'a>,
    twins: Twins,
    anchors: BTreeMap<usize, BTreeSet<Timestamp>>,
    living: BTreeMap<(&'a str, u32), Living>,
    processes: Vec<ServiceProcess>,
    doers: Vec<Doer>,
    /// The services of each process.
    owners: Vec<Vec<usize>>,
}

/// Follows the processes of every service through the events, which are in order of time.
pub(super) fn follow(roster: &mut Roster, events: &[Event], window: SignedDuration) -> Followed {
    let anchors = anchors(roster, events);
    let mut tree = Tree {
        commands: Commands::of(roster, events),
        managers: Managers::of(events),
        twins: Twins::of(events),
        roster,
        events,
        window,
        anchors,
        living: BTreeMap::new(),
        processes: Vec::new(),
        doers: Vec::new(),
        owners: Vec::new(),
    };
    for (at, event) in events.iter().enumerate() {
        match &event.action {
            Action::ProcessStarted(process) => tree.start(at, event, process),
            Action::ProcessEnded { process_id: Some(id), image } => tree.end(event, *id, image),
            Action::SystemStarted | Action::LoggingStopped => {
                let computer = event.computer.as_str();
                tree.living.retain(|(of, _), _| *of != computer);
            }
            action => tree.act(at, event, action),
        }
    }
    Followed { processes: tree.processes, doers: tree.doers }
}

/// Whether an event shows that the service was made or started at its time.
fn is_anchor(role: Role, action: &Action) -> bool {
    match (role, action) {
        (Role::Install | Role::StateChange, _) => true,
        (Role::RegistryChange, Action::RegistryChanged(change)) => {
            change.operation == RegistryOperation::ValueSet
                && crate::text::same_name(&change.target, "ImagePath")
        }
        _ => false,
    }
}

/// When each service was installed or changed its state: around these times its program acts for it.
fn anchors(roster: &Roster, events: &[Event]) -> BTreeMap<usize, BTreeSet<Timestamp>> {
    let mut anchors: BTreeMap<usize, BTreeSet<Timestamp>> = BTreeMap::new();
    for (index, service) in roster.iter() {
        for link in &service.links {
            if let Some(event) = events.get(link.event)
                && is_anchor(link.role, &event.action)
            {
                anchors.entry(index).or_default().insert(event.time);
            }
        }
    }
    anchors
}

impl<'a> Tree<'a> {
    fn start(&mut self, at: usize, event: &'a Event, process: &ProcessStart) {
        if self.twins.is_second(at) {
            return;
        }
        let process = self.twins.joined(at, process, self.events);
        let found = self.classify(event, &process);
        let key = process.process_id.map(|id| (event.computer.as_str(), id));
        let Some((kinship, parent, services)) = found else {
            // The id may have been a service's process; whose ever it was, that one has ended.
            if let Some(key) = key {
                let leaf = image_path::leaf(&process.image).to_owned();
                self.living.insert(key, Living { process: None, leaf, ended: None });
            }
            return;
        };
        let role = match kinship {
            Kinship::Descendant => Role::ChildProcess,
            _ => Role::Process,
        };
        let starts: Vec<usize> = std::iter::once(at).chain(self.twins.second_of(at)).collect();
        for index in &services {
            for start in &starts {
                self.roster.link(*index, role, *start);
            }
        }
        let depth = parent.and_then(|parent| self.processes.get(parent));
        let depth = depth.map_or(0, |parent| parent.depth.saturating_add(1));
        let made = ServiceProcess {
            computer: event.computer.clone(),
            process_id: process.process_id,
            parent_process_id: process.parent_process_id,
            image: process.image,
            started: Some(event.time),
            ended: None,
            kinship,
            parent,
            depth,
            services: services.len(),
            starts,
            acts: Vec::new(),
        };
        self.add(key, made, services);
    }

    fn add(
        &mut self,
        key: Option<(&'a str, u32)>,
        made: ServiceProcess,
        services: Vec<usize>,
    ) -> usize {
        let index = self.processes.len();
        for service in &services {
            if let Some(service) = self.roster.get_mut(*service) {
                service.processes.push(index);
            }
        }
        let leaf = image_path::leaf(&made.image).to_owned();
        self.processes.push(made);
        self.owners.push(services);
        if let Some(key) = key {
            self.living.insert(key, Living { process: Some(index), leaf, ended: None });
        }
        index
    }

    /// Whether a new process is a service's own or a descendant of one: how, below which, of which services.
    fn classify(
        &mut self,
        event: &'a Event,
        process: &ProcessStart,
    ) -> Option<(Kinship, Option<usize>, Vec<usize>)> {
        if self.managers.started(event, process) {
            let (services, kinship) = self.commands.started(self.roster, process);
            return (!services.is_empty()).then_some((kinship, None, services));
        }
        let image = process.parent_image.as_deref().unwrap_or_default();
        if image.is_empty() && !self.managers.is_known(event) {
            // Nothing tells whether services.exe started it; its program and the time may.
            let services = self.by_program(&process.image, event.time);
            if !services.is_empty() {
                return Some((Kinship::Program, None, services));
            }
        }
        let id = process.parent_process_id?;
        let parent = match self.alive(&event.computer, id, image, event.time) {
            Known::Service(parent) => parent,
            Known::Nothing => self.imply(event, id, image)?,
            Known::Other => return None,
        };
        let services = self.owners.get(parent).cloned().filter(|services| !services.is_empty())?;
        Some((Kinship::Descendant, Some(parent), services))
    }

    /// What is known of that process id, for a process of that program (empty where not logged) at that time.
    fn alive(&self, computer: &str, id: u32, image: &str, time: Timestamp) -> Known {
        let Some(living) = self.living.get(&(computer, id)) else { return Known::Nothing };
        if living.ended.is_some_and(|ended| time.duration_since(ended) > LATE) {
            return Known::Nothing;
        }
        let is_same = image.is_empty()
            || living.leaf.is_empty()
            || image_path::leaf(image).eq_ignore_ascii_case(&living.leaf);
        match living.process {
            // Another program has the id by now, and no log has its start.
            _ if !is_same => Known::Nothing,
            Some(index) => Known::Service(index),
            None => Known::Other,
        }
    }

    /// A process whose start no log has, known by a program that only services run and that was installed or
    /// started within the window.
    fn imply(&mut self, event: &'a Event, id: u32, image: &str) -> Option<usize> {
        let services = self.by_program(image, event.time);
        if services.is_empty() {
            return None;
        }
        let made = ServiceProcess {
            computer: event.computer.clone(),
            process_id: Some(id),
            parent_process_id: None,
            image: image.to_owned(),
            started: None,
            ended: None,
            kinship: Kinship::Program,
            parent: None,
            depth: 0,
            services: services.len(),
            starts: Vec::new(),
            acts: Vec::new(),
        };
        Some(self.add(Some((event.computer.as_str(), id)), made, services))
    }

    fn end(&mut self, event: &'a Event, id: u32, image: &str) {
        let known = self.alive(&event.computer, id, image, event.time);
        if let Some(living) = self.living.get_mut(&(event.computer.as_str(), id)) {
            living.ended = living.ended.or(Some(event.time));
        }
        if let Known::Service(index) = known
            && let Some(process) = self.processes.get_mut(index)
        {
            process.ended = process.ended.or(Some(event.time));
        }
    }

    fn act(&mut self, at: usize, event: &'a Event, action: &Action) {
        if let Some((role, id, image)) = acts(action) {
            let known =
                id.map_or(Known::Nothing, |id| self.alive(&event.computer, id, image, event.time));
            let process = match (known, id) {
                (Known::Service(process), _) => Some(process),
                (Known::Nothing, Some(id)) => self.imply(event, id, image),
                _ => None,
            };
            let services = match process {
                Some(process) => self.owners.get(process).cloned().unwrap_or_default(),
                None if id.is_none() => self.by_program(image, event.time),
                None => Vec::new(),
            };
            for index in services {
                self.roster.link(index, role, at);
            }
            if process.is_some() || matches!(known, Known::Other) {
                self.doers.push(Doer { event: at, process });
            }
            if let Some(process) = process.and_then(|process| self.processes.get_mut(process)) {
                process.acts.push(at);
            }
        }
        self.link_by_file(at, action);
    }

    /// The services that alone run a program, and were installed or started within the window.
    fn by_program(&self, image: &str, time: Timestamp) -> Vec<usize> {
        let image = file_path(image);
        if image.is_empty()
            || is_interpreter(&image)
            || leaf_is(&image, "svchost.exe")
            || leaf_is(&image, "lsass.exe")
        {
            return Vec::new();
        }
        let (from, to) = (time.saturating_sub(self.window), time.saturating_add(self.window));
        let (Ok(from), Ok(to)) = (from, to) else { return Vec::new() };
        let mut services = self.commands.services(&image);
        services.retain(|index| {
            let times = self.anchors.get(index);
            times.is_some_and(|times| times.range(from..=to).next().is_some())
        });
        services
    }

    /// The services whose DLL that module is, and those that ask Windows in vain for one of its name.
    fn loading(&self, path: &str) -> Vec<usize> {
        let own = self.roster.loading(path).iter().copied();
        let asking = phantom::asking_for(image_path::leaf(path)).filter_map(|name| {
            let names = ServiceNames { key: Some(name.to_owned()), display: None };
            self.roster.find(&names)
        });
        own.chain(asking).collect()
    }

    /// Drivers, modules and files are found by their path.
    fn link_by_file(&mut self, at: usize, action: &Action) {
        let (role, path) = match action {
            Action::DriverLoaded { image, .. } => (Role::DriverLoad, image),
            Action::FileCreated { path, .. } => (Role::FileCreation, path),
            Action::ModuleLoaded { module, .. } => (Role::ModuleLoad, module),
            _ => return,
        };
        let path = file_path(path);
        let indices: Vec<usize> = match role {
            Role::ModuleLoad => self.loading(&path),
            _ if is_interpreter(&path) || leaf_is(&path, "svchost.exe") => Vec::new(),
            _ => self.commands.services(&path),
        };
        for index in indices {
            self.roster.link(index, role, at);
        }
    }
}

/// What is known of a process id.
#[derive(Clone, Copy)]
enum Known {
    /// A process of services: index into the processes.
    Service(usize),
    /// A process that is no service's.
    Other,
    /// No log tells.
    Nothing,
}

/// Whether a path's last part is that name, without case.
fn leaf_is(path: &str, name: &str) -> bool {
    image_path::leaf(path).eq_ignore_ascii_case(name)
}

/// Lower case, variables expanded, one space: command lines differ in these between logs.
fn collapse(line: &str) -> String {
    let mut expanded = line.to_lowercase().replace('"', "");
    for (name, value) in [
        ("%comspec%", r"c:\windows\system32\cmd.exe"),
        ("%systemroot%", r"c:\windows"),
        ("%windir%", r"c:\windows"),
        ("%temp%", r"c:\windows\temp"),
    ] {
        expanded = expanded.replace(name, value);
    }
    expanded.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A path as logs write it, for comparing with [`ImagePath::normalized`]. The device paths of 5156 stay what they are: the
/// commands know the volumes.
pub(super) fn file_path(path: &str) -> String {
    ImagePath::of_file(&path.to_lowercase()).normalized
}

/// What a process did: role, process id, program.
fn acts(action: &Action) -> Option<(Role, Option<u32>, &str)> {
    match action {
        Action::Connected(connection) => {
            Some((Role::Connection, connection.process_id, connection.image.as_str()))
        }
        Action::DnsQueried { process_id, image, .. } => Some((Role::DnsQuery, *process_id, image)),
        Action::PortOpened(opening) => {
            Some((Role::PortOpening, opening.process_id, opening.image.as_str()))
        }
        Action::Pipe { process_id, image, .. } => Some((Role::Pipe, *process_id, image)),
        Action::FileCreated { process_id, image, .. } => {
            Some((Role::FileCreation, *process_id, image))
        }
        Action::ProcessOpened { process_id, image, .. } => {
            Some((Role::ProcessAccess, *process_id, image))
        }
        _ => None,
    }
}
