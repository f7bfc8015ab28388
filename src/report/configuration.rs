//! A service key in the report: every value as stored, and what it decodes to.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::host::config::{
    AccessRules, Data, FailureActions, RawValue, ServiceConfig, Start, Trigger, ValueOrder,
    WrapperTarget,
};
use crate::host::{Citation, Provenance};
use crate::text;

/// All that a service key says beyond the fields of the service itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Configuration {
    /// The key.
    pub citation: Citation,
    /// Last-write time of the `Parameters` sub-key.
    pub parameters_last_write: Option<Stamp>,
    /// What the order of the values says about the key's origin.
    pub value_order: ValueOrder,
    /// `Description` as stored.
    pub description: Option<String>,
    /// `ErrorControl` in words.
    pub error_control: Option<String>,
    /// `ErrorControl` as stored.
    pub error_control_value: Option<u32>,
    /// The load order group.
    pub group: Option<String>,
    /// Order within the group.
    pub tag: Option<u32>,
    /// Services that must run first.
    pub depend_on_service: Vec<String>,
    /// Groups that must run first.
    pub depend_on_group: Vec<String>,
    /// `DelayedAutostart`.
    pub delayed_auto_start: Option<bool>,
    /// `ServiceSidType` in words.
    pub service_sid_type: Option<String>,
    /// `RequiredPrivileges`; null where the value is absent, which means all the account has.
    pub required_privileges: Option<Vec<String>>,
    /// `LaunchProtected` in words.
    pub launch_protected: Option<String>,
    /// `PreshutdownTimeout` in milliseconds.
    pub preshutdown_timeout_ms: Option<u32>,
    /// `WOW64` as stored; 332 (0x14c) where a 32-bit program created the service.
    pub wow64: Option<u32>,
    /// INF files that installed it.
    pub owners: Vec<String>,
    /// `DriverPackageId`.
    pub driver_package_id: Option<String>,
    /// 1 while a deletion is pending.
    pub delete_flag: Option<u32>,
    /// `UserServiceFlags`.
    pub user_service_flags: Option<u32>,
    /// `SvcHostSplitDisable`.
    pub svc_host_split_disable: Option<u32>,
    /// `ServiceMain`.
    pub service_main: Option<String>,
    /// `TriggerInfo`.
    pub triggers: Vec<Trigger>,
    /// Who may control the service.
    pub security: Option<AccessRules>,
    /// Who may rewrite the key; its `owner` is the key's owner.
    pub key_security: Option<AccessRules>,
    /// The target behind nssm, srvany or their kin.
    pub wrapper: Option<WrapperTarget>,
    /// Other values that make Windows load a file.
    pub load_points: Vec<LoadPoint>,
    /// Every value, in on-disk order, those of sub-keys last.
    pub values: Vec<Value>,
}

/// A value other than `ImagePath` that makes Windows load a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadPoint {
    /// The value below the service key.
    pub value: String,
    /// What it names.
    pub path: String,
    /// The value's place.
    pub citation: Citation,
}

/// One value as it stands on disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Value {
    /// Its name below the service key, `\` between components; empty for the default value.
    pub name: String,
    /// The registry type, `REG_SZ`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The registry type's number.
    pub type_value: u32,
    /// Number, text or list of texts; null where the data is binary.
    pub data: Option<ValueData>,
    /// Binary data in lower-case hexadecimal.
    pub hex: Option<String>,
    /// Offset of the value's cell in the hive after log replay, in bytes.
    pub offset: u64,
    /// How it came to be readable.
    pub provenance: Provenance,
}

/// The data of a value that is not binary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum ValueData {
    /// `REG_DWORD`, `REG_QWORD`.
    Number(u64),
    /// A string type.
    Text(String),
    /// `REG_MULTI_SZ`.
    Texts(Vec<String>),
}

impl Configuration {
    /// What a decoded key says.
    pub fn new(config: &ServiceConfig) -> Self {
        Self {
            citation: config.citation.clone(),
            parameters_last_write: config.parameters_last_write.map(Stamp),
            value_order: config.value_order,
            description: config.description.clone(),
            error_control: config.error_control.map(error_control),
            error_control_value: config.error_control,
            group: config.group.clone(),
            tag: config.tag,
            depend_on_service: config.depend_on_service.clone(),
            depend_on_group: config.depend_on_group.clone(),
            delayed_auto_start: config.delayed_auto_start,
            service_sid_type: config.service_sid_type.map(service_sid_type),
            required_privileges: config.required_privileges.clone(),
            launch_protected: config.launch_protected.map(launch_protected),
            preshutdown_timeout_ms: config.preshutdown_timeout_ms,
            wow64: config.wow64,
            owners: config.owners.clone(),
            driver_package_id: config.driver_package_id.clone(),
            delete_flag: config.delete_flag,
            user_service_flags: config.user_service_flags,
            svc_host_split_disable: config.svc_host_split_disable,
            service_main: config.service_main.clone(),
            triggers: config.triggers.clone(),
            security: config.security.clone(),
            key_security: config.key_security.clone(),
            wrapper: config.wrapper.clone(),
            load_points: config.load_points.iter().map(LoadPoint::new).collect(),
            values: config.values.iter().map(Value::new).collect(),
        }
    }
}

