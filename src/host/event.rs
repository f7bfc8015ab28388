//! What event logs say about services and what happened around them: typed, channel-independent actions.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::citation::Citation;
use super::config::Start;

/// One record that matters, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When it was logged, UTC, at 100 ns.
    pub time: Timestamp,
    /// The computer the record names.
    pub computer: String,
    /// SID of the user in whose name it was logged (`System/Security/@UserID`).
    pub user_sid: Option<String>,
    /// The record.
    pub citation: Citation,
    /// What happened.
    pub action: Action,
}

/// An account as an event names it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The SID in text form.
    pub sid: Option<String>,
    /// `DOMAIN\name` or `name`.
    pub name: Option<String>,
    /// The logon session, as a number.
    pub logon_id: Option<u64>,
}

/// The names by which an event refers to a service.
///
/// Events 7045, 7036, 7000, 7009, 7031 and 7034 give the display name; 4697 gives the key name; 7040's
/// fourth parameter and the Binary field of 7036, 7000 and 7009 give the key name as well (measured).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNames {
    /// The name of the key under Services.
    pub key: Option<String>,
    /// The display name.
    pub display: Option<String>,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// 7045, 4697: a service was installed.
    ServiceInstalled(ServiceInstall),
    /// 7040: a start type was changed.
    StartTypeChanged {
        /// Which service.
        service: ServiceNames,
        /// The old start type as logged (localised).
        old: String,
        /// The new start type as logged (localised).
        new: String,
        /// The new start type where the text is known.
        start: Option<Start>,
    },
    /// 7036: a service entered a state.
    StateChanged {
        /// Which service.
        service: ServiceNames,
        /// `SERVICE_STATUS.dwCurrentState`: 1 stopped, 4 running; from Binary, else from English text.
        state: Option<u32>,
    },
    /// 7000, 7009, 7011, 7022 to 7024, 7026, 7032: something did not start or did not answer.
    Failed {
        /// Which service; absent for 7026, which lists drivers in `error`.
        service: ServiceNames,
        /// The event id, which says how.
        event_id: u16,
        /// The error code or text as logged, for example `%%1053`.
        error: Option<String>,
    },
    /// 7038, 7041: a service could not log on with its account.
    LogonRefused {
        /// Which service.
        service: ServiceNames,
        /// The account as logged.
        account: Option<String>,
        /// 7038: the error as logged.
        error: Option<String>,
    },
    /// 7031, 7034: a service ended unexpectedly.
    Crashed {
        /// Which service.
        service: ServiceNames,
        /// How many times, as logged.
        count: Option<u32>,
        /// 7031: the `SC_ACTION_TYPE` that the service control manager takes (3 runs the failure command).
        recovery: Option<u32>,
        /// 7031: the delay before it, in milliseconds.
        delay_ms: Option<u32>,
    },
    /// 7030: a service is marked as interactive.
    MarkedInteractive {
        /// Which service.
        service: ServiceNames,
    },
    /// 104, 1102: a log was cleared.
    LogCleared {
        /// The channel that was cleared.
        channel: String,
        /// Who did it.
        subject: Subject,
    },
    /// 1100: the event logging service shut down.
    LoggingStopped,
    /// System 12, 4608: Windows started; no process is older.
    SystemStarted,
    /// 4688, Sysmon 1: a process was created.
    ProcessStarted(ProcessStart),
    /// 4689, Sysmon 5: a process ended.
    ProcessEnded {
        /// Its process id.
        process_id: Option<u32>,
        /// Its program.
        image: String,
    },
    /// Sysmon 10: a process opened lsass.exe, which keeps credentials.
    ProcessOpened {
        /// The process id of the opener.
        process_id: Option<u32>,
        /// The program of the opener.
        image: String,
        /// The program that was opened.
        target: String,
        /// The process rights that were granted, as logged.
        access: String,
    },
    /// 4657, Sysmon 12 to 14: a key or value was written.
    RegistryChanged(RegistryChange),
    /// 4656, 4663, 4674: a handle to a service, the service control manager or a service key was used.
    ObjectAccessed {
        /// `SERVICE OBJECT`, `SC_MANAGER OBJECT`, `Key`.
        object_type: String,
        /// The object's name.
        object: String,
        /// The service it is, where it is one.
        service: Option<String>,
        /// The access mask, as logged.
        access: String,
        /// The program that asked.
        image: Option<String>,
        /// Who asked.
        subject: Subject,
    },
    /// 4670: permissions of an object were changed.
    PermissionsChanged {
        /// The object's name.
        object: String,
        /// The service it is, where it is one.
        service: Option<String>,
        /// The new security descriptor in SDDL.
        new: String,
        /// The program that did it.
        image: Option<String>,
        /// Who did it.
        subject: Subject,
    },
    /// 4624, 4625, 4648, 4672: a logon.
    Logon(Logon),
    /// 5145: a share was accessed.
    ShareAccessed {
        /// The share, for example `\\*\IPC$`.
        share: String,
        /// The path below it, for example `svcctl`.
        target: String,
        /// The client's address.
        address: Option<String>,
        /// The rights asked for, as the access mask of a file; 0x2 and 0x4 write.
        access: Option<u32>,
        /// Who.
        subject: Subject,
    },
    /// 5156, Sysmon 3: a network connection.
    Connected(Connection),
    /// 5154, 5158: a port was opened to listen on, or bound.
    PortOpened(PortOpening),
    /// Sysmon 22: a name was looked up.
    DnsQueried {
        /// The process id.
        process_id: Option<u32>,
        /// The program.
        image: String,
        /// The name.
        query: String,
        /// The answers, as logged.
        answers: String,
    },
    /// Sysmon 6: a driver was loaded.
    DriverLoaded {
        /// The driver file.
        image: String,
        /// Hashes as logged.
        hashes: String,
        /// Whether Sysmon found it signed.
        signed: Option<bool>,
        /// The signer as logged.
        signature: Option<String>,
    },
    /// Sysmon 7: a module was loaded.
    ModuleLoaded {
        /// The process id.
        process_id: Option<u32>,
        /// The program.
        image: String,
        /// The module.
        module: String,
        /// Whether Sysmon found it signed.
        signed: Option<bool>,
    },
    /// Sysmon 11: a file was created or overwritten.
    FileCreated {
        /// The process id.
        process_id: Option<u32>,
        /// The program that wrote.
        image: String,
        /// The file.
        path: String,
    },
    /// Sysmon 17 (created) and 18 (connected): a named pipe.
    Pipe {
        /// Whether the pipe was created (17) rather than connected to (18).
        created: bool,
        /// The process id.
        process_id: Option<u32>,
        /// The program.
        image: String,
        /// The pipe's name with its leading backslash.
        name: String,
    },
    /// PowerShell 400, 800, 4103, 4104: a command or script ran.
    Script {
        /// Script block text, payload or command line.
        text: String,
        /// The host application's command line, where logged (400, 800).
        host_application: Option<String>,
        /// Script block id and (part, of how many) for 4104.
        block: Option<(String, u32, u32)>,
    },
}

