//! Lists of values, and values: nt-hive reads the intact ones; where it refuses, the raw cells are consulted.

use std::collections::BTreeSet;

use nt_hive::KeyValue;

use super::cell::{self, VALUE_HEADER, ValueRecord, cell_at, file_offset, used_cell};
use super::fuse::fused;
use super::key::{Damage, Key, Listing, absent};
use super::value::Value;
use super::{Hive, HiveError};
use crate::text;

impl<'h> Key<'h> {
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
    ///
    /// A value whose data is damaged is listed with what is there, and reported.
    pub fn values(&self) -> Listing<Value> {
        let entries = self.value_entries();
        let mut listing = Listing { items: Vec::new(), damaged: entries.damaged };
        for entry in &entries.items {
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
        // Windows NT leaves stale lists in keys without values.
        if self.record.value_count > 0
            && let Err(complaint) = self.read_values(&mut listing)
        {
            self.salvage_values(&mut listing, &complaint);
        }
        listing
    }

    /// Reads the value records with nt-hive, or says what nt-hive complained about first.
    fn read_values(&self, listing: &mut Listing<ValueEntry<'h>>) -> Result<(), String> {
        let node = self.node.as_ref().ok_or("nt-hive cannot reach the key")?;
        let mut values = fused(|| node.values())
            .ok_or("the list of values cannot be read")?
            .ok_or("the key declares values and has no list of them")?
            .map_err(|error| error.to_string())?;
        let mut complaint = Ok(());
        let mut seen = BTreeSet::new();
        for _ in 0..self.limit(VALUE_HEADER) {
            let problem = match fused(|| values.next()) {
                Some(None) => return complaint,
                Some(Some(Ok(value))) => match self.entry_from_value(value) {
                    Some(entry) if !self.hive.spend(entry.record.length) => {
                        return Err(super::EXHAUSTED.into());
                    }
                    Some(entry) if seen.insert(entry.offset) => {
                        listing.items.push(entry);
                        continue;
                    }
                    Some(_) => "a value is listed twice".into(),
                    None => "an entry cannot be read".into(),
                },
                Some(Some(Err(error))) => error.to_string(),
                None => "an entry points nowhere".into(),
            };
            complaint = complaint.and(Err(problem));
        }
        Err("the list names more values than the hive can hold".into())
    }

    /// Reads the value records from the raw list, keeping those nt-hive read.
    fn salvage_values(&self, listing: &mut Listing<ValueEntry<'h>>, complaint: &str) {
        let bytes = self.hive.bytes();
        let offsets = cell::value_offsets(bytes, self.record.value_list, self.record.value_count);
        self.report(&mut listing.damaged, offsets.damage);
        let mut known = std::mem::take(&mut listing.items);
        known.sort_by_key(|entry| entry.offset);
        let mut seen = BTreeSet::new();
        for entry in offsets.entries {
            let place = file_offset(entry).unwrap_or(self.offset);
            if !self.hive.spend(VALUE_HEADER) {
                listing.damaged.push(self.damage(super::EXHAUSTED));
                break;
            }
            let found = match known.binary_search_by_key(&place, |entry| entry.offset) {
                _ if !seen.insert(place) => Err("a value is listed twice".into()),
                Ok(index) => known.get(index).cloned().ok_or_else(String::new),
                Err(_) => salvaged_entry(bytes, entry, place),
            };
            match found {
                Ok(entry) => listing.items.push(entry),
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
        self.hive.value(entry)
    }
}

fn salvaged_entry<'h>(bytes: &[u8], entry: u32, place: usize) -> Result<ValueEntry<'h>, String> {
    let cell = used_cell(bytes, entry)?;
    let record = ValueRecord::parse(cell.data)
        .ok_or_else(|| format!("the cell at {place:#x} is no value"))?;
    Ok(ValueEntry { offset: place, record, value: None })
}

impl Hive<'_> {
    /// Reads a value: nt-hive's data where it gives any, else what the cells hold.
    fn value(&self, entry: &ValueEntry<'_>) -> Value {
        let ValueEntry { offset, record, value } = entry;
        let raw = if self.spend(record.data_length) {
            cell::value_data(self.bytes(), record)
        } else {
            cell::Data::damaged(super::EXHAUSTED.into())
        };
        let read = value
            .as_ref()
            .filter(|_| raw.damage.is_none())
            .and_then(|value| fused(|| value.data().and_then(nt_hive::KeyValueData::into_vec)))
            .and_then(Result::ok);
        let end = offset.saturating_add(4).saturating_add(record.length);
        let changes = &self.replayed().changes;
        let from_log =
            changes.touch(&(*offset..end)) || raw.ranges.iter().any(|range| changes.touch(range));
        let unused = String::from("the data lies in a cell that is not in use");
        let cut = String::from("the name of the value reaches beyond its cell");
        let damage = raw
            .damage
            .or_else(|| raw.in_free_cell.then_some(unused))
            .or_else(|| record.name_cut.then_some(cut));
        Value {
            name: record.name.clone(),
            kind: record.kind.into(),
            data: read.unwrap_or(raw.bytes),
            offset: *offset,
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
