//! Cut and flipped logs: never a stop, never a silent loss.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::disallowed_methods, reason = "the tests' own files, not a report's evidence")]

use std::collections::BTreeMap;
use std::io::{self, Cursor, Read, Seek, SeekFrom};

use svctriage::artifact::event_log::{
    LogReading, Record, RecordState, Rejection, Selection, read_log,
};

use crate::support::corpus::corpus_folder;
use crate::support::logs::{log, logs, read};

const FILE_HEADER: usize = 4096;
const CHUNK: usize = 65_536;

/// A System log of one chunk in use: `PsExec` installed and started.
const PSEXEC: &str = "ID7045-7036 PSexec service installation.evtx";

fn attack_log(name: &str) -> Option<Vec<u8>> {
    Some(log(&corpus_folder("evtx/evtx-to-mitre-attack.tar.xz")?, name))
}

fn all(bytes: &[u8]) -> (LogReading, Vec<Record>) {
    read(bytes, &Selection::all())
}

/// What the reading accounts for: handed out, or said to be lost and why.
fn accounted(reading: &LogReading) -> u64 {
    reading.selected + reading.damaged + reading.rejected.values().sum::<u64>()
}

fn ids(records: &[Record]) -> Vec<u64> {
    let mut ids: Vec<u64> = records.iter().map(|record| record.file_record_id).collect();
    ids.sort_unstable();
    ids
}

/// A fixed sequence of numbers (xorshift64), so that a failure can be repeated.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }
}

#[test]
fn one_flipped_byte_never_loses_a_record_silently() {
    let Some(folder) = corpus_folder("evtx/evtx-to-mitre-attack.tar.xz") else { return };
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let small = logs(&folder).into_iter().filter(|path| path.metadata().unwrap().len() < 80_000);
    let mut flips = 0;
    for path in small.step_by(4) {
        let bytes = std::fs::read(&path).unwrap();
        let (whole, _) = all(&bytes);
        for _ in 0..60 {
            let at = numbers.below(bytes.len());
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << numbers.below(8);
            let (reading, _) = all(&flipped);
            let place = format!("{} at {at}: {reading:?}", path.display());
            assert!(accounted(&reading) >= whole.live + whole.unflushed, "{place}");
            assert_eq!(reading.chunks.unreadable, 0, "{place}");
            assert_eq!(reading.chunks.total, whole.chunks.total, "{place}");
            flips += 1;
        }
    }
    assert!(flips > 1000, "{flips}");
}

/// Where bytes are damaged, reading values directly loses nothing that rendering shows. Only values that run over the end of
/// their record may differ: what they run into is hidden from the renderer or not.
#[test]
fn damaged_values_are_read_as_rendering_reads_them() {
    let Some(folder) = corpus_folder("evtx/evtx-to-mitre-attack.tar.xz") else { return };
    let mut numbers = Numbers(0x1357_9bdf_0246_8ace);
    let small = logs(&folder).into_iter().filter(|path| path.metadata().unwrap().len() < 80_000);
    let (mut records, mut direct, mut different) = (0_usize, 0, 0_usize);
    for path in small.step_by(4) {
        let whole = std::fs::read(&path).unwrap();
        let used = whole.iter().rposition(|byte| *byte != 0).unwrap();
        for _ in 0..20 {
            let mut bytes = whole.clone();
            for _ in 0..=numbers.below(30) {
                let at = FILE_HEADER + 512 + numbers.below(used - FILE_HEADER - 512);
                bytes[at] ^= 1 << numbers.below(8);
            }
            let (reading, ours) = all(&bytes);
            let (_, reference) = read(&bytes, &Selection::all().rendered());
            let at = |record: &Record| (record.chunk, record.offset);
            let ours: BTreeMap<_, _> = ours.iter().map(|one| (at(one), one)).collect();
            for record in &reference {
                let same = ours.get(&at(record)).unwrap_or_else(|| panic!("lost: {record:?}"));
                assert_eq!(same.file_record_id, record.file_record_id);
                different += usize::from(*same != record);
            }
            records += reference.len();
            direct += usize::from(reading.rendered < reading.selected);
        }
    }
    assert!(records > 5000 && direct > 400, "{records} {direct}");
    assert!(different < records / 1000, "{different} of {records}");
}

#[test]
fn a_log_full_of_flips_is_read_to_its_end() {
    let Some(bytes) = attack_log(PSEXEC) else { return };
    let mut numbers = Numbers(88_172_645_463_325_252);
    for flips in [10, 100, 1000, 10_000] {
        for _ in 0..20 {
            let mut flipped = bytes.clone();
            for _ in 0..flips {
                let at = numbers.below(bytes.len());
                flipped[at] ^= 1 << numbers.below(8);
            }
            let (reading, records) = all(&flipped);
            assert_eq!(reading.selected, records.len() as u64);
            assert_eq!(reading.chunks.unreadable, 0);
        }
    }
}

#[test]
fn a_cut_log_gives_what_is_left_and_says_so() {
    let Some(bytes) = attack_log(PSEXEC) else { return };
    let (whole, records) = all(&bytes);
    assert!(whole.live > 0 && whole.damaged == 0);
    let last = records.iter().map(|record| record.offset as usize).max().unwrap();
    for length in (0..FILE_HEADER + last).step_by(997) {
        let (reading, left) = all(&bytes[..length]);
        let before = |record: &&Record| FILE_HEADER + (record.offset as usize) + 24 < length;
        let possible = records.iter().filter(before).count();
        assert!(left.len() <= possible, "{length}");
        assert!(left.iter().all(|one| records.contains(one)), "{length}");
        assert_eq!(reading.header.is_some(), length >= 128, "{length}");
        let in_chunk = length > FILE_HEADER;
        assert_eq!(reading.chunks.truncated, u64::from(in_chunk), "{length}");
        assert_eq!(reading.damaged > 0, in_chunk, "{length}");
        if let Some(lost) = possible.checked_sub(left.len()) {
            assert!(lost <= 1, "{length}: {lost} of {possible}");
        }
    }
}

