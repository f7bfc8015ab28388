//! Distinguished names (RFC 5280 4.1.2.4, RFC 4514).

use super::asn1::{Value, tag};
use super::oid;
use crate::text::fold;

/// How many parts of a name are read, and how long one may be, in characters: names come from whoever signed.
const MOST_PARTS: usize = 24;
const LONGEST: usize = 128;

/// A name, as its type and text in the order in which they stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Name<'a> {
    parts: Vec<(&'a [u8], String)>,
}

impl<'a> Name<'a> {
    /// Reads a name as far as it can be read.
    pub(super) fn read(bytes: &'a [u8]) -> Self {
        let mut parts = Vec::new();
        let Ok(whole) = Value::of(bytes) else { return Self { parts } };
        let mut sets = whole.inside();
        while let Ok(Some(set)) = sets.next() {
            let mut pairs = set.inside();
            while let Ok(Some(pair)) = pairs.next() {
                let mut fields = pair.inside();
                let (Ok(kind), Ok(value)) = (fields.expect(tag::OBJECT_IDENTIFIER), fields.any())
                else {
                    continue;
                };
                if parts.len() >= MOST_PARTS {
                    return Self { parts };
                }
                parts.push((kind.content, text(value)));
            }
        }
        Self { parts }
    }

    fn part(&self, kind: &[u8]) -> Option<&str> {
        self.parts.iter().rev().find(|(own, _)| *own == kind).map(|(_, text)| text.as_str())
    }

    /// `O`.
    pub(super) fn organization(&self) -> Option<&str> {
        self.part(oid::ORGANIZATION)
    }

    /// What people call it: the common name, else the unit, else the organization.
    pub(super) fn common(&self) -> String {
        [oid::COMMON_NAME, oid::ORGANIZATIONAL_UNIT, oid::ORGANIZATION]
            .into_iter()
            .find_map(|kind| self.part(kind))
            .unwrap_or("(no name)")
            .to_owned()
    }

    /// Whether both are the same without regard to case, spaces and the type of string (RFC 5280 7.1).
    pub(super) fn is_same(&self, other: &Self) -> bool {
        let canonical = |text: &str| fold(&text.split_whitespace().collect::<Vec<_>>().join(" "));
        self.parts.len() == other.parts.len()
            && !self.parts.is_empty()
            && self.parts.iter().zip(&other.parts).all(|((left_kind, left), (kind, right))| {
                left_kind == kind && canonical(left) == canonical(right)
            })
    }

    /// As text (RFC 4514): the last part first.
    pub(super) fn distinguished(&self) -> String {
        let parts = self.parts.iter().rev().map(|(kind, text)| {
            let kind = match *kind {
                oid::COMMON_NAME => "CN".to_owned(),
                oid::COUNTRY => "C".to_owned(),
                oid::LOCALITY => "L".to_owned(),
                oid::STATE => "ST".to_owned(),
                oid::ORGANIZATION => "O".to_owned(),
                oid::ORGANIZATIONAL_UNIT => "OU".to_owned(),
                other => oid::dotted(other),
            };
            format!("{kind}={}", escaped(text))
        });
        parts.collect::<Vec<_>>().join(",")
    }
}

/// RFC 4514 2.4.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for (at, c) in text.chars().enumerate() {
        let is_special = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || at == 0 && matches!(c, ' ' | '#');
        if is_special {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// A string of any of the types of names, as far as it is text.
fn text(value: Value<'_>) -> String {
    let text: String = match value.tag {
        tag::BMP_STRING => {
            let units = value.content.chunks_exact(2).take(LONGEST).map(|pair| match pair {
                [high, low] => u16::from_be_bytes([*high, *low]),
                _ => 0,
            });
            char::decode_utf16(units).map(|c| c.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
        }
        tag::UNIVERSAL_STRING => value
            .content
            .as_chunks::<4>()
            .0
            .iter()
            .take(LONGEST)
            .map(|four| char::from_u32(u32::from_be_bytes(*four)).unwrap_or('\u{fffd}'))
            .collect(),
        tag::TELETEX_STRING if std::str::from_utf8(value.content).is_err() => {
            value.content.iter().take(LONGEST).map(|byte| char::from(*byte)).collect()
        }
        _ => String::from_utf8_lossy(value.content).chars().take(LONGEST).collect(),
    };
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const UTF8: u8 = 0x0c;

    fn part(kind: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
        let wrap = |tag: u8, content: &[u8]| {
            let mut whole = vec![tag, u8::try_from(content.len()).unwrap()];
            whole.extend_from_slice(content);
            whole
        };
        let pair = [wrap(tag::OBJECT_IDENTIFIER, kind), wrap(tag, text)].concat();
        wrap(tag::SET, &wrap(tag::SEQUENCE, &pair))
    }

    fn name(parts: &[Vec<u8>]) -> Vec<u8> {
        let content = parts.concat();
        let mut whole = vec![tag::SEQUENCE, u8::try_from(content.len()).unwrap()];
        whole.extend(content);
        whole
    }

    #[test]
    fn a_name_is_text_last_part_first() {
        let bytes = name(&[
            part(oid::COUNTRY, 0x13, b"US"),
            part(oid::ORGANIZATION, UTF8, b"Contoso, Ltd"),
            part(oid::COMMON_NAME, tag::BMP_STRING, b"\0C\0o"),
        ]);
        let read = Name::read(&bytes);
        assert_eq!(read.distinguished(), r"CN=Co,O=Contoso\, Ltd,C=US");
        assert_eq!(read.common(), "Co");
        assert_eq!(read.organization(), Some("Contoso, Ltd"));
    }

    #[test]
    fn names_compare_without_case_and_type() {
        let left = name(&[part(oid::COMMON_NAME, 0x13, b"Root  CA")]);
        let right = name(&[part(oid::COMMON_NAME, UTF8, b"root ca")]);
        let other = name(&[part(oid::ORGANIZATION, 0x13, b"root ca")]);
        assert!(Name::read(&left).is_same(&Name::read(&right)));
        assert!(!Name::read(&left).is_same(&Name::read(&other)));
        assert!(!Name::default().is_same(&Name::default()));
        assert_eq!(Name::read(&[0x30, 3, 1]).common(), "(no name)");
    }

    #[test]
    fn long_names_are_cut() {
        let long = [b'x'; 100].to_vec();
        let parts: Vec<_> = (0..1).map(|_| part(oid::COMMON_NAME, 0x13, &long)).collect();
        assert_eq!(Name::read(&name(&parts)).common().len(), 100);
        let value = Value { tag: 0x13, content: &[b'x'; 1000], whole: &[] };
        assert_eq!(text(value).len(), LONGEST);
    }
}
