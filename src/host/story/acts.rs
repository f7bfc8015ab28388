//! Events as acts: which phase each belongs to, and what makes two of them one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};

use super::Phase;
use super::steps::{Act, Class};
use crate::host::citation::Place;
use crate::host::event::{
    Action, Event, Logon, LogonKind, RegistryChange, RegistryOperation, Subject,
};
use crate::host::image_path::{ImagePath, leaf};
use crate::host::service::{Link, Role};
use crate::host::service_command::{ServiceCommand, Verb};
use crate::host::{Host, Service};
use crate::text;

/// Records of one install or one change are logged within this time of each other.
const SAME_ACT: SignedDuration = SignedDuration::from_secs(5);
/// The writes of one call of the service control manager come within this time of each other.
const SAME_CALL: SignedDuration = SignedDuration::from_secs(2);
/// A deletion takes effect when the last handle is closed.
const SAME_DELETION: SignedDuration = SignedDuration::from_secs(10);
/// Accesses by one session to one thing are one visit as long as they follow each other this closely.
const SAME_VISIT: SignedDuration = SignedDuration::from_mins(10);

/// Every act of a service's story, in order of time.
pub(super) fn acts(host: &Host, service: &Service) -> Vec<Act> {
    let teller = Teller::of(host, service);
    let mut acts = Vec::new();
    // An event can belong to a service for several reasons; it is told once, for the most telling one.
    let mut told: BTreeSet<usize> = BTreeSet::new();
    for process in &service.processes {
        acts.extend(process_acts(host, *process, &mut told));
    }
    let mut links: Vec<&Link> = service.links.iter().collect();
    links.sort_by_key(|link| (link.event, weight(link.role)));
    for link in links {
        if let Some(event) = host.events.get(link.event)
            && told.insert(link.event)
        {
            acts.push(teller.act(link, event));
        }
    }
    acts.sort_by_key(|act| (act.time, act.event));
    acts
}

/// Of several reasons the one with the least weight is told.
const fn weight(role: Role) -> u8 {
    match role {
        Role::Command => 0,
        Role::Installer => 2,
        _ => 1,
    }
}

/// A process of the service and what it did.
fn process_acts(host: &Host, index: usize, told: &mut BTreeSet<usize>) -> Vec<Act> {
    let Some(process) = host.processes.get(index) else { return Vec::new() };
    let time = |at: &usize| host.events.get(*at).map(|event| event.time);
    let class = Class::Process(index);
    let mut acts = Vec::new();
    for at in &process.starts {
        if let Some(time) = time(at)
            && told.insert(*at)
        {
            acts.push(Act::of(Some(*at), time, class.clone()));
        }
    }
    if process.starts.is_empty()
        && let Some(time) = process.acts.iter().find_map(time)
    {
        acts.push(Act::of(None, time, class));
    }
    for at in &process.acts {
        let Some(event) = host.events.get(*at) else { continue };
        if let Some((phase, words)) = deed(&event.action)
            && told.insert(*at)
        {
            acts.push(Act::of(Some(*at), event.time, Class::Did(Some(index), phase, words)));
        }
    }
    acts
}

/// What a process did, and the words that tell it from what else it did.
fn deed(action: &Action) -> Option<(Phase, String)> {
    Some(match action {
        Action::Connected(connection) => (
            Phase::Network,
            format!(
                "{:?} {} {:?} {}",
                connection.outbound,
                connection.destination,
                connection.destination_port,
                connection.protocol
            ),
        ),
        Action::DnsQueried { query, .. } => (Phase::Network, text::fold(query)),
        Action::Pipe { created, name, .. } => (Phase::Pipe, format!("{created} {name}")),
        Action::FileCreated { path, .. } => (Phase::Wrote, text::fold(path)),
        Action::ProcessOpened { target, access, .. } => {
            (Phase::Accessed, format!("{} {access}", text::fold(target)))
        }
        _ => return None,
    })
}

impl Act {
    /// An act that repeats itself at any time.
    fn of(event: Option<usize>, time: Timestamp, class: Class) -> Self {
        Self { event, time, class, within: None, slot: None, command: None }
    }
}

/// What must be known of a service before its events can be told apart.
struct Teller<'a> {
    /// When it was installed: by install events, and by writes that only `CreateService` makes together.
    installs: BTreeSet<Timestamp>,
    /// When it was marked for deletion or its key was deleted.
    deletions: BTreeSet<Timestamp>,
    commands: BTreeMap<usize, &'a ServiceCommand>,
}

