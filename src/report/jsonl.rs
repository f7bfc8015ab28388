//! One service a line, each line complete in itself.

use std::io;

use serde::Serialize;

use super::file::{self, FileReport};
use super::host::HostIdentity;
use super::json_text::JsonText;
use super::service::ServiceReport;
use super::{HostReport, Options, Renderer, Report, Tool, judged, select};

/// `--format jsonl`.
pub(super) const RENDERER: Renderer = Renderer {
    id: "jsonl",
    extension: "jsonl",
    describe: "one service a line, for pipelines and fleets",
    render,
};

/// One line.
#[derive(Serialize)]
struct Line<'a> {
    schema: u32,
    tool: &'a Tool,
    evidence: &'a str,
    host: &'a HostIdentity,
    service: &'a ServiceReport,
    /// The files that the service names, in that order, once each.
    files: Vec<&'a FileReport>,
    /// What the analyst changed about the judging, in a sentence.
    judged_with: Option<&'a str>,
}

fn render(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let judged_with = judged::in_a_line(&report.settings);
    for host in &report.hosts {
        for service in select::chosen(host, options) {
            let line = Line {
                schema: report.schema,
                tool: &report.tool,
                evidence: &host.evidence.path,
                host: &host.host,
                service,
                files: files(host, service),
                judged_with: judged_with.as_deref(),
            };
            serde_json::to_writer(JsonText(out), &line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}

fn files<'a>(host: &'a HostReport, service: &ServiceReport) -> Vec<&'a FileReport> {
    let mut files: Vec<&FileReport> = Vec::new();
    for link in &service.files {
        for path in [Some(&link.path), link.meant.as_ref()].into_iter().flatten() {
            let file = file::find(&host.files, path);
            files.extend(file.filter(|file| files.iter().all(|one| one.path != file.path)));
        }
    }
    files
}
