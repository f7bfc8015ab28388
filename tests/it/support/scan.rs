//! The whole pipeline from files to the report, as the program runs it.

#![expect(clippy::unwrap_used, reason = "evidence of a test that cannot be opened must fail it")]

use std::path::Path;
use std::sync::Arc;

use svctriage::artifact::sigma::{RuleFile, Rules};
use svctriage::evidence;
use svctriage::report::{self, HostReport, Report};
use svctriage::scan::{Settings, scan};

/// The settings of a run without options.
pub(crate) fn settings() -> Settings {
    Settings::default()
}

/// Scans paths that make one host.
pub(crate) fn scan_one<P: AsRef<Path>>(paths: &[P]) -> HostReport {
    let paths: Vec<_> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    let opened = evidence::open(&paths, &evidence::Options::default());
    assert!(opened.errors.is_empty(), "{:?}", opened.errors);
    assert_eq!(opened.hosts.len(), 1, "{paths:?}");
    scan(opened.hosts.first().unwrap().as_ref(), &settings(), &())
}

/// Scans paths that make one host with Sigma rules, given as name and text.
pub(crate) fn scan_with_rules<P: AsRef<Path>>(paths: &[P], rules: &[(&str, &str)]) -> HostReport {
    let files = rules
        .iter()
        .map(|(name, text)| RuleFile { name: (*name).to_owned(), text: Ok((*text).to_owned()) });
    let rules = Some(Arc::new(Rules::load(files.collect())));
    let paths: Vec<_> = paths.iter().map(|path| path.as_ref().to_owned()).collect();
    let opened = evidence::open(&paths, &evidence::Options::default());
    assert_eq!(opened.hosts.len(), 1, "{paths:?}");
    scan(opened.hosts.first().unwrap().as_ref(), &Settings { rules, ..settings() }, &())
}

/// Scans paths that make one host, for the report of a run without options.
pub(crate) fn report<P: AsRef<Path>>(paths: &[P]) -> Report {
    let settings = settings();
    let about = report::Settings::new(settings.window, &settings.tuning, None);
    Report::new(about, vec![scan_one(paths)])
}