impl<'a> Teller<'a> {
    fn of(host: &'a Host, service: &'a Service) -> Self {
        let mut installs = BTreeSet::new();
        let mut deletions = BTreeSet::new();
        let mut images: Vec<Timestamp> = Vec::new();
        let mut others: BTreeSet<Timestamp> = BTreeSet::new();
        for link in &service.links {
            let Some(event) = host.events.get(link.event) else { continue };
            match &event.action {
                Action::ServiceInstalled(_) if link.role == Role::Install => {
                    installs.insert(event.time);
                }
                Action::RegistryChanged(change) if is_deletion(change) => {
                    deletions.insert(event.time);
                }
                Action::RegistryChanged(change) if by_manager(change) => {
                    match text::fold(&change.target).as_str() {
                        "IMAGEPATH" => images.push(event.time),
                        "START" if !disables(change) => drop(others.insert(event.time)),
                        "TYPE" | "ERRORCONTROL" => drop(others.insert(event.time)),
                        _ => {}
                    }
                }
                _ => {}
            }
        }
        installs.extend(images.into_iter().filter(|time| near(&others, *time, SAME_CALL)));
        let commands = service.commands.iter().map(|seen| (seen.event, &seen.command)).collect();
        Self { installs, deletions, commands }
    }

    fn act(&self, link: &Link, event: &Event) -> Act {
        let record = Told::of(link.event, event);
        if link.role == Role::Command
            && let Some(command) = self.commands.get(&link.event)
        {
            return command_act(command, &record);
        }
        match &event.action {
            Action::ServiceInstalled(install) => {
                let mut act = record.part(Phase::Installed, "", SAME_ACT);
                act.command = Some(comparable(&install.image_path));
                act
            }
            Action::StartTypeChanged { .. } => record.part(Phase::Configured, "START", SAME_ACT),
            Action::StateChanged { state: Some(1 | 3 | 6 | 7), .. } => record.alone(Phase::Stopped),
            Action::StateChanged { .. } => record.alone(Phase::Started),
            Action::Failed { .. } | Action::LogonRefused { .. } => {
                record.part(Phase::Failed, "", SAME_ACT)
            }
            Action::MarkedInteractive { .. } => {
                record.part(Phase::Configured, "interactive", SAME_ACT)
            }
            Action::Crashed { .. } => record.alone(Phase::Crashed),
            Action::LogCleared { .. } | Action::LoggingStopped => record.alone(Phase::LogCleared),
            Action::RegistryChanged(change) => self.write(change, &record),
            Action::PermissionsChanged { .. } => {
                record.part(Phase::Configured, "SECURITY", SAME_ACT)
            }
            Action::Logon(logon) if link.role == Role::ServiceLogon => match logon.kind {
                LogonKind::Failure => record.part(Phase::Failed, "", SAME_ACT),
                _ => record.alone(Phase::Started),
            },
            action => around(action, &record),
        }
    }

    /// A registry write: part of an install, of a deletion, or a change of one value.
    fn write(&self, change: &RegistryChange, record: &Told) -> Act {
        let value = text::fold(&change.target);
        let each = |mut act: Act| {
            act.slot = Some(format!("{} {value}", record.kind));
            act
        };
        let ending = near(&self.deletions, record.time, SAME_CALL);
        let ends = disables(change) || change.operation == RegistryOperation::KeyDeleted;
        if is_deletion(change) || ending && ends {
            return each(record.part(Phase::Deleted, "", SAME_DELETION));
        }
        let makes =
            matches!(change.operation, RegistryOperation::KeyCreated | RegistryOperation::ValueSet)
                && by_manager(change)
                && !disables(change);
        if makes && near(&self.installs, record.time, SAME_CALL) {
            let mut act = each(record.part(Phase::Installed, "", SAME_CALL));
            if value == "IMAGEPATH" {
                act.command = change.new.as_deref().map(comparable);
            }
            return act;
        }
        each(record.part(Phase::Configured, &value, SAME_ACT))
    }
}

/// A record about to become an act.
struct Told {
    at: usize,
    time: Timestamp,
    /// Which record of an act it is: channel and event id.
    kind: String,
}

impl Told {
    fn of(at: usize, event: &Event) -> Self {
        let kind = match &event.citation.place {
            Place::Record { channel, event_id, .. } => format!("{channel} {event_id}"),
            Place::Key { .. } | Place::File => String::new(),
        };
        Self { at, time: event.time, kind }
    }

    /// One of any number of repetitions.
    fn repeated(&self, phase: Phase, words: String) -> Act {
        Act::of(Some(self.at), self.time, Class::Act(phase, words))
    }

    /// One of the repetitions of a visit.
    fn visit(&self, phase: Phase, words: String) -> Act {
        Act { within: Some(SAME_VISIT), ..self.repeated(phase, words) }
    }

    /// A part of an act, each of which can be there once.
    fn part(&self, phase: Phase, words: &str, within: SignedDuration) -> Act {
        Act {
            within: Some(within),
            slot: Some(self.kind.clone()),
            ..self.repeated(phase, words.to_owned())
        }
    }

    /// An act of its own.
    fn alone(&self, phase: Phase) -> Act {
        self.part(phase, &self.at.to_string(), SignedDuration::ZERO)
    }
}

