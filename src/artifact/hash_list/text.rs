//! Lists of text: one digest a line as `sha256sum` and its kin write them, or columns with or without names.
//!
//! A list may have billions of lines, and its author may be careless: one line is in memory at a time, at most
//! [`LONGEST_LINE`] of it, and a line that is none costs itself.

use std::io::{self, BufRead, Read as _};

use super::digest::{Digest, DigestKind};
use super::problem::Problems;
use super::wanted::{Found, Row, Wanted};

/// The longest line, in bytes.
const LONGEST_LINE: u64 = 64 << 10;
/// The longest remark that is kept, in characters.
const LONGEST_REMARK: usize = 200;
/// Columns beyond this are not looked at.
const MOST_COLUMNS: usize = 256;

/// Reads a list to its end and keeps the rows that have a wanted digest. Returns how many lines had a digest.
///
/// # Errors
/// Where the list cannot be read on; what was found before stays.
pub(super) fn read(
    mut input: impl BufRead,
    wanted: &Wanted,
    found: &mut Found,
    problems: &mut Problems,
) -> io::Result<u64> {
    let mut line = Vec::new();
    let mut layout = None;
    let (mut number, mut useful) = (0_u64, 0_u64);
    loop {
        line.clear();
        let length = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)?;
        if length == 0 {
            return Ok(useful);
        }
        number = number.saturating_add(1);
        let is_whole = line.ends_with(b"\n");
        if !is_whole && u64::try_from(length).is_ok_and(|length| length == LONGEST_LINE) {
            input.skip_until(b'\n')?;
            problems.add(number, "longer than 64 KiB");
            continue;
        }
        let text = trimmed(&line, number);
        if text.is_empty() || text.starts_with(b"#") {
            continue;
        }
        let known = if let Some(layout) = &layout {
            layout
        } else {
            let Some((first, is_header)) = Layout::of(text) else {
                problems.add(number, "no hash in it");
                continue;
            };
            let first = layout.insert(first);
            if is_header {
                continue;
            }
            first
        };
        let (has_digest, is_wanted) = known.glance(text, wanted);
        if !has_digest {
            problems.add(number, "no hash in it");
            continue;
        }
        useful = useful.saturating_add(1);
        if is_wanted {
            let (digests, remark) = known.row(text);
            found.take(wanted, &Row { place: format!("line {number}"), digests, remark });
        }
    }
}

/// A line without its end, blanks around it and, in the first line, the mark of UTF-8.
fn trimmed(line: &[u8], number: u64) -> &[u8] {
    let line = match number {
        1 => line.strip_prefix(b"\xef\xbb\xbf").unwrap_or(line),
        _ => line,
    };
    line.trim_ascii()
}

/// How the lines of a list are built.
#[derive(Debug, PartialEq, Eq)]
enum Layout {
    /// A digest at the beginning, or behind `SHA256 (name) =`.
    Plain,
    /// Columns.
    Columns {
        delimiter: u8,
        /// The columns of digests in order, and whether they are of what Authenticode signs.
        digests: Vec<(usize, bool)>,
        /// The columns that say what the file is; absent where columns have no names: all others.
        remarks: Option<Vec<usize>>,
    },
}

impl Layout {
    /// What the first line says, and whether it is a line of names; nothing where it has no digest.
    fn of(line: &[u8]) -> Option<(Self, bool)> {
        for delimiter in [b'\t', b',', b';', b'|'] {
            let fields: Vec<&[u8]> = fields(line, delimiter).take(MOST_COLUMNS).collect();
            let names: Vec<String> = fields.iter().map(|field| plain(field)).collect();
            let columns = (0..).zip(&names);
            let digests: Vec<(usize, bool)> = columns
                .filter_map(|(at, name)| Some((at, is_signed_part(digest_column(name)?))))
                .collect();
            if !digests.is_empty() {
                let columns = (0..).zip(&names);
                let remarks = columns.filter(|(_, name)| is_remark(name)).map(|(at, _)| at);
                let remarks = Some(remarks.collect());
                return Some((Self::Columns { delimiter, digests, remarks }, true));
            }
            let columns = (0..).zip(&fields);
            let digests: Vec<(usize, bool)> = columns
                .filter(|(_, field)| Digest::of_any_hex(field).is_some())
                .map(|(at, _)| (at, false))
                .collect();
            if fields.len() > 1 && !digests.is_empty() {
                return Some((Self::Columns { delimiter, digests, remarks: None }, false));
            }
        }
        leading(line).map(|_| (Self::Plain, false))
    }

