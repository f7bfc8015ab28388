//! What was examined, as the report tells it.

use serde::{Deserialize, Serialize};

use super::Stamp;
use crate::artifact::FileRead;
use crate::artifact::verify::HashVerdict;
use crate::evidence::{Description, Partition, ShadowCopy};

/// What was examined. What a folder does not have is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EvidenceSummary {
    /// As it was given.
    pub path: String,
    /// The layout that was recognised.
    pub format: String,
    /// The archives and disk images it lies in, from outside in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub containers: Vec<String>,
    /// The partitions of the disk image, in the order of their offsets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<PartitionSummary>,
    /// The volume shadow copies, oldest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shadow_copies: Vec<ShadowCopySummary>,
    /// Every file read, sorted by path.
    pub files: Vec<EvidenceFile>,
}

/// A file that was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EvidenceFile {
    /// Its path inside the evidence, as citations name it.
    pub path: String,
    /// Its size in bytes.
    pub size: u64,
    /// Whether it has the hash that the collector wrote down; absent where it wrote none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collector_hash: Option<HashVerdict>,
}

/// A part of a disk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartitionSummary {
    /// Its number, counted from 1; 0 for a volume without a partition table.
    pub number: usize,
    /// Where it begins, in bytes.
    pub start: u64,
    /// Its size in bytes.
    pub size: u64,
    /// What the partition table says.
    pub table: String,
    /// What its first bytes say.
    pub content: String,
    /// Whether this host was read from it.
    pub read: bool,
}

/// A volume shadow copy.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowCopySummary {
    /// Its number, counted from 1, oldest first.
    pub number: usize,
    /// Its identifier, a GUID.
    pub id: String,
    /// When it was taken.
    pub created: Option<Stamp>,
    /// Whether it was read as an older state of the host.
    pub read: bool,
}

impl EvidenceSummary {
    /// The summary of what was described and read.
    pub fn new(description: &Description, files: Vec<FileRead>) -> Self {
        let file = |file: FileRead| EvidenceFile {
            path: file.path,
            size: file.size,
            collector_hash: file.collector_hash,
        };
        Self {
            path: description.path.clone(),
            format: description.format.to_owned(),
            containers: description.containers.clone(),
            partitions: description.partitions.iter().map(PartitionSummary::new).collect(),
            shadow_copies: description.shadow_copies.iter().map(ShadowCopySummary::new).collect(),
            files: files.into_iter().map(file).collect(),
        }
    }
}

impl PartitionSummary {
    /// A partition as the report tells it.
    pub fn new(partition: &Partition) -> Self {
        Self {
            number: partition.number,
            start: partition.start,
            size: partition.size,
            table: partition.table.clone(),
            content: partition.content.clone(),
            read: partition.is_read,
        }
    }
}

impl ShadowCopySummary {
    /// A shadow copy as the report tells it.
    pub fn new(copy: &ShadowCopy) -> Self {
        Self {
            number: copy.number,
            id: copy.id.clone(),
            created: copy.created.map(Stamp),
            read: copy.is_read,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_folder_lacks_is_left_out() {
        let read = FileRead {
            history: None,
            records: None,
            path: "SYSTEM".into(),
            size: 7,
            kind: "SYSTEM hive".into(),
            collector_hash: None,
        };
        let mut description = Description { path: "x".into(), ..Description::default() };
        let plain = EvidenceSummary::new(&description, vec![read.clone()]);
        assert_eq!(
            serde_json::to_string(&plain).unwrap(),
            r#"{"path":"x","format":"","files":[{"path":"SYSTEM","size":7}]}"#
        );
        description.containers.push("zip archive".into());
        description.partitions.push(Partition {
            number: 1,
            start: 512,
            size: 1024,
            table: "MBR type 0x07".into(),
            content: "NTFS".into(),
            is_read: true,
        });
        description.shadow_copies.push(ShadowCopy {
            number: 1,
            id: "{0}".into(),
            created: None,
            is_read: false,
        });
        let read = FileRead { collector_hash: Some(HashVerdict::Mismatch), ..read };
        let full = EvidenceSummary::new(&description, vec![read]);
        let text = serde_json::to_string(&full).unwrap();
        assert!(text.contains(r#""collector_hash":"mismatch""#), "{text}");
        assert_eq!(serde_json::from_str::<EvidenceSummary>(&text).unwrap(), full);
    }
}
