//! Everything the evidence knows about one file, in words.

use std::fmt::{Result, Write as _};
use std::io;

use crate::artifact::program;
use crate::artifact::verify::{self, HashVerdict, Verified};
use crate::diagnostic::Diagnostic;
use crate::evidence::{Content, Description, Evidence, EvidencePath, Metadata, TimeSource, Times};
use crate::report::file::{FileReport, attribute_words, beyond_metadata, storage};
use crate::text::{same_name, terminal_safe};
use crate::time;

/// A file that was found, or of which only deleted records are left.
pub(super) struct Known {
    /// Where it is.
    path: EvidencePath,
    metadata: io::Result<Metadata>,
    /// What it is and who vouches for it; absent where it is not there.
    file: Option<FileReport>,
    lost: Vec<Diagnostic>,
    verified: io::Result<Option<Verified>>,
    deleted: Vec<Metadata>,
}

/// `C:\Windows\x.exe` as evidence paths are written: without a drive, with `/` between components.
fn plain(path: &str) -> String {
    let path = path.replace('\\', "/");
    let mut characters = path.chars();
    let drive = characters.next().is_some_and(|letter| letter.is_ascii_alphabetic());
    let below = match (drive, characters.next()) {
        (true, Some(':')) => characters.as_str(),
        _ => path.as_str(),
    };
    below.split('/').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/")
}

/// Where a file may be: at the path as given, else as seen from the root of each current Windows volume.
fn candidates(description: &Description, path: &str) -> Vec<EvidencePath> {
    let below = plain(path);
    let current = description.windows.iter().filter(|folder| folder.history.is_none());
    let mut paths = vec![EvidencePath::new(&below)];
    for folder in current {
        let (root, windows) = folder.path.split();
        let there = match below.split_once('/') {
            // `Windows` is what people write, whatever the folder is called.
            Some((first, rest)) if same_name(first, "Windows") => root.child(windows).child(rest),
            _ => root.child(&below),
        };
        if !paths.contains(&there) {
            paths.push(there);
        }
    }
    paths
}

/// Opens a file by a path as people write it.
pub(super) fn open(evidence: &dyn Evidence, path: &str) -> io::Result<Box<dyn Content>> {
    let mut failed = None;
    for candidate in candidates(evidence.describe(), path) {
        match evidence.open(&candidate) {
            Ok(content) => return Ok(content),
            Err(error) => failed = Some(better(failed, error)),
        }
    }
    Err(failed.unwrap_or_else(|| io::ErrorKind::NotFound.into()))
}

/// Of two errors the one that says more than "not there".
fn better(known: Option<io::Error>, other: io::Error) -> io::Error {
    match known {
        Some(known) if known.kind() != io::ErrorKind::NotFound => known,
        _ => other,
    }
}

/// Looks up everything about a file.
///
/// # Errors
/// Why neither it nor a deleted record of its name is known.
pub(super) fn look_up(evidence: &dyn Evidence, path: &str) -> io::Result<Known> {
    let candidates = candidates(evidence.describe(), path);
    let mut failed = None;
    let mut found = None;
    for candidate in &candidates {
        match evidence.metadata(candidate).err().zip(evidence.open(candidate).err()) {
            None => {
                found = Some(candidate);
                break;
            }
            Some((metadata, open)) => {
                failed = Some(better(failed, better(Some(metadata), open)));
            }
        }
    }
    let name = EvidencePath::new(&plain(path));
    let deleted = evidence.deleted(&[name.name().split(':').next().unwrap_or_default()]);
    let known = found.or_else(|| candidates.first().filter(|_| !deleted.is_empty()));
    let Some(path) = known.cloned() else {
        return Err(failed.unwrap_or_else(|| io::ErrorKind::NotFound.into()));
    };
    let read = found.is_some().then(|| program::read_file(evidence, &path));
    let (file, lost) = read.unzip();
    Ok(Known {
        metadata: evidence.metadata(&path),
        file: file.as_ref().map(FileReport::new),
        lost: lost.unwrap_or_default(),
        verified: verify::verify(evidence, &path),
        path,
        deleted,
    })
}

impl Known {
    /// Whether everything could be read and nothing contradicts the collector.
    pub(super) fn is_complete(&self) -> bool {
        let is_same = |verified: &Option<Verified>| {
            verified.as_ref().is_none_or(|verified| verified.verdict == HashVerdict::Match)
        };
        let is_read = self.file.as_ref().is_some_and(|file| file.content.is_some());
        self.metadata.is_ok()
            && is_read
            && self.lost.is_empty()
            && self.verified.as_ref().is_ok_and(is_same)
    }

    /// In words.
    pub(super) fn describe(&self, description: &Description) -> String {
        let mut out = String::new();
        // Writing to a string cannot fail.
        let _infallible = self.write(description, &mut out);
        out
    }

    fn write(&self, description: &Description, out: &mut String) -> Result {
        writeln!(out, "{}: {}", terminal_safe(&description.path), description.format)?;
        writeln!(out, "  path          {}", terminal_safe(self.path.as_str()))?;
        match &self.metadata {
            Ok(metadata) => facts(metadata, out)?,
            Err(error) => writeln!(out, "  not there     {}", terminal_safe(&error.to_string()))?,
        }
        for (label, text) in self.file.iter().flat_map(beyond_metadata) {
            writeln!(out, "  {label:<13} {}", terminal_safe(&text))?;
        }
        for lost in &self.lost {
            writeln!(out, "  lost          {}", terminal_safe(&lost.message))?;
        }
        if let Ok(Some(verified)) = &self.verified {
            collector(verified, out)?;
        }
        for deleted in &self.deleted {
            writeln!(out, "  deleted file of that name")?;
            facts(deleted, out)?;
        }
        Ok(())
    }
}

