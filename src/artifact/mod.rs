//! Which files matter, and how each becomes facts.
//!
//! [`CATALOG`] says where Windows keeps what; [`read`] finds, opens and reads all of it. A hive or log that
//! cannot be read costs itself only, and the [`Coverage`] says so.

mod copies;
mod current;
pub mod detect;
pub mod event_kind;
pub mod event_log;
mod event_log_file;
pub mod hash_list;
mod heard;
pub mod hive;
mod hive_file;
mod policy_files;
mod posture;
pub mod powershell_log;
pub mod program;
mod reach;
pub mod reference;
mod registry_change;
pub mod security_hive;
pub mod security_log;
pub mod service_values;
pub mod sigma;
pub mod signature;
mod sink;
pub mod software_hive;
pub mod sysmon_log;
pub mod system_hive;
pub mod system_log;
pub mod verify;
mod worth;
pub mod yara;

use std::any::Any;
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::{Evidence, EvidencePath, Found, Pattern};
use crate::host::{Coverage, Fact, Origin, Span, State};
use copies::Known;
use sigma::Rules;
pub use sink::{FileRead, LogRecords, Sink};

/// A kind of file that says something about services.
pub struct ArtifactKind {
    /// What people call it.
    pub name: &'static str,
    /// How it is found.
    pub pattern: Pattern,
    /// Who speaks through it; absent where only the content tells.
    pub origin: Option<Origin>,
    /// Which questions stay open without it, for `detect`; empty where nothing does.
    pub without_it: &'static str,
    read: fn(&Input<'_>, &Known, &mut Sink),
}

/// Every kind of artifact, in the order in which they are read and reported.
pub const CATALOG: &[ArtifactKind] = &[
    system_hive::KIND,
    software_hive::KIND,
    security_hive::KIND,
    event_log_file::KIND,
    event_log_file::OLD_KIND,
];

/// One file to read.
struct Input<'e> {
    evidence: &'e dyn Evidence,
    rules: &'e Rules,
    kind: &'static ArtifactKind,
    found: Found,
}

/// What the artifacts of one host say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// The facts, in catalogue order, then by path, then as the artifact has them.
    pub facts: Vec<Fact>,
    /// Who could speak.
    pub coverage: Coverage,
    /// What went wrong, in the order of the facts.
    pub diagnostics: Vec<Diagnostic>,
    /// Every file that was opened.
    pub files: Vec<FileRead>,
}

/// Hears how far reading is; called from several threads.
pub trait Progress: Sync {
    /// So many more files of so many bytes will be read.
    fn found(&self, files: usize, bytes: u64);

    /// One of them was read, or given up.
    fn done(&self, path: &EvidencePath, bytes: u64);
}

/// No interest in progress.
impl Progress for () {
    fn found(&self, _files: usize, _bytes: u64) {}

    fn done(&self, _path: &EvidencePath, _bytes: u64) {}
}

/// Reads every artifact of one host, on the threads of the current rayon pool.
///
/// The result is the same for any number of threads.
pub fn read(evidence: &dyn Evidence, progress: &dyn Progress) -> Reading {
    read_with(evidence, &Rules::default(), progress)
}

/// As [`read`], with Sigma rules over the records of event logs.
pub fn read_with(evidence: &dyn Evidence, rules: &Rules, progress: &dyn Progress) -> Reading {
    let mut reading = Reading::default();
    reading.diagnostics.extend(evidence.describe().diagnostics.iter().cloned());
    let inputs = gather(evidence, rules, &mut reading);
    let bytes = inputs.iter().fold(0_u64, |sum, input| sum.saturating_add(input.found.size));
    progress.found(inputs.len(), bytes);
    let mut sinks = copies::read_in_turn(&inputs, progress);
    current::choose(&mut sinks);
    let reaches = sinks.iter_mut().flat_map(|sink| std::mem::take(&mut sink.reaches)).collect();
    let heard = sinks.iter_mut().map(|sink| std::mem::take(&mut sink.heard)).collect();
    for sink in sinks {
        sink.pour_into(&mut reading);
    }
    reading.facts.extend(policy_files::find(evidence));
    posture::limit(&reading.facts, &mut reading.coverage);
    reach::extend(reaches, &reading.facts, &mut reading.coverage);
    event_log_file::finish(&mut reading);
    heard::conclude(heard, rules, evidence, &mut reading);
    reading
}

/// Finds the files of every kind; a file is read once, whatever kinds it fits.
fn gather<'e>(
    evidence: &'e dyn Evidence,
    rules: &'e Rules,
    reading: &mut Reading,
) -> Vec<Input<'e>> {
    let mut inputs = Vec::new();
    let mut seen = BTreeSet::new();
    for kind in CATALOG {
        let listing = evidence.find(&kind.pattern);
        let is_lost = listing.diagnostics.iter().any(|one| one.impact == Impact::Lost);
        if let Some(origin) = kind.origin.filter(|_| is_lost) {
            reading.coverage.record(origin, lost());
        }
        for diagnostic in listing.diagnostics {
            if !reading.diagnostics.contains(&diagnostic) {
                reading.diagnostics.push(diagnostic);
            }
        }
        for found in listing.found {
            if seen.insert(found.path.clone()) {
                inputs.push(Input { evidence, rules, kind, found });
            }
        }
    }
    inputs
}

/// The fuse: a panic over hostile bytes is a fault of this program and costs this artifact.
fn read_one(input: &Input<'_>, known: &Known) -> Sink {
    let empty = || Sink::new(&input.found, input.kind.name);
    let read = catch_unwind(AssertUnwindSafe(|| {
        let mut sink = empty();
        (input.kind.read)(input, known, &mut sink);
        sink
    }));
    let mut sink = read.unwrap_or_else(|panic| {
        let mut sink = empty();
        sink.lost(format!("reading it failed, a fault of this program: {}", words(panic.as_ref())));
        sink
    });
    sink.verify(input.evidence);
    if let Some(origin) = input.kind.origin.filter(|_| sink.is_lost()) {
        sink.cover(origin, lost());
    }
    sink
}

fn words(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

fn lost() -> Span {
    Span { state: State::Lost, from: None, to: None, notes: Vec::new() }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;
    use crate::evidence::{Content, Description, Listing, Magic, Metadata};

    struct Nothing;

    impl Evidence for Nothing {
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
            Err(io::ErrorKind::NotFound.into())
        }

        fn metadata(&self, _path: &EvidencePath) -> io::Result<Metadata> {
            Err(io::ErrorKind::NotFound.into())
        }
    }

    #[test]
    fn a_panic_costs_one_artifact() {
        static KIND: ArtifactKind = ArtifactKind {
            name: "trap",
            pattern: Pattern { magic: Magic::Hive, places: &[] },
            origin: Some(Origin::SystemHive),
            without_it: "",
            read: |_, _, sink| {
                sink.note("forgotten");
                panic!("overflow at {}", 7)
            },
        };
        let path = EvidencePath::new("C/SYSTEM");
        let found = Found { history: None, path, size: 1, magic: None };
        let rules = Rules::default();
        let input = Input { evidence: &Nothing, rules: &rules, kind: &KIND, found };
        let sink = read_one(&input, &Known::default());
        let mut reading = Reading::default();
        sink.pour_into(&mut reading);
        assert_eq!(
            reading.diagnostics,
            [Diagnostic {
                artifact: "C/SYSTEM".into(),
                impact: Impact::Lost,
                message: "reading it failed, a fault of this program: overflow at 7".into(),
            }]
        );
        assert_eq!(reading.coverage.state(Origin::SystemHive), State::Lost);
        assert_eq!(reading.files.len(), 1);
    }
}
