//! Lists of known files and YARA rules that the analyst names: read, never judged.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use crate::artifact::hash_list::{HashList, HashLists, ListFile};
use crate::error::Error;
use crate::evidence::Content;
use crate::host::program_file::KnownList;

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
