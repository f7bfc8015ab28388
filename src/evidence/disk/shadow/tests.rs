use std::io;

use super::*;
use crate::evidence::source::{MemorySource, read_exact_at};

const BLOCK: usize = 0x4000;
/// Where the made volume has its records, in blocks.
const CATALOG: usize = 10;
const OLD_STORE: usize = 11;
const NEW_STORE: usize = 13;

/// A volume of 64 blocks, each filled with its own number.
struct Volume(Vec<u8>);

impl Volume {
    /// With two shadow copies that overwrote blocks 30 to 34.
    fn new() -> Self {
        let mut volume =
            Self((0..64_u8).flat_map(|number| std::iter::repeat_n(number, BLOCK)).collect());
        volume.record(0x1e00, 1, 128);
        volume.put(0x1e00 + 48, as_u64(CATALOG * BLOCK));
        volume.put(0x1e00 + 64, 7);
        volume.put(0x1e00 + 80, 7);
        volume.record(CATALOG * BLOCK, 2, BLOCK);
        // The newer one is listed first: the order of the catalog means nothing.
        volume.copy(0, 2, 0x40, NEW_STORE);
        volume.copy(2, 1, 0x140, OLD_STORE);
        volume.store(OLD_STORE, &[(30, 0, 20, 0, 0), (31, 32, 0, 1, 0), (35, 0, 25, 4, 0)]);
        volume.store(
            NEW_STORE,
            &[(33, 0, 21, 0, 0), (32, 0, 22, 0, 0), (34, 0, 23, 2, 0b1), (34, 1, 23, 2, 0b100)],
        );
        volume
    }

    fn put(&mut self, at: usize, value: u64) {
        self.0[at..at + 8].copy_from_slice(&value.to_le_bytes());
    }

    fn record(&mut self, at: usize, kind: u32, size: usize) {
        self.0[at..at + size].fill(0);
        self.0[at..at + 16].copy_from_slice(&record::IDENTIFIER);
        self.0[at + 16..at + 20].copy_from_slice(&1_u32.to_le_bytes());
        self.0[at + 20..at + 24].copy_from_slice(&kind.to_le_bytes());
    }

    fn copy(&mut self, entry: usize, position: u64, flags: u64, store: usize) {
        let at = CATALOG * BLOCK + 128 + entry * 128;
        for (offset, value) in [
            (0, 2),
            (8, 64 * as_u64(BLOCK)),
            (16, position),
            (32, position),
            (40, flags),
            (48, 132_000_000_000_000_000 + position),
            (128, 3),
            (136, as_u64((store + 1) * BLOCK)),
            (144, position),
            (160, as_u64(store * BLOCK)),
        ] {
            self.put(at + offset, value);
        }
        self.record(store * BLOCK, 4, BLOCK);
        self.put(store * BLOCK + 144, position);
    }

    /// Descriptors as block, target block, block of the store, flags, sectors.
    fn store(&mut self, store: usize, descriptors: &[(u64, u64, u64, u32, u32)]) {
        let list = (store + 1) * BLOCK;
        self.record(list, 3, BLOCK);
        for (index, (block, target, kept, flags, sectors)) in descriptors.iter().enumerate() {
            let at = list + 128 + index * 32;
            self.put(at, block * as_u64(BLOCK));
            self.put(at + 8, target * as_u64(BLOCK));
            self.put(at + 16, kept * as_u64(BLOCK));
            self.put(at + 24, u64::from(*flags) | u64::from(*sectors) << 32);
        }
    }

    fn source(self) -> SharedSource {
        Arc::new(MemorySource(self.0))
    }
}

fn as_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap()
}

/// The first byte of each of the 32 sectors of a block.
fn sectors(view: &SharedSource, block: usize) -> Vec<u8> {
    let mut bytes = vec![0; BLOCK];
    read_exact_at(view.as_ref(), as_u64(block * BLOCK), &mut bytes).unwrap();
    bytes.chunks(512).map(|sector| sector[0]).collect()
}