impl LoadPoint {
    fn new(point: &crate::host::config::LoadPoint) -> Self {
        Self {
            value: point.value.clone(),
            path: point.path.clone(),
            citation: point.citation.clone(),
        }
    }
}

impl Value {
    fn new(value: &RawValue) -> Self {
        let (data, hex) = match &value.data {
            Data::Number(number) => (Some(ValueData::Number(*number)), None),
            Data::Text(text) => (Some(ValueData::Text(text.clone())), None),
            Data::Texts(texts) => (Some(ValueData::Texts(texts.clone())), None),
            Data::Bytes(bytes) => (None, Some(text::hex(bytes))),
        };
        Self {
            name: value.name.clone(),
            kind: registry_type(value.kind),
            type_value: value.kind,
            data,
            hex,
            offset: value.offset,
            provenance: value.provenance,
        }
    }
}

/// What the service control manager does at a failure: `FailureActions` and what belongs to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailurePlan {
    /// Seconds without failure after which the count is reset; null for never, and without `FailureActions`.
    pub reset_period_s: Option<u32>,
    /// What is done at the first, second, … failure; the last one repeats.
    pub actions: Vec<FailureStep>,
    /// Whether a stop with an error counts as a failure (`FailureActionsOnNonCrashFailures`).
    pub on_non_crash_failures: Option<bool>,
    /// `RebootMessage`.
    pub reboot_message: Option<String>,
}

/// One failure action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureStep {
    /// `none`, `restart`, `reboot`, `run_command`, `own_restart`, or `unknown`.
    pub action: String,
    /// `SC_ACTION_TYPE` as stored.
    pub action_value: u32,
    /// Milliseconds before it is taken.
    pub delay_ms: u32,
}

impl FailurePlan {
    /// The plan of a service, where any of its values is there.
    pub fn new(config: &ServiceConfig) -> Option<Self> {
        let plan = config.failure_actions.as_ref();
        let reset = plan.map(|plan| plan.reset_period).filter(|period| *period != u32::MAX);
        let found = Self {
            reset_period_s: reset,
            actions: plan.map(steps).unwrap_or_default(),
            on_non_crash_failures: config.failure_actions_on_non_crash,
            reboot_message: config.reboot_message.clone(),
        };
        let is_empty = plan.is_none()
            && found.on_non_crash_failures.is_none()
            && found.reboot_message.is_none();
        (!is_empty).then_some(found)
    }
}

/// The actions in words.
pub(super) fn steps(plan: &FailureActions) -> Vec<FailureStep> {
    let word = |kind| match kind {
        0 => "none",
        1 => "restart",
        2 => "reboot",
        3 => "run_command",
        4 => "own_restart",
        _ => "unknown",
    };
    plan.actions
        .iter()
        .map(|step| FailureStep {
            action: word(step.kind).to_owned(),
            action_value: step.kind,
            delay_ms: step.delay_ms,
        })
        .collect()
}

/// `Start` as the registry stores it.
pub(super) const fn start_value(start: Start) -> u32 {
    match start {
        Start::Boot => 0,
        Start::System => 1,
        Start::Auto => 2,
        Start::Demand => 3,
        Start::Disabled => 4,
        Start::Other(other) => other,
    }
}

fn error_control(value: u32) -> String {
    named(value, &["ignore", "normal", "severe", "critical"])
}

fn service_sid_type(value: u32) -> String {
    named(value, &["none", "unrestricted", "2", "restricted"])
}

fn launch_protected(value: u32) -> String {
    named(value, &["none", "windows", "windows_light", "antimalware_light"])
}

fn named(value: u32, words: &[&str]) -> String {
    let word = usize::try_from(value).ok().and_then(|index| words.get(index));
    word.map_or_else(|| value.to_string(), |word| (*word).to_owned())
}

/// The name of a registry type (winnt.h, `REG_*`).
fn registry_type(kind: u32) -> String {
    const NAMES: [&str; 12] = [
        "REG_NONE",
        "REG_SZ",
        "REG_EXPAND_SZ",
        "REG_BINARY",
        "REG_DWORD",
        "REG_DWORD_BIG_ENDIAN",
        "REG_LINK",
        "REG_MULTI_SZ",
        "REG_RESOURCE_LIST",
        "REG_FULL_RESOURCE_DESCRIPTOR",
        "REG_RESOURCE_REQUIREMENTS_LIST",
        "REG_QWORD",
    ];
    let name = usize::try_from(kind).ok().and_then(|index| NAMES.get(index));
    name.map_or_else(|| format!("0x{kind:x}"), |name| (*name).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_get_their_words_and_unknown_ones_stay_numbers() {
        assert_eq!(error_control(1), "normal");
        assert_eq!(error_control(9), "9");
        assert_eq!(launch_protected(3), "antimalware_light");
        assert_eq!(registry_type(7), "REG_MULTI_SZ");
        assert_eq!(registry_type(0x1234), "0x1234");
        assert_eq!(text::hex(&[0, 0xab]), "00ab");
    }
}
