//! What a key under Services says: every value kept, the known ones decoded.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::citation::{Citation, Provenance};

/// Where a configuration stands relative to now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Epoch {
    /// The current control set (`Select\Current`) of the current SYSTEM hive.
    Current,
    /// Another control set of the current hive.
    ControlSet(u32),
    /// A hive that is not the current one: `RegBack`, `Windows.old`, a shadow copy; with its label.
    History(String),
    /// A key recovered from free space of the current hive.
    Deleted(Confidence),
}

impl Epoch {
    /// The words of reports: `ControlSet002`, `RegBack/SYSTEM`, `deleted key`.
    pub fn label(&self) -> String {
        match self {
            Self::Current => "current".to_owned(),
            Self::ControlSet(number) => control_set(*number),
            Self::History(label) => label.clone(),
            Self::Deleted(_) => "deleted key".to_owned(),
        }
    }

    /// How far a recovered key can be trusted.
    pub const fn confidence(&self) -> Option<Confidence> {
        match self {
            Self::Deleted(confidence) => Some(*confidence),
            Self::Current | Self::ControlSet(_) | Self::History(_) => None,
        }
    }

    /// Whether it is an earlier state to be compared with the current one. Deleted keys are none: nothing
    /// says when they held, nor that they were the same service.
    pub const fn is_earlier_state(&self) -> bool {
        matches!(self, Self::ControlSet(_) | Self::History(_))
    }
}

/// The name of a control set's key.
pub fn control_set(number: u32) -> String {
    format!("ControlSet{number:03}")
}

/// How far a recovered key can be trusted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// The key, its parents and its values are consistent.
    High,
    /// The key is consistent; some values or parents are not.
    Medium,
    /// Only the key's own header is.
    Low,
}

/// `Type`: a bit field (winnt.h, `SERVICE_*`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ServiceType(pub u32);

impl ServiceType {
    /// Kernel (1), file system (2), adapter (4) or recognizer (8) driver.
    pub fn is_driver(self) -> bool {
        self.0 & 0x0f != 0 && self.0 & 0x30 == 0
    }

    /// A process of its own (0x10) or shared (0x20).
    pub fn is_win32(self) -> bool {
        self.0 & 0x30 != 0
    }

    /// 0x100: may interact with the desktop.
    pub fn is_interactive(self) -> bool {
        self.0 & 0x100 != 0
    }

    /// 0x40 without 0x80: the template of a per-user service.
    pub fn is_user_template(self) -> bool {
        self.0 & 0xc0 == 0x40
    }

    /// Template or instance of a per-user service.
    pub fn is_per_user(self) -> bool {
        self.0 & 0xc0 != 0
    }

    /// 0x80: the instance of a per-user service, named `Template_<hex>`.
    pub fn is_user_instance(self) -> bool {
        self.0 & 0x80 != 0
    }
}

impl fmt::Display for ServiceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const BITS: [(u32, &str); 9] = [
            (0x1, "kernel driver"),
            (0x2, "file system driver"),
            (0x4, "adapter"),
            (0x8, "recognizer driver"),
            (0x10, "own process"),
            (0x20, "shared process"),
            (0x40, "user service"),
            (0x80, "user instance"),
            (0x100, "interactive"),
        ];
        let mut rest = self.0;
        let mut names = Vec::new();
        for (bit, name) in BITS {
            if self.0 & bit != 0 {
                names.push(name.to_owned());
                rest &= !bit;
            }
        }
        if rest != 0 || names.is_empty() {
            names.push(format!("0x{rest:x}"));
        }
        write!(f, "{}", names.join(", "))
    }
}

/// `Start`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Start {
    /// 0: by the boot loader.
    Boot,
    /// 1: during kernel initialisation.
    System,
    /// 2: by the service control manager at boot.
    Auto,
    /// 3: on demand.
    Demand,
    /// 4: never.
    Disabled,
    /// Anything else, as found.
    Other(u32),
}

impl From<u32> for Start {
    fn from(value: u32) -> Self {
        match value {
            0 => Self::Boot,
            1 => Self::System,
            2 => Self::Auto,
            3 => Self::Demand,
            4 => Self::Disabled,
            other => Self::Other(other),
        }
    }
}

impl Start {
    /// Whether Windows starts it by itself at boot.
    pub fn is_automatic(self) -> bool {
        matches!(self, Self::Boot | Self::System | Self::Auto)
    }
}

impl fmt::Display for Start {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Boot => write!(f, "boot"),
            Self::System => write!(f, "system"),
            Self::Auto => write!(f, "auto"),
            Self::Demand => write!(f, "demand"),
            Self::Disabled => write!(f, "disabled"),
            Self::Other(other) => write!(f, "unknown start {other}"),
        }
    }
}

