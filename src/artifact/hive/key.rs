//! Registry keys: nt-hive walks the intact hive; where it refuses, the raw cells are consulted.

use std::collections::BTreeSet;

use jiff::Timestamp;
use nt_hive::{KeyNode, KeyValue, NtHiveNameString};

use super::bytes::size_at;
use super::cell::{
    self, KEY_HEADER, KeyRecord, NONE, VALUE_HEADER, ValueRecord, cell_at, file_offset, used_cell,
};
use super::fuse::fused;
use super::value::Value;
use super::{Hive, HiveError};
use crate::{text, time};

/// Windows allows 512 levels of keys; deeper ones come from damage or from someone's intent.
const MAX_DEPTH: usize = 512;

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
    hive: &'h Hive<'h>,
    /// nt-hive's view; `None` when nt-hive refuses a list that leads here.
    node: Option<KeyNode<'h, &'h [u8]>>,
    offset: usize,
    record: KeyRecord,
    path: String,
    /// File offsets of the keys above, to notice loops.
    ancestors: Vec<usize>,
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
    /// Its values answer for themselves: [`Value::from_log`].
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

    /// The subkeys, in the order of the hive (sorted by name when it is intact).
    pub fn subkeys(&self) -> Listing<Self> {
        let mut listing = Listing { items: Vec::new(), damaged: Vec::new() };
        let (declared, list) = (self.record.subkey_count, self.record.subkey_list);
        if list == NONE && declared == 0 {
            return listing;
        }
        if self.ancestors.len() >= MAX_DEPTH {
            listing.damaged.push(self.damage("keys are nested deeper than Windows allows"));
            return listing;
        }
        let complaint = self.read_subkeys(&mut listing);
        if let Some(complaint) = complaint {
            self.salvage_subkeys(&mut listing, &complaint);
        }
        let found = listing.items.len();
        if usize::try_from(declared) != Ok(found) && listing.damaged.is_empty() {
            let message = format!("the key declares {declared} subkeys, its list has {found}");
            listing.damaged.push(self.damage(message));
        }
        listing
    }

    /// Reads the subkeys with nt-hive; returns what nt-hive complained about first.
    fn read_subkeys(&self, listing: &mut Listing<Self>) -> Option<String> {
        let Some(node) = &self.node else {
            return Some("nt-hive cannot reach the key".into());
        };
        let mut nodes = match fused(|| node.subkeys()) {
            Some(Some(Ok(nodes))) => nodes,
            Some(None) => return Some("the key declares subkeys and has no list of them".into()),
            Some(Some(Err(error))) => return Some(error.to_string()),
            None => return Some("the list of subkeys cannot be read".into()),
        };
        let mut complaint = None;
        let mut seen = BTreeSet::new();
        for _ in 0..self.limit(KEY_HEADER) {
            match fused(|| nodes.next()) {
                Some(None) => return complaint,
                Some(Some(Ok(node))) => match self.child_from_node(node) {
                    Some(child) if self.is_fresh(child.offset, &mut seen) => {
                        listing.items.push(child);
                    }
                    _ => {
                        complaint = complaint.or(Some("an entry repeats or cannot be read".into()))
                    }
                },
                Some(Some(Err(error))) => complaint = complaint.or(Some(error.to_string())),
                None => complaint = complaint.or(Some("an entry points nowhere".into())),
            }
        }
        Some("the lists name more subkeys than the hive can hold".into())
    }

    /// Reads the subkeys from the raw list, keeping those nt-hive read.
    fn salvage_subkeys(&self, listing: &mut Listing<Self>, complaint: &str) {
        let bytes = self.hive.bytes();
        let offsets = cell::subkey_offsets(bytes, self.record.subkey_list, self.limit(KEY_HEADER));
        let damage = offsets.damage.into_iter();
        listing.damaged.extend(damage.map(|(offset, message)| Damage { offset, message }));
        let mut known: Vec<Self> = std::mem::take(&mut listing.items);
        known.sort_by_key(|key| key.offset);
        let mut seen = BTreeSet::new();
        for entry in offsets.entries {
            let place = file_offset(entry).unwrap_or(self.offset);
            if !self.is_fresh(place, &mut seen) {
                let message = "a key is listed twice or contains itself".into();
                listing.damaged.push(Damage { offset: place, message });
                continue;
            }
            if let Ok(index) = known.binary_search_by_key(&place, |key| key.offset) {
                listing.items.extend(known.get(index).cloned());
                continue;
            }
            match used_cell(bytes, entry).map(|cell| KeyRecord::parse(cell.data)) {
                Ok(Some(record)) => {
                    if record.name_cut {
                        let message = "the name of the key reaches beyond its cell".into();
                        listing.damaged.push(Damage { offset: place, message });
                    }
                    listing.items.push(self.child(None, place, record));
                }
                Ok(None) => {
                    let message = format!("the cell at {place:#x} is no key");
                    listing.damaged.push(Damage { offset: place, message });
                }
                Err(message) => listing.damaged.push(Damage { offset: place, message }),
            }
        }
        if listing.damaged.is_empty() {
            listing.damaged.push(self.damage(complaint));
        }
    }

    fn child_from_node(&self, node: KeyNode<'h, &'h [u8]>) -> Option<Self> {
        let start = fused(|| node.name().ok().and_then(|name| self.hive.place_of(&name)))??;
        let offset = start.checked_sub(KEY_HEADER)?.checked_sub(4)?;
        let cell = cell_at(self.hive.bytes(), offset).ok()?;
        let record = KeyRecord::parse(cell.data)?;
        Some(self.child(Some(node), offset, record))
    }

    fn child(&self, node: Option<KeyNode<'h, &'h [u8]>>, offset: usize, record: KeyRecord) -> Self {
        let path = if self.path.is_empty() {
            record.name.clone()
        } else {
            format!("{}\\{}", self.path, record.name)
        };
        let mut ancestors = self.ancestors.clone();
        ancestors.push(self.offset);
        Self { hive: self.hive, node, offset, record, path, ancestors }
    }

    /// Whether an offset is neither a sibling already listed nor this key or one above it.
    fn is_fresh(&self, offset: usize, seen: &mut BTreeSet<usize>) -> bool {
        offset != self.offset && !self.ancestors.contains(&offset) && seen.insert(offset)
    }

    /// How many records of a kind fit into the hive: no honest list is longer.
    fn limit(&self, record: usize) -> usize {
        self.hive.bytes().len().checked_div(record).unwrap_or(0)
    }

    fn damage(&self, message: impl Into<String>) -> Damage {
        Damage { offset: self.offset, message: message.into() }
    }

    /// Finds a value by name, without regard to case; the empty name is the default value.
    ///
    /// # Errors
    /// [`HiveError::Damaged`] when it is not found but could be in a damaged part.
    pub fn value(&self, name: &str) -> Result<Option<Value>, HiveError> {
        let entries = self.value_entries();
        match entries.items.iter().find(|entry| text::same_name(&entry.record.name, name)) {
            Some(entry) => Ok(Some(self.read_value(entry))),
            None => absent(name, entries.damaged),
        }
    }

    /// The values, in the order Windows keeps them, which is the order they were made in.
    pub fn values(&self) -> Listing<Value> {
        let entries = self.value_entries();
        let mut listing = Listing { items: Vec::new(), damaged: entries.damaged };
        // Values do not share data cells, so an honest key's data fits into the hive.
        let mut budget = self.hive.bytes().len();
        for entry in &entries.items {
            let length = if entry.record.inline.is_some() { 0 } else { entry.record.data_length };
            if length > budget {
                let message = "the values claim more data than the hive holds".into();
                listing.damaged.push(Damage { offset: entry.offset, message });
                continue;
            }
            budget = budget.saturating_sub(length);
            let value = self.read_value(entry);
            if let Some(message) = &value.damage {
                listing.damaged.push(Damage { offset: value.offset, message: message.clone() });
            }
            listing.items.push(value);
        }
        listing
    }

    fn value_entries(&self) -> Listing<ValueEntry<'h>> {
        let mut listing = Listing { items: Vec::new(), damaged: Vec::new() };
        if self.record.value_count == 0 {
            return listing;
        }
        if let Some(complaint) = self.read_values(&mut listing) {
            self.salvage_values(&mut listing, &complaint);
        }
        listing
    }

    /// Reads the value records with nt-hive; returns what nt-hive complained about first.
    fn read_values(&self, listing: &mut Listing<ValueEntry<'h>>) -> Option<String> {
        let Some(node) = &self.node else {
            return Some("nt-hive cannot reach the key".into());
        };
        let mut values = match fused(|| node.values()) {
            Some(Some(Ok(values))) => values,
            Some(None) => return Some("the key declares values and has no list of them".into()),
            Some(Some(Err(error))) => return Some(error.to_string()),
            None => return Some("the list of values cannot be read".into()),
        };
        let mut complaint = None;
        let mut seen = BTreeSet::new();
        for _ in 0..self.limit(VALUE_HEADER) {
            match fused(|| values.next()) {
                Some(None) => return complaint,
                Some(Some(Ok(value))) => match self.entry_from_value(value) {
                    Some(entry) if seen.insert(entry.offset) => listing.items.push(entry),
                    _ => {
                        complaint = complaint.or(Some("an entry repeats or cannot be read".into()))
                    }
                },
                Some(Some(Err(error))) => complaint = complaint.or(Some(error.to_string())),
                None => complaint = complaint.or(Some("an entry points nowhere".into())),
            }
        }
        Some("the list names more values than the hive can hold".into())
    }

    /// Reads the value records from the raw list, keeping those nt-hive read.
    fn salvage_values(&self, listing: &mut Listing<ValueEntry<'h>>, complaint: &str) {
        let bytes = self.hive.bytes();
        let offsets = cell::value_offsets(bytes, self.record.value_list, self.record.value_count);
        let damage = offsets.damage.into_iter();
        listing.damaged.extend(damage.map(|(offset, message)| Damage { offset, message }));
        let mut known = std::mem::take(&mut listing.items);
        known.sort_by_key(|entry| entry.offset);
        let mut seen = BTreeSet::new();
        for entry in offsets.entries {
            let place = file_offset(entry).unwrap_or(self.offset);
            if !seen.insert(place) {
                let message = "a value is listed twice".into();
                listing.damaged.push(Damage { offset: place, message });
                continue;
            }
            if let Ok(index) = known.binary_search_by_key(&place, |entry| entry.offset) {
                listing.items.extend(known.get(index).cloned());
                continue;
            }
            match used_cell(bytes, entry).map(|cell| ValueRecord::parse(cell.data)) {
                Ok(Some(record)) => {
                    listing.items.push(ValueEntry { offset: place, record, value: None });
                }
                Ok(None) => {
                    let message = format!("the cell at {place:#x} is no value");
                    listing.damaged.push(Damage { offset: place, message });
                }
                Err(message) => listing.damaged.push(Damage { offset: place, message }),
            }
        }
        if listing.damaged.is_empty() {
            listing.damaged.push(self.damage(complaint));
        }
    }

    fn entry_from_value(&self, value: KeyValue<'h, &'h [u8]>) -> Option<ValueEntry<'h>> {
        let start = fused(|| value.name().ok().and_then(|name| self.hive.place_of(&name)))??;
        let offset = start.checked_sub(VALUE_HEADER)?.checked_sub(4)?;
        let cell = cell_at(self.hive.bytes(), offset).ok()?;
        let record = ValueRecord::parse(cell.data)?;
        Some(ValueEntry { offset, record, value: Some(value) })
    }

    fn read_value(&self, entry: &ValueEntry<'h>) -> Value {
        self.hive.value(entry.offset, &entry.record, entry.value.as_ref())
    }
}

