//! Security descriptors: who owns a service or key, and who may do what with it.
//!
//! Layout: MS-DTYP 2.4.4 (ACEs), 2.4.5 (ACLs) and 2.4.6 (self-relative descriptors).

use super::bytes::{array_at, size_at, u16_at, u32_at};
use crate::sid::Sid;

/// A security descriptor, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecurityDescriptor {
    /// Control bits (MS-DTYP 2.4.6).
    pub control: u16,
    /// The owner, who may always change the descriptor.
    pub owner: Option<Sid>,
    /// The primary group.
    pub group: Option<Sid>,
    /// Who may do what.
    pub dacl: Acl,
    /// What is audited, and integrity labels.
    pub sacl: Acl,
}

/// An access control list of a descriptor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Acl {
    /// The descriptor has none.
    Absent,
    /// The list is there and null: for a DACL, everybody may do everything.
    Null,
    /// The entries in their order, which matters: the first match decides.
    Entries(Vec<Ace>),
}

impl Acl {
    /// The entries; none for an absent or null list.
    pub fn entries(&self) -> &[Ace] {
        match self {
            Self::Entries(entries) => entries,
            Self::Absent | Self::Null => &[],
        }
    }
}

/// An access control entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ace {
    /// The type: 0 allows, 1 denies, 2 audits; others in MS-DTYP 2.4.4.1.
    pub kind: u8,
    /// Inheritance and audit bits (MS-DTYP 2.4.4.1).
    pub flags: u8,
    /// The rights, as bits.
    pub mask: u32,
    /// The object type (GUID as stored) an object entry is limited to.
    pub object_type: Option<[u8; 16]>,
    /// The object type (GUID as stored) that may inherit an object entry.
    pub inherited_object_type: Option<[u8; 16]>,
    /// Whom it is about; `None` for types this version does not know.
    pub sid: Option<Sid>,
    /// What follows the SID: the condition or attribute of callback and attribute entries.
    pub extra: Vec<u8>,
}

impl Ace {
    /// Whether the entry grants rights.
    pub fn allows(&self) -> bool {
        matches!(self.kind, 0x00 | 0x05 | 0x09 | 0x0b)
    }

    /// Whether the entry takes rights away; the way services are hidden from administrators.
    pub fn denies(&self) -> bool {
        matches!(self.kind, 0x01 | 0x06 | 0x0a | 0x0c)
    }
}

/// Why bytes are no self-relative security descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityDescriptorError {
    /// The header is cut off, has another revision or is not self-relative.
    #[error("not a self-relative security descriptor")]
    Header,
    /// The owner or group is no SID.
    #[error("the owner or group at byte {0} is no SID")]
    Sid(usize),
    /// A list is cut off or longer than the descriptor.
    #[error("the access control list at byte {0} does not fit")]
    Acl(usize),
    /// An entry is cut off or longer than its list.
    #[error("the access control entry at byte {0} does not fit")]
    Ace(usize),
}

const DACL_PRESENT: u16 = 0x0004;
const SACL_PRESENT: u16 = 0x0010;
const SELF_RELATIVE: u16 = 0x8000;

impl SecurityDescriptor {
    /// Decodes a self-relative security descriptor; bytes after its parts are ignored.
    ///
    /// # Errors
    /// When any part that it names does not fit, because a half-read list of rights would mislead.
    pub fn parse(bytes: &[u8]) -> Result<Self, SecurityDescriptorError> {
        let header = bytes.get(..20).ok_or(SecurityDescriptorError::Header)?;
        let control = u16_at(header, 2).unwrap_or(0);
        if header.first() != Some(&1) || control & SELF_RELATIVE == 0 {
            return Err(SecurityDescriptorError::Header);
        }
        let part = |field| size_at(header, field).unwrap_or(0);
        Ok(Self {
            control,
            owner: sid_at(bytes, part(4))?,
            group: sid_at(bytes, part(8))?,
            sacl: acl_at(bytes, part(12), control & SACL_PRESENT != 0)?,
            dacl: acl_at(bytes, part(16), control & DACL_PRESENT != 0)?,
        })
    }
}

fn sid_at(bytes: &[u8], offset: usize) -> Result<Option<Sid>, SecurityDescriptorError> {
    if offset == 0 {
        return Ok(None);
    }
    let sid = bytes.get(offset..).and_then(Sid::parse);
    sid.map(Some).ok_or(SecurityDescriptorError::Sid(offset))
}

fn acl_at(bytes: &[u8], offset: usize, present: bool) -> Result<Acl, SecurityDescriptorError> {
    if !present {
        return Ok(Acl::Absent);
    }
    if offset == 0 {
        return Ok(Acl::Null);
    }
    let error = SecurityDescriptorError::Acl(offset);
    let header = bytes.get(offset..).ok_or(error)?;
    let size = usize::from(u16_at(header, 2).ok_or(error)?);
    let count = usize::from(u16_at(header, 4).ok_or(error)?);
    let list = header.get(..size).ok_or(error)?;
    let mut rest = list.get(8..).ok_or(error)?;
    let mut entries = Vec::new();
    for _ in 0..count {
        let place = offset.saturating_add(list.len().saturating_sub(rest.len()));
        let error = SecurityDescriptorError::Ace(place);
        let length = usize::from(u16_at(rest, 2).ok_or(error)?);
        let (entry, after) = rest.split_at_checked(length).ok_or(error)?;
        entries.push(ace(entry).ok_or(error)?);
        rest = after;
    }
    Ok(Acl::Entries(entries))
}

fn ace(entry: &[u8]) -> Option<Ace> {
    let [kind, flags] = array_at(entry, 0)?;
    let mut ace = Ace {
        kind,
        flags,
        mask: 0,
        object_type: None,
        inherited_object_type: None,
        sid: None,
        extra: Vec::new(),
    };
    let mut place = 8_usize;
    match kind {
        0x00..=0x03 | 0x09 | 0x0a | 0x0d | 0x11..=0x15 => {}
        0x05..=0x08 | 0x0b | 0x0c | 0x0f => {
            let present = u32_at(entry, 8)?;
            place = 12;
            if present & 1 != 0 {
                ace.object_type = Some(array_at(entry, place)?);
                place = place.checked_add(16)?;
            }
            if present & 2 != 0 {
                ace.inherited_object_type = Some(array_at(entry, place)?);
                place = place.checked_add(16)?;
            }
        }
        _ => {
            ace.extra = entry.get(4..)?.to_vec();
            return Some(ace);
        }
    }
    ace.mask = u32_at(entry, 4)?;
    let sid = Sid::parse(entry.get(place..)?)?;
    ace.extra = entry.get(place.checked_add(sid.binary_length())?..)?.to_vec();
    ace.sid = Some(sid);
    Some(ace)
}
