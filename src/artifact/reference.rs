//! `docs/artifacts.md`: what is read, printed from the catalogue and the tables of events.

use std::fmt::Write as _;

use super::CATALOG;
use super::event_kind::{EVENT_LOGS, EventKind};

/// What is read from a host, where Windows keeps it, and which events of the logs.
pub fn artifacts_markdown() -> String {
    let mut page = String::from(
        "# Artifacts\n\n<!-- Generated from src/artifact. UPDATE_GOLDEN=1 cargo test writes it. -->\n\n\
         Files are found by their place below the Windows folder, whatever its letter case, and without one by \
         their first bytes; what a hive or a log is, its content says.\n\n\
         | artifact | places | what stays open without it |\n|---|---|---|\n",
    );
    for kind in CATALOG {
        let places: Vec<String> = kind.pattern.places.iter().map(place).collect();
        let open = if kind.without_it.is_empty() { "-" } else { kind.without_it };
        // Writing to a string cannot fail.
        let _infallible = writeln!(page, "| {} | {} | {open} |", kind.name, places.join("<br>"));
    }
    page.push_str(
        "\n## Events\n\nAn event is told by its provider and its id, in whichever file and channel it stands.\n",
    );
    for log in EVENT_LOGS {
        page.push_str("\n| id | providers | what it says | fields read |\n|---|---|---|---|\n");
        for kind in log {
            page.push_str(&event(kind));
        }
    }
    page
}

fn place(place: &crate::evidence::Place) -> String {
    match place.history {
        Some(label) => format!("`{}` (older state: {label})", place.path),
        None => format!("`{}`", place.path),
    }
}

fn event(kind: &EventKind) -> String {
    let fields: Vec<String> = kind.fields.iter().map(|field| format!("`{field}`")).collect();
    let providers = kind.providers.join("<br>");
    format!("| {} | {providers} | {} | {} |\n", kind.id, kind.meaning, fields.join(", "))
}
