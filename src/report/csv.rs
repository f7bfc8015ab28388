//! A sheet for Timeline Explorer, Excel and `cut`: a fixed order of columns, one service a row.

use std::io;

use super::file::{self, FileReport, ServiceFileReport};
use super::host::HostReport;
use super::judged;
use super::rule;
use super::service::ServiceReport;
use super::{Options, Renderer, Report, select};
use crate::host::config;
use crate::host::program_file::FileState;
use crate::host::{Place, Provenance};
use crate::text;

/// `--format csv`.
pub(super) const RENDERER: Renderer = Renderer {
    id: "csv",
    extension: "csv",
    describe: "one service a row, columns as Timeline Explorer likes them",
    render,
};

/// One column: its heading and its cell.
struct Column {
    heading: &'static str,
    cell: fn(&Row<'_>) -> String,
}

/// What a row is made of.
struct Row<'a> {
    report: &'a Report,
    host: &'a HostReport,
    service: &'a ServiceReport,
}

/// The columns in order. New ones are added at the end: readers count on positions.
const COLUMNS: &[Column] = &[
    Column {
        heading: "Time",
        cell: |row| time(row.service.first_install().or(row.service.first_seen())),
    },
    Column { heading: "Host", cell: |row| cell(&row.host.host.label()) },
    Column { heading: "Verdict", cell: |row| row.service.verdict.label().to_owned() },
    Column { heading: "Score", cell: |row| row.service.score.to_string() },
    Column { heading: "Service", cell: |row| cell(&row.service.name) },
    Column { heading: "DisplayName", cell: |row| optional(row.service.display_name.as_deref()) },
    Column { heading: "StartMode", cell: |row| optional(row.service.start.as_deref()) },
    Column { heading: "Account", cell: |row| optional(row.service.account.as_deref()) },
    Column { heading: "Command", cell: |row| optional(row.service.command()) },
    Column { heading: "TopReason", cell: |row| reason(row.service, 1) },
    Column { heading: "FirstSeen", cell: |row| time(row.service.first_seen()) },
    Column { heading: "FailureCommand", cell: |row| failure_command(row.service) },
    Column { heading: "FailureActions", cell: |row| failure_actions(row.service) },
    Column { heading: "ServiceDll", cell: |row| optional(row.service.service_dll.as_deref()) },
    Column { heading: "Reasons", cell: |row| reason(row.service, usize::MAX) },
    Column { heading: "TechniqueIds", cell: |row| techniques(row.service) },
    Column { heading: "KeyLastWrite", cell: |row| time(row.service.last_write) },
    Column { heading: "InstalledBy", cell: |row| installed_by(row.service) },
    Column { heading: "EventRecordIds", cell: |row| record_ids(row.service) },
    Column { heading: "HivePath", cell: |row| hive(row.service) },
    Column { heading: "KeyPath", cell: |row| key(row.service) },
    Column { heading: "ControlSet", cell: |row| control_set(row.host) },
    Column { heading: "FromTransactionLog", cell: |row| from_log(row.service).to_string() },
    Column { heading: "Deleted", cell: |row| is_deleted(row.service).to_string() },
    Column { heading: "ToolVersion", cell: |row| row.report.tool.version.clone() },
    Column { heading: "ServiceType", cell: |row| optional(row.service.kind.as_deref()) },
    Column { heading: "InRegistry", cell: |row| row.service.registry.to_string() },
    Column { heading: "Against", cell: |row| against(row.service) },
    Column { heading: "NotAnswered", cell: |row| row.service.open_questions().to_string() },
    Column { heading: "Evidence", cell: |row| cell(&row.host.evidence.path) },
    Column { heading: "SigmaRules", cell: |row| rules(row.host, row.service) },
    Column { heading: "File", cell: |row| program(row, |link, _| Some(link.path.clone())) },
    Column {
        heading: "FileState",
        cell: |row| program(row, |link, _| Some(link.state.label().to_owned())),
    },
    Column { heading: "FileSha256", cell: |row| program(row, |link, _| link.sha256.clone()) },
    Column {
        heading: "FileSize",
        cell: |row| program(row, |_, file| Some(file.size()?.to_string())),
    },
    Column {
        heading: "FileBorn",
        cell: |row| time(of(row, "image").and_then(|(link, _)| link.born)),
    },
    Column {
        heading: "FileModified",
        cell: |row| time(of(row, "image").and_then(|(_, file)| modified(file))),
    },
    Column { heading: "FileSignature", cell: |row| program(row, signature) },
    Column { heading: "FileSigner", cell: |row| program(row, |link, _| link.signer.clone()) },
    Column { heading: "FileOriginalName", cell: |row| program(row, original_name) },
    Column { heading: "FileCompany", cell: |row| program(row, company) },
    Column { heading: "FileLists", cell: |row| program(row, lists) },
    Column { heading: "FileMeant", cell: |row| program(row, |link, _| link.meant.clone()) },
    Column { heading: "DllFile", cell: |row| dll(row, |link, _| Some(link.path.clone())) },
    Column {
        heading: "DllState",
        cell: |row| dll(row, |link, _| Some(link.state.label().to_owned())),
    },
    Column { heading: "DllSha256", cell: |row| dll(row, |link, _| link.sha256.clone()) },
    Column { heading: "DllSize", cell: |row| dll(row, |_, file| Some(file.size()?.to_string())) },
    Column {
        heading: "DllBorn",
        cell: |row| time(of(row, "service_dll").and_then(|(link, _)| link.born)),
    },
    Column {
        heading: "DllModified",
        cell: |row| time(of(row, "service_dll").and_then(|(_, file)| modified(file))),
    },
    Column { heading: "DllSignature", cell: |row| dll(row, signature) },
    Column { heading: "DllSigner", cell: |row| dll(row, |link, _| link.signer.clone()) },
    Column { heading: "DllOriginalName", cell: |row| dll(row, original_name) },
    Column { heading: "DllCompany", cell: |row| dll(row, company) },
    Column { heading: "DllLists", cell: |row| dll(row, lists) },
    Column { heading: "OtherFiles", cell: |row| other_files(row.service) },
    Column { heading: "Suppressed", cell: |row| suppressed(row.service) },
    Column {
        heading: "JudgedWith",
        cell: |row| optional(judged::in_a_line(&row.report.settings).as_deref()),
    },
    Column { heading: "HostScore", cell: |row| row.host.score.to_string() },
];

