//! Security descriptors as text, the way Windows prints them: `sc sdshow`, `ConvertSecurityDescriptorTo…`.
//!
//! Letters: MS-DTYP 2.5.1.1.

use std::fmt::Write as _;

use super::security_descriptor::{Ace, Acl, SecurityDescriptor};

/// What a descriptor protects; the same bits have another name elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RightsKind {
    /// A service: only letters, `CCLCSWRPWPDTLOCRRC`.
    Service,
    /// A registry key or the service control manager: `KA`, `KR`, `KW` for the usual sets.
    Key,
}

const KEY_RIGHTS: &[(u32, &str)] = &[(0x000f_003f, "KA"), (0x0002_0019, "KR"), (0x0002_0006, "KW")];

const RIGHTS: &[(u32, &str)] = &[
    (0x0000_0001, "CC"),
    (0x0000_0002, "DC"),
    (0x0000_0004, "LC"),
    (0x0000_0008, "SW"),
    (0x0000_0010, "RP"),
    (0x0000_0020, "WP"),
    (0x0000_0040, "DT"),
    (0x0000_0080, "LO"),
    (0x0000_0100, "CR"),
    (0x0001_0000, "SD"),
    (0x0002_0000, "RC"),
    (0x0004_0000, "WD"),
    (0x0008_0000, "WO"),
    (0x1000_0000, "GA"),
    (0x2000_0000, "GX"),
    (0x4000_0000, "GW"),
    (0x8000_0000, "GR"),
];

const LABEL_RIGHTS: &[(u32, &str)] = &[(1, "NW"), (2, "NR"), (4, "NX")];

const ACE_FLAGS: &[(u32, &str)] = &[
    (0x01, "OI"),
    (0x02, "CI"),
    (0x04, "NP"),
    (0x08, "IO"),
    (0x10, "ID"),
    (0x20, "CR"),
    (0x40, "SA"),
    (0x80, "FA"),
];

const ACE_KINDS: &[(u8, &str)] = &[
    (0x00, "A"),
    (0x01, "D"),
    (0x02, "AU"),
    (0x03, "AL"),
    (0x05, "OA"),
    (0x06, "OD"),
    (0x07, "OU"),
    (0x08, "OL"),
    (0x09, "XA"),
    (0x0a, "XD"),
    (0x0b, "ZA"),
    (0x0d, "XU"),
    (0x11, "ML"),
    (0x12, "RA"),
    (0x13, "SP"),
    (0x14, "TL"),
    (0x15, "FL"),
];

impl SecurityDescriptor {
    /// The descriptor as SDDL. SIDs whose letters depend on the domain are written out.
    ///
    /// What SDDL has no word for (unknown entry types, conditions) is written as hexadecimal bytes.
    pub fn to_sddl(&self, kind: RightsKind) -> String {
        let mut sddl = String::new();
        for (tag, sid) in [("O:", &self.owner), ("G:", &self.group)] {
            if let Some(sid) = sid {
                sddl.push_str(tag);
                sddl.push_str(&sid_text(sid));
            }
        }
        acl(
            &mut sddl,
            "D:",
            &self.dacl,
            [0x1000, 0x0100, 0x0400].map(|bit| self.control & bit != 0),
            kind,
        );
        acl(
            &mut sddl,
            "S:",
            &self.sacl,
            [0x2000, 0x0200, 0x0800].map(|bit| self.control & bit != 0),
            kind,
        );
        sddl
    }
}

fn acl(sddl: &mut String, tag: &str, list: &Acl, flags: [bool; 3], kind: RightsKind) {
    if *list == Acl::Absent {
        return;
    }
    sddl.push_str(tag);
    for (set, letters) in flags.into_iter().zip(["P", "AR", "AI"]) {
        if set {
            sddl.push_str(letters);
        }
    }
    match list {
        Acl::Null => sddl.push_str("NO_ACCESS_CONTROL"),
        _ => list.entries().iter().for_each(|entry| ace(sddl, entry, kind)),
    }
}

fn ace(sddl: &mut String, entry: &Ace, kind: RightsKind) {
    let known = ACE_KINDS.iter().find(|(code, _)| *code == entry.kind);
    let name = known.map_or_else(|| format!("{:#x}", entry.kind), |(_, name)| (*name).to_owned());
    let flags = letters(u32::from(entry.flags), ACE_FLAGS).unwrap_or_default();
    let object = entry.object_type.as_ref().map(guid).unwrap_or_default();
    let inherited = entry.inherited_object_type.as_ref().map(guid).unwrap_or_default();
    let sid = entry.sid.as_ref().map(sid_text).unwrap_or_default();
    let rights = rights(entry, kind);
    let _infallible = write!(sddl, "({name};{flags};{rights};{object};{inherited};{sid}");
    if entry.extra.iter().any(|byte| *byte != 0) {
        sddl.push(';');
        for byte in &entry.extra {
            let _infallible = write!(sddl, "{byte:02x}");
        }
    }
    sddl.push(')');
}

fn rights(entry: &Ace, kind: RightsKind) -> String {
    let sets = if kind == RightsKind::Key { KEY_RIGHTS } else { &[] };
    if let Some((_, name)) = sets.iter().find(|(mask, _)| *mask == entry.mask) {
        return (*name).to_owned();
    }
    let table = if entry.kind == 0x11 { LABEL_RIGHTS } else { RIGHTS };
    letters(entry.mask, table).unwrap_or_else(|| format!("{:#x}", entry.mask))
}

