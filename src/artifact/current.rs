//! Which hive is the current one, and what the others are then.

use std::cmp::Reverse;

use super::{Sink, security_hive, software_hive, system_hive};
use crate::host::Fact;
use crate::host::config::Epoch;

/// Makes every hive but the current one history. Of several that claim to be current (loose files, a copied
/// tree with two spellings of a name) the one with the newest key is.
pub(super) fn choose(sinks: &mut [Sink]) {
    for kind in [system_hive::KIND.name, software_hive::KIND.name, security_hive::KIND.name] {
        let mut claimants: Vec<&mut Sink> = sinks
            .iter_mut()
            .filter(|sink| sink.kind == kind && sink.history.is_none() && !sink.facts.is_empty())
            .collect();
        claimants.sort_by_key(|sink| Reverse(sink.newest));
        let mut claimants = claimants.into_iter();
        let Some(current) = claimants.next() else { continue };
        for older in claimants {
            older.note(format!(
                "one of several {kind}s; {} has the newest key and is read as the current state",
                current.artifact()
            ));
            let label = older.artifact().to_string();
            older.demote(label);
        }
    }
    for sink in sinks {
        if let Some(label) = sink.history.clone() {
            let facts = std::mem::take(&mut sink.facts);
            sink.facts = facts.into_iter().filter_map(|fact| demote(fact, &label)).collect();
        }
    }
}

/// A fact of an older state; what has no meaning there is dropped: settings and groups of the past decide
/// nothing now, and what was deleted before the copy was made is in neither state.
fn demote(mut fact: Fact, label: &str) -> Option<Fact> {
    let epoch = match &mut fact {
        Fact::Identity(identity) => &mut identity.epoch,
        Fact::Service(config) => &mut config.epoch,
        Fact::ConfigurationKey(key) => &mut key.epoch,
        // A control set that was not current in the past is no state of its own.
        Fact::ServicesKey(key) if key.epoch != Epoch::Current => return None,
        Fact::ServicesKey(key) => &mut key.epoch,
        Fact::SvchostGroup(_) | Fact::SafeBoot(_) | Fact::Setting(_) | Fact::Posture(_) => {
            return None;
        }
        Fact::Event(_) | Fact::RuleHit(_) => return Some(fact),
    };
    *epoch = Epoch::History(match epoch {
        Epoch::Current => label.to_owned(),
        Epoch::ControlSet(_) => format!("{label} {}", epoch.label()),
        Epoch::History(_) => return Some(fact),
        Epoch::Deleted(_) => return None,
    });
    Some(fact)
}
