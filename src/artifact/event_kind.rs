//! Which events matter and how each becomes an [`Action`]: one literal per event, in the `EVENTS` of its log.

use std::sync::Arc;

use super::event_log::{Record, RecordState, Selection};
use super::worth::worth;
use super::{powershell_log, security_log, sysmon_log, system_log};
use crate::host::event::Subject;
use crate::host::{Action, Citation, Event, Place, Provenance};

/// One kind of event: where it comes from, what it means, what is read from it.
pub struct EventKind {
    /// The event id.
    pub id: u16,
    /// The providers that write it; an id means nothing without one.
    pub providers: &'static [&'static str],
    /// What it says, in a sentence.
    pub meaning: &'static str,
    /// The fields read, as the record names them; besides accounts (`Subject…`, `Target…`) and positional values, no
    /// other reaches `read`.
    pub fields: &'static [&'static str],
    /// The interpretation; `None` for a record that does not concern services.
    pub read: fn(&Record) -> Option<Action>,
}

/// Every event that is read, log by log.
pub const EVENT_LOGS: [&[EventKind]; 4] =
    [system_log::EVENTS, security_log::EVENTS, sysmon_log::EVENTS, powershell_log::EVENTS];

/// What to read from a log: the events of every log, since a file may hold any channel.
///
/// Records come with the fields that their kind reads, and without those that say nothing by their values: see
/// [`Selection::whole`] for readers that need more.
pub fn selection() -> Selection {
    let mut selection = Selection::none();
    for kind in EVENT_LOGS.into_iter().flatten() {
        for provider in kind.providers {
            let worth = worth(provider, kind.id);
            selection = selection.event_for(kind.id, provider, kind.fields, worth);
        }
    }
    selection
}

/// What a record says about services, cited; `None` if nothing.
pub fn interpret(record: &Record, artifact: &Arc<str>) -> Option<Event> {
    let kind = EVENT_LOGS.into_iter().flatten().find(|kind| {
        kind.id == record.event_id && kind.providers.iter().any(|name| record.is_from(name))
    })?;
    let action = (kind.read)(record)?;
    Some(Event {
        time: record.time,
        computer: record.computer.clone(),
        user_sid: record.user_sid.clone(),
        citation: cite(record, artifact),
        action,
    })
}

/// The citation of a record.
pub(super) fn cite(record: &Record, artifact: &Arc<str>) -> Citation {
    Citation {
        artifact: Arc::clone(artifact),
        place: Place::Record {
            channel: record.channel.as_str().into(),
            event_id: record.event_id,
            record_id: record.record_id,
        },
        provenance: match record.state {
            RecordState::Live => Provenance::Live,
            RecordState::Unflushed => Provenance::Unflushed,
            RecordState::Recovered => Provenance::Recovered,
        },
    }
}

/// A field that says something: Windows and Sysmon write `-` or `?` for nothing.
pub(super) fn said(record: &Record, name: &str) -> Option<String> {
    let value = record.get(name)?.trim();
    (!matches!(value, "" | "-" | "?")).then(|| value.to_owned())
}

/// A field as it stands; empty where it is absent.
pub(super) fn raw(record: &Record, name: &str) -> String {
    record.get(name).unwrap_or_default().to_owned()
}

/// A number in decimal or `0x` hexadecimal: 4688 writes process ids in the one form, 5156 in the other.
pub(super) fn number<N: TryFrom<u64>>(record: &Record, name: &str) -> Option<N> {
    parse_number(record.get(name)?)
}

/// As [`number`], of a text.
pub(super) fn parse_number<N: TryFrom<u64>>(text: &str) -> Option<N> {
    let text = text.trim();
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => text.parse().ok()?,
    };
    N::try_from(number).ok()
}

/// The account in `<prefix>UserSid`, `<prefix>UserName`, `<prefix>DomainName` and `<prefix>LogonId`.
pub(super) fn account(record: &Record, prefix: &str) -> Subject {
    let part = |name: &str| said(record, &format!("{prefix}{name}"));
    let name = match (part("DomainName"), part("UserName")) {
        (Some(domain), Some(name)) => Some(format!("{domain}\\{name}")),
        (None, name) => name,
        (Some(_), None) => None,
    };
    Subject {
        // S-1-0-0 is "nobody": the field is not filled.
        sid: part("UserSid").filter(|sid| sid != "S-1-0-0"),
        name,
        logon_id: number(record, &format!("{prefix}LogonId")),
    }
}

