//! Baselines that the analyst made of hosts he trusts: which services are ordinary on his site, value by value.
//!
//! A baseline lowers a score and never hides anything: [`Baseline::vouch`] answers only for a service that says what the
//! baseline says in everything that decides what runs and who may change it, and the ranking lets the answer take back no
//! more than names, programs and times of keys add ([`crate::rank`]). The file format is in `docs/baseline.md`. Nothing here
//! reads a file.

use std::collections::{BTreeMap, BTreeSet};

use super::Given;
use crate::host::coverage::{Origin, Span, State};
use crate::host::{Host, Service};
use crate::text;

mod file;
mod header;
mod row;
mod vouch;

pub use file::{BaselineFile, MOST_BYTES};
pub use header::{FORMAT, GoldHost, Header, Maker, Refused, SCHEMA, Terms};
pub use row::{FileValues, Kind, Row, Stored};
pub(crate) use vouch::is_same_program;
pub use vouch::{By, Vouched};

/// A baseline has to name so many services before "not on it" says anything: one of a hive that was read in part, or of a
/// few services, is silent about the rest.
pub const WHOLE_HOST: usize = 100;

/// Every baseline that was given, together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Baseline {
    files: Vec<Source>,
    /// Rows by the folded name of the service.
    rows: BTreeMap<String, Vec<Known>>,
}

/// A baseline file without its rows.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Source {
    /// Its path, as it was given.
    path: String,
    header: Header,
    /// How many services it names.
    names: usize,
    /// The folded names of the services it refused.
    refused: BTreeSet<String>,
}

/// A row and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Known {
    source: usize,
    /// The line of the file, from 1.
    line: usize,
    row: Row,
}

/// A row of a baseline that may be compared with a host's service.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The row.
    pub row: &'a Row,
    /// The path of its file, as it was given.
    pub path: &'a str,
    /// The line, from 1.
    pub line: usize,
}

impl Place<'_> {
    /// `gold.jsonl line 12`.
    pub fn label(&self) -> String {
        format!("{} line {}", self.path, self.line)
    }
}

impl Baseline {
    /// Puts files together; each with its path, as it was given.
    pub fn new(files: Vec<(String, BaselineFile)>) -> Self {
        let mut baseline = Self::default();
        for (source, (path, file)) in files.into_iter().enumerate() {
            let mut names = BTreeSet::new();
            for (line, row) in file.rows {
                let name = text::fold(&row.name);
                names.insert(name.clone());
                baseline.rows.entry(name).or_default().push(Known { source, line, row });
            }
            let refused = file.header.refused.iter().map(|one| text::fold(&one.name)).collect();
            baseline.files.push(Source { path, header: file.header, names: names.len(), refused });
        }
        baseline
    }

    /// Every row of that service, in the order of the files.
    fn known<'a>(&'a self, name: &str) -> impl Iterator<Item = (&'a Source, Place<'a>)> {
        let rows = self.rows.get(&text::fold(name));
        rows.into_iter().flatten().filter_map(|known| {
            let source = self.files.get(known.source)?;
            Some((source, Place { row: &known.row, path: &source.path, line: known.line }))
        })
    }

    /// The rows of a service, which as a row is `here`, that a difference of this host's can be measured by: those of a
    /// baseline of its build, or of the host itself. An instance of a per-user service is compared with instances.
    pub fn comparable<'a>(&'a self, host: &Host, here: &Row) -> Vec<Place<'a>> {
        self.rows_like(host, here)
            .filter(|(_, is_comparable)| *is_comparable)
            .map(|(place, _)| place)
            .collect()
    }

    /// The rows of a service, and whether each is of the host's build or of the host itself.
    fn rows_like<'a>(&'a self, host: &Host, here: &Row) -> impl Iterator<Item = (Place<'a>, bool)> {
        let build = host.build_number();
        let is_instance = here.is_instance();
        let of_kind =
            move |(_, place): &(&Source, Place<'_>)| place.row.is_instance() == is_instance;
        self.known(&here.name).filter(of_kind).map(move |(source, place)| {
            let same_build = build.is_some_and(|build| place.row.is_of(build));
            (place, same_build || source.is_of(host))
        })
    }

    /// Whether any baseline is of the host's build, or of the host itself.
    pub fn is_comparable(&self, host: &Host) -> bool {
        self.files.iter().any(|source| source.is_of(host) || source.is_of_build(host))
    }

    /// A baseline of the host's build, of a whole host, where no baseline knows a service of that name and none refused one.
    pub fn lacks(&self, host: &Host, name: &str) -> Option<&str> {
        let folded = text::fold(name);
        let is_known = self.rows.contains_key(&folded)
            || self.files.iter().any(|source| source.refused.contains(&folded));
        let whole = |source: &&Source| source.is_of_build(host) && source.names >= WHOLE_HOST;
        let source = self.files.iter().find(whole).filter(|_| !is_known)?;
        Some(&source.path)
    }

    /// Which row vouches for a service of that host, where one does.
    pub fn vouch<'a>(&'a self, host: &Host, service: &Service) -> Option<Vouched<'a>> {
        let here = Row::of(host, service)?;
        let rows: Vec<(Place<'a>, bool)> = self.rows_like(host, &here).collect();
        vouch::vouch(&rows, &here, host, service)
    }

    /// One remark a file: what it is of.
    fn remarks(&self) -> Vec<String> {
        let remark = |source: &Source| {
            let hosts = source.header.hosts.len();
            let word = if hosts == 1 { "host" } else { "hosts" };
            format!("{}: {} services of {hosts} {word}", source.path, source.names)
        };
        self.files.iter().map(remark).collect()
    }
}

impl Source {
    /// Whether that host is one it was made of, by name.
    fn is_of(&self, host: &Host) -> bool {
        let Some(name) = host.identity.name.as_deref() else { return false };
        let mut names = self.header.hosts.iter().filter_map(|one| one.name.as_deref());
        names.any(|one| text::same_name(one, name))
    }

    fn is_of_build(&self, host: &Host) -> bool {
        host.build_number().is_some_and(|build| self.header.builds.contains(&build))
    }
}

/// Records the analyst's baselines as a witness: complete where one is of the host's build or of the host itself, in part
/// where none is, since a service that another Windows does not have is no difference.
pub fn record(host: &mut Host, given: &Given) {
    let Some(baseline) = &given.baseline else { return };
    let mut notes = baseline.remarks();
    let state = if baseline.is_comparable(host) {
        State::Complete
    } else {
        notes.push(match host.build_number() {
            Some(build) => format!("none is of build {build} or of this host: matches count half"),
            None => "the host's build is not known, and none is of this host: matches count half"
                .to_owned(),
        });
        State::Partial
    };
    let span = Span { state, from: None, to: None, notes };
    host.coverage.record(Origin::Baseline, span);
}

#[cfg(test)]
mod tests;
