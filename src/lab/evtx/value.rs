//! Values of events, with the type byte binary XML gives them.

use jiff::Timestamp;

use crate::lab::Sid;
use crate::lab::bytes::{utf16, utf16_z};
use crate::time::to_filetime;

/// One typed value of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// No value; elements that depend on it are left out by readers.
    Null,
    /// A string.
    Text(String),
    /// Strings that become one element each (`EventData` of classic providers).
    Texts(Vec<String>),
    /// An unsigned byte.
    Byte(u8),
    /// An unsigned 16-bit number.
    Word(u16),
    /// An unsigned 32-bit number.
    Dword(u32),
    /// An unsigned 64-bit number.
    Qword(u64),
    /// A 32-bit number shown as `0x…`.
    Hex32(u32),
    /// A 64-bit number shown as `0x…`, such as a logon id.
    Hex64(u64),
    /// A truth value.
    Bool(bool),
    /// Bytes.
    Binary(Vec<u8>),
    /// A GUID in its binary form.
    Guid([u8; 16]),
    /// A time in 100 ns ticks.
    Time(Timestamp),
    /// A security identifier.
    Sid(Sid),
}

/// Type byte of a value that is itself binary XML.
pub(super) const FRAGMENT: u8 = 0x21;

impl Value {
    /// A string value.
    pub fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    pub(super) fn kind(&self) -> u8 {
        match self {
            Value::Null => 0x00,
            Value::Text(_) => 0x01,
            Value::Byte(_) => 0x04,
            Value::Word(_) => 0x06,
            Value::Dword(_) => 0x08,
            Value::Qword(_) => 0x0a,
            Value::Bool(_) => 0x0d,
            Value::Binary(_) => 0x0e,
            Value::Guid(_) => 0x0f,
            Value::Time(_) => 0x11,
            Value::Sid(_) => 0x13,
            Value::Hex32(_) => 0x14,
            Value::Hex64(_) => 0x15,
            Value::Texts(_) => 0x81,
        }
    }

    /// The stored bytes; providers with a manifest end their strings with a NUL, all others do not.
    pub(super) fn bytes(&self, terminated: bool) -> Vec<u8> {
        match self {
            Value::Null => Vec::new(),
            Value::Text(text) if terminated => utf16_z(text),
            Value::Text(text) => utf16(text),
            Value::Texts(texts) => texts.iter().flat_map(|text| utf16_z(text)).collect(),
            Value::Byte(value) => vec![*value],
            Value::Word(value) => value.to_le_bytes().to_vec(),
            Value::Dword(value) | Value::Hex32(value) => value.to_le_bytes().to_vec(),
            Value::Qword(value) | Value::Hex64(value) => value.to_le_bytes().to_vec(),
            Value::Bool(value) => u32::from(*value).to_le_bytes().to_vec(),
            Value::Binary(bytes) => bytes.clone(),
            Value::Guid(bytes) => bytes.to_vec(),
            Value::Time(time) => to_filetime(*time).to_le_bytes().to_vec(),
            Value::Sid(sid) => sid.bytes().to_vec(),
        }
    }
}
