//! A service that no baseline of the build knows.

use super::{BASELINE, SOURCE, VERIFY_DIFF};
use crate::checklist::baseline::Row;
use crate::checklist::basis::HIVE;
use crate::checklist::known_good::{agent, is_laid_down, is_stock};
use crate::checklist::staging::{GOLD_BUILD, gold, no, on_gold_build, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};

pub(super) const NOT_ON_BASELINE: Indicator = Indicator {
    id: "G05",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Is it missing on your baseline of this build, and not Windows' own?",
    why: "What only this host has is rarer than what all hosts have; so is every implant.",
    innocent: "Software that only some people need; the drivers of other hardware are not counted.",
    verify: &[
        VERIFY_DIFF,
        "Ask who installed the product on this host, and whether others have it",
    ],
    attack: &[technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[HIVE, BASELINE],
    sources: &[SOURCE, "detection.md C.5: rarity counts among hosts of the same build"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        config.service_type?;
        let here = Row::of(scope.host, scope.service)?;
        let of_hardware = here.image.as_deref().is_some_and(|image| image.contains(".inf_"));
        let is_ordinary = is_stock(scope)
            || is_laid_down(scope)
            || agent(scope).is_some()
            || scope.service.is_user_instance()
            || !config.owners.is_empty()
            || of_hardware;
        if is_ordinary {
            return None;
        }
        let path = scope.baseline()?.lacks(scope.host, &here.name)?;
        let because = format!("No service of that name is on your baseline {}.", clip(path));
        Some(Hit::new(because, config.citation.clone()))
    },
    examples: &[
        yes("a service that nobody else has", || {
            on_gold_build(Scene::service("Odd")).baseline(gold(vec![Scene::service("Agent")], 100))
        }),
        no("the baseline knows it", || {
            on_gold_build(Scene::service("Agent"))
                .baseline(gold(vec![Scene::service("Agent")], 100))
        }),
        no("the baseline knows few services", || {
            on_gold_build(Scene::service("Odd")).baseline(gold(vec![Scene::service("Agent")], 50))
        }),
        no("the driver of a device", || {
            on_gold_build(Scene::driver("oem")).baseline(gold(vec![Scene::service("Agent")], 100))
        }),
        unknown("no baseline was given", || {
            Scene::service("Odd").windows("Windows 10 Pro", GOLD_BUILD)
        }),
    ],
};