/// Findings that are not counted, with who says so.
fn suppressed(service: &ServiceReport) -> String {
    joined(service.suppressed.iter().map(super::SuppressedReport::sentence))
}

/// The first file of that purpose.
fn of<'a>(row: &Row<'a>, purpose: &str) -> Option<(&'a ServiceFileReport, &'a FileReport)> {
    let link = row.service.files.iter().find(|link| link.purpose == purpose)?;
    Some((link, file::find(&row.host.files, &link.path)?))
}

type OfFile = fn(&ServiceFileReport, &FileReport) -> Option<String>;

/// A cell about the program.
fn program(row: &Row<'_>, tell: OfFile) -> String {
    optional(of(row, "image").and_then(|(link, file)| tell(link, file)).as_deref())
}

/// A cell about the service DLL.
fn dll(row: &Row<'_>, tell: OfFile) -> String {
    optional(of(row, "service_dll").and_then(|(link, file)| tell(link, file)).as_deref())
}

/// When its bytes were last changed, as the first set of times that knows it says.
fn modified(file: &FileReport) -> Option<super::Stamp> {
    file.record.as_ref()?.times.iter().find_map(|times| times.modified)
}

/// Nothing where there is no file that could be signed.
fn signature(link: &ServiceFileReport, _: &FileReport) -> Option<String> {
    (link.state == FileState::Present).then(|| link.signature.label().to_owned())
}

fn original_name(_: &ServiceFileReport, file: &FileReport) -> Option<String> {
    file.executable()?.version.as_ref()?.original_name.clone()
}

fn company(_: &ServiceFileReport, file: &FileReport) -> Option<String> {
    file.executable()?.version.as_ref()?.company.clone()
}

/// Lists that hold it and YARA rules that match it.
fn lists(_: &ServiceFileReport, file: &FileReport) -> Option<String> {
    let lists = file.listed.iter().map(|hit| format!("{}: {}", hit.list.label(), hit.source));
    let rules = file.rule_matches.iter().map(|hit| format!("YARA: {}", hit.rule));
    let all: Vec<String> = lists.chain(rules).collect();
    (!all.is_empty()).then(|| all.join("; "))
}

/// What else it runs or loads: purpose, path, state and signature.
fn other_files(service: &ServiceReport) -> String {
    let others = service.files.iter();
    let others = others.filter(|link| !matches!(link.purpose.as_str(), "image" | "service_dll"));
    joined(others.map(|link| {
        let signature = match link.state {
            FileState::Present => format!(", {}", link.signature.label()),
            _ => String::new(),
        };
        format!("{}: {} ({}{signature})", link.label(), link.path, link.state.label())
    }))
}

fn render(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let mut sheet = csv::Writer::from_writer(out);
    sheet.write_record(COLUMNS.iter().map(|column| column.heading))?;
    for host in &report.hosts {
        for service in select::chosen(host, options) {
            let row = Row { report, host, service };
            sheet.write_record(COLUMNS.iter().map(|column| (column.cell)(&row)))?;
        }
    }
    sheet.flush()
}

