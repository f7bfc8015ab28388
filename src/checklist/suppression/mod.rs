//! Findings that the analyst does not want counted: which, of which services, why, who says so, and until when.
//!
//! A suppressed finding adds nothing to a score and is still listed wherever the report tells of findings. There is no clock
//! here: an entry has expired where the evidence goes on after its last day. The file format is in `docs/suppressions.md`.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::policy::Pattern;
use super::{Family, Given, Indicator, Scope};
use crate::host::config::ServiceType;
use crate::host::program_file::Purpose;
use crate::host::{Host, Service};

mod file;
mod table;

/// One entry of a suppression list. Every condition given must hold; one that the evidence cannot show does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// The service's key or display name.
    pub service: Option<Pattern>,
    /// Its program or service DLL.
    pub path: Option<Pattern>,
    /// SHA-256 of its service DLL, else of its program; lower-case hex.
    pub sha256: Option<String>,
    /// The account it runs as.
    pub account: Option<Pattern>,
    /// The host's name, with or without its domain.
    pub host: Option<Pattern>,
    /// The indicators it is about; none means all that need not be named.
    pub indicators: BTreeSet<&'static str>,
    /// Why.
    pub reason: String,
    /// Who says so.
    pub author: String,
    /// Its last moment.
    pub expires: Timestamp,
    /// The file it stands in, as given.
    pub list: Arc<str>,
    /// The line of the file it stands on, from 1.
    pub line: usize,
}

/// What an entry says before it is checked.
#[derive(Debug, Clone, Default)]
struct Draft {
    service: Option<String>,
    path: Option<String>,
    sha256: Option<String>,
    account: Option<String>,
    host: Option<String>,
    indicators: Vec<String>,
    reason: Option<String>,
    author: Option<String>,
    expires: Option<String>,
}

impl Suppression {
    /// Reads a list in TOML; `known` are the indicators that are asked, `list` is the file's name.
    ///
    /// # Errors
    /// One sentence with the line: unknown fields and ids, entries without reason, author or expiry, entries about everything.
    pub fn parse_toml(
        text: &str,
        list: &str,
        known: &[&'static Indicator],
    ) -> Result<Vec<Self>, String> {
        file::parse(text, &Reader { list: Arc::from(list), known })
    }

    /// Reads a list in CSV, columns in any order: `service`, `path`, `sha256`, `account`, `host`, `indicators` (separated by
    /// spaces), `reason`, `author`, `expires`.
    ///
    /// # Errors
    /// As of [`Suppression::parse_toml`], and unknown columns.
    pub fn parse_csv(
        text: &str,
        list: &str,
        known: &[&'static Indicator],
    ) -> Result<Vec<Self>, String> {
        table::parse(text, &Reader { list: Arc::from(list), known })
    }

    /// Whether the evidence goes on after its last moment.
    pub fn has_expired(&self, host: &Host) -> bool {
        host.coverage.newest().is_some_and(|newest| newest > self.expires)
    }

    /// Whether it is about that host.
    pub fn is_for(&self, host: &Host) -> bool {
        let Some(pattern) = &self.host else { return true };
        let identity = &host.identity;
        let Some(name) = identity.name.as_deref() else { return false };
        let full = identity.domain.as_ref().map(|domain| format!("{name}.{domain}"));
        pattern.matches(name) || full.is_some_and(|full| pattern.matches(&full))
    }

    /// Whether it is about that service.
    pub fn concerns(&self, host: &Host, service: &Service) -> bool {
        let any = |pattern: &Option<Pattern>, texts: &[Option<&str>]| match pattern {
            Some(pattern) => texts.iter().flatten().any(|text| pattern.matches(text)),
            None => true,
        };
        any(&self.service, &[Some(&service.name), service.display_name.as_deref()])
            && self.path.as_ref().is_none_or(|pattern| names_program(pattern, service))
            && any(&self.account, &[account(service)])
            && self.sha256.as_deref().is_none_or(|wanted| {
                digest(host, service).is_some_and(|found| found.eq_ignore_ascii_case(wanted))
            })
            && self.is_for(host)
    }

    /// Whether it is about that indicator: named, or one that need not be.
    pub fn is_about(&self, indicator: &Indicator) -> bool {
        if self.indicators.is_empty() {
            !must_be_named(indicator)
        } else {
            self.indicators.contains(indicator.id)
        }
    }
}

/// Whether an entry must name the indicator: what a tool, a failure command or a weakened defence is known by is not
/// suppressed in passing.
pub fn must_be_named(indicator: &Indicator) -> bool {
    indicator.hard || matches!(indicator.family, Family::K | Family::F | Family::D)
}

impl Given {
    /// The first entry that holds for a yes of that indicator, by its place; entries that have expired hold for nothing.
    pub fn suppression(&self, scope: &Scope<'_>, indicator: &Indicator) -> Option<usize> {
        let Scope { host, service, .. } = scope;
        self.suppressions.iter().position(|entry| {
            entry.is_about(indicator) && entry.concerns(host, service) && !entry.has_expired(host)
        })
    }
}

/// Paths match whole; a pattern without a folder matches file names. A program that hosts a DLL is not the service's own.
fn names_program(pattern: &Pattern, service: &Service) -> bool {
    let leaf_only = !pattern.as_str().contains(['\\', '/']);
    let own = service.dll.as_ref().or(service.image.as_ref());
    own.into_iter().any(|path| {
        let spellings = [path.normalized.as_str(), path.expanded.as_str(), path.raw.as_str()];
        spellings.iter().any(|text| pattern.matches(text))
            || leaf_only && pattern.matches(path.leaf())
    })
}

fn account(service: &Service) -> Option<&str> {
    let config = service.config.as_ref()?;
    let is_process = config.service_type.is_some_and(ServiceType::is_win32);
    config.object_name.as_deref().or(is_process.then_some("LocalSystem"))
}

/// SHA-256 of the file that is the service's own: its DLL, where it has one.
fn digest<'a>(host: &'a Host, service: &Service) -> Option<&'a str> {
    let purpose = match service.dll {
        Some(_) => Purpose::ServiceDll,
        None => Purpose::Image,
    };
    let file = host.files.get(service.file(&purpose)?.file)?;
    file.content.as_ref().map(|content| content.digests.sha256.as_str())
}

