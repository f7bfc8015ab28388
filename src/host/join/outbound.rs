//! Commands for other hosts, with what the logs of this one show around them.

use jiff::SignedDuration;

use super::naming::Remote;
use crate::host::Citation;
use crate::host::event::{Action, Event, LogonKind, ProcessStart, Subject};
use crate::host::outbound::Outbound;
use crate::host::service_command::without_passwords;
use crate::text;

/// Credentials are given this long before a command uses them, or up to a second after it was logged.
const CREDENTIALS: SignedDuration = SignedDuration::from_mins(2);
/// One act is logged by several logs within this time.
const SAME_ACT: SignedDuration = SignedDuration::from_secs(5);
/// A command reaches its host within this time.
const CONNECTS: SignedDuration = SignedDuration::from_mins(1);
/// SMB, and the endpoint mapper of RPC.
const PORTS: [u16; 4] = [445, 139, 135, 5985];
/// The key below which PsExec notes that its licence was accepted, folded.
const ACCEPTED: &str = "\\SYSINTERNALS\\PSEXEC";
/// How many records of one act are cited.
const CITED: usize = 16;
/// How much of a line is kept, in bytes.
const LINE: usize = 4096;

/// What this host did to services elsewhere, in order of time; one act logged by several logs is one.
pub(super) fn acts(remotes: &[Remote], events: &[Event]) -> Vec<Outbound> {
    let mut ordered: Vec<&Remote> = remotes.iter().collect();
    ordered.sort_by_key(|remote| remote.seen.event);
    let mut acts: Vec<Outbound> = Vec::new();
    for remote in ordered {
        let Some(event) = events.get(remote.seen.event) else { continue };
        let citations = remote
            .seen
            .records()
            .filter_map(|at| events.get(at))
            .map(|event| event.citation.clone());
        let act = act(remote, event, citations.take(CITED).collect());
        let twin = acts.iter_mut().rev().take(CITED).find(|other| {
            (&other.host, &other.service, other.verb, other.means)
                == (&act.host, &act.service, act.verb, act.means)
                && act.time.duration_since(other.time) <= SAME_ACT
        });
        if let Some(twin) = twin {
            merge(twin, act);
            continue;
        }
        acts.push(supported(act, event, events));
    }
    acts
}

fn act(remote: &Remote, event: &Event, citations: Vec<Citation>) -> Outbound {
    let command = &remote.seen.command;
    let named = |name: &str| !name.is_empty() && !name.contains(['$', '%', '!', '*', '@', ',']);
    Outbound {
        time: event.time,
        host: Some(remote.host.clone()).filter(|host| named(host)),
        service: Some(command.service.clone()).filter(|name| !name.is_empty()),
        verb: command.verb,
        means: match command.tool {
            "wmic" => "wmi",
            tool => tool,
        },
        line: clipped(&without_passwords(&line(event))),
        decoded: command.decoded.clone(),
        subject: subject(event),
        credentials: None,
        citations,
    }
}

/// The second record of an act: it may know what the first did not.
fn merge(act: &mut Outbound, other: Outbound) {
    if act.subject.sid.is_none() && act.subject.name.is_none() {
        act.subject = other.subject;
    }
    if act.decoded.is_none() {
        act.decoded = other.decoded;
    }
    for citation in other.citations {
        if act.citations.len() < CITED && !act.citations.contains(&citation) {
            act.citations.push(citation);
        }
    }
}

/// Adds what else shows the act: credentials used against that host, connections of the same process to it.
fn supported(mut act: Outbound, event: &Event, events: &[Event]) -> Outbound {
    let Some(host) = act.host.clone() else { return act };
    let process = match &event.action {
        Action::ProcessStarted(process) => process.process_id,
        _ => None,
    };
    // Events are in order of time.
    let from = events.partition_point(|other| event.time.duration_since(other.time) > CREDENTIALS);
    let near = events.get(from..).unwrap_or_default().iter();
    for other in near.take_while(|other| other.time.duration_since(event.time) <= CONNECTS) {
        if other.computer != event.computer {
            continue;
        }
        let fits = match &other.action {
            Action::Logon(logon) if logon.kind == LogonKind::Explicit => {
                let before = other.time.duration_since(event.time) <= SignedDuration::from_secs(1);
                let there = logon.server.as_deref().is_some_and(|server| same_host(server, &host));
                if before && there {
                    act.credentials = logon.account.name.clone().or(act.credentials);
                }
                before && there
            }
            Action::Connected(to) => {
                let named =
                    to.destination_name.as_deref().is_some_and(|name| same_host(name, &host));
                to.outbound != Some(false)
                    && to.destination_port.is_some_and(|port| PORTS.contains(&port))
                    && (named || same_host(&to.destination, &host))
                    // The file system's own process makes the connections of SMB.
                    && (process.is_some_and(|id| to.process_id == Some(id)) || to.process_id == Some(4))
                    && other.time >= event.time
            }
            Action::RegistryChanged(change) => {
                act.means == "psexec" && text::fold(&change.target).contains(ACCEPTED)
            }
            _ => false,
        };
        if fits && act.citations.len() < CITED && !act.citations.contains(&other.citation) {
            act.citations.push(other.citation.clone());
        }
    }
    act
}

/// Whether two spellings name one host: without case, with or without its domain.
pub(super) fn same_host(left: &str, right: &str) -> bool {
    let address = |name: &str| name.parse::<std::net::IpAddr>().is_ok();
    if address(left) || address(right) {
        return left == right;
    }
    let short = |name: &str| name.split(['.', '/', ':']).next().unwrap_or_default().to_owned();
    text::same_name(left, right)
        || left.contains('.') != right.contains('.') && text::same_name(&short(left), &short(right))
}

fn line(event: &Event) -> String {
    match &event.action {
        Action::ProcessStarted(ProcessStart { command_line: Some(line), .. }) => line.clone(),
        Action::ProcessStarted(process) => process.image.clone(),
        Action::Script { text, .. } => text.clone(),
        _ => String::new(),
    }
}

fn subject(event: &Event) -> Subject {
    match &event.action {
        Action::ProcessStarted(process) => process.subject.clone(),
        _ => Subject { sid: event.user_sid.clone(), ..Subject::default() },
    }
}

fn clipped(line: &str) -> String {
    let line = line.trim();
    if line.len() <= LINE {
        return line.to_owned();
    }
    let mut short: String = line.chars().take(LINE / 4).collect();
    short.push('\u{2026}');
    short
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_with_and_without_their_domain() {
        for (left, right, same) in [
            ("fs02", "FS02", true),
            ("fs02", "fs02.corp.local", true),
            ("fs02.a.local", "fs02.b.local", false),
            ("10.0.0.1", "10.0.0.1", true),
            ("10.0.0.1", "10", false),
            ("fs02", "fs03", false),
        ] {
            assert_eq!(same_host(left, right), same, "{left} {right}");
        }
    }
}
