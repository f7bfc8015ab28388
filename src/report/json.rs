//! The contract itself: one document.

use std::io::{self, Write as _};

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

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
        write_document(report, out)
    } else {
        write_document(&select::narrowed(report, options), out)
    }
}

/// Writes one JSON document and a line end.
pub(super) fn write_document(document: &impl Serialize, out: &mut dyn io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(JsonText(out), Outline::default());
    document.serialize(&mut serializer)?;
    serializer.into_inner().write_all(b"\n")
}

/// Levels of brackets whose members get a line each: document, hosts, host, services, and a service's
/// fields. Deeper values stay on their field's line, which halves the size of a host's report.
const LEVELS: usize = 5;

/// Indents the upper levels of a document and writes what lies deeper in one line.
#[derive(Default)]
struct Outline {
    pretty: PrettyFormatter<'static>,
    depth: usize,
}

impl Outline {
    fn open(&mut self) -> bool {
        self.depth = self.depth.saturating_add(1);
        self.is_upper()
    }

    fn close(&mut self) -> bool {
        let upper = self.is_upper();
        self.depth = self.depth.saturating_sub(1);
        upper
    }

    fn is_upper(&self) -> bool {
        self.depth <= LEVELS
    }
}

fn comma<W: ?Sized + io::Write>(out: &mut W, first: bool) -> io::Result<()> {
    if first { Ok(()) } else { out.write_all(b", ") }
}

impl Formatter for Outline {
    fn begin_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.open() { self.pretty.begin_array(out) } else { out.write_all(b"[") }
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.close() { self.pretty.end_array(out) } else { out.write_all(b"]") }
    }

    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if self.is_upper() { self.pretty.begin_array_value(out, first) } else { comma(out, first) }
    }

    fn end_array_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.is_upper() { self.pretty.end_array_value(out) } else { Ok(()) }
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.open() { self.pretty.begin_object(out) } else { out.write_all(b"{") }
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.close() { self.pretty.end_object(out) } else { out.write_all(b"}") }
    }

    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        out: &mut W,
        first: bool,
    ) -> io::Result<()> {
        if self.is_upper() { self.pretty.begin_object_key(out, first) } else { comma(out, first) }
    }

    fn begin_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: ?Sized + io::Write>(&mut self, out: &mut W) -> io::Result<()> {
        if self.is_upper() { self.pretty.end_object_value(out) } else { Ok(()) }
    }
}
