//! An audit policy that records nothing.

use super::LOGGING;
use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene};
use crate::host::posture::{Effect, knowledge};
use crate::host::{Origin, State};
use crate::text::same_name;

pub(super) const AUDIT_EMPTIED: Indicator = Indicator {
    id: "D12",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Is every subcategory of the audit policy off?",
    why: "Windows comes with a dozen subcategories on, and no hardening guide switches all of them off. `auditpol \
          /clear` does, and from then on the Security log is silent while its service looks healthy.",
    innocent: "A kiosk or an appliance whose maker wanted no Security log at all.",
    verify: &[
        "auditpol /get /category:* (live)",
        "4719 in the Security log, last: who cleared the policy, and what followed?",
    ],
    attack: &[LOGGING],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SecurityHive)],
    sources: &[
        "Microsoft Learn: auditpol clear",
        "Atomic Red Team T1685.001: clear Windows audit policy config",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !same_name(&scope.service.name, "EventLog") {
            return None;
        }
        let silent =
            scope.host.posture.iter().find(|one| {
                one.setting == knowledge::AUDIT_POLICY.id && one.effect == Effect::Blind
            })?;
        let because = "The audit policy records nothing: every subcategory is off.";
        Some(Hit::new(because, silent.citation.clone()))
    },
    examples: &[
        yes("auditpol /clear", || {
            Scene::hosted("EventLog").posture(&knowledge::AUDIT_POLICY, "off", Effect::Blind)
        }),
        no("process creation is off, as Windows comes", || {
            Scene::hosted("EventLog").posture(&knowledge::PROCESS_CREATION, "off", Effect::Blind)
        }),
        unknown("no SECURITY hive", || {
            Scene::hosted("EventLog").covered(Origin::SecurityHive, State::Absent)
        }),
    ],
};
