//! Lists of subkeys: nt-hive walks the intact ones; where it refuses, the raw lists are consulted.

use std::collections::BTreeSet;

use nt_hive::KeyNode;

use super::cell::{self, KEY_HEADER, KeyRecord, NONE, cell_at, file_offset, used_cell};
use super::fuse::fused;
use super::key::{Damage, Key, Listing, MAX_DEPTH};

/// Subkeys that name another parent are kept up to this number; more of them are another key's list.
const MAX_STRANGERS: usize = 64;

impl<'h> Key<'h> {
    /// The subkeys, in the order of the hive (sorted by name when it is intact).
    ///
    /// A key that is listed twice, or below itself, is listed once and reported.
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
        let mut listed = Listed::default();
        if let Err(complaint) = self.read_subkeys(&mut listing, &mut listed) {
            if listed.stopped {
                listing.damaged.push(self.damage(complaint));
            } else {
                self.salvage_subkeys(&mut listing, &complaint);
            }
        }
        let strangers = listing.items.iter().filter(|child| !self.is_parent_of(child)).count();
        if strangers > 0 {
            let message = format!("{strangers} of its subkeys name another parent");
            listing.damaged.push(self.damage(message));
        }
        let found = listing.items.len();
        if usize::try_from(declared) != Ok(found) && listing.damaged.is_empty() {
            let message = format!("the key declares {declared} subkeys, its list has {found}");
            listing.damaged.push(self.damage(message));
        }
        listing
    }

    /// Reads the subkeys with nt-hive, or says what nt-hive complained about first.
    fn read_subkeys(&self, listing: &mut Listing<Self>, listed: &mut Listed) -> Result<(), String> {
        let node = self.node.as_ref().ok_or("nt-hive cannot reach the key")?;
        let mut nodes = fused(|| node.subkeys())
            .ok_or("the list of subkeys cannot be read")?
            .ok_or("the key declares subkeys and has no list of them")?
            .map_err(|error| error.to_string())?;
        let mut complaint = Ok(());
        for _ in 0..self.limit(KEY_HEADER) {
            let problem = match fused(|| nodes.next()) {
                Some(None) => return complaint,
                Some(Some(Ok(node))) => match self.child_from_node(node) {
                    Some(child) => match self.admit(&child, listed) {
                        Ok(()) => {
                            listing.items.push(child);
                            continue;
                        }
                        Err(refusal) => refusal.to_owned(),
                    },
                    None => "an entry cannot be read".into(),
                },
                Some(Some(Err(error))) => error.to_string(),
                None => "an entry points nowhere".into(),
            };
            if listed.stopped {
                return Err(problem);
            }
            complaint = complaint.and(Err(problem));
        }
        Err("the lists name more subkeys than the hive can hold".into())
    }

    /// Reads the subkeys from the raw lists, keeping those nt-hive read.
    fn salvage_subkeys(&self, listing: &mut Listing<Self>, complaint: &str) {
        let bytes = self.hive.bytes();
        let offsets = cell::subkey_offsets(bytes, self.record.subkey_list, self.limit(KEY_HEADER));
        self.report(&mut listing.damaged, offsets.damage);
        let mut known: Vec<Self> = std::mem::take(&mut listing.items);
        known.sort_by_key(|key| key.offset);
        let mut listed = Listed::default();
        for entry in offsets.entries {
            let place = file_offset(entry).unwrap_or(self.offset);
            let child = match known.binary_search_by_key(&place, |key| key.offset) {
                Ok(index) => known.get(index).cloned().ok_or_else(String::new),
                Err(_) => self.salvaged_child(entry, place),
            };
            let child = child.and_then(|child| match self.admit(&child, &mut listed) {
                Ok(()) => Ok(child),
                Err(refusal) => Err(refusal.into()),
            });
            match child {
                Ok(child) => {
                    if child.record.name_cut {
                        let message = "the name of the key reaches beyond its cell".into();
                        listing.damaged.push(Damage { offset: place, message });
                    }
                    listing.items.push(child);
                }
                Err(message) => listing.damaged.push(Damage { offset: place, message }),
            }
            if listed.stopped {
                break;
            }
        }
        if listing.damaged.is_empty() {
            listing.damaged.push(self.damage(complaint));
        }
    }

    fn salvaged_child(&self, entry: u32, place: usize) -> Result<Self, String> {
        let cell = used_cell(self.hive.bytes(), entry)?;
        let record = KeyRecord::parse(cell.data)
            .ok_or_else(|| format!("the cell at {place:#x} is no key"))?;
        Ok(self.child(None, place, record))
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

    fn is_parent_of(&self, child: &Self) -> bool {
        file_offset(child.record.parent) == Some(self.offset)
    }

    /// Whether a child may be listed; if not, why.
    fn admit(&self, child: &Self, listed: &mut Listed) -> Result<(), &'static str> {
        if !self.hive.spend(child.record.length) {
            listed.stopped = true;
            return Err(super::EXHAUSTED);
        }
        if child.offset == self.offset || self.ancestors.contains(&child.offset) {
            return Err("a key is listed below itself");
        }
        if !listed.seen.insert(child.offset) {
            return Err("a key is listed twice");
        }
        if !self.is_parent_of(child) {
            listed.strangers = listed.strangers.saturating_add(1);
            if listed.strangers > MAX_STRANGERS {
                listed.stopped = true;
                return Err("the list of subkeys is another key's");
            }
        }
        Ok(())
    }
}

/// What a list has named so far.
#[derive(Default)]
struct Listed {
    seen: BTreeSet<usize>,
    strangers: usize,
    /// Whether there is no use in reading on.
    stopped: bool,
}
