//! The values of a template instance, typed, and their text exactly as rendering writes it.
//!
//! Types whose text takes more than a line to say, and values that are damaged, are not understood here: the whole record
//! is rendered then. (Types: \[MS-EVEN6\] 2.2.12 and libyal.)

use std::fmt::Write as _;

use jiff::Timestamp;

use super::bytes::{array_at, offset_at, slice_at, u16_at, u32_at, u64_at};
use super::tokens::DEFINITION_HEADER_SIZE;
use crate::time::from_filetime;

const FRAGMENT_HEADER: u8 = 0x0f;
const TEMPLATE_INSTANCE: u8 = 0x0c;
const END: u8 = 0x00;
/// Values of one instance; real ones have a few dozen.
const MOST_VALUES: usize = 512;

const NULL: u8 = 0x00;
const STRING: u8 = 0x01;
const ANSI: u8 = 0x02;
const BOOL: u8 = 0x0d;
const BINARY: u8 = 0x0e;
const GUID: u8 = 0x0f;
const SIZE: u8 = 0x10;
const FILETIME: u8 = 0x11;
const SID: u8 = 0x13;
const HEX32: u8 = 0x14;
const HEX64: u8 = 0x15;
const BINXML: u8 = 0x21;
const STRINGS: u8 = 0x81;

/// One value; its size fits its type.
#[derive(Debug, Clone, Copy)]
pub(super) struct Value<'c> {
    kind: u8,
    bytes: &'c [u8],
    /// Where the value is in the chunk.
    at: usize,
}

/// A template instance: where its definition is and its values.
#[derive(Debug, Default)]
pub(super) struct Instance<'c> {
    pub(super) definition: usize,
    pub(super) values: Vec<Value<'c>>,
}

impl<'c> Instance<'c> {
    /// Reads the one instance that a part of the chunk consists of; `None` for anything else.
    ///
    /// The values are put into `self`, so that their memory is used again.
    pub(super) fn read(&mut self, data: &'c [u8], from: usize, until: usize) -> Option<()> {
        self.values.clear();
        let part = data.get(..until)?;
        let mut at = from;
        if *part.get(at)? == FRAGMENT_HEADER {
            at = at.checked_add(4)?;
        }
        if *part.get(at)? != TEMPLATE_INSTANCE {
            return None;
        }
        self.definition = offset_at(part, at.checked_add(6)?)?;
        at = at.checked_add(10)?;
        if self.definition == at {
            let body = offset_at(part, at.checked_add(20)?)?;
            at = at.checked_add(DEFINITION_HEADER_SIZE)?.checked_add(body)?;
        }
        let count = offset_at(part, at)?;
        if count > MOST_VALUES {
            return None;
        }
        let descriptors = slice_at(part, at.checked_add(4)?, count.checked_mul(4)?)?;
        at = at.checked_add(4)?.checked_add(descriptors.len())?;
        for descriptor in descriptors.as_chunks::<4>().0 {
            let [low, high, kind, _] = *descriptor;
            let size = usize::from(u16::from_le_bytes([low, high]));
            let value = Value { kind, bytes: slice_at(part, at, size)?, at };
            self.values.push(value.checked()?);
            at = at.checked_add(size)?;
        }
        matches!(part.get(at..)?, [] | [END, ..]).then_some(())
    }

    pub(super) fn value(&self, slot: u16) -> Option<&Value<'c>> {
        self.values.get(usize::from(slot))
    }
}

impl<'c> Value<'c> {
    /// The value, if its size is right for its type and its text is known here.
    fn checked(self) -> Option<Self> {
        let size = self.bytes.len();
        let fits = match self.kind {
            NULL | ANSI | BINARY | BINXML => true,
            STRING | STRINGS => size.is_multiple_of(2),
            0x03 | 0x04 => size == 1,
            0x05 | 0x06 => size == 2,
            0x07 | 0x08 | BOOL | HEX32 => size == 4,
            0x09 | 0x0a | FILETIME | HEX64 => size == 8,
            GUID => size == 16,
            SIZE => size == 4 || size == 8,
            SID => size == usize::from(*self.bytes.get(1)?).saturating_mul(4).saturating_add(8),
            _ => false,
        };
        fits.then_some(self)
    }

    /// Whether it is NULL, which leaves out the elements that depend on it.
    pub(super) fn is_null(&self) -> bool {
        self.kind == NULL || self.kind == BINXML && self.bytes.is_empty()
    }

    /// Whether it is a nested document.
    pub(super) fn is_document(&self) -> bool {
        self.kind == BINXML && !self.bytes.is_empty()
    }

