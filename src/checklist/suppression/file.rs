//! The TOML form of a suppression list.

use serde::Deserialize;
use toml::Spanned;

use super::super::policy::{Moment, line_of};
use super::{Draft, Reader, Suppression};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    suppress: Vec<Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    service: Option<String>,
    path: Option<String>,
    sha256: Option<String>,
    account: Option<String>,
    host: Option<String>,
    #[serde(default)]
    indicators: Vec<String>,
    reason: Option<String>,
    author: Option<String>,
    expires: Option<Moment>,
}

/// Reads the file.
pub(super) fn parse(text: &str, reader: &Reader<'_>) -> Result<Vec<Suppression>, String> {
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(text, span.start));
        format!("line {line}: {}", error.message())
    })?;
    let read = |entry: Spanned<Entry>| {
        let line = line_of(text, entry.span().start);
        let entry = entry.into_inner();
        let draft = Draft {
            service: entry.service,
            path: entry.path,
            sha256: entry.sha256,
            account: entry.account,
            host: entry.host,
            indicators: entry.indicators,
            reason: entry.reason,
            author: entry.author,
            expires: entry.expires.map(|moment| moment.text()),
        };
        reader.entry(draft, line).map_err(|problem| format!("line {line}: {problem}"))
    };
    file.suppress.into_iter().map(read).collect()
}
