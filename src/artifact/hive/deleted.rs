//! Deleted keys and values: Windows frees their cells and leaves the bytes until it needs the space.

use jiff::Timestamp;

use super::space::Place;
use super::value::Value;

/// How far a recovered record can be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Confidence {
    /// A part may belong to something else, or its place in the tree is unknown.
    Low,
    /// Whole, but a parent is deleted as well or looks younger than it should.
    Medium,
    /// Whole, and its parent is a live key that was written when it was deleted or later.
    High,
}

/// A key that is no longer in the tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedKey {
    /// The name.
    pub name: String,
    /// The path below the root key, `A\B`, when every parent up to the root could be checked.
    pub path: Option<String>,
    /// Its last-write time, UTC; the key was deleted after it.
    pub last_write: Option<Timestamp>,
    /// The values that could be recovered, in list order.
    pub values: Vec<Value>,
    /// How many values it had.
    pub value_count: usize,
    /// File offset of its cell, in bytes; the `nk` record starts 4 bytes on.
    pub offset: usize,
    /// How far it can be believed.
    pub confidence: Confidence,
    /// Why.
    pub reason: &'static str,
    /// Where it was found.
    pub place: Place,
    /// Whether a live key has this path: then this is an older copy of it or its predecessor.
    pub superseded: bool,
}

/// A value that no key lists any more, and that belongs to no recovered deleted key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeletedValue {
    /// The path of the live key it was deleted from, when a list still tells.
    pub key: Option<String>,
    /// The value; its offset is that of its cell.
    pub value: Value,
    /// How far it, and its key, can be believed.
    pub confidence: Confidence,
    /// Where it was found.
    pub place: Place,
}

/// What could be recovered from a hive, in file order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Deleted {
    /// Deleted keys with their values.
    pub keys: Vec<DeletedKey>,
    /// Values deleted on their own, or whose key is gone.
    pub values: Vec<DeletedValue>,
}
