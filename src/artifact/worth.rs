//! Which records say nothing about services by one or two of their values: left out before anything is made of them.
//!
//! Each rule only repeats what the event's own reading would refuse, sooner; a record it is not sure about goes on.

use super::event_log::{Peek, Worth};

/// Parts of registry paths that concern services, in lower case.
const KEYS: &[&str] = &[
    "services",
    "\\control\\",
    "\\currentversion\\svchost",
    "\\currentversion\\winevt\\",
    "\\image file execution options\\",
    "\\sysinternals\\psexec",
];

/// The rule for an event, where there is one.
pub(super) fn worth(provider: &str, id: u16) -> Option<Worth> {
    match (provider, id) {
        ("Microsoft-Windows-Sysmon", 12..=14) => {
            Some(|record| record.may_contain("TargetObject", KEYS))
        }
        ("Microsoft-Windows-Sysmon", 7) => Some(is_telling_module),
        ("Microsoft-Windows-Sysmon", 17 | 18) => {
            Some(|record| !record.is("PipeName", "<Anonymous Pipe>"))
        }
        ("Microsoft-Windows-Security-Auditing", 4657) => {
            Some(|record| record.may_contain("ObjectName", KEYS))
        }
        ("Microsoft-Windows-Security-Auditing", 4656 | 4663 | 4670 | 4674) => Some(|record| {
            record.may_be("ObjectType", &["service object", "sc_manager object", "key"])
        }),
        ("Microsoft-Windows-Security-Auditing", 5145) => Some(is_telling_share),
        _ => None,
    }
}

/// Signed modules of anything but a service host are most of a log that has modules.
fn is_telling_module(record: &Peek<'_>) -> bool {
    record.may_end_with("Image", &["svchost.exe"]) || !record.is("Signed", "true")
}

/// The pipe of the service control manager, and the shares of drives.
fn is_telling_share(record: &Peek<'_>) -> bool {
    let is_drive = record.may_end_with("ShareName", &["$"])
        && [r"\\*\IPC$", "IPC$"].iter().all(|pipes| !record.is("ShareName", pipes));
    is_drive || record.may_contain("RelativeTargetName", &["svcctl"])
}
