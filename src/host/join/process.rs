//! Services become processes, and processes act: services.exe → program → children → network.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::roster::{Roster, is_program};
use crate::host::event::{Action, Event, ProcessStart};
use crate::host::image_path::{self, ImagePath};
use crate::host::service::{Role, Service};

/// How deep below the service's own process descendants are followed.
const DEPTH: u8 = 6;

/// A process that belongs to services, by computer and process id.
struct Tracked {
    services: Vec<usize>,
    started: Timestamp,
    depth: u8,
}

/// Follows the processes of every service through the events, which are in order of time.
pub(super) fn follow(roster: &mut Roster, events: &[Event], window: SignedDuration) {
    let mut alive: BTreeMap<(&str, u32), Tracked> = BTreeMap::new();
    let anchors = anchors(roster, events);
    let mut managers: BTreeMap<&str, u32> = manager_ids(events);
    for (at, event) in events.iter().enumerate() {
        let computer = event.computer.as_str();
        match &event.action {
            Action::ProcessStarted(process) => {
                if leaf_is(&process.image, "services.exe")
                    && let Some(id) = process.process_id
                {
                    managers.insert(computer, id);
                }
                let found =
                    start(roster, at, event, process, managers.get(computer), &alive, window);
                let Some(id) = process.process_id else { continue };
                match found {
                    Some(tracked) => drop(alive.insert((computer, id), tracked)),
                    // The id was used again by a process that is no service's.
                    None => drop(alive.remove(&(computer, id))),
                }
            }
            Action::ProcessEnded { process_id: Some(id), .. } => {
                alive.remove(&(computer, *id));
            }
            action => {
                if let Some((role, process_id, image)) = acts(action) {
                    let tracked = process_id.and_then(|id| alive.get(&(computer, id)));
                    let indices = doers(roster, tracked, image, event.time, window, &anchors);
                    for index in indices {
                        roster.link(index, role, at);
                    }
                }
                link_by_file(roster, at, action);
            }
        }
    }
}

/// When each service was installed or changed its state: around these times its program acts for it.
fn anchors(roster: &Roster, events: &[Event]) -> BTreeMap<usize, BTreeSet<Timestamp>> {
    let mut anchors: BTreeMap<usize, BTreeSet<Timestamp>> = BTreeMap::new();
    for (index, service) in roster.iter() {
        for link in &service.links {
            if matches!(link.role, Role::Install | Role::StateChange)
                && let Some(event) = events.get(link.event)
            {
                anchors.entry(index).or_default().insert(event.time);
            }
        }
    }
    anchors
}

/// The process id of services.exe per computer, learned from any process that names it as its parent: it
/// starts at boot, mostly before the log's first record.
fn manager_ids(events: &[Event]) -> BTreeMap<&str, u32> {
    let mut ids = BTreeMap::new();
    for event in events {
        if let Action::ProcessStarted(process) = &event.action
            && process.parent_image.as_deref().is_some_and(|parent| leaf_is(parent, "services.exe"))
            && let Some(id) = process.parent_process_id
        {
            ids.entry(event.computer.as_str()).or_insert(id);
        }
    }
    ids
}

fn leaf_is(path: &str, name: &str) -> bool {
    image_path::leaf(path).eq_ignore_ascii_case(name)
}

/// Whether a new process is a service's own or a descendant of one; links it.
fn start(
    roster: &mut Roster,
    at: usize,
    event: &Event,
    process: &ProcessStart,
    manager: Option<&u32>,
    alive: &BTreeMap<(&str, u32), Tracked>,
    window: SignedDuration,
) -> Option<Tracked> {
    if is_child_of_manager(process, manager) {
        let services = started_by_manager(roster, process);
        for index in &services {
            roster.link(*index, Role::Process, at);
        }
        return (!services.is_empty()).then_some(Tracked {
            services,
            started: event.time,
            depth: 0,
        });
    }
    let parent = alive.get(&(event.computer.as_str(), process.parent_process_id?))?;
    let depth = parent.depth.checked_add(1).filter(|depth| *depth <= DEPTH)?;
    if event.time.duration_since(parent.started) > window {
        return None;
    }
    for index in &parent.services {
        roster.link(*index, Role::ChildProcess, at);
    }
    Some(Tracked { services: parent.services.clone(), started: parent.started, depth })
}

/// Sysmon writes `?` for the parent of some services; 4688 before Windows 10 has only the parent's id.
fn is_child_of_manager(process: &ProcessStart, manager: Option<&u32>) -> bool {
    match process.parent_image.as_deref() {
        Some(parent) if !parent.is_empty() && parent != "?" && parent != "-" => {
            leaf_is(parent, "services.exe")
        }
        _ => match (process.parent_process_id, manager) {
            (Some(parent), Some(manager)) => parent == *manager,
            _ => false,
        },
    }
}

