//! Hits of Sigma rules in the report, and how much of a kind of change the rules saw.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Stamp;
use super::host::HostReport;
use crate::host::config::{Data, ServiceConfig};
use crate::host::event::{Action, Event};
use crate::host::rule_hit::{Rule, RuleLevel};
use crate::host::{Citation, Host, Origin, RuleHit, Service, State};
use crate::rank::Ranked;
use crate::text::{fold, same_name};

/// A Sigma rule that fired.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHitReport {
    /// The rule, with the author and the licence that its licence asks to print.
    pub rule: Rule,
    /// When.
    pub time: Stamp,
    /// The computer the record names.
    pub computer: String,
    /// The services it concerns, by name; empty where it concerns none.
    pub services: Vec<String>,
    /// What the record says that tells what it is about, as logged; the last one's for a correlation, after the values
    /// that it groups by.
    pub fields: Vec<FieldReport>,
    /// The records.
    pub citations: Vec<Citation>,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldReport {
    /// Its name.
    pub name: String,
    /// Its value; the first 2,000 characters.
    pub value: String,
}

/// How much of one kind of change the rules saw: whatever rules fired on, and the same done by other means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleSight {
    /// What was changed, by the name of the registry value: `FailureCommand`.
    pub value: String,
    /// How many of the acts no rule fired on.
    pub unseen: usize,
    /// The services it was changed of, in the order of the ranking.
    pub services: Vec<SeenService>,
}

/// One service of which it was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenService {
    /// Its name.
    pub service: String,
    /// What the hive has now, in words: `armed: C:\\x.exe`, `absent`, `no SYSTEM hive was read`.
    pub now: String,
    /// The acts, in order of time.
    pub acts: Vec<SeenAct>,
}

/// One act that changed it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenAct {
    /// When.
    pub time: Stamp,
    /// The command, or the program that wrote.
    pub by: String,
    /// The new data as the record has it.
    pub data: String,
    /// The titles of the rules that fired on it; empty where none did.
    pub rules: Vec<String>,
    /// The ids of the findings that rest on it.
    pub findings: Vec<String>,
    /// The record.
    pub citation: Citation,
}

impl RuleHitReport {
    /// The hits of a host with the services each concerns.
    pub(super) fn of(host: &Host) -> Vec<Self> {
        let mut services: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        for service in &host.services {
            for at in &service.rule_hits {
                services.entry(*at).or_default().push(service.name.clone());
            }
        }
        let hits = host.rule_hits.iter().enumerate();
        hits.map(|(at, hit)| Self::new(hit, services.remove(&at).unwrap_or_default())).collect()
    }

    fn new(hit: &RuleHit, services: Vec<String>) -> Self {
        let field = |(name, value): &(String, String)| FieldReport {
            name: name.clone(),
            value: value.clone(),
        };
        Self {
            rule: Rule::clone(&hit.rule),
            time: Stamp(hit.time),
            computer: hit.computer.clone(),
            services,
            fields: hit.fields.iter().map(field).collect(),
            citations: hit.citations.clone(),
        }
    }
}

/// `Title (author; level high; DRL 1.1; rules/x.yml)`: what a licence may ask to be printed with every hit.
pub(super) fn label(rule: &Rule) -> String {
    let author = rule.author.as_deref().unwrap_or("author not named");
    let license = rule.license.as_deref().map(|license| format!("; {license}")).unwrap_or_default();
    let id = rule.id.as_deref().map(|id| format!("; {id}")).unwrap_or_default();
    format!("{} ({author}; level {}{license}{id}; {})", rule.title, rule.level.label(), rule.file)
}

/// Rules in the order of lines for people, the worst level first.
type Order<'r> = (Reverse<RuleLevel>, &'r Rule);
/// How often a rule fired, and on which services.
type Told<'r> = (usize, BTreeSet<&'r str>);

/// What rules found on a host, in lines for people: a line a rule, the worst first, then what no rule saw.
pub(super) fn lines(host: &HostReport, most: usize) -> Vec<String> {
    let mut rules: BTreeMap<Order<'_>, Told<'_>> = BTreeMap::new();
    for hit in &host.rule_hits {
        let entry = rules.entry((Reverse(hit.rule.level), &hit.rule)).or_default();
        entry.0 = entry.0.saturating_add(1);
        entry.1.extend(hit.services.iter().map(String::as_str));
    }
    let left = rules.len().saturating_sub(most);
    let told = rules.iter().take(most).map(|((_, rule), (count, services))| {
        let on = match services.iter().copied().collect::<Vec<_>>().as_slice() {
            [] => "on no service".to_owned(),
            [one] => format!("on {one}"),
            [one, others @ ..] => format!("on {one} and {} more", others.len()),
        };
        format!("{count} \u{d7} {} {on}", label(rule))
    });
    let mut lines: Vec<String> = told.collect();
    if left > 0 {
        lines.push(format!("{left} more rules fired: --format json"));
    }
    for sight in &host.rule_sight {
        for service in &sight.services {
            let unseen = service.acts.iter().filter(|act| act.rules.is_empty());
            lines.extend(unseen.take(MOST_UNSEEN).map(|act| {
                let findings = match act.findings.as_slice() {
                    [] => String::new(),
                    ids => format!(" [{}]", ids.join(" ")),
                };
                format!(
                    "no rule saw {} of {} being set by {} at {}{findings}",
                    sight.value,
                    service.service,
                    act.by,
                    act.time.short()
                )
            }));
            lines.push(format!("{} of {} now: {}", sight.value, service.service, service.now));
        }
    }
    lines
}

