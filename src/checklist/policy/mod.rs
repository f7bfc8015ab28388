//! What the analyst says is approved: changes with tickets, deployment tools, accounts, change windows.
//!
//! A policy answers "is there a change ticket?". It lowers a score and never hides anything: hard indicators
//! keep their floor, and the report shows the ticket beside the finding. Nothing here looks at a clock: an
//! approval has expired if it had at the time of the change. The file format is in `docs/approved.md`.

use jiff::Timestamp;

mod csv_table;
mod file;
mod pattern;
mod table;
mod window;

pub(super) use csv_table::Table;
pub(super) use file::{Moment, line_of};
pub use pattern::Pattern;
pub use window::Window;

/// The contents of `--approved FILE`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Approved changes, in the order of the file.
    pub changes: Vec<Approval>,
    /// Approved deployment tools.
    pub tools: Vec<Approval>,
    /// Accounts that may create and change services.
    pub accounts: Vec<Approval>,
    /// When changes may happen.
    pub windows: Vec<Window>,
}

/// One approval. Every condition given must hold; one that the evidence cannot show does not.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Approval {
    /// The service's key or display name.
    pub service: Option<Pattern>,
    /// The program (for tools: the tool's program or its file name).
    pub path: Option<Pattern>,
    /// SHA-256 of the program, lower-case hex.
    pub sha256: Option<String>,
    /// The SID or `DOMAIN\name` of whoever makes the change.
    pub account: Option<Pattern>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
    /// Not after; apart from `to` because tickets lapse while their time window was never used.
    pub expires: Option<Timestamp>,
    /// The change ticket.
    pub ticket: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// By whom.
    pub approved_by: Option<String>,
    /// The line of the file it stands on, from 1.
    pub line: usize,
}

/// A creation or change of a service, as far as the evidence shows it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Change<'a> {
    /// The names of the service: key, display name.
    pub names: &'a [&'a str],
    /// Its program: normalised, and as stored.
    pub paths: &'a [&'a str],
    /// SHA-256 of its program, where known.
    pub sha256: Option<&'a str>,
    /// Who: SID, `DOMAIN\name`.
    pub actors: &'a [&'a str],
    /// When.
    pub time: Option<Timestamp>,
}

impl Policy {
    /// Reads a policy in TOML.
    ///
    /// # Errors
    ///
    /// One sentence with the line: unknown fields, times without an offset, approvals of everything.
    pub fn parse_toml(text: &str) -> Result<Self, String> {
        file::parse(text)
    }

    /// Reads approved changes in CSV, columns in any order: `service`, `path`, `sha256`, `account`, `from`, `to`,
    /// `ticket`, `expires`, `note`, `approved_by`.
    ///
    /// # Errors
    ///
    /// One sentence with the line: unknown columns, times without an offset, approvals of everything.
    pub fn parse_csv(text: &str) -> Result<Self, String> {
        table::parse(text)
    }

    /// The first approval of that change, in the order of the file.
    pub fn change(&self, change: &Change<'_>) -> Option<&Approval> {
        self.changes.iter().find(|approval| approval.covers(change))
    }

    /// The first approved account among the actors of the change.
    pub fn account(&self, change: &Change<'_>) -> Option<&Approval> {
        self.accounts.iter().find(|approval| approval.covers(change))
    }

    /// The first approved deployment tool that one of these programs is.
    pub fn tool(&self, programs: &[&str], time: Option<Timestamp>) -> Option<&Approval> {
        let change = Change { paths: programs, time, ..Change::default() };
        self.tools.iter().find(|approval| approval.covers(&change))
    }

    /// Whether changes may happen at that time; `None` where the policy has no windows.
    pub fn in_window(&self, time: Timestamp) -> Option<bool> {
        (!self.windows.is_empty()).then(|| self.windows.iter().any(|window| window.contains(time)))
    }

    /// Whether the policy says who may change services.
    pub fn names_actors(&self) -> bool {
        !self.accounts.is_empty() || !self.tools.is_empty()
    }
}

impl Approval {
    /// Whether every condition is met by the evidence.
    pub fn covers(&self, change: &Change<'_>) -> bool {
        let any = |pattern: &Option<Pattern>, texts: &[&str]| match pattern {
            Some(pattern) => texts.iter().any(|text| pattern.matches(text)),
            None => true,
        };
        any(&self.service, change.names)
            && self.names_program(change.paths)
            && any(&self.account, change.actors)
            && self.sha256.as_deref().is_none_or(|wanted| {
                change.sha256.is_some_and(|found| found.eq_ignore_ascii_case(wanted))
            })
            && self.holds_at(change.time)
    }

    /// Paths match whole; a pattern without a folder matches file names.
    fn names_program(&self, paths: &[&str]) -> bool {
        let Some(pattern) = &self.path else { return true };
        let leaf_only = !pattern.as_str().contains(['\\', '/']);
        paths.iter().any(|path| {
            pattern.matches(path)
                || leaf_only && pattern.matches(crate::host::image_path::leaf(path))
        })
    }

    fn holds_at(&self, time: Option<Timestamp>) -> bool {
        match time {
            Some(time) => {
                self.from.is_none_or(|from| from <= time)
                    && self.to.is_none_or(|to| time <= to)
                    && self.expires.is_none_or(|expires| time <= expires)
            }
            None => self.from.is_none() && self.to.is_none() && self.expires.is_none(),
        }
    }

    /// What would approve everything approves nothing: some condition must narrow it down.
    fn constrains(&self) -> bool {
        let narrows = |pattern: &Option<Pattern>| {
            pattern.as_ref().is_some_and(|pattern| !pattern.matches_everything())
        };
        narrows(&self.service)
            || narrows(&self.path)
            || narrows(&self.account)
            || self.sha256.is_some()
    }

    /// The ticket and what else the file says of it, for a report.
    pub fn label(&self) -> String {
        let mut words = match &self.ticket {
            Some(ticket) => format!("ticket {ticket}"),
            None => format!("the approval on line {}", self.line),
        };
        for (before, text) in [(" by ", &self.approved_by), (": ", &self.reason)] {
            if let Some(text) = text {
                words.push_str(before);
                words.push_str(text);
            }
        }
        words
    }
}

/// A time with an offset, or a day, which means all of it in UTC.
pub(super) fn moment(text: &str, end_of_day: bool) -> Result<Timestamp, String> {
    let text = text.trim();
    if let Ok(time) = text.replacen(' ', "T", 1).parse::<Timestamp>() {
        return Ok(time);
    }
    let day = text.parse::<jiff::civil::Date>();
    if text.len() == 10
        && let Ok(day) = day
    {
        let clock = if end_of_day { day.at(23, 59, 59, 999_999_900) } else { day.at(0, 0, 0, 0) };
        if let Ok(time) = jiff::tz::Offset::UTC.to_timestamp(clock) {
            return Ok(time);
        }
    }
    Err(format!("`{text}` is no time with an offset: write 2026-03-02T12:00:00Z or 2026-03-02"))
}

/// 64 hex digits, lower case.
pub(super) fn digest(text: &str) -> Result<String, String> {
    let hex = text.trim().to_lowercase();
    if hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(hex);
    }
    Err(format!("`{text}` is no SHA-256: 64 hex digits"))
}

#[cfg(test)]
mod tests;