    /// Whether a line has a digest, and one that is wanted: without a copy of anything.
    fn glance(&self, line: &[u8], wanted: &Wanted) -> (bool, bool) {
        match self {
            Self::Plain => {
                let digest = leading(line).map(|(digest, _)| digest);
                (digest.is_some(), digest.is_some_and(|one| !wanted.files(&one).is_empty()))
            }
            Self::Columns { delimiter, digests, .. } => {
                let (mut has, mut is_wanted) = (false, false);
                let mut columns = digests.iter().peekable();
                for (at, field) in (0_usize..).zip(fields(line, *delimiter)) {
                    let Some((column, is_signed)) = columns.peek() else { break };
                    if at != *column {
                        continue;
                    }
                    if let Some(digest) = digest_of(field, *is_signed) {
                        has = true;
                        is_wanted |= !wanted.files(&digest).is_empty();
                    }
                    columns.next();
                }
                (has, is_wanted)
            }
        }
    }

    /// The digests and the remark of a line.
    fn row(&self, line: &[u8]) -> (Vec<Digest>, String) {
        match self {
            Self::Plain => match leading(line) {
                Some((digest, rest)) => (vec![digest], remark(&[rest])),
                None => (Vec::new(), String::new()),
            },
            Self::Columns { delimiter, digests, remarks } => {
                let fields: Vec<&[u8]> = fields(line, *delimiter).take(MOST_COLUMNS).collect();
                let of = |(at, is_signed): &(usize, bool)| {
                    digest_of(fields.get(*at).copied()?, *is_signed)
                };
                let found = digests.iter().filter_map(of).collect();
                let is_remark = |at: &usize| match remarks {
                    Some(columns) => columns.contains(at),
                    None => !digests.iter().any(|(column, _)| column == at),
                };
                let said = (0..).zip(&fields).filter(|(at, _)| is_remark(at));
                let said: Vec<&[u8]> = said.map(|(_, field)| *field).collect();
                (found, remark(&said))
            }
        }
    }
}

/// The digest of a cell.
fn digest_of(field: &[u8], is_signed: bool) -> Option<Digest> {
    if !is_signed {
        return Digest::of_any_hex(field);
    }
    let kind = match field.len() {
        64 => DigestKind::AuthentihashSha256,
        40 => DigestKind::AuthentihashSha1,
        _ => return None,
    };
    Digest::of_hex(kind, field)
}

/// The digest at the beginning of a line (or behind `SHA256 (name) =`), and what follows it: the name behind `sha256sum`'s two
/// blanks or asterisk, or a remark.
fn leading(line: &[u8]) -> Option<(Digest, &[u8])> {
    let line = line.strip_prefix(b"\"").unwrap_or(line);
    // A backslash marks a file name with escapes.
    let line = line.strip_prefix(b"\\").unwrap_or(line);
    let end = line.iter().position(|byte| !byte.is_ascii_hexdigit()).unwrap_or(line.len());
    let (digits, rest) = line.split_at_checked(end)?;
    let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
    if let Some(digest) = Digest::of_any_hex(digits).filter(|_| ends) {
        return Some((digest, rest));
    }
    let start = line.windows(4).rposition(|window| window == b") = ")?;
    let (name, digits) = (line.get(..start)?, line.get(start.checked_add(4)?..)?);
    let open = name.iter().position(|byte| *byte == b'(')?;
    let name = name.get(open.checked_add(1)?..)?;
    Some((Digest::of_any_hex(digits.trim_ascii())?, name))
}

/// The fields of a line, without quotes around them. Quotes do not reach beyond a line: a list with one that does not
/// end must not be read as one field.
fn fields(line: &[u8], delimiter: u8) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(line);
    std::iter::from_fn(move || {
        let line = rest?;
        let is_quoted = line.first() == Some(&b'"');
        let closing = || {
            let ends = |pair: &[u8]| pair == [b'"', delimiter];
            let inner = line.get(1..)?.windows(2).position(ends)?;
            inner.checked_add(2)
        };
        let end =
            if is_quoted { closing() } else { line.iter().position(|byte| *byte == delimiter) };
        let (field, next) = match end.and_then(|end| line.split_at_checked(end)) {
            Some((field, next)) => (field, next.get(1..)),
            None => (line, None),
        };
        rest = next;
        let field = field.trim_ascii();
        let inner = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\""));
        Some(inner.unwrap_or(field).trim_ascii())
    })
}

