//! Names that anybody can have, and names that nobody chose.

use std::collections::BTreeSet;

use super::{actor, agent_elsewhere, is_of_interest, weight};
use crate::checklist::knowledge::network::passing_name;
use crate::checklist::staging::{looked_up, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::Citation;
use crate::host::Origin;
use crate::host::event::Action;
use crate::host::network::name::{self, Rarity};
use crate::host::network::{KnownBy, NameSource};

/// Names behind which a machine made many.
const MANY: usize = 5;

pub(in crate::checklist::activity) const PASSING: Indicator = Indicator {
    id: "E22",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process look up a name of dynamic DNS or of a tunnel's relay?",
    why: "Such names cost nothing, need no identity, and lead to whatever machine their owner has today.",
    innocent: "Small sites reach their own servers and cameras so; developers use relays.",
    verify: &[
        "Sysmon 22: QueryName and QueryResults of the process",
        "Who registered the name, and who else on the site asks for it?",
    ],
    attack: &[technique("T1568"), technique("T1572")],
    weight: 10,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &[
        "MISP warninglists, dynamic-dns (CC0 1.0); Public Suffix List, providers' own entries; providers' documentation",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        names(scope).find_map(|one| {
            let found = passing_name(one.name)?;
            let provider = found.provider.unwrap_or(found.domain);
            let because = format!(
                "{} asked for {}: {} ({provider}).",
                actor(one.known_by),
                clip(one.name),
                found.kind.label()
            );
            Some(told(scope, &because, &one, PASSING.weight))
        })
    },
    examples: &[
        yes("dynamic DNS", || {
            agent_elsewhere().event(5, asked("box7.duckdns.org", "203.0.114.7;"))
        }),
        yes("a relay", || agent_elsewhere().event(5, asked("x.trycloudflare.com", ""))),
        no("a name of a company", || {
            agent_elsewhere().event(5, asked("update.contoso.com", "203.0.114.7;"))
        }),
        unknown("no Sysmon log", || Scene::service("Agent")),
    ],
};

pub(in crate::checklist::activity) const RARE: Indicator = Indicator {
    id: "E23",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process look up a name that looks made by a machine?",
    why: "Implants that make up the names of their servers day by day leave names that nobody would choose, and many of \
          them.",
    innocent: "Names of content networks, trackers and cloud tenants; names in languages that are written so.",
    verify: &[
        "Sysmon 22: QueryName, QueryStatus (9003: there is no such name) and QueryResults of the process",
        "Since when does the domain exist (whois), and who asks for it?",
    ],
    attack: &[technique("T1568.002")],
    weight: 4,
    hard: false,
    needs: &[Need::Part(Origin::SysmonLog)],
    sources: &[
        "Registrable label of 12 characters or more with 3.0 bits a character or more, and five consonants in a row with \
         few vowels or four changes between letters and digits; or punycode (RFC 3492)",
        "Measured: 0.25 % of 90,784 labels of Cloudflare's 100,000 most looked-up domains; 53 to 84 % of random ones",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        let mut first = None;
        let mut labels = BTreeSet::new();
        for one in names(scope) {
            let Some(rarity) = name::rarity(one.name) else { continue };
            labels.extend(name::registrable_label(one.name));
            first = first.or(Some((one, rarity)));
        }
        let (one, rarity) = first?;
        let many = labels.len() >= MANY;
        let more = if many {
            format!(" It asked for {} such names.", labels.len())
        } else {
            String::new()
        };
        let because = format!(
            "{} asked for {}: {}.{more}",
            actor(one.known_by),
            clip(one.name),
            described(rarity)
        );
        let full = if many { RARE.weight.saturating_mul(3) } else { RARE.weight };
        Some(told(scope, &because, &one, full))
    },
    examples: &[
        yes("a random label", || {
            agent_elsewhere().event(5, asked("kq3v9xz27bnwtr.example", "203.0.114.7;"))
        }),
        yes("punycode", || agent_elsewhere().event(5, asked("www.xn--cntoso-e2a.example", ""))),
        yes("five of them, for three times the weight", || {
            let names =
                ["kq3v9xz27bnwtr", "p7d2m4x9w1zq", "x8f3n5v2k7tb", "b4j9r1s6t8wz", "q2w4r6t8y1zx"];
            let at = (1..).zip(names);
            at.fold(agent_elsewhere(), |scene, (second, name)| {
                scene.event(second, asked(&format!("{name}.example"), ""))
            })
        }),
        no("a name of a content network's customer", || {
            agent_elsewhere().event(5, asked("d3f7a9c1b5e2h8.contoso.com", "203.0.114.7;"))
        }),
        no("a stock service", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe").event(
                5,
                looked_up(r"C:\Windows\System32\spoolsv.exe", "kq3v9xz27bnwtr.example", ""),
            )
        }),
        unknown("no Sysmon log", || Scene::service("Agent")),
    ],
};

fn described(rarity: Rarity) -> String {
    match rarity {
        Rarity::Punycode => "a name in letters beyond ASCII (punycode)".to_owned(),
        Rarity::Random { entropy, consonants, changes } => format!(
            "{}.{:03} bits a character, {consonants} consonants in a row, {changes} changes between letters and digits",
            entropy / 1_000,
            entropy % 1_000
        ),
    }
}

/// Sysmon 22 of the example's process.
pub(super) fn asked(name: &str, answers: &str) -> Action {
    looked_up(r"C:\ProgramData\a.exe", name, answers)
}

/// A name that its processes asked for, or that somebody asked for before they connected.
struct Asked<'a> {
    name: &'a str,
    known_by: KnownBy,
    known_elsewhere: bool,
    citation: &'a Citation,
}

/// Every name, in order of the first time: those looked up, then those of destinations that others looked up.
fn names<'a>(scope: &Scope<'a>) -> impl Iterator<Item = Asked<'a>> + use<'a> {
    let known = scope.host.known_destinations.as_deref();
    let own = scope.host.identity.name.as_deref();
    let network = &scope.service.network;
    let lookups = network.lookups.iter().map(move |lookup| Asked {
        name: &lookup.name,
        known_by: lookup.known_by,
        known_elsewhere: known.is_some_and(|known| known.knows_name(&lookup.name, own)),
        citation: &lookup.first.citation,
    });
    let destinations = network.destinations.iter().filter(|one| one.is_outbound());
    let connected = destinations.flat_map(move |destination| {
        let of_host = destination.names.iter().filter(|name| name.source == NameSource::HostLookup);
        of_host.map(move |name| Asked {
            name: &name.name,
            known_by: destination.known_by,
            known_elsewhere: known.is_some_and(|known| known.knows_name(&name.name, own)),
            citation: &destination.first.citation,
        })
    });
    lookups.chain(connected)
}

fn told(scope: &Scope<'_>, because: &str, one: &Asked<'_>, full: i16) -> Hit {
    let remark = if one.known_elsewhere { " Other hosts talk to it as well." } else { "" };
    Hit::new(format!("{because}{remark}"), one.citation.clone()).weighing(weight(
        scope,
        full,
        Some(one.known_elsewhere),
    ))
}
