//! Connections to public addresses.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use jiff::Timestamp;

use super::{agent_elsewhere, hit, is_of_interest, known_elsewhere, outside, told};
use crate::checklist::staging::{connected, known, no, unknown, yes};
use crate::checklist::{Family, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::{Action, Connection, Event};
use crate::host::network::{Destination, reach};
use crate::host::{Origin, Role};
use crate::time::format_short;

pub(in crate::checklist::activity) const OUTBOUND: Indicator = Indicator {
    id: "E05",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process connect to a public address soon after its start?",
    why: "What an implant does first is to call home.",
    innocent: "Updaters, licence checks and cloud agents do the same.",
    verify: &[
        "Sysmon 3 or 5156: destination, port, bytes in the proxy's log",
        "Whose address is it, and which other hosts talk to it?",
    ],
    attack: &[technique("T1071")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &["RFC 6890: special-purpose addresses", "Window: --window"],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        let mut known: BTreeMap<(Option<u16>, Option<IpAddr>), &Destination> = BTreeMap::new();
        for one in outside(scope) {
            known.entry((one.port, reach::parse(&one.address))).or_insert(one);
        }
        let reached = connections(scope).into_iter().filter_map(|(event, to)| {
            let destination = *known.get(&(to.destination_port, reach::parse(&to.destination)))?;
            Some((known_elsewhere(scope, destination) == Some(true), event, destination))
        });
        // What no other host talks to says more than what came first.
        let (_, event, destination) =
            reached.min_by_key(|(known, event, _)| (*known, event.time))?;
        let because =
            format!("At {} it connected to {}.", format_short(event.time), told(destination));
        let mut hit = hit(scope, &because, destination, OUTBOUND.weight);
        hit.citations = vec![event.citation.clone()];
        Some(hit)
    },
    examples: &[
        yes("a public address", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        yes("a public address that other hosts talk to, for a third of the weight", || {
            agent_elsewhere()
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
                .known_destinations(known("203.0.114.0/24"))
        }),
        no("an address of this network", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "10.1.2.3", 443))
        }),
        no("a stock service", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .event(5, connected(r"C:\Windows\System32\spoolsv.exe", "203.0.114.7", 443))
        }),
        no("an hour after the start", || {
            agent_elsewhere().event(3_600, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

/// The connections within the window after a start of one of its processes, or around its install or a change of its
/// state where no start of a process is logged.
fn connections<'a>(scope: &Scope<'a>) -> Vec<(&'a Event, &'a Connection)> {
    let times = |role| scope.events(role).map(|event| event.time);
    let starts: BTreeSet<Timestamp> =
        times(Role::Process).chain(times(Role::ChildProcess)).collect();
    let anchors: BTreeSet<Timestamp> =
        times(Role::Install).chain(times(Role::StateChange)).collect();
    let window = scope.host.window;
    let is_soon = |time: Timestamp| {
        let (Ok(from), Ok(to)) = (time.saturating_sub(window), time.saturating_add(window)) else {
            return false;
        };
        let after_start = starts.range(from..=time).next().is_some();
        after_start || starts.is_empty() && anchors.range(from..=to).next().is_some()
    };
    let connection = |event: &'a Event| match &event.action {
        Action::Connected(connection)
            if connection.outbound != Some(false) && is_soon(event.time) =>
        {
            Some((event, connection))
        }
        _ => None,
    };
    scope.events(Role::Connection).filter_map(connection).collect()
}

pub(in crate::checklist::activity) const NO_LOOKUP: Indicator = Indicator {
    id: "E25",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process connect to a public address that nobody on the host had looked up?",
    why: "Software of companies goes by names; an address alone stands in the program or its settings, as in \
          implants, which so leave no trace in the name server's log.",
    innocent: "Time servers, peers and media relays given by address; Sysmon configurations that leave out look-ups of \
               well-known domains, and look-ups from before the log.",
    verify: &[
        "Sysmon 22 and the name server's log: did anybody ask for a name of that address?",
        "Is the address in the program's strings or settings?",
    ],
    attack: &[technique("T1071"), technique("T1095")],
    weight: 3,
    hard: false,
    needs: &[Need::Whole(Origin::NetworkEvents), Need::Whole(Origin::SysmonLog)],
    sources: &[
        "Sysmon 22 exists since version 10; configurations filter it (SwiftOnSecurity, sysmon-modular)",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        let destination = outside(scope).find(|one| one.looked_up == Some(false))?;
        let because = format!(
            "It connected to {}, and no look-up that the host recorded gave that address.",
            destination.endpoint()
        );
        Some(hit(scope, &because, destination, NO_LOOKUP.weight))
    },
    examples: &[
        yes("an address without a look-up, where look-ups are recorded", || {
            agent_elsewhere()
                .event(1, super::host_name::asked("www.contoso.com", "::ffff:203.0.114.9;"))
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("the address was looked up", || {
            agent_elsewhere()
                .event(1, super::host_name::asked("www.contoso.com", "::ffff:203.0.114.7;"))
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("look-ups are not recorded", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        unknown("no Sysmon log", || Scene::service("Agent")),
    ],
};