/// The data of a value, by its registry type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Data {
    /// `REG_DWORD`, `REG_DWORD_BIG_ENDIAN`, `REG_QWORD`.
    Number(u64),
    /// `REG_SZ`, `REG_EXPAND_SZ`, `REG_LINK`.
    Text(String),
    /// `REG_MULTI_SZ`.
    Texts(Vec<String>),
    /// Everything else, and data whose size does not fit its type.
    Bytes(Vec<u8>),
}

/// One value as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawValue {
    /// Its name below the service key: `Start`, `Parameters\ServiceDll`; empty for the default value.
    pub name: String,
    /// The registry type number: 1 `REG_SZ`, 2 `REG_EXPAND_SZ`, 3 `REG_BINARY`, 4 `REG_DWORD`, …
    pub kind: u32,
    /// Its data.
    pub data: Data,
    /// Offset of its cell in the hive file after replay, in bytes.
    pub offset: u64,
    /// Whether it stands only in a transaction log.
    pub provenance: Provenance,
}

/// `FailureActions`: `SERVICE_FAILURE_ACTIONS_WOW64` of MS-SCMR 2.2.37, actions at offset 20.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureActions {
    /// Seconds without failure after which the count is reset; `u32::MAX` is never.
    pub reset_period: u32,
    /// The actions in order of failures.
    pub actions: Vec<FailureAction>,
}

/// One `SC_ACTION`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureAction {
    /// 0 none, 1 restart the service, 2 reboot, 3 run the failure command, 4 (undocumented) own restart.
    pub kind: u32,
    /// Milliseconds before it is taken.
    pub delay_ms: u32,
}

impl FailureActions {
    /// Whether any action runs the failure command (`SC_ACTION_RUN_COMMAND`, 3): without one the command is
    /// inert.
    pub fn runs_command(&self) -> bool {
        self.actions.iter().any(|action| action.kind == 3)
    }
}

/// One sub-key of `TriggerInfo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// `SERVICE_TRIGGER_TYPE_*`: 1 device, 2 IP address, 3 domain, 4 firewall port, 5 group policy,
    /// 6 network endpoint, 7 custom system state, 20 ETW, 30 aggregate.
    pub kind: u32,
    /// 1 start, 2 stop.
    pub action: u32,
    /// The sub-type GUID in text form.
    pub guid: Option<String>,
    /// Data items, text where they are text, else hex.
    pub data: Vec<String>,
}

/// The access rules of a service or of its key, from a self-relative security descriptor.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRules {
    /// The whole descriptor in SDDL.
    pub sddl: String,
    /// The owner's SID.
    pub owner: Option<String>,
    /// Whether the DACL is null or absent, which lets everybody in.
    pub null_dacl: bool,
    /// The entries of the DACL in order.
    pub entries: Vec<AccessRule>,
}

/// One entry of a DACL.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessRule {
    /// Whether it allows (else it denies).
    pub allow: bool,
    /// Whose rights.
    pub sid: String,
    /// The access mask.
    pub mask: u32,
    /// Whether it is inherit-only and so not about this object.
    pub inherit_only: bool,
}

/// A DLL or program that Windows loads because of a value below a service key other than `ImagePath`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadPoint {
    /// The value below the service key: `Performance\Library`, `NetworkProvider\ProviderPath`, …
    pub value: String,
    /// What it names.
    pub path: String,
    /// The value's place.
    pub citation: Citation,
}

/// The real target behind a wrapper such as nssm or srvany.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WrapperTarget {
    /// `Parameters\Application`.
    pub application: String,
    /// `Parameters\AppParameters`.
    pub parameters: Option<String>,
    /// `Parameters\AppDirectory`.
    pub directory: Option<String>,
    /// `Parameters\AppEnvironment` and `AppEnvironmentExtra`.
    pub environment: Vec<String>,
}

/// How the order of the values in the key says the service came about (measured on six hives: Windows keeps
/// the order in which values were first written).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueOrder {
    /// `Type, Start, ErrorControl, ImagePath, …`: by `CreateService` at run time.
    CreateService,
    /// Alphabetical: laid down with the Windows image or by servicing.
    Alphabetical,
    /// `ImagePath, Type, Start, ErrorControl` or `Start, Type, ErrorControl, ImagePath`: by an INF.
    Inf,
    /// Too few values to tell.
    TooFew,
    /// None of these: written value by value.
    Other,
}

