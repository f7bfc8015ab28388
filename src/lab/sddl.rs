//! Security descriptors from SDDL, as far as services and registry keys need it.

use super::Sid;
use super::bytes::{Buffer, short};

/// Access rights and flags by their two letters (winnt.h and sddl.h).
const RIGHTS: &[(&str, u32)] = &[
    ("CC", 0x1),
    ("DC", 0x2),
    ("LC", 0x4),
    ("SW", 0x8),
    ("RP", 0x10),
    ("WP", 0x20),
    ("DT", 0x40),
    ("LO", 0x80),
    ("CR", 0x100),
    ("SD", 0x1_0000),
    ("RC", 0x2_0000),
    ("WD", 0x4_0000),
    ("WO", 0x8_0000),
    ("GA", 0x1000_0000),
    ("KA", 0xF_003F),
    ("KR", 0x2_0019),
];
const FLAGS: &[(&str, u8)] =
    &[("OI", 1), ("CI", 2), ("NP", 4), ("IO", 8), ("ID", 0x10), ("SA", 0x40), ("FA", 0x80)];
const TRUSTEES: &[(&str, &str)] = &[
    ("SY", "S-1-5-18"),
    ("BA", "S-1-5-32-544"),
    ("BU", "S-1-5-32-545"),
    ("IU", "S-1-5-4"),
    ("SU", "S-1-5-6"),
    ("AU", "S-1-5-11"),
    ("NU", "S-1-5-2"),
    ("AN", "S-1-5-7"),
    ("CO", "S-1-3-0"),
    ("WD", "S-1-1-0"),
    ("AC", "S-1-15-2-1"),
    ("LS", "S-1-5-19"),
    ("BO", "S-1-5-32-551"),
];
const DACL_PRESENT: u16 = 0x4;
const SACL_PRESENT: u16 = 0x10;
const SELF_RELATIVE: u16 = 0x8000;

/// The self-relative form of `O:…G:…D:…S:…`; `None` where a part is not understood.
pub fn security_descriptor(sddl: &str) -> Option<Vec<u8>> {
    let (sddl, sacl) = split(sddl, "S:(");
    let (sddl, dacl) = split(sddl, "D:(");
    let (sddl, group) = split(sddl, "G:");
    let owner = sddl.strip_prefix("O:");
    let sacl = sacl.map(acl).map_or(Some(None), |acl| acl.map(Some))?;
    let dacl = dacl.map(acl).map_or(Some(None), |acl| acl.map(Some))?;
    let owner = owner.map(trustee).map_or(Some(None), |sid| sid.map(Some))?;
    let group = group.map(trustee).map_or(Some(None), |sid| sid.map(Some))?;
    let control = SELF_RELATIVE
        | if dacl.is_some() { DACL_PRESENT } else { 0 }
        | if sacl.is_some() { SACL_PRESENT } else { 0 };
    let mut descriptor = Buffer::with(&[1, 0]);
    descriptor.u16(control).zeros(16);
    // As Windows lays it out: access lists first, then the two identifiers.
    for (field, part) in [(12_usize, sacl), (16, dacl), (4, owner), (8, group)] {
        if let Some(part) = part {
            let at = descriptor.position();
            descriptor.patch(field, &at.to_le_bytes()).bytes(&part);
        }
    }
    Some(descriptor.into_vec())
}

/// What stands before a mark and what stands behind it (an access list keeps its first parenthesis).
fn split<'a>(text: &'a str, mark: &str) -> (&'a str, Option<&'a str>) {
    match text.split_once(mark) {
        Some((before, after)) => (before, Some(after)),
        None => (text, None),
    }
}

fn trustee(text: &str) -> Option<Vec<u8>> {
    let known = TRUSTEES.iter().find(|(letters, _)| *letters == text).map(|(_, sid)| *sid);
    Sid::parse(known.unwrap_or(text)).map(|sid| sid.bytes().to_vec())
}

fn acl(text: &str) -> Option<Vec<u8>> {
    let mut body = Buffer::default();
    let mut count = 0_usize;
    for ace in text.strip_suffix(')')?.split(")(") {
        let mut fields = ace.split(';');
        let kind = match fields.next()? {
            "A" => 0,
            "D" => 1,
            "AU" => 2,
            _ => return None,
        };
        let flags = letters(fields.next()?, FLAGS)?.into_iter().fold(0, |all, flag| all | flag);
        let rights = letters(fields.next()?, RIGHTS)?.into_iter().fold(0, |all, right| all | right);
        let sid = trustee(fields.nth(2)?)?;
        body.u8(kind).u8(flags).u16(short(sid.len().saturating_add(8))).u32(rights).bytes(&sid);
        count = count.saturating_add(1);
    }
    let mut acl = Buffer::with(&[2, 0]);
    acl.u16(short(body.len().saturating_add(8))).u16(short(count)).u16(0).bytes(body.as_slice());
    Some(acl.into_vec())
}

fn letters<T: Copy>(text: &str, table: &[(&str, T)]) -> Option<Vec<T>> {
    text.as_bytes()
        .chunks(2)
        .map(|pair| table.iter().find(|(name, _)| name.as_bytes() == pair).map(|(_, value)| *value))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_descriptor_has_the_bytes_windows_writes() {
        let bytes =
            security_descriptor("O:SYG:SYD:(A;;CCLCSWRPWPDTLOCRRC;;;SY)(D;OICI;GA;;;IU)").unwrap();
        assert_eq!(bytes[..20], [1, 0, 4, 0x80, 68, 0, 0, 0, 80, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0]);
        assert_eq!(bytes[20..28], [2, 0, 48, 0, 2, 0, 0, 0]);
        assert_eq!(bytes[28..36], [0, 0, 20, 0, 0xfd, 1, 2, 0]);
        assert_eq!(bytes[48..56], [1, 3, 20, 0, 0, 0, 0, 0x10]);
        assert_eq!(bytes.len(), 92);
    }

    #[test]
    fn what_is_not_understood_is_refused() {
        for wrong in
            ["D:(A;;XX;;;SY)", "D:(A;;GA;;;nobody)", "O:nobody", "D:(Z;;GA;;;SY)", "D:(A;;GA"]
        {
            assert_eq!(security_descriptor(wrong), None, "{wrong}");
        }
    }
}
