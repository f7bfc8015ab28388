//! Logs cleared in a row, and commands that clear logs.

use std::collections::BTreeSet;

use super::{Gravity, Incident, IncidentKind, agreed, cited, groups, plural, quote, who};
use crate::host::Host;
use crate::host::event::{Action, Event, Subject};
use crate::host::image_path::leaf;
use crate::time::format_short;

/// Nobody clears so many logs by hand: a loop over `wevtutil el` does.
const A_LOOP: usize = 10;
/// Logs named in the sentence.
const NAMED: usize = 3;
/// The logs that matter most are named first.
const FIRST: [&str; 2] = ["Security", "System"];

/// A log that was cleared, or was to be.
struct Clearing {
    channel: String,
    subject: Subject,
    /// Whether a command was given for it, rather than the clearing itself recorded.
    command: bool,
}

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let by_actor = groups(host, |event| {
        let one = clearing(event)?;
        let who = one.subject.sid.or(one.subject.name).unwrap_or_default();
        Some((event.computer.clone(), who, one.command))
    });
    by_actor
        .into_values()
        .flatten()
        .filter_map(|group| {
            let events: Vec<&Event> = group.iter().filter_map(|at| host.events.get(*at)).collect();
            incident(&events)
        })
        .collect()
}

fn incident(group: &[&Event]) -> Option<Incident> {
    let (first, last) = (group.first()?, group.last()?);
    let clearings: Vec<Clearing> = group.iter().filter_map(|event| clearing(event)).collect();
    let channels: BTreeSet<&str> = clearings.iter().map(|one| one.channel.as_str()).collect();
    let actor = agreed(clearings.iter().map(|one| &one.subject));
    let important = FIRST.into_iter().filter(|channel| channels.contains(channel));
    let others = channels.iter().copied().filter(|channel| !FIRST.contains(channel));
    let named: Vec<String> = important.chain(others).take(NAMED).map(quote).collect();
    let more = channels.len().saturating_sub(named.len());
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let told = clearings.iter().all(|one| one.command);
    let sentence = format!(
        "{} {} by {} at {}: {}{more}",
        plural(channels.len(), "log"),
        if told { "to be cleared by commands given" } else { "cleared" },
        actor.as_ref().map_or_else(|| who(&Subject::default()), who),
        format_short(first.time),
        named.join(", ")
    );
    let looped = channels.len() >= A_LOOP;
    Some(Incident {
        kind: IncidentKind::LogsCleared,
        gravity: if looped { Gravity::Suspicious } else { Gravity::Unusual },
        from: first.time,
        to: last.time,
        actor,
        address: None,
        count: channels.len(),
        services: Vec::new(),
        sentence,
        citations: cited(group.iter().map(|event| event.citation.clone())),
    })
}

fn clearing(event: &Event) -> Option<Clearing> {
    let by_user = |mut subject: Subject| {
        subject.sid = subject.sid.or_else(|| event.user_sid.clone());
        subject
    };
    match &event.action {
        Action::LogCleared { channel, subject } => {
            let subject = by_user(subject.clone());
            Some(Clearing { channel: channel.clone(), subject, command: false })
        }
        Action::ProcessStarted(process) => {
            let line = process.command_line.as_deref()?;
            let channel = match leaf(&process.image).to_lowercase().as_str() {
                "wevtutil.exe" => of_wevtutil(line)?,
                "wmic.exe" => of_wmic(line)?,
                _ => return None,
            };
            Some(Clearing { channel, subject: process.subject.clone(), command: true })
        }
        Action::Script { text, .. } => {
            let channel = text.lines().take(LINES).find_map(of_script)?;
            Some(Clearing { channel, subject: by_user(Subject::default()), command: true })
        }
        _ => None,
    }
}

/// Lines of a script that are looked at.
const LINES: usize = 1_000;

/// `wevtutil cl Security`, `wevtutil clear-log "Windows PowerShell"`.
fn of_wevtutil(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words.find(|word| matches!(word.to_lowercase().as_str(), "cl" | "clear-log"))?;
    let rest: Vec<&str> = words.collect();
    let rest = rest.join(" ");
    let name = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next(),
        None => rest.split(' ').next(),
    };
    name.filter(|name| !name.is_empty()).map(str::to_owned)
}

/// `wmic nteventlog where filename='system' cleareventlog`.
fn of_wmic(line: &str) -> Option<String> {
    let lower = line.to_lowercase();
    if !lower.contains("nteventlog") || !lower.contains("cleareventlog") {
        return None;
    }
    let name = line.split(['\'', '"']).map(str::trim).find(|part| {
        !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '-' || c == '/')
    });
    Some(name.unwrap_or("a log that the command selects").to_owned())
}

/// `Clear-EventLog -LogName Security`.
fn of_script(line: &str) -> Option<String> {
    let mut words = line.split_whitespace();
    words.next().filter(|word| word.eq_ignore_ascii_case("Clear-EventLog"))?;
    let name = words.find(|word| !word.starts_with('-'))?;
    Some(name.trim_matches(['"', '\'', ',', ';']).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_name_the_log_they_clear() {
        assert_eq!(of_wevtutil("wevtutil  cl Security").as_deref(), Some("Security"));
        let quoted = r#"wevtutil.exe clear-log "Windows PowerShell" /bu:x"#;
        assert_eq!(of_wevtutil(quoted).as_deref(), Some("Windows PowerShell"));
        assert_eq!(of_wevtutil("wevtutil qe Security"), None);
        let wmic = "wmic nteventlog where filename='system' cleareventlog";
        assert_eq!(of_wmic(wmic).as_deref(), Some("system"));
        assert_eq!(of_wmic("wmic nteventlog list"), None);
        assert_eq!(of_script("Clear-EventLog -LogName \"System\"").as_deref(), Some("System"));
        assert_eq!(of_script("function Clear-EventLog {"), None);
    }
}
