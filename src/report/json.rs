//! The contract itself: one document.

use std::io;

use super::json_text::JsonText;
use super::{Options, Renderer, Report, select};

/// `--format json`.
pub(super) const RENDERER: Renderer = Renderer {
    id: "json",
    extension: "json",
    describe: "everything, as one JSON document (docs/report.md)",
    render,
};

fn render(report: &Report, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    if options.top.is_none() && options.min_verdict.is_none() {
        serde_json::to_writer_pretty(JsonText(out), report)?;
    } else {
        serde_json::to_writer_pretty(JsonText(out), &select::narrowed(report, options))?;
    }
    out.write_all(b"\n")
}
