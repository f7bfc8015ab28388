//! Databases of `SQLite`, the form of the NSRL's reference data set since 2022 (`RDSv3`): read as the file format
//! describes it (<https://www.sqlite.org/fileformat2.html>), page by page, and nothing is ever written.
//!
//! Every table with a column of digests is looked at. Where an index begins with such a column the wanted digests are
//! looked up in it, a few pages each; else the table is read from end to end.

mod page;
mod record;
mod schema;

use std::io;

use super::digest::{Digest, DigestKind};
use super::problem::Problems;
use super::wanted::{Found, Row, Wanted};
use crate::evidence::Content;
use page::{Cell, Kind, Pages};
use record::Value;
use schema::{Index, Table};

/// The first bytes of every database.
pub(super) const MAGIC: &[u8] = b"SQLite format 3\0";
/// Levels of a tree: a tree of more has a loop in it.
const DEEPEST: usize = 24;

/// Looks the wanted digests up. Returns how many rows were looked at that have one, or 1 for a table that was asked through its
/// index.
///
/// # Errors
/// A sentence, where it is no database that can be read, or has no table of digests.
pub(super) fn read(
    content: Box<dyn Content>,
    wanted: &Wanted,
    found: &mut Found,
    problems: &mut Problems,
) -> Result<u64, String> {
    let mut pages = Pages::open(content)?;
    let tables = schema::read(&mut pages, problems)?;
    let mut useful = 0_u64;
    for table in &tables {
        let rows = match usable_index(&mut pages, table) {
            Some((index, kind)) => {
                search(&mut pages, table, index, kind, wanted, found, problems);
                1
            }
            None => walk(&mut pages, table, wanted, found, problems),
        };
        useful = useful.saturating_add(rows);
    }
    if tables.is_empty() {
        return Err("it has no table with a column of hashes (sha256, sha1 or md5)".to_owned());
    }
    Ok(useful)
}

/// The first index that begins with the strongest digest, which its first entry tells.
fn usable_index<'t>(pages: &mut Pages, table: &'t Table) -> Option<(&'t Index, DigestKind)> {
    if !pages.is_utf8() {
        return None;
    }
    let mut usable: Vec<(DigestKind, &Index)> = Vec::new();
    for index in &table.indexes {
        let kind = first_key(pages, index.root).and_then(|text| Digest::of_any_hex(&text));
        usable.extend(kind.map(|digest| (digest.kind, index)));
    }
    usable.sort_by_key(|(kind, index)| (*kind, index.root));
    usable.first().map(|(kind, index)| (*index, *kind))
}

/// The first column of an index's first entry.
fn first_key(pages: &mut Pages, root: u32) -> Option<Vec<u8>> {
    let mut number = root;
    for _ in 0..DEEPEST {
        let page = pages.tree(number).ok()?;
        let cell = page.cell(0)?;
        match (page.kind, cell) {
            (Kind::InteriorIndex, Cell { left: Some(left), .. }) => number = left,
            (Kind::LeafIndex, cell) => {
                let payload = pages.payload(&cell).ok()?;
                return record::read(&payload).into_iter().next()?.bytes();
            }
            _ => return None,
        }
    }
    None
}

/// Looks every wanted digest of that kind up in an index, in both cases of its digits.
fn search(
    pages: &mut Pages,
    table: &Table,
    index: &Index,
    kind: DigestKind,
    wanted: &Wanted,
    found: &mut Found,
    problems: &mut Problems,
) {
    for digest in wanted.digests().filter(|digest| digest.kind == kind) {
        let lower = digest.hex();
        for key in [lower.to_ascii_uppercase(), lower] {
            match seek(pages, index.root, key.as_bytes()) {
                Ok(Some(row)) => match fetch(pages, table, row) {
                    Ok(Some(row)) => found.take(wanted, &row),
                    Ok(None) => {}
                    Err(error) => problems.add_at(format_args!("table {}", table.name), &error),
                },
                Ok(None) => {}
                Err(error) => problems.add_at(format_args!("an index of {}", table.name), &error),
            }
        }
    }
}

