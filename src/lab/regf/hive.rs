//! A hive that is changed like a registry and becomes bytes on demand.

use jiff::Timestamp;

use super::base_block::{BASE_BLOCK, BaseBlock};
use super::bins::Bins;
use super::key::{Below, Key};
use super::name::sort_key;
use super::security::{Descriptors, NOWHERE};
use super::value::{Data, Slot};
use crate::text::same_name;

/// File type of a primary file in its base block.
const PRIMARY: u32 = 0;

/// A key of one [`Hive`]; it stays valid until the key is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyId(usize);

/// A registry hive under construction.
///
/// Every change takes the time at which it happens and becomes the key's last-write time. Changes to a deleted
/// key are ignored, as they are by Windows.
#[derive(Debug, Clone)]
pub struct Hive {
    bins: Bins,
    keys: Vec<Key>,
    descriptors: Descriptors,
}

impl Hive {
    /// A hive with nothing but its root key. The descriptor (self-relative) is inherited by all keys.
    pub fn new(root: &str, descriptor: &[u8], at: Timestamp) -> Hive {
        let mut bins = Bins::default();
        let mut descriptors = Descriptors::default();
        // Windows places the root first; the descriptor follows and is patched into the node on the first flush.
        let mut key = Key::store(&mut bins, root, None, NOWHERE, at);
        key.security = descriptors.acquire(&mut bins, descriptor);
        Hive { bins, keys: vec![key], descriptors }
    }

    /// The root key.
    pub fn root(&self) -> KeyId {
        KeyId(0)
    }

    /// The key at a path below the root, names separated by `\`, compared without case.
    pub fn find(&self, path: &str) -> Option<KeyId> {
        path.split('\\')
            .filter(|name| !name.is_empty())
            .try_fold(self.root(), |at, name| self.child(at, name))
    }

    /// A subkey by name, compared without case.
    pub fn child(&self, key: KeyId, name: &str) -> Option<KeyId> {
        let wanted = sort_key(name);
        let children = &self.key(key).children;
        let found = children.binary_search_by(|child| self.key(KeyId(*child)).order.cmp(&wanted));
        found.ok().and_then(|position| children.get(position)).map(|child| KeyId(*child))
    }

    /// The subkeys of a key, in list order.
    pub fn children(&self, key: KeyId) -> Vec<KeyId> {
        self.key(key).children.iter().copied().map(KeyId).collect()
    }

    /// The name of a key as it was created.
    pub fn name(&self, key: KeyId) -> &str {
        &self.key(key).name
    }

    /// The data of a value, found without case; the empty name is the default value.
    pub fn value(&self, key: KeyId, name: &str) -> Option<&Data> {
        self.key(key)
            .values
            .iter()
            .find(|value| same_name(&value.name, name))
            .map(|value| &value.data)
    }

    /// Creates the keys of a path that are missing and returns the last one.
    pub fn create(&mut self, path: &str, at: Timestamp) -> KeyId {
        let root = self.root();
        path.split('\\')
            .filter(|name| !name.is_empty())
            .fold(root, |parent, name| self.create_child(parent, name, at))
    }

    /// Creates a subkey with its parent's security, or returns the one that is there.
    pub fn create_child(&mut self, parent: KeyId, name: &str, at: Timestamp) -> KeyId {
        if let Some(there) = self.child(parent, name) {
            return there;
        }
        let id = self.keys.len();
        let (parent_cell, security) = (self.key(parent).cell, self.key(parent).security);
        let descriptor = self.descriptors.share(security);
        let key = Key::store(&mut self.bins, name, Some((parent.0, parent_cell)), descriptor, at);
        self.keys.push(key);
        let wanted = sort_key(name);
        let position = self
            .key(parent)
            .children
            .partition_point(|child| self.key(KeyId(*child)).order < wanted);
        let above = self.touch(parent, at);
        above.children.insert(position, id);
        KeyId(id)
    }