impl<'b> Hive<'b> {
    /// Where a name that nt-hive returned lies in the file: names are slices of our own buffer.
    fn place_of(&self, name: &NtHiveNameString<'_>) -> Option<usize> {
        let (NtHiveNameString::Latin1(name) | NtHiveNameString::Utf16LE(name)) = name;
        let distance = name.as_ptr().addr().checked_sub(self.bytes().as_ptr().addr())?;
        (distance <= self.bytes().len()).then_some(distance)
    }

    /// Reads a value: nt-hive's data where it gives any, else what the cells hold.
    pub(super) fn value(
        &self,
        offset: usize,
        record: &ValueRecord,
        reader: Option<&KeyValue<'b, &'b [u8]>>,
    ) -> Value {
        let raw = cell::value_data(self.bytes(), record);
        let read = reader
            .filter(|_| record.data_length <= self.bytes().len())
            .and_then(|value| fused(|| value.data().and_then(nt_hive::KeyValueData::into_vec)))
            .and_then(Result::ok);
        let end = offset.saturating_add(4).saturating_add(record.length);
        let changes = &self.replayed.changes;
        let from_log =
            changes.touch(&(offset..end)) || raw.ranges.iter().any(|range| changes.touch(range));
        let cut =
            record.name_cut.then(|| String::from("the name of the value reaches beyond its cell"));
        let (data, damage) = match read {
            Some(data) => (data, cut),
            None if raw.damage.is_none() && raw.in_free_cell => {
                (raw.bytes, Some(String::from("the data lies in a cell that is not in use")))
            }
            None => (raw.bytes, raw.damage.or(cut)),
        };
        Value {
            name: record.name.clone(),
            kind: record.kind.into(),
            data,
            offset,
            from_log,
            damage,
        }
    }
}

/// A value's record, and nt-hive's view of it where it has one.
#[derive(Clone)]
struct ValueEntry<'h> {
    offset: usize,
    record: ValueRecord,
    value: Option<KeyValue<'h, &'h [u8]>>,
}

fn absent<T>(wanted: &str, damaged: Vec<Damage>) -> Result<Option<T>, HiveError> {
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
