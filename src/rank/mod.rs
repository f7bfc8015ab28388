//! Answers into an order: additive decibans in families with decay, floors, verdicts.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::checklist::{
    self, Answer, Answered, Family, Given, Hit, Indicator, Lack, Memory, Overview, Scope,
};
use crate::host::{Host, Origin, Role, Service};
use crate::text;

mod host_score;
mod incident;
pub mod suppression;
pub mod tuning;

pub use host_score::{MOST_FOR_MORE, ONE_MORE, of_host};
pub use incident::of_incidents;
pub use tuning::Tuning;

/// The score, in decibans, below which a hard indicator never lets a service fall.
pub const HARD_FLOOR: i32 = 30;
/// From this score on a service is to be escalated.
///
/// With one malicious service in 500 (−27 dB) 35 decibans mean a probability of 86 %.
pub const ESCALATE: i32 = 35;
/// From this score on a service is to be reviewed (a probability of 17 % with the same prior).
pub const REVIEW: i32 = 20;
/// From this score on something is worth a note.
pub const NOTE: i32 = 10;
/// Without a finding of at least this weight nothing is escalated, however much adds up: many weak signs are
/// what in-house software looks like.
pub const ESCALATE_NEEDS: i32 = 20;
/// Without a finding of at least this weight nothing is to be reviewed.
pub const REVIEW_NEEDS: i32 = 15;

/// Trust that weighs less vouches for nobody.
pub const VOUCHING: i16 = -5;

/// What to do about a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing worth a note speaks against it, and nothing vouches for it either.
    NotAssessed,
    /// Nothing worth a note speaks against it, and it is what Windows or the analyst knows.
    KnownGood,
    /// Something about it is unusual.
    Note,
    /// Somebody should look at it.
    Review,
    /// Somebody should act on it now.
    Escalate,
}

impl Verdict {
    /// The word of reports.
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotAssessed => "NOT ASSESSED",
            Self::KnownGood => "KNOWN GOOD",
            Self::Note => "NOTE",
            Self::Review => "REVIEW",
            Self::Escalate => "ESCALATE",
        }
    }
}

/// One yes in the score.
#[derive(Clone)]
pub struct Finding {
    /// The indicator.
    pub indicator: &'static Indicator,
    /// Its hit.
    pub hit: Hit,
    /// Its full weight in decibans.
    pub weight: i32,
    /// What it adds after decay within its family, in decibans; of trust, what it may take back.
    pub contribution: i32,
}

/// Why a finding counts less than its weight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Heavier findings of its family say similar things: each further one counts half.
    Decay,
    /// Trust vouches for the name, the program and the time of the key; more than these added it does not take back.
    LimitOfTrust,
}

impl Finding {
    /// Why it counts less than its weight; absent where it counts in full.
    pub fn reduction(&self) -> Option<Reduction> {
        let kind = if self.weight < 0 { Reduction::LimitOfTrust } else { Reduction::Decay };
        (self.contribution != self.weight).then_some(kind)
    }
}

/// One service with its answers and its place.
#[derive(Clone)]
pub struct Ranked<'a> {
    /// The service.
    pub service: &'a Service,
    /// Decibans.
    pub score: i32,
    /// What to do.
    pub verdict: Verdict,
    /// What speaks against the service, heaviest first.
    pub findings: Vec<Finding>,
    /// What speaks for it, heaviest first.
    pub against: Vec<Finding>,
    /// What would speak against it and is not counted, heaviest first, with the place of its entry in
    /// [`Given::suppressions`].
    pub suppressed: Vec<(Finding, usize)>,
    /// Indicators without an answer, in the order of the checklist.
    pub unknown: Vec<(&'static Indicator, Lack)>,
    /// How many indicators answered no.
    pub answered_no: usize,
}

