//! The audit policy in `Policy\PolAdtEv`, as Windows keeps it for the local security authority.
//!
//! Windows Vista and later: a header of 12 bytes, of which the number of categories is the 32-bit number at 4 and the
//! offset of a table is the one at 8; from 12 on one 16-bit number per subcategory (bit 0: success, bit 1: failure), in
//! the order of the categories; at that offset one 16-bit number per category, the count of its subcategories. So
//! the data says itself how it is to be divided, and later versions of Windows add subcategories at the end of a
//! category: 53 in Windows 7 (138 bytes), 59 since Windows 10 1607 (150 bytes), 60 in build 26200.
//!
//! Sources: the plugins for it in dissect.target and Volatility, and DLEAPP's, which set every subcategory with
//! auditpol and read the value afterwards; they agree. `RegRipper` has Special Logon and Other Object Access in the
//! order of their GUIDs instead. The SECURITY hive of a Windows 10 workstation that regipy is tested with decides: its
//! fifth number of Logon/Logoff is 1, Special Logon's default, where the order of GUIDs would have `IPsec` quick mode.
//!
//! Windows NT 4 to Server 2003: a byte that switches auditing on, three more, one 32-bit number per category, and the
//! count of categories at the end: 7 in NT 4 (Microsoft Knowledge Base 246120), 9 later.

use crate::bytes::{u16_at, u32_at};
use crate::host::Citation;
use crate::host::posture::knowledge::{
    AUDIT_POLICY, CONNECTIONS, DETAILED_SHARE, HANDLES, KERNEL_OBJECT, LOGON, OTHER_OBJECTS,
    POLICY_CHANGE, PROCESS_CREATION, PROCESS_TERMINATION, REGISTRY, SENSITIVE_PRIVILEGE,
    SPECIAL_LOGON, SYSTEM_EXTENSION,
};
use crate::host::posture::{Effect, Known, Posture};

const SUCCESS: u16 = 1;
const FAILURE: u16 = 2;
/// The categories of every version since Windows 2000.
const CATEGORIES: usize = 9;
/// Bytes before the first subcategory.
const HEADER: usize = 12;
/// No version of Windows has near as many subcategories.
const MOST: usize = 512;

/// The subcategories that matter, by category and place in it, both from 0.
///
/// Categories: 0 System, 1 Logon/Logoff, 2 Object Access, 3 Privilege Use, 4 Detailed Tracking, 5 Policy Change,
/// 6 Account Management, 7 DS Access, 8 Account Logon.
const SUBCATEGORIES: [(usize, usize, &Known); 13] = [
    (0, 1, &SYSTEM_EXTENSION),
    (1, 0, &LOGON),
    (1, 4, &SPECIAL_LOGON),
    (2, 1, &REGISTRY),
    (2, 2, &KERNEL_OBJECT),
    (2, 4, &OTHER_OBJECTS),
    (2, 7, &HANDLES),
    (2, 10, &CONNECTIONS),
    (2, 11, &DETAILED_SHARE),
    (3, 0, &SENSITIVE_PRIVILEGE),
    (4, 0, &PROCESS_CREATION),
    (4, 1, &PROCESS_TERMINATION),
    (5, 0, &POLICY_CHANGE),
];

/// An audit policy: what is recorded, by category.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct AuditPolicy {
    categories: Vec<Vec<u16>>,
    /// Before Windows Vista: one number per category, and no subcategories.
    is_old: bool,
    /// Before Windows Vista: whether anything is recorded at all.
    enabled: bool,
}

/// Reads the value's data.
///
/// # Errors
/// A sentence, where the data is neither layout.
pub(super) fn read(data: &[u8]) -> Result<AuditPolicy, String> {
    old(data)
        .or_else(|| new(data))
        .ok_or_else(|| format!("{} bytes that are no audit policy of a known layout", data.len()))
}

