//! A file record: a file's attributes, or some of them.
//!
//! Layout: Linux-NTFS project, "File record" and "Attribute header".

use std::io;

use super::bytes::{damaged, length, slice_at, u16_at, u32_at, u64_at, units};

/// Kinds of attributes.
pub(super) const STANDARD_INFORMATION: u32 = 0x10;
pub(super) const ATTRIBUTE_LIST: u32 = 0x20;
pub(super) const FILE_NAME: u32 = 0x30;
pub(super) const SECURITY_DESCRIPTOR: u32 = 0x50;
pub(super) const VOLUME_NAME: u32 = 0x60;
pub(super) const DATA: u32 = 0x80;
pub(super) const INDEX_ROOT: u32 = 0x90;
pub(super) const INDEX_ALLOCATION: u32 = 0xa0;
pub(super) const BITMAP: u32 = 0xb0;
pub(super) const REPARSE_POINT: u32 = 0xc0;
const END: u32 = 0xffff_ffff;

/// Flags of attributes.
pub(super) const COMPRESSED: u16 = 0x0001;
pub(super) const ENCRYPTED: u16 = 0x4000;
pub(super) const SPARSE: u16 = 0x8000;

/// Every 512 bytes of a record end in two bytes that are kept elsewhere in it, whatever the sector size.
const STRIDE: usize = 512;

/// The number of a file record, and how often it had been reused when the reference was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Reference {
    pub(super) record: u64,
    pub(super) sequence: u16,
}

impl Reference {
    pub(super) fn parse(bytes: &[u8], at: usize) -> Option<Self> {
        let record = u64_at(bytes, at)? & 0xffff_ffff_ffff;
        Some(Self { record, sequence: u16_at(bytes, at.checked_add(6)?)? })
    }
}

/// A file record whose protection against torn writes has been checked and taken off.
#[derive(Debug, Clone)]
pub(super) struct Record {
    pub(super) number: u64,
    bytes: Vec<u8>,
}

impl Record {
    /// # Errors
    /// Where the bytes are no file record, or one that was written only in part.
    pub(super) fn parse(number: u64, mut bytes: Vec<u8>) -> io::Result<Self> {
        if !bytes.starts_with(b"FILE") {
            return Err(damaged(format!("file record {number} has no signature")));
        }
        if !fix_up(&mut bytes) {
            return Err(damaged(format!("file record {number} is torn")));
        }
        Ok(Self { number, bytes })
    }

    fn flags(&self) -> u16 {
        u16_at(&self.bytes, 22).unwrap_or(0)
    }

    pub(super) fn is_in_use(&self) -> bool {
        self.flags() & 1 != 0
    }

    pub(super) fn is_folder(&self) -> bool {
        self.flags() & 2 != 0
    }

    pub(super) fn sequence(&self) -> u16 {
        u16_at(&self.bytes, 16).unwrap_or(0)
    }

    /// The record that this one is an extension of; record 0 for a record of its own.
    pub(super) fn base(&self) -> Reference {
        Reference::parse(&self.bytes, 32).unwrap_or(Reference { record: 0, sequence: 0 })
    }

    /// The attributes in it, up to the first that makes no sense.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        attributes(&self.bytes)
    }
}

/// The attributes of a file record's bytes, up to the first that makes no sense.
pub(super) fn attributes(record: &[u8]) -> impl Iterator<Item = Attribute<'_>> {
    let mut at = u16_at(record, 20).map_or(usize::MAX, usize::from);
    std::iter::from_fn(move || {
        let kind = u32_at(record, at).filter(|kind| *kind != END)?;
        let size =
            u32_at(record, at.checked_add(4)?).and_then(|size| usize::try_from(size).ok())?;
        let bytes = slice_at(record, at, size).filter(|bytes| bytes.len() >= 24)?;
        at = at.checked_add(size)?;
        Some(Attribute { kind, bytes })
    })
}

/// Puts back the bytes that the protection against torn writes replaced. Whether all were as expected.
pub(super) fn fix_up(record: &mut [u8]) -> bool {
    let (Some(at), Some(count)) = (u16_at(record, 4), u16_at(record, 6)) else { return false };
    let Some(array) = slice_at(record, at.into(), usize::from(count).saturating_mul(2)) else {
        return false;
    };
    let Some((check, originals)) = array.split_first_chunk::<2>() else { return false };
    let (check, originals) = (*check, originals.as_chunks::<2>().0.to_vec());
    if originals.len() != record.len().div_ceil(STRIDE) {
        return false;
    }
    record.chunks_mut(STRIDE).zip(originals).all(|(block, original)| {
        let is_whole = block.len() == STRIDE;
        let Some(end) = block.last_chunk_mut::<2>() else { return false };
        let is_expected = is_whole && *end == check;
        *end = original;
        is_expected
    })
}

