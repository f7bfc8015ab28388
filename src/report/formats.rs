//! `docs/formats.md` and what `formats` prints: every form of evidence that is opened.

use super::layout::wrap;
use crate::evidence;

/// Columns that a name may take.
const NAME_WIDTH: usize = 38;

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
        let indent = " ".repeat(NAME_WIDTH.saturating_add(3));
        let mut first = format!("  {:NAME_WIDTH$} ", format.name);
        if format.name.len() > NAME_WIDTH {
            page = format!("{page}{}\n", first.trim_end());
            first.clone_from(&indent);
        }
        for line in wrap(format.known_by, width, &first, &indent) {
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
