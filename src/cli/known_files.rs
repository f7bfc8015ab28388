//! Lists of known files and YARA rules that the analyst names: read, never judged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::rule_files;
use crate::artifact::hash_list::{HashList, HashLists, ListFile};
use crate::artifact::yara::{RuleSource, Rules};
use crate::error::Error;
use crate::evidence::Content;
use crate::host::program_file::KnownList;
use crate::text;

/// What the analyst knows of files.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Known files")]
pub struct KnownFileArgs {
    /// A list of bad files by hash: one a line, CSV, or an NSRL database; may be repeated (see docs/known-files.md).
    #[arg(long, value_name = "FILE")]
    pub known_bad: Vec<PathBuf>,
    /// The same of good files.
    #[arg(long, value_name = "FILE")]
    pub known_good: Vec<PathBuf>,
    /// YARA rules to run over the files behind services: a file, or a folder with .yar and .yara files; may be repeated
    /// (see docs/yara.md).
    #[arg(long, value_name = "DIR|FILE")]
    pub yara: Vec<PathBuf>,
}

impl KnownFileArgs {
    /// The lists, after a look at the beginning of each.
    ///
    /// # Errors
    /// A list that is not there, is no file, or has no hash.
    pub(super) fn lists(&self) -> Result<Arc<HashLists>, Error> {
        let bad = self.known_bad.iter().map(|path| (KnownList::KnownBad, path));
        let good = self.known_good.iter().map(|path| (KnownList::KnownGood, path));
        let lists: Result<HashLists, Error> =
            bad.chain(good).map(|(kind, path)| list(kind, path)).collect();
        lists.map(Arc::new)
    }

    /// The compiled YARA rules; nothing where none were asked for.
    ///
    /// # Errors
    /// A path that is not there, and no rule that can be used; in builds without the engine, always.
    pub(super) fn yara_rules(&self) -> Result<Option<Arc<Rules>>, Error> {
        let Some(first) = self.yara.first() else { return Ok(None) };
        let files = rule_files::read(&self.yara, &rule_files::YARA)?;
        let sources = files.into_iter().map(|(name, text)| RuleSource { name, text }).collect();
        let settings = |message| Error::Settings { path: first.clone(), message };
        Rules::load(sources).map(|rules| Some(Arc::new(rules))).map_err(settings)
    }
}

/// One line on the files of rules that cannot be used; the report has the rest.
pub(super) fn summary(rules: &Rules) -> Option<String> {
    let first = rules.not_loaded().first()?;
    Some(format!(
        "{} YARA rules are loaded; {} files of rules cannot be used (see the report); {}: {}",
        rules.count(),
        rules.not_loaded().len(),
        text::terminal_safe(&first.file),
        text::terminal_safe(&first.reason)
    ))
}

fn list(kind: KnownList, path: &Path) -> Result<HashList, Error> {
    let metadata = fs::metadata(path);
    let metadata = metadata.map_err(|source| Error::Open { path: path.to_owned(), source })?;
    let settings = |message: String| Error::Settings { path: path.to_owned(), message };
    if !metadata.is_file() {
        // A list is read once a host: a pipe has nothing left for the second.
        return Err(settings("no regular file".to_owned()));
    }
    let name = path.to_string_lossy().replace('\\', "/");
    HashList::new(kind, Box::new(OnDisk { path: path.to_owned(), name })).map_err(settings)
}

/// A list on this machine.
#[derive(Debug)]
struct OnDisk {
    path: PathBuf,
    name: String,
}

impl ListFile for OnDisk {
    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Box<dyn Content>> {
        #[expect(clippy::disallowed_methods, reason = "the analyst's own file, not evidence")]
        let file = fs::File::open(&self.path)?;
        Ok(Box::new(file))
    }
}
