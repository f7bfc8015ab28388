//! What the analyst's own list approves.

use crate::checklist::staging::{audited, no, unknown, yes};
use crate::checklist::ticket::{Made, made};
use crate::checklist::{Family, Hit, Indicator, Need, Policy, Question, Scene, Scope};
use crate::host::Origin;

pub(super) const TICKET: Indicator = Indicator {
    id: "B03",
    family: Family::B,
    checklist: Question::WhoWhen,
    question: "Does a change on your list of approved changes cover it?",
    why: "Somebody announced exactly this change.",
    innocent: "A ticket says what was planned, not what was done: compare program and time.",
    verify: &["Open the ticket and compare service, program, account and time."],
    attack: &[],
    weight: -40,
    hard: false,
    needs: &[Need::Whole(Origin::ChangePolicy)],
    sources: &["docs/approved.md"],
    since: "0.1.0",
    check: &|scope| {
        let policy = scope.policy()?;
        let last = last_made(scope)?;
        let approval = last.ticket(scope, policy)?;
        let because = format!("Approved: {}.", approval.label());
        Some(Hit::new(because, last.citation(scope)?))
    },
    examples: &[
        yes("a ticket for the install", || {
            Scene::ghost("Agent")
                .policy(policy(
                    "[[change]]\nservice = 'Agent'\nticket = 'C1'\nexpires = 2026-03-31",
                ))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        yes("no log of the install; the key's last write counts", || {
            Scene::service("Agent")
                .policy(policy("[[change]]\nservice = 'Agent'\nticket = 'C1'\nto = 2026-03-02"))
        }),
        no("the ticket had expired at the time of the change", || {
            Scene::ghost("Agent")
                .policy(policy(
                    "[[change]]\nservice = 'Agent'\nticket = 'C1'\nexpires = 2026-03-01",
                ))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("a later install that no ticket covers", || {
            Scene::ghost("Agent")
                .policy(policy("[[change]]\nservice = 'Agent'\nticket = 'C1'\nto = 2026-03-02"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
                .event(86_400 * 3, audited("Agent", r"C:\y.exe", 0x51, None))
        }),
        unknown("no list was given", || Scene::service("Agent")),
    ],
};

pub(super) const APPROVED_ACTOR: Indicator = Indicator {
    id: "B06",
    family: Family::B,
    checklist: Question::WhoWhen,
    question: "Did an account or deployment tool on your list create it?",
    why: "You named who deploys software here, and it was them.",
    innocent: "Deployment accounts are what intruders take first: a ticket says more than a name.",
    verify: &["Ask the owner of the account or tool for the job behind this install."],
    attack: &[],
    weight: -10,
    hard: false,
    needs: &[Need::Whole(Origin::ChangePolicy)],
    sources: &["docs/approved.md"],
    since: "0.1.0",
    check: &|scope| {
        let policy = scope.policy()?;
        let last = last_made(scope)?;
        let approval = last.approved_actor(scope, policy)?;
        let named = approval.account.as_ref().or(approval.path.as_ref())?.as_str();
        let because = format!("`{named}` is approved by {}.", approval.label());
        Some(Hit::new(because, last.citation(scope)?))
    },
    examples: &[
        yes("the deployment account", || {
            Scene::ghost("Agent")
                .policy(policy("[[account]]\naccount = 'CORP\\*'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        no("somebody else", || {
            Scene::ghost("Agent")
                .policy(policy("[[account]]\naccount = 'CORP\\svc_deploy'"))
                .event(0, audited("Agent", r"C:\x.exe", 0x51, None))
        }),
        unknown("no list was given", || Scene::service("Agent")),
    ],
};

/// The last creation or change that events show; without any, the last write of the key.
fn last_made<'a>(scope: &Scope<'a>) -> Option<Made<'a>> {
    made(scope).pop().or_else(|| {
        let time = Some(scope.config()?.last_write?);
        Some(Made { time, actor: None, sid: None, event: None })
    })
}

fn policy(text: &str) -> Policy {
    Policy::parse_toml(text).unwrap_or_default()
}
