//! Names looked up in the sorted indexes of folders, by the `ntfs` crate.

use std::io;
use std::sync::Arc;

use ntfs::indexes::NtfsFileNameIndex;
use ntfs::structured_values::NtfsFileNamespace;
use ntfs::{Ntfs, NtfsError};

use super::guard::{Metered, guarded};
use super::record::Reference;
use super::straight::Straightened;
use crate::evidence::source::{Cursor, SharedSource};

/// What one look-up may read, in bytes: a path down the tree is a few nodes.
const BUDGET: u64 = 8 << 20;

/// The crate's view of the volume.
pub(super) struct Lookup {
    view: SharedSource,
    ntfs: Ntfs,
}

impl Lookup {
    /// # Errors
    /// Where the crate refuses the volume or its table of upper-case letters.
    pub(super) fn open(view: Straightened) -> io::Result<Self> {
        let view: SharedSource = Arc::new(view);
        guarded(|| {
            let mut reader = metered(&view);
            let mut ntfs = Ntfs::new(&mut reader).map_err(refused)?;
            ntfs.read_upcase_table(&mut reader).map_err(refused)?;
            Ok(Self { view: Arc::clone(&view), ntfs })
        })
    }

    /// What a folder's index says about a name in any case.
    ///
    /// # Errors
    /// Where a node on the way is damaged.
    pub(super) fn find(&self, folder: u64, name: &str) -> io::Result<Option<Found>> {
        guarded(|| {
            let mut reader = metered(&self.view);
            let folder = self.ntfs.file(&mut reader, folder).map_err(refused)?;
            let names = folder.directory_index(&mut reader).map_err(refused)?;
            let mut finder = names.finder();
            let entry = NtfsFileNameIndex::find(&mut finder, &self.ntfs, &mut reader, name);
            let Some(entry) = entry.transpose().map_err(refused)? else { return Ok(None) };
            let Some(key) = entry.key().transpose().map_err(refused)? else { return Ok(None) };
            let file = entry.file_reference();
            Ok(Some(Found {
                file: Reference {
                    record: file.file_record_number(),
                    sequence: file.sequence_number(),
                },
                is_exact: key.name() == name,
                is_case_sensitive: key.namespace() == NtfsFileNamespace::Posix,
                times: [
                    key.creation_time(),
                    key.modification_time(),
                    key.mft_record_modification_time(),
                    key.access_time(),
                ]
                .map(|time| time.nt_timestamp()),
            }))
        })
    }
}

/// A name that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    pub(super) file: Reference,
    /// Whether its case is that of the name looked for.
    pub(super) is_exact: bool,
    /// Whether the folder may have another file whose name differs in case only.
    pub(super) is_case_sensitive: bool,
    /// As [`times_at`](super::file_name::times_at) orders them.
    pub(super) times: [u64; 4],
}

fn metered(view: &SharedSource) -> Cursor {
    Cursor::new(Arc::new(Metered::new(Arc::clone(view), BUDGET)))
}

fn refused(error: NtfsError) -> io::Error {
    match error {
        NtfsError::Io(error) => error,
        other => io::Error::new(io::ErrorKind::InvalidData, other.to_string()),
    }
}