/// Ranks every service of a host, worst first; ties by number of families, then by name.
pub fn rank<'a>(host: &'a Host, given: &Given, tuning: &Tuning) -> Vec<Ranked<'a>> {
    let overview = &Overview::of(host, given);
    let asked = checklist::asked(host, given, &tuning.ignored);
    let mut ranked: Vec<Ranked<'a>> = host
        .services
        .iter()
        .map(|service| {
            let memory = &Memory::default();
            let scope = Scope { host, service, given, overview, memory };
            judge(service, &scope, checklist::ask(&scope, &asked), tuning)
        })
        .collect();
    // A store is no service: it has a row only where what it loads is worth a note.
    let stores = host.stores.iter().map(|store| {
        let memory = &Memory::default();
        let scope = Scope { host, service: store, given, overview, memory };
        judge(store, &scope, checklist::ask_of_store(&scope, &tuning.ignored), tuning)
    });
    ranked.extend(stores.filter(|store| store.verdict >= Verdict::Note));
    ranked.sort_by_cached_key(|one| {
        precedence(&one.service.name, one.score, one.verdict, &one.findings)
    });
    ranked
}

/// A service's place among the others of its host: the smaller, the nearer to the top.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Precedence {
    verdict: Reverse<Verdict>,
    score: Reverse<i32>,
    families: Reverse<usize>,
    name: String,
}

/// Where a service of that name belongs with these findings.
pub fn precedence(name: &str, score: i32, verdict: Verdict, findings: &[Finding]) -> Precedence {
    let families: BTreeSet<Family> =
        findings.iter().map(|finding| finding.indicator.family).collect();
    Precedence {
        verdict: Reverse(verdict),
        score: Reverse(score),
        families: Reverse(families.len()),
        name: text::fold(name),
    }
}

fn judge<'a>(
    service: &'a Service,
    scope: &Scope<'_>,
    answers: Vec<Answered>,
    tuning: &Tuning,
) -> Ranked<'a> {
    let Scope { host, given, .. } = *scope;
    let mut families: BTreeMap<Family, Vec<Finding>> = BTreeMap::new();
    let mut against = Vec::new();
    let mut suppressed = Vec::new();
    let mut unknown = Vec::new();
    let mut answered_no = 0_usize;
    for Answered { indicator, answer } in answers {
        match answer {
            Answer::No => answered_no = answered_no.saturating_add(1),
            Answer::Unknown(lack) => unknown.push((indicator, lack)),
            Answer::Yes(hit) => {
                let tuned = tuning.weights.get(indicator.id).copied();
                let weight = i32::from(tuned.or(hit.decibans).unwrap_or(indicator.weight));
                let finding = Finding { indicator, hit, weight, contribution: weight };
                if weight < 0 {
                    against.push(finding);
                } else if let Some(entry) = given.suppression(scope, indicator) {
                    suppressed.push((Finding { contribution: 0, ..finding }, entry));
                } else {
                    families.entry(indicator.family).or_default().push(finding);
                }
            }
        }
    }
    let rules = families.remove(&Family::R).unwrap_or_default();
    for finding in rules {
        let family = echoed(&finding, &families, service, host).unwrap_or(Family::R);
        families.entry(family).or_default().push(finding);
    }
    let Sum { score, verdict, findings, against } = add_up(families, against);
    suppressed.sort_by_key(|(one, _)| (Reverse(one.weight), one.indicator.id));
    Ranked { service, score, verdict, findings, against, suppressed, unknown, answered_no }
}

/// What the yeses about one service come to.
#[derive(Clone)]
pub struct Sum {
    /// Decibans.
    pub score: i32,
    /// What to do.
    pub verdict: Verdict,
    /// What speaks against the service, heaviest first.
    pub findings: Vec<Finding>,
    /// What speaks for it, heaviest first.
    pub against: Vec<Finding>,
}

impl Sum {
    /// Adds up yeses by their weights, each in its indicator's family: what a score would be with other weights, or with
    /// findings left out.
    pub fn of(findings: impl IntoIterator<Item = Finding>) -> Self {
        let mut families: BTreeMap<Family, Vec<Finding>> = BTreeMap::new();
        let mut against = Vec::new();
        for mut finding in findings {
            finding.contribution = finding.weight;
            if finding.weight < 0 {
                against.push(finding);
            } else {
                families.entry(finding.indicator.family).or_default().push(finding);
            }
        }
        add_up(families, against)
    }
}

