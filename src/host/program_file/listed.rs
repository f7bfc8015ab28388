//! Lists and rules that know a file.

use serde::{Deserialize, Serialize};

/// Which kind of list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownList {
    /// The project's list of malicious drivers.
    MaliciousDriver,
    /// The project's list of vulnerable drivers.
    VulnerableDriver,
    /// A list of bad files that the analyst gave.
    KnownBad,
    /// A list of good files that the analyst gave.
    KnownGood,
}

impl KnownList {
    /// In words.
    pub const fn label(self) -> &'static str {
        match self {
            Self::MaliciousDriver => "malicious drivers",
            Self::VulnerableDriver => "vulnerable drivers",
            Self::KnownBad => "known bad files",
            Self::KnownGood => "known good files",
        }
    }
}

/// A list holds the file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ListMatch {
    /// Which kind.
    pub list: KnownList,
    /// Which one, with the place in it: `bad.csv line 17`, `LOLDrivers 2026-08-12, id 85f8ad5b-…`.
    pub source: String,
    /// What agreed: `sha256`, `sha1`, `md5`, `authentihash sha256`.
    pub by: String,
    /// What the list says about it; empty where it says nothing.
    pub remark: String,
}

/// A YARA rule matches the file's bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RuleMatch {
    /// The rule's name.
    pub rule: String,
    /// The file it stands in, as given.
    pub source: String,
    /// Its tags.
    pub tags: Vec<String>,
    /// Its metadata in order: `author`, `description`, `license`.
    pub meta: Vec<(String, String)>,
    /// Strings that matched: identifier and offset in the file in bytes, at most 16.
    pub strings: Vec<(String, u64)>,
}
