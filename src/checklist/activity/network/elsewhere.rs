//! Who else talks to its destinations: other programs of the host, other hosts of the site.

use std::collections::BTreeSet;

use super::{actor, agent_elsewhere, hit, is_of_interest, known_elsewhere, outside, told};
use crate::checklist::staging::{connected, known, no, unknown, yes};
use crate::checklist::{Family, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::{Action, Connection};
use crate::host::image_path::leaf;
use crate::host::{Origin, State};

pub(in crate::checklist::activity) const ALONE: Indicator = Indicator {
    id: "E20",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Is it the only program of the host that talks to a public destination?",
    why: "What a host's software shares (updates, certificates, clouds) many programs talk to; an implant's server only \
          the implant.",
    innocent: "Most software of one vendor has a server of its own: this alone says next to nothing.",
    verify: &["Sysmon 3 or 5156 by destination: which programs, since when?"],
    attack: &[technique("T1071")],
    weight: 3,
    hard: false,
    needs: &[Need::Whole(Origin::NetworkEvents)],
    sources: &[
        "Practice of hunting by least frequency; no labelled measurement of services is known",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) || !others_connect(scope) {
            return None;
        }
        let destination = outside(scope).find(|one| one.others.count == 0)?;
        let because = format!(
            "Only {} talked to {} of all programs whose connections were recorded.",
            actor(destination.known_by),
            told(destination)
        );
        Some(hit(scope, &because, destination, ALONE.weight))
    },
    examples: &[
        yes("nobody else goes there", || {
            agent_elsewhere()
                .event(2, browser("203.0.114.9"))
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("a browser goes there, too", || {
            agent_elsewhere()
                .event(2, browser("203.0.114.7"))
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        no("nobody else's connections were recorded", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

fn browser(address: &str) -> Action {
    Action::Connected(Connection {
        process_id: Some(90),
        image: r"C:\Program Files\Contoso\browser.exe".to_owned(),
        outbound: Some(true),
        protocol: "tcp".to_owned(),
        source: "10.0.0.5".to_owned(),
        source_port: Some(50_001),
        destination: address.to_owned(),
        destination_port: Some(443),
        destination_name: None,
    })
}

/// Whether connections of any other program were recorded: else being alone means nothing.
fn others_connect(scope: &Scope<'_>) -> bool {
    let destinations = scope.service.network.destinations.iter();
    let programs = destinations.flat_map(|destination| &destination.programs);
    let own: BTreeSet<String> =
        programs.map(|program| leaf(program).to_ascii_lowercase()).collect();
    scope.overview.callers().any(|caller| !own.contains(caller))
}

pub(in crate::checklist::activity) const ONLY_HERE: Indicator = Indicator {
    id: "E26",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process connect to a public destination that no other host is known to talk to?",
    why: "A product that the site uses runs on more than one host, and so its servers are known to others.",
    innocent: "Software that only this host has; large providers, whose addresses change by the hour.",
    verify: &[
        "Proxy and name server logs of the site: which hosts, since when?",
        "--known-destinations: is the list recent, and does it cover hosts of this kind?",
    ],
    attack: &[technique("T1071")],
    weight: 6,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents), Need::Part(Origin::KnownDestinations)],
    sources: &["docs/known-destinations.md"],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        let destination = outside(scope).find(|one| known_elsewhere(scope, one) == Some(false))?;
        let because = format!(
            "No other host is known to talk to {}, which {} connected to.",
            told(destination),
            actor(destination.known_by)
        );
        Some(hit(scope, &because, destination, ONLY_HERE.weight))
    },
    examples: &[
        yes("not in the list", || {
            agent_elsewhere()
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
                .known_destinations(known("*.contoso.com"))
        }),
        no("in the list", || {
            agent_elsewhere()
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
                .known_destinations(known("203.0.114.7"))
        }),
        unknown("no list", || {
            agent_elsewhere().event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
        }),
        unknown("connections are not logged", || {
            Scene::service("Agent").covered(Origin::KnownDestinations, State::Complete)
        }),
    ],
};
