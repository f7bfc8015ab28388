//! Thousands of broken volumes: none may stop the run, and none may turn bytes into zeros unnoticed.

use std::collections::BTreeMap;
use std::ops::Range;

use super::*;
use crate::evidence::file_tree::{EntryKind, walk};
use crate::evidence::source::read_exact_at;

const VOLUMES: u64 = 3000;
/// More than the fixture needs to be walked and read, less than what a loop would take.
const MOST_READS: usize = 20_000;

/// The image with some bytes changed, perhaps cut off.
struct Broken {
    image: Arc<Vec<u8>>,
    changes: BTreeMap<usize, u8>,
    end: usize,
    reads: std::sync::atomic::AtomicUsize,
}

impl Source for Broken {
    fn size(&self) -> u64 {
        self.end as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let reads = self.reads.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(reads < MOST_READS, "reads without end: {:?}", self.changes);
        let start = usize::try_from(offset).unwrap_or(usize::MAX).min(self.end);
        let count = buffer.len().min(self.end - start);
        buffer[..count].copy_from_slice(&self.image[start..start + count]);
        for (at, byte) in self.changes.range(start..start + count) {
            buffer[at - start] = *byte;
        }
        Ok(count)
    }
}

/// A generator that gives the same numbers on every run (splitmix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % end as u64).unwrap()
    }
}

/// The parts of the image that say where everything is: boot sector, file records, nodes of indexes.
fn structures(image: &[u8]) -> Vec<Range<usize>> {
    let blocks = (0..image.len()).step_by(1024);
    let records = blocks.clone().filter(|at| image[*at..].starts_with(b"FILE"));
    // Most of a record is free; its attributes begin where the header ends.
    let mut parts: Vec<_> = records.map(|at| at..at + 512).collect();
    let nodes = blocks.filter(|at| image[*at..].starts_with(b"INDX"));
    parts.extend(nodes.map(|at| at..at + 1024));
    parts.extend((0..20).map(|_| 0..90));
    parts
}

fn broken(image: &Arc<Vec<u8>>, structures: &[Range<usize>], seed: u64) -> Broken {
    let mut numbers = Numbers(seed);
    let mut changes = BTreeMap::new();
    for _ in 0..[0, 1, 3, 40, 400][numbers.below(5)] {
        let part = structures[numbers.below(structures.len())].clone();
        let at = part.start + numbers.below(part.len());
        let byte = match numbers.below(4) {
            0 => 0,
            1 => 0xff,
            2 => image[at] ^ (1 << numbers.below(8)),
            _ => u8::try_from(numbers.below(256)).unwrap(),
        };
        changes.insert(at, byte);
    }
    let is_cut = changes.is_empty() || numbers.below(8) == 0;
    let end = if is_cut { numbers.below(image.len()) } else { image.len() };
    Broken { image: Arc::clone(image), changes, end, reads: 0.into() }
}

/// Walks the volume and reads some of it. Returns how many files were read and how many could not be. Where the
/// volume was only cut, what can be read is what the whole one has.
fn examine(broken: Broken, seed: usize, whole: &Volume) -> [usize; 2] {
    let is_cut_only = broken.changes.is_empty();
    let Ok(volume) = Volume::open(Arc::new(broken)) else { return [0, 1] };
    let all = walk(&volume, &EvidencePath::root(), 3, 500);
    let mut counts = [0, all.diagnostics.len()];
    let files = all.entries.iter().filter(|entry| matches!(entry.kind, EntryKind::File(_)));
    for entry in files.skip(seed % 29).step_by(29) {
        let source = volume.metadata(&entry.path).and_then(|_| volume.open(&entry.path));
        let Ok(source) = source else {
            counts[1] += 1;
            continue;
        };
        let mut buffer = vec![0; 40_000];
        for at in [0, source.size() / 2, source.size().saturating_sub(5)] {
            match source.read_at(at, &mut buffer) {
                Ok(0) => assert!(at >= source.size(), "{}", entry.path),
                Ok(count) => {
                    if is_cut_only {
                        let mut same = vec![1; count];
                        let source = whole.open(&entry.path).unwrap();
                        read_exact_at(source.as_ref(), at, &mut same).unwrap();
                        assert_eq!(same, buffer[..count], "{}", entry.path);
                    }
                    counts[0] += 1;
                }
                Err(_) => counts[1] += 1,
            }
        }
    }
    volume.deleted(&["gone.exe"]);
    counts
}

#[test]
fn broken_volumes_neither_stop_the_run_nor_hang() {
    let image = Arc::new(image());
    let whole = open(image.to_vec());
    let structures = structures(&image);
    let counts = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..2)
            .map(|worker| {
                let (image, structures, whole) = (&image, &structures, &whole);
                scope.spawn(move || {
                    let mut all = [0, 0];
                    for seed in (worker..VOLUMES).step_by(2) {
                        let broken = broken(image, structures, seed);
                        let counts = examine(broken, usize::try_from(seed).unwrap(), whole);
                        all = [all[0] + counts[0], all[1] + counts[1]];
                    }
                    all
                })
            })
            .collect();
        workers.into_iter().fold([0, 0], |all, worker| {
            let counts = worker.join().unwrap();
            [all[0] + counts[0], all[1] + counts[1]]
        })
    });
    // Most of most volumes is readable still, and much is not.
    assert!(counts[0] > 3000 && counts[1] > 3000, "{counts:?}");
}