/// The row number of the first entry with that key.
fn seek(pages: &mut Pages, root: u32, key: &[u8]) -> Result<Option<i64>, String> {
    let mut number = root;
    let mut best = None;
    for _ in 0..DEEPEST {
        let page = pages.tree(number)?;
        // Entries are sorted: the first that is not smaller.
        let (mut low, mut high) = (0, page.cells());
        let mut at_low = None;
        while low < high {
            let middle = low.midpoint(high);
            let cell = page.cell(middle).ok_or("a damaged page of an index")?;
            let payload = pages.payload(&cell)?;
            let values = record::read(&payload);
            let first = values.first().and_then(Value::bytes).unwrap_or_default();
            if first.as_slice() < key {
                low = middle.saturating_add(1);
            } else {
                high = middle;
                at_low = Some((first, values.last().and_then(Value::number), cell.left));
            }
        }
        if let Some((first, row, _)) = &at_low
            && first == key
        {
            best = *row;
        }
        let next = at_low.and_then(|(_, _, left)| left).or(page.right);
        match (page.kind, next) {
            (Kind::InteriorIndex, Some(next)) => number = next,
            _ => return Ok(best),
        }
    }
    Err("an index that nests too deep".to_owned())
}

/// The row of that number.
fn fetch(pages: &mut Pages, table: &Table, row: i64) -> Result<Option<Row>, String> {
    let mut number = table.root;
    for _ in 0..DEEPEST {
        let page = pages.tree(number)?;
        let mut next = page.right;
        for at in 0..page.cells() {
            let cell = page.cell(at).ok_or("a damaged page of a table")?;
            match page.kind {
                Kind::LeafTable if cell.row == row => {
                    let payload = pages.payload(&cell)?;
                    return Ok(table.row(pages, row, &record::read(&payload)));
                }
                Kind::InteriorTable if row <= cell.row => {
                    next = cell.left;
                    break;
                }
                _ => {}
            }
        }
        match (page.kind, next) {
            (Kind::InteriorTable, Some(next)) => number = next,
            _ => return Ok(None),
        }
    }
    Err("a table that nests too deep".to_owned())
}

/// Reads a table from end to end. Returns how many rows have a digest.
fn walk(
    pages: &mut Pages,
    table: &Table,
    wanted: &Wanted,
    found: &mut Found,
    problems: &mut Problems,
) -> u64 {
    let mut useful = 0_u64;
    each_row(pages, table.root, problems, |pages, number, values| {
        let digests = table.digests(pages, values);
        useful = useful.saturating_add(u64::from(!digests.is_empty()));
        if digests.iter().any(|digest| !wanted.files(digest).is_empty())
            && let Some(row) = table.row(pages, number, values)
        {
            found.take(wanted, &row);
        }
    });
    useful
}

/// Gives every row of a table to `take`, in order. Pages that cannot be read are told and passed over.
fn each_row(
    pages: &mut Pages,
    root: u32,
    problems: &mut Problems,
    mut take: impl FnMut(&Pages, i64, &[Value]),
) {
    // Every page of a sound file belongs to one tree, once.
    let mut left = pages.count();
    let mut waiting = vec![(root, 0_usize)];
    while let Some((number, level)) = waiting.pop() {
        let place = format_args!("page {number}");
        if left == 0 || level > DEEPEST {
            problems.add_at(place, "a loop in the tree");
            return;
        }
        left = left.saturating_sub(1);
        let page = match pages.tree(number) {
            Ok(page) => page,
            Err(error) => {
                problems.add_at(place, &error);
                continue;
            }
        };
        let cells = (0..page.cells()).map(|at| page.cell(at));
        match page.kind {
            Kind::LeafTable => {
                for cell in cells {
                    let payload = cell.ok_or_else(|| "a damaged row".to_owned());
                    let payload = payload.and_then(|cell| Ok((cell.row, pages.payload(&cell)?)));
                    match payload {
                        Ok((row, payload)) => take(pages, row, &record::read(&payload)),
                        Err(error) => problems.add_at(place, &error),
                    }
                }
            }
            Kind::InteriorTable => {
                let below = level.saturating_add(1);
                let mut next: Vec<_> = cells.flatten().filter_map(|cell| cell.left).collect();
                next.extend(page.right);
                waiting.extend(next.into_iter().rev().map(|number| (number, below)));
            }
            Kind::InteriorIndex | Kind::LeafIndex => {
                problems.add_at(place, "a table WITHOUT ROWID, which is not read");
            }
        }
    }
}

/// Whether a file begins as a database does.
pub(super) fn is_database(head: &[u8]) -> bool {
    head.starts_with(MAGIC)
}

/// Words for a failed read.
fn failed(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::UnexpectedEof => "the file ends before it".to_owned(),
        _ => error.to_string(),
    }
}

#[cfg(test)]
mod tests;
