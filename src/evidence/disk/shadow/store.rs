//! A store: which blocks were overwritten after a shadow copy was made, and where their older bytes are.

use std::collections::BTreeMap;
use std::io;

use super::catalog::{Described, Place};
use super::record::{self, BLOCK, HEADER, Kind};
use crate::bytes::{array_at, u32_at, u64_at};
use crate::evidence::source::Source;

/// Size of a block descriptor, in bytes.
const DESCRIPTOR: usize = 32;
/// Block descriptors that are read of all stores together: those of 256 GiB of overwritten data.
pub(super) const MAX_DESCRIPTORS: usize = 16 << 20;

/// The descriptor names a block whose bytes the next newer copy has.
const FORWARDER: u32 = 1;
/// The descriptor holds some of the 32 sectors of a block.
const OVERLAY: u32 = 2;
/// The descriptor says nothing.
const NOT_USED: u32 = 4;

/// Which blocks a store has. Blocks are counted from the start of the volume.
#[derive(Debug, Default)]
pub(super) struct Store {
    /// Where the older bytes of a block are.
    pub(super) moved: BTreeMap<u64, Moved>,
    /// Sectors that go over a block, in a view of this copy only.
    pub(super) overlays: BTreeMap<u64, Overlay>,
    /// Forwarders whose target no descriptor has named yet: target to origin.
    forwarded: BTreeMap<u64, u64>,
    descriptors: usize,
}

/// Where the older bytes of a block are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moved {
    /// In the store: bytes from the start of the volume.
    Kept(u64),
    /// Where the next newer copy has that block.
    Forward(u64),
}

/// Sectors that go over a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Overlay {
    /// Where the block with these sectors is, in bytes from the start of the volume.
    pub(super) at: u64,
    /// Which of the block's 32 sectors of 512 bytes; the lowest bit is the first.
    pub(super) sectors: u32,
}

/// The identifier of a shadow copy, from the header of its store.
pub(super) fn shadow_copy_id(source: &dyn Source, described: &Described) -> io::Result<String> {
    let Some(place) = described.place else { return Err(io::ErrorKind::NotFound.into()) };
    let header = record::read(source, place.header, Kind::StoreHeader)?;
    let id = array_at(&header, HEADER.saturating_add(16)).unwrap_or_default();
    Ok(record::guid(&id))
}

impl Store {
    /// Reads the block list of a store, of which at most `most` descriptors.
    pub(super) fn read(source: &dyn Source, place: &Place, most: usize) -> io::Result<Self> {
        let mut store = Self::default();
        let records = usize::try_from(source.size() / BLOCK).unwrap_or(usize::MAX);
        record::follow(source, place.block_list, Kind::BlockList, records, &mut |record| {
            for descriptor in record.get(HEADER..).unwrap_or_default().chunks_exact(DESCRIPTOR) {
                if descriptor.iter().all(|byte| *byte == 0) {
                    break;
                }
                if store.descriptors >= most {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!("the stores hold more than {MAX_DESCRIPTORS} blocks"),
                    ));
                }
                store.take(descriptor);
            }
            Ok(())
        })?;
        Ok(store)
    }

    /// How many descriptors were read.
    pub(super) fn descriptors(&self) -> usize {
        self.descriptors
    }

    /// Takes the next descriptor, by the rules for successive descriptors of one block.
    fn take(&mut self, descriptor: &[u8]) {
        let field = |at| u64_at(descriptor, at).unwrap_or_default();
        let flags = u32_at(descriptor, 24).unwrap_or_default();
        let (mut block, target, kept) = (field(0) / BLOCK, field(8) / BLOCK, field(16));
        self.descriptors = self.descriptors.saturating_add(1);
        if flags & NOT_USED != 0 {
            return;
        }
        if flags & OVERLAY != 0 {
            let sectors = u32_at(descriptor, 28).unwrap_or_default();
            let overlay = self.overlays.entry(block).or_insert(Overlay { at: kept, sectors });
            overlay.sectors |= sectors;
            return;
        }
        if let Some(origin) = self.forwarded.remove(&block) {
            block = origin;
        }
        if flags & FORWARDER == 0 {
            self.moved.insert(block, Moved::Kept(kept));
        } else if target == block {
            // Moved away and back again: the next newer copy has it where it was.
            self.moved.remove(&block);
        } else {
            self.moved.insert(block, Moved::Forward(target));
            self.forwarded.insert(target, block);
        }
    }
}
