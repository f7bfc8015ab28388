//! The report: one owned value that is the JSON contract, and every form it is written in.
//!
//! [`Report`] holds evidence strings as they are. Each renderer passes them through the one sink of its
//! format: [`crate::text::terminal_safe`] for text, `csv::cell` for CSV, `markdown::code` and
//! `markdown::prose` for Markdown; `json_text::JsonText` for JSON.

use std::collections::{BTreeMap, BTreeSet};
use std::io;

use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

use crate::artifact::program::FileOptions;
use crate::checklist::{self, Family, Indicator};
use crate::host::Host;
use crate::host::rule_hit::RuleSet;
use crate::rank::{self, Tuning, Verdict};

pub mod answers;
pub mod baseline;
pub mod configuration;
pub mod detection;
pub mod diff;
pub mod event;
pub mod event_summary;
pub mod evidence;
pub mod explain;
pub mod file;
pub mod finding;
pub mod history;
pub mod host;
pub mod incident;
pub mod install;
pub mod network;
pub mod older_state;
pub mod outbound;
mod posture;
pub mod rule;
pub mod service;
pub mod stamp;
pub mod story;
pub mod suppressed;
pub mod timeline;

mod csv;
mod formats;
mod json;
mod json_text;
mod jsonl;
mod judged;
mod layout;
mod markdown;
mod select;
mod story_words;
mod table;

pub use baseline::GivenBaseline;
pub use evidence::{EvidenceFile, EvidenceSummary};
pub use formats::{formats_list, formats_markdown};
pub use host::HostReport;
pub use judged::OwnIndicator;
pub use service::ServiceReport;
pub use stamp::Stamp;
pub use suppressed::{SuppressedReport, SuppressionList};

/// The number of the contract in `docs/report.md`: raised when a field changes its meaning or goes away.
pub const SCHEMA: u32 = 1;

/// A whole report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// [`SCHEMA`].
    pub schema: u32,
    /// Who wrote it.
    pub tool: Tool,
    /// What it was judged with.
    pub settings: Settings,
    /// The hosts, in the order of the evidence.
    pub hosts: Vec<HostReport>,
}

/// The program that wrote a report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// `svctriage`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What a report was judged with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settings {
    /// Seconds to each side in which events are taken to belong together.
    pub window_s: i64,
    /// How many indicators were asked.
    pub indicators: usize,
    /// Weights the analyst changed, in decibans by indicator id.
    pub weights: BTreeMap<String, i16>,
    /// The file of weights, as it was given.
    #[serde(default)]
    pub weights_file: Option<String>,
    /// Why weights were changed, by indicator id, where the file says so.
    #[serde(default)]
    pub weight_reasons: BTreeMap<String, String>,
    /// Indicators the analyst left out.
    pub ignored: BTreeSet<String>,
    /// The lists of suppressions that were given.
    #[serde(default)]
    pub suppress: Vec<SuppressionList>,
    /// The analyst's own indicators.
    #[serde(default)]
    pub own_indicators: Vec<OwnIndicator>,
    /// The list of approved changes, as it was given.
    pub approved: Option<String>,
    /// What became of the Sigma rules that were given; null where none were.
    pub rules: Option<RuleSet>,
    /// The list of destinations that other hosts talk to, as it was given.
    pub known_destinations: Option<String>,
    /// The analyst's baselines, in the order in which they were given.
    #[serde(default)]
    pub baselines: Vec<GivenBaseline>,
    /// How the files behind services were read.
    #[serde(default)]
    pub files: FileSettings,
    /// The scores, in decibans, from which the verdicts hold.
    pub thresholds: Thresholds,
}

/// How the files behind services were read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileSettings {
    /// Which were read to their end: `none`, `suspicious` or `all`.
    pub hash: String,
    /// Those larger than this, in bytes, were not.
    pub limit: u64,
    /// Lists of bad files, as they were given.
    pub known_bad: Vec<String>,
    /// Lists of good files, as they were given.
    pub known_good: Vec<String>,
    /// Files of YARA rules, as they were given.
    pub yara: Vec<String>,
}

/// The scores, in decibans, from which the verdicts hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thresholds {
    /// [`rank::ESCALATE`].
    pub escalate: i32,
    /// [`rank::REVIEW`].
    pub review: i32,
    /// [`rank::NOTE`].
    pub note: i32,
    /// [`rank::HARD_FLOOR`].
    pub hard_floor: i32,
}

impl Report {
    /// A report of this program.
    pub fn new(settings: Settings, hosts: Vec<HostReport>) -> Self {
        Self { schema: SCHEMA, tool: Tool::this(), settings, hosts }
    }

    /// Reads a report that `--format json` wrote.
    ///
    /// # Errors
    /// A sentence, where the bytes are no report or one of another contract than [`SCHEMA`].
    pub fn from_json(bytes: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Head {
            schema: u32,
        }
        let no_report = |error: serde_json::Error| {
            format!("this is no report of `svctriage scan --format json`: {error}")
        };
        let Head { schema } = serde_json::from_slice(bytes).map_err(no_report)?;
        if schema != SCHEMA {
            return Err(format!(
                "this report has schema {schema}, which another version wrote; this one reads schema {SCHEMA}"
            ));
        }
        serde_json::from_slice(bytes).map_err(no_report)
    }

