//! Indicators of the analyst's own, written as TOML: the same metadata as the built-in ones, and a detection over the fields of
//! one service and its events, with the operators of the Sigma engine in use. The file format is in `docs/rules.md`.

use super::{Indicator, Scope};

mod event_field;
mod example;
mod file;
mod rule;
mod service_field;

pub use file::Problem;

/// Rules of one run.
pub const MOST_RULES: usize = 1_000;

/// An indicator of the analyst's own, and what its file says beside.
#[derive(Clone)]
pub struct Own {
    /// The indicator, asked like every other one.
    pub indicator: &'static Indicator,
    /// Who wrote it.
    pub author: String,
    /// Its examples: title, and whether they are a yes.
    pub examples: Vec<(String, bool)>,
    /// The file it stands in, as given.
    pub file: String,
    /// The line its `[[rule]]` stands on, from 1.
    pub line: usize,
    /// SHA-256 of the file, lower-case hex.
    pub sha256: String,
}

/// Reads the rules of one file; `name` is its path as given. Every example is executed.
///
/// What an indicator is made of lives as long as the process, as that of the built-in ones does: it is leaked, once a rule, on
/// purpose. A program that reads rules again and again would grow.
///
/// # Errors
/// The line and what is wrong there, with a remedy: what does not hold is not half used.
pub fn read(name: &str, text: &str) -> Result<Vec<Own>, Problem> {
    file::read(name, text)
}

/// The fields of services and events and the roles of events, as Markdown tables: `docs/rules-fields.md`.
pub fn fields_markdown() -> String {
    use std::fmt::Write as _;
    let mut page = String::from(
        "# Fields of rules\n\n<!-- Generated from src/checklist/own. UPDATE_GOLDEN=1 cargo test writes it. -->\n\n\
         What a rule of `--rules` can ask ([rules.md](rules.md)). Names are written without regard to case. A field can \
         have several values; a comparison holds where one of them satisfies it.\n\n\
         ## Service\n\n| field | value | rests on |\n|---|---|---|\n",
    );
    for one in service_field::FIELDS {
        let ground = match one.ground {
            service_field::Ground::Anything => "whatever made the service known",
            service_field::Ground::Command => "the hive, or a log that tells of its command",
            service_field::Ground::Key(_) => "its key",
            service_field::Ground::File => "a file system",
            service_field::Ground::Content => "the bytes of its file",
            service_field::Ground::Signature => "its file, and catalogs",
        };
        let _infallible = writeln!(page, "| `{}` | {} | {ground} |", one.name, one.says);
    }
    page.push_str(
        "| `value.NAME` | any value below the key by its own name, `value.Parameters\\Application`: numbers in decimal, a list \
         with one value each, bytes in hexadecimal | its key |\n\n## Event\n\n| field | value |\n|---|---|\n\
         | `role` | what the event is to the service, below |\n",
    );
    for one in event_field::FIELDS {
        let _infallible = writeln!(page, "| `{}` | {} |", one.name, one.says);
    }
    page.push_str("\n## Roles\n\n| role | meaning | told by |\n|---|---|---|\n");
    for (_, word, says, logs) in event_field::ROLES {
        let logs: Vec<&str> = logs.iter().map(|log| log.label()).collect();
        let _infallible = writeln!(page, "| `{word}` | {says} | {} |", logs.join(", "));
    }
    page
}

/// The check of a rule: what is kept for the process.
fn check(
    detection: rule::Detection,
    because: String,
) -> &'static (dyn Fn(&Scope<'_>) -> Option<super::Hit> + Sync) {
    Box::leak(Box::new(move |scope: &Scope<'_>| detection.hit(scope, &because)))
}

#[cfg(test)]
mod tests;