fn add_up(families: BTreeMap<Family, Vec<Finding>>, mut against: Vec<Finding>) -> Sum {
    let mut findings: Vec<Finding> = families.into_values().flat_map(decay).collect();
    let by_weight = |one: &Finding| (Reverse(one.contribution.abs()), one.indicator.id);
    findings.sort_by_key(by_weight);
    against.sort_by_key(by_weight);
    limit_trust(&findings, &mut against);
    let sum: i32 = findings.iter().chain(&against).map(|finding| finding.contribution).sum();
    let hard = findings.iter().any(|finding| finding.indicator.hard && finding.weight > 0);
    let score = if hard { sum.max(HARD_FLOOR) } else { sum };
    let verdict = verdict(score, &findings, &against);
    Sum { score, verdict, findings, against }
}

/// The family of the heaviest finding that rests on the same kinds of acts of the service as this rule's (its commands, its
/// installs, its connections), where each kind has some finding: such a rule says again what the indicators have said, and
/// decays with them.
fn echoed(
    rule: &Finding,
    families: &BTreeMap<Family, Vec<Finding>>,
    service: &Service,
    host: &Host,
) -> Option<Family> {
    let acts = |finding: &Finding| -> BTreeSet<Role> {
        let cited = |event: usize| {
            let event = host.events.get(event);
            event.is_some_and(|event| finding.hit.citations.contains(&event.citation))
        };
        let links = service.links.iter().filter(|link| cited(link.event));
        links.map(|link| link.role).collect()
    };
    let of_rule = acts(rule);
    let own = families.values().flatten().filter(|one| one.indicator.family != Family::R);
    let own: Vec<(&Finding, BTreeSet<Role>)> = own.map(|one| (one, acts(one))).collect();
    let is_said = |role| own.iter().any(|(_, roles)| roles.contains(role));
    if of_rule.is_empty() || !of_rule.iter().all(is_said) {
        return None;
    }
    let shares = own.iter().filter(|(_, roles)| !roles.is_disjoint(&of_rule));
    shares.map(|(one, _)| one).max_by_key(|one| one.weight).map(|one| one.indicator.family)
}

/// What a baseline vouches for: the name, the program, the time of the key. It does not vouch for a failure
/// command, access rules, an account, known tools or what a process did.
const VOUCHED: [Family; 3] = [Family::Q1, Family::Q2, Family::Q3];

/// Keeps trust from outweighing what it says nothing about: where other families speak, baseline terms only
/// take back what the vouched families add. What the analyst approved counts in full.
fn limit_trust(findings: &[Finding], against: &mut [Finding]) {
    let is_vouched = |finding: &Finding| VOUCHED.contains(&finding.indicator.family);
    if findings.iter().all(is_vouched) {
        return;
    }
    let mut left: i32 =
        findings.iter().filter(|one| is_vouched(one)).map(|one| one.contribution).sum();
    for trust in against.iter_mut().filter(|trust| !rests_on_policy(trust.indicator)) {
        trust.contribution = trust.contribution.max(-left);
        left = left.saturating_add(trust.contribution);
    }
}

fn rests_on_policy(indicator: &Indicator) -> bool {
    indicator.needs.iter().any(|need| need.origins().contains(&Origin::ChangePolicy))
}

/// Halves every further term of a family: three ways to say the same must not count three times.
fn decay(mut terms: Vec<Finding>) -> Vec<Finding> {
    terms.sort_by_key(|finding| (Reverse(finding.weight), finding.indicator.id));
    let mut divisor = 1;
    for finding in &mut terms {
        finding.contribution = finding.weight / divisor;
        divisor = i32::saturating_mul(divisor, 2);
    }
    terms
}

/// Whether trust makes a service a known one. Age alone does not: what is old is not therefore good.
fn vouches(finding: &Finding) -> bool {
    finding.indicator.family == Family::B && finding.indicator.weight <= VOUCHING
}

fn verdict(score: i32, findings: &[Finding], against: &[Finding]) -> Verdict {
    let heaviest = findings.iter().map(|finding| finding.weight).max().unwrap_or(0);
    match score {
        ESCALATE.. if heaviest >= ESCALATE_NEEDS => Verdict::Escalate,
        REVIEW.. if heaviest >= REVIEW_NEEDS => Verdict::Review,
        NOTE.. => Verdict::Note,
        _ if against.iter().any(vouches) => Verdict::KnownGood,
        _ => Verdict::NotAssessed,
    }
}
