//! The plain case: approved changes, one a line of CSV.

use super::csv_table::Table;
use super::{Approval, Pattern, Policy, digest, moment};

/// The columns, in the order in which the documentation lists them.
const COLUMNS: [&str; 10] = [
    "service",
    "path",
    "sha256",
    "account",
    "from",
    "to",
    "ticket",
    "expires",
    "note",
    "approved_by",
];

/// Reads the table.
pub(super) fn parse(text: &str) -> Result<Policy, String> {
    let mut table = Table::new(text, &COLUMNS)?;
    let mut policy = Policy::default();
    while let Some((line, cells)) = table.next_row()? {
        let approval =
            approval(line, cells).map_err(|problem| format!("line {line}: {problem}"))?;
        policy.changes.push(approval);
    }
    Ok(policy)
}

fn approval(line: usize, cells: Vec<(String, String)>) -> Result<Approval, String> {
    let mut approval = Approval { line, ..Approval::default() };
    for (name, field) in cells {
        let field = field.as_str();
        match name.as_str() {
            "service" => approval.service = Some(Pattern::new(field)),
            "path" => approval.path = Some(Pattern::new(field)),
            "sha256" => approval.sha256 = Some(digest(field)?),
            "account" => approval.account = Some(Pattern::new(field)),
            "from" => approval.from = Some(moment(field, false)?),
            "to" => approval.to = Some(moment(field, true)?),
            "expires" => approval.expires = Some(moment(field, true)?),
            "ticket" => approval.ticket = Some(field.to_owned()),
            "note" => approval.reason = Some(field.to_owned()),
            _ => approval.approved_by = Some(field.to_owned()),
        }
    }
    if approval.constrains() {
        return Ok(approval);
    }
    Err("an approval of everything: give a service, a path, a hash or an account".to_owned())
}
