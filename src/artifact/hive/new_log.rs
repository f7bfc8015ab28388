//! New-format transaction logs: `HvLE` entries, each with a sequence number and two checksums.
//!
//! Layout: the regf specification of M. Suhanov, "Format of transaction log files", new format.

use super::base_block::{BaseBlock, USED};
use super::bytes::{size_at, u32_at, u64_at};
use super::marvin32::marvin32;
use super::replay::{AppliedEntries, LogFile, LogFormat, LogReport, Work};

const HEADER: usize = 40;
const SECTOR: usize = 512;
const FILE_TYPE: u32 = 6;

/// Applies every log of the new format; `false` when there is none.
pub(super) fn apply(work: &mut Work, logs: &[LogFile], reports: &mut [LogReport]) -> bool {
    let mut usable = Vec::new();
    let mut any = false;
    for (index, (log, report)) in logs.iter().zip(reports.iter_mut()).enumerate() {
        let Some(block) = BaseBlock::parse(&log.bytes).filter(|block| block.file_type == FILE_TYPE)
        else {
            if let Some(reason) = broken_log(&log.bytes) {
                report.format = Some(LogFormat::New);
                report.refuse(reason, true);
            }
            continue;
        };
        any = true;
        report.format = Some(LogFormat::New);
        if block.is_dirty() {
            report.refuse("its own base block is damaged", true);
        } else {
            usable.push((index, block));
        }
    }
    let origin = work.good_block.as_ref().map_or(0, |block| block.secondary_sequence);
    usable.sort_by_key(|(_, block)| block.primary_sequence.wrapping_sub(origin).cast_signed());
    if work.good_block.is_none() {
        let latest = usable.pop();
        for (index, _) in usable {
            if let Some(report) = reports.get_mut(index) {
                report.refuse(
                    "the base block is bad: only the log with the latest entries counts",
                    false,
                );
            }
        }
        usable = latest.into_iter().collect();
    }
    let mut next = None;
    for (index, block) in usable {
        if let (Some(log), Some(report)) = (logs.get(index), reports.get_mut(index)) {
            apply_log(work, log, &block, &mut next, report);
        }
    }
    any
}

/// Why a file that is no log of either format must once have been one of this format, if it must.
fn broken_log(bytes: &[u8]) -> Option<&'static str> {
    if bytes.starts_with(b"regf") && bytes.len() < USED {
        Some("cut off within its base block")
    } else if bytes.chunks(SECTOR).skip(1).any(has_whole_header) {
        Some("its base block is destroyed")
    } else {
        None
    }
}

/// Applies one log; `next` is the sequence number that must follow what is already applied.
fn apply_log(
    work: &mut Work,
    log: &LogFile,
    block: &BaseBlock,
    next: &mut Option<u32>,
    report: &mut LogReport,
) {
    let oldest = work.good_block.as_ref().map(|block| block.secondary_sequence);
    let mut offset = USED;
    let mut expected = block.primary_sequence;
    while offset < log.bytes.len() {
        let entry = match Entry::read(&log.bytes, offset, expected) {
            Ok(entry) => entry,
            Err(End { reason, damaged }) => {
                if damaged {
                    *next = Some(expected);
                }
                if damaged || (report.applied.is_none() && report.refused.is_none()) {
                    report.refuse(reason, damaged);
                }
                return;
            }
        };
        let stale = oldest.is_some_and(|oldest| is_before(entry.sequence, oldest))
            || next.is_some_and(|next| is_before(entry.sequence, next));
        if stale {
            report.refused =
                Some(format!("entries up to {} are already in the hive", entry.sequence));
        } else if next.is_some_and(|next| entry.sequence != next) {
            report.refuse(
                format!(
                    "entry {} does not follow what was applied: entries are missing",
                    entry.sequence
                ),
                true,
            );
            return;
        } else {
            if let Err(reason) = entry.write(work, log) {
                report.refuse(reason, true);
                return;
            }
            report.refused = None;
            record(report, &entry);
            *next = Some(entry.sequence.wrapping_add(1));
        }
        offset = offset.saturating_add(entry.bytes.len());
        expected = expected.wrapping_add(1);
    }
    if report.applied.is_none() && report.refused.is_none() {
        report.refuse("it holds no entry", false);
    }
}

