//! What collectors wrote down about what they copied. It lies beside the evidence and is as hostile: it is read
//! line by line, within bounds, and a line that cannot be used is counted.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;
use serde::de::DeserializeOwned;

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::source::{Cursor, SharedSource};
use crate::evidence::{EvidencePath, RecordedHash};
use crate::text::{same_name, utf16le};

/// Bytes of one line; a path of Windows has at most 32,767 characters, and a row names two of them.
const MAX_LINE: u64 = 1 << 20;
/// Lines of one record.
const MAX_LINES: usize = 2_000_000;
/// Bytes of one record.
const MAX_BYTES: u64 = 1 << 30;
/// Bytes of a record in UTF-16, which is decoded as a whole.
const MAX_UTF16: u64 = 64 << 20;
/// Bytes of a small document that is read as a whole.
const MAX_DOCUMENT: u64 = 1 << 20;

/// What of a record could not be used.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Unusable {
    lines: usize,
    first: usize,
    ended: bool,
}

impl Unusable {
    fn line(&mut self, number: usize) {
        if self.lines == 0 {
            self.first = number;
        }
        self.lines = self.lines.saturating_add(1);
    }

    /// One diagnostic for all of it.
    pub(super) fn tell(&self, record: &EvidencePath, into: &mut Vec<Diagnostic>) {
        let mut note = |message: String| {
            let (artifact, impact) = (record.to_string(), Impact::Partial);
            into.push(Diagnostic { artifact, impact, message });
        };
        if self.lines > 0 {
            let (lines, first) = (self.lines, self.first);
            note(format!(
                "{lines} lines of the collector's record cannot be used, the first is line {first}"
            ));
        }
        if self.ended {
            note("the collector's record is longer than is read; its rest is not used".into());
        }
    }
}

/// Hands every line to `each`, without its end; `each` says whether it could be used.
fn lines(source: impl Read, mut each: impl FnMut(usize, &str) -> bool) -> io::Result<Unusable> {
    let mut unusable = Unusable::default();
    let mut reader = BufReader::new(source.take(MAX_BYTES));
    let mut line = Vec::new();
    for number in 1..=MAX_LINES {
        line.clear();
        let count = (&mut reader).take(MAX_LINE).read_until(b'\n', &mut line)?;
        if count == 0 {
            return Ok(unusable);
        }
        if !line.ends_with(b"\n") && u64::try_from(count).unwrap_or(u64::MAX) >= MAX_LINE {
            unusable.line(number);
            skip_line(&mut reader)?;
            continue;
        }
        let line = line.strip_prefix(b"\xef\xbb\xbf").filter(|_| number == 1).unwrap_or(&line);
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if !text.trim().is_empty() && !each(number, text) {
            unusable.line(number);
        }
    }
    unusable.ended = true;
    Ok(unusable)
}

fn skip_line(reader: &mut impl BufRead) -> io::Result<()> {
    loop {
        let buffer = reader.fill_buf()?;
        let end = buffer.iter().position(|byte| *byte == b'\n');
        let count = end.map_or(buffer.len(), |end| end.saturating_add(1));
        if count == 0 {
            return Ok(());
        }
        reader.consume(count);
        if end.is_some() {
            return Ok(());
        }
    }
}

/// Reads a record of JSON objects, one a line.
pub(super) fn json_lines<T: DeserializeOwned>(
    source: SharedSource,
    mut each: impl FnMut(T) -> bool,
) -> io::Result<Unusable> {
    let too_long = source.size() > MAX_BYTES;
    let read = |_: usize, line: &str| serde_json::from_str(line).is_ok_and(&mut each);
    let mut unusable = lines(Cursor::new(source), read)?;
    unusable.ended |= too_long;
    Ok(unusable)
}

