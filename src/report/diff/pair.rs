//! Which host is compared with which.

use std::collections::{BTreeMap, BTreeSet};

use super::compare::{Compared, fact, services};
use super::fields::Item;
use super::{Change, Content, DiffReport, FieldDiff, Given, HostDiff, SCHEMA, Side};
use crate::checklist::baseline::BaselineFile;
use crate::report::host::HostIdentity;
use crate::report::{HostReport, Report, Tool};
use crate::text;

/// Compares two things, the state before first.
pub(super) fn compare(before: &Side<'_>, after: &Side<'_>) -> DiffReport {
    let mut diff = DiffReport {
        schema: SCHEMA,
        tool: Tool::this(),
        before: given(before),
        after: given(after),
        hosts: Vec::new(),
        only_before: Vec::new(),
        only_after: Vec::new(),
    };
    match (before.content, after.content) {
        (
            Content::Evidence(old) | Content::Report(old),
            Content::Evidence(new) | Content::Report(new),
        ) => reports(old, new, &mut diff),
        (Content::Baseline(gold), Content::Evidence(new) | Content::Report(new)) => {
            diff.hosts = new.hosts.iter().map(|host| with_baseline(gold, host, before)).collect();
        }
        (Content::Baseline(old), Content::Baseline(new)) => {
            let compared = services(rows(old), rows(new));
            let builds = fact("builds", builds(old).as_deref(), builds(new).as_deref());
            let names = (before.path.to_owned(), after.path.to_owned());
            diff.hosts = vec![host_diff(names, builds.into_iter().collect(), compared)];
        }
        // The baseline is always the state before.
        (Content::Evidence(_) | Content::Report(_), Content::Baseline(_)) => {}
    }
    diff
}

fn given(side: &Side<'_>) -> Given {
    let labels = |report: &Report| report.hosts.iter().map(|host| host.host.label()).collect();
    let (form, hosts) = match side.content {
        Content::Evidence(report) => ("evidence", labels(report)),
        Content::Report(report) => ("report", labels(report)),
        Content::Baseline(file) => {
            let hosts = file.header.hosts.iter();
            let label =
                hosts.map(|host| host.name.clone().unwrap_or_else(|| host.evidence.clone()));
            ("baseline", label.collect())
        }
    };
    Given { path: side.path.to_owned(), form, hosts }
}

/// Pairs hosts by computer name; one host on each side is a pair whatever their names. Of several hosts of one name the first
/// is paired with the first.
fn reports(before: &Report, after: &Report, diff: &mut DiffReport) {
    if let ([old], [new]) = (before.hosts.as_slice(), after.hosts.as_slice()) {
        diff.hosts.push(of_hosts(old, new));
        return;
    }
    let mut by_name: BTreeMap<String, Vec<&HostReport>> = BTreeMap::new();
    for host in before.hosts.iter().rev() {
        by_name.entry(name(host)).or_default().push(host);
    }
    for new in &after.hosts {
        match by_name.get_mut(&name(new)).and_then(Vec::pop) {
            Some(old) => diff.hosts.push(of_hosts(old, new)),
            None => diff.only_after.push(new.host.label()),
        }
    }
    diff.only_before = by_name
        .values()
        .flat_map(|hosts| hosts.iter().rev())
        .map(|host| host.host.label())
        .collect();
}

/// What hosts are paired by: the name without case; a host without one by its evidence.
fn name(host: &HostReport) -> String {
    match &host.host.name {
        Some(name) => text::fold(name),
        None => format!("\u{0}{}", host.evidence.path),
    }
}

fn of_hosts(old: &HostReport, new: &HostReport) -> HostDiff {
    let items = |host: &HostReport| host.services.iter().map(Item::of_service).collect();
    let compared = services(items(old), items(new));
    let mut facts = identity(&old.host, &new.host);
    facts.extend(settings(old, new));
    host_diff((old.host.label(), new.host.label()), facts, compared)
}