#[test]
fn copies_are_listed_oldest_first() {
    let found = copies(&Volume::new().source());
    let ids: Vec<&str> = found.list.iter().map(|copy| copy.id.as_str()).collect();
    assert_eq!(
        ids,
        ["{00000001-0000-0000-0000-000000000000}", "{00000002-0000-0000-0000-000000000000}"]
    );
    assert_eq!(found.list.iter().map(|copy| copy.number).collect::<Vec<_>>(), [1, 2]);
    assert!(found.list[0].created < found.list[1].created);
    assert_eq!(label(&found.list[1]), "shadow copy 2 of 2019-04-17 18:40:00 UTC");
    assert_eq!(found.diagnostics.len(), 1, "{:?}", found.diagnostics);
    assert!(found.diagnostics[0].message.contains("copy 1 is marked offline"));
}

#[test]
fn newer_stores_are_applied_before_older_ones() {
    let volume = Volume::new().source();
    let (old, new) = (open(&volume, 1).unwrap(), open(&volume, 2).unwrap());
    assert_eq!(old.size(), volume.size());
    for (view, block, from) in [
        (&new, 30, 30),
        (&new, 32, 22),
        (&new, 33, 21),
        (&old, 30, 20),
        // Forwarded to block 32, which the newer store holds.
        (&old, 31, 22),
        (&old, 33, 21),
        // The newer store's overlay is no part of the older copy.
        (&old, 34, 34),
        (&old, 35, 35),
    ] {
        assert_eq!(sectors(view, block), vec![from; 32], "block {block}");
    }
    let mut overlaid = vec![34; 32];
    (overlaid[0], overlaid[2]) = (23, 23);
    assert_eq!(sectors(&new, 34), overlaid);
}

#[test]
fn a_volume_without_copies_is_silent() {
    let empty: SharedSource = Arc::new(MemorySource(vec![0; BLOCK]));
    let found = copies(&empty);
    assert!(found.list.is_empty() && found.diagnostics.is_empty());
    assert_eq!(open(&empty, 1).err().map(|error| error.kind()), Some(io::ErrorKind::NotFound));
}

#[test]
fn damage_is_told_and_never_read_over() {
    let mut looped = Volume::new();
    looped.put(CATALOG * BLOCK + 40, as_u64(CATALOG * BLOCK));
    let mut foreign = Volume::new();
    foreign.put(0x1e00 + 80, 8);
    let mut storeless = Volume::new();
    storeless.put(CATALOG * BLOCK + 128 + 128, 1);
    let mut listless = Volume::new();
    listless.put((NEW_STORE + 1) * BLOCK + 16, 0);
    for (volume, listed, words, kind) in [
        (looped, 2, "leads back", None),
        (foreign, 2, "another volume", None),
        (storeless, 2, "not on this volume", Some(io::ErrorKind::Unsupported)),
        (listless, 2, "", Some(io::ErrorKind::InvalidData)),
    ] {
        let source = volume.source();
        let found = copies(&source);
        assert_eq!(found.list.len(), listed, "{words}");
        assert!(found.diagnostics.iter().any(|one| one.message.contains(words)), "{words}");
        // The older copy needs the newer store as well.
        assert_eq!(open(&source, 1).err().map(|error| error.kind()), kind, "{words}");
    }
}

#[test]
fn no_damage_stops_the_program() {
    let mut number = 1_u64;
    let mut next = |limit: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(number >> 33).unwrap() % limit
    };
    for _ in 0..300 {
        let mut volume = Volume::new();
        for _ in 0..4 {
            let record = [0x1e00, CATALOG * BLOCK, 12 * BLOCK, 13 * BLOCK, 14 * BLOCK][next(5)];
            volume.0[record + next(400)] = u8::try_from(next(256)).unwrap();
        }
        let source = volume.source();
        for copy in copies(&source).list {
            if let Ok(view) = open(&source, copy.number) {
                let _damaged = read_exact_at(view.as_ref(), 0, &mut vec![0; 64 * BLOCK]);
            }
        }
    }
}
