//! The search for deleted records.
//!
//! `nk` and `vk` records are looked for wherever no live record is; a key's place in the tree comes from its
//! parent field, and every parent is checked.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::Hive;
use super::bytes::u32_at;
use super::cell::{
    self, Data, KEY_HEADER, KeyRecord, NONE, VALUE_HEADER, ValueRecord, file_offset,
};
use super::deleted::{Confidence, Deleted, DeletedKey, DeletedValue};
use super::live::Live;
use super::plausible::{plausible_key, plausible_value};
use super::space::{Place, Region, regions};
use super::value::Value;
use crate::{text, time};

impl Hive<'_> {
    /// Recovers deleted keys and values from free cells, slack and remnant data.
    pub fn deleted(&self) -> Deleted {
        let live = Live::walk(self.bytes(), self.base_block().root_cell);
        let regions = regions(self.bytes(), self.base_block().hive_bins_size, &live);
        let mut search = Search {
            hive: self,
            live,
            regions,
            keys: BTreeMap::new(),
            values: BTreeMap::new(),
            names: BTreeMap::new(),
            budget: self.bytes().len().saturating_mul(4),
        };
        search.scan();
        search.finish()
    }
}

struct Search<'h> {
    hive: &'h Hive<'h>,
    live: Live,
    regions: Vec<Region>,
    /// Found keys and values by the file offset of their cell.
    keys: BTreeMap<usize, (KeyRecord, Place)>,
    values: BTreeMap<usize, (ValueRecord, Place)>,
    /// Folded names of the subkeys of live keys, as they are asked for.
    names: BTreeMap<usize, BTreeSet<String>>,
    /// How many more list entries, bytes of data and characters of paths are looked at. Honest records share neither;
    /// forged ones could name the same long list and the same deep parents again and again.
    budget: usize,
}

/// What is known about the parents of a deleted key.
struct Ancestry {
    path: Option<String>,
    parent_is_live: bool,
    /// Whether the direct parent was written at or after the key's last write, as deletion does.
    parent_is_later: bool,
}

