//! The part of a SECURITY hive that service triage reads: the audit policy.

use super::system_hive::descriptor;
use crate::lab::regf::{Data, Hive};
use crate::lab::scenario::{Audit, Host};

const KEY_SECURITY: &str = "O:BAG:SYD:(A;CI;KA;;;SY)(A;CI;RCWD;;;BA)";
/// `REG_NONE`: every value of the policy database has it.
const NONE: u32 = 0;
/// Subcategories of each category in Windows 10 1607 to 22H2.
const COUNTS: [u16; 9] = [5, 11, 14, 3, 6, 6, 6, 4, 4];
/// What Windows 10 records as it comes, by place in the whole list: 1 success, 2 failure, 3 both.
const DEFAULTS: [(usize, u16); 12] = [
    (0, 1),  // Security State Change
    (2, 3),  // System Integrity
    (4, 3),  // Other System Events
    (5, 3),  // Logon
    (6, 1),  // Logoff
    (7, 1),  // Account Lockout
    (9, 1),  // Special Logon
    (13, 3), // Network Policy Server
    (39, 1), // Audit Policy Change
    (40, 1), // Authentication Policy Change
    (45, 1), // User Account Management
    (47, 1), // Security Group Management
];

/// The hive of a host with this audit policy.
pub(super) fn build(host: &Host) -> Hive {
    let at = host.installed;
    let mut hive = Hive::new("ROOT", &descriptor(KEY_SECURITY), host.imaged);
    for name in ["Cache", "RXACT"] {
        hive.create(name, host.imaged);
    }
    for (name, bytes) in [
        ("PolRevision", vec![0x12, 0, 1, 0]),
        ("PolAdtEv", audit_policy(&host.audit)),
        ("PolAdtLg", vec![0; 40]),
    ] {
        let key = hive.create(&format!(r"Policy\{name}"), at);
        hive.set(key, "", &Data::Raw(NONE, bytes), at);
    }
    hive
}

/// The value's data: header, a number for each subcategory, one more, and the counts of the categories.
fn audit_policy(audit: &Audit) -> Vec<u8> {
    let total: u16 = COUNTS.iter().sum();
    let switches = [
        (1, audit.services),
        (5, audit.logons),
        (9, audit.logons),
        (17, audit.registry),
        (26, audit.connections),
        (27, audit.shares),
        (33, audit.processes),
    ];
    let bits = |place: usize| {
        let default = DEFAULTS.iter().find(|(at, _)| *at == place).map_or(0, |(_, bits)| *bits);
        match switches.iter().find(|(at, _)| *at == place) {
            Some((_, true)) => default | 1,
            Some((_, false)) => 0,
            None => default,
        }
    };
    let mut data = vec![0, 1, 0, 0, 9, 0, 0, 0];
    let table = 12_u32.saturating_add(u32::from(total).saturating_add(1).saturating_mul(2));
    data.extend(table.to_le_bytes());
    for place in 0..usize::from(total) {
        data.extend(bits(place).to_le_bytes());
    }
    data.extend([0, 0]);
    for count in COUNTS {
        data.extend(count.to_le_bytes());
    }
    data
}
