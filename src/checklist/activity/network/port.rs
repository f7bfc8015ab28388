//! Ports that do not belong to its program, or seldom to any service.

use std::collections::BTreeSet;

use super::{actor, agent_elsewhere, hit, is_of_interest, outside, told};
use crate::checklist::knowledge::network::{OddPort, PortKind, odd_port, usual_ports};
use crate::checklist::staging::{
    connected, hosted_running, no, port_opened, started, unknown, yes,
};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::Origin;
use crate::host::image_path::leaf;
use crate::host::network::Destination;

pub(in crate::checklist::activity) const UNUSUAL: Indicator = Indicator {
    id: "E21",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process use a port outside the site that does not belong to its program?",
    why: "File sharing, remote administration, chat and relays are not what a service does on the Internet; programs of \
          Windows have known ports; and tools of intruders have defaults.",
    innocent: "Remote support (SSH, RDP, VNC) of a product; servers on odd ports; a proxy of the site with a public address.",
    verify: &[
        "Sysmon 3 or 5156: port, and what answers there according to the firewall's log",
        "svctriage's lists: src/checklist/knowledge/ports.tsv and program_ports.tsv",
    ],
    attack: &[technique("T1571")],
    weight: 8,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &[
        "IANA port numbers; Microsoft Learn: network port requirements for Windows",
        "ATT&CK T1571",
    ],
    since: "0.1.0",
    check: &|scope| {
        // Lists are asked once for each port and program, however many destinations there are.
        let mut seen = BTreeSet::new();
        outside(scope)
            .filter(|one| seen.insert((one.port, &one.programs)))
            .find_map(|destination| unusual(scope, destination))
    },
    examples: &[
        yes("the default of a handler", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 4444))
        }),
        yes("SMB to the Internet", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 445))
        }),
        yes("a program of Windows on a port it does not use", || {
            let path = r"C:\Windows\System32\regsvr32.exe";
            Scene::service("Agent")
                .image(&format!("{path} /s x.dll"))
                .event(0, started(path, &format!("{path} /s x.dll")))
                .event(5, connected(path, "203.0.114.7", 8443))
        }),
        yes("a stock service on a port of neither its program nor any service", || {
            hosted_running("Themes")
                .event(5, connected(r"C:\Windows\System32\svchost.exe", "203.0.114.7", 31_337))
        }),
        no("a stock service on a port that only its program does not use", || {
            hosted_running("Themes")
                .event(5, connected(r"C:\Windows\System32\svchost.exe", "203.0.114.7", 8443))
        }),
        no("HTTPS", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("SMB inside the site", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "10.0.0.7", 445))
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

fn unusual(scope: &Scope<'_>, destination: &Destination) -> Option<Hit> {
    let port = destination.port?;
    let odd = odd_port(port);
    let program = destination.programs.iter().find_map(|program| {
        let usual = usual_ports(leaf(program))?;
        (!usual.ports.contains(&port.into())).then_some((leaf(program), usual))
    });
    // Of Windows' own services both must hold: their programs grow new features with every build.
    if !is_of_interest(scope) && (odd.is_none() || program.is_none()) {
        return None;
    }
    let why = match (odd, program) {
        (Some(OddPort { used_by, kind }), _) => format!("port {port}: {}", meaning(kind, used_by)),
        (None, Some((leaf, usual))) => {
            format!("port {port}, which {leaf} does not use ({})", usual.why)
        }
        (None, None) => return None,
    };
    let because = format!(
        "Outside the site {} connected to {}, {why}.",
        actor(destination.known_by),
        told(destination)
    );
    Some(hit(scope, &because, destination, UNUSUAL.weight))
}

fn meaning(kind: PortKind, used_by: &str) -> String {
    match kind {
        PortKind::Remote => format!("{used_by}, which belongs inside a site"),
        PortKind::Relay => format!("{used_by}, a relay"),
        PortKind::Chat => used_by.to_owned(),
        PortKind::Tool => format!("{used_by}, an attack tool's default"),
    }
}

pub(in crate::checklist::activity) const LISTENS: Indicator = Indicator {
    id: "E27",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process open a port that attack tools listen on by default?",
    why: "A bind shell or a relay waits for its owner.",
    innocent: "Any program may have chosen the same number.",
    verify: &[
        "5154 and 5158: address and port; inbound 5156 or Sysmon 3 with Initiated=false: who came?",
    ],
    attack: &[technique("T1571")],
    weight: 8,
    hard: false,
    needs: &[Need::Part(Origin::SecurityLog)],
    sources: &["Defaults in the documentation of the tools: src/checklist/knowledge/ports.tsv"],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        let odd = |port| {
            odd_port(port).filter(|odd| matches!(odd.kind, PortKind::Tool | PortKind::Relay))
        };
        let (open, odd) =
            scope.service.network.ports.iter().find_map(|open| Some((open, odd(open.port)?)))?;
        let what = if open.listening { "listens on" } else { "opened" };
        let because = format!(
            "{} {what} port {} of {}: {}.",
            super::actor(open.known_by),
            open.port,
            open.address,
            odd.used_by
        );
        Some(Hit::new(because, open.first.citation.clone()).weighing(super::weight(
            scope,
            LISTENS.weight,
            None,
        )))
    },
    examples: &[
        yes("a listener on 4444", || {
            agent_elsewhere().event(5, port_opened(r"C:\ProgramData\a.exe", 4444, true))
        }),
        no("a web server", || {
            agent_elsewhere().event(5, port_opened(r"C:\ProgramData\a.exe", 8080, true))
        }),
        unknown("no Security log", || Scene::service("Agent")),
    ],
};
