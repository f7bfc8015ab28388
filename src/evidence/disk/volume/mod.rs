//! NTFS volumes as trees of files. The only place that names `ntfs`.
//!
//! The crate looks names up in the indexes of folders. Everything that it cannot do is ours: a `$MFT` in pieces,
//! streams in several records, compression, the overlay, what was never written, damaged indexes, deleted files.
//! A stream is resolved when it is opened; reading it touches nothing but the volume's bytes.

mod attribute_list;
mod boot;
mod bytes;
mod cache;
mod deleted;
mod file;
mod file_name;
mod guard;
mod index;
mod lookup;
mod lznt1;
mod metadata;
mod mft;
mod overlay;
mod record;
mod reparse;
mod runs;
mod secure;
mod step;
mod straight;
mod stream;
#[cfg(test)]
mod tests;
mod tree;
mod upcase;

use std::io;
use std::sync::{Arc, OnceLock};

use boot::Geometry;
use bytes::{damaged, index as length_of, shown, units};
use cache::Cache;
use file::File;
use guard::{BUDGET, Budgeted, operation};
use index::{Index, IndexEntry};
use lookup::Lookup;
use metadata::ROOT;
use mft::Mft;
use record::{DATA, Reference, VOLUME_NAME};
use reparse::Reparse;
use secure::Descriptors;
use straight::Straightened;
use upcase::Upcase;

use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::EvidencePath;
use crate::evidence::source::{SharedSource, read_exact_at};

/// The file that stands for all file records: `$MFT/1234` is the file, deleted or not, that has record 1234.
const RECORDS: &str = "$MFT";
const VOLUME: u64 = 3;
const UPCASE: u64 = 10;
const UPCASE_SIZE: u64 = 0x2_0000;
/// `FILE_ATTRIBUTE_REPARSE_POINT`.
const REPARSE_POINT: u32 = 0x400;

/// An NTFS volume.
///
/// Paths have `/` between names, which are compared by the volume's own rules; `name:stream` names an alternate
/// data stream, `$MFT/1234` the file that has record 1234 whether it was deleted or not, `$MFT/1234:stream` a
/// stream of it.
pub(in crate::evidence) struct Volume {
    source: SharedSource,
    mft: Mft,
    upcase: Upcase,
    /// Absent where the crate refuses the volume; then names are looked up in the lists of folders.
    lookup: Option<Lookup>,
    /// The folders whose names were last looked up without it.
    indexes: Cache<Index>,
    /// Where the security descriptors are; read when the first one is asked for.
    descriptors: OnceLock<Option<Descriptors>>,
    serial: u64,
    diagnostics: Vec<Diagnostic>,
}

/// A file or folder that a path leads to.
struct Found {
    file: File,
    /// Its times as the index of its folder has them; absent for the root and for files found by their record.
    index_times: Option<[u64; 4]>,
    /// The alternate data stream that was asked for.
    stream: Option<String>,
}

impl Volume {
    /// Opens a volume that begins and ends where the source does.
    ///
    /// # Errors
    /// Where there is no boot sector of NTFS, or none of them leads to a `$MFT`.
    pub(in crate::evidence) fn open(source: SharedSource) -> io::Result<Self> {
        let source: SharedSource = Arc::new(Budgeted(source));
        operation(BUDGET, || Self::open_guarded(source))
    }

    fn open_guarded(source: SharedSource) -> io::Result<Self> {
        let mut diagnostics = Vec::new();
        let (geometry, mft) = find_mft(&source, &mut diagnostics)?;
        let (upcase, lookup) = match read_upcase(&source, &mft) {
            Ok(upcase) => {
                let view = Straightened::new(&source, &geometry, &mft);
                (upcase, view.and_then(|view| Lookup::open(view).ok()))
            }
            Err(error) => {
                diagnostics.push(Diagnostic {
                    artifact: "$UpCase".to_owned(),
                    impact: Impact::Partial,
                    message: format!("names are compared by Unicode's rules instead: {error}"),
                });
                (Upcase::unicode(), None)
            }
        };
        let (indexes, descriptors) = (Cache::default(), OnceLock::new());
        let serial = geometry.serial;
        Ok(Self { source, mft, upcase, lookup, indexes, descriptors, serial, diagnostics })
    }

    /// What is wrong with the volume as a whole.
    pub(in crate::evidence) fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The volume's serial number, as `vol` prints the lower half of.
    pub(in crate::evidence) fn serial(&self) -> u64 {
        self.serial
    }

    /// The volume's label; absent where it has none.
    pub(in crate::evidence) fn label(&self) -> Option<String> {
        let label = operation(BUDGET, || {
            let file = self.read(VOLUME)?;
            let label = file.of_kind(VOLUME_NAME).find_map(|label| label.value());
            Ok(label.map(|label| shown(&units(label))))
        });
        label.ok().flatten().filter(|label| !label.is_empty())
    }

    fn cluster(&self) -> u64 {
        self.mft.cluster
    }

    fn read(&self, record: u64) -> io::Result<File> {
        File::read(&self.source, &self.mft, record)
    }

    fn follow(&self, reference: Reference) -> io::Result<File> {
        File::follow(&self.source, &self.mft, reference)
    }

    fn reparse(&self, file: &File) -> io::Result<Option<Reparse>> {
        let is_flagged = metadata::attributes(file).map(|flags| flags & REPARSE_POINT != 0);
        match Reparse::of(file, &self.source, self.cluster()) {
            // Without what it says, the file's own bytes may be no more than a hole.
            Ok(None) if is_flagged == Some(true) => Err(damaged("the reparse point is lost")),
            Err(_) if is_flagged == Some(false) => Ok(None),
            found => found,
        }
    }

