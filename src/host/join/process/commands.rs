//! Every command that a service ever had, found by the program it runs.
//!
//! A service of SMBexec is installed anew for each command, so one configuration is not enough: install events,
//! registry writes and commands give others.

use std::collections::BTreeMap;

use super::super::roster::{Roster, is_program, program_key};
use super::{collapse, leaf_is};
use crate::host::device_path::Volumes;
use crate::host::event::{Action, Event, ProcessStart, RegistryOperation};
use crate::host::image_path::{ImagePath, leaf};
use crate::host::process::Kinship;
use crate::host::service::{Role, Service};
use crate::host::shell::is_interpreter;
use crate::text;

/// One command of one service.
struct Command {
    service: usize,
    kinship: Kinship,
    path: ImagePath,
}

/// Commands by program.
pub(super) struct Commands {
    all: Vec<Command>,
    by_program: BTreeMap<String, Vec<usize>>,
    /// For programs that logs name by their device.
    volumes: Volumes,
}

impl Commands {
    pub(super) fn of(roster: &Roster, events: &[Event]) -> Self {
        let volumes = roster.volumes().clone();
        let mut commands = Self { all: Vec::new(), by_program: BTreeMap::new(), volumes };
        for (index, service) in roster.iter() {
            let own = [
                (Kinship::Command, &service.image),
                (Kinship::FailureCommand, &service.failure_command),
                (Kinship::Command, &service.wrapped),
            ];
            for (kinship, path) in own {
                if let Some(path) = path {
                    commands.add(index, kinship, path.clone());
                }
            }
            for seen in &service.commands {
                for (kinship, value) in VALUES {
                    if let Some(data) = seen.command.change(value) {
                        commands.add(index, kinship, ImagePath::parse(data));
                    }
                }
            }
            commands.add_events(index, service, events);
        }
        commands
    }

    /// The commands that install events and registry writes show.
    fn add_events(&mut self, index: usize, service: &Service, events: &[Event]) {
        for link in &service.links {
            if !matches!(link.role, Role::Install | Role::RegistryChange) {
                continue;
            }
            match events.get(link.event).map(|event| &event.action) {
                Some(Action::ServiceInstalled(install)) => {
                    self.add(index, Kinship::Command, ImagePath::parse(&install.image_path));
                }
                Some(Action::RegistryChanged(change))
                    if change.operation == RegistryOperation::ValueSet =>
                {
                    for (kinship, value) in VALUES {
                        if text::same_name(&change.target, value)
                            && let Some(data) = &change.new
                        {
                            self.add(index, kinship, ImagePath::parse(data));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    fn add(&mut self, service: usize, kinship: Kinship, path: ImagePath) {
        if path.program.is_empty() {
            return;
        }
        let entry = self.by_program.entry(program_key(&path)).or_default();
        let known = entry.iter().filter_map(|at| self.all.get(*at)).any(|one| {
            one.service == service && one.kinship == kinship && one.path.raw == path.raw
        });
        if !known {
            entry.push(self.all.len());
            self.all.push(Command { service, kinship, path });
        }
    }

    /// The commands whose program is that one; a bare name is that program wherever it lies.
    fn of_program(&self, normalized: &str) -> impl Iterator<Item = &Command> + use<'_> {
        let named = |key: &str| self.by_program.get(key).map_or(&[] as &[usize], Vec::as_slice);
        let bare =
            Some(leaf(normalized)).filter(|leaf| *leaf != normalized).map_or(&[] as _, named);
        let paths = self.volumes.drive_paths(normalized);
        let full: Vec<usize> = paths.iter().flat_map(|path| named(path)).copied().collect();
        full.into_iter().chain(bare.iter().copied()).filter_map(|at| self.all.get(at))
    }

    /// The services that run that program, each once.
    pub(super) fn services(&self, normalized: &str) -> Vec<usize> {
        let mut services: Vec<usize> =
            self.of_program(normalized).map(|command| command.service).collect();
        services.sort_unstable();
        services.dedup();
        services
    }

    /// The services whose command a child of services.exe is, each once, and how it is that.
    pub(super) fn started(&self, roster: &Roster, process: &ProcessStart) -> (Vec<usize>, Kinship) {
        let image = super::file_path(&process.image);
        let image = self.volumes.resolve(&image).unwrap_or(image);
        let line = collapse(process.command_line.as_deref().unwrap_or_default());
        let mut candidates: Vec<(u8, usize, Kinship)> = self
            .of_program(&image)
            .filter_map(|command| {
                let service = roster.get(command.service)?;
                Some((
                    likeness(service, &command.path, &image, &line),
                    command.service,
                    command.kinship,
                ))
            })
            .collect();
        let best = candidates.iter().map(|(likeness, ..)| *likeness).max().unwrap_or(0);
        if best == 0 {
            return (intercepted(roster, &line), Kinship::Intercepted);
        }
        candidates.retain(|(likeness, ..)| *likeness == best);
        candidates.sort_unstable();
        let kinship = candidates.first().map_or(Kinship::Command, |(.., kinship)| *kinship);
        let mut services: Vec<usize> = candidates.iter().map(|(_, service, _)| *service).collect();
        services.dedup();
        (services, kinship)
    }
}

/// The values that hold commands.
const VALUES: [(Kinship, &str); 2] =
    [(Kinship::Command, "ImagePath"), (Kinship::FailureCommand, "FailureCommand")];

/// Another program than configured runs with the configured command line: an intercepted unquoted path.
fn intercepted(roster: &Roster, line: &str) -> Vec<usize> {
    if line.is_empty() {
        return Vec::new();
    }
    let is_it = |service: &Service| {
        service.image.as_ref().is_some_and(|path| {
            !path.quoted && path.program.contains(' ') && collapse(&path.raw) == line
        })
    };
    roster.iter().filter(|(_, service)| is_it(service)).map(|(index, _)| index).collect()
}

/// How much a process looks like a command of the service: 0 not at all, 1 the same program, 2 a variable part
/// differs, 3 the same command line.
fn likeness(service: &Service, path: &ImagePath, image: &str, line: &str) -> u8 {
    if !is_program(path, image) {
        return 0;
    }
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
    // Dozens of services share these: none of them is meant by what one of them does.
    let known = ["netsvcs", "localservice", "networkservice", "localsystemnetworkrestricted"];
    match (group, path.svchost_group()) {
        (Some(run), Some(own)) if run == own && !known.contains(&own.as_str()) => 2,
        _ => 0,
    }
}
