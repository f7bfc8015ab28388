//! The whole way from one host's evidence to its part of the report.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::SignedDuration;

use crate::artifact::hash_list::{self, HashLists};
use crate::artifact::program::{self, FileOptions, Hashing};
use crate::artifact::sigma::Rules;
use crate::artifact::{self, FileRead, Progress, yara};
use crate::checklist::{Given, baseline};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::Evidence;
use crate::host::program_file::{Owner, wanted};
use crate::host::{Coverage, Host, KnownDestinations, Origin, Span, State};
use crate::rank::{self, Tuning, Verdict};
use crate::report::older_state::older_states;
use crate::report::{EvidenceSummary, HostReport};
use crate::text;

/// What bears on the answers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Half the width of the window in which events are taken to belong together.
    pub window: SignedDuration,
    /// What the analyst gave to judge by.
    pub given: Given,
    /// Destinations that other hosts talk to, where the analyst lists them.
    pub known_destinations: Option<Arc<KnownDestinations>>,
    /// Weights and indicators the analyst changed.
    pub tuning: Tuning,
    /// How the files behind services are read.
    pub files: FileOptions,
    /// Lists of bad and of good files that the analyst gave.
    pub known_files: Arc<HashLists>,
    /// YARA rules to run over the files behind services; absent where none were asked for.
    pub yara: Option<Arc<yara::Rules>>,
    /// Sigma rules to run over event records; absent where none were asked for.
    pub rules: Option<Arc<Rules>>,
}

impl Default for Settings {
    /// Those of a run without options.
    fn default() -> Self {
        Self {
            window: Host::DEFAULT_WINDOW,
            given: Given::default(),
            known_destinations: None,
            tuning: Tuning::default(),
            files: FileOptions::default(),
            known_files: Arc::default(),
            yara: None,
            rules: None,
        }
    }
}

/// A host as its evidence tells it, before anything is judged.
#[derive(Debug)]
pub struct Examined {
    /// The host, with the files behind its services.
    pub host: Host,
    /// The files of evidence that were read.
    pub files: Vec<FileRead>,
    /// What was wrong with the evidence.
    pub diagnostics: Vec<Diagnostic>,
}

/// Examines one host. Damage is in the report's diagnostics, never an error.
pub fn scan(evidence: &dyn Evidence, settings: &Settings, progress: &dyn Progress) -> HostReport {
    let Examined { host, files, mut diagnostics } = examine(evidence, settings, progress);
    let ranked = rank::rank(&host, &settings.given, &settings.tuning);
    diagnostics.extend(rank::suppression::remarks(&host, &settings.given, &ranked));
    let older = older_states(&host, &files);
    let summary = EvidenceSummary::new(evidence.describe(), files);
    HostReport::new(&host, &ranked, summary, diagnostics)
        .with_older_states(older)
        .with_suppressed(&ranked, &settings.given.suppressions)
}

/// Reads one host: what [`scan()`] ranks and reports.
pub fn examine(evidence: &dyn Evidence, settings: &Settings, progress: &dyn Progress) -> Examined {
    let reading = match &settings.rules {
        Some(rules) => artifact::read_with(evidence, rules, progress),
        None => artifact::read(evidence, progress),
    };
    let mut coverage = reading.coverage;
    record_given(&mut coverage, Origin::ChangePolicy, settings.given.policy.is_some());
    record_given(&mut coverage, Origin::KnownDestinations, settings.known_destinations.is_some());
    if settings.rules.as_ref().is_some_and(|rules| rules.is_empty()) {
        let span = Span { state: State::Lost, from: None, to: None, notes: Vec::new() };
        coverage.record(Origin::SigmaRules, span);
    }
    let mut host = Host::from_facts(reading.facts, coverage, settings.window);
    host.known_destinations.clone_from(&settings.known_destinations);
    baseline::record(&mut host, &settings.given);
    let file_diagnostics = read_files(evidence, settings, progress, &mut host);
    let mut diagnostics = reading.diagnostics;
    diagnostics.extend(file_diagnostics);
    diagnostics.extend(evidence.damage());
    diagnostics.extend(several_computers(&host, &evidence.describe().path));
    Examined { host, files: reading.files, diagnostics }
}

