//! Gathers what an analyst gives to judge by: the files he names are read, and recorded for the report.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exit::Exit;
use super::run::{fail, warn};
use super::tuning_args::{self, Tuned};
use super::{JudgeArgs, baseline, known_files, rule_files};
use crate::artifact::sigma::Rules;
use crate::checklist::{Given, Policy};
use crate::error::Error;
use crate::host::KnownDestinations;
use crate::report::{self, FileSettings};
use crate::scan::Settings;

/// What is judged with, and what a report says of it.
pub(super) struct Judging {
    pub(super) settings: Settings,
    pub(super) about: report::Settings,
}

impl Judging {
    /// Reads all that the options name. What is wrong with one of these files ends the run before any evidence is read.
    pub(super) fn gather(args: &JudgeArgs) -> Result<Self, Exit> {
        let usage = |error: Error| fail(&error, Exit::Usage);
        let policy = args.approved.as_deref().map(policy).transpose().map_err(usage)?;
        let known_destinations =
            args.known_destinations.as_deref().map(destinations).transpose().map_err(usage)?;
        let (baseline, baselines) = baseline::read_all(&args.baselines).map_err(usage)?;
        let rules = rules(args)?;
        let known_files = args.known.lists().map_err(usage)?;
        let yara = args.known.yara_rules().map_err(usage)?;
        if let Some(summary) = yara.as_ref().and_then(|rules| known_files::summary(rules))
            && !args.quiet
        {
            warn(&summary);
        }
        let own = tuning_args::own_indicators(&args.tuning.rules).map_err(usage)?;
        let known = tuning_args::all_indicators(&own);
        let Tuned { tuning, reasons } = args.tuning.tuned(&known).map_err(usage)?;
        let (suppressions, lists) = args.tuning.suppressions(&known).map_err(usage)?;
        let settings = Settings {
            window: args.window,
            given: Given {
                policy,
                own: own.iter().map(|one| one.indicator).collect(),
                baseline,
                suppressions,
                ..Given::default()
            },
            known_destinations,
            tuning,
            files: args.files.options(),
            known_files,
            yara,
            rules,
        };
        let about = about(args, &settings)
            .with_baselines(baselines)
            .with_weights(name(args.tuning.weights.as_ref()), reasons)
            .with_suppressions(lists)
            .with_own(&own);
        Ok(Self { settings, about })
    }
}

/// What a report says of what was judged with.
fn about(args: &JudgeArgs, settings: &Settings) -> report::Settings {
    let set = settings.rules.as_ref().map(|rules| rules.set().clone());
    report::Settings::new(settings.window, &settings.tuning, name(args.approved.as_ref()))
        .with_known_destinations(name(args.known_destinations.as_ref()))
        .with_rules(set)
        .with_files(FileSettings {
            known_bad: names(&args.known.known_bad),
            known_good: names(&args.known.known_good),
            yara: names(&args.known.yara),
            ..FileSettings::new(&settings.files)
        })
}

/// A path as it was given.
fn name(path: Option<&PathBuf>) -> Option<String> {
    path.map(|path| path.to_string_lossy().into_owned())
}

/// Paths as they were given.
fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

/// Loads the Sigma rules that were asked for, and says how many of them cannot be used.
fn rules(args: &JudgeArgs) -> Result<Option<Arc<Rules>>, Exit> {
    if args.sigma.is_empty() {
        return Ok(None);
    }
    let rules = rule_files::load(&args.sigma).map_err(|error| fail(&error, Exit::Usage))?;
    if let Some(summary) = rule_files::summary(&rules).filter(|_| !args.quiet) {
        warn(&summary);
    }
    Ok(Some(Arc::new(rules)))
}

/// The text of a file of the analyst's.
pub(super) fn text_of(path: &Path) -> Result<String, Error> {
    #[expect(clippy::disallowed_methods, reason = "the analyst's own file, not evidence")]
    fs::read_to_string(path).map_err(|source| Error::Open { path: path.to_owned(), source })
}

/// Whether a file of the analyst's is a table rather than TOML, by its name.
pub(super) fn is_csv(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"))
}

fn policy(path: &Path) -> Result<Policy, Error> {
    let text = text_of(path)?;
    let parsed = if is_csv(path) { Policy::parse_csv(&text) } else { Policy::parse_toml(&text) };
    parsed.map_err(|message| Error::Settings { path: path.to_owned(), message })
}

fn destinations(path: &Path) -> Result<Arc<KnownDestinations>, Error> {
    #[expect(clippy::disallowed_methods, reason = "the analyst's own file, not evidence")]
    let file =
        fs::File::open(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    KnownDestinations::read(BufReader::new(file))
        .map(Arc::new)
        .map_err(|message| Error::Settings { path: path.to_owned(), message })
}
