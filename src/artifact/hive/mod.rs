//! Registry hives (regf): the only place that names `nt_hive`.
//!
//! [`replay`] turns a primary file and its transaction logs into the bytes Windows would load; [`Hive`]
//! reads those; [`Key`] and [`Value`] carry what a citation needs: offsets, last-write times, and whether a
//! log said it. Damage costs only what it hits, and is always told.

use std::sync::atomic::{AtomicUsize, Ordering};

use nt_hive::NtHiveNameString;

mod base_block;
mod bytes;
mod cell;
mod changes;
mod deleted;
mod fuse;
mod key;
mod live;
mod marvin32;
mod new_log;
mod old_log;
mod plausible;
mod recovery;
mod replay;
mod sddl;
mod security_descriptor;
mod space;
mod subkeys;
mod value;
mod values;

pub use base_block::BaseBlock;
pub use changes::Changes;
pub use deleted::{Confidence, Deleted, DeletedKey, DeletedValue};
pub use key::{Damage, Key, Listing};
pub use replay::{AppliedEntries, LogFile, LogFormat, LogReport, Replayed, replay};
pub use sddl::RightsKind;
pub use security_descriptor::{Ace, Acl, SecurityDescriptor, SecurityDescriptorError};
pub use space::Place;
pub use value::{Value, ValueKind};

/// Why a hive, or something looked up in it, cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HiveError {
    /// The file has no base block with the signature `regf`.
    #[error("not a registry hive: no regf base block")]
    NotAHive,
    /// The key every other key hangs from cannot be read.
    #[error("the root key cannot be read: {0}")]
    Root(String),
    /// What was looked for was not found, but part of the place where it would be is damaged.
    #[error("{wanted} may be in the damaged part: {damage}")]
    Damaged {
        /// The key or value that was looked for.
        wanted: String,
        /// The damage met first.
        damage: Damage,
    },
}

/// A hive opened for reading, borrowed from its replayed bytes.
pub struct Hive<'b> {
    replayed: &'b Replayed,
    base_block: BaseBlock,
    reader: nt_hive::Hive<&'b [u8]>,
    /// Bytes that may still be read.
    budget: AtomicUsize,
}

/// A hive can be read this many times over before reading stops: its records may refer to the same cells
/// again and again, so that a small file would keep us busy for days.
const READINGS: usize = 256;
/// Small hives may be read this many bytes in any case.
const LEAST_BUDGET: usize = 1 << 28;
/// What is said of a record that was not read for that reason.
const EXHAUSTED: &str = "not read: the hive refers to the same records over and over";

impl<'b> Hive<'b> {
    /// Opens replayed bytes.
    ///
    /// # Errors
    /// [`HiveError::NotAHive`] when there is no base block. A wrong checksum, unequal sequence numbers, a
    /// file that is too short or too long are no errors: [`Hive::base_block`] and [`Hive::replayed`] tell.
    pub fn open(replayed: &'b Replayed) -> Result<Self, HiveError> {
        let base_block = BaseBlock::parse(&replayed.bytes).ok_or(HiveError::NotAHive)?;
        let reader = nt_hive::Hive::without_validation(replayed.bytes.as_slice())
            .map_err(|_| HiveError::NotAHive)?;
        let budget = replayed.bytes.len().saturating_mul(READINGS).max(LEAST_BUDGET);
        Ok(Self { replayed, base_block, reader, budget: AtomicUsize::new(budget) })
    }

    /// The bytes and how they came about: logs applied, logs refused, changes.
    pub fn replayed(&self) -> &'b Replayed {
        self.replayed
    }

    /// The base block after replay.
    pub fn base_block(&self) -> &BaseBlock {
        &self.base_block
    }

    /// The root key; its own name varies between Windows versions and means nothing.
    ///
    /// # Errors
    /// [`HiveError::Root`] when its cell is damaged.
    pub fn root(&self) -> Result<Key<'_>, HiveError> {
        Key::root(self)
    }

    /// How many bytes of hive bins the file lacks by its own account; 0 unless it was cut off.
    pub fn missing_bytes(&self) -> usize {
        let end = base_block::HIVE_BINS_START.saturating_add(self.base_block.hive_bins_size);
        end.saturating_sub(self.bytes().len())
    }

    fn bytes(&self) -> &'b [u8] {
        &self.replayed.bytes
    }

    /// Where a name that nt-hive returned lies in the file: names are slices of our own buffer.
    fn place_of(&self, name: &NtHiveNameString<'_>) -> Option<usize> {
        let (NtHiveNameString::Latin1(name) | NtHiveNameString::Utf16LE(name)) = name;
        let distance = name.as_ptr().addr().checked_sub(self.bytes().as_ptr().addr())?;
        (distance <= self.bytes().len()).then_some(distance)
    }

    /// Takes bytes from the budget of reading; `false` when it is used up.
    fn spend(&self, bytes: usize) -> bool {
        let take = |left: usize| left.checked_sub(bytes);
        self.budget.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }
}

impl std::fmt::Debug for Hive<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Hive").field("base_block", &self.base_block).finish_non_exhaustive()
    }
}