/// Finds and reads the files behind services, and says what was wrong with them.
fn read_files(
    evidence: &dyn Evidence,
    settings: &Settings,
    progress: &dyn Progress,
    host: &mut Host,
) -> Vec<Diagnostic> {
    let wanted = wanted(host);
    let suspicious = match settings.files.hashing {
        Hashing::Suspicious => suspicious(host, settings),
        Hashing::None | Hashing::All => BTreeSet::new(),
    };
    let is_read = |owner: Owner| match settings.files.hashing {
        Hashing::All => true,
        Hashing::None => false,
        Hashing::Suspicious => suspicious.contains(&owner),
    };
    let mut coverage = std::mem::take(&mut host.coverage);
    let options = &settings.files;
    let mut read =
        program::read(evidence, host, &wanted, options, &is_read, progress, &mut coverage);
    let of_lists = hash_list::mark(&mut read.files, &settings.known_files, &mut coverage);
    read.diagnostics.extend(of_lists);
    if let Some(rules) = &settings.yara {
        let of_rules = yara::mark(evidence, &mut read.files, rules, &mut coverage);
        read.diagnostics.extend(of_rules);
    }
    host.coverage = coverage;
    host.attach_files(&wanted, read.files, read.links);
    read.diagnostics
}

/// The services and configuration keys that are above the ordinary before any file is looked at.
fn suspicious(host: &Host, settings: &Settings) -> BTreeSet<Owner> {
    let ranked = rank::rank(host, &settings.given, &settings.tuning);
    let reasons = |service: &crate::host::Service| {
        ranked.iter().any(|one| std::ptr::eq(one.service, service) && one.verdict >= Verdict::Note)
    };
    let services = host.services.iter().enumerate();
    let services = services.filter(|(_, one)| reasons(one)).map(|(at, _)| Owner::Service(at));
    let stores = host.stores.iter().enumerate();
    let stores = stores.filter(|(_, one)| reasons(one)).map(|(at, _)| Owner::Store(at));
    services.chain(stores).collect()
}

/// How many names a remark lists.
const NAMES_SHOWN: usize = 6;

/// A remark where events come from several computers: logs of several hosts were taken for one, or the host
/// was renamed.
fn several_computers(host: &Host, evidence: &str) -> Option<Diagnostic> {
    let mut counts: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for event in host.events.iter().filter(|event| !event.computer.is_empty()) {
        let short = event.computer.split('.').next().unwrap_or_default();
        let (count, _) = counts.entry(text::fold(short)).or_insert((0, short));
        *count = count.saturating_add(1);
    }
    if counts.len() < 2 {
        return None;
    }
    let total = counts.len();
    let mut most: Vec<(usize, &str)> = counts.into_values().collect();
    most.sort_by(|left, right| right.0.cmp(&left.0).then(left.1.cmp(right.1)));
    let shown: Vec<String> =
        most.iter().take(NAMES_SHOWN).map(|(count, name)| format!("{name} ({count})")).collect();
    let more = if total > NAMES_SHOWN { ", …" } else { "" };
    Some(Diagnostic {
        artifact: evidence.to_owned(),
        impact: Impact::Note,
        message: format!(
            "events of {total} computers were read as one host: {}{more}; if these are several hosts, scan \
             each by itself",
            shown.join(", ")
        ),
    })
}

/// What the analyst gives is a witness like any other: without it "approved?" and "known elsewhere?" have no answer.
fn record_given(coverage: &mut Coverage, origin: Origin, given: bool) {
    if given {
        let span = Span { state: State::Complete, from: None, to: None, notes: Vec::new() };
        coverage.record(origin, span);
    }
}
