//! Which services a renderer shows.

use std::collections::{BTreeMap, BTreeSet};

use super::host::HostReport;
use super::incident::IncidentReport;
use super::service::ServiceReport;
use super::{Options, Report};
use crate::host::incident::IncidentKind;
use crate::rank::Verdict;

/// Noted services that a page for people shows before it only counts the rest.
const NOTES_SHOWN: usize = 5;

/// Services of one incident from which on those that are alike are one row: fewer can be read one by one.
const MANY: usize = 5;

/// Incidents that a page for people tells before it only counts the rest.
const INCIDENTS_SHOWN: usize = 6;

/// A row of a page for people.
pub(super) struct Row<'a> {
    /// The service; the worst of those that are alike.
    pub(super) service: &'a ServiceReport,
    /// Further services of the same burst of installs against which nothing else speaks.
    pub(super) alike: usize,
}

/// What a page for people shows of a host.
pub(super) struct Shortlist<'a> {
    /// The services, worst first.
    pub(super) rows: Vec<Row<'a>>,
    /// Services worth a note or more that are neither among them nor alike one of them.
    pub(super) left_out: usize,
}

/// Services to escalate and to review, and the first of those noted; all with `--all`. Those of one burst are one row
/// where they are alike, but with `--all`.
pub(super) fn shortlist<'a>(host: &'a HostReport, options: &Options) -> Shortlist<'a> {
    let least = options.min_verdict.unwrap_or(if options.all {
        Verdict::NotAssessed
    } else {
        Verdict::Note
    });
    let brief = !options.all && options.min_verdict.is_none() && options.top.is_none();
    let chosen = host.services.iter().filter(|one| one.verdict >= least);
    let mut rows = folded(host, chosen, !options.all);
    let mut notes = 0_usize;
    rows.retain(|row| {
        notes = notes.saturating_add(usize::from(row.service.verdict == Verdict::Note));
        !brief || row.service.verdict > Verdict::Note || notes <= NOTES_SHOWN
    });
    rows.truncate(options.top.unwrap_or(usize::MAX));
    let counts = |one: &&ServiceReport| one.verdict >= Verdict::Note;
    let of_note = rows.iter().filter(|row| counts(&row.service));
    let shown: usize = of_note.map(|row| row.alike.saturating_add(1)).sum();
    let left_out = host.services.iter().filter(counts).count().saturating_sub(shown);
    Shortlist { rows, left_out }
}

/// A row of a burst: its place, and the ids of its findings.
type Shown<'a> = (usize, BTreeSet<&'a str>);

/// Services as rows; those of one burst that are alike as one.
fn folded<'a>(
    host: &'a HostReport,
    services: impl Iterator<Item = &'a ServiceReport>,
    fold: bool,
) -> Vec<Row<'a>> {
    let bursts = host
        .incidents
        .iter()
        .filter(|one| one.kind == IncidentKind::ServiceActs && one.services.len() >= MANY);
    let mut burst_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, burst) in bursts.enumerate().filter(|_| fold) {
        for name in &burst.services {
            burst_of.entry(name).or_insert(index);
        }
    }
    let mut rows: Vec<Row<'a>> = Vec::new();
    let mut first_of: BTreeMap<(usize, Verdict), Vec<Shown<'_>>> = BTreeMap::new();
    for service in services {
        if let Some(burst) = burst_of.get(service.name.as_str()) {
            let ids: BTreeSet<&str> = service.findings.iter().map(|one| one.id.as_str()).collect();
            let shown = first_of.entry((*burst, service.verdict)).or_default();
            let like = shown.iter().find(|(_, of_shown)| ids.is_subset(of_shown));
            if let Some(row) = like.and_then(|(row, _)| rows.get_mut(*row)) {
                row.alike = row.alike.saturating_add(1);
                continue;
            }
            shown.push((rows.len(), ids));
        }
        rows.push(Row { service, alike: 0 });
    }
    rows
}

/// The incidents a page for people tells, worst first, and how many more are worth a note; all with `--all`.
pub(super) fn incidents<'a>(
    host: &'a HostReport,
    options: &Options,
) -> (Vec<&'a IncidentReport>, usize) {
    let least = if options.all { Verdict::NotAssessed } else { Verdict::Note };
    let mut shown: Vec<&IncidentReport> =
        host.incidents.iter().filter(|one| one.verdict >= least).collect();
    shown.sort_by_key(|one| std::cmp::Reverse(one.verdict));
    let more = if options.all { 0 } else { shown.len().saturating_sub(INCIDENTS_SHOWN) };
    shown.truncate(shown.len().saturating_sub(more));
    (shown, more)
}

/// Every service, unless `--top` or `--min-verdict` limits them: for forms that machines read.
pub(super) fn chosen<'a>(host: &'a HostReport, options: &Options) -> Vec<&'a ServiceReport> {
    let least = options.min_verdict.unwrap_or(Verdict::NotAssessed);
    host.services
        .iter()
        .filter(|one| one.verdict >= least)
        .take(options.top.unwrap_or(usize::MAX))
        .collect()
}

/// The report with only the chosen services; counts, timeline and diagnostics stay whole.
pub(super) fn narrowed(report: &Report, options: &Options) -> Report {
    let mut narrowed = report.clone();
    for host in &mut narrowed.hosts {
        let least = options.min_verdict.unwrap_or(Verdict::NotAssessed);
        host.services.retain(|one| one.verdict >= least);
        host.services.truncate(options.top.unwrap_or(usize::MAX));
    }
    narrowed
}
