//! What was there before, unchanged.

use jiff::SignedDuration;

use crate::checklist::basis::HIVE;
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene};
use crate::host::config::Data;
use crate::text::same_name;

/// How long ago the oldest state must have been taken.
const LONG: SignedDuration = SignedDuration::from_hours(30 * 24);

/// Values that decide what runs and as whom.
const DECIDING: [&str; 6] =
    ["Type", "ImagePath", r"Parameters\ServiceDll", "ServiceDll", "FailureCommand", "ObjectName"];

pub(super) const LASTING: Indicator = Indicator {
    id: "B08",
    family: Family::B,
    checklist: Question::WhoWhen,
    question: "Was it there, running the same, in every older state for at least 30 days?",
    why: "What has been there for long is less likely what happened last.",
    innocent: "Intruders stay for months: it is a little less likely to be new, and no better for being old.",
    verify: &["Open the key in the oldest state that has it and compare the values."],
    attack: &[],
    weight: -3,
    hard: false,
    needs: &[HIVE],
    sources: &["A judgement: reported dwell times are days to months, so age weighs little"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let (oldest, newest) = (scope.service.presence.first()?, scope.service.presence.last()?);
        let state = scope.host.older_states.get(oldest.state)?;
        let now = scope.host.coverage.span(crate::host::Origin::SystemHive)?.to?;
        let age = now.duration_since(state.time()?);
        let changed = |one: &crate::host::service::Difference| {
            DECIDING.iter().any(|name| same_name(name, &one.field))
        };
        if !scope.service.passages.is_empty()
            || newest.key.is_none()
            || age < LONG
            || scope.service.differences.iter().any(changed)
        {
            return None;
        }
        let because = format!("There in {}, and it runs the same now.", state.dated());
        Some(Hit::new(because, oldest.key.clone()?).and(config.citation.clone()))
    },
    examples: &[
        yes("the same in a shadow copy of two months ago", || {
            Scene::service("Agent").older_with(TWO_MONTHS, |_| {})
        }),
        no("the same, but only days ago", || {
            Scene::service("Agent").older_with("shadow copy 3 of 2026-03-20 09:00:00 UTC", |_| {})
        }),
        no("another program then", || {
            Scene::service("Agent").older_with(TWO_MONTHS, |values| {
                values.insert("ImagePath", Data::Text(r"C:\other.exe".to_owned()));
            })
        }),
        no("not there then", || Scene::service("Agent").older_without(TWO_MONTHS)),
        no("no older state", || Scene::service("Agent")),
    ],
};

const TWO_MONTHS: &str = "shadow copy 1 of 2026-01-02 09:00:00 UTC";
