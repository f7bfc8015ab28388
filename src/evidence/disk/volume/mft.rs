//! The `$MFT`: all file records of the volume, wherever its pieces are.

use std::io;
use std::sync::Arc;

use super::attribute_list;
use super::boot::Geometry;
use super::bytes::{damaged, index};
use super::record::{ATTRIBUTE_LIST, Attribute, DATA, Record};
use super::runs::{Extents, Runs};
use super::stream::Stream;
use crate::evidence::source::{SharedSource, read_exact_at};

/// Where the file records are.
#[derive(Clone)]
pub(super) struct Mft {
    volume: SharedSource,
    runs: Arc<Runs>,
    /// The size of all records together, and of one, in bytes.
    pub(super) size: u64,
    pub(super) record_size: u64,
    pub(super) cluster: u64,
}

impl Mft {
    /// Finds all pieces of the `$MFT`; returns what it could not find too.
    ///
    /// # Errors
    /// Where neither the first record nor its mirror says where the `$MFT` is.
    pub(super) fn open(
        volume: &SharedSource,
        geometry: &Geometry,
    ) -> io::Result<(Self, Vec<String>)> {
        let mut lost = Vec::new();
        let first = first_record(volume, geometry, geometry.mft).or_else(|error| {
            lost.push(format!("{error}; its copy in $MFTMirr is used"));
            first_record(volume, geometry, geometry.mft_mirror)
        })?;
        let data =
            |attribute: &Attribute<'_>| attribute.kind == DATA && attribute.name().is_empty();
        let Some(outside) = first.attributes().find(data).and_then(|data| data.outside()) else {
            return Err(damaged("the first file record does not say where the $MFT is"));
        };
        let mut runs = Runs::default();
        let mut clusters = runs.add(outside.pairs, 0, geometry.cluster, false);
        let mut mft = Self {
            volume: Arc::clone(volume),
            runs: Arc::new(runs),
            size: outside.size.min(outside.valid),
            record_size: geometry.record,
            cluster: geometry.cluster,
        };
        for piece in mft.further_pieces(&first, &mut lost) {
            if piece.first_cluster < clusters {
                continue;
            }
            match mft.record(piece.reference.record) {
                Ok(record) => clusters = mft.extend(&record, clusters),
                Err(error) => lost.push(format!("a part of the $MFT is lost: {error}")),
            }
        }
        if clusters.saturating_mul(geometry.cluster) < mft.size {
            lost.push("a part of the $MFT is lost: nothing says where it is".to_owned());
        }
        Ok((mft, lost))
    }

    fn further_pieces(&self, first: &Record, lost: &mut Vec<String>) -> Vec<attribute_list::Piece> {
        let Some(further) = first.attributes().find(|attribute| attribute.kind == ATTRIBUTE_LIST)
        else {
            return Vec::new();
        };
        let pieces = Stream::of(&[further], self.cluster)
            .and_then(|stream| attribute_list::read(&stream.open(&self.volume)?));
        let mut pieces = pieces.unwrap_or_else(|error| {
            lost.push(format!("the list of the parts of the $MFT is damaged: {error}"));
            Vec::new()
        });
        pieces.retain(|piece| piece.kind == DATA && piece.reference.record != 0);
        pieces.sort_by_key(|piece| piece.first_cluster);
        pieces
    }

    /// Adds the pieces that an extension record describes. Returns how many clusters are known then.
    fn extend(&mut self, record: &Record, mut clusters: u64) -> u64 {
        let runs = Arc::make_mut(&mut self.runs);
        let data =
            |attribute: &Attribute<'_>| attribute.kind == DATA && attribute.name().is_empty();
        for outside in record.attributes().filter(data).filter_map(|data| data.outside()) {
            // Records are found in the order of the pieces, and so they stay.
            if outside.first_cluster >= clusters {
                let added = runs.add(outside.pairs, outside.first_cluster, self.cluster, false);
                clusters = outside.first_cluster.saturating_add(added);
            }
        }
        clusters
    }

    /// A file record by its number, whether it is in use or not.
    pub(super) fn record(&self, number: u64) -> io::Result<Record> {
        let at = number.checked_mul(self.record_size).filter(|at| *at < self.size);
        let at = at.ok_or_else(|| damaged(format!("file record {number} is outside the $MFT")))?;
        let mut bytes = vec![0; index(self.record_size)];
        read_exact_at(&self.bytes(), at, &mut bytes).map_err(|error| {
            io::Error::new(error.kind(), format!("file record {number} cannot be read: {error}"))
        })?;
        Record::parse(number, bytes)
    }

    /// All file records as they are on the volume.
    pub(super) fn bytes(&self) -> Extents {
        Extents {
            volume: Arc::clone(&self.volume),
            runs: Arc::clone(&self.runs),
            size: self.size,
            valid: self.size,
        }
    }
}

fn first_record(volume: &SharedSource, geometry: &Geometry, at: u64) -> io::Result<Record> {
    let mut bytes = vec![0; index(geometry.record)];
    read_exact_at(volume.as_ref(), at, &mut bytes)?;
    Record::parse(0, bytes)
}
