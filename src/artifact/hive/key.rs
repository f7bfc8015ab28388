//! Registry keys: what their own record says. Their lists are in `subkeys` and `values`.

use jiff::Timestamp;
use nt_hive::KeyNode;

use super::bytes::size_at;
use super::cell::{KeyRecord, NONE, used_cell};
use super::fuse::fused;
use super::{Hive, HiveError};
use crate::{text, time};

/// Windows allows 512 levels of keys; deeper ones come from damage or from someone's intent.
pub(super) const MAX_DEPTH: usize = 512;

/// Something in a hive that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[error("{message} (at {offset:#x})")]
pub struct Damage {
    /// File offset, in bytes, of the cell that is damaged or that leads to the damage.
    pub offset: usize,
    /// What is wrong with it.
    pub message: String,
}

/// What a key holds, as far as it can be read, and what could not be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing<T> {
    /// The readable items, in the order of the hive.
    pub items: Vec<T>,
    /// What was not readable; an absence means something only when this is empty.
    pub damaged: Vec<Damage>,
}

/// A key of an open hive.
#[derive(Clone)]
pub struct Key<'h> {
    pub(super) hive: &'h Hive<'h>,
    /// nt-hive's view; `None` when nt-hive refuses a list that leads here.
    pub(super) node: Option<KeyNode<'h, &'h [u8]>>,
    pub(super) offset: usize,
    pub(super) record: KeyRecord,
    pub(super) path: String,
    /// File offsets of the keys above, to notice loops.
    pub(super) ancestors: Vec<usize>,
}

impl<'h> Key<'h> {
    pub(super) fn root(hive: &'h Hive<'h>) -> Result<Self, HiveError> {
        let cell = used_cell(hive.bytes(), hive.base_block.root_cell).map_err(HiveError::Root)?;
        let record = KeyRecord::parse(cell.data)
            .ok_or_else(|| HiveError::Root(format!("the cell at {:#x} is no key", cell.offset)))?;
        let node = fused(|| hive.reader.root_key_node().ok()).flatten();
        Ok(Self {
            hive,
            node,
            offset: cell.offset,
            record,
            path: String::new(),
            ancestors: Vec::new(),
        })
    }

    /// The name as stored.
    pub fn name(&self) -> &str {
        &self.record.name
    }

    /// The path below the root key, `A\B`; empty for the root key itself.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// When the key itself, its values or its list of subkeys last changed, UTC, to 100 ns.
    pub fn last_write(&self) -> Option<Timestamp> {
        time::from_filetime(self.record.last_write_ticks)
    }

    /// File offset of the key's cell, in bytes; the `nk` record starts 4 bytes on.
    pub fn offset(&self) -> usize {
        self.offset
    }

    /// Whether the key's record differs from the primary file, so that a transaction log says this.
    ///
    /// Its values answer for themselves: [`super::Value::from_log`].
    pub fn from_log(&self) -> bool {
        let end = self.offset.saturating_add(4).saturating_add(self.record.length);
        self.hive.replayed.changes.touch(&(self.offset..end))
    }

    /// The key's security descriptor, self-relative, as stored in its `sk` cell.
    pub fn security(&self) -> Option<Vec<u8>> {
        let cell = used_cell(self.hive.bytes(), self.record.security).ok()?;
        if !cell.data.starts_with(b"sk") {
            return None;
        }
        let length = size_at(cell.data, 16)?;
        cell.data.get(20..20_usize.checked_add(length)?).map(<[u8]>::to_vec)
    }

    /// The class name; most keys have none.
    pub fn class_name(&self) -> Option<String> {
        if self.record.class == NONE || self.record.class_length == 0 {
            return None;
        }
        let cell = used_cell(self.hive.bytes(), self.record.class).ok()?;
        cell.data.get(..self.record.class_length).map(text::utf16le)
    }

    /// Finds a key below this one by its path, `A\B`, without regard to case.
    ///
    /// # Errors
    /// [`HiveError::Damaged`] when it is not found but could be in a damaged part.
    pub fn subkey(&self, path: &str) -> Result<Option<Self>, HiveError> {
        let mut key = self.clone();
        for name in path.split('\\').filter(|name| !name.is_empty()) {
            let listing = key.subkeys();
            match listing.items.into_iter().find(|child| text::same_name(child.name(), name)) {
                Some(child) => key = child,
                None => return absent(path, listing.damaged),
            }
        }
        Ok(Some(key))
    }

    /// How many records of a kind fit into the hive: no honest list is longer.
    pub(super) fn limit(&self, record: usize) -> usize {
        self.hive.bytes().len().checked_div(record).unwrap_or(0)
    }

    pub(super) fn damage(&self, message: impl Into<String>) -> Damage {
        Damage { offset: self.offset, message: message.into() }
    }

    /// Takes over what was wrong with a list; without a place of its own it is the key's.
    pub(super) fn report(&self, damaged: &mut Vec<Damage>, found: Vec<(Option<usize>, String)>) {
        damaged.extend(
            found
                .into_iter()
                .map(|(offset, message)| Damage { offset: offset.unwrap_or(self.offset), message }),
        );
    }
}

pub(super) fn absent<T>(wanted: &str, damaged: Vec<Damage>) -> Result<Option<T>, HiveError> {
    match damaged.into_iter().next() {
        Some(damage) => Err(HiveError::Damaged { wanted: wanted.into(), damage }),
        None => Ok(None),
    }
}

impl std::fmt::Debug for Key<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Key")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .finish_non_exhaustive()
    }
}