/// A column's name in lower case, letters and digits only: `SHA-256` is `sha256`.
fn plain(name: &[u8]) -> String {
    if name.iter().any(|byte| matches!(byte, b'\t' | b',' | b';' | b'|')) {
        return String::new();
    }
    let kept = name.iter().filter(|byte| byte.is_ascii_alphanumeric());
    kept.take(64).map(|byte| char::from(byte.to_ascii_lowercase())).collect()
}

/// The name, where it is one of a column of digests: `SHA-256`, `File Hash (MD5)`, `authentihash_sha1`, `Hash`. A title such as "MD5
/// sums of bad files" is none, nor is the digest of something else (`imphash`, `parent_sha256`).
fn digest_column(name: &str) -> Option<&str> {
    const BESIDE: [&str; 12] = [
        "",
        "hash",
        "hashes",
        "file",
        "files",
        "filehash",
        "filehashes",
        "hashvalue",
        "sum",
        "value",
        "digest",
        "checksum",
    ];
    const ALONE: [&str; 6] = ["hash", "filehash", "hashvalue", "ioc", "indicator", "value"];
    let algorithms = ["authentihash", "sha256", "sha1", "md5"];
    let beside = algorithms.iter().fold(name.to_owned(), |name, one| name.replacen(one, "", 1));
    let named = beside.len() < name.len() && BESIDE.contains(&beside.as_str());
    (named || ALONE.contains(&name)).then_some(name)
}

fn is_signed_part(name: &str) -> bool {
    name.contains("authenti")
}

/// Whether a column of that name says what the file is.
fn is_remark(name: &str) -> bool {
    const WORDS: [&str; 15] = [
        "remark",
        "comment",
        "descr",
        "family",
        "malware",
        "name",
        "threat",
        "tag",
        "note",
        "label",
        "product",
        "campaign",
        "actor",
        "category",
        "signature",
    ];
    WORDS.iter().any(|word| name.contains(word)) && !name.ends_with("code")
}

