//! Times in certificates and signatures (RFC 5280 4.1.2.5).

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

use super::asn1::{Value, tag};

/// The time of a `UTCTime` or `GeneralizedTime`, to the second; absent where it is none, or not in UTC.
pub(super) fn read(value: Value<'_>) -> Option<Timestamp> {
    let text = std::str::from_utf8(value.content).ok()?.strip_suffix('Z')?;
    let text = text.split(['.', ',']).next().unwrap_or(text);
    if !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (year, rest) = match value.tag {
        tag::UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000_i16 } else { 1900 }.checked_add(year)?, rest)
        }
        tag::GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let pair = |at: usize| -> Option<i8> { rest.get(at..at.checked_add(2)?)?.parse().ok() };
    let second = if rest.len() == 8 { 0 } else { pair(8)? };
    if rest.len() > 10 {
        return None;
    }
    let time = DateTime::new(year, pair(0)?, pair(2)?, pair(4)?, pair(6)?, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(time).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_are_read() {
        for (tag, text, expected) in [
            (tag::UTC_TIME, "260102030405Z", Some("2026-01-02T03:04:05Z")),
            (tag::UTC_TIME, "2601020304Z", Some("2026-01-02T03:04:00Z")),
            (tag::UTC_TIME, "970110070000Z", Some("1997-01-10T07:00:00Z")),
            (tag::GENERALIZED_TIME, "20500102030405.123Z", Some("2050-01-02T03:04:05Z")),
            (tag::GENERALIZED_TIME, "20500102030405", None),
            (tag::UTC_TIME, "260102030405+0100", None),
            (tag::UTC_TIME, "261302030405Z", None),
            (tag::UTC_TIME, "Z", None),
            (tag::UTC_TIME, "26010203040506Z", None),
            (tag::INTEGER, "260102030405Z", None),
        ] {
            let value = Value { tag, content: text.as_bytes(), whole: &[] };
            let read = read(value).map(|time| time.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
    }
}