    /// Sets a value: a new one goes to the end of the value list, an old one keeps its place.
    pub fn set(&mut self, key: KeyId, name: &str, data: &Data, at: Timestamp) {
        let Hive { bins, keys, .. } = self;
        let Some(key) = keys.get_mut(key.0).filter(|key| !key.deleted) else { return };
        match key.values.iter_mut().find(|value| same_name(&value.name, name)) {
            Some(slot) => slot.replace(bins, data),
            None => key.values.push(Slot::store(bins, name, data)),
        }
        key.changed = true;
        key.last_write = at;
    }

    /// Deletes a value; its cells keep their bytes.
    pub fn unset(&mut self, key: KeyId, name: &str, at: Timestamp) {
        let Hive { bins, keys, .. } = self;
        let Some(key) = keys.get_mut(key.0) else { return };
        for value in key.values.extract_if(.., |value| same_name(&value.name, name)) {
            value.release(bins);
        }
        key.changed = true;
        key.last_write = at;
    }

    /// Sets the class of a key.
    pub fn set_class(&mut self, key: KeyId, class: &str) {
        let Hive { bins, keys, .. } = self;
        if let Some(key) = keys.get_mut(key.0) {
            key.set_class(bins, class);
        }
    }

    /// Gives a key its own security descriptor (self-relative).
    pub fn set_security(&mut self, key: KeyId, descriptor: &[u8]) {
        let Hive { bins, keys, descriptors } = self;
        if let Some(key) = keys.get_mut(key.0) {
            let old = key.security;
            key.security = descriptors.acquire(bins, descriptor);
            descriptors.release(bins, old);
            key.changed = true;
        }
    }

    /// Sets the last-write time alone, for evidence whose times were tampered with or copied.
    pub fn set_last_write(&mut self, key: KeyId, at: Timestamp) {
        self.touch(key, at);
    }

    /// Deletes a key with everything below it; the cells keep their bytes until they are needed again.
    pub fn delete(&mut self, key: KeyId, at: Timestamp) {
        for child in self.children(key) {
            self.delete(child, at);
        }
        self.flush_key(key.0);
        let Some(parent) = self.key(key).parent else { return };
        self.touch(KeyId(parent), at).children.retain(|child| *child != key.0);
        let Hive { bins, keys, descriptors } = self;
        if let Some(key) = keys.get_mut(key.0) {
            key.release(bins);
            descriptors.release(bins, key.security);
        }
    }

    /// The primary file at this moment.
    pub fn to_bytes(&mut self, base: &BaseBlock) -> Vec<u8> {
        for position in 0..self.keys.len() {
            if self.key(KeyId(position)).changed && !self.key(KeyId(position)).deleted {
                self.flush_key(position);
            }
        }
        self.descriptors.flush(&mut self.bins);
        let bins = self.bins.as_slice();
        let mut bytes = base.encode(PRIMARY, self.key(self.root()).cell, bins.len(), BASE_BLOCK);
        bytes.extend_from_slice(bins);
        bytes
    }

    fn flush_key(&mut self, position: usize) {
        let key = self.key(KeyId(position));
        let parent = key.parent.map_or(NOWHERE, |parent| self.key(KeyId(parent)).cell);
        let mut below = Below::default();
        for child in &key.children {
            let child = self.key(KeyId(*child));
            below.entries.push((child.name.clone(), child.cell));
            below.largest_class = below.largest_class.max(child.class.encode_utf16().count() * 2);
        }
        let Hive { bins, keys, .. } = self;
        if let Some(key) = keys.get_mut(position) {
            key.flush(bins, parent, &below);
        }
    }

    fn touch(&mut self, key: KeyId, at: Timestamp) -> &mut Key {
        let key = self.key_mut(key);
        key.changed = true;
        key.last_write = at;
        key
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a KeyId comes only from this hive, and keys are never removed"
    )]
    fn key(&self, key: KeyId) -> &Key {
        &self.keys[key.0]
    }

    #[expect(
        clippy::indexing_slicing,
        reason = "a KeyId comes only from this hive, and keys are never removed"
    )]
    fn key_mut(&mut self, key: KeyId) -> &mut Key {
        &mut self.keys[key.0]
    }
}
