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

    /// An act that records tell together: each of them once, within that time.
    fn part(mut self, within: SignedDuration, slot: String) -> Self {
        self.within = Some(within);
        self.slot = Some(slot);
        self
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
        let repeated =
            |phase, words: String| Act::of(Some(link.event), event.time, Class::Act(phase, words));
        let visit = |words: String| {
            let mut act = repeated(Phase::Session, words);
            act.within = Some(SAME_VISIT);
            act
        };
        let part = |phase, words: &str, within| {
            repeated(phase, words.to_owned()).part(within, record_kind(event))
        };
        if link.role == Role::Command
            && let Some(command) = self.commands.get(&link.event)
        {
            return command_act(command, part);
        }
        match &event.action {
            Action::ServiceInstalled(install) => {
                let mut act = part(Phase::Installed, "", SAME_ACT);
                act.command = Some(comparable(&install.image_path));
                act
            }
            Action::StartTypeChanged { .. } => part(Phase::Configured, "START", SAME_ACT),
            Action::StateChanged { state, .. } => {
                let phase = match state {
                    Some(1 | 3 | 6 | 7) => Phase::Stopped,
                    _ => Phase::Started,
                };
                part(phase, "", SignedDuration::ZERO)
            }
            Action::Failed { .. } | Action::LogonRefused { .. } => {
                part(Phase::Failed, "", SAME_ACT)
            }
            Action::MarkedInteractive { .. } => part(Phase::Configured, "interactive", SAME_ACT),
            Action::Crashed { .. } => part(Phase::Crashed, "", SignedDuration::ZERO),
            Action::LogCleared { channel, .. } => {
                part(Phase::LogCleared, channel, SignedDuration::ZERO)
            }
            Action::RegistryChanged(change) => self.write(change, event, part),
            Action::PermissionsChanged { .. } => part(Phase::Configured, "SECURITY", SAME_ACT),
            Action::ObjectAccessed { object, image, subject, .. } => visit(format!(
                "handle {} {} {}",
                text::fold(object),
                image.as_deref().map(text::fold).unwrap_or_default(),
                who(subject)
            )),
            Action::Logon(logon) if link.role == Role::ServiceLogon => service_logon(logon, part),
            Action::Logon(logon) => repeated(Phase::Session, session(logon)),
            Action::ShareAccessed { target, subject, access, .. } => {
                if writes(*access) {
                    let mut act = repeated(Phase::Dropped, text::fold(leaf(target)));
                    act.within = Some(SAME_VISIT);
                    return act;
                }
                visit(format!("share {} {}", text::fold(target), who(subject)))
            }
            Action::FileCreated { path, .. } => {
                let mut act = repeated(Phase::Dropped, text::fold(leaf(path)));
                act.within = Some(SAME_VISIT);
                act
            }
            Action::DriverLoaded { image, .. } => repeated(Phase::Loaded, text::fold(image)),
            Action::ModuleLoaded { module, .. } => repeated(Phase::Loaded, text::fold(module)),
            Action::ProcessStarted(_) if link.role == Role::Installer => {
                part(Phase::Session, "tool", SignedDuration::ZERO)
            }
            action => match deed(action) {
                Some((phase, words)) => {
                    Act::of(Some(link.event), event.time, Class::Did(None, phase, words))
                }
                None => part(other(action), "", SignedDuration::ZERO),
            },
        }
    }

    /// A registry write: part of an install, of a deletion, or a change of one value.
    fn write(
        &self,
        change: &RegistryChange,
        event: &Event,
        part: impl Fn(Phase, &str, SignedDuration) -> Act,
    ) -> Act {
        let value = text::fold(&change.target);
        let slot = |mut act: Act| {
            act.slot = Some(format!("{} {value}", record_kind(event)));
            act
        };
        let ends = disables(change) && near(&self.deletions, event.time, SAME_CALL);
        if is_deletion(change) || ends || change.operation == RegistryOperation::KeyDeleted {
            let mut act = part(Phase::Deleted, "", SAME_DELETION);
            act.slot = None;
            return act;
        }
        let made =
            matches!(change.operation, RegistryOperation::KeyCreated | RegistryOperation::ValueSet);
        if made
            && by_manager(change)
            && !disables(change)
            && near(&self.installs, event.time, SAME_CALL)
        {
            let mut act = slot(part(Phase::Installed, "", SAME_CALL));
            if value == "IMAGEPATH" {
                act.command = change.new.as_deref().map(comparable);
            }
            return act;
        }
        slot(part(Phase::Configured, &value, SAME_ACT))
    }
}

/// A command that names the service.
fn command_act(command: &ServiceCommand, part: impl Fn(Phase, &str, SignedDuration) -> Act) -> Act {
    match command.verb {
        Verb::Create => {
            let mut act = part(Phase::Installed, "", SAME_ACT);
            act.command = command.change("ImagePath").map(comparable);
            act
        }
        Verb::Configure => {
            let value = command.changes.first().map(|change| text::fold(&change.value));
            part(Phase::Configured, &value.unwrap_or_default(), SAME_ACT)
        }
        Verb::Delete => part(Phase::Deleted, "", SAME_DELETION),
        Verb::Start => part(Phase::Started, "command", SAME_ACT),
        Verb::Stop => part(Phase::Stopped, "command", SAME_ACT),
        Verb::Control => part(Phase::Configured, "CONTROL", SAME_ACT),
    }
}

/// A logon of the service's own account.
fn service_logon(logon: &Logon, part: impl Fn(Phase, &str, SignedDuration) -> Act) -> Act {
    match logon.kind {
        LogonKind::Failure => part(Phase::Failed, "", SAME_ACT),
        _ => part(Phase::Started, "logon", SAME_ACT),
    }
}

/// The phase of what has no words of its own.
const fn other(action: &Action) -> Phase {
    match action {
        Action::LoggingStopped => Phase::LogCleared,
        Action::ProcessStarted(_) => Phase::Process,
        Action::Script { .. } => Phase::Configured,
        _ => Phase::Session,
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

/// Which record of an act it is: channel and event id.
fn record_kind(event: &Event) -> String {
    match &event.citation.place {
        Place::Record { channel, event_id, .. } => format!("{channel} {event_id}"),
        Place::Key { .. } | Place::File => String::new(),
    }
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