#[cfg(test)]
pub(super) mod testing {
    //! Records for unit tests.

    use jiff::Timestamp;

    use super::super::event_log::{Peek, Seen, always_read};
    use super::*;

    /// A record with the given named data.
    pub(in crate::artifact) fn record(
        provider: &str,
        event_id: u16,
        data: &[(&str, &str)],
    ) -> Record {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Record {
            channel: "Channel".to_owned(),
            provider: provider.to_owned(),
            event_id,
            qualifiers: None,
            record_id: 7,
            file_record_id: 7,
            time: Timestamp::UNIX_EPOCH,
            computer: "HOST".to_owned(),
            user_sid: None,
            process_id: None,
            thread_id: None,
            level: None,
            keywords: None,
            data: data.iter().map(owned).collect(),
            params: Vec::new(),
            binary: None,
            state: RecordState::Live,
            chunk: 0,
            offset: 512,
        }
    }

    /// What the record is interpreted as; holds that its kind names every field it reads, and that the rule that leaves
    /// records out by a first look would have let it through.
    pub(in crate::artifact) fn action(record: &Record) -> Option<Action> {
        let read = |record: &Record| interpret(record, &Arc::from("log")).map(|event| event.action);
        let action = read(record);
        let kinds = EVENT_LOGS.into_iter().flatten();
        for kind in kinds.filter(|kind| kind.id == record.event_id) {
            for provider in kind.providers.iter().filter(|provider| record.is_from(provider)) {
                let mut fewer = record.clone();
                fewer.data.retain(|(name, _)| {
                    always_read(name) || kind.fields.iter().any(|one| one == name)
                });
                assert_eq!(read(&fewer), action, "{}: a field it reads is not named", kind.id);
                let value = |name: &str| record.get(name).map_or(Seen::Unknown, Seen::Text);
                let passes = worth(provider, kind.id).is_none_or(|rule| rule(&Peek::new(&value)));
                assert!(passes || action.is_none(), "{}: left out, but it says something", kind.id);
            }
        }
        action
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::testing::{action, record};
    use super::*;

    #[test]
    fn every_kind_is_unambiguous_and_explained() {
        let mut seen = BTreeSet::new();
        for kind in EVENT_LOGS.into_iter().flatten() {
            assert!(!kind.providers.is_empty(), "{}", kind.id);
            for provider in kind.providers {
                assert!(seen.insert((kind.id, provider.to_lowercase())), "{} twice", kind.id);
            }
            assert!(kind.meaning.ends_with('.'), "{}: {}", kind.id, kind.meaning);
        }
    }

    #[test]
    fn an_id_without_its_provider_means_nothing() {
        let install = [("ServiceName", "a"), ("ImagePath", "b")];
        assert!(action(&record("Service Control Manager", 7045, &install)).is_some());
        assert!(action(&record("service control manager", 7045, &install)).is_some());
        assert!(action(&record("Somebody", 7045, &install)).is_none());
    }

    #[test]
    fn a_recovered_record_is_cited_as_such() {
        let mut one = record("Service Control Manager", 7030, &[("param1", "x")]);
        one.state = RecordState::Recovered;
        let event = interpret(&one, &Arc::from("logs/System.evtx")).unwrap();
        assert_eq!(
            event.citation.to_string(),
            "logs/System.evtx: Channel event 7030 record 7 (recovered)"
        );
    }

    #[test]
    fn accounts_leave_out_what_is_not_said() {
        let one = record(
            "p",
            1,
            &[
                ("SubjectUserSid", "S-1-0-0"),
                ("SubjectUserName", "-"),
                ("SubjectDomainName", "-"),
                ("SubjectLogonId", "0x3e7"),
                ("TargetUserName", "bob"),
                ("TargetDomainName", "CORP"),
            ],
        );
        let nobody = Subject { sid: None, name: None, logon_id: Some(999) };
        assert_eq!(account(&one, "Subject"), nobody);
        assert_eq!(account(&one, "Target").name.as_deref(), Some("CORP\\bob"));
    }
}