/// The letters of every bit; `None` when a bit has none.
fn letters(mask: u32, table: &[(u32, &str)]) -> Option<String> {
    let unnamed = table.iter().fold(mask, |left, (bit, _)| left & !bit);
    let set = table.iter().filter(|(bit, _)| mask & bit != 0);
    (unnamed == 0).then(|| set.map(|(_, name)| *name).collect())
}

fn sid_text(sid: &crate::sid::Sid) -> String {
    sid.sddl_alias().map_or_else(|| sid.to_string(), str::to_owned)
}

/// A GUID as text: three little-endian numbers, then eight bytes in order (MS-DTYP 2.3.4).
fn guid(bytes: &[u8; 16]) -> String {
    const ORDER: [usize; 16] = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];
    let mut text = String::with_capacity(36);
    for (index, place) in ORDER.into_iter().enumerate() {
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        let _infallible = write!(text, "{:02x}", bytes.get(place).unwrap_or(&0));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::super::security_descriptor::SecurityDescriptorError;
    use super::*;

    const SYSTEM: [u8; 12] = [1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0];

    fn ace_bytes(kind: u8, flags: u8, mask: u32) -> Vec<u8> {
        let mut bytes = vec![kind, flags, 20, 0];
        bytes.extend(mask.to_le_bytes());
        bytes.extend(SYSTEM);
        bytes
    }

    fn descriptor(control: u16, aces: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = vec![1, 0];
        bytes.extend((control | 0x8000).to_le_bytes());
        for offset in [20_u32, 0, 0, 32] {
            bytes.extend(offset.to_le_bytes());
        }
        bytes.extend(SYSTEM);
        let body = aces.concat();
        bytes.extend([2, 0]);
        bytes.extend(u16::try_from(8 + body.len()).unwrap().to_le_bytes());
        bytes.extend(u16::try_from(aces.len()).unwrap().to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(body);
        bytes
    }

    #[test]
    fn prints_what_windows_prints() {
        for (kind, control, ace, expected) in [
            (
                RightsKind::Service,
                4,
                ace_bytes(0, 0, 0x201fd),
                "O:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)",
            ),
            (
                RightsKind::Service,
                4,
                ace_bytes(0, 0, 0xf01ff),
                "O:SYD:(A;;CCDCLCSWRPWPDTLOCRSDRCWDWO;;;SY)",
            ),
            (RightsKind::Service, 4, ace_bytes(1, 0, 0x10066), "O:SYD:(D;;DCLCWPDTSD;;;SY)"),
            (RightsKind::Key, 0x1404, ace_bytes(0, 0x12, 0xf003f), "O:SYD:PAI(A;CIID;KA;;;SY)"),
            (RightsKind::Key, 4, ace_bytes(0, 2, 0x20019), "O:SYD:(A;CI;KR;;;SY)"),
            (RightsKind::Service, 4, ace_bytes(0, 0, 0x0010_0000), "O:SYD:(A;;0x100000;;;SY)"),
        ] {
            let descriptor = SecurityDescriptor::parse(&descriptor(control, &[ace])).unwrap();
            assert_eq!(descriptor.to_sddl(kind), expected);
        }
    }

    #[test]
    fn object_entries_name_their_type() {
        let mut ace = ace_bytes(5, 0, 1);
        ace[2] = 40;
        ace.splice(8..8, [1, 0, 0, 0].into_iter().chain(1..=16));
        let descriptor = SecurityDescriptor::parse(&descriptor(4, &[ace])).unwrap();
        assert_eq!(
            descriptor.to_sddl(RightsKind::Service),
            "O:SYD:(OA;;CC;04030201-0605-0807-090a-0b0c0d0e0f10;;SY)"
        );
    }

    #[test]
    fn null_and_absent_lists_differ() {
        let mut bytes = descriptor(4, &[]);
        assert_eq!(SecurityDescriptor::parse(&bytes).unwrap().to_sddl(RightsKind::Key), "O:SYD:");
        bytes[16] = 0;
        let null = SecurityDescriptor::parse(&bytes).unwrap();
        assert_eq!(null.to_sddl(RightsKind::Key), "O:SYD:NO_ACCESS_CONTROL");
        bytes[2] = 0;
        let absent = SecurityDescriptor::parse(&bytes).unwrap();
        assert_eq!(absent.to_sddl(RightsKind::Key), "O:SY");
    }

    #[test]
    fn every_cut_is_an_error() {
        let whole = descriptor(4, &[ace_bytes(0, 0, 1), ace_bytes(1, 0, 2)]);
        for length in 0..whole.len() {
            assert!(SecurityDescriptor::parse(&whole[..length]).is_err(), "{length} bytes");
        }
        assert_eq!(
            SecurityDescriptor::parse(&[0; 20]),
            Err(SecurityDescriptorError::Header),
            "the other blobs found under keys named Security"
        );
        let mut long_entry = whole;
        long_entry[42] = 200;
        assert_eq!(SecurityDescriptor::parse(&long_entry), Err(SecurityDescriptorError::Ace(40)));
    }
}
