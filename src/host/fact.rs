//! One thing an artifact says. Artifacts write facts; [`super::Host::from_facts`] is the only reader.

use jiff::Timestamp;

use super::citation::Citation;
use super::config::{AccessRules, Epoch, RawValue, ServiceConfig};
use super::event::Event;
use super::posture::Posture;
use super::rule_hit::RuleHit;

/// One thing an artifact says, with its citation inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Something about the host itself.
    Identity(Identity),
    /// A service key with a `Type`.
    Service(Box<ServiceConfig>),
    /// A key under Services without `Type`: a configuration store, not a service.
    ConfigurationKey(ConfigurationKey),
    /// The `Services` key of a control set as a whole.
    ServicesKey(ServicesKey),
    /// A group of the `Svchost` key.
    SvchostGroup(SvchostGroup),
    /// An entry below `Control\SafeBoot`.
    SafeBoot(SafeBootEntry),
    /// A setting of the service control manager or the event log that is not a service's.
    Setting(Setting),
    /// What the host was set up to record and to forbid.
    Posture(Posture),
    /// A Sigma rule fired on a record.
    RuleHit(Box<RuleHit>),
    /// A record of an event log. The analyst's window and all joins work on these.
    Event(Box<Event>),
}

/// What is being said about the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The statement.
    pub item: IdentityItem,
    /// When it held: facts from history never name the host.
    pub epoch: Epoch,
    /// Its place.
    pub citation: Citation,
}

/// A statement about the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IdentityItem {
    /// `Control\ComputerName\ComputerName`.
    ComputerName(String),
    /// `Services\Tcpip\Parameters\Domain`, where not empty.
    Domain(String),
    /// `Control\TimeZoneInformation`: name and bias in minutes (UTC = local + bias).
    TimeZone {
        /// `TimeZoneKeyName` or `StandardName`.
        name: String,
        /// `ActiveTimeBias`.
        bias_minutes: Option<i32>,
    },
    /// `Control\Windows\ShutdownTime`.
    LastShutdown(Timestamp),
    /// `Select\Current`.
    CurrentControlSet(u32),
    /// Windows' own words about itself, from SOFTWARE.
    Windows {
        /// `ProductName`, for example `Windows 10 Pro`.
        product: String,
        /// `CurrentBuild` with `UBR`, for example `19045.3570`.
        build: Option<String>,
        /// `DisplayVersion` or `ReleaseId`, for example `22H2`.
        version: Option<String>,
        /// `InstallDate`.
        installed: Option<Timestamp>,
    },
    /// `SystemRoot`, for example `C:\Windows`.
    SystemRoot(String),
    /// `Control\Session Manager\Environment`: the variables of the machine as stored, in the order of the key.
    Environment(Vec<(String, String)>),
}

/// A key under Services without `Type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigurationKey {
    /// The key's name.
    pub name: String,
    /// When it held.
    pub epoch: Epoch,
    /// The key.
    pub citation: Citation,
    /// The key's last-write time.
    pub last_write: Option<Timestamp>,
    /// Its values and those of its sub-keys.
    pub values: Vec<RawValue>,
    /// Values in it that make Windows load a file (`Performance\Library` and its kin).
    pub load_points: Vec<super::config::LoadPoint>,
}

/// The `Services` key of a control set: where it was read completely, what has no key below it was not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServicesKey {
    /// When it held.
    pub epoch: Epoch,
    /// The key.
    pub citation: Citation,
    /// Whether every key below it was found, and the hive was written to its end.
    pub complete: bool,
    /// The newest last-write time of the keys below it.
    pub newest: Option<Timestamp>,
}

/// A group of `Microsoft\Windows NT\CurrentVersion\Svchost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SvchostGroup {
    /// The group's name, `netsvcs`.
    pub name: String,
    /// The services that may run in it.
    pub members: Vec<String>,
    /// The value.
    pub citation: Citation,
}

/// An entry below `Control\SafeBoot\Minimal` or `Network`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeBootEntry {
    /// `Minimal` or `Network`.
    pub mode: String,
    /// A service, driver file or class GUID.
    pub name: String,
    /// Its default value: `Service`, `Driver`, `Driver Group`.
    pub kind: String,
    /// The key.
    pub citation: Citation,
}

/// Which setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SettingKind {
    /// `Control\ServiceGroupOrder\Security`: a custom descriptor of the service control manager. Absent by
    /// default.
    ScmSecurity,
    /// `Control\RemoteAccessExemption` or `Control\SecurePipeServers\SCM`: who may use the service control
    /// manager from afar without being an administrator.
    ScmRemoteExemption,
    /// `Control\MiniNt`: makes the event log service refuse to write.
    MiniNt,
    /// `Control\ServiceControlManagerExtension`: a DLL loaded by services.exe.
    ScmExtension,
    /// `Services\EventLog\<log>` settings: `CustomSD`, `File`, `Retention`.
    EventLogChannel,
    /// `Control\WMI\Autologger\EventLog-*`: whether event tracing starts at boot.
    Autologger,
}

/// A setting that concerns every service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Which.
    pub kind: SettingKind,
    /// Its value in words.
    pub value: String,
    /// Access rules, where the setting is a security descriptor.
    pub rules: Option<AccessRules>,
    /// Its place.
    pub citation: Citation,
}
