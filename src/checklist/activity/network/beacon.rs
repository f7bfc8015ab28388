//! Contacts at regular intervals.

use super::{agent_elsewhere, is_of_interest, weight};
use crate::checklist::staging::{connected, connected_from, known, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::Origin;
use crate::host::network::{Beat, BeatSource, endpoint, reach};

pub(in crate::checklist::activity) const BEACON: Indicator = Indicator {
    id: "E24",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process contact a public destination at regular intervals?",
    why: "An implant asks for work by the clock, with some jitter; people and their software do not.",
    innocent: "Monitoring, telemetry, update checks and keep-alives are clocks as well: who made the program decides.",
    verify: &[
        "Sysmon 3, 22 or 5156 of the destination: the times, also before and after this log's",
        "The proxy's log: sizes of requests and answers, user agent",
    ],
    attack: &[technique("T1071"), technique("T1029")],
    weight: 8,
    hard: false,
    needs: &[Need::Part(Origin::NetworkEvents)],
    sources: &[
        "Median absolute deviation of the intervals, divided by their median: 0.150 or less, over 10 intervals or more that \
         fill 5 minutes or more; contacts within a second count as one (statistic as in RITA, Active Countermeasures)",
        "Made series of 10 intervals: 0.25 % of random ones pass, and of clocks with 20 % jitter all, 37 % jitter 96 %, 50 % \
         jitter 62 %",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_of_interest(scope) {
            return None;
        }
        let beats = scope.service.network.beats.iter();
        let regular = beats.filter(|beat| beat.outside && beat.rhythm.is_regular());
        let beat = regular.min_by_key(|beat| (is_known(scope, beat), beat.rhythm.dispersion))?;
        let what = match beat.source {
            BeatSource::Connections => "Connections to",
            BeatSource::Lookups => "Look-ups of",
        };
        let known = is_known(scope, beat);
        let remark = if known { " Other hosts talk to it as well." } else { "" };
        let because = format!(
            "{what} {} come like a clock: {}.{remark}",
            clip(&endpoint(&beat.peer, beat.port)),
            beat.rhythm.sentence()
        );
        let mut citations = beat.citations.iter().cloned();
        let hit = Hit::new(because, citations.next()?);
        Some(citations.fold(hit, Hit::and).weighing(weight(scope, BEACON.weight, Some(known))))
    },
    examples: &[
        yes("every minute for ten minutes", || every(11, 60, "203.0.114.7")),
        yes("every minute with jitter", || {
            let times = [0, 58, 121, 179, 244, 300, 362, 418, 481, 539, 602, 660];
            let times = (0..).zip(times);
            times.fold(agent_elsewhere(), |scene, (number, second)| {
                scene.event(5 + second, connected_from(50_000 + number, "203.0.114.7"))
            })
        }),
        yes("every minute to what other hosts talk to, for a third of the weight", || {
            every(11, 60, "203.0.114.7").known_destinations(known("203.0.114.7"))
        }),
        no("ten contacts are too few", || every(10, 60, "203.0.114.7")),
        no("every minute inside the site", || every(11, 60, "10.1.2.3")),
        no("now and then", || {
            let times = [0, 5, 90, 100, 400, 410, 1_300, 1_310, 1_900, 4_000, 4_100, 9_000];
            let times = (0..).zip(times);
            times.fold(agent_elsewhere(), |scene, (number, second)| {
                scene.event(5 + second, connected_from(50_000 + number, "203.0.114.7"))
            })
        }),
        unknown("connections are not logged", || Scene::service("Agent")),
    ],
};

fn every(contacts: i64, seconds: i64, address: &str) -> Scene {
    (0..contacts).fold(agent_elsewhere(), |scene, number| {
        scene.event(5 + number * seconds, connected(r"C:\ProgramData\a.exe", address, 443))
    })
}

fn is_known(scope: &Scope<'_>, beat: &Beat) -> bool {
    let Some(known) = &scope.host.known_destinations else { return false };
    let own = scope.host.identity.name.as_deref();
    match reach::parse(&beat.peer) {
        Some(address) => known.knows_address(address, own),
        None => known.knows_name(&beat.peer, own),
    }
}
