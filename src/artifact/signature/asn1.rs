//! ASN.1 values as they occur in signatures (ITU-T X.690), read leniently: what Windows accepts is often no DER.
//!
//! Lengths may be indefinite (BER), strings may come in parts. Nothing is copied; every value is a slice of the input.

use std::borrow::Cow;

use super::Refusal;

/// Identifier octets of the types that are read.
pub(super) mod tag {
    pub(in super::super) const BOOLEAN: u8 = 0x01;
    pub(in super::super) const INTEGER: u8 = 0x02;
    pub(in super::super) const BIT_STRING: u8 = 0x03;
    pub(in super::super) const OCTET_STRING: u8 = 0x04;
    pub(in super::super) const OBJECT_IDENTIFIER: u8 = 0x06;
    pub(in super::super) const TELETEX_STRING: u8 = 0x14;
    pub(in super::super) const UTC_TIME: u8 = 0x17;
    pub(in super::super) const GENERALIZED_TIME: u8 = 0x18;
    pub(in super::super) const UNIVERSAL_STRING: u8 = 0x1c;
    pub(in super::super) const BMP_STRING: u8 = 0x1e;
    pub(in super::super) const SEQUENCE: u8 = 0x30;
    pub(in super::super) const SET: u8 = 0x31;
    /// Constructed OCTET STRING, in BER only.
    pub(in super::super) const OCTET_STRING_IN_PARTS: u8 = 0x24;
    /// `[n]`, constructed.
    pub(in super::super) const fn context(number: u8) -> u8 {
        0xa0 | number
    }
    /// `[n]`, primitive.
    pub(in super::super) const fn plain_context(number: u8) -> u8 {
        0x80 | number
    }
}

/// How deep values of indefinite length may lie in one another.
const DEEPEST: u8 = 24;

const CUT: Refusal = Refusal::Malformed("a value ends before its length");

/// One value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Value<'a> {
    /// The identifier octet: class, constructed or not, number.
    pub(super) tag: u8,
    /// What is in it, without the mark at the end of an indefinite length.
    pub(super) content: &'a [u8],
    /// All of it with identifier and length, as it stands.
    pub(super) whole: &'a [u8],
}

impl<'a> Value<'a> {
    /// The first value of some bytes, and what follows it.
    pub(super) fn first(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), Refusal> {
        let header = Header::read(bytes)?;
        let body = bytes.get(header.size..).ok_or(CUT)?;
        let (length, end) = match header.length {
            Some(length) => (length, 0),
            None => (indefinite(body, 0)?, 2),
        };
        let content = body.get(..length).ok_or(CUT)?;
        let size = header.size.saturating_add(length).saturating_add(end);
        let (whole, rest) = bytes.split_at_checked(size).ok_or(CUT)?;
        Ok((Self { tag: header.tag, content, whole }, rest))
    }

    /// The only value of some bytes; what follows it is left unread.
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, Refusal> {
        Self::first(bytes).map(|(value, _)| value)
    }

    /// The values in it.
    pub(super) const fn inside(self) -> Reader<'a> {
        Reader { rest: self.content }
    }

    /// It, where it is of that type.
    pub(super) fn tagged(self, tag: u8) -> Result<Self, Refusal> {
        if self.tag == tag { Ok(self) } else { Err(Refusal::Malformed("a value of another type")) }
    }

    /// The bytes of an OCTET STRING, whole or in parts.
    pub(super) fn octets(self) -> Result<Cow<'a, [u8]>, Refusal> {
        if self.tag != tag::OCTET_STRING_IN_PARTS {
            return self.tagged(tag::OCTET_STRING).map(|value| Cow::Borrowed(value.content));
        }
        let mut bytes = Vec::new();
        let mut parts = self.inside();
        while let Some(part) = parts.next()? {
            bytes.extend_from_slice(part.tagged(tag::OCTET_STRING)?.content);
        }
        Ok(Cow::Owned(bytes))
    }

    /// The bytes of a BIT STRING that has whole bytes only.
    pub(super) fn whole_bits(self) -> Result<&'a [u8], Refusal> {
        match self.tagged(tag::BIT_STRING)?.content {
            [0, bytes @ ..] => Ok(bytes),
            _ => Err(Refusal::Malformed("a bit string of odd bits")),
        }
    }

    /// The magnitude of an INTEGER that is not negative, without leading zeros.
    pub(super) fn magnitude(self) -> Result<&'a [u8], Refusal> {
        let bytes = self.tagged(tag::INTEGER)?.content;
        if bytes.first().is_none_or(|first| *first >= 0x80) {
            return Err(Refusal::Malformed("a number that is negative or empty"));
        }
        let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
        Ok(bytes.get(start..).unwrap_or_default())
    }
}

