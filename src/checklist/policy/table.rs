//! The plain case: approved changes, one a line of CSV.

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

/// Reads the table; lists of spreadsheets may be separated by semicolons.
pub(super) fn parse(text: &str) -> Result<Policy, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let header = text.lines().next().unwrap_or_default();
    let delimiter = if header.contains(';') && !header.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .trim(csv::Trim::All)
        .flexible(true)
        .from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(str::to_lowercase).collect(),
        Err(error) => return Err(format!("line 1: {error}")),
    };
    if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
        return Err(format!(
            "line 1: unknown column `{unknown}`; known are {}",
            COLUMNS.join(", ")
        ));
    }
    let mut policy = Policy::default();
    for record in reader.records() {
        let record = record.map_err(|error| match error.position() {
            Some(position) => format!("line {}: {error}", position.line()),
            None => error.to_string(),
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        if record.len() > names.len() {
            return Err(format!("line {line}: more fields than columns"));
        }
        let approval = approval(&names, &record, usize::try_from(line).unwrap_or(usize::MAX))
            .map_err(|problem| format!("line {line}: {problem}"))?;
        policy.changes.push(approval);
    }
    Ok(policy)
}

fn approval(names: &[String], record: &csv::StringRecord, line: usize) -> Result<Approval, String> {
    let mut approval = Approval { line, ..Approval::default() };
    for (name, field) in names.iter().zip(record) {
        if field.is_empty() {
            continue;
        }
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