/// The layout up to Server 2003: its length follows from its count, which no newer one ends with.
fn old(data: &[u8]) -> Option<AuditPolicy> {
    let count = usize::try_from(u32_at(data, data.len().checked_sub(4)?)?).ok()?;
    let fits =
        matches!(count, 7 | CATEGORIES) && data.len() == count.checked_mul(4)?.checked_add(8)?;
    if !fits {
        return None;
    }
    let numbers = data.get(4..)?.chunks_exact(4).take(count);
    // The upper half of such a number is unused.
    let categories = numbers.map(|number| u16_at(number, 0).into_iter().collect()).collect();
    Some(AuditPolicy { categories, is_old: true, enabled: data.first() != Some(&0) })
}

fn new(data: &[u8]) -> Option<AuditPolicy> {
    let count = usize::try_from(u32_at(data, 4)?).ok()?;
    let table = usize::try_from(u32_at(data, 8)?).ok()?;
    if count == 0 || count > MOST || table < HEADER {
        return None;
    }
    let mut at = HEADER;
    let mut categories = Vec::new();
    for category in 0..count {
        let entry = table.checked_add(category.checked_mul(2)?)?;
        let length = usize::from(u16_at(data, entry)?);
        let end = at.checked_add(length.checked_mul(2)?)?;
        if length > MOST || end > table {
            return None;
        }
        let numbers = data.get(at..end)?.chunks_exact(2);
        categories.push(numbers.filter_map(|number| u16_at(number, 0)).collect());
        at = end;
    }
    Some(AuditPolicy { categories, is_old: false, enabled: true })
}

impl AuditPolicy {
    /// What it says about the subcategories that matter, and as a whole.
    pub(super) fn settings(&self, citation: &Citation) -> Vec<Posture> {
        let mut settings: Vec<Posture> = SUBCATEGORIES
            .iter()
            .filter_map(|(category, place, known)| {
                let bits = self.bits(*category, *place)?;
                Some(known.found(self.words(bits), effect(bits), citation.clone()))
            })
            .collect();
        if self.is_silent() {
            let state = "records nothing: every subcategory is off";
            settings.push(AUDIT_POLICY.found(state, Effect::Blind, citation.clone()));
        }
        settings
    }

    /// What is recorded of a subcategory; before Windows Vista that of its category.
    fn bits(&self, category: usize, place: usize) -> Option<u16> {
        let numbers = self.categories.get(category)?;
        let bits = if self.is_old { numbers.first() } else { numbers.get(place) };
        bits.map(|bits| if self.enabled { *bits } else { 0 })
    }

    /// Whether nothing at all is recorded; Windows never comes like that since Vista.
    fn is_silent(&self) -> bool {
        !self.is_old && self.categories.iter().flatten().all(|bits| bits & (SUCCESS | FAILURE) == 0)
    }

    fn words(&self, bits: u16) -> String {
        let words = match (bits & SUCCESS != 0, bits & FAILURE != 0) {
            (true, true) => "success and failure",
            (true, false) => "success",
            (false, true) => "failure only",
            (false, false) => "off",
        };
        if self.is_old { format!("{words} (for the whole category)") } else { words.to_owned() }
    }
}

