//! Who may write a file, from the security descriptors of its volume.

use std::collections::BTreeSet;
use std::io;

use crate::artifact::hive::{Ace, Acl, SecurityDescriptor};
use crate::evidence::{Evidence, EvidencePath};
use crate::host::program_file::WriteAccess;
use crate::sid::{Sid, ordinary_users};

/// `INHERIT_ONLY_ACE`: the entry is about children, not about this object.
const INHERIT_ONLY: u8 = 0x08;
const GENERIC_WRITE: u32 = 0x4000_0000;
const GENERIC_ALL: u32 = 0x1000_0000;
/// What the generic rights mean for files (winnt.h).
const FILE_GENERIC_WRITE: u32 = 0x12_0116;
const FILE_ALL_ACCESS: u32 = 0x1f_01ff;
/// `FILE_WRITE_DATA`, `DELETE`, `WRITE_DAC`, `WRITE_OWNER`: other bytes, another file, or the right to both.
const TAKES_FILE: u32 = 0x2 | 0x1_0000 | 0x4_0000 | 0x8_0000;
/// `FILE_ADD_FILE`, `FILE_DELETE_CHILD`, `WRITE_DAC`, `WRITE_OWNER`.
const TAKES_FOLDER: u32 = 0x2 | 0x40 | 0x4_0000 | 0x8_0000;
/// Groups that every user is in who is logged on: who is denied as such is denied everything.
const EVERYBODY: [&str; 3] = ["S-1-1-0", "S-1-5-11", "S-1-5-32-545"];

/// Who owns a file and who may write it and its folder; absent where the evidence has no descriptor of it.
///
/// # Errors
/// Where a descriptor is lost or damaged.
pub(super) fn access(
    evidence: &dyn Evidence,
    file: &EvidencePath,
) -> io::Result<Option<WriteAccess>> {
    let Some(own) = descriptor(evidence, file)? else { return Ok(None) };
    let folder = descriptor(evidence, &file.split().0)?;
    Ok(Some(WriteAccess {
        owner: own.owner.as_ref().map(named),
        writers: takers(&own.dacl, TAKES_FILE),
        folder_writers: folder.map(|one| takers(&one.dacl, TAKES_FOLDER)).unwrap_or_default(),
    }))
}

fn descriptor(
    evidence: &dyn Evidence,
    path: &EvidencePath,
) -> io::Result<Option<SecurityDescriptor>> {
    let Some(bytes) = evidence.security_descriptor(path)? else { return Ok(None) };
    let parsed = SecurityDescriptor::parse(&bytes);
    parsed.map(Some).map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))
}

fn named(sid: &Sid) -> String {
    match sid.well_known_name() {
        Some(name) => format!("{sid} ({name})"),
        None => sid.to_string(),
    }
}

/// The groups of ordinary users who have one of these rights, sorted. Entries are taken in their order, as Windows
/// does: a right that was denied before is not given any more.
fn takers(dacl: &Acl, rights: u32) -> Vec<String> {
    let Acl::Entries(entries) = dacl else { return vec!["Everyone".to_owned()] };
    let mut denied: Vec<(String, u32)> = Vec::new();
    let mut found = BTreeSet::new();
    for entry in entries.iter().filter(|entry| entry.flags & INHERIT_ONLY == 0) {
        let Some(who) = &entry.sid else { continue };
        let (sid, mask) = (who.to_string(), mapped(entry));
        if entry.denies() {
            denied.push((sid, mask));
        } else if entry.allows()
            && let Some(group) = ordinary_users(&sid)
        {
            let lost =
                denied.iter().filter(|(to, _)| *to == sid || EVERYBODY.contains(&to.as_str()));
            let lost = lost.fold(0, |lost, (_, mask)| lost | mask);
            if mask & !lost & rights != 0 {
                found.insert(who.well_known_name().unwrap_or(group).to_owned());
            }
        }
    }
    found.into_iter().collect()
}

fn mapped(entry: &Ace) -> u32 {
    let mut mask = entry.mask;
    if mask & GENERIC_WRITE != 0 {
        mask |= FILE_GENERIC_WRITE;
    }
    if mask & GENERIC_ALL != 0 {
        mask |= FILE_ALL_ACCESS;
    }
    mask
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A self-relative descriptor with that DACL: kind, flags, mask, SID.
    fn descriptor(entries: &[(u8, u8, u32, &str)]) -> SecurityDescriptor {
        let mut acl = Vec::new();
        for (kind, flags, mask, sid) in entries {
            let parts: Vec<u64> =
                sid.split('-').skip(2).map(|part| part.parse().unwrap()).collect();
            let mut sid = vec![1, u8::try_from(parts.len() - 1).unwrap(), 0, 0, 0, 0, 0];
            sid.push(u8::try_from(parts[0]).unwrap());
            for part in &parts[1..] {
                sid.extend(u32::try_from(*part).unwrap().to_le_bytes());
            }
            let size = u16::try_from(8 + sid.len()).unwrap();
            acl.extend([*kind, *flags]);
            acl.extend(size.to_le_bytes());
            acl.extend(mask.to_le_bytes());
            acl.extend(sid);
        }
        let mut bytes = vec![1, 0, 4, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0];
        bytes.extend([2, 0]);
        bytes.extend(u16::try_from(8 + acl.len()).unwrap().to_le_bytes());
        bytes.extend(u16::try_from(entries.len()).unwrap().to_le_bytes());
        bytes.extend([0, 0]);
        bytes.extend(acl);
        SecurityDescriptor::parse(&bytes).unwrap()
    }

    #[test]
    fn writers_are_those_whom_the_entries_let_in() {
        const USERS: &str = "S-1-5-32-545";
        const EVERYONE: &str = "S-1-1-0";
        const AUTHENTICATED: &str = "S-1-5-11";
        const MODIFY: u32 = 0x13_01bf;
        const READ: u32 = 0x12_00a9;
        for (entries, expected) in [
            (vec![(0, 0, FILE_ALL_ACCESS, "S-1-5-32-544"), (0, 0, READ, USERS)], vec![]),
            (vec![(0, 0x10, MODIFY, AUTHENTICATED)], vec!["Authenticated Users"]),
            (vec![(0, 0x0b, MODIFY, AUTHENTICATED)], vec![]),
            (vec![(0, 0, GENERIC_ALL, EVERYONE)], vec!["Everyone"]),
            (vec![(0, 0, GENERIC_WRITE, USERS)], vec!["Users"]),
            (vec![(1, 0, MODIFY, USERS), (0, 0, MODIFY, EVERYONE)], vec![]),
            (vec![(0, 0, MODIFY, EVERYONE), (1, 0, MODIFY, USERS)], vec!["Everyone"]),
            (vec![(1, 0, 0x2, "S-1-5-32-546"), (0, 0, 0x2, USERS)], vec!["Users"]),
            (vec![(0, 0, MODIFY, "S-1-5-21-1-2-3-513")], vec!["domain users"]),
            (vec![(0, 0, MODIFY, "S-1-5-21-1-2-3-1104")], vec![]),
            (vec![(0, 0, 0x4, USERS)], vec![]),
        ] {
            let found = takers(&descriptor(&entries).dacl, TAKES_FILE);
            assert_eq!(found, expected, "{entries:?}");
        }
        assert_eq!(takers(&Acl::Null, TAKES_FILE), ["Everyone"]);
    }
}
