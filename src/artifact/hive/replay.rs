//! Transaction-log replay: what Windows would do before it loads a hive that was not written to its end.
//!
//! A pure step from bytes to bytes; nothing is written anywhere. Rules: the regf specification of
//! M. Suhanov, "Recovery"; checked against hives that Windows 7 and Windows 10 recovered themselves.

use super::base_block::{self, BaseBlock, HIVE_BINS_START};
use super::changes::Changes;
use super::{new_log, old_log};

/// A transaction log found beside a hive (`.LOG`, `.LOG1`, `.LOG2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// How reports name it.
    pub name: String,
    /// The whole file.
    pub bytes: Vec<u8>,
}

/// Which of the two log formats a log has; told by its content, never by the version of the hive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFormat {
    /// `HvLE` entries with checksums: Windows 8.1, Server 2012 R2 and later.
    New,
    /// `DIRT` bitmap and 512-byte pages: up to Windows 8 and Server 2012.
    Old,
}

/// What became of one transaction log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogReport {
    /// The name under which the log was given.
    pub name: String,
    /// Its format, when it was recognised.
    pub format: Option<LogFormat>,
    /// What was applied of it.
    pub applied: Option<AppliedEntries>,
    /// Why it, or the rest of it, was not applied; `None` when all of it was.
    pub refused: Option<String>,
    /// Whether `refused` means that changes Windows recorded are missing here.
    pub damaged: bool,
}

/// The log entries that were written over the primary file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AppliedEntries {
    /// Sequence number of the first entry.
    pub first_sequence: u32,
    /// Sequence number of the last entry.
    pub last_sequence: u32,
    /// Number of entries; an old-format log is one entry.
    pub entries: usize,
    /// Number of dirty pages in them.
    pub pages: usize,
}

/// A hive's bytes after replay, and how they came about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The hive as Windows would see it once loaded, as far as the logs allow.
    pub bytes: Vec<u8>,
    /// The base block of the primary file before replay; `None` when it has no `regf` signature.
    pub primary: Option<BaseBlock>,
    /// The log that gave the base block, when the primary's was bad.
    pub base_block_from: Option<String>,
    /// One report per given log, in the order given.
    pub logs: Vec<LogReport>,
    /// Where the bytes differ from the primary file.
    pub changes: Changes,
}

impl Replayed {
    /// Whether the primary file was not written to its end.
    pub fn was_dirty(&self) -> bool {
        self.primary.as_ref().is_none_or(BaseBlock::is_dirty)
    }

    /// Whether changes that Windows would know may be missing: dirty, and no log could be applied.
    pub fn is_still_dirty(&self) -> bool {
        self.was_dirty() && self.logs.iter().all(|log| log.applied.is_none())
    }
}

/// Applies the logs to the primary file, or says why not.
///
/// A primary file with a good base block takes every entry from its secondary sequence number on, without
/// a gap, from all logs. One with a bad base block takes the base block from the log with the latest
/// entries, and that log only. A clean primary file ignores its logs.
pub fn replay(primary: Vec<u8>, logs: &[LogFile]) -> Replayed {
    let block = BaseBlock::parse(&primary);
    let mut reports: Vec<LogReport> = logs.iter().map(LogReport::unread).collect();
    if block.as_ref().is_some_and(|block| !block.is_dirty()) {
        for report in &mut reports {
            report.refused = Some("the hive was written to its end; its logs are history".into());
        }
        return Replayed::untouched(primary, block, reports);
    }
    if logs.is_empty() {
        return Replayed::untouched(primary, block, reports);
    }
    let mut work = Work {
        bytes: primary.clone(),
        good_block: block.clone().filter(|block| block.checksum_valid),
        base_block_from: None,
    };
    if new_log::apply(&mut work, logs, &mut reports) {
        for report in reports.iter_mut().filter(|report| report.format.is_none()) {
            report.refuse("another log of the hive has the new format, this one has not", false);
        }
    } else {
        old_log::apply(&mut work, logs, &mut reports);
    }
    let primary_end =
        block.as_ref().filter(|block| block.checksum_valid).map_or(primary.len(), |block| {
            HIVE_BINS_START.saturating_add(block.hive_bins_size).min(primary.len())
        });
    let changes = Changes::between(&primary, primary_end, &work.bytes);
    Replayed {
        bytes: work.bytes,
        primary: block,
        base_block_from: work.base_block_from,
        logs: reports,
        changes,
    }
}

/// The hive being rebuilt.
pub(super) struct Work {
    pub(super) bytes: Vec<u8>,
    /// The primary's base block, when its checksum is right.
    pub(super) good_block: Option<BaseBlock>,
    pub(super) base_block_from: Option<String>,
}

impl Work {
    /// Takes everything but the sequence numbers and the file type from the base block of a log.
    pub(super) fn adopt_base_block(&mut self, log: &LogFile, sequence: u32, hive_bins_size: u32) {
        if self.bytes.len() < HIVE_BINS_START {
            self.bytes.resize(HIVE_BINS_START, 0);
        }
        if let Some(used) = log.bytes.get(..base_block::USED) {
            super::bytes::put(&mut self.bytes, 0, used);
        }
        base_block::seal(&mut self.bytes, sequence, hive_bins_size);
        if self.good_block.is_none() && self.base_block_from.is_none() {
            self.base_block_from = Some(log.name.clone());
        }
    }

    /// Makes room for hive bins, unless the log asks for more than it can fill.
    ///
    /// New hive bins are written to the log whole, so a hive never grows by more than its log holds; a
    /// forged size must not make us allocate gigabytes.
    pub(super) fn grow(&mut self, hive_bins_size: usize, log_length: usize) -> Result<(), String> {
        let wanted = HIVE_BINS_START.saturating_add(hive_bins_size);
        if wanted > self.bytes.len().saturating_add(log_length) {
            return Err(format!(
                "the log declares {hive_bins_size} bytes of hive bins, more than it could fill"
            ));
        }
        if wanted > self.bytes.len() {
            self.bytes.resize(wanted, 0);
        }
        Ok(())
    }

    /// Writes a dirty page at an offset counted from the first hive bin.
    pub(super) fn write_page(&mut self, offset: usize, page: &[u8]) {
        super::bytes::put(&mut self.bytes, HIVE_BINS_START.saturating_add(offset), page);
    }
}

impl Replayed {
    fn untouched(bytes: Vec<u8>, primary: Option<BaseBlock>, logs: Vec<LogReport>) -> Self {
        Self { bytes, primary, base_block_from: None, logs, changes: Changes::default() }
    }
}

impl LogReport {
    fn unread(log: &LogFile) -> Self {
        Self { name: log.name.clone(), format: None, applied: None, refused: None, damaged: false }
    }

    /// Records why the log, or the rest of it, was not applied.
    pub(super) fn refuse(&mut self, reason: impl Into<String>, damaged: bool) {
        self.refused = Some(reason.into());
        self.damaged = damaged;
    }
}
