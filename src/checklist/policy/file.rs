//! The TOML form of a policy.

use serde::Deserialize;
use toml::Spanned;
use toml::value::Datetime;

use super::window::{minutes, offset, weekday};
use super::{Approval, Pattern, Policy, Window, digest, moment};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    change: Vec<Spanned<Entry>>,
    #[serde(default)]
    tool: Vec<Spanned<Entry>>,
    #[serde(default)]
    account: Vec<Spanned<Entry>>,
    #[serde(default)]
    window: Vec<Spanned<Hours>>,
}

/// One approval, whatever table it stands in: what a table does not need is refused by [`approval`].
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    service: Option<String>,
    path: Option<String>,
    sha256: Option<String>,
    account: Option<String>,
    from: Option<Moment>,
    to: Option<Moment>,
    expires: Option<Moment>,
    ticket: Option<String>,
    reason: Option<String>,
    approved_by: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hours {
    #[serde(default)]
    days: Vec<String>,
    from: Moment,
    to: Moment,
    offset: Option<String>,
}

/// A TOML date and time, or a text.
#[derive(Deserialize)]
#[serde(untagged)]
pub(in crate::checklist) enum Moment {
    /// As TOML writes it.
    Datetime(Datetime),
    /// In quotes.
    Text(String),
}

impl Moment {
    /// It as text.
    pub(in crate::checklist) fn text(&self) -> String {
        match self {
            Self::Datetime(datetime) => datetime.to_string(),
            Self::Text(text) => text.clone(),
        }
    }
}

/// Which table an entry stands in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Change,
    Tool,
    Account,
}

/// Reads the file.
pub(super) fn parse(text: &str) -> Result<Policy, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    let read = |entries: &[Spanned<Entry>], kind: Kind| -> Result<Vec<Approval>, String> {
        entries
            .iter()
            .map(|entry| {
                let line = line_of(text, entry.span().start);
                approval(entry.get_ref(), kind, line)
                    .map_err(|problem| format!("line {line}: {problem}"))
            })
            .collect()
    };
    let windows = file.window.iter().map(|hours| {
        let line = line_of(text, hours.span().start);
        window(hours.get_ref()).map_err(|problem| format!("line {line}: {problem}"))
    });
    Ok(Policy {
        changes: read(&file.change, Kind::Change)?,
        tools: read(&file.tool, Kind::Tool)?,
        accounts: read(&file.account, Kind::Account)?,
        windows: windows.collect::<Result<_, _>>()?,
    })
}

/// The line of a text that an offset stands on, from 1.
pub(in crate::checklist) fn line_of(text: &str, offset: usize) -> usize {
    let before = text.get(..offset).unwrap_or(text);
    before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1)
}

fn approval(entry: &Entry, kind: Kind, line: usize) -> Result<Approval, String> {
    let pattern = |text: &Option<String>| text.as_deref().map(Pattern::new);
    let time = |moment_given: &Option<Moment>, end_of_day| {
        moment_given.as_ref().map(|given| moment(&given.text(), end_of_day)).transpose()
    };
    let approval = Approval {
        service: pattern(&entry.service),
        path: pattern(&entry.path),
        sha256: entry.sha256.as_deref().map(digest).transpose()?,
        account: pattern(&entry.account),
        from: time(&entry.from, false)?,
        to: time(&entry.to, true)?,
        expires: time(&entry.expires, true)?,
        ticket: entry.ticket.clone(),
        reason: entry.reason.clone(),
        approved_by: entry.approved_by.clone(),
        line,
    };
    let (needed, unwanted) = match kind {
        Kind::Change => (approval.constrains(), None),
        Kind::Tool => (
            approval.path.as_ref().is_some_and(|path| !path.matches_everything()),
            first_given(&[
                ("service", entry.service.is_some()),
                ("account", entry.account.is_some()),
                ("sha256", entry.sha256.is_some()),
            ]),
        ),
        Kind::Account => (
            approval.account.as_ref().is_some_and(|account| !account.matches_everything()),
            first_given(&[
                ("service", entry.service.is_some()),
                ("path", entry.path.is_some()),
                ("sha256", entry.sha256.is_some()),
            ]),
        ),
    };
    if let Some(field) = unwanted {
        return Err(format!("`{field}` narrows a [[change]], not a tool or an account"));
    }
    if needed {
        return Ok(approval);
    }
    Err(match kind {
        Kind::Change => "an approval of everything: give a service, a path, a hash or an account",
        Kind::Tool => "a tool needs a `path`",
        Kind::Account => "an account needs `account`: a SID or DOMAIN\\name",
    }
    .to_owned())
}

fn first_given(fields: &[(&'static str, bool)]) -> Option<&'static str> {
    fields.iter().find(|(_, given)| *given).map(|(field, _)| *field)
}

fn window(hours: &Hours) -> Result<Window, String> {
    let (from, to) = (hours.from.text(), hours.to.text());
    if hours.days.is_empty() {
        if hours.offset.is_some() {
            return Err("`offset` belongs to windows with `days`; times carry their own".to_owned());
        }
        let (from, to) = (moment(&from, false)?, moment(&to, true)?);
        if to < from {
            return Err("the window ends before it begins".to_owned());
        }
        return Ok(Window::Span { from, to });
    }
    let days = hours
        .days
        .iter()
        .map(|day| weekday(day).ok_or_else(|| format!("`{day}` is no day of the week")))
        .collect::<Result<_, _>>()?;
    let clock = |text: &str| minutes(text).ok_or_else(|| format!("`{text}` is no time of day"));
    let given = hours.offset.as_deref().unwrap_or("Z");
    Ok(Window::Weekly {
        days,
        from: clock(&from)?,
        to: clock(&to)?,
        offset: offset(given).ok_or_else(|| format!("`{given}` is no offset: write +01:00"))?,
    })
}