impl Action {
    /// The process that acted, where the action is one of a process: its id and its program as logged.
    pub fn doer(&self) -> Option<(Option<u32>, &str)> {
        match self {
            Self::ProcessStarted(start) => Some((start.process_id, &start.image)),
            Self::Connected(connection) => Some((connection.process_id, &connection.image)),
            Self::PortOpened(opening) => Some((opening.process_id, &opening.image)),
            Self::RegistryChanged(change) => Some((change.process_id, &change.image)),
            Self::ProcessEnded { process_id, image }
            | Self::DnsQueried { process_id, image, .. }
            | Self::ModuleLoaded { process_id, image, .. }
            | Self::ProcessOpened { process_id, image, .. }
            | Self::FileCreated { process_id, image, .. }
            | Self::Pipe { process_id, image, .. } => Some((*process_id, image)),
            _ => None,
        }
    }
}

/// 7045 or 4697.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceInstall {
    /// 7045 fills `display`, 4697 fills `key`.
    pub service: ServiceNames,
    /// The command as logged.
    pub image_path: String,
    /// The type, where it is a number (4697) or known English text (7045).
    pub service_type: Option<u32>,
    /// The start type, where it is a number (4697) or known English text (7045).
    pub start: Option<Start>,
    /// The account the service runs as; empty for drivers in 7045.
    pub account: String,
    /// 4697: who installed it. 7045 has only [`Event::user_sid`].
    pub subject: Subject,
    /// 4697 of newer builds: process id of the client; 0 means it came over the network or by RPC alone.
    pub client_process_id: Option<u32>,
    /// 4697 of newer builds: process id of the client's parent.
    pub parent_process_id: Option<u32>,
}

