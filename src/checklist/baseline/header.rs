//! The first line of a baseline file: what it was made of, and what was kept out.

use serde::{Deserialize, Serialize};

/// The word that says what a file is.
pub const FORMAT: &str = "svctriage-baseline";

/// The number of the format in `docs/baseline.md`: raised when a field changes its meaning or goes away, and when a field
/// is added that a match has to respect.
pub const SCHEMA: u32 = 1;

/// What a baseline was made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    /// [`FORMAT`].
    pub format: String,
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who wrote it.
    pub tool: Maker,
    /// The terms under which services were let in.
    pub settings: Terms,
    /// The hosts, sorted.
    pub hosts: Vec<GoldHost>,
    /// Their builds, sorted, once each; those of hosts without a SOFTWARE hive are not known.
    pub builds: Vec<u32>,
    /// How many lines follow.
    pub rows: usize,
    /// Services without a key in the current control set, which no baseline holds.
    pub without_key: usize,
    /// Services that were kept out, sorted.
    pub refused: Vec<Refused>,
}

/// The program that wrote a baseline.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Maker {
    /// `svctriage`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// The terms under which services were let in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Terms {
    /// What speaks against a service, in decibans, from which on it was kept out.
    pub below: i32,
    /// Whether remote access tools were let in.
    pub include_rmm: bool,
    /// Which files were read to their end: `none`, `suspicious`, `all`, or `as reported` for reports.
    pub hash: String,
}

/// A host that a baseline was made of.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GoldHost {
    /// The computer name.
    pub name: Option<String>,
    /// The product, `Windows 10 Pro`.
    pub os: Option<String>,
    /// The build, `19045.3570`.
    pub build: Option<String>,
    /// The evidence, as it was given.
    pub evidence: String,
    /// How many of its services are in the baseline.
    pub services: usize,
    /// How many were kept out.
    pub refused: usize,
}

/// A service that was kept out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refused {
    /// The service.
    pub name: String,
    /// The host, else its evidence.
    pub host: String,
    /// Why, in a few words.
    pub reason: String,
}
