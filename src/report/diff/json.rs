//! The differences as one document.

use std::io;

use super::{DiffRenderer, DiffReport};
use crate::report::Options;
use crate::report::json::write_document;

/// `--format json`.
pub(super) const RENDERER: DiffRenderer = DiffRenderer {
    id: "json",
    describe: "everything, as one JSON document (docs/baseline.md)",
    render,
};

fn render(diff: &DiffReport, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let mut narrowed = diff.clone();
    for host in &mut narrowed.hosts {
        host.services = host.chosen(options).cloned().collect();
    }
    write_document(&narrowed, out)
}
