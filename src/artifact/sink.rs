//! Where one artifact's facts, losses and coverage are gathered.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::Reading;
use super::heard::Heard;
use super::reach::Reach;
use super::verify::{self, HashVerdict};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, EvidencePath, Found};
use crate::host::{Citation, Fact, Origin, Place, Provenance, Span};

/// A file that was opened.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileRead {
    /// Its path inside the evidence, with `/` between components.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// What it turned out to be: `SYSTEM hive`, `event log`.
    pub kind: String,
    /// Which older state it belongs to; absent for the current one.
    pub history: Option<String>,
    /// Logs of older states: what they add.
    pub records: Option<LogRecords>,
    /// Whether it is what the collector wrote down; absent where it wrote nothing, or the file cannot be read.
    pub collector_hash: Option<HashVerdict>,
}

/// What the log of an older state adds to the newer ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogRecords {
    /// Records about services that no newer log holds.
    pub added: u64,
    /// Records about services that a newer log holds as well.
    pub repeated: u64,
}

/// What one artifact says.
#[derive(Debug)]
pub struct Sink {
    artifact: Arc<str>,
    /// Which older state the file belongs to; absent for the current one.
    pub(super) history: Option<String>,
    /// What the file turned out to be.
    pub(super) kind: &'static str,
    /// Hives: the newest last-write time, to tell the current one of several.
    pub(super) newest: Option<Timestamp>,
    /// Hives: the primary file was not written to its end, and no log made up for it.
    pub(super) is_behind: bool,
    pub(super) facts: Vec<Fact>,
    diagnostics: Vec<Diagnostic>,
    pub(super) spans: Vec<(Origin, Span)>,
    /// Logs: how far each channel reaches.
    pub(super) reaches: Vec<Reach>,
    /// Logs: what Sigma rules found, and in which channels.
    pub(super) heard: Heard,
    files: Vec<FileRead>,
}

impl Sink {
    pub(super) fn new(found: &Found, kind: &'static str) -> Self {
        let mut sink = Self {
            artifact: found.path.shared(),
            history: found.history.clone(),
            kind,
            newest: None,
            is_behind: false,
            facts: Vec::new(),
            diagnostics: Vec::new(),
            spans: Vec::new(),
            reaches: Vec::new(),
            heard: Heard::default(),
            files: Vec::new(),
        };
        sink.file(found, kind);
        sink
    }

    /// The artifact's path, as citations hold it.
    pub(super) fn artifact(&self) -> Arc<str> {
        Arc::clone(&self.artifact)
    }

    /// A citation of a key or of a value; the path is below the hive's root.
    pub(super) fn cite(
        &self,
        path: &str,
        value: Option<&str>,
        offset: usize,
        provenance: Provenance,
    ) -> Citation {
        Citation {
            artifact: self.artifact(),
            place: Place::Key {
                path: path.to_owned(),
                value: value.map(str::to_owned),
                offset: u64::try_from(offset).unwrap_or(u64::MAX),
            },
            provenance,
        }
    }

    /// Tells what the file turned out to be.
    pub(super) fn recognised(&mut self, kind: &'static str) {
        self.kind = kind;
        if let Some(file) = self.files.first_mut() {
            kind.clone_into(&mut file.kind);
        }
    }

    /// Records a file that was opened.
    pub(super) fn file(&mut self, found: &Found, kind: &str) {
        self.files.push(FileRead {
            path: found.path.to_string(),
            size: found.size,
            kind: kind.to_owned(),
            history: self.history.clone(),
            records: None,
            collector_hash: None,
        });
    }

    /// Makes the artifact one of an older state.
    pub(super) fn demote(&mut self, label: String) {
        for file in &mut self.files {
            file.history = Some(label.clone());
        }
        self.history = Some(label);
    }

    /// Tells what the log of an older state adds.
    pub(super) fn added(&mut self, records: LogRecords) {
        if let Some(file) = self.files.first_mut() {
            file.records = Some(records);
        }
    }

    /// Holds every file that was opened against what the collector wrote down.
    pub(super) fn verify(&mut self, evidence: &dyn Evidence) {
        let mut complaints = Vec::new();
        for file in &mut self.files {
            match verify::verify(evidence, &EvidencePath::new(&file.path)) {
                Ok(None) => {}
                Ok(Some(verified)) => {
                    file.collector_hash = Some(verified.verdict);
                    if verified.verdict == HashVerdict::Mismatch {
                        complaints.push((file.path.clone(), verified.complaint()));
                    }
                }
                Err(error) => complaints.push((
                    file.path.clone(),
                    format!("cannot be read whole to check the collector's hash: {error}"),
                )),
            }
        }
        for (artifact, message) in complaints {
            self.diagnostics.push(Diagnostic { artifact, impact: Impact::Partial, message });
        }
    }