    /// The worst verdict of all hosts.
    pub fn verdict(&self) -> Verdict {
        self.hosts.iter().map(|host| host.verdict).max().unwrap_or(Verdict::NotAssessed)
    }
}

impl Tool {
    /// This program.
    pub fn this() -> Self {
        Self { name: "svctriage".to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
    }
}

impl Settings {
    /// The settings of a run; `approved` is the path of the list of approved changes.
    pub fn new(window: SignedDuration, tuning: &Tuning, approved: Option<String>) -> Self {
        Self {
            window_s: window.as_secs(),
            indicators: asked(|one| one.family != Family::R, &tuning.ignored),
            weights: tuning.weights.clone(),
            weights_file: None,
            weight_reasons: BTreeMap::new(),
            ignored: tuning.ignored.clone(),
            suppress: Vec::new(),
            own_indicators: Vec::new(),
            approved,
            rules: None,
            known_destinations: None,
            baselines: Vec::new(),
            files: FileSettings::default(),
            thresholds: Thresholds {
                escalate: rank::ESCALATE,
                review: rank::REVIEW,
                note: rank::NOTE,
                hard_floor: rank::HARD_FLOOR,
            },
        }
    }

    /// With the baselines that were given.
    #[must_use]
    pub fn with_baselines(mut self, baselines: Vec<GivenBaseline>) -> Self {
        self.baselines = baselines;
        self
    }

    /// With the path of the list of destinations that other hosts talk to.
    #[must_use]
    pub fn with_known_destinations(mut self, path: Option<String>) -> Self {
        self.known_destinations = path;
        self
    }
}

impl Default for Settings {
    /// Those of a run without options.
    fn default() -> Self {
        Self::new(Host::DEFAULT_WINDOW, &Tuning::default(), None)
    }
}

impl FileSettings {
    /// How a run reads files; without lists and rules.
    pub fn new(options: &FileOptions) -> Self {
        Self {
            hash: options.hashing.label().to_owned(),
            limit: options.largest,
            known_bad: Vec::new(),
            known_good: Vec::new(),
            yara: Vec::new(),
        }
    }
}

impl Default for FileSettings {
    fn default() -> Self {
        Self::new(&FileOptions::default())
    }
}

impl Settings {
    /// With how the files behind services were read.
    #[must_use]
    pub fn with_files(mut self, files: FileSettings) -> Self {
        self.files = files;
        self
    }
}

impl Settings {
    /// With the path of the file of weights, and the reasons it gives by indicator id.
    #[must_use]
    pub fn with_weights(self, file: Option<String>, reasons: BTreeMap<String, String>) -> Self {
        Self { weights_file: file, weight_reasons: reasons, ..self }
    }
}

impl Settings {
    /// With the lists of suppressions that were given.
    #[must_use]
    pub fn with_suppressions(self, lists: Vec<SuppressionList>) -> Self {
        Self { suppress: lists, ..self }
    }
}

impl Settings {
    /// With what became of the Sigma rules that were given.
    #[must_use]
    pub fn with_rules(self, rules: Option<RuleSet>) -> Self {
        let more = match rules {
            Some(_) => asked(|one| one.family == Family::R, &self.ignored),
            None => 0,
        };
        Self { rules, indicators: self.indicators.saturating_add(more), ..self }
    }
}

/// How many indicators of some kind are asked.
fn asked(kind: impl Fn(&Indicator) -> bool, ignored: &BTreeSet<String>) -> usize {
    let asked = checklist::indicators().filter(|one| !ignored.contains(one.id));
    asked.filter(|one| kind(one)).count()
}

/// How much of a report is wanted, and how it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Whether the table may use color.
    pub color: bool,
    /// Columns of the terminal.
    pub width: usize,
    /// Every service, also those of which nothing is to be said.
    pub all: bool,
    /// At most so many services a host.
    pub top: Option<usize>,
    /// Only services of that verdict or worse.
    pub min_verdict: Option<Verdict>,
}

impl Default for Options {
    fn default() -> Self {
        Self { color: false, width: 80, all: false, top: None, min_verdict: None }
    }
}

/// A form a report can be written in.
#[derive(Clone, Copy)]
pub struct Renderer {
    /// The word of `--format`.
    pub id: &'static str,
    /// The usual extension of a file of that form, without the dot.
    pub extension: &'static str,
    /// One line for the help.
    pub describe: &'static str,
    /// Writes it.
    pub render: fn(&Report, &Options, &mut dyn io::Write) -> io::Result<()>,
}

/// Every form, the default first.
pub const RENDERERS: &[Renderer] =
    &[table::RENDERER, json::RENDERER, jsonl::RENDERER, csv::RENDERER, markdown::RENDERER];

/// The renderer of that id.
pub fn renderer(id: &str) -> Option<&'static Renderer> {
    RENDERERS.iter().find(|renderer| renderer.id == id)
}