fn collector(verified: &Verified, out: &mut String) -> Result {
    let recorded = terminal_safe(&verified.recorded);
    let source = terminal_safe(&verified.source);
    match verified.verdict {
        HashVerdict::Match => {
            writeln!(out, "  collector     {} {recorded} matches ({source})", verified.algorithm)
        }
        HashVerdict::Mismatch => {
            let actual = &verified.actual;
            let algorithm = verified.algorithm;
            writeln!(
                out,
                "  collector     {algorithm} {recorded} DOES NOT MATCH {actual} ({source})"
            )
        }
    }
}

fn facts(metadata: &Metadata, out: &mut String) -> Result {
    if let Some(record) = metadata.record {
        let fate =
            if metadata.is_deleted { ", deleted: its bytes may be another file's" } else { "" };
        writeln!(out, "  record        {record}{fate}")?;
    }
    writeln!(out, "  size          {} bytes, stored {}", metadata.size, storage(metadata.storage))?;
    if let Some(attributes) = metadata.attributes {
        writeln!(out, "  attributes    {attributes:#x}{}", attribute_names(attributes))?;
    }
    if let Some(id) = metadata.security_id {
        writeln!(out, "  security id   {id}")?;
    }
    for name in &metadata.names {
        writeln!(out, "  name          {}", terminal_safe(name))?;
    }
    for times in &metadata.times {
        write_times(times, out)?;
    }
    for (name, size) in &metadata.streams {
        writeln!(out, "  stream        {}  {size} bytes", terminal_safe(name))?;
    }
    Ok(())
}

fn write_times(times: &Times, out: &mut String) -> Result {
    let source = match &times.source {
        TimeSource::StandardInformation => "$STANDARD_INFORMATION".to_owned(),
        TimeSource::FileName(name) => format!("$FILE_NAME {}", terminal_safe(name)),
        TimeSource::Index => "index of its folder".to_owned(),
        TimeSource::Collector => "collector's record".to_owned(),
    };
    writeln!(out, "  times         {source}")?;
    for (what, when) in [
        ("created", times.created),
        ("modified", times.modified),
        ("changed", times.changed),
        ("accessed", times.accessed),
    ] {
        if let Some(when) = when {
            writeln!(out, "    {what:<11} {}", time::format(when))?;
        }
    }
    Ok(())
}

fn attribute_names(attributes: u32) -> String {
    let names = attribute_words(attributes);
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Storage, WindowsFolder};

    #[test]
    fn paths_are_taken_as_people_write_them() {
        let folder = |path: &str, history: Option<&str>| WindowsFolder {
            history: history.map(str::to_owned),
            path: EvidencePath::new(path),
        };
        let description = Description {
            windows: vec![folder("C/WINNT", None), folder("VSS1/Windows", Some("VSS1"))],
            ..Description::default()
        };
        for (given, expected) in [
            ("C/WINNT/x", vec!["C/WINNT/x", "C/C/WINNT/x"]),
            ("C:\\Windows\\x:y", vec!["Windows/x:y", "C/WINNT/x:y"]),
            ("/Users/a/b.exe", vec!["Users/a/b.exe", "C/Users/a/b.exe"]),
            ("SYSTEM", vec!["SYSTEM", "C/SYSTEM"]),
        ] {
            let paths = candidates(&description, given);
            let paths: Vec<&str> = paths.iter().map(EvidencePath::as_str).collect();
            assert_eq!(paths, expected, "{given}");
        }
    }

    #[test]
    fn everything_known_is_said() {
        let times = |source| Times {
            source,
            created: Some("2026-01-02T03:04:05.1234567Z".parse().unwrap()),
            modified: None,
            changed: None,
            accessed: None,
        };
        let metadata = Metadata {
            names: vec!["a\u{1b}.exe".into(), "b.exe".into()],
            size: 7,
            record: Some(42),
            storage: Storage::Overlay("LZX"),
            attributes: Some(0x22),
            security_id: Some(300),
            times: vec![times(TimeSource::StandardInformation), times(TimeSource::Collector)],
            streams: vec![("Zone.Identifier".into(), 26)],
            ..Metadata::default()
        };
        let deleted = Metadata { is_deleted: true, ..metadata.clone() };
        let known = Known {
            path: EvidencePath::new("Windows/a.exe"),
            metadata: Ok(metadata),
            file: None,
            lost: Vec::new(),
            verified: Ok(Some(Verified {
                verdict: HashVerdict::Mismatch,
                algorithm: "SHA-1",
                actual: "aa".into(),
                recorded: "bb".into(),
                source: "copylog.csv".into(),
            })),
            deleted: vec![deleted],
        };
        assert!(!known.is_complete());
        let page = known.describe(&Description::default());
        for (words, count) in [
            ("record        42", 2),
            ("42, deleted", 1),
            ("CompactOS, LZX", 2),
            ("0x22 (hidden, archive)", 2),
            ("$STANDARD_INFORMATION", 2),
            ("2026-01-02T03:04:05.1234567Z", 4),
            ("Zone.Identifier  26 bytes", 2),
            ("SHA-1 bb DOES NOT MATCH aa (copylog.csv)", 1),
        ] {
            assert_eq!(page.matches(words).count(), count, "{words}: {page}");
        }
        assert!(!page.contains('\u{1b}'), "{page}");
    }
}