/// Reads a small JSON document; absent where it is larger than is read or no such document.
pub(super) fn json_document<T: DeserializeOwned>(source: SharedSource) -> io::Result<Option<T>> {
    let mut bytes = Vec::new();
    Cursor::new(source).take(MAX_DOCUMENT).read_to_end(&mut bytes)?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(serde_json::from_slice(bytes).ok())
}

/// The start of a small text, as far as it is one.
pub(super) fn text(source: SharedSource) -> io::Result<String> {
    let mut bytes = Vec::new();
    Cursor::new(source).take(MAX_DOCUMENT).read_to_end(&mut bytes)?;
    if let Some(utf16) = bytes.strip_prefix(b"\xff\xfe") {
        return Ok(utf16le(utf16));
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    Ok(String::from_utf8_lossy(bytes).into_owned())
}

/// A row of a table, by the names of its columns.
pub(super) struct Row<'t> {
    columns: &'t [String],
    fields: &'t csv::StringRecord,
}

impl Row<'_> {
    /// A field; empty where the table has no such column.
    pub(super) fn get(&self, column: &str) -> &str {
        let at = self.columns.iter().position(|name| same_name(name, column));
        at.and_then(|at| self.fields.get(at)).unwrap_or_default().trim()
    }
}

/// Reads a record of comma-separated values in UTF-8 or UTF-16, whose first line names the columns.
///
/// A line is a row: names of files hold no line ends.
pub(super) fn table(
    source: SharedSource,
    mut each: impl FnMut(&Row<'_>) -> bool,
) -> io::Result<Unusable> {
    let mut columns: Option<Vec<String>> = None;
    let mut read = |_: usize, line: &str| {
        let Some(fields) = fields(line) else { return false };
        match &columns {
            None => {
                columns = Some(fields.iter().map(|name| name.trim().to_owned()).collect());
                true
            }
            Some(columns) if fields.len() == columns.len() => {
                each(&Row { columns, fields: &fields })
            }
            Some(_) => false,
        }
    };
    let size = source.size();
    let mut start = [0; 2];
    let count = crate::evidence::source::read_up_to(source.as_ref(), 0, &mut start)?;
    if count == start.len() && start == *b"\xff\xfe" {
        let mut bytes = Vec::new();
        Cursor::new(source).take(MAX_UTF16).read_to_end(&mut bytes)?;
        let text = utf16le(bytes.strip_prefix(b"\xff\xfe").unwrap_or(&bytes));
        let mut unusable = lines(text.as_bytes(), read)?;
        unusable.ended |= size > MAX_UTF16;
        return Ok(unusable);
    }
    let mut unusable = lines(Cursor::new(source), &mut read)?;
    unusable.ended |= size > MAX_BYTES;
    Ok(unusable)
}

fn fields(line: &str) -> Option<csv::StringRecord> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .buffer_capacity(line.len().max(1))
        .from_reader(line.as_bytes());
    let mut fields = csv::StringRecord::new();
    reader.read_record(&mut fields).ok().filter(|is_there| *is_there).map(|_| fields)
}

/// A time as collectors write it, in UTC: RFC 3339, or date and time without an offset. Years before 1602 are what
/// programs write for "none".
pub(super) fn time(text: &str) -> Option<Timestamp> {
    let zoned = text.parse::<Timestamp>().ok();
    let time = zoned.or_else(|| Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok())?;
    (Offset::UTC.to_datetime(time).year() > 1601).then_some(time)
}

/// A hash in hexadecimal digits, in lower case; absent where it is no such hash of that many bytes.
pub(super) fn hash(text: &str, bytes: usize) -> Option<String> {
    let is_hash = text.len() == bytes.saturating_mul(2)
        && text.bytes().all(|digit| digit.is_ascii_hexdigit())
        && text.bytes().any(|digit| digit != b'0');
    is_hash.then(|| text.to_ascii_lowercase())
}

/// What is said of files whose records disagree.
pub(super) const TWO_HASHES: &str =
    "files have another hash here than the collector wrote down before; the first is kept";