    /// Where a nested document starts and ends in the chunk.
    pub(super) fn range(&self) -> (usize, usize) {
        (self.at, self.at.saturating_add(self.bytes.len()))
    }

    /// The UTF-16LE of a string up to its first NUL.
    pub(super) fn utf16(&self) -> Option<&'c [u8]> {
        (self.kind == STRING).then(|| until_nul(self.bytes))
    }

    /// An unsigned number of 16, 32 or 64 bits.
    pub(super) fn unsigned(&self) -> Option<u64> {
        match self.kind {
            0x04 => self.bytes.first().map(|byte| u64::from(*byte)),
            0x06 => u16_at(self.bytes, 0).map(u64::from),
            0x08 | HEX32 => u32_at(self.bytes, 0).map(u64::from),
            0x0a | HEX64 => u64_at(self.bytes, 0),
            _ => None,
        }
    }

    /// A time; `None` for those that a calendar does not hold, too.
    pub(super) fn time(&self) -> Option<Timestamp> {
        u64_at(self.bytes, 0).filter(|_| self.kind == FILETIME).and_then(from_filetime)
    }

    /// Whether a value has no text: an empty string, nothing, no bytes.
    ///
    /// `None`: not understood.
    pub(super) fn is_empty(&self) -> Option<bool> {
        Some(match self.kind {
            STRING => until_nul(self.bytes).is_empty(),
            ANSI => self.bytes.iter().all(|byte| *byte == 0),
            STRINGS => return None,
            NULL => true,
            BINARY | BINXML => self.bytes.is_empty(),
            _ => false,
        })
    }

    /// Whether [`Value::text`] gives one.
    pub(super) fn has_text(&self) -> bool {
        match self.kind {
            STRING => is_whole(until_nul(self.bytes)),
            ANSI => self.bytes.is_ascii(),
            BINXML => self.bytes.is_empty(),
            FILETIME => self.time().is_some(),
            kind => kind != STRINGS,
        }
    }

    /// The items of a list of strings; `None` for anything else and for lists that are not whole.
    pub(super) fn list(&self) -> Option<Vec<String>> {
        let units = self.bytes.as_chunks::<2>().0;
        let (last, items) = units.split_last()?;
        if self.kind != STRINGS || *last != [0, 0] {
            return None;
        }
        items.split(|unit| *unit == [0, 0]).map(|item| text(item.as_flattened())).collect()
    }

    /// The text of a value; empty where it has none. `None`: not understood.
    pub(super) fn text(&self) -> Option<String> {
        let bytes = self.bytes;
        Some(match self.kind {
            NULL => String::new(),
            STRING => return text(until_nul(bytes)),
            ANSI => {
                let shown = bytes.iter().filter(|byte| **byte != 0);
                shown
                    .map(|byte| byte.is_ascii().then(|| char::from(*byte)))
                    .collect::<Option<_>>()?
            }
            0x03 => i8::from_le_bytes(array_at(bytes, 0)?).to_string(),
            0x04 => bytes.first()?.to_string(),
            0x05 => i16::from_le_bytes(array_at(bytes, 0)?).to_string(),
            0x06 => u16_at(bytes, 0)?.to_string(),
            0x07 => i32::from_le_bytes(array_at(bytes, 0)?).to_string(),
            0x08 => u32_at(bytes, 0)?.to_string(),
            0x09 => i64::from_le_bytes(array_at(bytes, 0)?).to_string(),
            0x0a => u64_at(bytes, 0)?.to_string(),
            BOOL => match i32::from_le_bytes(array_at(bytes, 0)?) {
                0 => "false".to_owned(),
                1 => "true".to_owned(),
                other => other.to_string(),
            },
            BINARY => hexadecimal(bytes),
            GUID => guid(bytes)?,
            SIZE if bytes.len() == 4 => format!("{:#x}", u32_at(bytes, 0)?),
            HEX32 => format!("{:#x}", u32_at(bytes, 0)?),
            SIZE | HEX64 => format!("{:#x}", u64_at(bytes, 0)?),
            FILETIME => crate::time::format(self.time()?),
            SID => sid(bytes)?,
            BINXML if bytes.is_empty() => String::new(),
            _ => return None,
        })
    }
}

/// UTF-16LE up to the first NUL.
fn until_nul(bytes: &[u8]) -> &[u8] {
    let units = bytes.as_chunks::<2>().0;
    let length = units.iter().position(|unit| *unit == [0, 0]).unwrap_or(units.len());
    units.get(..length).unwrap_or_default().as_flattened()
}

