//! Records of a database.

/// A value of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    /// Nothing, or a kind of value that does not matter here.
    Other,
    /// A whole number.
    Number(i64),
    /// Text as stored.
    Text(Vec<u8>),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// The bytes of text.
    pub(super) fn bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone()),
            _ => None,
        }
    }

    /// A whole number.
    pub(super) fn number(&self) -> Option<i64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

/// A number of one to nine bytes, seven bits each, the most significant first; the ninth byte has eight.
pub(super) fn varint(rest: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for at in 0..9 {
        let (byte, after) = rest.split_first()?;
        *rest = after;
        if at == 8 {
            value = value << 8 | u64::from(*byte);
            break;
        }
        value = value << 7 | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value.cast_signed())
}

/// The values of a record, as far as it goes.
pub(super) fn read(payload: &[u8]) -> Vec<Value> {
    values(payload).unwrap_or_default()
}

fn values(payload: &[u8]) -> Option<Vec<Value>> {
    let mut after = payload;
    let header = usize::try_from(varint(&mut after)?).ok()?;
    let begun = payload.len().checked_sub(after.len())?;
    let mut kinds = payload.get(begun..header)?;
    let mut body = payload.get(header..)?;
    let mut found = Vec::new();
    while !kinds.is_empty() {
        let kind = varint(&mut kinds)?;
        let length = match kind {
            0 | 8 | 9 => 0,
            1..=4 => usize::try_from(kind).ok()?,
            5 => 6,
            6 | 7 => 8,
            12.. => usize::try_from(kind.checked_sub(12)? / 2).ok()?,
            _ => return Some(found),
        };
        // A record that was read in part ends here.
        let Some((stored, rest)) = body.split_at_checked(length) else { return Some(found) };
        body = rest;
        found.push(match kind {
            1..=6 => Value::Number(whole(stored)),
            8 => Value::Number(0),
            9 => Value::Number(1),
            12.. if kind % 2 == 0 => Value::Blob(stored.to_vec()),
            12.. => Value::Text(stored.to_vec()),
            _ => Value::Other,
        });
    }
    Some(found)
}

/// A number of one to eight bytes, the most significant first, with its sign.
fn whole(stored: &[u8]) -> i64 {
    let negative = stored.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1_i64 } else { 0 };
    stored.iter().fold(start, |value, byte| value << 8 | i64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        for (bytes, value) in [
            (vec![0x7f], 127),
            (vec![0x81, 0x00], 128),
            (vec![0xff; 9], -1),
            (vec![0x80, 0x80, 0x01], 1),
        ] {
            assert_eq!(varint(&mut bytes.as_slice()), Some(value), "{bytes:?}");
        }
        assert_eq!(varint(&mut [0x80].as_slice()), None);
        for (bytes, value) in
            [(vec![0xff], -1), (vec![0x01, 0x00], 256), (vec![0x80, 0, 0], -8_388_608)]
        {
            assert_eq!(whole(&bytes), value, "{bytes:?}");
        }
    }

    #[test]
    fn a_record_has_values_of_every_kind() {
        // Header of 7 bytes: null, one byte, 0, 1, text of 2, blob of 1.
        let payload = [7, 0, 1, 8, 9, 17, 14, 0xfe, b'h', b'i', 0xaa];
        let expected = [
            Value::Other,
            Value::Number(-2),
            Value::Number(0),
            Value::Number(1),
            Value::Text(b"hi".to_vec()),
            Value::Blob(vec![0xaa]),
        ];
        assert_eq!(read(&payload), expected);
        for cut in 0..payload.len() {
            assert!(read(&payload[..cut]).len() < expected.len());
        }
        assert!(read(&[0xff; 64]).is_empty());
    }
}