fn record(report: &mut LogReport, entry: &Entry<'_>) {
    let applied = report.applied.get_or_insert(AppliedEntries {
        first_sequence: entry.sequence,
        last_sequence: entry.sequence,
        entries: 0,
        pages: 0,
    });
    applied.last_sequence = entry.sequence;
    applied.entries = applied.entries.saturating_add(1);
    applied.pages = applied.pages.saturating_add(entry.pages.len());
}

/// Whether one sequence number comes before another; they wrap around.
fn is_before(left: u32, right: u32) -> bool {
    left.wrapping_sub(right).cast_signed() < 0
}

/// Why reading entries ended.
struct End {
    reason: String,
    damaged: bool,
}

impl End {
    fn damage(reason: String) -> Self {
        Self { reason, damaged: true }
    }
}

/// One checked log entry.
struct Entry<'l> {
    sequence: u32,
    hive_bins_size: u32,
    bytes: &'l [u8],
    /// Offset from the first hive bin, and the page itself.
    pages: Vec<(usize, &'l [u8])>,
}

impl<'l> Entry<'l> {
    /// Reads the entry at an offset, or says why the log ends there.
    ///
    /// Logs are reused from their start, so an entry of an earlier use, or anything else, ends the log
    /// without being damage. An entry with the right number and wrong content is damage.
    fn read(log: &'l [u8], offset: usize, expected: u32) -> Result<Self, End> {
        let rest = log.get(offset..).unwrap_or_default();
        let damage = |what: &str| End::damage(format!("entry {expected} at {offset:#x} {what}"));
        if !rest.starts_with(b"HvLE") || u32_at(rest, 12) != Some(expected) {
            return Err(if is_destroyed(rest, expected) {
                damage("is destroyed")
            } else {
                End { reason: format!("no entry {expected} at {offset:#x}"), damaged: false }
            });
        }
        let size = size_at(rest, 4).filter(|size| *size >= SECTOR && size.is_multiple_of(SECTOR));
        let bytes = size
            .and_then(|size| rest.get(..size))
            .ok_or_else(|| damage("is cut off or has a bad size"))?;
        let whole =
            has_whole_header(bytes) && bytes.get(HEADER..).map(marvin32) == u64_at(bytes, 24);
        if !whole {
            return Err(damage("fails its checksum"));
        }
        let hive_bins_size = u32_at(bytes, 16)
            .filter(|size| *size >= 4096 && size.is_multiple_of(4096))
            .ok_or_else(|| damage("declares a bad size of the hive bins"))?;
        let pages = pages(bytes).ok_or_else(|| damage("lists pages it does not hold"))?;
        Ok(Self { sequence: expected, hive_bins_size, bytes, pages })
    }

    fn write(&self, work: &mut Work, log: &LogFile) -> Result<(), String> {
        let hive_bins_size = usize::try_from(self.hive_bins_size).unwrap_or(usize::MAX);
        let outside = self
            .pages
            .iter()
            .any(|(offset, page)| offset.saturating_add(page.len()) > hive_bins_size);
        if outside {
            return Err(format!("entry {} writes outside the hive bins", self.sequence));
        }
        work.grow(hive_bins_size, log.bytes.len())?;
        work.adopt_base_block(log, self.sequence, self.hive_bins_size);
        for (offset, page) in &self.pages {
            work.write_page(*offset, page);
        }
        Ok(())
    }
}

