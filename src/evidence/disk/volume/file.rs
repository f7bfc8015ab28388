//! A file: its record and those that hold what did not fit.

use std::collections::BTreeSet;
use std::io;

use super::attribute_list;
use super::bytes::damaged;
use super::mft::Mft;
use super::record::{ATTRIBUTE_LIST, Attribute, Record, Reference};
use super::stream::Stream;
use crate::evidence::source::SharedSource;

/// More than an attribute list of 256 KiB can name.
const MOST_RECORDS: usize = 10_000;

/// A file's records.
#[derive(Debug)]
pub(super) struct File {
    pub(super) base: Record,
    extensions: Vec<Record>,
    /// Why attributes may be missing.
    damage: Option<String>,
}

impl File {
    /// Reads a file's records, whether it is in use or deleted.
    ///
    /// # Errors
    /// Where its first record cannot be read. Damage of the others costs the attributes they held.
    pub(super) fn read(volume: &SharedSource, mft: &Mft, number: u64) -> io::Result<Self> {
        let base = mft.record(number)?;
        let mut file = Self { base, extensions: Vec::new(), damage: None };
        let list = file.base.attributes().find(|attribute| attribute.kind == ATTRIBUTE_LIST);
        let Some(list) = list else { return Ok(file) };
        let pieces = Stream::of(&[list], mft.cluster)
            .and_then(|stream| attribute_list::read(&stream.open(volume)?));
        let pieces = match pieces {
            Ok(pieces) => pieces,
            Err(error) => {
                file.damage = Some(error.to_string());
                return Ok(file);
            }
        };
        let numbers: BTreeSet<u64> = pieces.iter().map(|piece| piece.reference.record).collect();
        for extension in numbers.into_iter().filter(|other| *other != number).take(MOST_RECORDS) {
            match mft.record(extension) {
                Ok(record) if file.is_extended_by(&record) => file.extensions.push(record),
                Ok(_) => file.damage = Some(format!("file record {extension} is another file's")),
                Err(error) => file.damage = Some(error.to_string()),
            }
        }
        Ok(file)
    }

    /// Reads the file that an index entry leads to.
    ///
    /// # Errors
    /// Where the record has been given to another file since, besides the above.
    pub(super) fn follow(volume: &SharedSource, mft: &Mft, to: Reference) -> io::Result<Self> {
        let file = Self::read(volume, mft, to.record)?;
        let is_same = to.sequence == 0 || file.base.sequence() == to.sequence;
        if !file.base.is_in_use() || !is_same || file.base.base().record != 0 {
            return Err(damaged(format!("file record {} is free or another file's", to.record)));
        }
        Ok(file)
    }

    pub(super) fn number(&self) -> u64 {
        self.base.number
    }

    fn is_extended_by(&self, record: &Record) -> bool {
        let (base, sequence) = (record.base(), self.base.sequence());
        // The sequence number grows when a file is deleted, and its extension records keep the old one.
        let is_same = base.sequence == sequence
            || !self.base.is_in_use() && base.sequence == sequence.wrapping_sub(1);
        base.record == self.number() && is_same
    }

    /// Its attributes; those in several parts once for each part.
    pub(super) fn attributes(&self) -> impl Iterator<Item = Attribute<'_>> {
        std::iter::once(&self.base).chain(&self.extensions).flat_map(Record::attributes)
    }

    pub(super) fn of_kind(&self, kind: u32) -> impl Iterator<Item = Attribute<'_>> {
        self.attributes().filter(move |attribute| attribute.kind == kind)
    }

    /// The value of an attribute by its kind and name, wherever its parts are.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`] where there is none; where its parts do not fit.
    pub(super) fn stream(
        &self,
        kind: u32,
        is_named: impl Fn(&[u16]) -> bool,
        cluster: u64,
    ) -> io::Result<Stream> {
        let parts: Vec<_> =
            self.of_kind(kind).filter(|attribute| is_named(&attribute.name())).collect();
        if parts.is_empty() {
            return Err(match &self.damage {
                Some(damage) => damaged(damage.clone()),
                None => io::Error::new(io::ErrorKind::NotFound, "the file has no such stream"),
            });
        }
        Stream::of(&parts, cluster)
    }
}