/// Keeps what a record says of a file's bytes beside what others said. Whether they agree; else the first is kept.
pub(super) fn keep_hash(
    recorded: &mut BTreeMap<EvidencePath, RecordedHash>,
    path: &EvidencePath,
    new: RecordedHash,
) -> bool {
    let Some(known) = recorded.get_mut(path) else {
        recorded.insert(path.clone(), new);
        return true;
    };
    let mut agree = true;
    for (known, new) in
        [(&mut known.sha256, new.sha256), (&mut known.sha1, new.sha1), (&mut known.md5, new.md5)]
    {
        agree &= known.is_none() || new.is_none() || *known == new;
        if known.is_none() {
            *known = new;
        }
    }
    agree
}

/// The first few of a list, for a diagnostic.
pub(super) fn few(names: &[String]) -> String {
    let shown: Vec<&str> = names.iter().take(3).map(String::as_str).collect();
    let more = if names.len() > shown.len() { ", …" } else { "" };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::evidence::source::MemorySource;

    fn source(bytes: &[u8]) -> SharedSource {
        Arc::new(MemorySource(bytes.to_vec()))
    }

    #[derive(serde::Deserialize)]
    struct Numbered {
        n: u32,
    }

    #[test]
    fn a_line_that_cannot_be_used_costs_itself_only() {
        let long = format!("{{\"n\":4,\"pad\":\"{}\"}}", "x".repeat(10 << 20));
        let deep = format!("{{\"n\":5,\"x\":{}}}", "[".repeat(100_000));
        let text = format!(
            "\u{feff}{{\"n\":1}}\r\n\n{{\"n\":\"2\"}}\n{long}\n{deep}\n[]\n{{\"n\":3,\"n\":3}}\n{{\"n\":6}}"
        );
        let mut seen = Vec::new();
        let unusable = json_lines(source(text.as_bytes()), |one: Numbered| {
            seen.push(one.n);
            true
        });
        assert_eq!(seen, [1, 6]);
        assert_eq!(unusable.unwrap(), Unusable { lines: 5, first: 3, ended: false });
    }

    #[test]
    fn tables_are_read_in_both_encodings() {
        let text =
            "Name,\"SHA1\"\r\n\"\\a, b\",00ff\r\n\"open\r\nshort\r\nlast,\"say \"\"x\"\"\"\r\n";
        let utf8 = [b"\xef\xbb\xbf", text.as_bytes()].concat();
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let utf16 = [b"\xff\xfe", wide.as_slice()].concat();
        for bytes in [text.as_bytes(), &utf8, &utf16] {
            let mut seen = Vec::new();
            let unusable = table(source(bytes), |row| {
                seen.push((row.get("name").to_owned(), row.get("Sha1").to_owned()));
                row.get("absent").is_empty()
            });
            let expected = [("\\a, b", "00ff"), ("last", "say \"x\"")];
            assert_eq!(seen, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
            assert_eq!(unusable.unwrap(), Unusable { lines: 2, first: 3, ended: false });
        }
    }

    #[test]
    fn times_and_hashes_are_taken_as_collectors_write_them() {
        for (text, expected) in [
            ("2025-08-25 20:21:09.9776063", Some("2025-08-25T20:21:09.9776063Z")),
            ("2025-08-25T20:21:09.9776063Z", Some("2025-08-25T20:21:09.9776063Z")),
            ("2025-08-25T22:21:09+02:00", Some("2025-08-25T20:21:09Z")),
            ("0001-01-01T00:00:00Z", None),
            ("1601-01-01 00:00:00.000", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(time(text).map(|time| time.to_string()).as_deref(), expected, "{text}");
        }
        assert_eq!(hash("00FFab", 3).as_deref(), Some("00ffab"));
        for no_hash in ["00FFa", "00FFag", "000000", ""] {
            assert_eq!(hash(no_hash, 3), None, "{no_hash}");
        }
    }
}
