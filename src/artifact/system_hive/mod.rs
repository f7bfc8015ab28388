//! The SYSTEM hive: every service of every control set, and what the host says about itself.

mod deleted;
mod identity;
mod posture;
mod services;
mod settings;
mod values;

use super::hive::{Damage, Hive, Key, Listing};
use super::hive_file::{self, unless_damaged};
use super::{ArtifactKind, Sink};
use crate::evidence::{Found, Magic, Pattern, Place};
use crate::host::config::{Epoch, RawValue};
use crate::host::fact::{Identity, IdentityItem};
use crate::host::{Fact, Origin, Provenance};
use crate::text::{fold, same_name};

/// The SYSTEM hive.
pub const KIND: ArtifactKind = ArtifactKind {
    name: "SYSTEM hive",
    pattern: Pattern {
        magic: Magic::Hive,
        places: &[
            Place::current("System32/config/SYSTEM"),
            Place::history("System32/config/RegBack/SYSTEM", "RegBack"),
            Place::history("repair/SYSTEM", "repair"),
        ],
    },
    origin: Some(Origin::SystemHive),
    without_it: "which services exist, what they run, as whom, and what happens when they fail",
    read: hive_file::read,
};

/// Damages of one list that are told one by one; beyond, they are counted.
const DAMAGES_TOLD: usize = 20;

/// One control set.
struct ControlSet<'h> {
    number: u32,
    key: Key<'h>,
    epoch: Epoch,
}

/// Whether a root key is that of a SYSTEM hive. Its own name varies between versions of Windows.
pub(super) fn is_system(root: &Key<'_>) -> bool {
    matches!(root.subkey("Select"), Ok(Some(_)))
        || root.subkeys().items.iter().any(|key| control_set_number(key.name()).is_some())
}

pub(super) fn read(hive: &Hive<'_>, root: &Key<'_>, sink: &mut Sink) {
    let sets = control_sets(root, sink);
    for set in &sets {
        if set.epoch == Epoch::Current {
            let item = IdentityItem::CurrentControlSet(set.number);
            let citation = cite_key(&set.key, sink);
            sink.fact(Fact::Identity(Identity { item, epoch: Epoch::Current, citation }));
            identity::read(&set.key, sink);
        }
        services::read(set, sink);
        if set.epoch == Epoch::Current {
            settings::read(&set.key, sink);
            posture::read(&set.key, sink);
        }
    }
    deleted::read(hive, &sets, sink);
}

/// The computer's name in the current control set; damage on the way is not told.
pub(super) fn computer_name(root: &Key<'_>, found: &Found) -> Option<String> {
    let mut sink = Sink::new(found, KIND.name);
    let sets = control_sets(root, &mut sink);
    let current = sets.iter().find(|set| set.epoch == Epoch::Current)?;
    identity::computer_name(&current.key, &mut sink)
}

/// The control sets: the current one by `Select`, which is there offline while `CurrentControlSet` is not.
fn control_sets<'h>(root: &Key<'h>, sink: &mut Sink) -> Vec<ControlSet<'h>> {
    let children = told(root.subkeys(), "the root key", sink);
    let mut numbered: Vec<(u32, Key<'h>)> = children
        .into_iter()
        .filter_map(|key| Some((control_set_number(key.name())?, key)))
        .collect();
    numbered.sort_by_key(|(number, key)| (*number, key.offset()));
    let selected = unless_damaged(root.subkey("Select"), sink)
        .and_then(|select| unless_damaged(select.value("Current"), sink))
        .and_then(|current| current.dword());
    let current = selected.filter(|number| numbered.iter().any(|(known, _)| known == number));
    let current = current.or_else(|| {
        let first = numbered.first().map(|(number, _)| *number)?;
        sink.partial(match selected {
            Some(number) => format!(
                "Select names control set {number}, which is not there; {first} is taken as current"
            ),
            None => format!("no Select\\Current; control set {first} is taken as current"),
        });
        Some(first)
    });
    if numbered.is_empty() {
        sink.partial("no control set in it");
    }
    let epoch = |number| {
        if Some(number) == current { Epoch::Current } else { Epoch::ControlSet(number) }
    };
    numbered
        .into_iter()
        .map(|(number, key)| ControlSet { number, epoch: epoch(number), key })
        .collect()
}

/// The number in `ControlSet001`.
fn control_set_number(name: &str) -> Option<u32> {
    let digits = fold(name).strip_prefix("CONTROLSET")?.to_owned();
    let is_number = !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit());
    digits.parse().ok().filter(|_| is_number)
}

/// The readable items of a list; what is damaged is told.
pub(super) fn told<T>(listing: Listing<T>, of: &str, sink: &mut Sink) -> Vec<T> {
    tell(&listing.damaged, of, sink);
    listing.items
}

fn tell(damaged: &[Damage], of: &str, sink: &mut Sink) {
    for damage in damaged.iter().take(DAMAGES_TOLD) {
        sink.partial(format!("{of}: {damage}"));
    }
    let more = damaged.len().saturating_sub(DAMAGES_TOLD);
    if more > 0 {
        sink.partial(format!("{of}: {more} more places are damaged"));
    }
}

/// A citation of a key.
fn cite_key(key: &Key<'_>, sink: &Sink) -> crate::host::Citation {
    sink.cite(key.path(), None, key.offset(), provenance(key.from_log()))
}

fn provenance(from_log: bool) -> Provenance {
    if from_log { Provenance::TransactionLog } else { Provenance::Live }
}

/// Whether a fact about a key under Services stands, in whole or in part, only in a transaction log.
pub(super) fn is_from_log(fact: &Fact) -> bool {
    let (citation, values): (_, &[RawValue]) = match fact {
        Fact::Service(config) => (&config.citation, &config.values),
        Fact::ConfigurationKey(key) => (&key.citation, &key.values),
        _ => return false,
    };
    citation.provenance == Provenance::TransactionLog
        || values.iter().any(|value| value.provenance == Provenance::TransactionLog)
}

/// Whether a value name is one of these.
fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|known| same_name(known, name))
}
