//! One service: what the hive says of it, what it was before, and the events that concern it.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::citation::Citation;
use super::config::ServiceConfig;
use super::event::{Event, Logon, Subject};
use super::image_path::ImagePath;
use super::network::Network;
use super::older::{Passage, Presence};
use super::program_file::{Purpose, ServiceFile};
use super::service_command::ServiceCommand;

/// The row that stands for the service control manager itself: there where a setting opens it to others or
/// makes it load a DLL, so that such a finding has a place of its own instead of one beside every service.
pub const SERVICE_CONTROL_MANAGER: &str = "Service Control Manager";

/// Why an event belongs to a service's story.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It was installed (7045, 4697).
    Install,
    /// Its start type was changed (7040).
    StartTypeChange,
    /// It entered a state (7036).
    StateChange,
    /// It did not start, answer or end well (7000, 7009, 7011, 7022 to 7024, 7030, 7032).
    Failure,
    /// It ended unexpectedly (7031, 7034).
    Crash,
    /// Its key was written (4657, Sysmon 12 to 14).
    RegistryChange,
    /// A handle to it was used or its permissions changed (4656, 4663, 4670, 4674).
    ObjectAccess,
    /// A command or script names it (4688, Sysmon 1, PowerShell).
    Command,
    /// Its program was started by services.exe.
    Process,
    /// Its process, or a descendant, started another.
    ChildProcess,
    /// Its process, or a descendant, connected.
    Connection,
    /// Its process, or a descendant, looked a name up.
    DnsQuery,
    /// Its process, or a descendant, opened a port.
    PortOpening,
    /// Its program, or the file its process wrote, was created.
    FileCreation,
    /// Its driver was loaded.
    DriverLoad,
    /// Its process loaded a module that the configuration names.
    ModuleLoad,
    /// Its process created or used a named pipe.
    Pipe,
    /// Its process, or a descendant, opened lsass.exe.
    ProcessAccess,
    /// Its account logged on as a service (4624, logon type 5) close to a start.
    ServiceLogon,
    /// The process that asked for its install (the client of 4697), or that wrote its program.
    Installer,
    /// Its actor logged on.
    ActorLogon,
    /// Its actor used the service control manager or an administrative share from afar (5145).
    ShareAccess,
    /// A log was cleared close by, or logging stopped.
    LogCleared,
}

/// An event of [`super::Host::events`] and why it belongs here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// Why.
    pub role: Role,
    /// Index into [`super::Host::events`].
    pub event: usize,
}

/// Who installed a service, as far as logs tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The install event: index into [`super::Host::events`].
    pub event: usize,
    /// The account. 7045 gives the SID only; the name comes from logons or other events with that SID.
    pub subject: Subject,
    /// The logon the session came from, where a log has it.
    pub logon: Option<Logon>,
    /// The record of that logon.
    pub logon_citation: Option<Citation>,
    /// The client's address, where no logon tells it but a share access of the same session does (5145).
    pub share_address: Option<String>,
}

impl Actor {
    /// Where the session came from: the address of the logon, else that of its share accesses.
    pub fn address(&self) -> Option<&str> {
        let logon = self.logon.as_ref().and_then(|logon| logon.address.as_deref());
        logon.or(self.share_address.as_deref())
    }
}

/// A command that names a service, and the event that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenCommand {
    /// Index into [`super::Host::events`]: the record in which it stands.
    pub event: usize,
    /// The records of all parts of the script it stands in, in order; empty where `event` is all of it.
    pub parts: Vec<usize>,
    /// How many parts of that script no log holds.
    pub missing: u32,
    /// Which act of the service it is, from 0 in order of time: one command is logged by several logs (4688, Sysmon 1,
    /// 4103, 4104, 800), and by the interpreter that runs it. Commands that do the same within
    /// [`SeenCommand::SAME_ACT`] have one number.
    pub act: usize,
    /// What it does.
    pub command: ServiceCommand,
}

impl SeenCommand {
    /// Records of one act are logged within this time of the first.
    pub const SAME_ACT: jiff::SignedDuration = jiff::SignedDuration::from_secs(5);

    /// The records that show it, the one in which it stands first: indices into [`super::Host::events`].
    pub fn records(&self) -> impl Iterator<Item = usize> + '_ {
        let others = self.parts.iter().copied().filter(|part| *part != self.event);
        std::iter::once(self.event).chain(others)
    }
}

/// A field that differs between two configurations of one service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// Which other state: `ControlSet002`, `RegBack/SYSTEM`, …
    pub against: String,
    /// The value's name; empty where the whole key is missing there.
    pub field: String,
    /// What it was there; absent where it was not there.
    pub before: Option<String>,
    /// What it is in the current control set; absent where it is not.
    pub now: Option<String>,
    /// Whether the other state is an older one of this host, so that the value changed since; else the two differ, and
    /// nothing says which is older.
    pub is_change: bool,
    /// The next newer state that already has the value of now; absent where it changed after the newest older state.
    pub until: Option<String>,
    /// The other state's place.
    #[serde(skip)]
    pub citation: Option<Citation>,
    /// The place in the current control set; absent where it has no key.
    #[serde(skip)]
    pub now_citation: Option<Citation>,
}

