//! Where the volumes of a disk are: GPT, MBR, or a volume without a partition table.

mod content;
mod gpt;
mod mbr;

use std::fmt;

use self::content::{Content, SUPERBLOCKS};
use crate::diagnostic::{Diagnostic, Impact};
use crate::evidence::Partition;
use crate::evidence::source::{SharedSource, Source, read_up_to};

/// The sizes of sectors that disks have.
const SECTORS: [u64; 2] = [512, 4096];

/// The parts of a disk, in the order of their offsets, and what is odd about them.
pub(super) struct Layout {
    pub(super) partitions: Vec<Partition>,
    pub(super) diagnostics: Vec<Diagnostic>,
}

/// A part of a disk as its table gives it.
struct Entry {
    number: usize,
    start: u64,
    size: u64,
    /// What the table says of it.
    table: String,
    /// Why the table alone makes it unreadable.
    unread: Option<&'static str>,
}

/// What was found in a table, in sentences.
#[derive(Default)]
struct Notes(Vec<(Impact, String)>);

impl Notes {
    fn add(&mut self, impact: Impact, message: impl fmt::Display) {
        self.0.push((impact, message.to_string()));
    }
}

/// Whether the first and last bytes of a file are those of a disk or volume.
pub(super) fn is_disk(start: &[u8], end: &[u8], size: u64) -> bool {
    if start.starts_with(b"regf") || start.starts_with(b"ElfFile") {
        return false;
    }
    Content::of(start).is_volume()
        || mbr::entries(start, size).is_some_and(|entries| !entries.is_empty())
        || [512, 4096].into_iter().any(|sector| gpt::is_at(start, end, size, sector))
}

/// Finds the partitions of a disk. Nothing here is an error: what cannot be read gives no partition and a diagnostic.
pub(super) fn read(disk: &SharedSource, artifact: &str) -> Layout {
    let mut notes = Notes::default();
    let entries = find(disk.as_ref(), &mut notes);
    let mut partitions: Vec<Partition> =
        entries.into_iter().map(|entry| partition(disk.as_ref(), entry, &mut notes)).collect();
    partitions.sort_by_key(|partition| (partition.start, partition.number));
    let diagnostics = notes
        .0
        .into_iter()
        .map(|(impact, message)| Diagnostic { artifact: artifact.to_owned(), impact, message })
        .collect();
    Layout { partitions, diagnostics }
}

fn find(disk: &dyn Source, notes: &mut Notes) -> Vec<Entry> {
    let mut start = vec![0; SUPERBLOCKS];
    match read_up_to(disk, 0, &mut start) {
        Ok(count) => start.truncate(count),
        Err(error) => {
            start.clear();
            notes.add(
                Impact::Partial,
                format_args!("the start of the disk cannot be read: {error}"),
            );
        }
    }
    // A boot sector of a volume ends in the same two bytes as a partition table: it must be asked first.
    if Content::of(&start).is_volume() {
        return vec![Entry {
            number: 0,
            start: 0,
            size: disk.size(),
            table: String::from("no partition table"),
            unread: None,
        }];
    }
    let master = mbr::entries(&start, disk.size());
    let is_protective =
        master.as_ref().is_some_and(|entries| entries.iter().any(mbr::Slot::is_gpt));
    let is_plain = master.as_ref().is_some_and(|entries| !entries.is_empty()) && !is_protective;
    if let Some(entries) = gpt::read(disk, master.as_deref().unwrap_or_default(), notes) {
        if !is_plain {
            if master.as_ref().is_some_and(|entries| entries.len() > 1) {
                notes.add(Impact::Note, "a hybrid partition table: the GPT is read, not the MBR");
            }
            return entries;
        }
        notes.0.clear();
        notes.add(Impact::Note, "the remains of a GPT are not read: the disk has an MBR since");
    }
    if is_protective {
        notes.add(Impact::Lost, "the GPT is lost: neither its header nor the backup is there");
    }
    let entries = master.map(|slots| mbr::partitions(disk, &slots, notes)).unwrap_or_default();
    if entries.is_empty() && !is_protective {
        notes.add(
            Impact::Lost,
            "no partition table and no volume at the start of the disk: it is empty, or its table is lost",
        );
    }
    entries
}

/// Looks at the first bytes of a partition, and keeps it inside the disk.
fn partition(disk: &dyn Source, entry: Entry, notes: &mut Notes) -> Partition {
    let there = disk.size().saturating_sub(entry.start);
    let size = entry.size.min(there);
    if size < entry.size {
        let Entry { number, size: claimed, .. } = entry;
        let message = format!(
            "partition {number} has {claimed} bytes of which {size} are on the disk: \
             the image is cut off or its table is damaged"
        );
        notes.add(Impact::Partial, message);
    }
    let mut bytes = vec![0; usize::try_from(size).unwrap_or(SUPERBLOCKS).min(SUPERBLOCKS)];
    let content = match read_up_to(disk, entry.start, &mut bytes) {
        _ if bytes.is_empty() => String::from("nothing"),
        Ok(count) => Content::of(bytes.get(..count).unwrap_or_default()).to_string(),
        Err(error) => format!("unreadable ({error})"),
    };
    let content = match entry.unread {
        Some(why) if content == Content::Unknown.to_string() => String::from(why),
        _ => content,
    };
    if let Some(why) = entry.unread {
        let number = entry.number;
        notes.add(Impact::Partial, format_args!("partition {number}: {why}"));
    }
    Partition {
        number: entry.number,
        start: entry.start,
        size,
        table: entry.table,
        content,
        is_read: false,
    }
}

/// Partitions in groups of several disks or parts of disks.
const DYNAMIC_DISK: &str =
    "part of a dynamic disk (LDM), whose volumes are read only where they begin with the partition";
const STORAGE_SPACES: &str = "part of a pool of Storage Spaces, which is not read";

#[cfg(test)]
mod tests;
