//! What `detect` prints.

use std::fmt::Write as _;

use crate::artifact::detect::Detection;
use crate::text::terminal_safe;

/// One host's evidence in words: layout, files to be read, what is missing and why it matters.
pub(super) fn describe(detection: &Detection) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _infallible = write(detection, &mut out);
    out
}

fn write(detection: &Detection, out: &mut String) -> std::fmt::Result {
    let description = &detection.description;
    writeln!(out, "{}: {}", terminal_safe(&description.path), description.format)?;
    for folder in &description.windows {
        match &folder.history {
            None => writeln!(out, "  Windows folder   {}", terminal_safe(folder.path.as_str()))?,
            Some(label) => writeln!(
                out,
                "  older state      {} ({})",
                terminal_safe(folder.path.as_str()),
                terminal_safe(label)
            )?,
        }
    }
    writeln!(out, "  would be read    {} files", detection.artifacts.len())?;
    for artifact in &detection.artifacts {
        write!(
            out,
            "    {:>12}  {}  {}",
            artifact.found.size,
            artifact.kind,
            terminal_safe(artifact.found.path.as_str())
        )?;
        if let Some(label) = &artifact.found.history {
            write!(out, "  (history: {})", terminal_safe(label))?;
        }
        if let Some(name) = &artifact.stored_name {
            write!(out, "  calls itself {}", terminal_safe(name))?;
        }
        for remark in &artifact.remarks {
            write!(out, "; {}", terminal_safe(remark))?;
        }
        writeln!(out)?;
    }
    if !detection.missing.is_empty() {
        writeln!(out, "  missing for a complete answer")?;
    }
    for missing in &detection.missing {
        writeln!(out, "    {}: {}", missing.what, missing.why)?;
    }
    for diagnostic in &detection.diagnostics {
        let (path, message) = (&diagnostic.artifact, &diagnostic.message);
        writeln!(out, "  note: {}: {}", terminal_safe(path), terminal_safe(message))?;
    }
    Ok(())
}
