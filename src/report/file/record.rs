//! What the file system says about a file.

use serde::{Deserialize, Serialize};

use crate::evidence::{Metadata, Storage, TimeSource, Times};
use crate::host::Citation;
use crate::host::program_file::FileRecord;
use crate::report::Stamp;
use crate::text::same_name;

/// What the file system says about a file besides its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordReport {
    /// The names it has; several for hard links.
    pub names: Vec<String>,
    /// The size of its unnamed stream in bytes.
    pub size: u64,
    /// NTFS: the number of its file record.
    pub number: Option<u64>,
    /// How its bytes are kept, in words.
    pub storage: String,
    /// `FILE_ATTRIBUTE_*` in words.
    pub attributes: Vec<String>,
    /// The same as stored, a bit field.
    pub attributes_value: Option<u32>,
    /// Every set of times known.
    pub times: Vec<TimesReport>,
    /// Alternate data streams.
    pub streams: Vec<StreamReport>,
    /// The mark of the web.
    pub zone: Option<ZoneReport>,
    /// Who owns it and who may write it; null where the evidence has no access rules.
    pub access: Option<AccessReport>,
    /// The file records around its own; null where they were not looked at.
    pub neighborhood: Option<NeighborhoodReport>,
}

/// One set of times.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimesReport {
    /// Who says so: `standard_information`, `file_name`, `index` or `collector`.
    pub source: String,
    /// The name that a `file_name` set belongs to; null for the others.
    pub name: Option<String>,
    /// When the file was created.
    pub created: Option<Stamp>,
    /// When its bytes were last changed.
    pub modified: Option<Stamp>,
    /// When its record was last changed.
    pub changed: Option<Stamp>,
    /// When it was last read.
    pub accessed: Option<Stamp>,
}

/// An alternate data stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamReport {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size: u64,
}

/// The stream `Zone.Identifier`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ZoneReport {
    /// `ZoneId`.
    pub zone: Option<u8>,
    /// `HostUrl`.
    pub url: Option<String>,
    /// `ReferrerUrl`.
    pub referrer: Option<String>,
}

/// Who owns a file and who may write it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessReport {
    /// The owner.
    pub owner: Option<String>,
    /// Groups of ordinary users who may write it.
    pub writers: Vec<String>,
    /// The same for its folder.
    pub folder_writers: Vec<String>,
}

/// When the files around its record were born.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NeighborhoodReport {
    /// How many records around it were looked at.
    pub looked_at: usize,
    /// The middle of their times.
    pub middle: Option<Stamp>,
    /// How many of them were born within ten minutes of it.
    pub born_together: usize,
}

/// The record of a deleted file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeletedReport {
    /// The record.
    pub citation: Citation,
    /// What it says.
    pub record: RecordReport,
}

impl RecordReport {
    pub(super) fn new(record: &FileRecord) -> Self {
        let metadata = &record.metadata;
        let stream =
            |(name, size): &(String, u64)| StreamReport { name: name.clone(), size: *size };
        Self {
            names: metadata.names.clone(),
            size: metadata.size,
            number: metadata.record,
            storage: storage(metadata.storage),
            attributes: metadata.attributes.map(attribute_words).unwrap_or_default(),
            attributes_value: metadata.attributes,
            times: metadata.times.iter().map(TimesReport::new).collect(),
            streams: metadata.streams.iter().map(stream).collect(),
            zone: record.zone.as_ref().map(|zone| ZoneReport {
                zone: zone.zone,
                url: zone.url.clone(),
                referrer: zone.referrer.clone(),
            }),
            access: record.access.as_ref().map(|access| AccessReport {
                owner: access.owner.clone(),
                writers: access.writers.clone(),
                folder_writers: access.folder_writers.clone(),
            }),
            neighborhood: record.neighborhood.as_ref().map(|around| NeighborhoodReport {
                looked_at: around.looked_at,
                middle: around.middle.map(Stamp),
                born_together: around.born_together,
            }),
        }
    }
}

impl TimesReport {
    fn new(times: &Times) -> Self {
        let (source, name) = match &times.source {
            TimeSource::StandardInformation => ("standard_information", None),
            TimeSource::FileName(name) => ("file_name", Some(name.clone())),
            TimeSource::Index => ("index", None),
            TimeSource::Collector => ("collector", None),
        };
        Self {
            source: source.to_owned(),
            name,
            created: times.created.map(Stamp),
            modified: times.modified.map(Stamp),
            changed: times.changed.map(Stamp),
            accessed: times.accessed.map(Stamp),
        }
    }

