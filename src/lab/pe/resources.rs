//! The resource directory: three levels, kind, name and language.

use std::collections::BTreeMap;

use super::super::bytes::{Buffer, length, short, utf16};

/// A resource.
#[derive(Debug, Clone)]
pub(super) struct Resource {
    kind: Name,
    name: Name,
    bytes: Vec<u8>,
}

/// Names stand before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Text(String),
    Number(u32),
}

impl Name {
    fn of(text: &str) -> Self {
        let number = text.strip_prefix('#').and_then(|digits| digits.parse().ok());
        number.map_or_else(|| Self::Text(text.to_owned()), Self::Number)
    }
}

impl Resource {
    pub(super) fn new(kind: &str, name: &str, bytes: Vec<u8>) -> Self {
        Self { kind: Name::of(kind), name: Name::of(name), bytes }
    }
}

/// The language of every resource: English (United States).
const LANGUAGE: u32 = 0x409;

/// The section's bytes. `address` is where it is in memory.
pub(super) fn build(resources: &[Resource], address: u32) -> Vec<u8> {
    let mut kinds: BTreeMap<&Name, BTreeMap<&Name, &[u8]>> = BTreeMap::new();
    for one in resources {
        kinds.entry(&one.kind).or_default().insert(&one.name, &one.bytes);
    }
    let mut buffer = Buffer::default();
    let root = directory(&mut buffer, &kinds.keys().copied().collect::<Vec<_>>());
    for (kind_entry, names) in root.into_iter().zip(kinds.values()) {
        point(&mut buffer, kind_entry, true);
        let entries = directory(&mut buffer, &names.keys().copied().collect::<Vec<_>>());
        for (name_entry, bytes) in entries.into_iter().zip(names.values()) {
            point(&mut buffer, name_entry, true);
            for language in directory(&mut buffer, &[&Name::Number(LANGUAGE)]) {
                point(&mut buffer, language, false);
                let data = address.saturating_add(buffer.position()).saturating_add(16);
                buffer.u32(data).u32(length(bytes.len())).u32(0).u32(0).bytes(bytes).align(8);
            }
        }
    }
    buffer.into_vec()
}

/// Writes an `IMAGE_RESOURCE_DIRECTORY` with its names; gives the places of its entries, in order.
fn directory(buffer: &mut Buffer, names: &[&Name]) -> Vec<usize> {
    let texts = names.iter().filter(|name| matches!(name, Name::Text(_))).count();
    buffer.u32(0).u32(0).u16(0).u16(0);
    buffer.u16(short(texts)).u16(short(names.len().saturating_sub(texts)));
    let first = buffer.len();
    buffer.zeros(names.len().saturating_mul(8));
    let entries: Vec<usize> =
        (0..names.len()).map(|at| first.saturating_add(at.saturating_mul(8))).collect();
    for (entry, name) in entries.iter().zip(names) {
        let value = match name {
            Name::Number(number) => *number,
            Name::Text(text) => {
                let at = buffer.position() | 0x8000_0000;
                let units = utf16(text);
                buffer.u16(short(units.len() / 2)).bytes(&units).align(4);
                at
            }
        };
        buffer.patch(*entry, &value.to_le_bytes());
    }
    buffer.align(4);
    entries
}

/// Lets an entry point at what is written next.
fn point(buffer: &mut Buffer, entry: usize, is_directory: bool) {
    let flag = if is_directory { 0x8000_0000 } else { 0 };
    let target = buffer.position() | flag;
    buffer.patch(entry.saturating_add(4), &target.to_le_bytes());
}