/// The sink for every string from evidence that goes into a sheet: controls, tabs and line breaks become
/// `\u{…}`, and what a spreadsheet would take for a formula gets a leading apostrophe.
///
/// The characters are OWASP's list (CSV Injection); `json` is the lossless twin.
pub(super) fn cell(evidence: &str) -> String {
    let safe = text::terminal_safe(evidence);
    let formula = ['=', '+', '-', '@', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];
    if safe.trim_start().starts_with(formula) { format!("'{safe}") } else { safe.into_owned() }
}

fn optional(evidence: Option<&str>) -> String {
    evidence.map(cell).unwrap_or_default()
}

fn joined(parts: impl Iterator<Item = String>) -> String {
    cell(&parts.collect::<Vec<_>>().join("; "))
}

/// `yyyy-MM-dd HH:mm:ss.fffffff` in UTC; empty where nothing tells.
pub(super) fn time(stamp: Option<super::Stamp>) -> String {
    stamp.map(|stamp| stamp.to_string().replace('T', " ").replace('Z', "")).unwrap_or_default()
}

fn reason(service: &ServiceReport, most: usize) -> String {
    joined(service.findings.iter().take(most).map(|one| format!("{} [{}]", one.because, one.id)))
}

/// Title, author, level and file of every rule that fired on the service, once each.
fn rules(host: &HostReport, service: &ServiceReport) -> String {
    let hits = host.rule_hits.iter().filter(|hit| hit.services.contains(&service.name));
    let mut rules: Vec<String> = hits.map(|hit| rule::label(&hit.rule)).collect();
    rules.sort();
    rules.dedup();
    joined(rules.into_iter())
}

fn against(service: &ServiceReport) -> String {
    joined(service.against.iter().map(|one| format!("{} [{}]", one.because, one.id)))
}

fn techniques(service: &ServiceReport) -> String {
    joined(service.techniques().into_iter().map(|technique| technique.v19))
}

fn failure_command(service: &ServiceReport) -> String {
    service.failure_command.as_ref().map_or_else(String::new, |failure| {
        let state = if failure.armed { "armed" } else { "inert" };
        cell(&format!("{} ({state})", failure.command))
    })
}

fn failure_actions(service: &ServiceReport) -> String {
    let plan = service.failure_actions.as_ref();
    joined(
        plan.into_iter()
            .flat_map(|plan| plan.actions.iter())
            .map(|step| format!("{} after {} ms", step.action, step.delay_ms)),
    )
}

fn installed_by(service: &ServiceReport) -> String {
    joined(service.installs.iter().filter_map(super::install::Install::who))
}

/// The records the findings rest on, and the installs.
fn record_ids(service: &ServiceReport) -> String {
    let mut seen = Vec::new();
    let findings = service.findings.iter().flat_map(|finding| finding.citations.iter());
    for citation in service.installs.iter().map(|install| &install.citation).chain(findings) {
        if let Place::Record { channel, event_id, record_id } = &citation.place {
            let id = format!("{channel}/{event_id}#{record_id}");
            if !seen.contains(&id) {
                seen.push(id);
            }
        }
    }
    joined(seen.into_iter())
}

fn hive(service: &ServiceReport) -> String {
    optional(service.key_citation().map(|citation| &*citation.artifact))
}

fn key(service: &ServiceReport) -> String {
    match service.key_citation().map(|citation| &citation.place) {
        Some(Place::Key { path, .. }) => cell(path),
        _ => String::new(),
    }
}

fn control_set(host: &HostReport) -> String {
    host.host.control_set.map(config::control_set).unwrap_or_default()
}

/// Whether any value of the key stands only in a transaction log.
fn from_log(service: &ServiceReport) -> bool {
    let log = Provenance::TransactionLog;
    service.key_citation().is_some_and(|citation| citation.provenance == log)
        || service
            .configuration
            .as_ref()
            .is_some_and(|config| config.values.iter().any(|value| value.provenance == log))
}

/// Whether only a recovered key tells of it.
fn is_deleted(service: &ServiceReport) -> bool {
    !service.registry && service.history.iter().any(|state| state.confidence.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_neither_compute_nor_break() {
        for (evidence, expected) in [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"),
            ("  @SUM(1)", "'  @SUM(1)"),
            ("-k netsvcs", "'-k netsvcs"),
            ("a\r\nb\tc", "a\\u{d}\\u{a}b\\u{9}c"),
            ("\t=1", "\\u{9}=1"),
            ("plain, \"quoted\"", "plain, \"quoted\""),
        ] {
            assert_eq!(cell(evidence), expected);
        }
    }
}