/// What a row says besides, in one line.
pub(super) fn remark(fields: &[&[u8]]) -> String {
    let mut said = String::new();
    for field in fields {
        let text = String::from_utf8_lossy(field);
        let is_blank =
            |c: char| c.is_whitespace() || matches!(c, '"' | '#' | '*' | ',' | ';' | '|');
        let text = text.trim_matches(is_blank).replace("\"\"", "\"");
        if text.is_empty() {
            continue;
        }
        if !said.is_empty() {
            said.push_str("; ");
        }
        said.push_str(&text);
    }
    match said.char_indices().nth(LONGEST_REMARK) {
        Some((end, _)) => format!("{}…", said.get(..end).unwrap_or_default()),
        None => said,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use super::*;

    const SHA256: &str = "11aabb0000000000000000000000000000000000000000000000000000000011";
    const SHA1: &str = "22aabb0000000000000000000000000000000022";
    const MD5: &str = "33aabb00000000000000000000000033";
    const SIGNED: &str = "44aabb0000000000000000000000000000000044";

    fn wanted() -> Wanted {
        let whole = |digits: &str| Digest::of_any_hex(digits.as_bytes()).unwrap();
        let signed = Digest::of_hex(DigestKind::AuthentihashSha1, SIGNED.as_bytes()).unwrap();
        Wanted::new(vec![vec![whole(SHA256), whole(SHA1), whole(MD5), signed], Vec::new()])
    }

    /// What a list says of the file: digest, place and remark; and how many lines had a digest and how many were none.
    fn said(list: &str) -> (Option<(&'static str, String, String)>, u64, u64) {
        let (mut found, mut problems) = (Found::default(), Problems::default());
        let useful = read(list.as_bytes(), &wanted(), &mut found, &mut problems).unwrap();
        let row = found.rows.remove(&0);
        let row = row.map(|(digest, row)| (digest.kind.label(), row.place, row.remark));
        (row, useful, problems.count())
    }

    #[test]
    fn every_form_of_list_is_read() {
        let other = "00".repeat(32);
        let upper = SHA256.to_uppercase();
        for (list, kind, place, remark, useful) in [
            (format!("{SHA256}\n"), "sha256", 1, "", 1),
            (format!("# a list\n\n{upper}"), "sha256", 3, "", 1),
            (format!("\u{feff}{MD5}\r\n{other}\r\n"), "md5", 1, "", 2),
            (format!("{SHA1}  name.exe\n"), "sha1", 1, "name.exe", 1),
            (format!("{SHA1} *name.exe\n"), "sha1", 1, "name.exe", 1),
            (format!("{other}\n{MD5} # Emotet, loader\n"), "md5", 2, "Emotet, loader", 2),
            (format!("{MD5},Emotet\n"), "md5", 1, "Emotet", 1),
            (format!("SHA256 (a b.exe) = {SHA256}\n"), "sha256", 1, "a b.exe", 1),
            (format!("{other}\tx\n{SHA256}\ty\n"), "sha256", 2, "y", 2),
            (format!("name,SHA-256\n\"a,b\",{SHA256}\n"), "sha256", 2, "a,b", 1),
            (format!("\"Md5 Hash\";\"Family\"\n\"{MD5}\";\"x\"\"y\""), "md5", 2, "x\"y", 1),
            (
                format!(
                    "\"SHA-1\",\"MD5\",\"CRC32\",\"FileName\",\"FileSize\",\"ProductCode\"\n\
                     \"{}\",\"{}\",\"0\",\"a.dll\",1,2\n",
                    SHA1.to_uppercase(),
                    MD5.to_uppercase()
                ),
                "sha1",
                2,
                "a.dll",
                1,
            ),
            (format!("imphash,authentihash_sha1\n{MD5},{SIGNED}\n"), "authentihash sha1", 2, "", 1),
            (format!("MD5 sums of bad files\n{MD5}  x\n"), "md5", 2, "x", 1),
            (format!("sha1,md5,sha256,remark\n,,{SHA256},late\n"), "sha256", 2, "late", 1),
        ] {
            let expected = Some((kind, format!("line {place}"), remark.to_owned()));
            let titles = u64::from(list.starts_with("MD5 sums"));
            assert_eq!(said(&list), (expected, useful, titles), "{list}");
        }
    }

    #[test]
    fn what_is_no_hash_is_counted_and_costs_itself() {
        let long = "x".repeat(200_000);
        for (list, is_found, useful, problems) in [
            (format!("title\n{SHA256}\nnot one\n{MD5}0\n"), true, 1, 3),
            (format!("{long}\n{SHA256}\n"), true, 1, 1),
            (format!("{SHA256}{long}\n{SHA1}\n"), true, 1, 1),
            (format!("imphash\n{MD5}\n"), true, 1, 1),
            ("\0\u{1}\u{2}\n\n".repeat(9), false, 0, 9),
            ("sha256,md5\nx,y\n,\n".to_owned(), false, 0, 2),
            (String::new(), false, 0, 0),
            // A digest in a remark is not the row's.
            (format!("{}  dropped by {SHA256}\n", "00".repeat(32)), false, 1, 0),
            // A quote that does not end.
            (format!("name,sha256\n\"a,{SHA256}\nb,{SHA256}\n"), true, 1, 1),
        ] {
            let (row, lines, bad) = said(&list);
            let shown: String = list.chars().take(80).collect();
            assert_eq!((row.is_some(), lines, bad), (is_found, useful, problems), "{shown}");
        }
    }

    #[test]
    fn a_row_that_contradicts_itself_is_no_match() {
        let (mut found, mut problems) = (Found::default(), Problems::default());
        let list = format!("sha256,md5\n{},{MD5}\n{SHA256},{MD5}\n", "00".repeat(32));
        read(list.as_bytes(), &wanted(), &mut found, &mut problems).unwrap();
        assert_eq!(found.contradictions.len(), 1);
        assert_eq!(found.contradictions[0].1.place, "line 2");
        assert_eq!(found.rows[&0].1.place, "line 3");
    }

    /// Lines without end, made while they are read.
    struct Endless(u64, u64);

    impl Read for Endless {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let mut written = 0;
            for chunk in buffer.chunks_exact_mut(65) {
                if self.0 == self.1 {
                    break;
                }
                let line = if self.0 + 1 == self.1 {
                    format!("{SHA256}\n")
                } else {
                    format!("{:064x}\n", self.0)
                };
                chunk.copy_from_slice(line.as_bytes());
                (self.0, written) = (self.0 + 1, written + 65);
            }
            Ok(written)
        }
    }

    #[test]
    fn a_list_is_streamed() {
        let (mut found, mut problems) = (Found::default(), Problems::default());
        let input = BufReader::with_capacity(1 << 16, Endless(0, 200_000));
        let useful = read(input, &wanted(), &mut found, &mut problems).unwrap();
        assert_eq!((useful, problems.count()), (200_000, 0));
        assert_eq!(found.rows[&0].1.place, "line 200000");
        assert_eq!(found.rows.len(), 1);
    }
}
