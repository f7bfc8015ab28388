//! The actions a scenario is made of. Each leaves hive and log traces the way Windows does.

use serde::Deserialize;

/// Something that happens on the host.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Action {
    /// Somebody logs on.
    Logon {
        /// Who.
        user: String,
        /// Logon type: 2 at the console, 3 over the network, 10 remote desktop.
        kind: u32,
        /// Source address, for types 3 and 10.
        from: Option<String>,
    },
    /// A service logs on as the system, which happens all day.
    ServiceLogon {},
    /// Somebody runs a program.
    Process {
        /// Who.
        user: String,
        /// Full path of the program.
        image: String,
        /// Command line.
        command: String,
        /// Full path of the parent.
        parent: Option<String>,
    },
    /// Somebody runs a PowerShell script from a command line.
    PowerShell {
        /// Who.
        user: String,
        /// The script block.
        script: String,
        /// The command line; `powershell.exe` alone if absent.
        command: Option<String>,
    },
    /// A service ends unexpectedly, and its recovery action follows.
    Crash {
        /// Key name.
        service: String,
        /// How often it has happened; chooses the recovery action.
        times: u32,
    },
    /// A service is created through the service control manager.
    InstallService(Install),
    /// A driver is installed from an INF file by the system.
    InstallDriver(Driver),
    /// A tool of the `PsExec` kind installs a service over the network, runs a command, and removes the service.
    RemoteExecution(RemoteExecution),
    /// A service is started.
    StartService(Start),
    /// A service key is written without the service control manager, value by value.
    WriteService {
        /// Key name.
        service: String,
        /// The values in the order in which they are written.
        values: Vec<ValueSpec>,
        /// Who.
        by: String,
        /// The command of the first write; `reg.exe` writes each value with a command of its own.
        command: String,
    },
    /// One value is set, directly in the registry.
    SetValue {
        /// Key path below the control set, or below `SOFTWARE\`.
        key: String,
        /// The value.
        value: ValueSpec,
        /// Who.
        by: String,
        /// The command.
        command: String,
    },
    /// The recovery options of a service are changed through the service control manager.
    SetRecovery(Recovery),
    /// The start type of a service is changed through the service control manager (7040).
    SetStart {
        /// Key name.
        service: String,
        /// The new start type.
        start: StartMode,
        /// Who; the system if absent.
        by: Option<String>,
    },
    /// The rights on a service are changed (`sc sdset`).
    SetSecurity {
        /// Key name.
        service: String,
        /// The security descriptor as SDDL; without an owner, the system's.
        sddl: String,
        /// Who.
        by: String,
    },
    /// A service is deleted through the service control manager.
    DeleteService {
        /// Key name.
        service: String,
        /// Who, with `sc.exe`; a program of the system's if absent.
        by: Option<String>,
    },
    /// An event log is cleared.
    ClearLog {
        /// `System` or `Security`.
        channel: String,
        /// Who.
        by: String,
    },
    /// The host shuts down and boots again.
    Restart {},
    /// The hives are written completely; what happens later stands in the transaction logs only.
    FlushHives {},
}

/// A service created through the service control manager.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Install {
    /// Key name.
    pub service: String,
    /// Display name; the key name if absent.
    pub display_name: Option<String>,
    /// Description; `CreateService` sets none.
    pub description: Option<String>,
    /// The command line of the service.
    pub image_path: String,
    /// Program of its own, shared, or driver.
    #[serde(default)]
    pub kind: ServiceKind,
    /// Start type.
    #[serde(default)]
    pub start: StartMode,
    /// `LocalSystem`, or an account.
    #[serde(default = "local_system")]
    pub account: String,
    /// 0 ignore, 1 normal (`sc create`).
    #[serde(default = "one")]
    pub error_control: u32,
    /// Load order group.
    pub group: Option<String>,
    /// Services it needs.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// Whether a 32-bit program created it.
    #[serde(default)]
    pub wow64: bool,
    /// Whether automatic start is delayed.
    #[serde(default)]
    pub delayed: bool,
    /// Values that the installer writes under `Parameters` afterwards.
    #[serde(default)]
    pub parameters: Vec<ValueSpec>,
    /// Who; the system if absent.
    pub by: Option<String>,
    /// The command that did it (local installs), with its program.
    pub command: Option<String>,
    /// Full path of the installing program; `sc.exe` if absent.
    pub program: Option<String>,
    /// The address it was done from (remote installs).
    pub from: Option<String>,
}

/// A driver installed from an INF file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Driver {
    /// Key name.
    pub service: String,
    /// Display name.
    pub display_name: String,
    /// Path of the driver.
    pub image_path: String,
    /// Start type.
    #[serde(default)]
    pub start: StartMode,
    /// `oem12.inf`.
    pub inf: String,
    /// Load order group.
    pub group: Option<String>,
}

