//! Old-format transaction logs: a bitmap of dirty 512-byte pages, then the pages.
//!
//! Layout: the regf specification of M. Suhanov, "Format of transaction log files", old format.

use super::base_block::{BaseBlock, HIVE_BINS_START, USED};
use super::bytes::u64_at;
use super::replay::{AppliedEntries, LogFile, LogFormat, LogReport, Work};

const PAGE: usize = 512;
const BITMAP: usize = USED + 4;

/// Applies the one old-format log that belongs to the primary file, if there is one.
pub(super) fn apply(work: &mut Work, logs: &[LogFile], reports: &mut [LogReport]) {
    let wanted = belonging_time(work);
    let mut best: Option<(usize, BaseBlock)> = None;
    for (index, (log, report)) in logs.iter().zip(reports.iter_mut()).enumerate() {
        match eligible(log, wanted, report) {
            Err((reason, damaged)) => report.refuse(reason, damaged),
            Ok(block) => {
                let later = best.as_ref().is_none_or(|(_, best)| {
                    block.primary_sequence.wrapping_sub(best.primary_sequence).cast_signed() > 0
                });
                report.refuse("another log of the same hive was applied", false);
                if later {
                    best = Some((index, block));
                }
            }
        }
    }
    if let Some((index, block)) = best
        && let (Some(log), Some(report)) = (logs.get(index), reports.get_mut(index))
    {
        report.refused = None;
        apply_log(work, log, &block, report);
    }
}

/// The last-write time (FILETIME ticks) a log must have reached: the primary's, or its first hive bin's.
fn belonging_time(work: &Work) -> Option<u64> {
    match &work.good_block {
        Some(block) => Some(block.last_write_ticks),
        None => work
            .bytes
            .get(HIVE_BINS_START..)
            .filter(|bin| bin.starts_with(b"hbin"))
            .and_then(|bin| u64_at(bin, 20)),
    }
}

fn eligible(
    log: &LogFile,
    wanted: Option<u64>,
    report: &mut LogReport,
) -> Result<BaseBlock, (&'static str, bool)> {
    if log.bytes.is_empty() {
        return Err(("it is empty", false));
    }
    let block =
        BaseBlock::parse(&log.bytes).ok_or(("it is not a registry transaction log", true))?;
    if !matches!(block.file_type, 1 | 2) {
        return Err(("it is not a registry transaction log", true));
    }
    report.format = Some(LogFormat::Old);
    if block.is_dirty() {
        return Err(("its own base block is damaged", true));
    }
    if log.bytes.get(USED..BITMAP) != Some(b"DIRT") {
        return Err(("it has no DIRT bitmap", true));
    }
    if wanted.is_none_or(|wanted| block.last_write_ticks < wanted) {
        return Err(("it was written before the hive", false));
    }
    Ok(block)
}

fn apply_log(work: &mut Work, log: &LogFile, block: &BaseBlock, report: &mut LogReport) {
    let bitmap_end = BITMAP.saturating_add(block.hive_bins_size / (8 * PAGE));
    let Some(bitmap) = log.bytes.get(BITMAP..bitmap_end) else {
        report.refuse("its bitmap is cut off", true);
        return;
    };
    if let Err(reason) = work.grow(block.hive_bins_size, log.bytes.len()) {
        report.refuse(reason, true);
        return;
    }
    let mut source = bitmap_end.next_multiple_of(PAGE);
    let mut pages = 0_usize;
    let bits = bitmap.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
    for (index, _) in bits.enumerate().filter(|(_, dirty)| *dirty) {
        let end = source.saturating_add(PAGE);
        let Some(page) = log.bytes.get(source..end) else {
            report.refuse(format!("it ends after {pages} pages; its bitmap names more"), true);
            break;
        };
        work.write_page(index.saturating_mul(PAGE), page);
        pages = pages.saturating_add(1);
        source = end;
    }
    let sequence = block.primary_sequence;
    work.adopt_base_block(log, sequence, u32::try_from(block.hive_bins_size).unwrap_or(u32::MAX));
    report.applied = Some(AppliedEntries {
        first_sequence: sequence,
        last_sequence: sequence,
        entries: 1,
        pages,
    });
}
