//! `VS_VERSIONINFO` (Windows API): blocks of a length, the length of a value, a kind, a key,
//! the value and children, each beginning at a multiple of four.

use super::{Damage, cut};
use crate::bytes::{slice_at, u16_at, u32_at};
use crate::host::program_file::VersionResource;
use crate::text::utf16le_until_nul;

/// Children of one block that are looked at.
const MOST_CHILDREN: usize = 256;
/// Begins `VS_FIXEDFILEINFO`.
const FIXED: u32 = 0xfeef_04bd;

/// A block.
struct Block<'a> {
    key: String,
    value: &'a [u8],
    children: &'a [u8],
}

/// Strings of one language, by their names.
struct Table {
    language: String,
    strings: Vec<(String, String)>,
}

/// Reads a version resource. Of several languages the one that the table of translations names first is taken, which
/// is what Windows shows, else the first.
pub(super) fn read(bytes: &[u8], damage: &mut Damage) -> Option<VersionResource> {
    let Some((root, _)) = block(bytes).filter(|(root, _)| root.key == "VS_VERSION_INFO") else {
        damage.say("the version resource is damaged");
        return None;
    };
    let mut tables = Vec::new();
    let mut translation = None;
    for child in children(root.children) {
        match child.key.as_str() {
            "StringFileInfo" => tables.extend(children(child.children).map(|one| table(&one))),
            "VarFileInfo" => {
                let var = children(child.children).find(|var| var.key == "Translation");
                translation = var.and_then(|var| first_translation(var.value));
            }
            _ => {}
        }
    }
    let named = translation
        .and_then(|key| tables.iter().find(|table| table.language.eq_ignore_ascii_case(&key)));
    let table = named.or_else(|| tables.first());
    let string = |name: &str| {
        let strings = table.map(|table| table.strings.as_slice()).unwrap_or_default();
        let found = strings.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
    };
    Some(VersionResource {
        company: string("CompanyName"),
        product: string("ProductName"),
        description: string("FileDescription"),
        original_name: string("OriginalFilename"),
        internal_name: string("InternalName"),
        version: string("FileVersion").or_else(|| fixed_version(root.value)),
    })
}

fn table(block: &Block<'_>) -> Table {
    let strings = children(block.children)
        .map(|string| (string.key, cut(utf16le_until_nul(string.value).trim())))
        .collect();
    Table { language: block.key.clone(), strings }
}

/// Language and code page as the keys of string tables are written: `040904B0`.
fn first_translation(value: &[u8]) -> Option<String> {
    let (language, page) = (u16_at(value, 0)?, u16_at(value, 2)?);
    Some(format!("{language:04X}{page:04X}"))
}

fn fixed_version(value: &[u8]) -> Option<String> {
    if u32_at(value, 0)? != FIXED {
        return None;
    }
    let (high, low) = (u32_at(value, 8)?, u32_at(value, 12)?);
    Some(format!("{}.{}.{}.{}", high >> 16, high & 0xffff, low >> 16, low & 0xffff))
}

fn children(bytes: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let (block, length) = block(rest)?;
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(block)
    })
    .take(MOST_CHILDREN)
}

/// The block at the beginning, and its length. A length past the end is cut: resource compilers write some.
fn block(bytes: &[u8]) -> Option<(Block<'_>, usize)> {
    let length = usize::from(u16_at(bytes, 0)?).min(bytes.len());
    let value_length = usize::from(u16_at(bytes, 2)?);
    let is_text = u16_at(bytes, 4)? == 1;
    let bytes = bytes.get(..length)?;
    let named = bytes.get(6..)?;
    let key_units = named.chunks_exact(2).position(|unit| unit == [0, 0])?;
    let key = utf16le_until_nul(named.get(..key_units.checked_mul(2)?)?);
    let start = 6_usize.checked_add(key_units.checked_add(1)?.checked_mul(2)?)?;
    let start = start.next_multiple_of(4);
    // Texts are counted in units, though some compilers count bytes: a text ends with its block in any case.
    let value_size = if is_text { value_length.saturating_mul(2) } else { value_length };
    let rest = bytes.get(start..).unwrap_or_default();
    let value = slice_at(rest, 0, value_size.min(rest.len())).unwrap_or_default();
    let children = rest.get(value.len().next_multiple_of(4)..).unwrap_or_default();
    Some((Block { key, value, children }, length))
}
