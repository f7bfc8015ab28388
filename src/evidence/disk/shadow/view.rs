//! The bytes of a volume as a shadow copy holds them.

use std::collections::BTreeMap;
use std::io;

use super::catalog::Described;
use super::record::BLOCK;
use super::store::{MAX_DESCRIPTORS, Moved, Overlay, Store};
use crate::evidence::source::{SharedSource, Source};

/// Size of a sector of an overlay, in bytes.
const SECTOR: u64 = 512;
/// Sectors of a block.
const SECTORS: u64 = BLOCK / SECTOR;

/// A volume as it was. It only looks up where bytes are, so that any number of threads may read.
pub(super) struct View {
    volume: SharedSource,
    size: u64,
    /// Where the bytes of a block are, in bytes from the start of the volume; absent where they never moved.
    moved: BTreeMap<u64, u64>,
    overlays: BTreeMap<u64, Overlay>,
}

impl View {
    /// The view of the first of `chain`, which is followed by all newer copies.
    pub(super) fn new(volume: &SharedSource, chain: &[Described]) -> io::Result<Self> {
        let mut view = Self {
            volume: SharedSource::clone(volume),
            size: volume.size(),
            moved: BTreeMap::new(),
            overlays: BTreeMap::new(),
        };
        let mut left = MAX_DESCRIPTORS;
        for described in chain.iter().rev() {
            let place = described.place.ok_or_else(|| {
                io::Error::new(
                    io::ErrorKind::Unsupported,
                    "the data of this shadow copy, or of a newer one that it builds on, is not on this volume",
                )
            })?;
            let store = Store::read(volume.as_ref(), &place, left)?;
            left = left.saturating_sub(store.descriptors());
            view.apply(store);
            if described.volume_size != 0 {
                view.size = described.volume_size.min(volume.size());
            }
        }
        Ok(view)
    }

    /// Turns the view of the next newer copy into that of this store's.
    fn apply(&mut self, store: Store) {
        let resolve = |moved: Moved| match moved {
            Moved::Kept(at) => at,
            Moved::Forward(block) => {
                let unmoved = || block.saturating_mul(BLOCK);
                self.moved.get(&block).copied().unwrap_or_else(unmoved)
            }
        };
        let moved: Vec<(u64, u64)> =
            store.moved.into_iter().map(|(block, moved)| (block, resolve(moved))).collect();
        self.moved.extend(moved);
        self.overlays = store.overlays;
    }

    /// Where the bytes at an offset are in the volume, and how many lie there together.
    fn piece(&self, offset: u64) -> (u64, u64) {
        let (block, within) = (offset / BLOCK, offset % BLOCK);
        let start = self.moved.get(&block).copied().unwrap_or_else(|| block.saturating_mul(BLOCK));
        if let Some(overlay) = self.overlays.get(&block) {
            let covers = |sector: u64| overlay.sectors.checked_shr(low(sector)).unwrap_or(0) & 1;
            let sector = within / SECTOR;
            let end = (sector..SECTORS).find(|other| covers(*other) != covers(sector));
            let end = end.unwrap_or(SECTORS).saturating_mul(SECTOR);
            let start = if covers(sector) == 1 { overlay.at } else { start };
            return (start.saturating_add(within), end.saturating_sub(within));
        }
        if self.moved.contains_key(&block) {
            return (start.saturating_add(within), BLOCK.saturating_sub(within));
        }
        let moved = self.moved.range(block..).next().map(|(block, _)| *block);
        let overlaid = self.overlays.range(block..).next().map(|(block, _)| *block);
        let next = [moved, overlaid].into_iter().flatten().min().unwrap_or(u64::MAX);
        (offset, next.saturating_mul(BLOCK).saturating_sub(offset))
    }
}

fn low(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Source for View {
    fn size(&self) -> u64 {
        self.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let (at, together) = self.piece(offset);
        let together = together.min(self.size.saturating_sub(offset));
        let wanted = usize::try_from(together).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer) = buffer.get_mut(..wanted).filter(|buffer| !buffer.is_empty()) else {
            return Ok(0);
        };
        match self.volume.read_at(at, buffer)? {
            0 => Err(io::Error::new(
                io::ErrorKind::UnexpectedEof,
                "the shadow copy keeps bytes beyond the end of the volume",
            )),
            count => Ok(count),
        }
    }
}