/// A host and a baseline, in the baseline's terms. Services that were kept out of it say why.
fn with_baseline(gold: &BaselineFile, host: &HostReport, side: &Side<'_>) -> HostDiff {
    let items = host.services.iter().filter_map(Item::of_service_as_row).collect();
    let mut compared = services(rows(gold), items);
    for service in compared.services.iter_mut().filter(|one| one.change == Change::Added) {
        let refused = &gold.header.refused;
        let kept_out = refused.iter().find(|one| text::same_name(&one.name, &service.name));
        service.fields.extend(kept_out.map(|one| FieldDiff {
            field: "baseline".to_owned(),
            before: Some(format!("kept out: {}", one.reason)),
            after: None,
        }));
    }
    let build = host.host.build.as_deref().and_then(|build| build.split('.').next());
    let is_known = build
        .is_some_and(|build| gold.header.builds.iter().any(|known| known.to_string() == build));
    let facts = if is_known { None } else { fact("build", builds(gold).as_deref(), build) };
    let names = (side.path.to_owned(), host.host.label());
    host_diff(names, facts.into_iter().collect(), compared)
}

fn rows(file: &BaselineFile) -> Vec<Item> {
    file.rows.iter().map(|(line, row)| Item::of_row(row, Some(*line))).collect()
}

fn builds(file: &BaselineFile) -> Option<String> {
    let builds: Vec<String> = file.header.builds.iter().map(u32::to_string).collect();
    (!builds.is_empty()).then(|| builds.join(", "))
}

fn host_diff(names: (String, String), facts: Vec<FieldDiff>, mut compared: Compared) -> HostDiff {
    let (before, after) = names;
    let mut facts = facts;
    facts.append(&mut compared.everywhere);
    let count = |change| compared.services.iter().filter(|one| one.change == change).count();
    HostDiff {
        before,
        after,
        facts,
        added: count(Change::Added),
        removed: count(Change::Removed),
        changed: count(Change::Changed),
        same: compared.same,
        services: compared.services,
    }
}

/// What is said of the hosts themselves. The last shutdown differs between any two scans and is left out.
fn identity(old: &HostIdentity, new: &HostIdentity) -> Vec<FieldDiff> {
    let set = |number: Option<u32>| number.map(|number| number.to_string());
    let (old_set, new_set) = (set(old.control_set), set(new.control_set));
    let (old_installed, new_installed) = (
        old.installed.map(|stamp| stamp.to_string()),
        new.installed.map(|stamp| stamp.to_string()),
    );
    [
        fact("name", old.name.as_deref(), new.name.as_deref()),
        fact("domain", old.domain.as_deref(), new.domain.as_deref()),
        fact("os", old.os.as_deref(), new.os.as_deref()),
        fact("build", old.build.as_deref(), new.build.as_deref()),
        fact("version", old.version.as_deref(), new.version.as_deref()),
        fact("time_zone", old.time_zone.as_deref(), new.time_zone.as_deref()),
        fact("installed", old_installed.as_deref(), new_installed.as_deref()),
        fact("control_set", old_set.as_deref(), new_set.as_deref()),
        fact("system_root", old.system_root.as_deref(), new.system_root.as_deref()),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Settings that concern every service.
fn settings(old: &HostReport, new: &HostReport) -> Vec<FieldDiff> {
    let of = |host: &HostReport, kind: &str| {
        let settings = host.system_settings.iter().filter(|one| one.kind == kind);
        let values: Vec<&str> = settings.map(|one| one.value.as_str()).collect();
        (!values.is_empty()).then(|| values.join("; "))
    };
    let all = old.system_settings.iter().chain(&new.system_settings);
    let kinds: BTreeSet<&str> = all.map(|one| one.kind.as_str()).collect();
    let differ = |kind: &str| fact(kind, of(old, kind).as_deref(), of(new, kind).as_deref());
    kinds.into_iter().filter_map(differ).collect()
}