impl Search<'_> {
    fn scan(&mut self) {
        let bytes = self.hive.bytes();
        for region in &self.regions {
            let Some(data) = bytes.get(region.range.clone()) else { continue };
            // Records start on even offsets; a cell's size field comes before the record.
            let step = if region.place == Place::UnreferencedCell { data.len() } else { 2 };
            let first = region.range.start % 2;
            let mut index = if region.place == Place::UnreferencedCell { 4 } else { first };
            while let Some(rest) = data.get(index..).filter(|rest| rest.len() >= VALUE_HEADER) {
                let cell = region.range.start.saturating_add(index).saturating_sub(4);
                index = index.saturating_add(step);
                match rest.first_chunk() {
                    Some(b"nk") => {
                        if let Some(key) = KeyRecord::parse(rest).filter(plausible_key) {
                            self.keys.insert(cell, (key, region.place));
                        }
                    }
                    Some(b"vk") => {
                        if let Some(value) = ValueRecord::parse(rest).filter(plausible_value) {
                            self.values.insert(cell, (value, region.place));
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    fn finish(mut self) -> Deleted {
        let mut claimed = BTreeSet::new();
        let offsets: Vec<usize> = self.keys.keys().copied().collect();
        let keys = offsets.iter().filter_map(|offset| self.deleted_key(*offset, &mut claimed));
        let keys = keys.collect();
        let owners = self.owners_of_loose_values(&claimed);
        let loose: Vec<usize> =
            self.values.keys().filter(|offset| !claimed.contains(*offset)).copied().collect();
        let values = loose
            .into_iter()
            .filter_map(|offset| self.loose_value(offset, owners.get(&offset).copied()))
            .collect();
        Deleted { keys, values }
    }

    fn loose_value(
        &mut self,
        offset: usize,
        owner: Option<(usize, Confidence)>,
    ) -> Option<DeletedValue> {
        let (record, place) = self.values.get(&offset)?;
        let place = *place;
        let value = self.deleted_value(offset, record);
        self.budget = self.budget.saturating_sub(value.data.len());
        let key = owner.and_then(|(key, _)| self.live_path(key));
        let confidence = owner
            .filter(|_| key.is_some() && value.damage.is_none())
            .map_or(Confidence::Low, |(_, confidence)| confidence);
        Some(DeletedValue { key, value, confidence, place })
    }

    fn deleted_key(&mut self, offset: usize, claimed: &mut BTreeSet<usize>) -> Option<DeletedKey> {
        let (record, place) = self.keys.get(&offset)?.clone();
        let ancestry = self.ancestry(&record);
        let superseded = ancestry.parent_is_live
            && file_offset(record.parent)
                .is_some_and(|parent| self.has_child(parent, &record.name));
        let values = self.values_of(&record, claimed);
        let value_count = usize::try_from(record.value_count).unwrap_or(usize::MAX);
        let whole =
            values.len() == value_count && values.iter().all(|value| value.damage.is_none());
        let (confidence, reason) = judge(&ancestry, place, whole);
        Some(DeletedKey {
            name: record.name,
            path: ancestry.path,
            last_write: time::from_filetime(record.last_write_ticks),
            values,
            value_count,
            offset,
            confidence,
            reason,
            place,
            superseded,
        })
    }

    fn ancestry(&mut self, record: &KeyRecord) -> Ancestry {
        let mut ancestry = Ancestry { path: None, parent_is_live: false, parent_is_later: false };
        let mut names = vec![record.name.clone()];
        let mut parent = file_offset(record.parent);
        let mut visited = BTreeSet::new();
        while let Some(offset) = parent.filter(|offset| visited.insert(*offset)) {
            if names.len() > MAX_DEPTH {
                return ancestry;
            }
            if let Some(path) = self.live_path(offset) {
                if names.len() == 1 {
                    ancestry.parent_is_live = true;
                    ancestry.parent_is_later = self
                        .live_record(offset)
                        .is_some_and(|parent| parent.last_write_ticks >= record.last_write_ticks);
                }
                names.extend((!path.is_empty()).then_some(path));
                names.reverse();
                let path = names.join("\\");
                ancestry.path = (path.len() <= self.budget).then_some(path);
                let length = ancestry.path.as_ref().map_or(0, String::len);
                self.budget = self.budget.saturating_sub(length);
                return ancestry;
            }
            let Some((deleted, _)) = self.keys.get(&offset) else { return ancestry };
            names.push(deleted.name.clone());
            parent = file_offset(deleted.parent);
        }
        ancestry
    }

    fn live_record(&self, offset: usize) -> Option<KeyRecord> {
        self.live.parent_of(offset)?;
        KeyRecord::parse(self.hive.bytes().get(offset.checked_add(4)?..)?)
    }

    /// The path of a live key below the root; `None` when the offset is no live key.
    fn live_path(&self, offset: usize) -> Option<String> {
        let mut names = Vec::new();
        let mut offset = offset;
        loop {
            let parent = self.live.parent_of(offset)?;
            if parent == offset {
                break;
            }
            if names.len() > MAX_DEPTH {
                return None;
            }
            names.push(self.live_record(offset)?.name);
            offset = parent;
        }
        names.reverse();
        Some(names.join("\\"))
    }

    fn has_child(&mut self, parent: usize, name: &str) -> bool {
        if !self.names.contains_key(&parent) {
            let names = self.child_names(parent);
            self.names.insert(parent, names);
        }
        self.names.get(&parent).is_some_and(|names| names.contains(&text::fold(name)))
    }

    fn child_names(&self, parent: usize) -> BTreeSet<String> {
        let Some(record) = self.live_record(parent).filter(|record| record.subkey_list != NONE)
        else {
            return BTreeSet::new();
        };
        let bytes = self.hive.bytes();
        let limit = bytes.len() / KEY_HEADER;
        let entries = cell::subkey_offsets(bytes, record.subkey_list, limit).entries;
        let records = entries.iter().filter_map(|entry| self.live_record(file_offset(*entry)?));
        records.map(|record| text::fold(&record.name)).collect()
    }

    /// The values of a deleted key, as far as its list still leads to free `vk` records.
    fn values_of(&mut self, key: &KeyRecord, claimed: &mut BTreeSet<usize>) -> Vec<Value> {
        let Some(list) = file_offset(key.value_list).filter(|_| key.value_count > 0) else {
            return Vec::new();
        };
        let count = usize::try_from(key.value_count).unwrap_or(usize::MAX).min(self.budget);
        self.budget = self.budget.saturating_sub(count);
        let entries = self.hive.bytes().get(list.saturating_add(4)..).unwrap_or_default();
        let mut values = Vec::new();
        for entry in entries.chunks_exact(4).take(count) {
            let offset = u32_at(entry, 0).and_then(file_offset);
            let Some((offset, (record, _))) =
                offset.and_then(|offset| self.values.get_key_value(&offset))
            else {
                continue;
            };
            claimed.insert(*offset);
            let value = self.deleted_value(*offset, record);
            self.budget = self.budget.saturating_sub(value.data.len());
            values.push(value);
        }
        values
    }

    fn deleted_value(&self, offset: usize, record: &ValueRecord) -> Value {
        let data = self.deleted_data(record);
        let end = offset.saturating_add(4).saturating_add(record.length);
        Value {
            name: record.name.clone(),
            kind: record.kind.into(),
            data: data.bytes,
            offset,
            from_log: self.hive.replayed().changes.touch(&(offset..end)),
            damage: data.damage,
        }
    }

    /// Data whose cell is in use again is not shown: it is someone else's.
    fn deleted_data(&self, record: &ValueRecord) -> Data {
        if record.inline.is_none() && record.data_length > self.budget {
            return Data::damaged(
                "not read: deleted records share their data over and over".into(),
            );
        }
        let mut data = cell::value_data(self.hive.bytes(), record);
        if record.inline.is_some() || record.data_length == 0 || data.damage.is_some() {
            return data;
        }
        if !data.ranges.iter().all(|range| self.is_unused(range)) {
            data = Data {
                damage: Some("the space of the data is in use again".into()),
                ..Data::default()
            };
        }
        data
    }

    fn is_unused(&self, range: &Range<usize>) -> bool {
        let index = self.regions.partition_point(|region| region.range.start <= range.start);
        let before = self.regions.get(..index).and_then(<[Region]>::last);
        before.is_some_and(|region| region.range.end >= range.end)
    }

    /// Which live key a loose value was deleted from: lists keep their old entries behind the current
    /// ones, and replaced lists survive in free cells beside entries of values that are still live.
    fn owners_of_loose_values(
        &self,
        claimed: &BTreeSet<usize>,
    ) -> BTreeMap<usize, (usize, Confidence)> {
        let bytes = self.hive.bytes();
        let mut owners = BTreeMap::new();
        if self.values.len() == claimed.len() {
            return owners;
        }
        let entry = |place: usize| u32_at(bytes, place).and_then(file_offset);
        let loose = |offset: &usize| self.values.contains_key(offset) && !claimed.contains(offset);
        for (range, owner) in &self.live.list_tails {
            for place in range.clone().step_by(4).take(MAX_LIST_TAIL) {
                if let Some(offset) = entry(place).filter(loose) {
                    owners.entry(offset).or_insert((*owner, Confidence::High));
                }
            }
        }
        for region in self.regions.iter().filter(|region| region.place == Place::FreeCell) {
            for place in region.range.clone().step_by(4) {
                let Some(offset) = entry(place).filter(loose) else { continue };
                let neighbours = [place.checked_sub(4), place.checked_add(4)];
                let owner = neighbours
                    .into_iter()
                    .flatten()
                    .filter_map(entry)
                    .find_map(|neighbour| self.live.key_of_value(neighbour));
                if let Some(owner) = owner {
                    owners.entry(offset).or_insert((owner, Confidence::Medium));
                }
            }
        }
        owners
    }
}

/// Windows allows 512 levels of keys.
const MAX_DEPTH: usize = 512;
/// Entries looked at behind a list: Windows keeps spare room for a few.
const MAX_LIST_TAIL: usize = 1024;

fn judge(ancestry: &Ancestry, place: Place, whole: bool) -> (Confidence, &'static str) {
    if ancestry.path.is_none() {
        (Confidence::Low, "its parents are gone")
    } else if matches!(place, Place::Slack | Place::Remnant) {
        (Confidence::Low, "found outside the cells of the hive")
    } else if !whole {
        (Confidence::Medium, "some of its values were overwritten")
    } else if !ancestry.parent_is_live {
        (Confidence::Medium, "its parent was deleted as well")
    } else if !ancestry.parent_is_later {
        (Confidence::Medium, "its parent was not written after it")
    } else {
        (Confidence::High, "whole, below a live key written after it")
    }
}