/// The services whose command a child of services.exe is.
fn started_by_manager(roster: &Roster, process: &ProcessStart) -> Vec<usize> {
    let image = file_path(&process.image);
    let line = collapse(process.command_line.as_deref().unwrap_or_default());
    let mut candidates: Vec<(usize, u8)> = Vec::new();
    for index in roster.running(&image) {
        if let Some(service) = roster.get(index) {
            candidates.push((index, likeness(service, &image, &line)));
        }
    }
    let best = candidates.iter().map(|(_, likeness)| *likeness).max().unwrap_or(0);
    if best > 0 {
        return candidates
            .into_iter()
            .filter(|(_, like)| *like == best)
            .map(|(index, _)| index)
            .collect();
    }
    if line.is_empty() {
        return Vec::new();
    }
    // Another program than configured runs with the configured command line: an intercepted unquoted path.
    roster
        .iter()
        .filter(|(_, service)| {
            service.image.as_ref().is_some_and(|path| {
                !path.quoted && path.program.contains(' ') && collapse(&path.raw) == line
            })
        })
        .map(|(index, _)| index)
        .collect()
}

/// How much a process looks like the service: 0 not at all, 1 the same program, 2 a variable part differs,
/// 3 the same command line.
fn likeness(service: &Service, image: &str, line: &str) -> u8 {
    let paths = [&service.image, &service.failure_command, &service.wrapped];
    paths
        .into_iter()
        .flatten()
        .filter(|path| is_program(path, image))
        .map(|path| {
            if leaf_is(image, "svchost.exe") {
                return svchost_likeness(service, path, line);
            }
            let arguments = collapse(&path.arguments);
            match line {
                "" => 1,
                line if line.ends_with(&arguments) && !arguments.is_empty() => 3,
                line if arguments.is_empty() && ImagePath::parse(line).arguments.is_empty() => 3,
                // A shared interpreter is only the service's if it was given the service's arguments.
                _ if is_interpreter(image) => 0,
                _ => 1,
            }
        })
        .max()
        .unwrap_or(0)
}

/// svchost.exe names its service with `-s`, or hosts a group of its own.
fn svchost_likeness(service: &Service, path: &ImagePath, line: &str) -> u8 {
    let mut words = line.split(' ');
    while let Some(word) = words.next() {
        if word == "-s" {
            let same = words.next().is_some_and(|name| name.eq_ignore_ascii_case(&service.name));
            return if same { 3 } else { 0 };
        }
    }
    let group = ImagePath::parse(line).svchost_group();
    let known = ["netsvcs", "localservice", "networkservice", "localsystemnetworkrestricted"];
    match (group, path.svchost_group()) {
        (Some(run), Some(own)) if run == own && !known.contains(&own.as_str()) => 2,
        _ => 0,
    }
}

fn is_interpreter(image: &str) -> bool {
    const SHARED: [&str; 12] = [
        "cmd.exe",
        "powershell.exe",
        "pwsh.exe",
        "rundll32.exe",
        "regsvr32.exe",
        "mshta.exe",
        "wscript.exe",
        "cscript.exe",
        "dllhost.exe",
        "msiexec.exe",
        "python.exe",
        "java.exe",
    ];
    SHARED.iter().any(|shared| leaf_is(image, shared))
}

/// Lower case, variables expanded, one space: command lines differ in these between logs.
fn collapse(line: &str) -> String {
    let lower = line.to_lowercase().replace('"', "");
    let mut expanded = lower;
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

/// A path as logs write it, for comparing with [`ImagePath::normalized`]. The device paths of 5156 stay what they are:
/// [`Roster::running`] knows the volumes.
fn file_path(path: &str) -> String {
    ImagePath::parse(&format!("\"{}\"", path.to_lowercase())).normalized
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
        _ => None,
    }
}

/// The services that did it: by process, else by a program that only services run and that was installed or
/// started within the window.
fn doers(
    roster: &Roster,
    tracked: Option<&Tracked>,
    image: &str,
    time: Timestamp,
    window: SignedDuration,
    anchors: &BTreeMap<usize, BTreeSet<Timestamp>>,
) -> Vec<usize> {
    if let Some(tracked) = tracked {
        return if time.duration_since(tracked.started) <= window {
            tracked.services.clone()
        } else {
            Vec::new()
        };
    }
    let image = file_path(image);
    if is_interpreter(&image) || leaf_is(&image, "svchost.exe") || leaf_is(&image, "lsass.exe") {
        return Vec::new();
    }
    roster
        .running(&image)
        .filter(|index| {
            let (from, to) = (time.saturating_sub(window), time.saturating_add(window));
            let (Ok(from), Ok(to)) = (from, to) else { return false };
            anchors.get(index).is_some_and(|times| times.range(from..=to).next().is_some())
        })
        .collect()
}

/// Drivers, modules and files are found by their path.
fn link_by_file(roster: &mut Roster, at: usize, action: &Action) {
    let (role, path) = match action {
        Action::DriverLoaded { image, .. } => (Role::DriverLoad, image),
        Action::FileCreated { path, .. } => (Role::FileCreation, path),
        Action::ModuleLoaded { module, .. } => (Role::ModuleLoad, module),
        _ => return,
    };
    let path = file_path(path);
    let indices: Vec<usize> = match role {
        Role::ModuleLoad => roster.loading(&path).to_vec(),
        _ => roster
            .running(&path)
            .filter(|_| !is_interpreter(&path) && !leaf_is(&path, "svchost.exe"))
            .collect(),
    };
    for index in indices {
        roster.link(index, role, at);
    }
}
