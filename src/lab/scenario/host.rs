//! The host of a scenario: Windows, its name, its users, and what it logs.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Deserialize;

use crate::lab::evtx::State;

/// A Windows host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Host {
    /// Computer name.
    pub name: String,
    /// Its address, the source of its connections.
    pub address: String,
    /// Time the image was built: last-write time of most keys of a fresh installation.
    pub imaged: Timestamp,
    /// Time Windows was set up on this host.
    pub installed: Timestamp,
    /// Last shutdown before the evidence was taken.
    pub shut_down: Timestamp,
    /// The version.
    pub windows: Windows,
    /// The time zone.
    pub time_zone: TimeZone,
    /// What the audit policy records.
    #[serde(default)]
    pub audit: Audit,
    /// Whether its hives hold what it was set up to record: a SECURITY hive with the audit policy, the sizes of its logs, the
    /// policies of PowerShell. Hosts of which disk images exist as files of tests are without.
    #[serde(default)]
    pub posture: bool,
    /// Whether Sysmon runs.
    #[serde(default)]
    pub sysmon: bool,
    /// How the logs were left, by channel.
    #[serde(default)]
    pub logs: BTreeMap<String, LogFile>,
}

/// A version of Windows.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Windows {
    /// `Windows 10 Pro`.
    pub product: String,
    /// `Professional`.
    pub edition: String,
    /// Whether it is a server; servers log 7036.
    #[serde(default)]
    pub server: bool,
    /// Build number, 18362.
    pub build: u32,
    /// Update build revision.
    pub revision: u32,
    /// `1903`.
    pub release: String,
    /// `22H2`, on versions that have it.
    pub display_version: Option<String>,
}

/// A time zone as the registry keeps it.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct TimeZone {
    /// `W. Europe Standard Time`.
    pub key: String,
    /// Minutes to add to local time to get UTC.
    pub bias: i32,
    /// The same at the time of the evidence.
    pub active_bias: i32,
}

/// What the audit policy records in the Security log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[expect(clippy::struct_excessive_bools, reason = "audit subcategories are independent switches")]
pub struct Audit {
    /// Logons (4624, 4672).
    pub logons: bool,
    /// Process creation with command lines (4688).
    pub processes: bool,
    /// Service installs (4697).
    pub services: bool,
    /// Access to shares (5145).
    pub shares: bool,
    /// Permitted connections (5156).
    pub connections: bool,
    /// Changes of values below Services (4657).
    pub registry: bool,
}

impl Default for Audit {
    fn default() -> Audit {
        Audit {
            logons: true,
            processes: true,
            services: true,
            shares: true,
            connections: false,
            registry: false,
        }
    }
}

/// A user account.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Account name.
    pub name: String,
    /// Domain or computer.
    pub domain: String,
    /// Security identifier.
    pub sid: String,
}

/// How one event log was left.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct LogFile {
    /// Closed, dirty, or copied live.
    pub state: State,
    /// Record id of its first record.
    pub first_record: Option<u64>,
    /// Time of its oldest record; what was logged before was overwritten.
    pub begins: Option<Timestamp>,
}