/// Whether the header of an entry passes its own checksum, Hash-2.
fn has_whole_header(entry: &[u8]) -> bool {
    entry.starts_with(b"HvLE")
        && entry.get(..32).map(marvin32).is_some_and(|sum| u64_at(entry, 32) == Some(sum))
}

/// Whether an entry stood at the start of a buffer where none can be read now.
///
/// Either it is there and damaged, or an entry that must have followed it is found further on.
fn is_destroyed(rest: &[u8], expected: u32) -> bool {
    let follows = |sector: &[u8]| {
        let ahead = u32_at(sector, 12).unwrap_or(0).wrapping_sub(expected);
        (1..=MAX_ENTRIES_LOST).contains(&ahead) && has_whole_header(sector)
    };
    if rest.starts_with(b"HvLE") && !has_whole_header(rest) {
        return true;
    }
    let misses_signature = u32_at(rest, 12) == Some(expected) && rest.iter().any(|byte| *byte != 0);
    misses_signature || rest.chunks(SECTOR).any(follows)
}

/// An entry this much further on still belongs to the same use of the log.
const MAX_ENTRIES_LOST: u32 = 1024;

fn pages(entry: &[u8]) -> Option<Vec<(usize, &[u8])>> {
    let count = size_at(entry, 20)?;
    let references = entry.get(HEADER..HEADER.checked_add(count.checked_mul(8)?)?)?;
    let mut start = HEADER.checked_add(references.len())?;
    let mut pages = Vec::with_capacity(count);
    for reference in references.chunks_exact(8) {
        let end = start.checked_add(size_at(reference, 4)?)?;
        pages.push((size_at(reference, 0)?, entry.get(start..end)?));
        start = end;
    }
    Some(pages)
}

#[cfg(test)]
mod tests {
    use super::super::base_block::{HIVE_BINS_START, seal};
    use super::super::bytes::put;
    use super::super::replay::{Replayed, replay};
    use super::*;

    /// A hive of one empty bin with the given sequence numbers.
    fn hive(primary: u32, secondary: u32) -> Vec<u8> {
        let mut bytes = vec![0; HIVE_BINS_START + 4096];
        put(&mut bytes, 0, b"regf");
        seal(&mut bytes, secondary, 4096);
        put(&mut bytes, 4, &primary.to_le_bytes());
        let sum = (0..127).fold(0, |sum, word| sum ^ u32_at(&bytes, word * 4).unwrap());
        put(&mut bytes, 508, &sum.to_le_bytes());
        bytes
    }

    /// An entry that writes its own number at the start of the hive bins.
    fn entry(sequence: u32, hive_bins_size: u32, offset: u32) -> Vec<u8> {
        let mut bytes = vec![0; SECTOR];
        put(&mut bytes, 0, b"HvLE");
        let fields = [512, 0, sequence, hive_bins_size, 1].map(u32::to_le_bytes).concat();
        put(&mut bytes, 4, &fields);
        put(&mut bytes, HEADER, &[offset.to_le_bytes(), 4_u32.to_le_bytes()].concat());
        put(&mut bytes, HEADER + 8, &sequence.to_le_bytes());
        let body = marvin32(&bytes[HEADER..]);
        put(&mut bytes, 24, &body.to_le_bytes());
        let header = marvin32(&bytes[..32]);
        put(&mut bytes, 32, &header.to_le_bytes());
        bytes
    }

    fn log(entries: &[Vec<u8>]) -> LogFile {
        let first = entries.first().and_then(|entry| u32_at(entry, 12)).unwrap_or(1);
        let mut bytes = vec![0; USED];
        put(&mut bytes, 0, b"regf");
        seal(&mut bytes, first, 4096);
        put(&mut bytes, 28, &FILE_TYPE.to_le_bytes());
        let sum = (0..127).fold(0, |sum, word| sum ^ u32_at(&bytes, word * 4).unwrap());
        put(&mut bytes, 508, &sum.to_le_bytes());
        bytes.extend(entries.concat());
        LogFile { name: "log".into(), bytes }
    }