    /// Records what the artifact says.
    pub(super) fn fact(&mut self, fact: Fact) {
        self.facts.push(fact);
    }

    /// Records how far an origin could speak.
    pub(super) fn cover(&mut self, origin: Origin, span: Span) {
        self.spans.push((origin, span));
    }

    /// Something the reader should know; nothing was lost.
    pub(super) fn note(&mut self, message: impl Into<String>) {
        self.say(Impact::Note, message);
    }

    /// A part was not read.
    pub(super) fn partial(&mut self, message: impl Into<String>) {
        self.say(Impact::Partial, message);
    }

    /// Nothing could be read.
    pub(super) fn lost(&mut self, message: impl Into<String>) {
        self.say(Impact::Lost, message);
    }

    fn say(&mut self, impact: Impact, message: impl Into<String>) {
        let artifact = self.artifact.to_string();
        let diagnostic = Diagnostic { artifact, impact, message: message.into() };
        if !self.diagnostics.contains(&diagnostic) {
            self.diagnostics.push(diagnostic);
        }
    }

    pub(super) fn is_lost(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.impact == Impact::Lost)
    }

    /// Whether anything was lost.
    pub(super) fn is_damaged(&self) -> bool {
        self.diagnostics.iter().any(|diagnostic| diagnostic.impact != Impact::Note)
    }

    /// Adds everything to the host's reading. An older state vouches for no origin: it cannot say what is now. What its
    /// logs say of their own time is told by their reaches.
    pub(super) fn pour_into(self, reading: &mut Reading) {
        reading.facts.extend(self.facts);
        reading.diagnostics.extend(self.diagnostics);
        if self.history.is_none() {
            for (origin, span) in self.spans {
                reading.coverage.record(origin, span);
            }
        }
        reading.files.extend(self.files);
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::evidence::{Content, Description, Listing, Metadata, Pattern, RecordedHash};

    /// Files with the same bytes, of which the collector recorded two hashes.
    struct Collected([RecordedHash; 2]);

    impl Evidence for Collected {
        fn describe(&self) -> &Description {
            unreachable!()
        }

        fn find(&self, _wanted: &Pattern) -> Listing {
            Listing::default()
        }

        fn beside(&self, _path: &EvidencePath, _suffixes: &[&str]) -> Listing {
            Listing::default()
        }

        fn open(&self, _path: &EvidencePath) -> io::Result<Box<dyn Content>> {
            Ok(Box::new(io::Cursor::new(b"abc".to_vec())))
        }

        fn metadata(&self, _path: &EvidencePath) -> io::Result<Metadata> {
            Err(io::ErrorKind::NotFound.into())
        }

        fn recorded_hash(&self, path: &EvidencePath) -> Option<&RecordedHash> {
            let [first, second] = &self.0;
            match path.as_str() {
                "SYSTEM" => Some(first),
                "SYSTEM.LOG1" => Some(second),
                _ => None,
            }
        }
    }

    #[test]
    fn every_file_is_held_against_the_collectors_record() {
        let md5 = |digits: &str| RecordedHash {
            source: "copylog.csv".into(),
            md5: Some(digits.into()),
            ..RecordedHash::default()
        };
        let right = "900150983cd24fb0d6963f7d28e17f72";
        let wrong = "00000000000000000000000000000000";
        let found =
            |name| Found { history: None, path: EvidencePath::new(name), size: 3, magic: None };
        let mut sink = Sink::new(&found("SYSTEM"), "SYSTEM hive");
        sink.file(&found("SYSTEM.LOG1"), "registry transaction log");
        sink.file(&found("SYSTEM.LOG2"), "registry transaction log");
        sink.verify(&Collected([md5(right), md5(wrong)]));
        let mut reading = Reading::default();
        sink.pour_into(&mut reading);
        let verdicts: Vec<_> = reading.files.iter().map(|file| file.collector_hash).collect();
        assert_eq!(verdicts, [Some(HashVerdict::Match), Some(HashVerdict::Mismatch), None]);
        let [complaint] = reading.diagnostics.as_slice() else {
            panic!("{:?}", reading.diagnostics)
        };
        assert_eq!(
            (complaint.artifact.as_str(), complaint.impact),
            ("SYSTEM.LOG1", Impact::Partial)
        );
        for words in [right, wrong, "copylog.csv", "MD5"] {
            assert!(complaint.message.contains(words), "{}", complaint.message);
        }
    }
}
