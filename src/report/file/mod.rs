//! The files behind services in the report: each file once, and at each service a short reference to it.

use serde::{Deserialize, Serialize};

mod content;
mod record;
mod signature;
mod words;

pub use content::{ContentReport, ExecutableReport, OverlayReport};
pub use record::{
    AccessReport, DeletedReport, NeighborhoodReport, RecordReport, StreamReport, TimesReport,
    ZoneReport,
};
pub(crate) use record::{attribute_words, storage};
pub use signature::{CertificateReport, SignatureReport, SignerReport, SigningTimeReport};
pub(crate) use words::{beyond_metadata, facts, verify_commands};
pub(super) use words::{find, in_a_line, open_points, remarkable, state_sentence};

use super::Stamp;
use crate::host::program_file::{
    FileState, ListMatch, ProgramFile, Purpose, RuleMatch, ServiceFile, SignatureStatus,
};
use crate::host::{Citation, Service};

/// A file that services run or load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileReport {
    /// Its path on the host. No two files of a host have one path: what a service names points here.
    pub path: String,
    /// Whether it is there.
    pub state: FileState,
    /// Why the state is what it is, where that needs a word.
    pub remark: Option<String>,
    /// The file; where it is missing, the folder that does not have it.
    pub citation: Citation,
    /// When it was born, by the witness that is hardest to forge.
    pub born: Option<Stamp>,
    /// What the file system says; null where the file is not there.
    pub record: Option<RecordReport>,
    /// Its bytes' digests and what they are; null where they were not read.
    pub content: Option<ContentReport>,
    /// Why its bytes were not read, or not to the end.
    pub unread: Option<String>,
    /// Who vouches for its bytes.
    pub signature: SignatureReport,
    /// Lists that hold it.
    pub listed: Vec<ListMatch>,
    /// YARA rules that match its bytes.
    pub rule_matches: Vec<RuleMatchReport>,
    /// Records of deleted files that bore its name.
    pub deleted: Vec<DeletedReport>,
}

/// A YARA rule that matches a file's bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMatchReport {
    /// The rule's name.
    pub rule: String,
    /// The file it stands in, as given.
    pub source: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its metadata in order.
    pub meta: Vec<RuleMeta>,
    /// Strings that matched.
    pub strings: Vec<RuleString>,
}

/// One entry of a rule's metadata.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleMeta {
    /// `author`, `description`, `license`.
    pub name: String,
    /// What it says.
    pub value: String,
}

/// A string of a rule that matched.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleString {
    /// Its identifier in the rule.
    pub identifier: String,
    /// Where in the file, in bytes.
    pub offset: u64,
}

/// What a service needs a file for, and which it is: the short form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceFileReport {
    /// What for: `image`, `service_dll`, `failure_command`, `wrapped`, `load_point` or `phantom`.
    pub purpose: String,
    /// The value of a load point, below the service's key; the words of a phantom; null for the others.
    pub value: Option<String>,
    /// How the service names it, as stored.
    pub named: Option<String>,
    /// The file that Windows would run or load: the `path` of one of the host's files.
    pub path: String,
    /// The file that was meant, where another one stands before it in the search order.
    pub meant: Option<String>,
    /// How the words became that path, one step each.
    pub steps: Vec<String>,
    /// Whether it is there.
    pub state: FileState,
    /// SHA-256 of its bytes; null where they were not read.
    pub sha256: Option<String>,
    /// What the check of its signature came to.
    pub signature: SignatureStatus,
    /// The primary signer.
    pub signer: Option<String>,
    /// When it was born.
    pub born: Option<Stamp>,
}

impl FileReport {
    /// A file as the report tells it.
    pub fn new(file: &ProgramFile) -> Self {
        let record = file.record.as_ref();
        Self {
            path: file.path.clone(),
            state: file.state,
            remark: file.remark.clone(),
            citation: file.citation.clone(),
            born: record.and_then(|record| record::born(&record.metadata, &file.path)),
            record: record.map(RecordReport::new),
            content: file.content.as_ref().map(ContentReport::new),
            unread: file.unread.clone(),
            signature: SignatureReport::new(&file.signature),
            listed: file.listed.clone(),
            rule_matches: file.rule_matches.iter().map(RuleMatchReport::new).collect(),
            deleted: file.deleted.iter().map(DeletedReport::new).collect(),
        }
    }

