//! Which services a renderer shows.

use super::host::HostReport;
use super::service::ServiceReport;
use super::{Options, Report};
use crate::rank::Verdict;

/// Noted services that a page for people shows before it only counts the rest.
const NOTES_SHOWN: usize = 5;

/// What a page for people shows of a host.
pub(super) struct Shortlist<'a> {
    /// The services, worst first.
    pub(super) services: Vec<&'a ServiceReport>,
    /// Services worth a note or more that are not among them.
    pub(super) left_out: usize,
}

/// Services to escalate and to review, and the first of those noted; all with `--all`.
pub(super) fn shortlist<'a>(host: &'a HostReport, options: &Options) -> Shortlist<'a> {
    let least = options.min_verdict.unwrap_or(if options.all {
        Verdict::NotAssessed
    } else {
        Verdict::Note
    });
    let brief = !options.all && options.min_verdict.is_none() && options.top.is_none();
    let mut notes = 0_usize;
    let mut services: Vec<&ServiceReport> = host
        .services
        .iter()
        .filter(|one| one.verdict >= least)
        .filter(|one| {
            notes = notes.saturating_add(usize::from(one.verdict == Verdict::Note));
            !brief || one.verdict > Verdict::Note || notes <= NOTES_SHOWN
        })
        .collect();
    services.truncate(options.top.unwrap_or(usize::MAX));
    let counts = |one: &&ServiceReport| one.verdict >= Verdict::Note;
    let shown = services.iter().copied().filter(|one| counts(one)).count();
    let left_out = host.services.iter().filter(counts).count().saturating_sub(shown);
    Shortlist { services, left_out }
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
