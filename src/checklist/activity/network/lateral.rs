//! Reaching for other hosts' administration ports, and tunnels to its own.

use std::collections::BTreeSet;

use super::{agent_elsewhere, is_of_interest};
use crate::checklist::staging::{connected, no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::network::{Destination, Reach};
use crate::host::{Citation, Origin};
use crate::time::format_short;

/// From so many hosts on it is a fan.
const HOSTS: usize = 5;

pub(in crate::checklist::activity) const FAN_OUT: Indicator = Indicator {
    id: "E06",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process reach for many hosts' administration ports, or tunnel to its own?",
    why: "SMB, RPC, RDP and WinRM to one host after another is lateral movement; RDP or SSH over the loopback address \
          is a tunnel's end.",
    innocent: "Scanners of the inventory and of vulnerabilities, backup servers.",
    verify: &["Sysmon 3 or 5156: destinations and ports of the process, in order of time"],
    attack: &[technique("T1021.002"), technique("T1572")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &["Ports: 22 SSH, 135 RPC, 139 and 445 SMB, 3389 RDP, 5985 and 5986 WinRM (IANA)"],
    since: "0.1.0",
    check: &|scope| if is_of_interest(scope) { tunnel(scope).or_else(|| fan(scope)) } else { None },
    examples: &[
        yes("RDP to itself", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "127.0.0.1", 3389))
        }),
        yes("SSH to itself over IPv6, hours later", || {
            agent_elsewhere().event(9_000, connected(r"C:\ProgramData\a.exe", "::1", 22))
        }),
        yes("SMB to five hosts", || {
            (1..=5).fold(agent_elsewhere(), |scene, host| {
                let address = format!("10.0.0.{host}");
                scene.event(host, connected(r"C:\ProgramData\a.exe", &address, 445))
            })
        }),
        no("SMB to one file server", || {
            (1..=5).fold(agent_elsewhere(), |scene, second| {
                scene.event(second, connected(r"C:\ProgramData\a.exe", "10.0.0.1", 445))
            })
        }),
        no("a web server of its own", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "127.0.0.1", 8080))
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

fn reached<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Destination> + use<'a> {
    scope.service.network.destinations.iter().filter(|destination| destination.is_outbound())
}

fn tunnel(scope: &Scope<'_>) -> Option<Hit> {
    let end = reached(scope).find(|destination| {
        destination.reach == Reach::Loopback && matches!(destination.port, Some(22 | 3389))
    })?;
    let what = if end.port == Some(22) { "SSH" } else { "RDP" };
    let because = format!(
        "At {} it connected to its own host's {what} port ({}).",
        format_short(end.first.time),
        end.endpoint()
    );
    Some(Hit::new(because, end.first.citation.clone()))
}

fn fan(scope: &Scope<'_>) -> Option<Hit> {
    let mut hosts = BTreeSet::new();
    let mut citations: Vec<Citation> = Vec::new();
    for destination in reached(scope) {
        let administration = matches!(destination.port, Some(135 | 139 | 445 | 3389 | 5985 | 5986));
        let another = destination.reach.is_inside() || destination.reach.is_outside();
        if !(administration && another && hosts.insert(destination.address.as_str())) {
            continue;
        }
        citations.push(destination.first.citation.clone());
        if hosts.len() >= HOSTS {
            let because = format!(
                "It reached for SMB, RPC, RDP or WinRM of five hosts by {}.",
                format_short(destination.first.time)
            );
            let hit = Hit::new(because, destination.first.citation.clone());
            return Some(citations.into_iter().fold(hit, Hit::and));
        }
    }
    None
}
