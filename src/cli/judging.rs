//! Gathers what an analyst gives to judge by: the files he names are read, and recorded for the report.

use std::fs;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::exit::Exit;
use super::run::{fail, warn};
use super::{JudgeArgs, known_files, rule_files};
use crate::artifact::sigma::Rules;
use crate::checklist::{Given, Policy};
use crate::error::Error;
use crate::host::KnownDestinations;
use crate::rank::Tuning;
use crate::report::{self, FileSettings};
use crate::scan::Settings;

/// Reads all that the options name. What is wrong with one of these files ends the run before any evidence is read.
pub(super) fn settings(args: &JudgeArgs) -> Result<Settings, Exit> {
    let usage = |error: Error| fail(&error, Exit::Usage);
    let policy = args.approved.as_deref().map(policy).transpose().map_err(usage)?;
    let known_destinations =
        args.known_destinations.as_deref().map(destinations).transpose().map_err(usage)?;
    let rules = rules(args)?;
    let known_files = args.known.lists().map_err(usage)?;
    let yara = args.known.yara_rules().map_err(usage)?;
    if let Some(summary) = yara.as_ref().and_then(|rules| known_files::summary(rules))
        && !args.quiet
    {
        warn(&summary);
    }
    Ok(Settings {
        window: args.window,
        given: Given { policy, ..Given::default() },
        known_destinations,
        tuning: tuning(args),
        files: args.files.options(),
        known_files,
        yara,
        rules,
    })
}

/// What a report says of them.
pub(super) fn about(args: &JudgeArgs, settings: &Settings) -> report::Settings {
    let given =
        |path: &Option<PathBuf>| path.as_ref().map(|path| path.to_string_lossy().into_owned());
    let set = settings.rules.as_ref().map(|rules| rules.set().clone());
    report::Settings::new(settings.window, &settings.tuning, given(&args.approved))
        .with_known_destinations(given(&args.known_destinations))
        .with_rules(set)
        .with_files(FileSettings {
            known_bad: names(&args.known.known_bad),
            known_good: names(&args.known.known_good),
            yara: names(&args.known.yara),
            ..FileSettings::new(&settings.files)
        })
}

/// Paths as they were given.
fn names(paths: &[PathBuf]) -> Vec<String> {
    paths.iter().map(|path| path.to_string_lossy().into_owned()).collect()
}

fn tuning(args: &JudgeArgs) -> Tuning {
    Tuning {
        weights: args.weights.iter().cloned().collect(),
        ignored: args.ignored.iter().cloned().collect(),
    }
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

fn policy(path: &Path) -> Result<Policy, Error> {
    #[expect(clippy::disallowed_methods, reason = "the analyst's own file, not evidence")]
    let text =
        fs::read_to_string(path).map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let is_csv = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("csv"));
    let parsed = if is_csv { Policy::parse_csv(&text) } else { Policy::parse_toml(&text) };
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