/// UTF-16LE as text; `None` for unpaired surrogates.
pub(super) fn text(utf16: &[u8]) -> Option<String> {
    let units = utf16.as_chunks::<2>().0;
    if units.iter().fold(0, |sum, unit| sum | unit[1] | unit[0] & 0x80) == 0 {
        return String::from_utf8(units.iter().map(|unit| unit[0]).collect()).ok();
    }
    char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
        .collect::<Result<_, _>>()
        .ok()
}

/// Whether UTF-16LE has no unpaired surrogates.
fn is_whole(utf16: &[u8]) -> bool {
    let units = utf16.as_chunks::<2>().0;
    units.iter().all(|unit| unit[1] & 0xf8 != 0xd8)
        || char::decode_utf16(units.iter().map(|unit| u16::from_le_bytes(*unit)))
            .all(|unit| unit.is_ok())
}

fn hexadecimal(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from(if value < 10 { b'0' + value } else { b'A' - 10 + value });
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn guid(bytes: &[u8]) -> Option<String> {
    let (first, second, third) = (u32_at(bytes, 0)?, u16_at(bytes, 4)?, u16_at(bytes, 6)?);
    let [a, b, rest @ ..] = array_at::<8>(bytes, 8)?;
    let mut text = format!("{{{first:08x}-{second:04x}-{third:04x}-{a:02x}{b:02x}-");
    for byte in rest {
        write!(text, "{byte:02x}").ok()?;
    }
    text.push('}');
    Some(text)
}

/// Revision, count of sub-authorities, authority (48 bits, big-endian), sub-authorities.
fn sid(bytes: &[u8]) -> Option<String> {
    let [revision, count] = array_at::<2>(bytes, 0)?;
    let authority = u64::from_be_bytes(array_at(bytes, 0)?) & 0xffff_ffff_ffff;
    let mut text = format!("S-{revision}-{authority}");
    let rest = bytes.get(8..)?.as_chunks::<4>().0;
    for part in rest.iter().take(usize::from(count)) {
        write!(text, "-{}", u32::from_le_bytes(*part)).ok()?;
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(kind: u8, bytes: &[u8]) -> Option<String> {
        Value { kind, bytes, at: 0 }.checked()?.text()
    }

    #[test]
    fn values_are_written_as_rendering_writes_them() {
        let guid: Vec<u8> = (0x10..0x20).collect();
        for (kind, bytes, expected) in [
            (NULL, &[][..], Some("")),
            (STRING, b"a\0\xe9\0\0\0b\0", Some("a\u{e9}")),
            (STRING, b"a\0b", None),
            (STRING, b"\x3d\xd8", None),
            (STRING, b"\x3d\xd8\x00\xde", Some("\u{1f600}")),
            (ANSI, b"a\0b\0", Some("ab")),
            (ANSI, b"\xe9", None),
            (0x03, &[255], Some("-1")),
            (0x06, &[1, 2], Some("513")),
            (0x06, &[1], None),
            (0x08, &[255, 255, 255, 255], Some("4294967295")),
            (BOOL, &[1, 0, 0, 0], Some("true")),
            (BOOL, &[2, 0, 0, 0], Some("2")),
            (BINARY, &[0, 0xaf], Some("00AF")),
            (GUID, &guid, Some("{13121110-1514-1716-1819-1a1b1c1d1e1f}")),
            (SIZE, &[0; 4], Some("0x0")),
            (HEX64, &[0xe7, 3, 0, 0, 0, 0, 0, 0], Some("0x3e7")),
            (SID, &[1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0], Some("S-1-5-18")),
            (SID, &[1, 2, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0], None),
            (FILETIME, &[0; 8], None),
            (FILETIME, &[0, 128, 62, 213, 222, 177, 157, 1], Some("1970-01-01T00:00:00.0000000Z")),
            (0x0c, &[0; 8], None),
            (0x77, &[], None),
        ] {
            assert_eq!(shown(kind, bytes).as_deref(), expected, "{kind:#x} {bytes:?}");
            let value = Value { kind, bytes, at: 0 }.checked();
            assert_eq!(value.is_some_and(|one| one.has_text()), expected.is_some(), "{kind:#x}");
        }
    }

    #[test]
    fn lists_end_with_their_last_item() {
        let list = |bytes| Value { kind: STRINGS, bytes, at: 0 }.list();
        assert_eq!(list(b"a\0\0\0b\0\0\0"), Some(vec!["a".to_owned(), "b".to_owned()]));
        assert_eq!(list(b"\0\0"), Some(vec![String::new()]));
        assert_eq!((list(b"a\0"), list(b"")), (None, None));
    }
}