fn effect(bits: u16) -> Effect {
    if bits & SUCCESS != 0 { Effect::Sees } else { Effect::Blind }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::{Place, Provenance};

    const COUNTS: [u16; 9] = [5, 11, 14, 3, 6, 6, 6, 4, 4];

    /// The numbers of the Windows 10 workstation named above: the defaults of Windows 10.
    fn defaults() -> Vec<u16> {
        let mut numbers = vec![0; 59];
        for (at, bits) in [
            (0, 1),
            (2, 3),
            (4, 3),
            (5, 3),
            (6, 1),
            (7, 1),
            (9, 1),
            (13, 3),
            (39, 1),
            (40, 1),
            (45, 1),
            (47, 1),
        ] {
            numbers[at] = bits;
        }
        numbers
    }

    fn policy(numbers: &[u16], counts: &[u16]) -> Vec<u8> {
        let mut data = vec![0, 1, 0, 0];
        data.extend(u32::try_from(counts.len()).unwrap().to_le_bytes());
        data.extend(u32::try_from(12 + 2 * numbers.len() + 2).unwrap().to_le_bytes());
        for number in numbers.iter().chain(&[0xafdc]).chain(counts) {
            data.extend(number.to_le_bytes());
        }
        data
    }

    fn states(data: &[u8]) -> Vec<(String, String)> {
        let (artifact, provenance) = (Arc::from("SECURITY"), Provenance::Live);
        let citation = Citation { artifact, place: Place::File, provenance };
        let settings = read(data).unwrap().settings(&citation);
        settings.into_iter().map(|one| (one.setting, one.state)).collect()
    }

    #[test]
    fn windows_10_as_it_comes() {
        let data = policy(&defaults(), &COUNTS);
        assert_eq!(data.len(), 150);
        let on: Vec<(String, String)> =
            states(&data).into_iter().filter(|(_, state)| state != "off").collect();
        let on: Vec<(&str, &str)> = on.iter().map(|(id, state)| (&**id, &**state)).collect();
        assert_eq!(
            on,
            [
                ("audit_logon", "success and failure"),
                ("audit_special_logon", "success"),
                ("audit_policy_change", "success"),
            ]
        );
        assert_eq!(states(&data).len(), SUBCATEGORIES.len());
    }

    #[test]
    fn each_subcategory_has_its_place() {
        for (at, id) in [
            (1, "audit_security_system_extension"),
            (17, "audit_registry"),
            (26, "audit_filtering_platform_connection"),
            (27, "audit_detailed_file_share"),
            (30, "audit_sensitive_privilege_use"),
            (33, "audit_process_creation"),
            (34, "audit_process_termination"),
        ] {
            let mut numbers = vec![0; 59];
            numbers[at] = 1;
            let on: Vec<String> = states(&policy(&numbers, &COUNTS))
                .into_iter()
                .filter(|(_, state)| state == "success")
                .map(|(id, _)| id)
                .collect();
            assert_eq!(on, [id], "{at}");
        }
    }

    #[test]
    fn windows_7_has_fewer_subcategories_and_none_is_invented() {
        let counts = [5, 9, 12, 3, 4, 6, 6, 4, 4];
        let data = policy(&[2; 53], &counts);
        assert_eq!(data.len(), 138);
        let states = states(&data);
        assert_eq!(states.len(), SUBCATEGORIES.len());
        assert!(states.iter().all(|(_, state)| state == "failure only"), "{states:?}");
        let vista = read(&policy(&[0; 50], &[5, 9, 11, 3, 4, 6, 6, 4, 2])).unwrap();
        assert_eq!(vista.bits(2, 11), None);
    }

    #[test]
    fn a_policy_without_any_subcategory_is_told() {
        let states = states(&policy(&[0; 59], &COUNTS));
        assert_eq!(states.last().map(|(id, _)| id.as_str()), Some("audit_policy"));
    }

    #[test]
    fn before_vista_there_are_nine_categories_and_a_switch() {
        let mut data = vec![1, 0, 0, 0];
        for number in [0_u32, 3, 0, 0, 1, 2, 0, 0, 0, 9] {
            data.extend(number.to_le_bytes());
        }
        assert_eq!(data.len(), 44);
        let found = states(&data);
        let state = |id: &str| found.iter().find(|(known, _)| known == id).unwrap().1.clone();
        assert_eq!(state("audit_logon"), "success and failure (for the whole category)");
        assert_eq!(state("audit_process_creation"), "success (for the whole category)");
        assert_eq!(state("audit_policy_change"), "failure only (for the whole category)");
        data[0] = 0;
        assert!(states(&data).iter().all(|(_, state)| state.starts_with("off")));
    }

    #[test]
    fn other_data_is_refused() {
        let good = policy(&defaults(), &COUNTS);
        let mut far = good.clone();
        far[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut many = good.clone();
        many[4..8].copy_from_slice(&u32::MAX.to_le_bytes());
        let mut long = good.clone();
        long[132..134].copy_from_slice(&u16::MAX.to_le_bytes());
        for data in [&[][..], &[0; 11], &good[..149], &far, &many, &long, &[0xff; 150]] {
            assert!(read(data).is_err(), "{data:?}");
        }
        assert!(read(&good).is_ok());
    }
}
