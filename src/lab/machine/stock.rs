//! The services Windows brings along.

use std::sync::LazyLock;

use jiff::Timestamp;
use serde::Deserialize;

use super::system_hive::{SERVICE_SECURITY, descriptor};
use crate::lab::regf::{Data, Hive, KeyId};

/// Facts about the services of one Windows build; its first lines say where they are from.
const TABLE: &str = include_str!("stock_services.csv");

/// One row of the table; an empty field is a value that does not exist.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Stock {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: u32,
    pub(super) start: u32,
    error_control: u32,
    pub(super) image_path: String,
    pub(super) dll: String,
    pub(super) account: String,
    group: String,
    tag: Option<u32>,
    display_name: String,
    description: String,
    depends_on: String,
    privileges: String,
    sid_type: Option<u32>,
    launch_protected: Option<u32>,
    delayed: Option<u32>,
    failure: String,
    failure_command: String,
    reboot_message: String,
    failure_on_exit: Option<u32>,
    triggers: String,
    owners: String,
    user_flags: Option<u32>,
    secured: Option<u32>,
    order: Order,
}

/// The order of values in the key, which tells how it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Order {
    /// Laid down with the image: alphabetical.
    Alpha,
    /// From an INF file.
    Inf,
    /// By `CreateService`.
    Scm,
}

/// Every row.
pub(super) fn services() -> &'static [Stock] {
    static SERVICES: LazyLock<Vec<Stock>> = LazyLock::new(|| {
        let mut reader =
            csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(TABLE.as_bytes());
        // The table is part of the program; a test reads every row.
        reader.deserialize().filter_map(Result::ok).collect()
    });
    &SERVICES
}

impl Stock {
    /// Writes the service below `services`.
    pub(super) fn write(&self, hive: &mut Hive, services: KeyId, at: Timestamp) {
        let key = hive.create_child(services, &self.name, at);
        for (name, data) in self.values() {
            hive.set(key, name, &data, at);
        }
        if let Some(dll) = Some(&self.dll).filter(|dll| !dll.is_empty() && !dll.starts_with('^')) {
            let parameters = hive.create_child(key, "Parameters", at);
            hive.set(parameters, "ServiceDll", &Data::ExpandText(dll.clone()), at);
            hive.set(parameters, "ServiceDllUnloadOnStop", &Data::Dword(1), at);
        }
        if self.secured.is_some() {
            let security = hive.create_child(key, "Security", at);
            hive.set(security, "Security", &Data::Binary(descriptor(SERVICE_SECURITY)), at);
        }
        self.write_triggers(hive, key, at);
    }

    fn write_triggers(&self, hive: &mut Hive, key: KeyId, at: Timestamp) {
        let triggers = self.triggers.split(';').filter(|trigger| !trigger.is_empty());
        for (number, trigger) in triggers.enumerate() {
            let mut parts = trigger.split('/');
            let mut word = || parts.next().and_then(|part| part.parse().ok()).unwrap_or(0);
            let (kind, action) = (word(), word());
            let guid = bytes_of_hex(parts.next().unwrap_or_default());
            let info = hive.create_child(key, "TriggerInfo", at);
            let key = hive.create_child(info, &number.to_string(), at);
            hive.set(key, "Action", &Data::Dword(action), at);
            hive.set(key, "GUID", &Data::Binary(guid), at);
            hive.set(key, "Type", &Data::Dword(kind), at);
        }
    }

