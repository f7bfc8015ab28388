//! The event logs of a host while events accumulate.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::lab::evidence::File;
use crate::lab::evtx::{Event, Log, State};
use crate::lab::scenario::{Host, LogFile, ScenarioError};

/// The logs a host keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Channel {
    System,
    Security,
    Sysmon,
    PowerShell,
    PowerShellOperational,
}

impl Channel {
    const ALL: [Channel; 5] = [
        Channel::System,
        Channel::Security,
        Channel::Sysmon,
        Channel::PowerShell,
        Channel::PowerShellOperational,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Channel::System => "System",
            Channel::Security => "Security",
            Channel::Sysmon => "Microsoft-Windows-Sysmon/Operational",
            Channel::PowerShell => "Windows PowerShell",
            Channel::PowerShellOperational => "Microsoft-Windows-PowerShell/Operational",
        }
    }

    pub(super) fn named(name: &str) -> Option<Channel> {
        Channel::ALL.into_iter().find(|channel| channel.name().eq_ignore_ascii_case(name))
    }

    /// Whether an empty log of the channel is left out; every host has one, and it says nothing.
    fn only_if_used(self) -> bool {
        matches!(self, Channel::PowerShell | Channel::PowerShellOperational)
    }

    /// Where Windows keeps the log, below its volume.
    fn path(self) -> String {
        format!("Windows/System32/winevt/Logs/{}.evtx", self.name().replace('/', "%4"))
    }
}

/// All logs.
pub(super) struct Journals(BTreeMap<Channel, Journal>);

#[derive(Default)]
struct Journal {
    settings: LogFile,
    /// Records gone by clearing.
    gone: u64,
    events: Vec<Event>,
}

impl Journals {
    pub(super) fn new(host: &Host) -> Journals {
        let channels =
            Channel::ALL.into_iter().filter(|channel| *channel != Channel::Sysmon || host.sysmon);
        let journals = channels.map(|channel| {
            let settings = host.logs.get(channel.name()).copied().unwrap_or_default();
            (channel, Journal { settings, ..Journal::default() })
        });
        Journals(journals.collect())
    }

    /// Appends an event; a channel that is not kept, or began later, swallows it.
    pub(super) fn push(&mut self, channel: Channel, event: Event) {
        let Some(journal) = self.0.get_mut(&channel) else { return };
        if journal.settings.begins.is_some_and(|begins| event.time < begins) {
            return;
        }
        journal.events.push(event);
    }

    /// Removes what was logged before; record ids go on.
    pub(super) fn clear(&mut self, channel: Channel, at: Timestamp) {
        if let Some(journal) = self.0.get_mut(&channel) {
            let before = journal.events.len();
            journal.events.retain(|event| event.time >= at);
            let gone = before.saturating_sub(journal.events.len());
            journal.gone = journal.gone.saturating_add(u64::try_from(gone).unwrap_or(u64::MAX));
        }
    }

    /// The log files.
    pub(super) fn files(mut self, host: &Host) -> Result<Vec<File>, ScenarioError> {
        let mut files = Vec::new();
        for (channel, journal) in &mut self.0 {
            if journal.events.is_empty() && channel.only_if_used() {
                continue;
            }
            journal.events.sort_by_key(|event| event.time);
            let first = journal.settings.first_record.unwrap_or(1).saturating_add(journal.gone);
            let mut log = Log::new(channel.name(), &host.name, first);
            for event in &journal.events {
                log.push(event)
                    .ok_or_else(|| ScenarioError::EventTooLarge(channel.name().to_owned()))?;
            }
            let state: State = journal.settings.state;
            files.push(File { path: channel.path(), bytes: log.to_bytes(state) });
        }
        Ok(files)
    }
}
