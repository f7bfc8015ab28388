//! The file behind a service: which it is, whether it is there, what is known of it.
//!
//! One file serves many services (svchost.exe), so files stand once in [`super::Host::files`] and services point
//! at them.

mod content;
mod listed;
pub(crate) mod phantom;
mod record;
mod signature;
mod wanted;

pub use content::{Digests, Executable, FileContent, Hint, ProgramSection, VersionResource};
pub use listed::{KnownList, ListMatch, RuleMatch};
pub use record::{FileRecord, Neighborhood, WriteAccess, ZoneMark};
pub use signature::{
    CertificateName, Signature, SignatureStatus, Signer, SigningTime, TimeAuthority,
};
pub use wanted::{Owner, Wanted, wanted};

use serde::{Deserialize, Serialize};

use super::citation::Citation;

/// What a service needs a file for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// `ImagePath`, or what Windows loads for a driver without one.
    Image,
    /// `ServiceDll`.
    ServiceDll,
    /// The program of the failure command.
    FailureCommand,
    /// The target behind a wrapper.
    Wrapped,
    /// Another value that makes Windows load it: the value's name below the key, `Performance\Library`.
    LoadPoint(String),
    /// A library that a service of Windows asks for in `System32` and that Windows does not have: it should be missing. In
    /// words, with its file name: `phantom DLL wlbsctrl.dll`.
    Phantom(String),
}

impl Purpose {
    /// In a few words.
    pub fn label(&self) -> &str {
        match self {
            Self::Image => "program",
            Self::ServiceDll => "service DLL",
            Self::FailureCommand => "failure command",
            Self::Wrapped => "wrapped program",
            Self::LoadPoint(words) | Self::Phantom(words) => words,
        }
    }
}

/// How a service's words lead to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceFile {
    /// What for.
    pub purpose: Purpose,
    /// The file that Windows would run or load: index into [`super::Host::files`].
    pub file: usize,
    /// The file that was meant, where another one stands before it in the search order (an unquoted path with an
    /// interceptor): index into [`super::Host::files`].
    pub meant: Option<usize>,
    /// How the words became that path, one step each, in order: `%SystemRoot% -> C:\Windows`. Empty where the path was
    /// written in full.
    pub steps: Vec<String>,
}

/// Whether a file is there. "Not in the evidence" is not "not on the host".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileState {
    /// It is in the evidence.
    Present,
    /// The evidence holds the file system it should be on, and it is not there.
    Missing,
    /// The evidence does not hold that place, or nothing tells which place is meant.
    NotCollected,
    /// It is there, or may be, but damage stands before it.
    Unreadable,
}

impl FileState {
    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Present => "present",
            Self::Missing => "missing",
            Self::NotCollected => "not collected",
            Self::Unreadable => "unreadable",
        }
    }
}

/// One file that services run or load.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramFile {
    /// Its path on the host: as its folders write it where it is present, else as the search ended.
    pub path: String,
    /// Whether it is there.
    pub state: FileState,
    /// Why the state is what it is, where that needs a word: `the evidence holds no volume D:`.
    pub remark: Option<String>,
    /// The file; where it is missing, the folder that does not have it.
    pub citation: Citation,
    /// What the file system says; absent where the file is not there.
    pub record: Option<FileRecord>,
    /// Its bytes' digests and what they are; absent where they were not read, for the reason in `unread`.
    pub content: Option<FileContent>,
    /// Why its bytes were not read, or not to the end: `larger than the limit of 512 MiB`.
    pub unread: Option<String>,
    /// Who vouches for its bytes.
    pub signature: Signature,
    /// Lists that hold it, in the order in which they were given, those of the project first.
    pub listed: Vec<ListMatch>,
    /// YARA rules that match its bytes, in the order of the rules.
    pub rule_matches: Vec<RuleMatch>,
    /// File records of deleted files that bore its name, as the citation of each record with its path, size and times.
    pub deleted: Vec<(Citation, FileRecord)>,
}

impl ProgramFile {
    /// A file of which nothing is known but where it should be.
    pub fn at(path: impl Into<String>, state: FileState, citation: Citation) -> Self {
        Self {
            path: path.into(),
            state,
            remark: None,
            citation,
            record: None,
            content: None,
            unread: None,
            signature: Signature::unknown("its bytes were not read"),
            listed: Vec::new(),
            rule_matches: Vec::new(),
            deleted: Vec::new(),
        }
    }

    /// Its name without the folder, lower case.
    pub fn leaf(&self) -> String {
        super::image_path::leaf(&self.path).to_lowercase()
    }

    /// What its bytes are, where they are a PE image.
    pub fn executable(&self) -> Option<&Executable> {
        self.content.as_ref()?.executable.as_ref()
    }
}
