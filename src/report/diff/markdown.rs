//! The differences as a page for a ticket.

use std::io;

use super::{DiffRenderer, DiffReport, FieldDiff, Given, HostDiff, ServiceDiff, shown, summary};
use crate::report::Options;
use crate::report::layout::plural;
use crate::report::markdown::{code, prose};

/// `--format markdown`.
pub(super) const RENDERER: DiffRenderer =
    DiffRenderer { id: "markdown", describe: "a page for a ticket", render };

/// Services that are shown before the rest is only counted.
const SERVICES_SHOWN: usize = 60;

fn render(diff: &DiffReport, options: &Options, out: &mut dyn io::Write) -> io::Result<()> {
    let mut lines = vec![
        "## Differences between services".to_owned(),
        String::new(),
        format!("- Before: {}", given(&diff.before)),
        format!("- After: {}", given(&diff.after)),
        format!("- Tool: {} {}", diff.tool.name, diff.tool.version),
    ];
    for host in &diff.hosts {
        lines.extend(page(host, options));
    }
    for (hosts, state) in [(&diff.only_before, "before"), (&diff.only_after, "after")] {
        lines.extend(hosts.iter().map(|host| format!("\nOnly {state}: {}.", code(host))));
    }
    lines.iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn given(side: &Given) -> String {
    format!("{} {} ({})", side.form, code(&side.path), plural(side.hosts.len(), "host"))
}

fn page(host: &HostDiff, options: &Options) -> Vec<String> {
    let name = if host.before == host.after {
        code(&host.after)
    } else {
        format!("{} and {}", code(&host.before), code(&host.after))
    };
    let mut lines = vec![String::new(), format!("### {name}"), String::new()];
    lines.push(format!("**{}.**", host.counts()));
    if !host.facts.is_empty() {
        lines.push(String::new());
        lines.extend(host.facts.iter().map(|fact| value(fact, "")));
    }
    let chosen: Vec<&ServiceDiff> = host.chosen(options).collect();
    let most = if options.all { usize::MAX } else { SERVICES_SHOWN };
    if !chosen.is_empty() {
        lines.push(String::new());
    }
    for service in chosen.iter().take(most) {
        let (label, summary) = (service.change.label(), prose(&summary(service)));
        lines.push(format!("- **{label}** {}: {summary}", code(&service.label())));
        lines.extend(service.fields.iter().map(|field| value(field, "  ")));
    }
    let more = chosen.len().saturating_sub(most);
    if more > 0 {
        lines.push(format!("- and {more} more"));
    }
    lines
}

fn value(field: &FieldDiff, indent: &str) -> String {
    let (before, after) = (shown(field.before.as_deref()), shown(field.after.as_deref()));
    format!("{indent}- {}: {} -> {}", prose(&field.field), code(before), code(after))
}
