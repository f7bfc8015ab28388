//! One question for each level of the Sigma specification; hits of level `informational` are listed and weigh nothing.

use super::{Family, Indicator, Question, RULES, found};
use crate::checklist::Scene;
use crate::checklist::staging::{command, no, unknown, yes};
use crate::host::rule_hit::RuleLevel;
use crate::host::{Origin, State};

const SPECIFICATION: &str = "Sigma rules specification 2.1.0, attribute level";
const MEASURED: &str = "SigmaHQ rules of 2026-08 on two benign corpora: docs/sigma.md";

/// `sc failure` in a log, and a rule of that level that fired on it.
fn fired(level: RuleLevel) -> Scene {
    const SC: &str = r"C:\Windows\System32\sc.exe";
    let event = command(SC, "sc failure Agent command= x", r"C:\Windows\System32\cmd.exe");
    Scene::service("Agent").event(0, event).rule_hit(level)
}

pub(super) const CRITICAL: Indicator = Indicator {
    id: "X01",
    family: Family::R,
    checklist: Question::WhoWhen,
    question: "Did a Sigma rule of level critical that you gave fire on it?",
    why: "As good as certain, says its author; such rules name one tool or one exploit. A hit on a record that another finding rests on as well counts with that finding, not beside it.",
    innocent: "Rules are written to be tuned to a site: read its falsepositives, and what else fired on this host.",
    verify: &[
        "Open the rule's file: what exactly does it look for, and what does it exclude?",
        "Read the record that is cited, and the records around it.",
    ],
    attack: &[],
    weight: 25,
    hard: false,
    needs: &[RULES],
    sources: &[SPECIFICATION, MEASURED],
    since: "0.1.0",
    check: &|scope| found(scope, RuleLevel::Critical),
    examples: &[
        yes("a rule of this level fired on a command that names it", || fired(RuleLevel::Critical)),
        no("a rule of another level fired", || fired(RuleLevel::Low)),
        no("no rule fired on it", || {
            Scene::service("Agent").covered(Origin::SigmaRules, State::Complete)
        }),
        unknown("no rules were given", || Scene::service("Agent")),
    ],
};

pub(super) const HIGH: Indicator = Indicator {
    id: "X02",
    family: Family::R,
    checklist: Question::WhoWhen,
    question: "Did a Sigma rule of level high that you gave fire on it?",
    why: "Its author wants it reviewed promptly. A hit on a record that another finding rests on as well counts with that finding, not beside it.",
    innocent: "Rules are written to be tuned to a site: read its falsepositives, and what else fired on this host.",
    verify: &[
        "Open the rule's file: what exactly does it look for, and what does it exclude?",
        "Read the record that is cited, and the records around it.",
    ],
    attack: &[],
    weight: 15,
    hard: false,
    needs: &[RULES],
    sources: &[SPECIFICATION, MEASURED],
    since: "0.1.0",
    check: &|scope| found(scope, RuleLevel::High),
    examples: &[
        yes("a rule of this level fired on a command that names it", || fired(RuleLevel::High)),
        no("a rule of another level fired", || fired(RuleLevel::Low)),
        no("no rule fired on it", || {
            Scene::service("Agent").covered(Origin::SigmaRules, State::Complete)
        }),
        unknown("no rules were given", || Scene::service("Agent")),
    ],
};

pub(super) const MEDIUM: Indicator = Indicator {
    id: "X03",
    family: Family::R,
    checklist: Question::WhoWhen,
    question: "Did a Sigma rule of level medium that you gave fire on it?",
    why: "Its author wants it looked at by hand. A hit on a record that another finding rests on as well counts with that finding, not beside it.",
    innocent: "Rules are written to be tuned to a site: read its falsepositives, and what else fired on this host.",
    verify: &[
        "Open the rule's file: what exactly does it look for, and what does it exclude?",
        "Read the record that is cited, and the records around it.",
    ],
    attack: &[],
    weight: 8,
    hard: false,
    needs: &[RULES],
    sources: &[SPECIFICATION, MEASURED],
    since: "0.1.0",
    check: &|scope| found(scope, RuleLevel::Medium),
    examples: &[
        yes("a rule of this level fired on a command that names it", || fired(RuleLevel::Medium)),
        no("a rule of another level fired", || fired(RuleLevel::Low)),
        no("no rule fired on it", || {
            Scene::service("Agent").covered(Origin::SigmaRules, State::Complete)
        }),
        unknown("no rules were given", || Scene::service("Agent")),
    ],
};

pub(super) const LOW: Indicator = Indicator {
    id: "X04",
    family: Family::R,
    checklist: Question::WhoWhen,
    question: "Did a Sigma rule of level low that you gave fire on it?",
    why: "It says something only beside other findings. A hit on a record that another finding rests on as well counts with that finding, not beside it.",
    innocent: "Rules are written to be tuned to a site: read its falsepositives, and what else fired on this host.",
    verify: &[
        "Open the rule's file: what exactly does it look for, and what does it exclude?",
        "Read the record that is cited, and the records around it.",
    ],
    attack: &[],
    weight: 3,
    hard: false,
    needs: &[RULES],
    sources: &[SPECIFICATION, MEASURED],
    since: "0.1.0",
    check: &|scope| found(scope, RuleLevel::Low),
    examples: &[
        yes("a rule of this level fired on a command that names it", || fired(RuleLevel::Low)),
        no("a rule of another level fired", || fired(RuleLevel::Informational)),
        no("no rule fired on it", || {
            Scene::service("Agent").covered(Origin::SigmaRules, State::Complete)
        }),
        unknown("no rules were given", || Scene::service("Agent")),
    ],
};
