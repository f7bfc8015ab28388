//! Lists: what was missed, what raised a false alarm, what cannot be told.

use std::collections::{BTreeMap, BTreeSet};

use super::super::judged::{Told, View};
use super::super::study::{Condition, JudgedHost, Study};
use crate::lab::evaluation::markdown::{code, word};
use crate::rank::Verdict;
use crate::text::fold;

/// Services before a planted one that are named.
const NAMED: usize = 3;

fn head(title: &str, text: String, columns: &str, lines: &mut Vec<String>) {
    lines.extend([String::new(), format!("### {title}"), String::new(), text]);
    let count = columns.matches('|').count().saturating_sub(1);
    lines.extend([String::new(), columns.to_owned(), format!("|{}", "---|".repeat(count))]);
}

/// Hosts of one definition that were not first.
type ByPlant<'a> = BTreeMap<&'a str, Vec<&'a JudgedHost>>;

fn missed(study: &Study, condition: Condition, worse_than: usize) -> ByPlant<'_> {
    let mut missed: ByPlant<'_> = BTreeMap::new();
    for host in study.under(condition) {
        let Some((attack, case)) = host.attack.zip(host.case(View::NewTool)) else { continue };
        if case.best().is_none_or(|place| place > worse_than) {
            missed.entry(attack.id.as_str()).or_default().push(host);
        }
    }
    missed
}

fn place(host: &JudgedHost, view: View) -> String {
    let best = host.case(view).and_then(|case| case.best());
    best.map_or_else(|| "none".to_owned(), |place| place.to_string())
}

fn told(one: &Told) -> String {
    format!("{} {} dB {}", code(&one.name), one.score, one.findings.join(" "))
}

/// Every definition and base where a planted service is not the first row.
pub(super) fn misses(study: &Study, lines: &mut Vec<String>) {
    let missed = missed(study, Condition::Whole, 1);
    let hosts: usize = missed.values().map(Vec::len).sum();
    head(
        "Not in the first row: hive and logs",
        format!(
            "New tool. {} definitions on {hosts} hosts. Places: new tool, in parentheses shipped. The findings and what stands \
             before are those of the worst host.",
            missed.len()
        ),
        "| definition | places by base | planted service | what stands before it |",
        lines,
    );
    for hosts in missed.values() {
        lines.extend(row(study, hosts));
    }
}

fn row(study: &Study, hosts: &[&JudgedHost]) -> Option<String> {
    let places = hosts.iter().map(|host| {
        let base = study.bases.get(host.base).map_or("", |base| base.name.as_str());
        format!("{base} {} ({})", place(host, View::NewTool), place(host, View::Shipped))
    });
    let places: Vec<String> = places.collect();
    let worst = hosts.iter().max_by_key(|host| {
        host.case(View::NewTool).and_then(|case| case.best()).unwrap_or(usize::MAX)
    })?;
    let attack = worst.attack?;
    let planted = worst.told.iter().position(|one| one.planted.is_some());
    let own = planted.and_then(|at| worst.told.get(at)).map(told);
    let before = worst.told.iter().take(planted.unwrap_or(0)).take(NAMED).map(told);
    let before: Vec<String> = before.collect();
    Some(format!(
        "| {} {} | {} | {} | {} |",
        attack.id,
        attack.title,
        places.join("<br>"),
        own.unwrap_or_else(|| "no row".to_owned()),
        before.join("<br>")
    ))
}

/// Definitions that the registry alone does not bring among the first three.
pub(super) fn registry_misses(study: &Study, lines: &mut Vec<String>) {
    let missed = missed(study, Condition::Registry, 3);
    let hosts = missed.values().flatten().filter(|host| host.has_trace()).count();
    head(
        "Not in the first three rows: registry alone",
        format!(
            "New tool. {hosts} hosts whose registry holds a trace; where it holds none (the service was deleted), no order \
             could help."
        ),
        "| definition | places by base | planted service | what stands before it |",
        lines,
    );
    for hosts in missed.values() {
        let traced: Vec<&JudgedHost> =
            hosts.iter().copied().filter(|host| host.has_trace()).collect();
        lines.extend(row(study, &traced));
    }
}

