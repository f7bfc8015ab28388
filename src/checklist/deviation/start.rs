//! A protecting service that starts later than on the baseline, or never.

use super::{BASELINE, SOURCE, VERIFY_DIFF, VERIFY_LINE, compared};
use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::security::guard;
use crate::checklist::staging::{GOLD_BUILD, gold, no, on_gold_build, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, renumbered};
use crate::host::config::Start;

pub(super) const WEAKER_START: Indicator = Indicator {
    id: "G04",
    family: Family::D,
    checklist: Question::What,
    question: "Does a service that protects, logs or restores start later than on your baseline, or never?",
    why: "Protection that runs on every good host of this build and not on this one was switched off by somebody.",
    innocent: "Another product took its place: antivirus by others sets Defender to demand start.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v Start",
        "EvtxECmd -f System.evtx --inc 7040: who changed the start type, and when",
        VERIFY_DIFF,
        VERIFY_LINE,
    ],
    attack: &[renumbered("T1562.001", "T1685")],
    weight: 15,
    hard: false,
    needs: &[HIVE, BASELINE],
    sources: &[SOURCE],
    since: "0.1.0",
    check: &|scope| {
        let product = guard(&scope.service.name)?.product;
        let (here, rows) = compared(scope)?;
        let start = here.start?;
        // Boot 0, system 1, auto 2, demand 3, never 4: the later the weaker.
        let latest = rows.iter().filter_map(|place| place.row.start).max()?;
        if start <= latest || start > 4 {
            return None;
        }
        let place = rows.first()?.label();
        let because = format!(
            "{product} has the start type {}, on the baseline {} ({place}).",
            Start::from(start),
            Start::from(latest)
        );
        let hit = Hit::new(because, scope.config()?.cite("Start"));
        Some(hit.weighing(if start == 4 { 15 } else { 8 }))
    },
    examples: &[
        yes("a backup agent that never starts", || {
            on_gold_build(Scene::service("AcronisAgent").number("Start", 4))
                .baseline(gold(vec![Scene::service("AcronisAgent")], 0))
        }),
        no("disabled on the baseline, too", || {
            let disabled = || Scene::service("AcronisAgent").number("Start", 4);
            on_gold_build(disabled()).baseline(gold(vec![disabled()], 0))
        }),
        no("no service of protection", || {
            on_gold_build(Scene::service("Agent").number("Start", 4))
                .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        unknown("no baseline was given", || {
            Scene::service("AcronisAgent").windows("Windows 10 Pro", GOLD_BUILD)
        }),
    ],
};
