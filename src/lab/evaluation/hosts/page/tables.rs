//! Tables of figures.

use std::collections::BTreeSet;

use super::super::judged::{ABLATED, View};
use super::super::metrics::{BINS, Quality};
use super::super::study::{Condition, JudgedHost, Study};

const CONDITIONS: [(Condition, &str); 2] =
    [(Condition::Whole, "hive and logs"), (Condition::Registry, "registry alone")];

fn head(title: &str, before: &[&str], columns: &str, lines: &mut Vec<String>) {
    lines.extend([String::new(), format!("### {title}"), String::new()]);
    for text in before {
        lines.extend([(*text).to_owned(), String::new()]);
    }
    let count = columns.matches('|').count().saturating_sub(1);
    lines.extend([columns.to_owned(), format!("|{}", "---|".repeat(count))]);
}

fn cells(quality: &Quality) -> String {
    let [one, three, five, ten] = quality.recall;
    format!(
        "{} | {:.3} | {one:.3} | {three:.3} | {five:.3} | {ten:.3} | {:.3}",
        quality.hosts, quality.mrr, quality.average_precision
    )
}

/// What is asked and what came out.
pub(super) fn targets(study: &Study, lines: &mut Vec<String>) {
    head(
        "Targets",
        &[],
        "| target | bound | new tool | met | new tool on new Windows | met |",
        lines,
    );
    lines.extend(study.targets().iter().map(|target| {
        let met = |figure| if target.is_met(figure) { "yes" } else { "**no**" };
        let sign = if target.is_most { "≤" } else { "≥" };
        format!(
            "| {} | {sign} {} | {:.3} | {} | {:.3} | {} |",
            target.what,
            target.bound,
            target.new_tool,
            met(target.new_tool),
            target.new_both,
            met(target.new_both),
        )
    }));
}

/// Every order under both conditions.
pub(super) fn totals(study: &Study, lines: &mut Vec<String>) {
    let columns = "| order | hosts | MRR | recall@1 | @3 | @5 | @10 | AP | benign at review or above per clean host | at escalate on clean hosts | per host, all hosts |";
    let orders = [
        (View::Shipped, "shipped"),
        (View::NewTool, "new tool"),
        (View::NewWindows, "new Windows"),
        (View::NewBoth, "new both"),
        (View::Newest, "simple: newest last write first"),
        (View::Outside, "simple: program outside Windows and Program Files first"),
        (View::AnyFinding, "simple: any finding first"),
    ];
    for (condition, what) in CONDITIONS {
        let hosts = || study.under(condition).filter(|host| host.attack.is_some());
        let without = hosts().filter(|host| !host.has_trace()).count();
        let note = format!(
            "{} attacked hosts; {without} of them hold no trace of a planted service and are not in the figures. The simple \
             orders put what has the property first, the newest of it first.",
            hosts().count()
        );
        head(&format!("In total: {what}"), &[&note], columns, lines);
        for (view, name) in orders {
            let quality = study.quality(condition, view, &|_| true);
            let simple = matches!(view, View::Newest | View::Outside | View::AnyFinding);
            let loud = if simple {
                " | | ".to_owned()
            } else {
                let clean = study.alarms(condition, view, true);
                let all = study.alarms(condition, view, false);
                format!("{:.3} | {} | {:.3}", clean.per_host(), clean.escalate, all.per_host())
            };
            lines.push(format!("| {name} | {} | {loud} |", cells(&quality)));
        }
        if condition == Condition::Whole {
            let (quality, alarms) = study.reestimated();
            let name = "new tool, weights estimated anew from the other families";
            lines.push(format!("| {name} | {} | | | {alarms:.3} |", cells(&quality)));
        }
    }
}

/// Each family of tools, held out.
pub(super) fn families(study: &Study, lines: &mut Vec<String>) {
    head(
        "By family of tools",
        &["New tool, hive and logs; the last columns: shipped, and registry alone (new tool)."],
        "| family | definitions | hosts | MRR | recall@1 | @3 | @5 | @10 | AP | MRR shipped | MRR registry | no trace in the registry |",
        lines,
    );
    let registry = study.families(Condition::Registry);
    for (family, hosts) in study.families(Condition::Whole) {
        let is_of = |host: &JudgedHost| host.attack.is_some_and(|plant| plant.family == family);
        let definitions: BTreeSet<&str> =
            hosts.iter().filter_map(|host| Some(host.attack?.id.as_str())).collect();
        let held = study.quality(Condition::Whole, View::NewTool, &is_of);
        let shipped = study.quality(Condition::Whole, View::Shipped, &is_of);
        let alone = study.quality(Condition::Registry, View::NewTool, &is_of);
        let untraced = registry.get(family).into_iter().flatten();
        let untraced = untraced.filter(|host| !host.has_trace()).count();
        let alone = if alone.hosts == 0 { String::new() } else { format!("{:.3}", alone.mrr) };
        lines.push(format!(
            "| {family} | {} | {} | {:.3} | {alone} | {untraced} |",
            definitions.len(),
            cells(&held),
            shipped.mrr,
        ));
    }
}

/// What each family of indicators is worth.
pub(super) fn ablation(study: &Study, lines: &mut Vec<String>) {
    head(
        "Without a family of indicators",
        &["Shipped order; B is what speaks for a service."],
        "| without | MRR, hive and logs | recall@1 | @3 | @10 | benign at review or above per clean host | MRR, registry alone | benign at review or above per clean host |",
        lines,
    );
    let views = ABLATED.map(|family| (View::Without(family), format!("{family:?}")));
    for (view, name) in [(View::Shipped, "nothing".to_owned())].into_iter().chain(views) {
        let whole = study.quality(Condition::Whole, view, &|_| true);
        let registry = study.quality(Condition::Registry, view, &|_| true);
        let [one, three, _, ten] = whole.recall;
        lines.push(format!(
            "| {name} | {:.3} | {one:.3} | {three:.3} | {ten:.3} | {:.3} | {:.3} | {:.3} |",
            whole.mrr,
            study.alarms(Condition::Whole, view, true).per_host(),
            registry.mrr,
            study.alarms(Condition::Registry, view, true).per_host(),
        ));
    }
}

/// What scores say and what is so.
pub(super) fn calibration(study: &Study, lines: &mut Vec<String>) {
    head(
        "Calibration",
        &[
            "A score of S decibans stands for the probability P = 1/(1+10^(-(S-27)/10)), with one malicious service in 500. \
           Here it is one in more than a thousand, and attacks are of many kinds: what a bin says should not be more than is \
           found in it. Shipped order, all hosts.",
        ],
        "| score | services, hive and logs | planted | part | P | services, registry alone | planted | part | P |",
        lines,
    );
    let (whole, registry) = (study.bins(Condition::Whole), study.bins(Condition::Registry));
    for (number, (whole, registry)) in whole.iter().zip(&registry).enumerate() {
        let low = number.checked_sub(1).and_then(|number| BINS.get(number));
        let next = BINS.get(number).map(|next| next.saturating_sub(1));
        let range = match (low, next) {
            (None, _) => "below 0".to_owned(),
            (Some(low), Some(high)) => format!("{low} to {high}"),
            (Some(low), None) => format!("{low} and more"),
        };
        let told = |bin: &super::super::metrics::Bin| {
            format!("{} | {} | {:.3} | {:.3}", bin.services, bin.planted, bin.found(), bin.said())
        };
        lines.push(format!("| {range} | {} | {} |", told(whole), told(registry)));
    }
}
