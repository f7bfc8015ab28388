//! The differences for a terminal.

use std::io;

use super::{Change, DiffRenderer, DiffReport, Given, HostDiff, ServiceDiff, shown, summary};
use crate::report::Options;
use crate::report::layout::{fit, plural, wrap};

/// `--format table`.
pub(super) const RENDERER: DiffRenderer =
    DiffRenderer { id: "table", describe: "for the terminal, worst first", render };

/// Services that are shown before the rest is only counted.
const SERVICES_SHOWN: usize = 60;
/// Columns that a label takes.
const LABEL: usize = 10;
/// Lines that a value takes at most, but with `--all`.
const VALUE_LINES: usize = 3;
/// The narrowest page.
const NARROWEST: usize = 40;

struct Page<'a> {
    options: &'a Options,
    width: usize,
    lines: Vec<String>,
}

fn render(diff: &DiffReport, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let width = options.width.max(NARROWEST);
    let mut page = Page { options, width, lines: Vec::new() };
    page.paragraph("BEFORE", &given(&diff.before), "1");
    page.paragraph("AFTER", &given(&diff.after), "1");
    for host in &diff.hosts {
        page.lines.push(String::new());
        page.host(host);
    }
    for (hosts, state) in [(&diff.only_before, "before"), (&diff.only_after, "after")] {
        for host in hosts {
            page.paragraph("ALONE", &format!("{host}: only {state}"), "1");
        }
    }
    if diff.hosts.is_empty() {
        page.paragraph("HOSTS", "no host of the two states is the same", "1");
    }
    for line in page.lines {
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

fn given(side: &Given) -> String {
    format!("{} {} ({})", side.form, side.path, plural(side.hosts.len(), "host"))
}

impl Page<'_> {
    fn host(&mut self, host: &HostDiff) {
        let name = if host.before == host.after {
            host.after.clone()
        } else {
            format!("{} -> {}", host.before, host.after)
        };
        self.paragraph("HOST", &name, "1");
        for fact in &host.facts {
            self.value(&fact.field, fact.before.as_deref(), fact.after.as_deref());
        }
        self.paragraph("SERVICES", &host.counts(), "1");
        let chosen: Vec<&ServiceDiff> = host.chosen(self.options).collect();
        let most = if self.options.all { usize::MAX } else { SERVICES_SHOWN };
        if !chosen.is_empty() {
            self.lines.push(String::new());
        }
        for service in chosen.iter().take(most) {
            self.service(service);
        }
        let more = chosen.len().saturating_sub(most);
        if more > 0 {
            let further = plural(more, "further service");
            self.lines.push(format!("{}{further}: --all", " ".repeat(LABEL)));
        }
    }

    fn service(&mut self, service: &ServiceDiff) {
        let color = match service.change {
            Change::Changed => "1;33",
            Change::Added => "32",
            Change::Removed => "31",
        };
        let text = format!("{}: {}", service.label(), summary(service));
        self.paragraph(service.change.label(), &text, color);
        for field in &service.fields {
            self.value(&field.field, field.before.as_deref(), field.after.as_deref());
        }
    }

    fn value(&mut self, field: &str, before: Option<&str>, after: Option<&str>) {
        let text = format!("{field}: {} -> {}", shown(before), shown(after));
        let indent = " ".repeat(LABEL);
        let deeper = " ".repeat(LABEL.saturating_add(4));
        let text = self.fitted(&text);
        self.lines.append(&mut wrap(&text, self.width, &indent, &deeper));
    }

    /// A label in a colour, and evidence made safe beside it.
    fn paragraph(&mut self, label: &str, text: &str, color: &str) {
        let text = self.fitted(text);
        let mut lines = wrap(&text, self.width, &format!("{label:LABEL$}"), &" ".repeat(LABEL));
        if self.options.color
            && let Some(line) = lines.first_mut()
        {
            *line = line.replacen(label, &format!("\u{1b}[{color}m{label}\u{1b}[0m"), 1);
        }
        self.lines.append(&mut lines);
    }

    fn fitted(&self, text: &str) -> String {
        let lines = if self.options.all { 100 } else { VALUE_LINES };
        fit(text, self.width.saturating_mul(lines))
    }
}
