//! The tables of a database that have digests.

use super::page::Pages;
use super::record::Value;
use super::{Problems, each_row};
use crate::artifact::hash_list::digest::{Digest, DigestKind};
use crate::artifact::hash_list::text::remark;
use crate::artifact::hash_list::wanted::Row;

/// Tables and indexes that are looked at.
const MOST: usize = 1_000;

/// A table with columns of digests.
#[derive(Debug)]
pub(super) struct Table {
    /// Its name.
    pub(super) name: String,
    /// The first page of its tree.
    pub(super) root: u32,
    /// Its indexes that keep the plain order.
    pub(super) indexes: Vec<Index>,
    digests: Vec<usize>,
    remarks: Vec<usize>,
}

/// An index.
#[derive(Debug)]
pub(super) struct Index {
    /// The first page of its tree.
    pub(super) root: u32,
}

impl Table {
    fn new(name: String, root: u32, statement: &str) -> Option<Self> {
        let (mut digests, mut remarks) = (Vec::new(), Vec::new());
        for (at, column) in (0..).zip(columns(statement)) {
            match column.as_str() {
                "sha256" | "sha1" | "md5" | "hash" => digests.push(at),
                "filename" | "name" | "family" | "remark" | "comment" | "description"
                | "malware" | "threat" => remarks.push(at),
                _ => {}
            }
        }
        let table = Self { name, root, indexes: Vec::new(), digests, remarks };
        (!table.digests.is_empty()).then_some(table)
    }

    /// The digests of a row.
    pub(super) fn digests(&self, pages: &Pages, values: &[Value]) -> Vec<Digest> {
        let of = |at: &usize| match values.get(*at)? {
            Value::Text(text) if pages.is_utf8() => Digest::of_any_hex(text),
            Value::Text(text) => Digest::of_any_hex(pages.text(text).as_bytes()),
            Value::Blob(bytes) => Digest::of_bytes(DigestKind::of_length(bytes.len())?, bytes),
            _ => None,
        };
        self.digests.iter().filter_map(of).collect()
    }

    /// A row with what it says; nothing where it has no digest.
    pub(super) fn row(&self, pages: &Pages, number: i64, values: &[Value]) -> Option<Row> {
        let digests = self.digests(pages, values);
        if digests.is_empty() {
            return None;
        }
        let said = self.remarks.iter().filter_map(|at| match values.get(*at)? {
            Value::Text(text) => Some(pages.text(text)),
            _ => None,
        });
        let said: Vec<String> = said.collect();
        let said: Vec<&[u8]> = said.iter().map(String::as_bytes).collect();
        let place = format!("table {} row {number}", self.name);
        Some(Row { place, digests, remark: remark(&said) })
    }
}

/// The names of the columns that a `CREATE TABLE` statement gives, letters and digits in lower case.
fn columns(statement: &str) -> Vec<String> {
    let Some((_, body)) = statement.split_once('(') else { return Vec::new() };
    let mut found = Vec::new();
    let (mut depth, mut name, mut named) = (0_usize, String::new(), false);
    for c in body.chars() {
        match c {
            ')' if depth == 0 => break,
            '(' => depth = depth.saturating_add(1),
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                found.push(std::mem::take(&mut name));
                named = false;
            }
            c if depth > 0 || named => {
                let _ = c;
            }
            c if c.is_ascii_alphanumeric() => name.push(c.to_ascii_lowercase()),
            // A name ends at the first blank behind it; `_` and `-` inside it are left out.
            c if c.is_whitespace() && !name.is_empty() => named = true,
            _ => {}
        }
    }
    found.push(name);
    // Constraints of the table follow its columns.
    found.retain(|name| {
        !matches!(name.as_str(), "constraint" | "primary" | "unique" | "foreign" | "check")
    });
    found
}

/// Whether entries of an index are in the plain order of bytes, every row among them.
fn is_plain(statement: &str) -> bool {
    let upper = statement.to_ascii_uppercase();
    [" DESC", "COLLATE", "WHERE"].iter().all(|word| !upper.contains(word))
}

/// The tables that have digests, in the order of the schema.
///
/// # Errors
/// A sentence, where the schema cannot be read.
pub(super) fn read(pages: &mut Pages, problems: &mut Problems) -> Result<Vec<Table>, String> {
    pages.tree(1)?;
    let mut tables: Vec<Table> = Vec::new();
    let mut indexes: Vec<(String, u32, String)> = Vec::new();
    let mut plain = Vec::new();
    each_row(pages, 1, problems, |pages, _, values| {
        let text = |at: usize| match values.get(at) {
            Some(Value::Text(text)) => pages.text(text),
            _ => String::new(),
        };
        let root = values.get(3).and_then(Value::number).and_then(|root| u32::try_from(root).ok());
        let Some(root) = root.filter(|root| *root != 0) else { return };
        let (kind, table, statement) = (text(0), text(2), text(4));
        if kind == "table" && tables.len() < MOST {
            if is_plain(&statement) {
                plain.push(table.clone());
            }
            tables.extend(Table::new(table, root, &statement));
        } else if kind == "index" && indexes.len() < MOST {
            indexes.push((table, root, statement));
        }
    });
    for (name, root, statement) in indexes {
        // An index that a constraint made has no statement: it is as plain as its table's.
        let usable = is_plain(&statement) && (!statement.is_empty() || plain.contains(&name));
        if let Some(table) = tables.iter_mut().find(|table| table.name == name)
            && usable
        {
            table.indexes.push(Index { root });
        }
    }
    Ok(tables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_from_the_statement() {
        for (statement, expected) in [
            (
                "CREATE TABLE FILE (sha256 VARCHAR(64) NOT NULL, \"SHA-1\" TEXT, [file_name] TEXT DEFAULT (1,2), CONSTRAINT pk PRIMARY KEY (sha256, sha1))",
                vec!["sha256", "sha1", "filename"],
            ),
            ("CREATE TABLE x(md5)", vec!["md5"]),
            ("CREATE TABLE x", vec![]),
        ] {
            assert_eq!(columns(statement), expected, "{statement}");
        }
    }
}
