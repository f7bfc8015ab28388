//! Which records a caller wants: decided by event id before a record is decoded.

use std::collections::BTreeMap;

use super::peek::Worth;
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
    /// Hand out every wanted record, and whole.
    whole: bool,
    /// Render every wanted record.
    rendered: bool,
}

#[derive(Debug, Clone)]
struct Source {
    from: From,
    /// What to read, and of which records.
    plan: Plan,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum From {
    Anyone,
    Provider(String),
    Channel(String),
}

/// Which of a record's named data its reader needs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Fields {
    #[default]
    All,
    Only(&'static [&'static str]),
}

/// How to read a record.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Plan {
    pub(super) fields: Fields,
    /// Leaves out records by their values.
    pub(super) worth: Option<Worth>,
    /// Read it by rendering it, whatever its template.
    pub(super) rendered: bool,
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
        self.with(id, From::Anyone, Plan::default())
    }

    /// Also wants an event id of one provider; names compare without case.
    #[must_use]
    pub fn event_of(self, id: u16, provider: &str) -> Self {
        self.with(id, From::Provider(provider.to_owned()), Plan::default())
    }

    /// Also wants an event id in one channel; names compare without case.
    #[must_use]
    pub fn event_in(self, id: u16, channel: &str) -> Self {
        self.with(id, From::Channel(channel.to_owned()), Plan::default())
    }

    /// Also wants every record of a channel; names compare without case.
    #[must_use]
    pub fn channel(mut self, channel: &str) -> Self {
        if !self.channels.iter().any(|name| same_name(name, channel)) {
            self.channels.push(channel.to_owned());
        }
        self
    }

    /// As [`Selection::event_of`] for a reader that looks at these fields only, and only at records that pass `worth`.
    ///
    /// Positional values (`param1`, unnamed ones), `Binary` and accounts (`Subject…`, `Target…`) come in any case.
    /// Both spare work where they can and promise nothing: a record may come whole, and may come without being worth it.
    /// Where another entry wants the same record, it comes whole.
    #[must_use]
    pub fn event_for(
        self,
        id: u16,
        provider: &str,
        fields: &'static [&'static str],
        worth: Option<Worth>,
    ) -> Self {
        let plan = Plan { fields: Fields::Only(fields), worth, rendered: false };
        self.with(id, From::Provider(provider.to_owned()), plan)
    }

    /// Hands out every record that an entry names, and whole, for readers other than those the entries were made for.
    #[must_use]
    pub fn whole(self) -> Self {
        Self { whole: true, ..self }
    }

    /// Renders every wanted record instead of reading its values directly: slow, and the reference for the other way.
    #[must_use]
    pub fn rendered(self) -> Self {
        Self { rendered: true, ..self }
    }

    fn with(mut self, id: u16, from: From, plan: Plan) -> Self {
        self.ids.resize(WORDS, 0);
        if let Some(word) = self.ids.get_mut(usize::from(id) / 64) {
            *word |= 1 << (id % 64);
        }
        self.sources.entry(id).or_default().push(Source { from, plan });
        self
    }

    fn has_id(&self, id: u16) -> bool {
        self.ids.get(usize::from(id) / 64).is_some_and(|word| word >> (id % 64) & 1 == 1)
    }

    /// How a record is to be read; `None` where the raw bytes rule it out.
    pub(super) fn plan(&self, event_id: Option<u16>, origin: Origin<'_>) -> Option<Plan> {
        let whole = Plan { rendered: self.rendered, ..Plan::default() };
        if self.all || self.channels.iter().any(|name| may_be(name, origin.channel)) {
            return Some(whole);
        }
        let Some(id) = event_id else { return (!self.sources.is_empty()).then_some(whole) };
        if !self.has_id(id) {
            return None;
        }
        let mut matching = self.sources.get(&id)?.iter().filter(|source| match &source.from {
            From::Anyone => true,
            From::Provider(name) => may_be(name, origin.provider),
            From::Channel(name) => may_be(name, origin.channel),
        });
        let first = matching.next()?;
        let is_only = matching.next().is_none() && !self.whole && origin.provider.is_some();
        Some(if is_only { Plan { rendered: self.rendered, ..first.plan } } else { whole })
    }

    /// Whether a decoded record is wanted.
    pub fn wants(&self, record: &Record) -> bool {
        self.all
            || self.channels.iter().any(|name| same_name(&record.channel, name))
            || self.sources.get(&record.event_id).is_some_and(|sources| {
                sources.iter().any(|source| match &source.from {
                    From::Anyone => true,
                    From::Provider(name) => record.is_from(name),
                    From::Channel(name) => same_name(&record.channel, name),
                })
            })
    }
}

/// Whether a name may be that one; most are told apart without decoding them.
fn may_be(name: &str, utf16: Option<&[u8]>) -> bool {
    let Some(utf16) = utf16 else { return true };
    let units = utf16.as_chunks::<2>().0;
    let is_ascii = |unit: &[u8; 2]| unit[1] == 0 && unit[0] != 0 && unit[0].is_ascii();
    if name.is_ascii() && units.iter().all(is_ascii) {
        return units.len() == name.len()
            && units
                .iter()
                .zip(name.bytes())
                .all(|(unit, byte)| unit[0].eq_ignore_ascii_case(&byte));
    }
    same_name(name, &utf16le_until_nul(utf16))
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
            assert_eq!(selection.plan(id, origin).is_some(), expected, "{id:?} {origin:?}");
        }
        assert!(Selection::all().plan(Some(9), unknown).is_some());
        assert!(Selection::none().plan(None, unknown).is_none());
        assert!(Selection::none().plan(Some(0), unknown).is_none());
        assert!(Selection::none().event(u16::MAX).plan(Some(u16::MAX), unknown).is_some());
    }
}