/// What entries are read with.
struct Reader<'a> {
    list: Arc<str>,
    known: &'a [&'static Indicator],
}

impl Reader<'_> {
    fn entry(&self, draft: Draft, line: usize) -> Result<Suppression, String> {
        let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let pattern = |text: Option<String>| given(text).as_deref().map(Pattern::new);
        let (reason, author, expires) = match (
            given(draft.reason),
            given(draft.author),
            given(draft.expires),
        ) {
            (Some(reason), Some(author), Some(expires)) => (reason, author, expires),
            (reason, author, expires) => {
                let lacks = [
                    ("reason", reason.is_none()),
                    ("author", author.is_none()),
                    ("expires", expires.is_none()),
                ];
                let lacks: Vec<&str> =
                    lacks.iter().filter(|(_, lacks)| *lacks).map(|(name, _)| *name).collect();
                return Err(format!(
                    "the entry lacks {}: whoever reads the report must know why, who says so and until when",
                    lacks.join(" and ")
                ));
            }
        };
        let indicators = draft.indicators.iter().map(|id| self.indicator(id));
        let entry = Suppression {
            service: pattern(draft.service),
            path: pattern(draft.path),
            sha256: given(draft.sha256).as_deref().map(super::policy::digest).transpose()?,
            account: pattern(draft.account),
            host: pattern(draft.host),
            indicators: indicators.collect::<Result<_, _>>()?,
            reason,
            author,
            expires: super::policy::moment(&expires, true)?,
            list: Arc::clone(&self.list),
            line,
        };
        entry.check().map(|()| entry)
    }

    fn indicator(&self, id: &str) -> Result<&'static str, String> {
        let found = super::lookup(id, self.known)?;
        if found.family == Family::B {
            return Err(format!(
                "{} speaks for a service: there is nothing to suppress (--ignore {} does not ask it)",
                found.id, found.id
            ));
        }
        Ok(found.id)
    }
}

impl Suppression {
    /// What would suppress everything suppresses nothing: some condition must narrow it down.
    fn check(&self) -> Result<(), String> {
        let narrows = |pattern: &Option<Pattern>| {
            pattern.as_ref().is_some_and(|pattern| !pattern.matches_everything())
        };
        let of_service = narrows(&self.service)
            || narrows(&self.path)
            || narrows(&self.account)
            || self.sha256.is_some();
        match (of_service, narrows(&self.host)) {
            (true, _) => Ok(()),
            (false, true) if !self.indicators.is_empty() => Ok(()),
            (false, true) => Err(
                "everything of a host: give a service, a path, a hash or an account, or name the indicators"
                    .to_owned(),
            ),
            (false, false) => Err(
                "a suppression of everything: give a service, a path, a hash, an account or a host"
                    .to_owned(),
            ),
        }
    }
}

#[cfg(test)]
mod tests;
