//! The words in which a story is told. They quote evidence as it stands; escaping is the renderers' business.

use super::event_summary::{logon_type_word, quote, subject_name, summary};
use super::stamp::Stamp;
use crate::host::event::{Action, Event, ServiceInstall};
use crate::host::image_path::leaf;
use crate::host::process::Kinship;
use crate::host::service::Actor;
use crate::host::story::{Phase, Step, Story};
use crate::host::{Citation, Host, Place, Service};

/// Whose story is being told.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    pub(super) host: &'a Host,
    pub(super) service: &'a Service,
}

impl<'a> Telling<'a> {
    fn events(self, step: &'a Step) -> impl Iterator<Item = &'a Event> {
        step.events.iter().filter_map(move |at| self.host.events.get(*at))
    }
}

/// A phase in a word.
pub(super) const fn phase_word(phase: Phase) -> &'static str {
    match phase {
        Phase::Session => "session",
        Phase::Dropped => "dropped",
        Phase::Installed => "installed",
        Phase::Configured => "configured",
        Phase::Started => "started",
        Phase::Failed => "failed",
        Phase::Process => "process",
        Phase::Network => "network",
        Phase::Pipe => "pipe",
        Phase::Wrote => "wrote",
        Phase::Accessed => "accessed",
        Phase::Loaded => "loaded",
        Phase::Crashed => "crashed",
        Phase::Recovered => "recovered",
        Phase::Stopped => "stopped",
        Phase::Deleted => "deleted",
        Phase::LogCleared => "log cleared",
    }
}

/// A record in short: channel, event id and record id; else the whole citation.
pub(super) fn short(citation: &Citation) -> String {
    match &citation.place {
        Place::Record { channel, event_id, record_id } => {
            let channel = channel.trim_start_matches("Microsoft-Windows-");
            let channel = channel.trim_end_matches("/Operational");
            format!("{channel} {event_id} record {record_id}")
        }
        Place::Key { .. } | Place::File => citation.to_string(),
    }
}

/// What happened, in one sentence without a full stop.
pub(super) fn sentence(telling: Telling<'_>, step: &Step) -> String {
    match step.phase {
        Phase::Installed => installed(telling, step),
        Phase::Process | Phase::Recovered => process(telling, step),
        Phase::Network | Phase::Pipe | Phase::Wrote | Phase::Accessed | Phase::Loaded => {
            repeated(telling, step)
        }
        Phase::Deleted => deleted(telling, step),
        _ => joined(telling, step),
    }
}

/// What a command does to the service: the values it sets, and the shortest of the records that show it.
fn commanded(telling: Telling<'_>, step: &Step) -> Option<String> {
    let commands = telling.service.commands.iter().filter(|seen| step.events.contains(&seen.event));
    let mut sets: Vec<String> = Vec::new();
    let mut shown: Vec<(usize, String)> = Vec::new();
    for seen in commands {
        for change in &seen.command.changes {
            let set = format!("{} to {}", quote(&change.value), quote(&change.data));
            if !sets.contains(&set) {
                sets.push(set);
            }
        }
        if let Some(event) = telling.host.events.get(seen.event) {
            let words = summary(event);
            shown.push((words.chars().count(), words));
        }
    }
    let (_, shortest) = shown.into_iter().min()?;
    let account = telling.events(step).find_map(|event| match &event.action {
        Action::Script { .. } => event.user_sid.as_deref(),
        _ => None,
    });
    let by = account.map(|sid| format!(" by {}", quote(sid))).unwrap_or_default();
    let sets = match sets.len() {
        0 => String::new(),
        _ => format!("a command set {}{by}: ", sets.join(", ")),
    };
    Some(format!("{sets}{shortest}"))
}

/// What a command did, then what each kind of record says, once.
fn joined(telling: Telling<'_>, step: &Step) -> String {
    let mut said: Vec<String> = commanded(telling, step).into_iter().collect();
    for event in telling.events(step) {
        let is_command = matches!(event.action, Action::ProcessStarted(_) | Action::Script { .. });
        let words = summary(event);
        if (said.is_empty() || !is_command) && !said.contains(&words) {
            said.push(words);
        }
    }
    let more = said.len().saturating_sub(SAID);
    let mut parts: Vec<String> = said.into_iter().take(SAID).collect();
    if more > 0 {
        parts.push(format!("and {more} more like this"));
    }
    format!("{}{}", parts.join("; "), disabled_or_deleted(telling, step))
}

/// Different sentences of one act.
const SAID: usize = 4;