    fn values(&self) -> Vec<(&'static str, Data)> {
        let mut values: Vec<(&str, Data)> = Vec::new();
        let mut text = |name, text: &str, data: fn(String) -> Data| {
            if !text.is_empty() {
                values.push((name, data(text.to_owned())));
            }
        };
        text("DependOnService", &self.depends_on, |list| Data::Texts(split(&list)));
        text("Description", &self.description, Data::Text);
        text("DisplayName", &self.display_name, Data::Text);
        text("FailureCommand", &self.failure_command, Data::Text);
        text("Group", &self.group, Data::Text);
        text("ImagePath", &self.image_path, Data::ExpandText);
        text("ObjectName", &self.account, Data::Text);
        text("Owners", &self.owners, |list| Data::Texts(split(&list)));
        text("RebootMessage", &self.reboot_message, Data::Text);
        text("RequiredPrivileges", &self.privileges, |list| Data::Texts(split(&list)));
        if let Some(dll) = self.dll.strip_prefix('^') {
            text("ServiceDll", dll, Data::ExpandText);
        }
        if !self.failure.is_empty() {
            let present = (!self.reboot_message.is_empty(), !self.failure_command.is_empty());
            values.push(("FailureActions", Data::Binary(failure(&self.failure, present))));
        }
        for (name, number) in [
            ("ErrorControl", Some(self.error_control)),
            ("FailureActionsOnNonCrashFailures", self.failure_on_exit),
            ("LaunchProtected", self.launch_protected),
            ("ServiceSidType", self.sid_type),
            ("Start", Some(self.start)),
            ("Tag", self.tag),
            ("Type", Some(self.kind)),
            ("UserServiceFlags", self.user_flags),
        ] {
            values.extend(number.map(|number| (name, Data::Dword(number))));
        }
        values.sort_by_key(|(name, _)| (self.order.rank(name), *name));
        // Set later by the service control manager, so behind everything else.
        values.extend(self.delayed.map(|delayed| ("DelayedAutostart", Data::Dword(delayed))));
        values
    }
}

impl Order {
    /// Position of a value before the alphabet decides.
    fn rank(self, name: &str) -> usize {
        let first: &[&str] = match self {
            Order::Alpha => &[],
            Order::Inf => {
                &["ImagePath", "Type", "Start", "ErrorControl", "DisplayName", "Owners", "Group"]
            }
            Order::Scm => {
                &["Type", "Start", "ErrorControl", "ImagePath", "DisplayName", "ObjectName"]
            }
        };
        first.iter().position(|first| *first == name).unwrap_or(first.len())
    }
}

/// `FailureActions` from `reset:type/delay,…`.
fn failure(text: &str, present: (bool, bool)) -> Vec<u8> {
    let (reset, actions) = text.split_once(':').unwrap_or((text, ""));
    let actions: Vec<(u32, u32)> = actions
        .split(',')
        .filter_map(|action| action.split_once('/'))
        .filter_map(|(kind, delay)| Some((kind.parse().ok()?, delay.parse().ok()?)))
        .collect();
    failure_actions(reset.parse().unwrap_or(0), present, &actions)
}

/// `SERVICE_FAILURE_ACTIONS` as stored ([MS-SCMR] 2.2.37): a 20-byte header, then type and delay of each action.
///
/// `present` tells whether a reboot message and a command exist.
pub(super) fn failure_actions(
    reset: u32,
    present: (bool, bool),
    actions: &[(u32, u32)],
) -> Vec<u8> {
    let count = u32::try_from(actions.len()).unwrap_or(u32::MAX);
    let header = [reset, u32::from(present.0), u32::from(present.1), count, 0x14];
    let words = header.into_iter().chain(actions.iter().flat_map(|(kind, delay)| [*kind, *delay]));
    words.flat_map(u32::to_le_bytes).collect()
}

pub(super) fn split(list: &str) -> Vec<String> {
    list.split(';').map(str::to_owned).collect()
}

/// Bytes of hexadecimal digits; pairs that are none are left out.
pub(super) fn bytes_of_hex(text: &str) -> Vec<u8> {
    let pairs = text.as_bytes().chunks(2).filter_map(|pair| std::str::from_utf8(pair).ok());
    pairs.filter_map(|pair| u8::from_str_radix(pair, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_read() {
        let rows = TABLE.lines().filter(|line| !line.starts_with('#')).count() - 1;
        assert_eq!(services().len(), rows);
        let commands: Vec<&str> = services()
            .iter()
            .filter(|service| !service.failure_command.is_empty())
            .map(|service| service.name.as_str())
            .collect();
        assert_eq!(commands, ["MSiSCSI", "spectrum", "WEPHOSTSVC", "WinDefend"]);
    }

    #[test]
    fn failure_actions_have_the_measured_layout() {
        let bytes = failure("3600:1/5000,1/5000,0/0", (false, true));
        assert_eq!(bytes.len(), 20 + 3 * 8);
        assert_eq!(bytes[..4], 3600_u32.to_le_bytes());
        assert_eq!(bytes[4..12], [0, 0, 0, 0, 1, 0, 0, 0]);
        assert_eq!(bytes[12..20], [3, 0, 0, 0, 0x14, 0, 0, 0]);
        assert_eq!(bytes[20..28], [1, 0, 0, 0, 0x88, 0x13, 0, 0]);
    }
}
