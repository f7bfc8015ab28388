//! One service a line, each line complete in itself.

use std::io;

use serde::Serialize;

use super::host::HostIdentity;
use super::json_text::JsonText;
use super::service::ServiceReport;
use super::{Options, Renderer, Report, Tool, select};

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
}

fn render(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    for host in &report.hosts {
        for service in select::chosen(host, options) {
            let line = Line {
                schema: report.schema,
                tool: &report.tool,
                evidence: &host.evidence.path,
                host: &host.host,
                service,
            };
            serde_json::to_writer(JsonText(out), &line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}
