//! Where its processes connect to, compared with other hosts.

use crate::checklist::staging::{connected, known, no, started, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene};
use crate::host::Origin;
use crate::host::network::Destination;

pub(super) const KNOWN: Indicator = Indicator {
    id: "B10",
    family: Family::B,
    checklist: Question::Started,
    question: "Is every public destination of its processes known to other hosts?",
    why: "What a site's hosts have in common is mostly its software.",
    innocent: "This is counter-evidence: an intruder on several hosts talks to one server from all of them.",
    verify: &["--known-destinations: how was the list made, and from which hosts?"],
    attack: &[],
    weight: -3,
    hard: false,
    needs: &[Need::Whole(Origin::NetworkEvents), Need::Part(Origin::KnownDestinations)],
    sources: &["docs/known-destinations.md"],
    since: "0.1.0",
    check: &|scope| {
        let known = scope.host.known_destinations.as_deref()?;
        let own = scope.host.identity.name.as_deref();
        let destinations = scope.service.network.destinations.iter();
        let outside: Vec<&Destination> =
            destinations.filter(|one| one.is_outbound() && one.reach.is_outside()).collect();
        let first = outside.first()?;
        if !outside.iter().all(|one| known.knows(one, own)) {
            return None;
        }
        let because = format!(
            "Other hosts are known to talk to its public destinations (all {}).",
            outside.len()
        );
        Some(Hit::new(because, first.first.citation.clone()))
    },
    examples: &[
        yes("the only one is known", || {
            program()
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
                .known_destinations(known("203.0.114.7"))
        }),
        no("one of two is not known", || {
            program()
                .event(5, connected(r"C:\ProgramData\a.exe", "203.0.114.7", 443))
                .event(6, connected(r"C:\ProgramData\a.exe", "203.0.114.8", 443))
                .known_destinations(known("203.0.114.7"))
        }),
        no("nothing but the site", || {
            program()
                .event(5, connected(r"C:\ProgramData\a.exe", "10.1.2.3", 443))
                .known_destinations(known("10.0.0.0/8"))
        }),
        unknown("no list", || Scene::service("Agent")),
    ],
};

fn program() -> Scene {
    let path = r"C:\ProgramData\a.exe";
    Scene::service("Agent").image(path).event(0, started(path, path))
}
