//! A baseline file: JSON Lines, the first line a [`Header`], then a [`Row`] a line.

use serde::Deserialize;

use super::{FORMAT, Header, Row, SCHEMA};

/// Bytes a baseline file may have; one of ten thousand variants has 5 MiB.
pub const MOST_BYTES: u64 = 256 << 20;

/// What to do about a file that is not as it was written.
const AGAIN: &str =
    "make it again with `svctriage baseline create EVIDENCE -o FILE`, baselines are not edited";

/// A baseline file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaselineFile {
    /// Its first line.
    pub header: Header,
    /// Its other lines, each with its number.
    pub rows: Vec<(usize, Row)>,
}

/// What every schema has.
#[derive(Deserialize)]
struct Head {
    format: String,
    schema: u32,
}

impl BaselineFile {
    /// Reads a baseline file.
    ///
    /// # Errors
    /// A sentence with the line and what to do: another format, a newer schema, unknown or missing fields, values that no
    /// baseline has, fewer or more lines than the header says.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut lines = (1_usize..).zip(text.lines());
        let (_, first) = lines.next().unwrap_or((1, ""));
        let header = header(first).map_err(|problem| format!("line 1: {problem}"))?;
        let mut rows = Vec::new();
        for (line, text) in lines {
            if rows.len() == header.rows {
                return Err(format!(
                    "line {line}: the first line says that {} lines follow, and there are more; {AGAIN}",
                    header.rows
                ));
            }
            let row = row(text).map_err(|problem| format!("line {line}: {problem}; {AGAIN}"))?;
            rows.push((line, row));
        }
        if rows.len() < header.rows {
            return Err(format!(
                "line {}: the file ends here, and the first line says that {} lines follow: it was cut off; {AGAIN}",
                rows.len().saturating_add(1),
                header.rows
            ));
        }
        Ok(Self { header, rows })
    }

    /// Whether a file that begins so is a baseline, of whatever schema.
    pub fn is_one(beginning: &str) -> bool {
        let first = beginning.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
        serde_json::from_str::<Head>(first).is_ok_and(|head| head.format == FORMAT)
    }
}

fn header(line: &str) -> Result<Header, String> {
    let is_ours = serde_json::from_str::<Head>(line).ok().filter(|head| head.format == FORMAT);
    let Some(Head { schema, .. }) = is_ours else {
        return Err(
            "this is no baseline; make one with `svctriage baseline create EVIDENCE -o FILE`"
                .to_owned(),
        );
    };
    if schema > SCHEMA {
        return Err(format!(
            "a newer svctriage wrote this baseline (schema {schema}, this one reads {SCHEMA}); use that version, or make \
             the baseline again with this one"
        ));
    }
    if schema != SCHEMA {
        return Err(format!(
            "this baseline has schema {schema}, this version reads {SCHEMA}; {AGAIN}"
        ));
    }
    serde_json::from_str(line).map_err(|error| format!("{}; {AGAIN}", reason(&error)))
}

fn row(line: &str) -> Result<Row, String> {
    let row: Row = serde_json::from_str(line).map_err(|error| reason(&error))?;
    if row.name.is_empty() {
        return Err("a service without a name".to_owned());
    }
    for file in [&row.image_file, &row.dll_file, &row.wrapped_file] {
        let is_digest = |text: &String| {
            text.len() == 64 && text.bytes().all(|c| matches!(c, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !file.sha256.as_ref().is_none_or(is_digest) {
            return Err("a `sha256` that is none: 64 hex digits in lower case".to_owned());
        }
    }
    Ok(row)
}

/// What serde says, without its own idea of the line.
fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rsplit_once(" at line ") {
        Some((what, _)) => format!("{what}, column {}", error.column()),
        None => text,
    }
}
