//! What `detect` prints.

use std::fmt::{Result, Write as _};

use crate::artifact::detect::{Detected, Detection};
use crate::evidence::{Description, Partition};
use crate::text::terminal_safe;
use crate::time;

/// One host's evidence in words: layout, where it lies, who it is, files to be read, what is missing and why it
/// matters.
pub(super) fn describe(detection: &Detection) -> String {
    let mut out = String::new();
    // Writing to a string cannot fail.
    let _infallible = write(detection, &mut out);
    out
}

fn write(detection: &Detection, out: &mut String) -> Result {
    let description = &detection.description;
    writeln!(out, "{}: {}", terminal_safe(&description.path), description.format)?;
    match &detection.host_name {
        Some(host) => {
            let (name, source) = (terminal_safe(&host.name), terminal_safe(&host.source));
            writeln!(out, "  host             {name} ({source})")?;
        }
        None => writeln!(out, "  host             not named")?,
    }
    for container in &description.containers {
        writeln!(out, "  container        {}", terminal_safe(container))?;
    }
    partitions(description, out)?;
    shadow_copies(description, out)?;
    for folder in &description.windows {
        let path = terminal_safe(folder.path.as_str());
        match &folder.history {
            None => writeln!(out, "  Windows folder   {path}")?,
            Some(label) => writeln!(out, "  older state      {path} ({})", terminal_safe(label))?,
        }
    }
    writeln!(out, "  would be read    {} files", detection.artifacts.len())?;
    for artifact in &detection.artifacts {
        file(artifact, out)?;
    }
    if !detection.missing.is_empty() {
        writeln!(out, "  missing for a complete answer")?;
    }
    for missing in &detection.missing {
        writeln!(out, "    {}: {}", missing.what, missing.why)?;
    }
    for diagnostic in description.diagnostics.iter().chain(&detection.diagnostics) {
        let (path, message) = (&diagnostic.artifact, &diagnostic.message);
        writeln!(out, "  note: {}: {}", terminal_safe(path), terminal_safe(message))?;
    }
    Ok(())
}

fn partitions(description: &Description, out: &mut String) -> Result {
    if description.partitions.is_empty() {
        return Ok(());
    }
    writeln!(out, "  partitions")?;
    for partition in &description.partitions {
        writeln!(
            out,
            "  {} {:>3}  at {:>14}  {:>14} bytes  {}, {}: {}",
            if partition.is_read { '>' } else { ' ' },
            partition.number,
            partition.start,
            partition.size,
            terminal_safe(&partition.table),
            terminal_safe(&partition.content),
            fate(partition),
        )?;
    }
    Ok(())
}

/// Whether a partition is read, and if not, why.
fn fate(partition: &Partition) -> &'static str {
    let holds = |name: &str| partition.content.contains(name);
    if partition.is_read {
        "read"
    } else if holds("BitLocker") {
        "locked, not read"
    } else if holds("NTFS") {
        "not read for this host: no Windows folder in it, or another host's"
    } else {
        "not read: Windows does not start from such a volume"
    }
}

fn shadow_copies(description: &Description, out: &mut String) -> Result {
    if description.shadow_copies.is_empty() {
        return Ok(());
    }
    writeln!(out, "  volume shadow copies")?;
    for copy in &description.shadow_copies {
        let created =
            copy.created.map_or_else(|| "at an unknown time".to_owned(), time::format_short);
        writeln!(
            out,
            "  {} {:>3}  {created}  {}: {}",
            if copy.is_read { '>' } else { ' ' },
            copy.number,
            terminal_safe(&copy.id),
            if copy.is_read { "read as an older state" } else { "not read" },
        )?;
    }
    Ok(())
}

fn file(artifact: &Detected, out: &mut String) -> Result {
    let path = terminal_safe(artifact.found.path.as_str());
    write!(out, "    {:>12}  {}  {path}", artifact.found.size, artifact.kind)?;
    if let Some(label) = &artifact.found.history {
        write!(out, "  (history: {})", terminal_safe(label))?;
    }
    if let Some(name) = &artifact.stored_name {
        write!(out, "  calls itself {}", terminal_safe(name))?;
    }
    for remark in &artifact.remarks {
        write!(out, "; {}", terminal_safe(remark))?;
    }
    writeln!(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::{Diagnostic, Impact};
    use crate::evidence::{HostName, ShadowCopy};

    #[test]
    fn everything_is_said_and_nothing_acts() {
        let evil = "\u{1b}[31mx\n";
        let partition = |number, content: &str, is_read| Partition {
            number,
            start: 1 << 20,
            size: 1 << 30,
            table: format!("GPT {evil}"),
            content: content.to_owned(),
            is_read,
        };
        let note =
            Diagnostic { artifact: evil.into(), impact: Impact::Note, message: evil.to_owned() };
        let description = Description {
            path: evil.into(),
            containers: vec![evil.into(), "disk image (E01)".into()],
            partitions: vec![
                partition(1, "FAT32", false),
                partition(2, "NTFS", true),
                partition(3, "BitLocker", false),
                partition(4, "NTFS", false),
            ],
            shadow_copies: vec![
                ShadowCopy { number: 1, id: evil.into(), created: None, is_read: true },
                ShadowCopy { number: 2, id: "{0}".into(), created: None, is_read: false },
            ],
            diagnostics: vec![note.clone()],
            ..Description::default()
        };
        let page = describe(&Detection {
            description,
            host_name: Some(HostName { name: evil.into(), source: evil.into() }),
            artifacts: Vec::new(),
            missing: Vec::new(),
            diagnostics: vec![note],
        });
        assert!(page.lines().count() == 15 && !page.contains('\u{1b}'), "{page}");
        for words in ["disk image (E01)", "NTFS: read", "locked", "another host's", "older state"] {
            assert_eq!(page.matches(words).count(), 1, "{words}: {page}");
        }
    }
}
