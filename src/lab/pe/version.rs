//! `VS_VERSIONINFO`: blocks of a length, a value, a key and children, each at a multiple of four.

use super::super::bytes::{Buffer, short, utf16, utf16_z};
use crate::host::program_file::VersionResource;

/// The resource with one table of strings for each language.
pub(super) fn build(versions: &[(u32, VersionResource)]) -> Vec<u8> {
    let tables: Vec<Vec<u8>> = versions
        .iter()
        .map(|(language, version)| {
            let strings: Vec<_> =
                named(version).into_iter().map(|(key, value)| text(key, &value)).collect();
            block(&format!("{language:08X}"), 1, &[], 0, &strings)
        })
        .collect();
    let mut translations = Buffer::default();
    for (language, _) in versions {
        translations.u32(language.rotate_left(16));
    }
    let translations = translations.into_vec();
    let var = block("Translation", 0, &translations, short(translations.len()), &[]);
    let children =
        [block("StringFileInfo", 1, &[], 0, &tables), block("VarFileInfo", 1, &[], 0, &[var])];
    let fixed = fixed(versions.first().and_then(|(_, version)| version.version.as_deref()));
    block("VS_VERSION_INFO", 0, &fixed, short(fixed.len()), &children)
}

fn named(version: &VersionResource) -> Vec<(&'static str, String)> {
    let fields = [
        ("CompanyName", &version.company),
        ("FileDescription", &version.description),
        ("FileVersion", &version.version),
        ("InternalName", &version.internal_name),
        ("OriginalFilename", &version.original_name),
        ("ProductName", &version.product),
    ];
    fields.into_iter().filter_map(|(key, value)| Some((key, value.clone()?))).collect()
}

fn text(key: &str, value: &str) -> Vec<u8> {
    let units = short(utf16(value).len() / 2).saturating_add(1);
    block(key, 1, &utf16_z(value), units, &[])
}

/// A block. `value_length` counts bytes, or units of UTF-16 where the value is text.
fn block(key: &str, kind: u16, value: &[u8], value_length: u16, children: &[Vec<u8>]) -> Vec<u8> {
    let mut buffer = Buffer::default();
    buffer.u16(0).u16(value_length).u16(kind).bytes(&utf16_z(key)).align(4).bytes(value);
    for child in children {
        buffer.align(4).bytes(child);
    }
    let length = short(buffer.len());
    buffer.patch(0, &length.to_le_bytes());
    buffer.into_vec()
}

/// `VS_FIXEDFILEINFO` with the version as far as its text is numbers.
fn fixed(version: Option<&str>) -> Vec<u8> {
    let mut parts = version.unwrap_or_default().split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || -> u32 { parts.next().unwrap_or(0) };
    let (high, low) = (next() << 16 | next() & 0xffff, next() << 16 | next() & 0xffff);
    let mut buffer = Buffer::default();
    buffer.u32(0xfeef_04bd).u32(0x1_0000).u32(high).u32(low).u32(high).u32(low);
    buffer.u32(0x3f).u32(0).u32(0x4_0004).u32(1).u32(0).u32(0).u32(0);
    buffer.into_vec()
}
