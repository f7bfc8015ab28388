//! Registry values: a name, a type and data that need not agree with it.

use crate::text;

/// The type Windows keeps with a value's data; the data need not agree with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ValueKind {
    /// `REG_NONE`.
    None,
    /// `REG_SZ`: a string.
    Sz,
    /// `REG_EXPAND_SZ`: a string with environment variables.
    ExpandSz,
    /// `REG_BINARY`.
    Binary,
    /// `REG_DWORD`: 32 bits, little-endian.
    Dword,
    /// `REG_DWORD_BIG_ENDIAN`.
    DwordBigEndian,
    /// `REG_LINK`: the target of a symbolic link.
    Link,
    /// `REG_MULTI_SZ`: several strings.
    MultiSz,
    /// `REG_RESOURCE_LIST`.
    ResourceList,
    /// `REG_FULL_RESOURCE_DESCRIPTOR`.
    FullResourceDescriptor,
    /// `REG_RESOURCE_REQUIREMENTS_LIST`.
    ResourceRequirementsList,
    /// `REG_QWORD`: 64 bits, little-endian.
    Qword,
    /// Any other number; programs may store what they like.
    Other(u32),
}

impl From<u32> for ValueKind {
    fn from(code: u32) -> Self {
        match code {
            0 => Self::None,
            1 => Self::Sz,
            2 => Self::ExpandSz,
            3 => Self::Binary,
            4 => Self::Dword,
            5 => Self::DwordBigEndian,
            6 => Self::Link,
            7 => Self::MultiSz,
            8 => Self::ResourceList,
            9 => Self::FullResourceDescriptor,
            10 => Self::ResourceRequirementsList,
            11 => Self::Qword,
            other => Self::Other(other),
        }
    }
}

impl std::fmt::Display for ValueKind {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::None => "REG_NONE",
            Self::Sz => "REG_SZ",
            Self::ExpandSz => "REG_EXPAND_SZ",
            Self::Binary => "REG_BINARY",
            Self::Dword => "REG_DWORD",
            Self::DwordBigEndian => "REG_DWORD_BIG_ENDIAN",
            Self::Link => "REG_LINK",
            Self::MultiSz => "REG_MULTI_SZ",
            Self::ResourceList => "REG_RESOURCE_LIST",
            Self::FullResourceDescriptor => "REG_FULL_RESOURCE_DESCRIPTOR",
            Self::ResourceRequirementsList => "REG_RESOURCE_REQUIREMENTS_LIST",
            Self::Qword => "REG_QWORD",
            Self::Other(code) => return write!(formatter, "type {code:#x}"),
        })
    }
}

/// A value as it is in the hive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// The name; empty for a key's default value.
    pub name: String,
    /// The type.
    pub kind: ValueKind,
    /// The data, as far as it could be read.
    pub data: Vec<u8>,
    /// File offset of the value's cell, in bytes; the `vk` record starts 4 bytes on.
    pub offset: usize,
    /// Whether the record or the data differ from the primary file, so that a transaction log says this.
    pub from_log: bool,
    /// What is wrong with the name or the data, if anything is.
    pub damage: Option<String>,
}

impl Value {
    /// The text of any string type, up to the first NUL; the strings of `REG_MULTI_SZ` joined by `; `.
    ///
    /// `None` for other types.
    pub fn text(&self) -> Option<String> {
        match self.kind {
            ValueKind::Sz | ValueKind::ExpandSz | ValueKind::Link => {
                Some(text::utf16le_until_nul(&self.data))
            }
            ValueKind::MultiSz => self.texts().map(|texts| texts.join("; ")),
            _ => None,
        }
    }

    /// The strings of `REG_MULTI_SZ`, without empty ones; the one string of another string type.
    pub fn texts(&self) -> Option<Vec<String>> {
        match self.kind {
            ValueKind::MultiSz => {
                let all = text::utf16le(&self.data);
                Some(all.split('\0').filter(|text| !text.is_empty()).map(String::from).collect())
            }
            _ => self.text().map(|text| vec![text]),
        }
    }

    /// The number in a `REG_DWORD` (either byte order) of exactly 4 bytes.
    pub fn dword(&self) -> Option<u32> {
        let data = self.data.as_slice().try_into().ok()?;
        match self.kind {
            ValueKind::Dword => Some(u32::from_le_bytes(data)),
            ValueKind::DwordBigEndian => Some(u32::from_be_bytes(data)),
            _ => None,
        }
    }

    /// The number in a `REG_QWORD` of exactly 8 bytes.
    pub fn qword(&self) -> Option<u64> {
        let data = self.data.as_slice().try_into().ok()?;
        (self.kind == ValueKind::Qword).then(|| u64::from_le_bytes(data))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(kind: u32, data: &[u8]) -> Value {
        Value {
            name: "v".into(),
            kind: kind.into(),
            data: data.into(),
            offset: 0,
            from_log: false,
            damage: None,
        }
    }

    #[test]
    fn every_string_type_reads_as_text() {
        for (kind, data, expected) in [
            (1, &b"a\0b\0\0\0c\0"[..], Some("ab")),
            (2, b"a\0b\0c", Some("ab")),
            (6, b"a\0", Some("a")),
            (7, b"a\0\0\0b\0\0\0\0\0", Some("a; b")),
            (3, b"a\0", None),
            (0x1234, b"a\0", None),
        ] {
            assert_eq!(value(kind, data).text().as_deref(), expected, "type {kind}");
        }
    }

    #[test]
    fn numbers_need_their_type_and_size() {
        assert_eq!(value(4, &[1, 0, 0, 0]).dword(), Some(1));
        assert_eq!(value(5, &[0, 0, 0, 1]).dword(), Some(1));
        assert_eq!(value(4, &[1, 0]).dword(), None);
        assert_eq!(value(3, &[1, 0, 0, 0]).dword(), None);
        assert_eq!(value(11, &[1, 0, 0, 0, 0, 0, 0, 1]).qword(), Some(0x0100_0000_0000_0001));
    }

    #[test]
    fn unknown_types_keep_their_number() {
        assert_eq!(ValueKind::from(0x0012_0000).to_string(), "type 0x120000");
        assert_eq!(ValueKind::from(2).to_string(), "REG_EXPAND_SZ");
    }
}