    fn plain(sequences: impl IntoIterator<Item = u32>) -> LogFile {
        log(&sequences.into_iter().map(|it| entry(it, 4096, 64)).collect::<Vec<_>>())
    }

    /// The first and last applied entry of each log, and whether damage was told.
    fn outcome(replayed: &Replayed) -> Vec<(Option<(u32, u32)>, bool)> {
        let logs = replayed.logs.iter();
        logs.map(|log| (log.applied.map(|it| (it.first_sequence, it.last_sequence)), log.damaged))
            .collect()
    }

    #[test]
    fn sequence_numbers_decide_what_is_applied() {
        type Case<'c> = (&'c str, (u32, u32), Vec<LogFile>, Vec<(Option<(u32, u32)>, bool)>);
        let cases: [Case<'_>; 7] = [
            ("one log", (6, 5), vec![plain(5..8)], vec![(Some((5, 7)), false)]),
            (
                "two logs, later one first",
                (6, 5),
                vec![plain(8..9), plain(5..8)],
                vec![(Some((8, 8)), false), (Some((5, 7)), false)],
            ),
            ("older entries are skipped", (6, 5), vec![plain(3..8)], vec![(Some((5, 7)), false)]),
            ("a log of an earlier time", (6, 5), vec![plain(1..4)], vec![(None, false)]),
            ("a number far ahead", (6, 5), vec![plain(500..502)], vec![(Some((500, 501)), false)]),
            (
                "a gap between two logs",
                (6, 5),
                vec![plain(5..8), plain(9..11)],
                vec![(Some((5, 7)), false), (None, true)],
            ),
            (
                "numbers that wrap around",
                (0, u32::MAX),
                vec![plain([u32::MAX, 0, 1])],
                vec![(Some((u32::MAX, 1)), false)],
            ),
        ];
        for (name, (primary, secondary), logs, expected) in cases {
            let replayed = replay(hive(primary, secondary), &logs);
            assert_eq!(outcome(&replayed), expected, "{name}: {:?}", replayed.logs);
            let last = expected.iter().filter_map(|(applied, _)| *applied).map(|(_, last)| last);
            if let Some(last) = last.max_by_key(|last| last.wrapping_sub(secondary)) {
                assert_eq!(u32_at(&replayed.bytes, HIVE_BINS_START + 64), Some(last), "{name}");
                assert_eq!(u32_at(&replayed.bytes, 8), Some(last), "{name}");
            }
        }
    }

    #[test]
    fn leftovers_of_an_earlier_use_end_a_log_without_damage() {
        let replayed = replay(hive(6, 5), &[plain([5, 6, 3, 4])]);
        assert_eq!(outcome(&replayed), [(Some((5, 6)), false)]);
    }

    #[test]
    fn a_destroyed_entry_is_damage_wherever_it_was_hit() {
        for place in [0, 4, 12, 20, 24, 32, 40, 48, 511] {
            let mut log = plain([5, 6, 7]);
            log.bytes[USED + SECTOR + place] ^= 0x40;
            let replayed = replay(hive(6, 5), &[log]);
            assert_eq!(outcome(&replayed), [(Some((5, 5)), true)], "byte {place}");
        }
    }

    #[test]
    fn forged_sizes_and_places_are_refused() {
        for (name, entry) in [
            ("hive bins of 2 GiB", entry(5, 0x8000_0000, 64)),
            ("a page outside the hive bins", entry(5, 4096, 4096)),
            ("hive bins of a broken size", entry(5, 4097, 64)),
        ] {
            let replayed = replay(hive(6, 5), &[log(&[entry])]);
            assert_eq!(outcome(&replayed), [(None, true)], "{name}");
            assert!(replayed.is_still_dirty() && replayed.bytes.len() == HIVE_BINS_START + 4096);
        }
    }
}