    /// The source in the words of NTFS.
    pub fn label(&self) -> String {
        match (self.source.as_str(), &self.name) {
            ("standard_information", _) => "$STANDARD_INFORMATION".to_owned(),
            ("file_name", Some(name)) => format!("$FILE_NAME {name}"),
            ("file_name", None) => "$FILE_NAME".to_owned(),
            ("index", _) => "index of its folder".to_owned(),
            _ => "collector's record".to_owned(),
        }
    }
}

impl DeletedReport {
    pub(super) fn new((citation, record): &(Citation, FileRecord)) -> Self {
        Self { citation: citation.clone(), record: RecordReport::new(record) }
    }
}

/// When a file was born: when its name was given (`$FILE_NAME`, which no program sets), else as
/// `$STANDARD_INFORMATION`, the index or the collector has it.
pub(super) fn born(metadata: &Metadata, path: &str) -> Option<Stamp> {
    let leaf = crate::host::image_path::leaf(path);
    let has_name = |source: &TimeSource| match source {
        TimeSource::FileName(name) => same_name(crate::host::image_path::leaf(name), leaf),
        _ => false,
    };
    let is_name = |source: &TimeSource| matches!(source, TimeSource::FileName(_));
    let created = |wanted: &dyn Fn(&TimeSource) -> bool| {
        metadata.times.iter().find(|times| wanted(&times.source) && times.created.is_some())
    };
    let of_name = created(&has_name).or_else(|| created(&is_name));
    let times = of_name.or_else(|| created(&|_| true))?;
    times.created.map(Stamp)
}

/// How a file's bytes are kept, in words.
pub(crate) fn storage(storage: Storage) -> String {
    match storage {
        Storage::Plain => "as it is".to_owned(),
        Storage::Sparse => "with holes (sparse)".to_owned(),
        Storage::Lznt1 => "compressed (LZNT1)".to_owned(),
        Storage::Overlay(algorithm) => format!("compressed (CompactOS, {algorithm})"),
        Storage::External => "in a WIM file elsewhere: its bytes are not here".to_owned(),
        Storage::Encrypted => "encrypted (EFS): its bytes cannot be read".to_owned(),
    }
}

/// `FILE_ATTRIBUTE_*` (winnt.h) that say something about a program.
const ATTRIBUTES: [(u32, &str); 13] = [
    (0x1, "read-only"),
    (0x2, "hidden"),
    (0x4, "system"),
    (0x10, "directory"),
    (0x20, "archive"),
    (0x100, "temporary"),
    (0x200, "sparse"),
    (0x400, "reparse point"),
    (0x800, "compressed"),
    (0x1000, "offline"),
    (0x2000, "not indexed"),
    (0x4000, "encrypted"),
    (0x40_0000, "recall on data access"),
];

/// `FILE_ATTRIBUTE_*` in words.
pub(crate) fn attribute_words(attributes: u32) -> Vec<String> {
    let set = ATTRIBUTES.iter().filter(|(bit, _)| attributes & bit != 0);
    set.map(|(_, name)| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(source: TimeSource, created: &str) -> Times {
        let created = created.parse().ok();
        Times { source, created, modified: None, changed: None, accessed: None }
    }

    #[test]
    fn a_name_tells_best_when_a_file_was_born() {
        let standard = times(TimeSource::StandardInformation, "2019-03-19T04:52:11Z");
        let name = |name: &str, created| times(TimeSource::FileName(name.to_owned()), created);
        let (short, long) = ("2022-03-22T12:00:00Z", "2022-03-22T12:52:26Z");
        for (all, expected) in [
            (vec![standard.clone(), name("SVC~1.EXE", short), name("svchelper.exe", long)], long),
            (vec![standard.clone(), name("another.exe", short)], short),
            (vec![standard.clone(), name("svchelper.exe", "never")], "2019-03-19T04:52:11Z"),
            (vec![times(TimeSource::Collector, long)], long),
        ] {
            let metadata = Metadata { times: all, ..Metadata::default() };
            let expected = expected.parse().ok().map(Stamp);
            assert_eq!(born(&metadata, r"C:\Windows\svchelper.exe"), expected);
        }
        assert_eq!(born(&Metadata::default(), "x"), None);
    }
}
