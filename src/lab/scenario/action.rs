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
        /// The protocol of a network logon; NTLM if absent.
        #[serde(default)]
        protocol: Protocol,
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
    /// A service is stopped; servers log it (7036).
    StopService {
        /// Key name.
        service: String,
        /// Who.
        by: Option<String>,
        /// The command that did it; none if absent.
        command: Option<String>,
    },
    /// The configuration of a service is changed through the service control manager (`sc config`): neither 7045 nor 4697, and
    /// 7040 only for a new start type.
    ChangeService(Change),
    /// A file is written (Sysmon 11).
    DropFile(Drop),
    /// A service becomes a member of a svchost group in SOFTWARE, behind the members that the group has.
    JoinGroup {
        /// The group.
        group: String,
        /// Key name.
        service: String,
        /// Who; absent for what the image of Windows lists already.
        by: Option<String>,
        /// The command that did it.
        command: Option<String>,
    },
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
        /// Full path of another program than `reg.exe`, which writes all values by one command.
        program: Option<String>,
    },
    /// One value is set, directly in the registry.
    SetValue {
        /// Key path below the control set, or below `SOFTWARE\`.
        key: String,
        /// The value.
        value: ValueSpec,
        /// Who; the system if absent.
        by: Option<String>,
        /// The command; without one, a program writes that runs already.
        command: Option<String>,
        /// Full path of the program, if it is not `reg.exe`.
        program: Option<String>,
    },
    /// One value is deleted, directly in the registry.
    DeleteValue {
        /// Key path below the control set.
        key: String,
        /// The name of the value.
        name: String,
        /// Who.
        by: String,
        /// The command.
        command: String,
    },
    /// A key is deleted with all below it, directly in the registry.
    DeleteKey {
        /// Key path below the control set.
        key: String,
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
    /// The path that was given, which events repeat, where the service control manager stores it with `\??\`.
    pub given_path: Option<String>,
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
    /// Whether a remote install goes on in the logon that its account has.
    #[serde(default)]
    pub same_session: bool,
}

/// A change of a service's configuration through the service control manager. What is absent stays as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Change {
    /// Key name.
    pub service: String,
    /// Another kind.
    pub kind: Option<ServiceKind>,
    /// Another start type.
    pub start: Option<StartMode>,
    /// Another reaction to a failed start.
    pub error_control: Option<u32>,
    /// Another command line.
    pub image_path: Option<String>,
    /// Another display name.
    pub display_name: Option<String>,
    /// Another account.
    pub account: Option<String>,
    /// Another description.
    pub description: Option<String>,
    /// Who.
    pub by: String,
    /// The command that did it (local changes).
    pub command: Option<String>,
    /// Full path of the program; `sc.exe` if absent.
    pub program: Option<String>,
    /// The address it was done from (remote changes).
    pub from: Option<String>,
    /// Whether a remote change goes on in the logon that its account has.
    #[serde(default)]
    pub same_session: bool,
}

/// A file that is written, here or through a share.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Drop {
    /// Its full path.
    pub path: String,
    /// Who; the system if absent.
    pub by: Option<String>,
    /// Full path of the program that writes it; `cmd.exe` if absent.
    pub program: Option<String>,
    /// The address it comes from over `ADMIN$` or a share of a drive; the kernel writes it then.
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
    /// Kernel driver, or driver of a file system.
    #[serde(default = "kernel")]
    pub kind: ServiceKind,
    /// Start type.
    #[serde(default)]
    pub start: StartMode,
    /// 0 ignore, 1 normal, 2 severe, 3 critical.
    #[serde(default = "one")]
    pub error_control: u32,
    /// `oem12.inf`.
    pub inf: String,
    /// Load order group.
    pub group: Option<String>,
    /// The altitude of a filter of file systems.
    pub altitude: Option<String>,
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
    /// 0 ignore, 1 normal.
    #[serde(default)]
    pub error_control: u32,
    /// Whether a 32-bit program of Windows created it; clients that speak the protocol themselves leave no mark.
    #[serde(default = "yes")]
    pub wow64: bool,
    /// Whether the service stays.
    #[serde(default)]
    pub keep: bool,
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
    /// The SHA-256 of the driver that is loaded; made up from its path if absent.
    pub hash: Option<String>,
    /// The program that ran instead of the one meant, where words without quotes led elsewhere.
    pub ran: Option<String>,
    /// A named pipe that its process creates, without its backslash.
    pub pipe: Option<String>,
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
    /// Its program ended at once without speaking to the service control manager (the same events, without the wait).
    Ended,
    /// There is no such file (7000 with 2).
    FileMissing,
    /// Access was denied (7000 with 5).
    AccessDenied,
    /// Windows does not load a driver with such a signature (7000 with 577).
    BadSignature,
    /// svchost did not find the service DLL (7023 with 126).
    ModuleMissing,
}

/// The protocol of a logon.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protocol {
    /// NTLM.
    #[default]
    Ntlm,
    /// Kerberos.
    Kerberos,
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
    /// Whether they follow an ordinary end with an error as well (`sc failureflag`).
    #[serde(default)]
    pub on_exit: bool,
    /// Who.
    pub by: String,
    /// The command line that did it; made up from the options if absent.
    pub with: Option<String>,
    /// Whether a setup asks for it that runs already, without a command of its own.
    #[serde(default)]
    pub by_setup: bool,
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
    /// A driver of a file system, or a filter of one (0x2).
    FileSystem,
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

fn yes() -> bool {
    true
}

fn kernel() -> ServiceKind {
    ServiceKind::Kernel
}

impl Install {
    /// A service as `sc create NAME binPath= PATH` makes it, by the system.
    pub fn new(service: &str, image_path: &str) -> Install {
        Install {
            service: service.to_owned(),
            display_name: None,
            description: None,
            image_path: image_path.to_owned(),
            given_path: None,
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
            same_session: false,
        }
    }
}

impl Start {
    /// An ordinary start.
    pub fn new(service: &str) -> Start {
        Start {
            service: service.to_owned(),
            outcome: Outcome::Running,
            children: Vec::new(),
            connections: Vec::new(),
            signature: None,
            hash: None,
            ran: None,
            pipe: None,
        }
    }
}

impl ServiceKind {
    /// The `Type` value.
    pub fn value(self) -> u32 {
        match self {
            ServiceKind::Kernel => 0x1,
            ServiceKind::FileSystem => 0x2,
            ServiceKind::Own => 0x10,
            ServiceKind::Share => 0x20,
            ServiceKind::OwnInteractive => 0x110,
        }
    }

    /// Whether it is a driver.
    pub fn is_driver(self) -> bool {
        matches!(self, ServiceKind::Kernel | ServiceKind::FileSystem)
    }

    /// As event 7045 says it in English.
    pub fn text(self) -> &'static str {
        match self {
            ServiceKind::Kernel => "kernel mode driver",
            ServiceKind::FileSystem => "file system driver",
            ServiceKind::Own | ServiceKind::Share | ServiceKind::OwnInteractive => {
                "user mode service"
            }
        }
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
