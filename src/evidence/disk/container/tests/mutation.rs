//! Images with bytes flipped or their ends cut off: no panic, no endless work, and never zeros for what is missing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::super::super::partition;
use super::*;
use crate::evidence::source::Source;

/// Mutated images of each format.
const ROUNDS: u32 = 3000;

/// Reads of the file that opening an image and reading a disk of some sectors may cost.
const MOST_READS: usize = 20_000;

/// The file with some bytes changed and its end cut off, without copying it.
struct Mutated {
    file: SharedSource,
    changes: BTreeMap<u64, u8>,
    size: u64,
    reads: AtomicUsize,
}

impl Source for Mutated {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.reads.fetch_add(1, Ordering::Relaxed);
        let rest = usize::try_from(self.size.saturating_sub(offset)).unwrap();
        let count = buffer.len().min(rest);
        let count = self.file.read_at(offset, &mut buffer[..count])?;
        for (at, byte) in self.changes.range(offset..offset.saturating_add(count as u64)) {
            buffer[usize::try_from(at - offset).unwrap()] = *byte;
        }
        Ok(count)
    }
}

/// xorshift64*: the same numbers each time.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self, below: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 16) % below.max(1)
    }

    /// A place in a file: where it is not zeros, more often than not.
    fn place(&mut self, used: &[u64], size: u64) -> u64 {
        let at = self.next(used.len() as u64 * 5 / 4);
        let page = usize::try_from(at).ok().and_then(|at| used.get(at));
        match page {
            Some(page) => page + self.next(256),
            None => self.next(size),
        }
    }
}

/// Where a file has anything, in pages of 256 bytes.
fn used(file: &SharedSource) -> Vec<u64> {
    let bytes = all(file).unwrap();
    let pages = bytes.chunks(256).enumerate();
    pages
        .filter(|(_, page)| page.iter().any(|byte| *byte != 0))
        .map(|(at, _)| at as u64 * 256)
        .collect()
}

fn mutate(name: &str, files: &Files, wanted: &[u8]) {
    let file = &files.0[name];
    let used = used(file);
    let mut numbers = Numbers(0x5EED_0000 + name.len() as u64);
    for round in 0..ROUNDS {
        let is_cut = round % 8 == 0;
        let size = if is_cut { numbers.next(file.size()) } else { file.size() };
        let mut changes = BTreeMap::new();
        if !is_cut {
            for _ in 0..=numbers.next(6) {
                let at = numbers.place(&used, size);
                let byte = [0, 0xFF, 0x80, 1, u8::try_from(numbers.next(256)).unwrap()];
                changes.insert(at, byte[usize::try_from(numbers.next(5)).unwrap()]);
            }
        }
        let mutated =
            Arc::new(Mutated { file: Arc::clone(file), changes, size, reads: AtomicUsize::new(0) });
        let mut all = files.clone();
        all.0.insert(name.to_owned(), Arc::clone(&mutated) as SharedSource);
        if let Ok(Some(opened)) = all.open(name) {
            // A fixed VHD without its footer is a raw image, and may have a part of the footer for data.
            let is_told = is_cut && name != "fixed.vhd";
            let what = format!("{name}, round {round}, {size} bytes");
            read_some(&what, &opened.source, is_told.then_some(wanted));
            partition::read(&opened.source, name);
        }
        let reads = mutated.reads.load(Ordering::Relaxed);
        assert!(reads <= MOST_READS, "{name}, round {round}: {reads} reads");
    }
}

/// Reads the start of the disk and some of the rest. What a cut image gives must be what the disk has.
fn read_some(what: &str, disk: &SharedSource, wanted: Option<&[u8]>) {
    let size = disk.size();
    let start = (0..96).map(|sector| sector * 512);
    for at in start.chain([size / 2, size.saturating_sub(700), size.saturating_sub(1)]) {
        let mut buffer = [0xEE; 512];
        let Ok(count) = disk.read_at(at, &mut buffer) else { continue };
        assert!(count <= 512 && (count > 0 || at >= size));
        if let Some(wanted) = wanted {
            let at = usize::try_from(at).unwrap();
            let wanted = &wanted[at.min(wanted.len())..];
            assert!(wanted.starts_with(&buffer[..count]), "{what}: at {at}");
        }
    }
}

#[test]
fn damaged_images_give_errors_and_never_zeros() {
    let disk = disk();
    std::thread::scope(|scope| {
        for (name, files) in made::images(&disk) {
            // Other parts of a split image are bytes without a structure.
            if !name.starts_with("raw.0") {
                let disk = &disk;
                scope.spawn(move || mutate(name, &files, disk));
            }
        }
    });
}

#[test]
fn damaged_snapshots_give_errors_and_never_zeros() {
    let (disk, changed) = (disk(), changed(&disk()));
    std::thread::scope(|scope| {
        for (name, _, files) in made::snapshots(&disk, &changed) {
            let changed = &changed;
            scope.spawn(move || mutate(name, &files, changed));
        }
        let files = Files::default().with("log.vhdx", made::vhdx_with_log(&disk));
        let disk = &disk;
        scope.spawn(move || mutate("log.vhdx", &files, disk));
    });
}
