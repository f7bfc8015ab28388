//! The differences as a sheet: one value that differs a row, and one row for a service that only one state has.

use std::io;

use super::{DiffRenderer, DiffReport, FieldDiff, HostDiff, ServiceDiff, ServiceState};
use crate::report::Options;
use crate::report::csv::{cell, time};

/// `--format csv`.
pub(super) const RENDERER: DiffRenderer =
    DiffRenderer { id: "csv", describe: "one value that differs a row", render };

const HEADINGS: [&str; 13] = [
    "HostBefore",
    "HostAfter",
    "Change",
    "Service",
    "Field",
    "Before",
    "After",
    "VerdictBefore",
    "VerdictAfter",
    "ScoreBefore",
    "ScoreAfter",
    "LastWriteBefore",
    "LastWriteAfter",
];

fn render(diff: &DiffReport, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = ::csv::Writer::from_writer(out);
    sheet.write_record(HEADINGS)?;
    for host in &diff.hosts {
        for fact in &host.facts {
            sheet.write_record(row(host, "HOST", None, Some(fact)))?;
        }
        for service in host.chosen(options) {
            if service.fields.is_empty() {
                sheet.write_record(row(host, service.change.label(), Some(service), None))?;
            }
            for field in &service.fields {
                sheet.write_record(row(
                    host,
                    service.change.label(),
                    Some(service),
                    Some(field),
                ))?;
            }
        }
    }
    for (hosts, is_before) in [(&diff.only_before, true), (&diff.only_after, false)] {
        for name in hosts {
            let mut record = vec![String::new(); HEADINGS.len()];
            let column = usize::from(!is_before);
            for (at, text) in [(column, cell(name)), (2, "NO PARTNER".to_owned())] {
                if let Some(place) = record.get_mut(at) {
                    *place = text;
                }
            }
            sheet.write_record(record)?;
        }
    }
    sheet.flush()
}

fn row(
    host: &HostDiff,
    change: &str,
    service: Option<&ServiceDiff>,
    field: Option<&FieldDiff>,
) -> Vec<String> {
    let value = |text: Option<&String>| text.map(|text| cell(text)).unwrap_or_default();
    let before = service.and_then(|service| service.before.as_ref());
    let after = service.and_then(|service| service.after.as_ref());
    let verdict = |state: Option<&ServiceState>| {
        state.and_then(|state| state.verdict).map(|one| one.label().to_owned()).unwrap_or_default()
    };
    let score = |state: Option<&ServiceState>| {
        state.and_then(|state| state.score).map(|score| score.to_string()).unwrap_or_default()
    };
    let runs = |state: Option<&ServiceState>| state.map(|state| cell(&state.runs));
    let (old, new) = match field {
        Some(field) => (value(field.before.as_ref()), value(field.after.as_ref())),
        None => (runs(before).unwrap_or_default(), runs(after).unwrap_or_default()),
    };
    vec![
        cell(&host.before),
        cell(&host.after),
        change.to_owned(),
        service.map(|service| cell(&service.label())).unwrap_or_default(),
        field.map(|field| cell(&field.field)).unwrap_or_default(),
        old,
        new,
        verdict(before),
        verdict(after),
        score(before),
        score(after),
        time(before.and_then(|state| state.last_write)),
        time(after.and_then(|state| state.last_write)),
    ]
}
