//! Files of rules that the analyst names: read, never judged.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::artifact::sigma::{RuleFile, Rules};
use crate::error::Error;
use crate::text;

/// Bytes of one file.
const LARGEST: u64 = 4 << 20;
/// Bytes of all files together; the public rule set has 6 MiB.
const MOST_BYTES: u64 = 256 << 20;
/// Files; the public rule set has 3,200.
const MOST_FILES: usize = 100_000;
/// Folders within folders.
const DEEPEST: usize = 32;

/// A kind of rules.
pub(super) struct Kind {
    /// Extensions of its files in a folder, lower case.
    extensions: &'static [&'static str],
    /// What a folder without them lacks.
    lacks: &'static str,
}

const SIGMA: Kind =
    Kind { extensions: &["yml", "yaml"], lacks: "no .yml or .yaml file of Sigma rules in it" };
/// YARA rules.
pub(super) const YARA: Kind =
    Kind { extensions: &["yar", "yara"], lacks: "no .yar or .yara file of YARA rules in it" };

/// Indicators of the analyst's own.
pub(super) const OWN: Kind = Kind { extensions: &["toml"], lacks: "no .toml file of rules in it" };

/// Loads the Sigma rules of files, and of folders in the order of their names.
///
/// # Errors
/// A path that is not there or cannot be read, and a folder without a file of rules: what was asked for is not there.
pub(super) fn load(paths: &[PathBuf]) -> Result<Rules, Error> {
    let files = read(paths, &SIGMA)?;
    Ok(Rules::load(files.into_iter().map(|(name, text)| RuleFile { name, text }).collect()))
}

/// Reads the files of rules of that kind, and of folders in the order of their names: each with its name and its text, or why
/// it cannot be read.
///
/// # Errors
/// As of [`load`].
pub(super) fn read(paths: &[PathBuf], kind: &Kind) -> Result<Vec<(String, FileText)>, Error> {
    let mut found = Vec::new();
    for path in paths {
        let open = |source| Error::Open { path: path.clone(), source };
        let before = found.len();
        if fs::metadata(path).map_err(open)?.is_dir() {
            walk(path, 0, kind, &mut found).map_err(open)?;
            if found.len() == before {
                let message = kind.lacks.to_owned();
                return Err(Error::Settings { path: path.clone(), message });
            }
        } else {
            found.push(path.clone());
        }
    }
    let mut left = MOST_BYTES;
    Ok(found.iter().map(|path| file(path, &mut left)).collect())
}

/// Links to folders are not followed: they may lead in circles.
fn walk(folder: &Path, level: usize, kind: &Kind, found: &mut Vec<PathBuf>) -> io::Result<()> {
    if level > DEEPEST {
        return Err(io::Error::other(format!("folders nest deeper than {DEEPEST} levels")));
    }
    let mut entries: Vec<_> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            walk(&path, level.saturating_add(1), kind, found)?;
        } else if kind.is_file(&path) {
            if found.len() >= MOST_FILES {
                return Err(io::Error::other(format!("more than {MOST_FILES} files of rules")));
            }
            found.push(path);
        }
    }
    Ok(())
}

impl Kind {
    fn is_file(&self, path: &Path) -> bool {
        let extension = path.extension().map(std::ffi::OsStr::to_ascii_lowercase);
        extension.is_some_and(|extension| self.extensions.iter().any(|one| extension == *one))
    }
}

/// The text of a file, or why it cannot be read.
type FileText = Result<String, String>;

/// Reads one file; what cannot be read is the rule loader's to tell.
fn file(path: &Path, left: &mut u64) -> (String, FileText) {
    let name = path.to_string_lossy().replace('\\', "/");
    (name, text_of(path, left))
}

fn text_of(path: &Path, left: &mut u64) -> Result<String, String> {
    #[expect(clippy::disallowed_methods, reason = "the analyst's own file, not evidence")]
    let file = fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let most = LARGEST.min(*left);
    let mut bytes = Vec::new();
    let limit = most.saturating_add(1);
    let read = file.take(limit).read_to_end(&mut bytes);
    let length = read.map_err(|error| format!("cannot be read: {error}"))?;
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    if length > most {
        return Err(match most {
            LARGEST => format!("larger than {} MiB", LARGEST >> 20),
            _ => format!("more than {} MiB of rules", MOST_BYTES >> 20),
        });
    }
    *left = left.saturating_sub(length);
    String::from_utf8(bytes).map_err(|_| "not UTF-8 text".to_owned())
}

/// One line on what became of the rules; the report has the rest.
pub(super) fn summary(rules: &Rules) -> Option<String> {
    let set = rules.set();
    let count = |count: usize, words: &str| (count > 0).then(|| format!("{count} {words}"));
    let parts = [
        count(set.not_loaded.len(), "cannot be used"),
        count(set.partly_usable.len(), "of the loaded ask for fields that not every log has"),
        count(set.not_applicable, "are for other systems"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    let first = set.not_loaded.first().map(|one| {
        let line = one.line.map(|line| format!(":{line}")).unwrap_or_default();
        let (file, reason) = (text::terminal_safe(&one.file), text::terminal_safe(&one.reason));
        format!("; {file}{line}: {reason}")
    });
    (!parts.is_empty()).then(|| {
        let (loaded, parts) = (set.loaded, parts.join(", "));
        let first = first.unwrap_or_default();
        format!("{loaded} Sigma rules are loaded; {parts} (see the report){first}")
    })
}