/// A benign service that somebody would look at.
#[derive(Default)]
struct Alarm {
    verdict: Option<Verdict>,
    score: i32,
    findings: Vec<&'static str>,
    clean: usize,
    attacked: usize,
    bases: BTreeSet<String>,
    what: String,
}

/// Every benign service at `review` or above.
pub(super) fn alarms(study: &Study, lines: &mut Vec<String>) {
    for (condition, what) in
        [(Condition::Whole, "hive and logs"), (Condition::Registry, "registry alone")]
    {
        let mut alarms: BTreeMap<String, Alarm> = BTreeMap::new();
        for host in study.under(condition) {
            for one in host.told.iter().filter(|one| is_alarm(one)) {
                alarms.entry(one.name.clone()).or_default().add(study, host, one);
            }
        }
        head(
            &format!("Benign services at review or above: {what}"),
            format!(
                "{} services by name, as the tool ships; the worst host of each.",
                alarms.len()
            ),
            "| service | what it is | verdict | score (dB) | findings | clean hosts | attacked hosts | bases |",
            lines,
        );
        let mut sorted: Vec<(String, Alarm)> = alarms.into_iter().collect();
        sorted.sort_by(|(left, a), (right, b)| {
            (b.verdict, b.clean, b.attacked, left).cmp(&(a.verdict, a.clean, a.attacked, right))
        });
        lines.extend(sorted.iter().map(|(name, alarm)| {
            let bases: Vec<&str> = alarm.bases.iter().map(String::as_str).collect();
            format!(
                "| {} | {} | {} | {} | {} | {} | {} | {} |",
                code(name),
                alarm.what,
                alarm.verdict.map_or("", word),
                alarm.score,
                alarm.findings.join(" "),
                alarm.clean,
                alarm.attacked,
                bases.join(", ")
            )
        }));
    }
}

fn is_alarm(one: &Told) -> bool {
    one.planted.is_none() && one.verdict >= Verdict::Review
}

impl Alarm {
    fn add(&mut self, study: &Study, host: &JudgedHost, one: &Told) {
        let of_host = if host.attack.is_some() { &mut self.attacked } else { &mut self.clean };
        *of_host = of_host.saturating_add(1);
        let base = study.bases.get(host.base);
        self.bases.extend(base.map(|base| base.name.clone()));
        if (Some(one.verdict), one.score) > (self.verdict, self.score) {
            self.verdict = Some(one.verdict);
            self.score = one.score;
            self.findings.clone_from(&one.findings);
        }
        let name = fold(&one.name);
        let is_its = |services: &[String]| services.iter().any(|service| fold(service) == name);
        let decoy = host.decoys.iter().find(|plant| is_its(&plant.services));
        let odd = base.and_then(|base| base.odd.iter().find(|(odd, _)| fold(odd) == name));
        self.what = match (decoy, odd) {
            (Some(plant), _) => format!("{} {}", plant.id, plant.title),
            (None, Some((_, why))) => (*why).to_owned(),
            (None, None) => "of the base or its ordinary life".to_owned(),
        };
    }
}

/// What some bases cannot hold.
pub(super) fn untold(study: &Study, lines: &mut Vec<String>) {
    let mut by_base: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for one in &study.untold {
        by_base.entry(one.base.as_str()).or_default().push(one.plant.as_str());
    }
    lines.extend([
        String::new(),
        "### What some bases cannot hold".to_owned(),
        String::new(),
        "The definition changes a service of Windows that is not on the base.".to_owned(),
        String::new(),
    ]);
    if by_base.is_empty() {
        lines.push("- none".to_owned());
    }
    lines.extend(by_base.iter().map(|(base, plants)| format!("- {base}: {}", plants.join(", "))));
}