impl Difference {
    /// What differs, in one sentence that names both ends.
    pub fn sentence(&self) -> String {
        let shown = |text: &Option<String>| text.clone().unwrap_or_else(|| "(absent)".to_owned());
        let (before, now) = (shown(&self.before), shown(&self.now));
        let field = if self.field.is_empty() { "The key" } else { &self.field };
        if self.is_change {
            let until = self.until.as_deref().unwrap_or("now");
            format!("{field} changed between {} and {until}: {before} -> {now}", self.against)
        } else {
            format!("{field} differs from {}: there {before}, now {now}", self.against)
        }
    }
}

/// One service of a host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Service {
    /// The key's name, or the name by which logs know it.
    pub name: String,
    /// Its display name: from the hive, else from events.
    pub display_name: Option<String>,
    /// Its configuration in the current control set; absent where only logs or history know it.
    pub config: Option<ServiceConfig>,
    /// Its configurations elsewhere: other control sets, older states (the newest first), deleted keys.
    pub history: Vec<ServiceConfig>,
    /// What differs between them and the current one.
    pub differences: Vec<Difference>,
    /// In which comparable older states it has a key, oldest first; empty where no state has one.
    pub presence: Vec<Presence>,
    /// When its key came and went between older states and now, in order.
    pub passages: Vec<Passage>,
    /// The command: `ImagePath`, the implied driver path, or what the install event says.
    pub image: Option<ImagePath>,
    /// The service DLL.
    pub dll: Option<ImagePath>,
    /// The failure command.
    pub failure_command: Option<ImagePath>,
    /// The target behind a wrapper.
    pub wrapped: Option<ImagePath>,
    /// The files it runs or loads, in the order of [`super::program_file::wanted`]; empty where no evidence with files was read.
    pub files: Vec<ServiceFile>,
    /// Who installed it, one entry an install event, in the order of the events.
    pub actors: Vec<Actor>,
    /// The commands that name it, in order of time.
    pub commands: Vec<SeenCommand>,
    /// The events that concern it, sorted by event and so by time.
    pub links: Vec<Link>,
    /// Its processes and their descendants, in order of time: indices into [`super::Host::processes`].
    pub processes: Vec<usize>,
    /// Hits of Sigma rules that concern it, in order of time: indices into [`super::Host::rule_hits`].
    pub rule_hits: Vec<usize>,
    /// What its processes did on the network, as long as they lived.
    pub network: Network,
    /// The other host whose service this is: known only from a command given here.
    pub elsewhere: Option<String>,
}

impl Service {
    /// A service nothing is known of but its name.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            display_name: None,
            config: None,
            history: Vec::new(),
            differences: Vec::new(),
            presence: Vec::new(),
            passages: Vec::new(),
            image: None,
            dll: None,
            failure_command: None,
            wrapped: None,
            files: Vec::new(),
            actors: Vec::new(),
            commands: Vec::new(),
            links: Vec::new(),
            processes: Vec::new(),
            rule_hits: Vec::new(),
            network: Network::default(),
            elsewhere: None,
        }
    }

    /// Whether the current control set has its key.
    pub fn in_registry(&self) -> bool {
        self.config.is_some()
    }

    /// Whether it is no service but a configuration key that makes Windows load a file: a key without `Type`
    /// and `ImagePath`.
    pub fn is_store(&self) -> bool {
        self.config
            .as_ref()
            .is_some_and(|config| config.service_type.is_none() && config.image_path.is_none())
    }

    /// Whether it is a driver: by `Type`, else by the type its install event gives, else by its file name.
    pub fn is_driver(&self) -> bool {
        match self.config.as_ref().and_then(|config| config.service_type) {
            Some(kind) => kind.is_driver(),
            None => self.image.as_ref().is_some_and(|image| image.extension() == "sys"),
        }
    }

    /// Whether it is a per-user instance (`Name_<hex>`, type bit 0x80).
    pub fn is_user_instance(&self) -> bool {
        self.config
            .as_ref()
            .and_then(|config| config.service_type)
            .is_some_and(super::config::ServiceType::is_user_instance)
    }

    /// Its file for a purpose.
    pub fn file(&self, purpose: &Purpose) -> Option<&ServiceFile> {
        self.files.iter().find(|file| file.purpose == *purpose)
    }

    /// Who did that install: index into [`super::Host::events`].
    pub fn actor_of(&self, event: usize) -> Option<&Actor> {
        let at = self.actors.binary_search_by_key(&event, |actor| actor.event).ok()?;
        self.actors.get(at)
    }

    /// The last-write time of its key in the current control set.
    pub fn last_write(&self) -> Option<Timestamp> {
        self.config.as_ref().and_then(|config| config.last_write)
    }

    /// The events of one role, in order of time.
    pub fn events<'a>(
        &'a self,
        role: Role,
        events: &'a [Event],
    ) -> impl Iterator<Item = &'a Event> + 'a {
        self.indexed_events(role, events).map(|(_, event)| event)
    }

    /// The events of one role with their indices, in order of time.
    pub fn indexed_events<'a>(
        &'a self,
        role: Role,
        events: &'a [Event],
    ) -> impl Iterator<Item = (usize, &'a Event)> + 'a {
        self.links
            .iter()
            .filter(move |link| link.role == role)
            .filter_map(move |link| Some((link.event, events.get(link.event)?)))
    }
}