/// Values one after another.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// The next value; `None` at the end.
    pub(super) fn next(&mut self) -> Result<Option<Value<'a>>, Refusal> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (value, rest) = Value::first(self.rest)?;
        self.rest = rest;
        Ok(Some(value))
    }

    /// The next value, of that type.
    pub(super) fn expect(&mut self, tag: u8) -> Result<Value<'a>, Refusal> {
        self.any()?.tagged(tag)
    }

    /// The next value, of any type.
    pub(super) fn any(&mut self) -> Result<Value<'a>, Refusal> {
        self.next()?.ok_or(Refusal::Malformed("a value is missing"))
    }

    /// The next value where it is of that type; else nothing is read.
    pub(super) fn optional(&mut self, tag: u8) -> Result<Option<Value<'a>>, Refusal> {
        if self.rest.first() == Some(&tag) { self.next() } else { Ok(None) }
    }
}

/// Identifier and length octets.
struct Header {
    tag: u8,
    /// Size of the header in bytes.
    size: usize,
    /// Size of the content in bytes; absent where it ends at a mark.
    length: Option<usize>,
}

impl Header {
    fn read(bytes: &[u8]) -> Result<Self, Refusal> {
        let (tag, first) = match bytes {
            [tag, first, ..] => (*tag, *first),
            _ => return Err(CUT),
        };
        if tag & 0x1f == 0x1f {
            return Err(Refusal::Malformed("an identifier of several octets"));
        }
        if first < 0x80 {
            return Ok(Self { tag, size: 2, length: Some(usize::from(first)) });
        }
        if first == 0x80 {
            if tag & 0x20 == 0 {
                return Err(Refusal::Malformed("a plain value of indefinite length"));
            }
            return Ok(Self { tag, size: 2, length: None });
        }
        let count = usize::from(first & 0x7f);
        let octets = bytes.get(2..count.saturating_add(2)).ok_or(CUT)?;
        if count > 4 {
            return Err(Refusal::Malformed("a length of more than four octets"));
        }
        let length = octets.iter().fold(0_usize, |sum, octet| (sum << 8) | usize::from(*octet));
        Ok(Self { tag, size: count.saturating_add(2), length: Some(length) })
    }
}

/// The length of a content of indefinite length, without the mark at its end.
fn indefinite(bytes: &[u8], depth: u8) -> Result<usize, Refusal> {
    if depth >= DEEPEST {
        return Err(Refusal::Malformed("values of indefinite length too deep in one another"));
    }
    let mut at = 0_usize;
    loop {
        let rest = bytes.get(at..).ok_or(CUT)?;
        if rest.starts_with(&[0, 0]) {
            return Ok(at);
        }
        let header = Header::read(rest)?;
        let size = if let Some(length) = header.length {
            length
        } else {
            let inner = rest.get(header.size..).ok_or(CUT)?;
            indefinite(inner, depth.saturating_add(1))?.saturating_add(2)
        };
        at = at.checked_add(header.size).and_then(|at| at.checked_add(size)).ok_or(CUT)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_definite_long_and_indefinite() {
        let long = [&[0x04, 0x81, 0x80][..], &[7; 128]].concat();
        for (bytes, content) in [
            (&[0x04, 2, 1, 2, 9][..], &[1, 2][..]),
            (&long, &[7; 128]),
            (&[0x30, 0x80, 0x02, 1, 5, 0, 0, 9], &[0x02, 1, 5]),
            (&[0x30, 0x80, 0x30, 0x80, 0, 0, 0, 0], &[0x30, 0x80, 0, 0]),
        ] {
            assert_eq!(Value::of(bytes).unwrap().content, content);
        }
    }

    #[test]
    fn what_is_cut_is_refused() {
        for bytes in [
            &[][..],
            &[0x30],
            &[0x30, 1],
            &[0x30, 0x80],
            &[0x30, 0x80, 0],
            &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x04, 0x80, 0, 0],
            &[0x1f, 0x81, 0x01, 0],
        ] {
            assert!(Value::of(bytes).is_err(), "{bytes:?}");
        }
        let deep = [0x30, 0x80].repeat(60_000);
        assert!(Value::of(&deep).is_err());
    }

    #[test]
    fn strings_come_in_parts() {
        let parts = [0x24, 0x80, 0x04, 2, 1, 2, 0x04, 1, 3, 0, 0];
        assert_eq!(*Value::of(&parts).unwrap().octets().unwrap(), [1, 2, 3]);
        assert_eq!(*Value::of(&[0x04, 1, 7]).unwrap().octets().unwrap(), [7]);
    }

    #[test]
    fn numbers_are_not_negative() {
        assert_eq!(Value::of(&[2, 2, 0, 0x80]).unwrap().magnitude().unwrap(), [0x80]);
        assert_eq!(Value::of(&[2, 1, 0]).unwrap().magnitude().unwrap(), [0_u8; 0]);
        assert!(Value::of(&[2, 1, 0x80]).unwrap().magnitude().is_err());
        assert!(Value::of(&[2, 0]).unwrap().magnitude().is_err());
    }
}
