//! Records of deleted files, found by name in the whole `$MFT`.

use std::collections::BTreeSet;

use super::bytes::{index, slice_at, u16_at, units};
use super::mft::Mft;
use super::record::{FILE_NAME, Reference, attributes, fix_up};
use super::upcase::Upcase;
use crate::evidence::source::{Source, read_up_to};

/// How much is read at once, in bytes.
const BLOCK: u64 = 1 << 20;
/// More deleted files are not told.
const MOST: usize = 10_000;

/// The numbers of the records of deleted files that bear one of the names, in any case: one pass over all records.
pub(super) fn find(mft: &Mft, upcase: &Upcase, names: &[&str]) -> BTreeSet<u64> {
    let names: BTreeSet<Vec<u16>> =
        names.iter().map(|name| upcase.fold(name.encode_utf16())).collect();
    let bytes = mft.bytes();
    let mut found = BTreeSet::new();
    let mut block = vec![0; index(BLOCK)];
    let mut at = 0;
    while at < bytes.size() && found.len() < MOST {
        // A part that cannot be read costs the records in it.
        let count = read_up_to(&bytes, at, &mut block).unwrap_or(0);
        let block = block.get_mut(..count).unwrap_or_default();
        let first = at.checked_div(mft.record_size).unwrap_or(0);
        for (number, record) in (first..).zip(block.chunks_exact_mut(index(mft.record_size))) {
            if is_free(record) && fix_up(record) && bears(record, upcase, &names) {
                // A name may be in a record that only extended another.
                let base = Reference::parse(record, 32).map_or(0, |base| base.record);
                found.insert(if base == 0 { number } else { base });
            }
        }
        at = at.saturating_add(BLOCK);
    }
    found
}

fn is_free(record: &[u8]) -> bool {
    record.starts_with(b"FILE") && u16_at(record, 22).is_some_and(|flags| flags & 1 == 0)
}

fn bears(record: &[u8], upcase: &Upcase, names: &BTreeSet<Vec<u16>>) -> bool {
    attributes(record).filter(|attribute| attribute.kind == FILE_NAME).any(|attribute| {
        let value = attribute.value().unwrap_or_default();
        let length = value.get(64).map_or(0, |units| usize::from(*units));
        slice_at(value, 66, length.saturating_mul(2))
            .is_some_and(|found| names.contains(&upcase.fold(units(found))))
    })
}
