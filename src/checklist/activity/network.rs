//! Connections of its process.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::agent_elsewhere;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::place::is_in_program_files;
use crate::checklist::staging::{connected, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::{Action, Connection, Event};
use crate::host::{Origin, Role};
use crate::time::format_short;

pub(super) const OUTBOUND: Indicator = Indicator {
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
    check: |scope| {
        if agent(scope).is_some() || is_stock(scope) {
            return None;
        }
        let (event, to) = connections(scope).find(|(_, to)| {
            to.outbound != Some(false) && to.destination.parse::<IpAddr>().is_ok_and(is_public)
        })?;
        let port = to.destination_port.map(|port| format!(":{port}")).unwrap_or_default();
        let name = to.destination_name.as_deref().filter(|name| !name.is_empty() && *name != "-");
        let because = format!(
            "At {} it connected to {}{port}{}.",
            format_short(event.time),
            to.destination,
            name.map(|name| format!(" ({})", clip(name))).unwrap_or_default()
        );
        let vendor = scope.service.image.as_ref().is_some_and(is_in_program_files);
        let weight = if vendor { 5 } else { OUTBOUND.weight };
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("a public address", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("an address of this network", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "10.1.2.3", 443))
        }),
        no("a stock service", || {
            Scene::service("Spooler")
                .image(r"%SystemRoot%\System32\spoolsv.exe")
                .event(5, connected(r"C:\Windows\System32\spoolsv.exe", "203.0.114.7", 443))
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

pub(super) const FAN_OUT: Indicator = Indicator {
    id: "E06",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process reach for many hosts' administration ports, or tunnel to its own?",
    why: "SMB, RPC, RDP and WinRM to one host after another is lateral movement; RDP over the loopback address is a \
          tunnel's end.",
    innocent: "Scanners of the inventory and of vulnerabilities, backup servers.",
    verify: &["Sysmon 3 or 5156: destinations and ports of the process, in order of time"],
    attack: &[technique("T1021.002"), technique("T1572")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &["Ports: 135 RPC, 139 and 445 SMB, 3389 RDP, 5985 and 5986 WinRM (IANA)"],
    since: "0.1.0",
    check: |scope| {
        if agent(scope).is_some() || is_stock(scope) {
            return None;
        }
        let mut hosts = BTreeSet::new();
        for (event, to) in connections(scope).filter(|(_, to)| to.outbound != Some(false)) {
            let Some(port) = to.destination_port else { continue };
            let Ok(address) = to.destination.parse::<IpAddr>() else { continue };
            if address.is_loopback() && port == 3389 {
                let because = format!(
                    "At {} it connected to its own host's RDP port.",
                    format_short(event.time)
                );
                return Some(Hit::new(because, event.citation.clone()));
            }
            if matches!(port, 135 | 139 | 445 | 3389 | 5985 | 5986) && !address.is_loopback() {
                hosts.insert(address);
            }
            if hosts.len() >= 5 {
                let because = format!(
                    "It reached for SMB, RPC, RDP or WinRM of five hosts by {}.",
                    format_short(event.time)
                );
                return Some(Hit::new(because, event.citation.clone()));
            }
        }
        None
    },
    examples: &[
        yes("RDP to itself", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "127.0.0.1", 3389))
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
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

fn connections<'a>(
    scope: &Scope<'a>,
) -> impl Iterator<Item = (&'a Event, &'a Connection)> + use<'a> {
    scope.events(Role::Connection).filter_map(|event| match &event.action {
        Action::Connected(connection) => Some((event, connection)),
        _ => None,
    })
}

/// Whether an address is one of the public Internet (RFC 6890, RFC 4291). The ranges for documentation count
/// as public: no real host has such an address, and exercises use them for public ones.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(four) => {
            let [first, second, ..] = four.octets();
            !(four.is_private()
                || four.is_loopback()
                || four.is_link_local()
                || four.is_multicast()
                || four.is_broadcast()
                || first == 0
                || first >= 240
                || first == 100 && (64..128).contains(&second))
        }
        IpAddr::V6(six) => match six.to_ipv4_mapped() {
            Some(four) => is_public(IpAddr::V4(four)),
            // 2000::/3 is all that is routed.
            None => six.segments().first().is_some_and(|first| first & 0xe000 == 0x2000),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_routed_addresses_are_public() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("203.0.113.45", true),
            ("10.0.0.1", false),
            ("172.31.0.1", false),
            ("192.168.0.1", false),
            ("100.64.0.1", false),
            ("169.254.1.1", false),
            ("127.0.0.1", false),
            ("239.1.1.1", false),
            ("255.255.255.255", false),
            ("2001:4860:4860::8888", true),
            ("fe80::1", false),
            ("fd00::1", false),
            ("::1", false),
            ("::ffff:8.8.8.8", true),
            ("::ffff:10.0.0.1", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }
}
