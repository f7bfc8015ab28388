//! Scanning the logs: each labelled one as a host of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::{Evaluation, Truth};
use crate::evidence;
use crate::report::HostReport;
use crate::scan::{Settings, scan};

/// Where the unpacked logs are.
#[derive(Debug, Clone)]
pub struct Folders {
    /// The logs that the truth labels.
    pub labelled: PathBuf,
    /// Other hosts by name. A folder with a `winevt`-like content is one host; one of loose logs is a host a log.
    pub hosts: BTreeMap<String, PathBuf>,
}

/// Everything scanned, ready to be compared with the truth.
#[derive(Debug, Clone)]
pub struct Corpus {
    /// What is known.
    pub truth: Truth,
    /// The report of each labelled log, by its path below [`Folders::labelled`].
    pub logs: BTreeMap<String, HostReport>,
    /// The reports of the other hosts.
    pub hosts: BTreeMap<String, HostReport>,
}

/// A corpus that cannot be evaluated.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The truth is no such table.
    #[error("the truth: {0}")]
    Truth(#[from] csv::Error),
    /// A folder cannot be listed.
    #[error("{0}: {1}")]
    Folder(PathBuf, io::Error),
    /// A log cannot be opened at all.
    #[error("{0}: {1}")]
    Log(PathBuf, String),
}

impl Corpus {
    /// Scans every log, as the program does without options.
    ///
    /// # Errors
    /// A truth that is no such table, a folder or log that cannot be opened. Damage in a log is none.
    pub fn scan(truth: &str, folders: &Folders) -> Result<Self, Unusable> {
        let truth = Truth::parse(truth)?;
        let mut logs: Vec<PathBuf> = Vec::new();
        list(&folders.labelled, &mut logs)?;
        let name = |path: &Path| {
            let path = path.strip_prefix(&folders.labelled).unwrap_or(path);
            path.to_string_lossy().replace('\\', "/")
        };
        let logs = logs.par_iter().map(|log| Ok((name(log), one(log)?)));
        let logs = logs.collect::<Result<BTreeMap<_, _>, Unusable>>()?;
        let mut hosts = BTreeMap::new();
        for (name, folder) in &folders.hosts {
            let loose = loose_logs(folder)?;
            if loose.is_empty() {
                hosts.insert(name.clone(), one(folder)?);
            }
            for log in loose {
                let file = log.file_name().map(|file| file.to_string_lossy().into_owned());
                hosts.insert(format!("{name}/{}", file.unwrap_or_default()), one(&log)?);
            }
        }
        Ok(Self { truth, logs, hosts })
    }

    /// What the tool makes of it.
    pub fn evaluation(&self) -> Evaluation {
        Evaluation::new(&self.truth, &self.logs, &self.hosts)
    }
}

fn one(path: &Path) -> Result<HostReport, Unusable> {
    let mut opened = evidence::open(&[path.to_owned()], &evidence::Options::default());
    let Some(host) = opened.hosts.pop() else {
        let errors: Vec<String> = opened.errors.iter().map(ToString::to_string).collect();
        return Err(Unusable::Log(path.to_owned(), errors.join("; ")));
    };
    let settings = Settings::default();
    Ok(scan(host.as_ref(), &settings, &()))
}

/// Every log below a folder, sorted.
fn list(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Unusable> {
    let unlisted = |error| Unusable::Folder(folder.to_owned(), error);
    let mut inside = BTreeSet::new();
    for entry in fs::read_dir(folder).map_err(unlisted)? {
        inside.insert(entry.map_err(unlisted)?.path());
    }
    for path in inside {
        if path.is_dir() {
            list(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("evtx")) {
            found.push(path);
        }
    }
    Ok(())
}

/// The logs of a folder that holds copies of one kind of log from several machines: none has the name that Windows gives it.
fn loose_logs(folder: &Path) -> Result<Vec<PathBuf>, Unusable> {
    let mut logs = Vec::new();
    list(folder, &mut logs)?;
    let own = |log: &PathBuf| {
        log.file_name().is_some_and(|name| {
            ["system.evtx", "security.evtx"].iter().any(|usual| name.eq_ignore_ascii_case(usual))
        })
    };
    if logs.iter().any(own) { Ok(Vec::new()) } else { Ok(logs) }
}