/// `DeleteService` begins with the same write as disabling does, and some hosts do not log what comes after.
fn disabled_or_deleted(telling: Telling<'_>, step: &Step) -> &'static str {
    let disables = telling.events(step).any(|event| match &event.action {
        Action::RegistryChanged(change) => {
            crate::text::same_name(&change.target, "Start")
                && leaf(&change.image).eq_ignore_ascii_case("services.exe")
                && change.new.as_deref().is_some_and(|new| new.ends_with("00000004)"))
        }
        _ => false,
    });
    if disables && step.phase == Phase::Configured {
        " (disabled, or the first write of a deletion)"
    } else {
        ""
    }
}

/// The first of several like acts, and how many there were.
fn repeated(telling: Telling<'_>, step: &Step) -> String {
    let first = telling.events(step).next().map(summary).unwrap_or_default();
    let until = Stamp(step.until).short();
    match step.events.len() {
        0 | 1 => first,
        count => format!("{first}, {count} times until {until}"),
    }
}

fn deleted(telling: Telling<'_>, step: &Step) -> String {
    let mut parts: Vec<String> = Vec::new();
    let (mut marked, mut disabled, mut keys) = (false, false, 0_usize);
    for event in telling.events(step) {
        match &event.action {
            Action::RegistryChanged(change) if change.new.is_some() => {
                let is_flag = crate::text::same_name(&change.target, "DeleteFlag");
                marked |= is_flag;
                disabled |= !is_flag;
            }
            Action::RegistryChanged(change) => {
                keys = keys.saturating_add(usize::from(change.target.is_empty()));
            }
            _ => parts.push(summary(event)),
        }
    }
    if marked {
        parts.push("it was marked for deletion (DeleteFlag)".to_owned());
    }
    if disabled {
        parts.push("its Start was set to 4, so that it does not start again before".to_owned());
    }
    if keys > 0 {
        parts.push("its key was deleted".to_owned());
    }
    parts.join("; ")
}

fn installed(telling: Telling<'_>, step: &Step) -> String {
    let installs: Vec<&ServiceInstall> = telling
        .events(step)
        .filter_map(|event| match &event.action {
            Action::ServiceInstalled(install) => Some(install),
            _ => None,
        })
        .collect();
    let mut words = match installs.first() {
        Some(install) => format!("the service was installed{}", terms(install)),
        None => unrecorded(telling, step),
    };
    if let Some(actor) = step.actor.and_then(|at| telling.service.actors.get(at)) {
        words.push_str(&by(actor));
    }
    if let Some(command) = commanded(telling, step) {
        words = format!("{words}; {command}");
    }
    words
}

/// The terms of an install: account, start type, command.
fn terms(install: &ServiceInstall) -> String {
    let account = match install.account.as_str() {
        "" => String::new(),
        account => format!(" to run as {}", quote(account)),
    };
    let start = install.start.map(|start| format!(", {start}")).unwrap_or_default();
    format!("{account}{start}: {}", quote(&install.image_path))
}

/// An install without a record of it: the writes that make a service, or a command.
fn unrecorded(telling: Telling<'_>, step: &Step) -> String {
    let mut values: Vec<String> = Vec::new();
    for event in telling.events(step) {
        if let Action::RegistryChanged(change) = &event.action {
            let target = if change.target.is_empty() { "its key" } else { &change.target };
            let new = change.new.as_deref().map(|new| format!(" = {}", quote(new)));
            values.push(format!("{}{}", quote(target), new.unwrap_or_default()));
        }
    }
    if values.is_empty() {
        "a command asked for the service to be installed".to_owned()
    } else {
        format!("services.exe wrote what makes a service: {}", values.join(", "))
    }
}

/// Who, from where, in which session.
fn by(actor: &Actor) -> String {
    let mut words = String::new();
    if let Some(who) = subject_name(&actor.subject) {
        words = format!(", by {who}");
    }
    if let Some(address) = actor.address() {
        words = format!("{words} from {}", quote(address));
    }
    let mut session: Vec<String> = Vec::new();
    if let Some(logon) = &actor.logon {
        session.extend(logon.logon_type.map(logon_type_word));
        session.extend(logon.workstation.as_deref().map(|name| format!("from {}", quote(name))));
    }
    session.extend(actor.subject.logon_id.map(|id| format!("session 0x{id:x}")));
    if session.is_empty() { words } else { format!("{words} ({})", session.join(", ")) }
}

fn process(telling: Telling<'_>, step: &Step) -> String {
    let Some(process) = step.process.and_then(|at| telling.host.processes.get(at)) else {
        return joined(telling, step);
    };
    // Of two logs the one that tells more: a command line first, then whose process it is.
    let fullest = telling.events(step).max_by_key(|event| match &event.action {
        Action::ProcessStarted(start) => {
            (start.command_line.is_some(), start.parent_image.is_some(), start.hashes.is_some())
        }
        _ => (false, false, false),
    });
    let id = process.process_id.map(|id| format!(" [{id}]")).unwrap_or_default();
    let mut words = match fullest {
        Some(event) => summary(event),
        None => format!("process {}{id} ran; its start is not in the logs", quote(&process.image)),
    };
    let why = match process.kinship {
        Kinship::FailureCommand if step.phase == Phase::Recovered => {
            " (the failure command, run as the recovery action)"
        }
        Kinship::FailureCommand => " (the failure command)",
        Kinship::Command if step.phase == Phase::Recovered => " (restarted as the recovery action)",
        Kinship::Intercepted => " (found in place of the configured program)",
        Kinship::Program if !step.events.is_empty() => " (known by its program)",
        _ => "",
    };
    words.push_str(why);
    if process.services > 1 {
        words = format!("{words}; {} services share this process", process.services);
    }
    if let Some(ended) = process.ended {
        words = format!("{words}; it ended at {}", Stamp(ended).short());
    }
    words
}

/// Acts named in a line.
const NAMED: usize = 9;

/// The story in a line; absent where there is nothing but the life of an ordinary service.
pub(super) fn line(telling: Telling<'_>, story: &Story) -> Option<String> {
    let mut words: Vec<String> = Vec::new();
    let mut add = |word: String| {
        // A loop of the same acts is told once.
        if words.last() != Some(&word) && (word.contains(':') || !words.contains(&word)) {
            words.push(word);
        }
    };
    for step in &story.steps {
        let clock = || step.time.strftime("%H:%M:%S").to_string();
        match step.phase {
            Phase::Dropped => add("program written".to_owned()),
            Phase::Installed => add(format!("installed {}{}", clock(), briefly(telling, step))),
            Phase::Configured => add("reconfigured".to_owned()),
            Phase::Started => add("started".to_owned()),
            Phase::Failed => add("failed".to_owned()),
            Phase::Process | Phase::Recovered => {
                let image = step.process.and_then(|at| telling.host.processes.get(at));
                let image = image.map(|process| quote(leaf(&process.image)));
                if image.as_deref().is_some_and(|image| image.eq_ignore_ascii_case("conhost.exe")) {
                    continue; // Windows starts it beside every console program.
                }
                let how = if step.phase == Phase::Recovered { " (recovery)" } else { "" };
                add(format!("{}{how}", image.unwrap_or_else(|| "process".to_owned())));
            }
            Phase::Network => {
                if let Some(remote) = telling.events(step).next().and_then(remote) {
                    add(remote);
                }
            }
            Phase::Accessed => add("opened lsass".to_owned()),
            Phase::Loaded => add("loaded".to_owned()),
            Phase::Crashed => add("crashed".to_owned()),
            Phase::Stopped => add("stopped".to_owned()),
            Phase::Deleted => add(format!("deleted {}", clock())),
            Phase::LogCleared => add("log cleared".to_owned()),
            Phase::Session | Phase::Pipe | Phase::Wrote => {}
        }
    }
    if words.is_empty() {
        return None;
    }
    let more = words.len().saturating_sub(NAMED);
    if more > 0 {
        // The end tells as much as the beginning.
        let tail = words.split_off(words.len().saturating_sub(NAMED / 2));
        words.truncate(NAMED.saturating_sub(NAMED / 2));
        words.push(format!("… {more} more"));
        words.extend(tail);
    }
    Some(words.join(" -> "))
}

fn briefly(telling: Telling<'_>, step: &Step) -> String {
    let Some(actor) = step.actor.and_then(|at| telling.service.actors.get(at)) else {
        return String::new();
    };
    let who = actor.subject.name.as_ref().or(actor.subject.sid.as_ref());
    let who = who.map(|who| format!(" by {}", quote(who))).unwrap_or_default();
    let address = actor.address().map(|address| format!(" from {}", quote(address)));
    let kind = actor.logon.as_ref().and_then(|logon| logon.logon_type);
    let kind = kind.map(|kind| format!(" (logon {kind})")).unwrap_or_default();
    format!("{who}{}{kind}", address.unwrap_or_default())
}

/// The far end of a connection this host may have opened, or the name looked up.
fn remote(event: &Event) -> Option<String> {
    match &event.action {
        Action::Connected(connection) if connection.outbound != Some(false) => Some(
            super::event_summary::endpoint(&connection.destination, connection.destination_port),
        ),
        Action::DnsQueried { query, .. } => Some(quote(query)),
        _ => None,
    }
}