    /// Its size in bytes: that of its bytes, else as the file system says.
    pub fn size(&self) -> Option<u64> {
        let read = self.content.as_ref().map(|content| content.size);
        read.or_else(|| self.record.as_ref().map(|record| record.size))
    }

    /// What its bytes are, where they are a PE image.
    pub fn executable(&self) -> Option<&ExecutableReport> {
        self.content.as_ref()?.executable.as_ref()
    }

    /// The common name of the primary signer.
    pub fn signer(&self) -> Option<&str> {
        self.signature.signers.first().map(|signer| signer.name.as_str())
    }
}

impl RuleMatchReport {
    fn new(hit: &RuleMatch) -> Self {
        let meta = |(name, value): &(String, String)| RuleMeta {
            name: name.clone(),
            value: value.clone(),
        };
        let string = |(identifier, offset): &(String, u64)| RuleString {
            identifier: identifier.clone(),
            offset: *offset,
        };
        Self {
            rule: hit.rule.clone(),
            source: hit.source.clone(),
            tags: hit.tags.clone(),
            meta: hit.meta.iter().map(meta).collect(),
            strings: hit.strings.iter().map(string).collect(),
        }
    }
}

impl ServiceFileReport {
    /// The references of a service to the host's files.
    pub(super) fn of(service: &Service, files: &[FileReport]) -> Vec<Self> {
        let link = |link: &ServiceFile| {
            let file = files.get(link.file)?;
            // A library that should not be there, and is not.
            if matches!(link.purpose, Purpose::Phantom(_)) && file.state != FileState::Present {
                return None;
            }
            let meant = link.meant.and_then(|meant| files.get(meant));
            let (purpose, value) = purpose(&link.purpose);
            Some(Self {
                purpose: purpose.to_owned(),
                value: value.map(str::to_owned),
                named: named(service, &link.purpose),
                path: file.path.clone(),
                meant: meant.map(|meant| meant.path.clone()),
                steps: link.steps.clone(),
                state: file.state,
                sha256: file.content.as_ref().map(|content| content.sha256.clone()),
                signature: file.signature.status,
                signer: file.signer().map(str::to_owned),
                born: file.born,
            })
        };
        service.files.iter().filter_map(link).collect()
    }

    /// Whether it is a library that Windows asks for in vain and that is not known to be there: nothing to tell.
    pub fn is_in_vain(&self) -> bool {
        self.purpose == "phantom" && self.state != FileState::Present
    }

    /// What for, in a few words.
    pub fn label(&self) -> &str {
        match (self.purpose.as_str(), &self.value) {
            ("load_point" | "phantom", Some(value)) => value,
            ("service_dll", _) => Purpose::ServiceDll.label(),
            ("failure_command", _) => Purpose::FailureCommand.label(),
            ("wrapped", _) => Purpose::Wrapped.label(),
            _ => Purpose::Image.label(),
        }
    }
}

/// The word of the contract, and the value of a load point or the words of a phantom.
fn purpose(purpose: &Purpose) -> (&'static str, Option<&str>) {
    match purpose {
        Purpose::Image => ("image", None),
        Purpose::ServiceDll => ("service_dll", None),
        Purpose::FailureCommand => ("failure_command", None),
        Purpose::Wrapped => ("wrapped", None),
        Purpose::LoadPoint(value) => ("load_point", Some(value)),
        Purpose::Phantom(words) => ("phantom", Some(words)),
    }
}

/// How the service names the file; absent for a driver that Windows finds without being told.
fn named(service: &Service, purpose: &Purpose) -> Option<String> {
    let path = match purpose {
        Purpose::Image => service.image.as_ref().filter(|image| !image.implied),
        Purpose::ServiceDll => service.dll.as_ref(),
        Purpose::FailureCommand => service.failure_command.as_ref(),
        Purpose::Wrapped => service.wrapped.as_ref(),
        // No value names it.
        Purpose::Phantom(_) => return None,
        Purpose::LoadPoint(value) => {
            let points = service.config.iter().flat_map(|config| &config.load_points);
            let mut points = points.filter(|point| point.value == *value);
            return points.next().map(|point| point.path.clone());
        }
    };
    path.map(|path| path.raw.clone())
}
