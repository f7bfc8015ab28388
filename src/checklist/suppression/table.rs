//! The CSV form of a suppression list: one entry a line.

use super::super::policy::Table;
use super::{Draft, Reader, Suppression};

/// The columns, in the order in which the documentation lists them.
const COLUMNS: [&str; 9] =
    ["service", "path", "sha256", "account", "host", "indicators", "reason", "author", "expires"];

/// Reads the table.
pub(super) fn parse(text: &str, reader: &Reader<'_>) -> Result<Vec<Suppression>, String> {
    let mut table = Table::new(text, &COLUMNS)?;
    let mut entries = Vec::new();
    while let Some((line, cells)) = table.next_row()? {
        let mut draft = Draft::default();
        for (name, cell) in cells {
            let said = Some(cell.clone());
            match name.as_str() {
                "service" => draft.service = said,
                "path" => draft.path = said,
                "sha256" => draft.sha256 = said,
                "account" => draft.account = said,
                "host" => draft.host = said,
                "indicators" => {
                    draft.indicators = cell.split_whitespace().map(str::to_owned).collect();
                }
                "reason" => draft.reason = said,
                "author" => draft.author = said,
                _ => draft.expires = said,
            }
        }
        entries
            .push(reader.entry(draft, line).map_err(|problem| format!("line {line}: {problem}"))?);
    }
    Ok(entries)
}
