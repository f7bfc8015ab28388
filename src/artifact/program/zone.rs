//! The mark of the web: the stream `Zone.Identifier` that browsers and mail programs put beside what they save.
//!
//! It is an INI file: `[ZoneTransfer]`, `ZoneId=3`, `HostUrl=…`, `ReferrerUrl=…` (\[MS-FSCC\] 5.6.1).

use std::io::{self, Read};

use crate::evidence::{Evidence, EvidencePath, Metadata};
use crate::host::program_file::ZoneMark;
use crate::text::{same_name, utf16le};

/// The stream's name.
const STREAM: &str = "Zone.Identifier";
/// Bytes that are read; URLs are seldom longer than 2 KiB.
const MOST_BYTES: u64 = 16 << 10;
/// Characters of a URL that are kept.
const MOST_CHARS: usize = 2_048;

/// The mark of a file, if it has one.
///
/// # Errors
/// Where the stream cannot be read.
pub(super) fn zone(
    evidence: &dyn Evidence,
    file: &EvidencePath,
    metadata: &Metadata,
) -> io::Result<Option<ZoneMark>> {
    let stream = metadata.streams.iter().find(|(name, _)| same_name(name, STREAM));
    let Some((name, _)) = stream else { return Ok(None) };
    let content = evidence.open(&EvidencePath::new(&format!("{file}:{name}")))?;
    let mut bytes = Vec::new();
    content.take(MOST_BYTES).read_to_end(&mut bytes)?;
    Ok(Some(parse(&bytes)))
}

fn parse(bytes: &[u8]) -> ZoneMark {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => utf16le(rest),
        [b'[', 0, ..] => utf16le(bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    };
    let mut mark = ZoneMark::default();
    for line in text.lines() {
        let Some((name, value)) = line.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        let url = || Some(value.chars().take(MOST_CHARS).collect()).filter(|_| !value.is_empty());
        // Windows' own reader takes the first value of a name.
        if same_name(name, "ZoneId") && mark.zone.is_none() {
            mark.zone = value.parse().ok();
        } else if same_name(name, "HostUrl") && mark.url.is_none() {
            mark.url = url();
        } else if same_name(name, "ReferrerUrl") && mark.referrer.is_none() {
            mark.referrer = url();
        }
    }
    mark
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_in_every_encoding_and_damage_costs_what_it_hits() {
        let text = "[ZoneTransfer]\r\nZoneId=3\r\nReferrerUrl=https://a.example/\r\nHostUrl=https://a.example/x.exe\r\nHostUrl=second\r\n";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let expected = ZoneMark {
            zone: Some(3),
            url: Some("https://a.example/x.exe".to_owned()),
            referrer: Some("https://a.example/".to_owned()),
        };
        for bytes in [
            text.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            wide.clone(),
            [b"\xff\xfe".as_slice(), &wide].concat(),
        ] {
            assert_eq!(parse(&bytes), expected);
            for end in 0..bytes.len() {
                parse(&bytes[..end]);
            }
        }
        assert_eq!(parse(b"ZoneId=300\nHostUrl=\n"), ZoneMark::default());
        let long = format!("HostUrl={}", "x".repeat(10_000));
        assert_eq!(parse(long.as_bytes()).url.unwrap().len(), MOST_CHARS);
    }
}
