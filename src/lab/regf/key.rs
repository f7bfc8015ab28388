//! One key: its node, its class, and the lists of its values and subkeys.

use jiff::Timestamp;

use super::bins::Bins;
use super::name;
use super::security::NOWHERE;
use super::value::Slot;
use crate::lab::bytes::{Buffer, length, short, utf16};
use crate::time::to_filetime;

/// Most entries of one `lh` list; above this an `ri` list points to several.
const LIST_LIMIT: usize = 1012;
const ROOT_FLAGS: u16 = 0x0c;
const LATIN_NAME: u16 = 0x20;

/// A key with the cells that hold it.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) name: String,
    /// What lists of subkeys are sorted by.
    pub(super) order: Vec<u16>,
    pub(super) last_write: Timestamp,
    pub(super) parent: Option<usize>,
    /// Positions in the hive's table of keys, in the order of the subkey list.
    pub(super) children: Vec<usize>,
    pub(super) values: Vec<Slot>,
    pub(super) cell: u32,
    pub(super) security: u32,
    pub(super) class: String,
    pub(super) class_cell: Option<u32>,
    value_list: Option<u32>,
    subkey_lists: Vec<u32>,
    /// Whether the lists or the node in the bins are older than this.
    pub(super) changed: bool,
    pub(super) deleted: bool,
}

/// What a parent's node says about its subkeys.
#[derive(Default)]
pub(super) struct Below {
    /// Name and cell of each, in list order.
    pub(super) entries: Vec<(String, u32)>,
    pub(super) largest_class: usize,
}

impl Key {
    pub(super) fn store(
        bins: &mut Bins,
        name: &str,
        parent: Option<(usize, u32)>,
        security: u32,
        last_write: Timestamp,
    ) -> Key {
        let mut key = Key {
            name: name.to_owned(),
            order: name::sort_key(name),
            last_write,
            parent: parent.map(|(position, _)| position),
            children: Vec::new(),
            values: Vec::new(),
            cell: NOWHERE,
            security,
            class: String::new(),
            class_cell: None,
            value_list: None,
            subkey_lists: Vec::new(),
            changed: true,
            deleted: false,
        };
        let parent_cell = parent.map_or(NOWHERE, |(_, cell)| cell);
        key.cell = bins.store(&key.node(parent_cell, &Below::default()));
        key
    }

    /// Brings the lists and the node in the bins up to date.
    pub(super) fn flush(&mut self, bins: &mut Bins, parent: u32, below: &Below) {
        if let Some(list) = self.value_list.take() {
            bins.release(list);
        }
        for list in self.subkey_lists.drain(..) {
            bins.release(list);
        }
        if !self.values.is_empty() {
            let mut list = Buffer::default();
            for value in &self.values {
                list.u32(value.cell);
            }
            self.value_list = Some(bins.store(list.as_slice()));
        }
        self.subkey_lists = store_subkeys(bins, &below.entries);
        bins.write(self.cell, &self.node(parent, below));
        self.changed = false;
    }

    /// Frees every cell of the key; its descriptor belongs to the hive.
    pub(super) fn release(&mut self, bins: &mut Bins) {
        for value in &self.values {
            value.release(bins);
        }
        for cell in self.value_list.iter().chain(&self.subkey_lists).chain(&self.class_cell) {
            bins.release(*cell);
        }
        bins.release(self.cell);
        self.deleted = true;
    }

    pub(super) fn set_class(&mut self, bins: &mut Bins, class: &str) {
        if let Some(cell) = self.class_cell.take() {
            bins.release(cell);
        }
        class.clone_into(&mut self.class);
        if !class.is_empty() {
            self.class_cell = Some(bins.store(&utf16(class)));
        }
        self.changed = true;
    }

    fn node(&self, parent: u32, below: &Below) -> Vec<u8> {
        let (name, latin) = name::encode(&self.name);
        let flags = if latin { LATIN_NAME } else { 0 };
        let flags = if self.parent.is_none() { flags | ROOT_FLAGS } else { flags };
        let largest_subkey = below.entries.iter().map(|(name, _)| name::wide_len(name)).max();
        let largest_value = self.values.iter().map(|value| name::wide_len(&value.name)).max();
        let largest_data = self.values.iter().map(|value| value.data.bytes().len()).max();
        let mut node = Buffer::with(b"nk");
        node.u16(flags).u64(to_filetime(self.last_write)).u32(0).u32(parent);
        node.u32(length(below.entries.len())).u32(0);
        node.u32(self.subkey_lists.last().copied().unwrap_or(NOWHERE)).u32(NOWHERE);
        node.u32(length(self.values.len())).u32(self.value_list.unwrap_or(NOWHERE));
        node.u32(self.security).u32(self.class_cell.unwrap_or(NOWHERE));
        node.u32(length(largest_subkey.unwrap_or(0))).u32(length(below.largest_class));
        node.u32(length(largest_value.unwrap_or(0))).u32(length(largest_data.unwrap_or(0)));
        node.u32(0).u16(short(name.len())).u16(short(name::wide_len(&self.class))).bytes(&name);
        node.into_vec()
    }
}

/// The cells of the subkey lists; the node points to the last one.
fn store_subkeys(bins: &mut Bins, entries: &[(String, u32)]) -> Vec<u32> {
    let mut cells: Vec<u32> = entries
        .chunks(LIST_LIMIT)
        .map(|entries| {
            let mut list = Buffer::with(b"lh");
            list.u16(short(entries.len()));
            for (name, cell) in entries {
                list.u32(*cell).u32(name::hash(name));
            }
            bins.store(list.as_slice())
        })
        .collect();
    if cells.len() > 1 {
        let mut index = Buffer::with(b"ri");
        index.u16(short(cells.len()));
        for cell in &cells {
            index.u32(*cell);
        }
        cells.push(bins.store(index.as_slice()));
    }
    cells
}
