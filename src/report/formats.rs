//! `docs/formats.md` and what `formats` prints: every form of evidence that is opened.

use super::layout::wrap;
use crate::evidence;

/// Every form of evidence, for the terminal.
pub fn formats_list(width: usize) -> String {
    let mut page = String::new();
    let mut group = "";
    for format in evidence::formats() {
        if format.group != group {
            group = format.group;
            let gap = if page.is_empty() { "" } else { "\n" };
            page = format!("{page}{gap}{group}s\n");
        }
        let first = format!("  {:38} ", format.name);
        for line in wrap(format.known_by, width, &first, &" ".repeat(41)) {
            page.push_str(&line);
            page.push('\n');
        }
    }
    page
}

/// The same as a table for docs/formats.md.
pub fn formats_markdown() -> String {
    let mut page = String::from(
        "# Forms of evidence\n\nWritten by `svctriage formats --markdown`. What a file is, its bytes say, never its name; forms of a \
         group are tried in this order.\n\n| group | form | known by |\n|---|---|---|\n",
    );
    for format in evidence::formats() {
        let row = format!("| {} | {} | {} |\n", format.group, format.name, format.known_by);
        page.push_str(&row.replace('`', "\\`"));
    }
    page
}
