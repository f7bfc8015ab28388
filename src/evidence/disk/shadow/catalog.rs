//! The catalog: which shadow copies a volume has and where their stores are.

use std::io;

use jiff::Timestamp;

use super::record::{self, HEADER, Kind};
use crate::bytes::{array_at, u64_at};
use crate::evidence::source::{Source, read_up_to};
use crate::time::from_filetime;

/// Where the volume header of the service is, in bytes from the start of the volume.
const VOLUME_HEADER: u64 = 0x1e00;
/// Size of a catalog entry, in bytes.
const ENTRY: usize = 128;
/// Records of a catalog that are read. Windows keeps at most 512 copies of a volume, which takes 9.
const MAX_RECORDS: usize = 64;
/// Store flag: the copy is offline, for example because it was deleted.
const OFFLINE: u64 = 0x100;

/// The shadow copies of a volume.
#[derive(Debug, Default)]
pub(super) struct Catalog {
    /// Oldest first.
    pub(super) copies: Vec<Described>,
    /// Whether the volume header names another volume as the place of the stores.
    pub(super) is_redirected: bool,
    /// What is wrong with it, in sentences.
    pub(super) problems: Vec<String>,
}

/// What the catalog says about a copy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Described {
    /// The identifier of its store.
    pub(super) id: [u8; 16],
    /// The size of the volume when it was made, in bytes.
    pub(super) volume_size: u64,
    /// Its position among the copies of the volume: newer ones have higher ones.
    position: u64,
    flags: u64,
    /// When it was made, UTC.
    pub(super) created: Option<Timestamp>,
    /// Where its store is; absent where that is not on this volume.
    pub(super) place: Option<Place>,
}

/// Where a store is, in bytes from the start of the volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) header: u64,
    pub(super) block_list: u64,
}

impl Described {
    pub(super) fn is_offline(&self) -> bool {
        self.flags & OFFLINE != 0
    }
}

impl Catalog {
    /// Reads the catalog as far as it goes.
    pub(super) fn read(source: &dyn Source) -> Self {
        let mut catalog = Self::default();
        if let Err(error) = catalog.fill(source) {
            let problem = format!("the catalog of shadow copies is damaged: {error}");
            catalog.problems.push(problem);
        }
        catalog.copies.sort_by_key(|copy| (copy.position, copy.created, copy.id));
        catalog
    }

    fn fill(&mut self, source: &dyn Source) -> io::Result<()> {
        let mut header = [0; HEADER];
        let read = read_up_to(source, VOLUME_HEADER, &mut header)?;
        if read < header.len() || !Kind::VolumeHeader.begins(&header) {
            return Ok(());
        }
        self.is_redirected = array_at::<16>(&header, 64) != array_at::<16>(&header, 80);
        let first = u64_at(&header, 48).unwrap_or_default();
        let mut places = Vec::new();
        let copies = &mut self.copies;
        let read = record::follow(source, first, Kind::Catalog, MAX_RECORDS, &mut |record| {
            for entry in record.get(HEADER..).unwrap_or_default().chunks_exact(ENTRY) {
                match u64_at(entry, 0) {
                    Some(2) => copies.extend(described(entry)),
                    Some(3) => places.extend(place(entry)),
                    _ => {}
                }
            }
            Ok(())
        });
        for (id, place) in places {
            match self.copies.iter_mut().find(|copy| copy.id == id && copy.place.is_none()) {
                Some(copy) => copy.place = Some(place),
                None => self.problems.push(format!(
                    "the store {} belongs to no shadow copy of the catalog",
                    record::guid(&id)
                )),
            }
        }
        read
    }
}

/// A catalog entry of type 2.
fn described(entry: &[u8]) -> Option<Described> {
    Some(Described {
        volume_size: u64_at(entry, 8)?,
        id: array_at(entry, 16)?,
        position: u64_at(entry, 32)?,
        flags: u64_at(entry, 40)?,
        created: from_filetime(u64_at(entry, 48)?),
        place: None,
    })
}

/// A catalog entry of type 3, with the identifier of its store.
fn place(entry: &[u8]) -> Option<([u8; 16], Place)> {
    let place = Place { block_list: u64_at(entry, 8)?, header: u64_at(entry, 32)? };
    Some((array_at(entry, 16)?, place))
}
