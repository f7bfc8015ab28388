//! Lists as data, each with its source, parsed once.
//!
//! A list is a text file beside its accessor: comment lines start with `#` and name the source, the other
//! lines are rows of tab-separated fields; empty fields at the end are left out.

use std::sync::OnceLock;

pub mod agents;
pub mod drivers;
pub mod failure;
pub mod groups;
pub mod libraries;
pub mod network;
pub mod programs;
pub mod protection;
pub mod responders;
pub mod rmm;
pub mod security;
pub mod stock;
pub mod tools;

/// One row of a list.
struct Row(Vec<&'static str>);

impl Row {
    /// The field of that number, empty where the row has none.
    fn field(&self, index: usize) -> &'static str {
        self.0.get(index).copied().unwrap_or_default()
    }

    /// The field as a decimal number.
    fn number(&self, index: usize) -> Option<u32> {
        self.field(index).parse().ok()
    }

    /// The field as a list of decimal numbers separated by commas.
    fn numbers(&self, index: usize) -> Vec<u32> {
        self.field(index).split(',').filter_map(|number| number.parse().ok()).collect()
    }
}

/// A list of rows that is parsed when it is first asked for.
struct List {
    text: &'static str,
    rows: OnceLock<Vec<Row>>,
}

impl List {
    const fn new(text: &'static str) -> Self {
        Self { text, rows: OnceLock::new() }
    }

    /// Its rows in order.
    fn rows(&self) -> impl Iterator<Item = &Row> {
        self.rows.get_or_init(|| rows(self.text).collect()).iter()
    }
}

/// The rows of a list.
fn rows(text: &'static str) -> impl Iterator<Item = Row> {
    text.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| Row(line.split('\t').collect()))
}

/// Whether a text matches a pattern in which `*` stands for any characters; both in lower case.
pub fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| text.strip_prefix(first)) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.split_once(part) {
            Some((_, after)) => rest = after,
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What every list must be: a source, sorted rows without duplicates, clean fields.
    pub(super) fn assert_well_formed(text: &'static str, columns: usize, key_columns: usize) {
        assert!(text.starts_with('#') && text.contains("# source: "), "a list names its source");
        let mut seen = std::collections::BTreeSet::new();
        let mut previous = String::new();
        for row in rows(text) {
            assert!(row.0.len() <= columns, "too many fields: {:?}", row.0);
            assert!(!row.field(0).is_empty(), "no key: {:?}", row.0);
            for field in &row.0 {
                assert_eq!(field.trim(), *field, "blanks around a field: {:?}", row.0);
            }
            let key: Vec<String> =
                (0..key_columns).map(|column| row.field(column).to_lowercase()).collect();
            assert!(seen.insert(key), "twice: {:?}", row.0);
            let name = row.field(0).to_lowercase();
            assert!(previous <= name, "{name} comes after {previous}");
            previous = name;
        }
        assert!(!seen.is_empty(), "an empty list");
    }

    #[test]
    fn star_matches_any_characters() {
        for (pattern, text, expected) in [
            ("abc", "abc", true),
            ("abc", "abcd", false),
            ("a*c", "abbc", true),
            ("a*c", "ac", true),
            ("a*c", "acb", false),
            ("*b*", "abc", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("*", "", true),
            ("aa*aa", "aaa", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
        }
    }
}