/// 4688 or Sysmon 1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProcessStart {
    /// The new process id.
    pub process_id: Option<u32>,
    /// The program, as logged.
    pub image: String,
    /// The command line, where logged.
    pub command_line: Option<String>,
    /// The creator's process id.
    pub parent_process_id: Option<u32>,
    /// The creator's program; absent in 4688 of Windows 8.1 and before.
    pub parent_image: Option<String>,
    /// The account it runs as (Sysmon) or the creator's (4688).
    pub subject: Subject,
    /// Hashes as logged (Sysmon).
    pub hashes: Option<String>,
    /// The original file name from the version resource (Sysmon).
    pub original_file_name: Option<String>,
}

/// What was done to a key or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RegistryOperation {
    /// A key was created.
    KeyCreated,
    /// A key was deleted.
    KeyDeleted,
    /// A value was set.
    ValueSet,
    /// A value was deleted.
    ValueDeleted,
    /// A key or value was renamed.
    Renamed,
}

/// 4657 or Sysmon 12 to 14.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryChange {
    /// What was done.
    pub operation: RegistryOperation,
    /// The service whose key it is, where the path goes through `Services`.
    pub service: Option<String>,
    /// The path below the service key, with the value's name last: `Parameters\ServiceDll`, `Start`; the
    /// whole path where it is no service key.
    pub target: String,
    /// The old data (4657).
    pub old: Option<String>,
    /// The new data; `%%NAME%%` collapsed to `%NAME%`.
    pub new: Option<String>,
    /// The program that wrote.
    pub image: String,
    /// Its process id.
    pub process_id: Option<u32>,
    /// Who wrote.
    pub subject: Subject,
}

/// How a logon event came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogonKind {
    /// 4624.
    Success,
    /// 4625.
    Failure,
    /// 4648: with explicit credentials.
    Explicit,
    /// 4672: special privileges were assigned.
    Privileged,
}

/// 4624, 4625, 4648, 4672.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logon {
    /// Which of them.
    pub kind: LogonKind,
    /// The account that logged on, with the new session's id.
    pub account: Subject,
    /// Logon type: 2 interactive, 3 network, 4 batch, 5 service, 7 unlock, 10 remote interactive.
    pub logon_type: Option<u32>,
    /// The source address as logged; absent for `-`.
    pub address: Option<String>,
    /// The source workstation as logged; absent for `-`.
    pub workstation: Option<String>,
    /// The authentication package or logon process.
    pub package: Option<String>,
    /// The program that asked for it.
    pub image: Option<String>,
    /// 4648: the server at which the credentials were used; absent for this host itself.
    pub server: Option<String>,
}

/// 5156 or Sysmon 3.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Connection {
    /// The process id.
    pub process_id: Option<u32>,
    /// The program; 5156 writes device paths (`\device\harddiskvolume2\…`).
    pub image: String,
    /// Whether this host opened it; absent where the log does not say.
    pub outbound: Option<bool>,
    /// `tcp`, `udp` or a protocol number.
    pub protocol: String,
    /// The local address.
    pub source: String,
    /// The local port.
    pub source_port: Option<u16>,
    /// The remote address.
    pub destination: String,
    /// The remote port.
    pub destination_port: Option<u16>,
    /// The remote name, where logged (Sysmon).
    pub destination_name: Option<String>,
}

/// 5154 or 5158.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PortOpening {
    /// The process id.
    pub process_id: Option<u32>,
    /// The program, as a device path (`\device\harddiskvolume2\…`).
    pub image: String,
    /// `tcp`, `udp` or a protocol number.
    pub protocol: String,
    /// The local address; `0.0.0.0` and `::` mean all of them.
    pub address: String,
    /// The local port.
    pub port: u16,
    /// Whether it listens (5154) rather than only being bound (5158).
    pub listening: bool,
}