#[test]
fn a_chunk_without_its_magic_is_recovered_record_by_record() {
    let Some(mut bytes) = attack_log(PSEXEC) else { return };
    let (whole, records) = all(&bytes);
    bytes[FILE_HEADER] = b'X';
    let (reading, recovered) = all(&bytes);
    assert_eq!(reading.chunks.bad_magic, 1);
    assert_eq!((reading.live, reading.damaged), (0, 1));
    // The records of an exported log are numbered anew, so that nothing confirms their header.
    let exported = records.iter().filter(|one| one.record_id != one.file_record_id).count();
    assert_eq!(recovered.len() + exported, usize::try_from(whole.live).unwrap());
    assert_eq!(reading.rejected.get(&Rejection::RecordIdDiffers).copied(), Some(exported as u64));
    assert!(recovered.iter().all(|one| one.state == RecordState::Recovered));
}

#[test]
fn zeros_and_a_foreign_header_stop_nothing() {
    let Some(bytes) = attack_log(PSEXEC) else { return };
    let (whole, records) = all(&bytes);
    let mut padded = bytes.clone();
    padded.resize(bytes.len() + 10 * CHUNK + 100, 0);
    padded[..8].copy_from_slice(b"NotAFile");
    let (reading, same) = all(&padded);
    assert_eq!(same, records);
    assert_eq!(reading.header, None);
    assert_eq!(reading.chunks.empty, whole.chunks.empty + 11);
    assert_eq!((reading.chunks.truncated, reading.damaged), (1, 0));
    assert!(reading.is_event_log());
    for nothing in [vec![], b"MZ".to_vec(), vec![0; 70_000], vec![b'*'; 200_000]] {
        let (reading, records) = all(&nothing);
        assert!(records.is_empty() && !reading.is_event_log());
    }
}

#[test]
fn a_wrong_checksum_is_a_finding_and_no_filter() {
    let Some(mut bytes) = attack_log(PSEXEC) else { return };
    let (whole, records) = all(&bytes);
    assert_eq!((whole.chunks.bad_header_checksum, whole.chunks.bad_records_checksum), (0, 0));
    bytes[FILE_HEADER + 52] ^= 1;
    let (reading, same) = all(&bytes);
    assert_eq!(same, records);
    let counts = (reading.chunks.bad_header_checksum, reading.chunks.bad_records_checksum);
    assert_eq!((counts, reading.damaged), ((1, 1), 0));
}

#[test]
fn what_the_log_still_holds_is_not_recovered_again() {
    let Some(folder) = corpus_folder("evtx/benign-system-logs.tar.xz") else { return };
    let path = logs(&folder).remove(0);
    let mut bytes = std::fs::read(path).unwrap();
    let (whole, records) = all(&bytes);
    let mut copy = bytes[FILE_HEADER..FILE_HEADER + CHUNK].to_vec();
    copy[0] = b'X';
    bytes.extend(copy);
    let (reading, same) = all(&bytes);
    assert_eq!(ids(&same), ids(&records));
    assert_eq!(reading.selected, whole.selected);
    let doubled = records.iter().filter(|one| one.chunk == 0).count() as u64;
    let before = whole.rejected.get(&Rejection::Duplicate).copied().unwrap_or(0);
    assert_eq!(reading.rejected[&Rejection::Duplicate], doubled + before);
}

/// A medium with one bad spot.
struct BadSpot {
    content: Cursor<Vec<u8>>,
    bad: std::ops::Range<u64>,
}

impl Read for BadSpot {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.bad.contains(&self.content.position()) {
            return Err(io::Error::other("bad sector"));
        }
        self.content.read(buffer)
    }
}

impl Seek for BadSpot {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.content.seek(to)
    }
}

#[test]
fn an_unreadable_chunk_costs_itself_only() {
    let Some(folder) = corpus_folder("evtx/benign-system-logs.tar.xz") else { return };
    let bytes = std::fs::read(logs(&folder).remove(0)).unwrap();
    let (whole, records) = all(&bytes);
    let start = (FILE_HEADER + CHUNK) as u64;
    let mut content = BadSpot { content: Cursor::new(bytes), bad: start..start + 1 };
    let mut left = Vec::new();
    let reading =
        read_log(&mut content, &Selection::all(), &mut |record| left.push(record)).unwrap();
    assert_eq!((reading.chunks.unreadable, reading.damaged), (1, 1));
    assert!(reading.damage[0].message.contains("bad sector"));
    assert_eq!(reading.chunks.total, whole.chunks.total);
    let expected: Vec<&Record> = records.iter().filter(|one| one.chunk != 1).collect();
    assert_eq!(left.iter().collect::<Vec<_>>(), expected);
    assert_eq!(reading.gaps.count, whole.gaps.count + 1);
}

#[test]
fn threads_change_nothing() {
    let Some(folder) = corpus_folder("evtx/benign-system-logs.tar.xz") else { return };
    for path in logs(&folder) {
        let bytes = std::fs::read(path).unwrap();
        let with = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| all(&bytes))
        };
        assert_eq!(with(1), with(8));
    }
}