/// Acts that no rule saw, told of one service in lines for people.
const MOST_UNSEEN: usize = 3;

/// An act before it is known whether it is told.
struct Act<'h> {
    value: &'h str,
    data: &'h str,
    event: &'h Event,
}

/// The changes that commands and registry events of a service show.
fn acts<'h>(host: &'h Host, service: &'h Service) -> Vec<Act<'h>> {
    let by_command = service.commands.iter().filter(|seen| seen.command.remote.is_none());
    let by_command = by_command.flat_map(|seen| {
        let event = host.events.get(seen.event);
        let changes = seen.command.changes.iter();
        changes.filter_map(move |change| {
            Some(Act { value: &change.value, data: &change.data, event: event? })
        })
    });
    let written = service.events(crate::host::Role::RegistryChange, &host.events);
    let by_write = written.filter_map(|event| match &event.action {
        Action::RegistryChanged(change) => {
            Some(Act { value: &change.target, data: change.new.as_deref()?, event })
        }
        _ => None,
    });
    let mut acts: Vec<Act<'h>> = by_command.chain(by_write).collect();
    acts.sort_by(|left, right| {
        let key = |act: &Act<'h>| (act.event.time, act.event.citation.clone());
        key(left).cmp(&key(right)).then_with(|| left.value.cmp(right.value))
    });
    acts
}

/// How much of each kind of change that some rule fired on the rules saw.
pub(super) fn sight(host: &Host, ranked: &[Ranked<'_>]) -> Vec<RuleSight> {
    let mut fired: BTreeMap<&Citation, BTreeSet<&str>> = BTreeMap::new();
    for hit in &host.rule_hits {
        for citation in &hit.citations {
            fired.entry(citation).or_default().insert(&hit.rule.title);
        }
    }
    if fired.is_empty() {
        return Vec::new();
    }
    let all: Vec<(&Ranked<'_>, Vec<Act<'_>>)> =
        ranked.iter().map(|one| (one, acts(host, one.service))).collect();
    let seen = all.iter().flat_map(|(_, acts)| acts);
    let values: BTreeMap<String, &str> = seen
        .filter(|act| fired.contains_key(&act.event.citation))
        .map(|act| (fold(act.value), act.value))
        .collect();
    let mut sights = Vec::new();
    for value in values.into_values() {
        let mut sight = RuleSight { value: value.to_owned(), unseen: 0, services: Vec::new() };
        for (ranked, acts) in &all {
            let acts = acts.iter().filter(|act| same_name(act.value, value));
            let acts: Vec<SeenAct> = acts.map(|act| SeenAct::new(act, ranked, &fired)).collect();
            let unseen = acts.iter().filter(|act| act.rules.is_empty()).count();
            sight.unseen = sight.unseen.saturating_add(unseen);
            if !acts.is_empty() {
                let now = now(host, ranked.service, value);
                let service = ranked.service.name.clone();
                sight.services.push(SeenService { service, now, acts });
            }
        }
        sights.push(sight);
    }
    sights
}

impl SeenAct {
    fn new(
        act: &Act<'_>,
        ranked: &Ranked<'_>,
        fired: &BTreeMap<&Citation, BTreeSet<&str>>,
    ) -> Self {
        let citation = &act.event.citation;
        let rules = fired.get(citation).into_iter().flatten();
        let findings = ranked.findings.iter().filter(|one| {
            one.indicator.family != crate::checklist::Family::R
                && one.hit.citations.contains(citation)
        });
        Self {
            time: Stamp(act.event.time),
            by: by(act.event),
            data: act.data.to_owned(),
            rules: rules.map(|title| (*title).to_owned()).collect(),
            findings: findings.map(|one| one.indicator.id.to_owned()).collect(),
            citation: citation.clone(),
        }
    }
}

/// The command, or the program that wrote.
fn by(event: &Event) -> String {
    const LONGEST: usize = 500;
    let by = match &event.action {
        Action::ProcessStarted(process) => {
            process.command_line.as_deref().unwrap_or(&process.image)
        }
        Action::Script { text, .. } => text,
        Action::RegistryChanged(change) => &change.image,
        _ => "",
    };
    by.chars().take(LONGEST).collect()
}

/// What the hive has of that value now. A failure command does something only where an action runs it.
fn now(host: &Host, service: &Service, value: &str) -> String {
    let read = matches!(host.coverage.state(Origin::SystemHive), State::Complete | State::Partial);
    if !read {
        return "no SYSTEM hive was read".to_owned();
    }
    let Some(config) = &service.config else {
        return "the hive has no key of this service".to_owned();
    };
    if same_name(value, "FailureCommand") {
        return failure(config);
    }
    match config.values.iter().find(|one| same_name(&one.name, value)) {
        Some(stored) => format!("stored: {}", data(&stored.data)),
        None => "absent".to_owned(),
    }
}

fn data(data: &Data) -> String {
    match data {
        Data::Number(number) => number.to_string(),
        Data::Text(text) => text.clone(),
        Data::Texts(texts) => texts.join(", "),
        Data::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn failure(config: &ServiceConfig) -> String {
    match config.failure_command.as_deref().filter(|command| !command.trim().is_empty()) {
        None => "absent".to_owned(),
        Some(command) if config.failure_command_is_armed() => format!("armed: {command}"),
        Some(command) => format!("inert, no failure action runs it: {command}"),
    }
}
