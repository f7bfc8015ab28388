//! What the analyst's list of approved changes says about it.

use crate::checklist::basis::INSTALL_LOGS;
use crate::checklist::knowledge::agents::AgentKind;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::staging::{SYSTEM, USER, audited, installed, no, unknown, yes};
use crate::checklist::story::who;
use crate::checklist::ticket::{Made, made};
use crate::checklist::{Family, Hit, Indicator, Need, Policy, Question, Scene, Scope, technique};
use crate::host::Origin;
use crate::time::format_short;

pub(super) const UNAPPROVED_ACTOR: Indicator = Indicator {
    id: "W02",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it created or changed by an account or tool that your list does not approve?",
    why: "You named who deploys software here; this was somebody else.",
    innocent: "The list is incomplete: a vendor's setup run by its user, Windows installing a driver as SYSTEM.",
    verify: &[
        "Ask the named account what was installed at that time.",
        "If it is legitimate, add it to the list with its ticket.",
    ],
    attack: &[technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[Need::Whole(Origin::ChangePolicy), INSTALL_LOGS],
    sources: &["docs/approved.md"],
    since: "0.1.0",
    check: &|scope| {
        let policy = scope.policy().filter(|policy| policy.names_actors())?;
        let one = made(scope).into_iter().find(|one| {
            one.ticket(scope, policy).is_none() && one.approved_actor(scope, policy).is_none()
        })?;
        if is_routine(scope) {
            return None;
        }
        let because = format!(
            "{} at {} by {}, whom no entry of your list approves.",
            verb(&one),
            one.time.map(format_short).unwrap_or_default(),
            actor(&one)
        );
        Some(Hit::new(because, one.citation(scope)?))
    },
    examples: &[
        yes("another account than the deployment account", || {
            Scene::ghost("Agent")
                .policy(policy("[[account]]\naccount = 'CORP\\svc_deploy'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("the approved account", || {
            Scene::ghost("Agent")
                .policy(policy("[[account]]\naccount = 'CORP\\anna'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("an approved tool is the service", || {
            Scene::ghost("PDQ").policy(policy("[[tool]]\npath = 'C:\\PDQ\\*'")).event_by(
                0,
                Some(USER),
                installed("PDQ", r"C:\PDQ\run.exe"),
            )
        }),
        no("Defender's own driver", || {
            let path = r"C:\ProgramData\Microsoft\Windows Defender\Definition Updates\{A}\MpKsl0a1b2c3d.sys";
            Scene::ghost("MpKsl0a1b2c3d")
                .policy(policy("[[account]]\naccount = 'CORP\\svc_deploy'"))
                .event_by(0, Some(SYSTEM), installed("MpKsl0a1b2c3d", path))
        }),
        unknown("no list was given", || {
            Scene::ghost("Agent").event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
    ],
};

pub(super) const NO_TICKET: Indicator = Indicator {
    id: "W03",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it created or changed without a ticket on your list and outside its windows?",
    why: "A change that nobody announced, at a time when nobody should change anything.",
    innocent: "Emergency changes are recorded afterwards; products update themselves.",
    verify: &[
        "Search the ticket system for the service, the host and the time.",
        "docs/approved.md says how to record it.",
    ],
    attack: &[technique("T1543.003")],
    weight: 8,
    hard: false,
    needs: &[Need::Whole(Origin::ChangePolicy), INSTALL_LOGS],
    sources: &["docs/approved.md"],
    since: "0.1.0",
    check: &|scope| {
        let policy = scope.policy()?;
        if policy.windows.is_empty() && policy.changes.is_empty() || is_routine(scope) {
            return None;
        }
        let one = made(scope).into_iter().find(|one| {
            one.ticket(scope, policy).is_none()
                && one.time.is_none_or(|time| policy.in_window(time) != Some(true))
        })?;
        let outside = if policy.windows.is_empty() { "" } else { " and outside its windows" };
        let because = format!(
            "{} at {} by {}: no ticket on your list covers it{outside}.",
            verb(&one),
            one.time.map(format_short).unwrap_or_default(),
            actor(&one)
        );
        Some(Hit::new(because, one.citation(scope)?))
    },
    examples: &[
        yes("a Monday noon, windows on Saturday", || {
            Scene::ghost("Agent")
                .policy(policy("[[window]]\ndays = ['sat']\nfrom = '20:00'\nto = '23:00'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        yes("the ticket had expired", || {
            Scene::ghost("Agent")
                .policy(policy(
                    "[[change]]\nservice = 'Agent'\nticket = 'C1'\nexpires = 2026-03-01",
                ))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("a ticket covers it", || {
            Scene::ghost("Agent")
                .policy(policy(
                    "[[change]]\nservice = 'Agent'\nticket = 'C1'\nexpires = 2026-03-31",
                ))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("inside a window", || {
            Scene::ghost("Agent")
                .policy(policy("[[window]]\ndays = ['mon']\nfrom = '11:00'\nto = '13:00'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        unknown("no list was given", || {
            Scene::ghost("Agent").event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
    ],
};

/// Windows' own services and Defender's engine come and go without tickets.
fn is_routine(scope: &Scope<'_>) -> bool {
    is_stock(scope) || agent(scope).is_some_and(|agent| agent.kind == AgentKind::Platform)
}

fn verb(one: &Made<'_>) -> &'static str {
    if one.sid.is_some() { "Start type changed" } else { "Installed" }
}

fn actor(one: &Made<'_>) -> String {
    match (one.actor, one.sid) {
        (Some(actor), _) => who(actor),
        (None, Some(sid)) => sid.to_owned(),
        (None, None) => "an unknown account".to_owned(),
    }
}

fn policy(text: &str) -> Policy {
    Policy::parse_toml(text).unwrap_or_default()
}