/// Remote execution by a service that comes and goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RemoteExecution {
    /// Key name.
    pub service: String,
    /// Display name; the key name if absent.
    pub display_name: Option<String>,
    /// The program as it is registered.
    pub image_path: String,
    /// The program file copied to `ADMIN$`.
    pub file: String,
    /// A named pipe of the service, without its backslash.
    pub pipe: Option<String>,
    /// What the service runs.
    pub command: String,
    /// Who.
    pub by: String,
    /// The address it was done from.
    pub from: String,
}

/// A start of a service.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Start {
    /// Key name.
    pub service: String,
    /// What became of it.
    #[serde(default)]
    pub outcome: Outcome,
    /// Commands its process runs.
    #[serde(default)]
    pub children: Vec<String>,
    /// Connections its process makes.
    #[serde(default)]
    pub connections: Vec<Connection>,
    /// Who signed it, for drivers.
    pub signature: Option<String>,
}

/// What became of a start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It runs.
    #[default]
    Running,
    /// Its program ran but never spoke to the service control manager (7009 and 7000 with 1053).
    TimedOut,
}

/// An outbound connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Destination address.
    pub to: String,
    /// Destination port.
    pub port: u16,
    /// The name that was looked up first.
    pub host: Option<String>,
}

/// Recovery options.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Recovery {
    /// Key name.
    pub service: String,
    /// Seconds after which the failure count is reset.
    pub reset: u32,
    /// Type (0 none, 1 restart, 2 reboot, 3 run command) and delay in milliseconds of each action.
    pub actions: Vec<(u32, u32)>,
    /// The command to run.
    pub command: Option<String>,
    /// Who.
    pub by: String,
    /// The command line that did it; made up from the options if absent.
    pub with: Option<String>,
}

/// A registry value as it is written in a scenario.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueSpec {
    /// Name.
    pub name: String,
    /// Type.
    #[serde(rename = "type", default)]
    pub kind: DataType,
    /// Data: a number in decimal, bytes in hexadecimal, strings of a list separated by `;`.
    pub data: String,
}

/// Registry types of scenarios.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DataType {
    /// `REG_SZ`.
    #[default]
    Sz,
    /// `REG_EXPAND_SZ`.
    ExpandSz,
    /// `REG_MULTI_SZ`.
    MultiSz,
    /// `REG_DWORD`.
    Dword,
    /// `REG_BINARY`.
    Binary,
}

/// What kind of service.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ServiceKind {
    /// A process of its own (0x10).
    #[default]
    Own,
    /// A process shared with others (0x20).
    Share,
    /// A process of its own that may interact with the desktop (0x110).
    OwnInteractive,
    /// A kernel driver (0x1).
    Kernel,
}

/// Start types.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StartMode {
    /// 0.
    Boot,
    /// 1.
    System,
    /// 2.
    Auto,
    /// 3.
    #[default]
    Demand,
    /// 4.
    Disabled,
}

fn local_system() -> String {
    "LocalSystem".to_owned()
}

fn one() -> u32 {
    1
}

impl Install {
    /// A service as `sc create NAME binPath= PATH` makes it, by the system.
    pub fn new(service: &str, image_path: &str) -> Install {
        Install {
            service: service.to_owned(),
            display_name: None,
            description: None,
            image_path: image_path.to_owned(),
            kind: ServiceKind::default(),
            start: StartMode::default(),
            account: local_system(),
            error_control: one(),
            group: None,
            depends_on: Vec::new(),
            wow64: false,
            delayed: false,
            parameters: Vec::new(),
            by: None,
            command: None,
            program: None,
            from: None,
        }
    }
}

impl ServiceKind {
    /// The `Type` value.
    pub fn value(self) -> u32 {
        match self {
            ServiceKind::Kernel => 0x1,
            ServiceKind::Own => 0x10,
            ServiceKind::Share => 0x20,
            ServiceKind::OwnInteractive => 0x110,
        }
    }

    /// As event 7045 says it in English.
    pub fn text(self) -> &'static str {
        if self == ServiceKind::Kernel { "kernel mode driver" } else { "user mode service" }
    }
}

impl StartMode {
    /// The `Start` value.
    pub fn value(self) -> u32 {
        match self {
            StartMode::Boot => 0,
            StartMode::System => 1,
            StartMode::Auto => 2,
            StartMode::Demand => 3,
            StartMode::Disabled => 4,
        }
    }

    /// The mode of a `Start` value.
    pub fn from_value(value: u32) -> StartMode {
        match value {
            0 => StartMode::Boot,
            1 => StartMode::System,
            2 => StartMode::Auto,
            4 => StartMode::Disabled,
            _ => StartMode::Demand,
        }
    }

    /// As events 7040 and 7045 say it in English.
    pub fn text(self) -> &'static str {
        match self {
            StartMode::Boot => "boot start",
            StartMode::System => "system start",
            StartMode::Auto => "auto start",
            StartMode::Demand => "demand start",
            StartMode::Disabled => "disabled",
        }
    }
}
