//! What `detect --format json` writes: what evidence holds, before anything is read of it.

use std::io;

use serde::Serialize;

use super::Tool;
use super::evidence::{PartitionSummary, ShadowCopySummary};
use super::json;
use crate::artifact::detect::{Detected, Detection};
use crate::diagnostic::Diagnostic;

/// The number of this document's contract in `docs/report.md`.
pub const SCHEMA: u32 = 1;

/// What was given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectionReport {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// The hosts, in the order of the evidence.
    pub hosts: Vec<DetectedHost>,
    /// Why what else was given holds no host.
    pub errors: Vec<String>,
}

/// One host's evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectedHost {
    /// As it was given.
    pub path: String,
    /// The layout that was recognised.
    pub format: String,
    /// The archives and disk images it lies in, from outside in.
    pub containers: Vec<String>,
    /// The partitions of the disk image.
    pub partitions: Vec<PartitionSummary>,
    /// The volume shadow copies, oldest first.
    pub shadow_copies: Vec<ShadowCopySummary>,
    /// The host's name.
    pub name: Option<String>,
    /// Who says so.
    pub name_source: Option<String>,
    /// The Windows folders, the current one first.
    pub windows: Vec<DetectedWindows>,
    /// The files that would be read, in that order.
    pub files: Vec<DetectedFile>,
    /// What is not there.
    pub missing: Vec<MissingArtifact>,
    /// What could not be looked at, or is worth knowing.
    pub diagnostics: Vec<Diagnostic>,
}

/// A Windows folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectedWindows {
    /// Where it is.
    pub path: String,
    /// Which older state it is; null for the current one.
    pub history: Option<String>,
}

/// A file that would be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DetectedFile {
    /// Where it is.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it is.
    pub kind: String,
    /// Which older state it belongs to; null for the current one.
    pub history: Option<String>,
    /// Hives: the end of the path under which Windows last loaded it.
    pub stored_name: Option<String>,
    /// What is worth knowing before reading it.
    pub remarks: Vec<String>,
}

/// Something that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct MissingArtifact {
    /// What.
    pub what: String,
    /// What stays unknown without it.
    pub why: String,
}

impl DetectionReport {
    /// The report of what was detected, and of what could not be opened.
    pub fn new(detections: &[Detection], errors: Vec<String>) -> Self {
        let hosts = detections.iter().map(DetectedHost::new).collect();
        Self { schema: SCHEMA, tool: Tool::this(), hosts, errors }
    }

    /// Writes it as one JSON document.
    ///
    /// # Errors
    /// As the output.
    pub fn write_json(&self, out: &mut dyn io::Write) -> io::Result<()> {
        json::write_document(self, out)
    }
}

impl DetectedHost {
    fn new(detection: &Detection) -> Self {
        let description = &detection.description;
        let name = detection.host_name.as_ref();
        let windows = description.windows.iter().map(|folder| DetectedWindows {
            path: folder.path.to_string(),
            history: folder.history.clone(),
        });
        let missing = detection.missing.iter().map(|missing| MissingArtifact {
            what: missing.what.to_owned(),
            why: missing.why.to_owned(),
        });
        let diagnostics = description.diagnostics.iter().chain(&detection.diagnostics);
        Self {
            path: description.path.clone(),
            format: description.format.to_owned(),
            containers: description.containers.clone(),
            partitions: description.partitions.iter().map(PartitionSummary::new).collect(),
            shadow_copies: description.shadow_copies.iter().map(ShadowCopySummary::new).collect(),
            name: name.map(|host| host.name.clone()),
            name_source: name.map(|host| host.source.clone()),
            windows: windows.collect(),
            files: detection.artifacts.iter().map(DetectedFile::new).collect(),
            missing: missing.collect(),
            diagnostics: diagnostics.cloned().collect(),
        }
    }
}

impl DetectedFile {
    fn new(detected: &Detected) -> Self {
        Self {
            path: detected.found.path.to_string(),
            size: detected.found.size,
            kind: detected.kind.to_owned(),
            history: detected.found.history.clone(),
            stored_name: detected.stored_name.clone(),
            remarks: detected.remarks.clone(),
        }
    }
}