/// An attribute, or the part of one that is in this record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute<'r> {
    pub(super) kind: u32,
    bytes: &'r [u8],
}

impl<'r> Attribute<'r> {
    /// Its name in UTF-16; empty for the unnamed one of its kind.
    pub(super) fn name(&self) -> Vec<u16> {
        let count = self.bytes.get(9).map_or(0, |count| usize::from(*count));
        let at = u16_at(self.bytes, 10).map_or(usize::MAX, usize::from);
        slice_at(self.bytes, at, count.saturating_mul(2)).map(units).unwrap_or_default()
    }

    pub(super) fn flags(&self) -> u16 {
        u16_at(self.bytes, 12).unwrap_or(0)
    }

    fn is_resident(&self) -> bool {
        self.bytes.get(8) == Some(&0)
    }

    /// Its value, where that is in the record.
    pub(super) fn value(&self) -> Option<&'r [u8]> {
        let length = usize::try_from(u32_at(self.bytes, 16)?).ok()?;
        let at = u16_at(self.bytes, 20)?.into();
        self.is_resident().then(|| slice_at(self.bytes, at, length))?
    }

    /// How its value is kept outside of the record, where it is.
    pub(super) fn outside(&self) -> Option<Outside<'r>> {
        if self.is_resident() {
            return None;
        }
        let exponent = u32::from(*self.bytes.get(34)?);
        Some(Outside {
            first_cluster: u64_at(self.bytes, 16)?,
            pairs: self.bytes.get(u16_at(self.bytes, 32)?.into()..)?,
            clusters_per_unit: if exponent == 0 { 0 } else { 1_u64.checked_shl(exponent)? },
            size: u64_at(self.bytes, 48)?,
            valid: u64_at(self.bytes, 56)?,
        })
    }

    /// The size of its value in bytes; absent for later parts of an attribute in several records.
    pub(super) fn size(&self) -> Option<u64> {
        match self.outside() {
            Some(outside) => (outside.first_cluster == 0).then_some(outside.size),
            None => self.value().map(length),
        }
    }
}

/// How the value of an attribute is kept outside of its record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outside<'r> {
    /// The first cluster of the value that is described here.
    pub(super) first_cluster: u64,
    /// The mapping pairs from there on.
    pub(super) pairs: &'r [u8],
    /// Clusters that are compressed together; 0 where none are.
    pub(super) clusters_per_unit: u64,
    /// The size in bytes. This and the next are meaningful in the first part only.
    pub(super) size: u64,
    /// How many bytes were ever written.
    pub(super) valid: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn protected() -> Vec<u8> {
        let mut record = vec![0; 1024];
        record[..4].copy_from_slice(b"FILE");
        record[4..8].copy_from_slice(&[48, 0, 3, 0]);
        record[48..54].copy_from_slice(&[7, 0, 1, 2, 3, 4]);
        record[510..512].copy_from_slice(&[7, 0]);
        record[1022..].copy_from_slice(&[7, 0]);
        record
    }

    #[test]
    fn protection_is_checked_and_taken_off() {
        let record = Record::parse(5, protected()).unwrap();
        assert_eq!((&record.bytes[510..512], &record.bytes[1022..]), (&[1, 2][..], &[3, 4][..]));
        for (at, byte) in [(0, 0), (510, 8), (1023, 1), (6, 2), (6, 4), (4, 255)] {
            let mut bytes = protected();
            bytes[at] = byte;
            if at == 4 {
                bytes[5] = 255;
            }
            assert!(Record::parse(5, bytes).is_err(), "{at} {byte}");
        }
    }

    #[test]
    fn attributes_end_where_they_make_no_sense() {
        let mut bytes = vec![0; 128];
        bytes[20] = 56;
        bytes[56..64].copy_from_slice(&[0x10, 0, 0, 0, 24, 0, 0, 0]);
        for (size, expected) in [(24_u8, 2), (23, 1), (0, 1), (49, 1)] {
            bytes[80..88].copy_from_slice(&[0x80, 0, 0, 0, size, 0, 0, 0]);
            bytes[104..108].fill(0xff);
            assert_eq!(attributes(&bytes).count(), expected, "{size}");
        }
    }
}