    /// The file that has a name in a folder, in any case; the exact name before others.
    fn find(&self, folder: &File, name: &str) -> io::Result<Found> {
        let found = self.lookup.as_ref().map(|lookup| lookup.find(folder.number(), name));
        let (file, times) = match found {
            Some(Ok(Some(found))) if found.is_exact || !found.is_case_sensitive => {
                (found.file, found.times)
            }
            _ => {
                let entry = self.find_in_list(folder, name)?;
                (entry.file, entry.key.times)
            }
        };
        Ok(Found { file: self.follow(file)?, index_times: Some(times), stream: None })
    }

    /// The same without the help of the order of names: for damaged indexes and names that are no Unicode.
    fn find_in_list(&self, folder: &File, name: &str) -> io::Result<IndexEntry> {
        let wanted: Vec<u16> = name.encode_utf16().collect();
        let is_lossy = name.contains(char::REPLACEMENT_CHARACTER);
        let index = self
            .indexes
            .get(folder.number(), || Index::read(&self.source, folder, self.cluster()))?;
        let same = index.entries.iter().filter(|entry| {
            let found = &entry.key.name;
            self.upcase.same(found, &wanted) || is_lossy && shown(found) == name
        });
        let found = same.min_by_key(|entry| (entry.key.name != wanted, &entry.key.name));
        found.cloned().ok_or_else(|| match index.damage.first() {
            Some(damage) => damaged(format!("not in its folder, whose index is damaged: {damage}")),
            None => io::ErrorKind::NotFound.into(),
        })
    }

    /// The file that a path leads to.
    fn locate(&self, path: &EvidencePath) -> io::Result<Found> {
        let names: Vec<&str> = path.components().collect();
        if let [first, number] = names.as_slice()
            && first.eq_ignore_ascii_case(RECORDS)
        {
            let (number, stream) = split_stream(number);
            let number = number.parse().map_err(|_| io::ErrorKind::NotFound)?;
            return Ok(Found { file: self.read(number)?, index_times: None, stream });
        }
        let mut found = Found { file: self.read(ROOT)?, index_times: None, stream: None };
        let last = names.len().saturating_sub(1);
        for (nth, name) in names.into_iter().enumerate() {
            found = self.step(&found.file, name, nth == last)?;
        }
        Ok(found)
    }

    fn step(&self, folder: &File, name: &str, is_last: bool) -> io::Result<Found> {
        if !folder.base.is_folder() {
            return Err(io::ErrorKind::NotADirectory.into());
        }
        if self.reparse(folder)?.is_some_and(|reparse| reparse.is_link()) {
            return Err(io::Error::other("leads through a link"));
        }
        match self.find(folder, name) {
            Err(error)
                if is_last && error.kind() == io::ErrorKind::NotFound && name.contains(':') =>
            {
                let (name, stream) = split_stream(name);
                Ok(Found { stream, ..self.find(folder, name)? })
            }
            found => found,
        }
    }
}

/// `name:stream` in its parts.
fn split_stream(name: &str) -> (&str, Option<String>) {
    match name.split_once(':') {
        // The name of the kind is part of Windows' own syntax: `name::$DATA` is the unnamed stream.
        Some((name, stream)) => {
            let stream = stream.trim_end_matches(":$DATA");
            (name, Some(stream.to_owned()).filter(|stream| !stream.is_empty()))
        }
        None => (name, None),
    }
}

fn read_upcase(source: &SharedSource, mft: &Mft) -> io::Result<Upcase> {
    let stream = File::read(source, mft, UPCASE)?.stream(DATA, <[u16]>::is_empty, mft.cluster)?;
    if stream.size != UPCASE_SIZE {
        return Err(damaged(format!("the table has {} bytes", stream.size)));
    }
    let mut table = vec![0; length_of(UPCASE_SIZE)];
    read_exact_at(stream.open(source)?.as_ref(), 0, &mut table)?;
    Upcase::parse(&table).ok_or_else(|| damaged("the table is damaged"))
}

/// The first boot sector that leads to a `$MFT`, and that.
fn find_mft(source: &SharedSource, told: &mut Vec<Diagnostic>) -> io::Result<(Geometry, Mft)> {
    let first = boot::first(source.as_ref())?.ok_or_else(|| damaged("no boot sector of NTFS"));
    let found = first.and_then(|geometry| {
        let (mft, lost) = Mft::open(source, &geometry)?;
        Ok((geometry, mft, lost))
    });
    let (geometry, mft, lost) = match found {
        Ok(found) => found,
        Err(error) => {
            let mut backups =
                boot::backups(source.as_ref()).into_iter().filter_map(|(at, backup)| {
                    let (mft, lost) = Mft::open(source, &backup).ok()?;
                    Some((at, backup, mft, lost))
                });
            let Some((at, backup, mft, lost)) = backups.next() else { return Err(error) };
            told.push(Diagnostic {
                artifact: "$Boot".to_owned(),
                impact: Impact::Note,
                message: format!("the boot sector is damaged; its backup at byte {at} is used"),
            });
            (backup, mft, lost)
        }
    };
    told.extend(lost.into_iter().map(|message| Diagnostic {
        artifact: RECORDS.to_owned(),
        impact: Impact::Partial,
        message,
    }));
    Ok((geometry, mft))
}
