//! What would be read of evidence, and what is missing for a complete answer.
//!
//! Of artifacts only their beginnings are read; of a SYSTEM hive also the computer's name, where nothing else
//! tells it.

use std::io::Read as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::CATALOG;
use super::event_log_file::{WITNESSES, witness_by_file_name};
use super::hive::BaseBlock;
use super::signature::catalog::CATALOGS;
use super::{hive_file, system_hive};
use crate::diagnostic::Diagnostic;
use crate::evidence::{Description, Evidence, Extent, Found, HostName, Magic};

/// What one host's evidence holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detection {
    /// What was given and how it was understood.
    pub description: Description,
    /// The host's name and who says so; absent where nothing does.
    pub host_name: Option<HostName>,
    /// The files that would be read, in that order.
    pub artifacts: Vec<Detected>,
    /// What is not there.
    pub missing: Vec<Missing>,
    /// Files and folders that could not be looked at.
    pub diagnostics: Vec<Diagnostic>,
}

/// A file that would be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detected {
    /// Where and what it is.
    pub found: Found,
    /// What its place says it is; where it has none, what its content says.
    pub kind: &'static str,
    /// Hives: the end of the path under which Windows last loaded it, as stored inside.
    pub stored_name: Option<String>,
    /// What is worth knowing before reading it.
    pub remarks: Vec<String>,
}

/// Something that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Missing {
    /// What.
    pub what: &'static str,
    /// What stays unknown without it.
    pub why: &'static str,
}

/// Says what would be read.
pub fn detect(evidence: &dyn Evidence) -> Detection {
    let mut detection = Detection {
        description: evidence.describe().clone(),
        host_name: None,
        artifacts: Vec::new(),
        missing: Vec::new(),
        diagnostics: Vec::new(),
    };
    for kind in CATALOG {
        let listing = evidence.find(&kind.pattern);
        for diagnostic in listing.diagnostics {
            if !detection.diagnostics.contains(&diagnostic) {
                detection.diagnostics.push(diagnostic);
            }
        }
        for found in listing.found {
            if detection.artifacts.iter().all(|known| known.found.path != found.path) {
                let has_place = !detection.description.windows.is_empty();
                let by_content = found.magic.map_or("unknown content", Magic::label);
                let name = if has_place { kind.name } else { by_content };
                detection.artifacts.push(look_at(evidence, found, name));
            }
        }
    }
    detection.missing = missing(&detection);
    detection.missing.extend(missing_files(evidence));
    detection.host_name = host_name(evidence, &detection);
    detection
}

/// Who the host is: the collector knows best, then its own hive, then whoever named the evidence.
fn host_name(evidence: &dyn Evidence, detection: &Detection) -> Option<HostName> {
    let by_collector = || detection.description.host_name.clone();
    let by_hive = || {
        let mut hives = detection.artifacts.iter().filter(|one| {
            one.found.history.is_none()
                && one.found.magic == Some(Magic::Hive)
                && (one.kind == system_hive::KIND.name
                    || one.stored_name.as_deref().is_some_and(|n| is_hive_of("SYSTEM", n)))
        });
        hives.find_map(|one| {
            // The fuse: a hive that stops the reader has no name to give.
            let name =
                catch_unwind(AssertUnwindSafe(|| hive_file::computer_name(evidence, &one.found)));
            let source = format!("ComputerName in {}", one.found.path);
            Some(HostName { name: name.ok()??, source })
        })
    };
    let by_path = || {
        let path = &detection.description.path;
        let last = path.rsplit('/').next().filter(|name| !name.contains(", "))?;
        let stem = last.split_once('.').map_or(last, |(stem, _)| stem);
        let name = Some(stem).filter(|stem| !stem.is_empty())?.to_owned();
        Some(HostName { name, source: "the name of the evidence".to_owned() })
    };
    by_collector().or_else(by_hive).or_else(by_path)
}

