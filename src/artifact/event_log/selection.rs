//! Which records a caller wants: decided by event id before a record is decoded.

use std::collections::BTreeMap;

use super::record::Record;
use crate::text::{same_name, utf16le_until_nul};

const WORDS: usize = 1024;

/// The set of events to read from a log.
///
/// An event id means nothing without its provider, so that an entry may ask for one; then records of other providers with
/// the same id are not even decoded, where the record's template names the provider.
#[derive(Debug, Clone, Default)]
pub struct Selection {
    all: bool,
    /// One bit per event id: the first, cheapest question.
    ids: Vec<u64>,
    sources: BTreeMap<u16, Vec<Source>>,
    /// Channels of which every record is wanted.
    channels: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Source {
    Any,
    Provider(String),
    Channel(String),
}

/// What the raw bytes of a record say about where it comes from, as UTF-16LE; `None` where they must be decoded to know.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Origin<'c> {
    pub(super) provider: Option<&'c [u8]>,
    pub(super) channel: Option<&'c [u8]>,
}

impl Selection {
    /// Wants nothing; the log's summary is complete all the same.
    pub fn none() -> Self {
        Self::default()
    }

    /// Wants every record.
    pub fn all() -> Self {
        Self { all: true, ..Self::default() }
    }

    /// Also wants an event id, whoever wrote it.
    #[must_use]
    pub fn event(self, id: u16) -> Self {
        self.with(id, Source::Any)
    }

    /// Also wants an event id of one provider; names compare without case.
    #[must_use]
    pub fn event_of(self, id: u16, provider: &str) -> Self {
        self.with(id, Source::Provider(provider.to_owned()))
    }

    /// Also wants an event id in one channel; names compare without case.
    #[must_use]
    pub fn event_in(self, id: u16, channel: &str) -> Self {
        self.with(id, Source::Channel(channel.to_owned()))
    }

    /// Also wants every record of one channel; names compare without case.
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        if !self.channels.iter().any(|name| same_name(name, channel)) {
            self.channels.push(channel.to_owned());
        }
        self
    }

    fn with(mut self, id: u16, source: Source) -> Self {
        self.ids.resize(WORDS, 0);
        if let Some(word) = self.ids.get_mut(usize::from(id) / 64) {
            *word |= 1 << (id % 64);
        }
        let sources = self.sources.entry(id).or_default();
        if !sources.contains(&source) {
            sources.push(source);
        }
        self
    }

    fn has_id(&self, id: u16) -> bool {
        self.ids.get(usize::from(id) / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// Whether a record must be decoded; true where the raw bytes leave it open.
    pub(super) fn may_want(&self, event_id: Option<u16>, origin: Origin<'_>) -> bool {
        if self.all || self.channels.iter().any(|name| may_be(name, origin.channel)) {
            return true;
        }
        let Some(id) = event_id else { return !self.sources.is_empty() };
        self.has_id(id)
            && self.sources.get(&id).is_some_and(|sources| {
                sources.iter().any(|source| match source {
                    Source::Any => true,
                    Source::Provider(name) => may_be(name, origin.provider),
                    Source::Channel(name) => may_be(name, origin.channel),
                })
            })
    }

    /// Whether a decoded record is wanted.
    pub fn wants(&self, record: &Record) -> bool {
        self.all
            || self.channels.iter().any(|name| same_name(name, &record.channel))
            || self.sources.get(&record.event_id).is_some_and(|sources| {
                sources.iter().any(|source| match source {
                    Source::Any => true,
                    Source::Provider(name) => record.is_from(name),
                    Source::Channel(name) => same_name(&record.channel, name),
                })
            })
    }
}

fn may_be(name: &str, utf16: Option<&[u8]>) -> bool {
    utf16.is_none_or(|bytes| same_name(name, &utf16le_until_nul(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_ruled_out_is_decoded() {
        let sysmon: Vec<u8> =
            "Microsoft-Windows-Sysmon".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let from_sysmon = Origin { provider: Some(&sysmon), channel: None };
        let unknown = Origin::default();
        let selection = Selection::none()
            .event(7045)
            .event_of(1, "microsoft-windows-sysmon")
            .event_of(2, "Other")
            .event_in(3, "System");
        for (id, origin, expected) in [
            (Some(7045), from_sysmon, true),
            (Some(7046), from_sysmon, false),
            (Some(1), from_sysmon, true),
            (Some(1), unknown, true),
            (Some(2), from_sysmon, false),
            (Some(3), from_sysmon, true),
            (None, from_sysmon, true),
        ] {
            assert_eq!(selection.may_want(id, origin), expected, "{id:?} {origin:?}");
        }
        assert!(Selection::all().may_want(Some(9), unknown));
        assert!(!Selection::none().may_want(None, unknown));
        assert!(!Selection::none().may_want(Some(0), unknown));
        assert!(Selection::none().event(u16::MAX).may_want(Some(u16::MAX), unknown));
    }
}