/// What happened around the service: who came, what was written and loaded, and what a process did whose id no log gives.
fn around(action: &Action, record: &Told) -> Act {
    match action {
        Action::Logon(logon) => record.repeated(Phase::Session, session(logon)),
        Action::ObjectAccessed { object, image, subject, .. } => {
            let image = image.as_deref().map(text::fold).unwrap_or_default();
            let words = format!("handle {} {image} {}", text::fold(object), who(subject));
            record.visit(Phase::Session, words)
        }
        Action::ShareAccessed { target, access, .. } if writes(*access) => {
            record.visit(Phase::Dropped, text::fold(leaf(target)))
        }
        Action::ShareAccessed { target, subject, .. } => {
            let words = format!("share {} {}", text::fold(target), who(subject));
            record.visit(Phase::Session, words)
        }
        Action::FileCreated { path, .. } => record.visit(Phase::Dropped, text::fold(leaf(path))),
        Action::DriverLoaded { image, .. } => record.repeated(Phase::Loaded, text::fold(image)),
        Action::ModuleLoaded { module, .. } => record.repeated(Phase::Loaded, text::fold(module)),
        Action::Script { .. } => record.alone(Phase::Configured),
        action => match deed(action) {
            Some((phase, words)) => {
                Act::of(Some(record.at), record.time, Class::Did(None, phase, words))
            }
            None => record.alone(Phase::Session),
        },
    }
}

/// A command that names the service.
fn command_act(command: &ServiceCommand, record: &Told) -> Act {
    // PsExec and its kin are the tool that came; what they made stands in records of its own.
    if command.tool == "psexec" {
        return record.visit(Phase::Session, format!("tool {}", text::fold(&command.service)));
    }
    match command.verb {
        Verb::Create => {
            let mut act = record.part(Phase::Installed, "", SAME_ACT);
            act.command = command.change("ImagePath").map(comparable);
            act
        }
        Verb::Configure => {
            let value = command.changes.first().map(|change| text::fold(&change.value));
            record.part(Phase::Configured, &value.unwrap_or_default(), SAME_ACT)
        }
        Verb::Delete => record.part(Phase::Deleted, "", SAME_DELETION),
        Verb::Start => record.part(Phase::Started, "command", SAME_ACT),
        Verb::Stop => record.part(Phase::Stopped, "command", SAME_ACT),
        Verb::Control => record.part(Phase::Configured, "CONTROL", SAME_ACT),
    }
}

/// The records of one session are one act; explicit credentials are another.
fn session(logon: &Logon) -> String {
    let explicit = logon.kind == LogonKind::Explicit;
    match logon.account.logon_id.filter(|_| !explicit) {
        Some(id) => format!("logon {id}"),
        None => format!("{:?} {}", logon.kind, who(&logon.account)),
    }
}

fn who(subject: &Subject) -> String {
    let sid = subject.sid.as_ref().or(subject.name.as_ref());
    format!("{:?} {}", subject.logon_id, sid.map(|sid| text::fold(sid)).unwrap_or_default())
}

/// A command for comparing between records: they differ in quotes, case, variables and white space.
fn comparable(command: &str) -> String {
    let path = ImagePath::parse(command);
    let arguments: Vec<&str> = path.arguments.split_whitespace().collect();
    format!("{} {}", path.normalized, arguments.join(" ").to_lowercase())
}

/// Whether services.exe wrote, on behalf of whoever called it.
fn by_manager(change: &RegistryChange) -> bool {
    leaf(&change.image).eq_ignore_ascii_case("services.exe")
}

/// `DeleteFlag` marks for deletion; the key goes when the last handle is closed.
fn is_deletion(change: &RegistryChange) -> bool {
    match change.operation {
        RegistryOperation::ValueSet => text::same_name(&change.target, "DeleteFlag"),
        RegistryOperation::KeyDeleted => change.target.is_empty(),
        _ => false,
    }
}

/// `DeleteService` sets `Start` to 4 as well, so that the service does not start again before it is gone.
fn disables(change: &RegistryChange) -> bool {
    let four = |data: &str| {
        let digits = data.rsplit(['(', ' ']).next().unwrap_or(data).trim_end_matches(')');
        digits.trim_start_matches("0x").trim_start_matches('0') == "4"
    };
    change.operation == RegistryOperation::ValueSet
        && text::same_name(&change.target, "Start")
        && change.new.as_deref().is_some_and(four)
}

/// The rights to write or append data to a file.
fn writes(access: Option<u32>) -> bool {
    access.is_some_and(|mask| mask & 0x6 != 0)
}

fn near(times: &BTreeSet<Timestamp>, time: Timestamp, within: SignedDuration) -> bool {
    let (Ok(from), Ok(to)) = (time.saturating_sub(within), time.saturating_add(within)) else {
        return false;
    };
    times.range(from..=to).next().is_some()
}