/// One key under Services that has a `Type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceConfig {
    /// The key's name, which is the service's name.
    pub name: String,
    /// When this configuration held.
    pub epoch: Epoch,
    /// The key.
    pub citation: Citation,
    /// The key's last-write time. Not its creation: feature updates rewrite every key.
    pub last_write: Option<Timestamp>,
    /// Last-write time of the `Parameters` sub-key.
    pub parameters_last_write: Option<Timestamp>,
    /// Every value of the key in on-disk order, then those of its sub-keys.
    pub values: Vec<RawValue>,
    /// What the order of the values says.
    pub value_order: ValueOrder,
    /// `Type`.
    pub service_type: Option<ServiceType>,
    /// `Start`.
    pub start: Option<Start>,
    /// `ErrorControl`: 0 ignore, 1 normal, 2 severe, 3 critical.
    pub error_control: Option<u32>,
    /// `ImagePath` as stored.
    pub image_path: Option<String>,
    /// `ObjectName` as stored.
    pub object_name: Option<String>,
    /// `DisplayName` as stored (may be an indirect string `@file,-id`).
    pub display_name: Option<String>,
    /// `Description` as stored.
    pub description: Option<String>,
    /// `Group`: the load order group.
    pub group: Option<String>,
    /// `Tag`: order within the group.
    pub tag: Option<u32>,
    /// `DependOnService`.
    pub depend_on_service: Vec<String>,
    /// `DependOnGroup`.
    pub depend_on_group: Vec<String>,
    /// `DelayedAutostart`.
    pub delayed_auto_start: Option<bool>,
    /// `ServiceSidType`: 0 none, 1 unrestricted, 3 restricted.
    pub service_sid_type: Option<u32>,
    /// `RequiredPrivileges`; `None` where the value is absent.
    pub required_privileges: Option<Vec<String>>,
    /// `LaunchProtected`: 0 none, 1 Windows, 2 Windows light, 3 antimalware light.
    pub launch_protected: Option<u32>,
    /// `FailureActions`.
    pub failure_actions: Option<FailureActions>,
    /// `FailureCommand`.
    pub failure_command: Option<String>,
    /// `RebootMessage`.
    pub reboot_message: Option<String>,
    /// `FailureActionsOnNonCrashFailures`.
    pub failure_actions_on_non_crash: Option<bool>,
    /// `PreshutdownTimeout`, milliseconds.
    pub preshutdown_timeout_ms: Option<u32>,
    /// `WOW64`: 0x14c where a 32-bit program created it.
    pub wow64: Option<u32>,
    /// `Owners`: INF files that installed it.
    pub owners: Vec<String>,
    /// `DriverPackageId`.
    pub driver_package_id: Option<String>,
    /// `DeleteFlag`: 1 while a deletion is pending.
    pub delete_flag: Option<u32>,
    /// `UserServiceFlags`.
    pub user_service_flags: Option<u32>,
    /// `SvcHostSplitDisable`.
    pub svc_host_split_disable: Option<u32>,
    /// `TriggerInfo`.
    pub triggers: Vec<Trigger>,
    /// `Security\Security`: who may control the service.
    pub security: Option<AccessRules>,
    /// The key's own security descriptor: who may rewrite the configuration.
    pub key_security: Option<AccessRules>,
    /// `Parameters\ServiceDll`, else `ServiceDll` in the key itself (value name says which).
    pub service_dll: Option<(String, String)>,
    /// `ServiceMain`.
    pub service_main: Option<String>,
    /// The target behind a wrapper.
    pub wrapper: Option<WrapperTarget>,
    /// Other values that make Windows load a file.
    pub load_points: Vec<LoadPoint>,
}

impl ServiceConfig {
    /// An empty configuration: what a key without values decodes to.
    pub fn new(name: impl Into<String>, epoch: Epoch, citation: Citation) -> Self {
        Self {
            name: name.into(),
            epoch,
            citation,
            last_write: None,
            parameters_last_write: None,
            values: Vec::new(),
            value_order: ValueOrder::TooFew,
            service_type: None,
            start: None,
            error_control: None,
            image_path: None,
            object_name: None,
            display_name: None,
            description: None,
            group: None,
            tag: None,
            depend_on_service: Vec::new(),
            depend_on_group: Vec::new(),
            delayed_auto_start: None,
            service_sid_type: None,
            required_privileges: None,
            launch_protected: None,
            failure_actions: None,
            failure_command: None,
            reboot_message: None,
            failure_actions_on_non_crash: None,
            preshutdown_timeout_ms: None,
            wow64: None,
            owners: Vec::new(),
            driver_package_id: None,
            delete_flag: None,
            user_service_flags: None,
            svc_host_split_disable: None,
            triggers: Vec::new(),
            security: None,
            key_security: None,
            service_dll: None,
            service_main: None,
            wrapper: None,
            load_points: Vec::new(),
        }
    }

    /// The value of that name (below the key, `\` between components), without case.
    pub fn value(&self, name: &str) -> Option<&RawValue> {
        self.values.iter().find(|value| crate::text::same_name(&value.name, name))
    }

    /// A citation of that value, or of the key where the value is absent.
    pub fn cite(&self, value: &str) -> Citation {
        match self.value(value) {
            Some(raw) => self.citation.value(&raw.name, raw.offset, raw.provenance),
            None => self.citation.clone(),
        }
    }

    /// Whether the failure command would ever run: a command, and an action that runs it.
    pub fn failure_command_is_armed(&self) -> bool {
        self.failure_command.as_deref().is_some_and(|command| !command.trim().is_empty())
            && self.failure_actions.as_ref().is_some_and(FailureActions::runs_command)
    }
}