fn look_at(evidence: &dyn Evidence, found: Found, kind: &'static str) -> Detected {
    let mut detected = Detected { found, kind, stored_name: None, remarks: Vec::new() };
    match detected.found.magic {
        Some(Magic::Hive) => look_at_hive(evidence, &mut detected),
        Some(Magic::EventLog) => {}
        Some(magic) => detected.remarks.push(format!("a {}; not read", magic.label())),
        None if detected.found.size == 0 => detected.remarks.push("empty".into()),
        None => detected.remarks.push("its first bytes are not what belongs there".into()),
    }
    detected
}

fn look_at_hive(evidence: &dyn Evidence, detected: &mut Detected) {
    let mut start = Vec::new();
    let read = evidence
        .open(&detected.found.path)
        .and_then(|content| content.take(4096).read_to_end(&mut start));
    let block = match read {
        Ok(_) => BaseBlock::parse(&start),
        Err(error) => return detected.remarks.push(format!("cannot be read: {error}")),
    };
    let Some(block) = block else { return detected.remarks.push("no base block".into()) };
    let logs = evidence.beside(&detected.found.path, &super::hive_file::LOG_SUFFIXES).found;
    let names: Vec<&str> =
        logs.iter().filter(|log| log.size > 0).map(|log| log.path.name()).collect();
    detected.remarks.push(match (block.is_dirty(), names.is_empty()) {
        (false, _) => "written to its end".into(),
        (true, false) => format!("dirty; with {}", names.join(", ")),
        (true, true) => {
            "dirty, and no transaction log beside it: its last changes are missing".into()
        }
    });
    detected.stored_name = Some(block.file_name).filter(|name| !name.is_empty());
}

fn missing(detection: &Detection) -> Vec<Missing> {
    let current = || detection.artifacts.iter().filter(|one| one.found.history.is_none());
    let mut missing = Vec::new();
    let has_place = !detection.description.windows.is_empty();
    for kind in CATALOG.iter().filter(|kind| !kind.without_it.is_empty()) {
        let is_there = |one: &Detected| {
            if has_place {
                one.kind == kind.name
            } else {
                one.stored_name.as_deref().is_some_and(|name| is_hive_of(kind.name, name))
            }
        };
        if !current().any(is_there) {
            missing.push(Missing { what: kind.name, why: kind.without_it });
        }
    }
    let is_log = |one: &&Detected| one.found.magic == Some(Magic::EventLog);
    if !has_place && current().any(|one| is_log(&one)) {
        // Which channels loose logs hold is known only by reading them.
        return missing;
    }
    for witness in &WITNESSES {
        let there = current().filter(is_log).any(|one| {
            witness_by_file_name(one.found.path.name())
                .is_some_and(|found| found.channel == witness.channel)
        });
        if !there {
            missing.push(Missing { what: witness.channel, why: witness.without_it });
        }
    }
    missing
}

/// What the files behind services need.
fn missing_files(evidence: &dyn Evidence) -> Vec<Missing> {
    let mut missing = Vec::new();
    match evidence.extent() {
        Extent::Whole => {}
        Extent::Collected => missing.push(Missing {
            what: "file system",
            why: "of files behind services that were not collected nobody knows whether they are there, who signed \
                  them and when they were born",
        }),
        Extent::Loose => {
            missing.push(Missing {
                what: "file system",
                why: "the files behind services: whether they are there, who signed them, when they were born",
            });
            return missing;
        }
    }
    if evidence.find_current(&CATALOGS).found.is_empty() {
        missing.push(Missing {
            what: "signature catalogs",
            why: "who signed files that bear no signature of their own, as most of Windows do not",
        });
    }
    missing
}

/// Whether the name stored in a hive (`\SystemRoot\System32\Config\SYSTEM`, cut at the left) is that of a kind.
fn is_hive_of(kind: &str, stored: &str) -> bool {
    let leaf = stored.rsplit('\\').next().unwrap_or(stored);
    kind.split(' ').next().is_some_and(|name| crate::text::same_name(name, leaf))
}
