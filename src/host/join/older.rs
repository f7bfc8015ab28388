//! Older states in order of time, and which of them have which service.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::host::config::{Epoch, ServiceConfig};
use crate::host::fact::{ConfigurationKey, Identity, IdentityItem, ServicesKey};
use crate::host::older::{OlderState, Passage, Presence, Standing, number, taken};
use crate::host::{Citation, Host, Origin, Service, Span};
use crate::text;

/// Older states that are not compared and told so in the coverage; the list of older states has all.
const REMARKS: usize = 8;

/// The keys under Services by older state and folded name.
pub(super) type Holdings = Vec<BTreeMap<String, Citation>>;

/// The older states of the registry, the oldest first; undated ones before the others.
pub(super) fn states(keys: &[ServicesKey], identities: &[Identity]) -> Vec<OlderState> {
    let current = keys.iter().find(|key| key.epoch == Epoch::Current);
    let mut states: Vec<OlderState> = keys
        .iter()
        .filter_map(|key| {
            let Epoch::History(label) = &key.epoch else { return None };
            let mut state = OlderState {
                label: label.clone(),
                services: key.citation.clone(),
                taken: taken(label),
                newest: key.newest,
                computer: computer(identities, key),
                standing: Standing::Comparable,
            };
            state.standing = standing(&state, key, current, identities);
            Some(state)
        })
        .collect();
    states.sort_by_cached_key(|state| {
        (state.time(), number(&state.label), state.label.clone(), state.services.clone())
    });
    states
}

fn standing(
    state: &OlderState,
    key: &ServicesKey,
    current: Option<&ServicesKey>,
    identities: &[Identity],
) -> Standing {
    let name = current.and_then(|current| computer(identities, current));
    let other_name =
        name.zip(state.computer.as_deref()).is_some_and(|(now, then)| !text::same_name(&now, then));
    let dates = installed(identities, &Epoch::Current).zip(installed(identities, &key.epoch));
    // A label with a date is a shadow copy's, and what it shadows is younger.
    let is_newer = state.taken.is_none()
        && key
            .newest
            .zip(current.and_then(|current| current.newest))
            .is_some_and(|(then, now)| then > now);
    if other_name {
        Standing::OtherComputer
    } else if is_old_installation(&state.label) || dates.is_some_and(|(now, then)| now != then) {
        Standing::OtherInstallation
    } else if is_newer {
        Standing::NotOlder
    } else if !key.complete {
        Standing::Incomplete
    } else {
        Standing::Comparable
    }
}

/// Whether a label names what an upgrade of Windows left behind.
fn is_old_installation(label: &str) -> bool {
    label.split(' ').any(|word| text::fold(word).starts_with("WINDOWS.OLD"))
}

/// The computer name in the hive of that `Services` key.
fn computer(identities: &[Identity], key: &ServicesKey) -> Option<String> {
    identities.iter().find_map(|identity| match &identity.item {
        IdentityItem::ComputerName(name)
            if identity.epoch == key.epoch
                && identity.citation.artifact == key.citation.artifact =>
        {
            Some(name.clone())
        }
        _ => None,
    })
}

/// When the Windows of that state was installed, by its SOFTWARE hive.
fn installed(identities: &[Identity], epoch: &Epoch) -> Option<Timestamp> {
    identities.iter().find_map(|identity| match &identity.item {
        IdentityItem::Windows { installed, .. } if identity.epoch == *epoch => *installed,
        _ => None,
    })
}

/// Says in the coverage which older states are not compared, and why.
pub(super) fn remark(host: &mut Host) {
    let state = host.coverage.state(Origin::SystemHive);
    let notes: Vec<String> = host
        .older_states
        .iter()
        .filter_map(|older| {
            let reason = older.standing.reason()?;
            Some(format!("what {} does not have says nothing: {reason}", older.label))
        })
        .take(REMARKS)
        .collect();
    if !notes.is_empty() {
        host.coverage.record(Origin::SystemHive, Span { state, from: None, to: None, notes });
    }
}

/// Which keys each older state holds, those without `Type` as well: what lost its type was there.
pub(super) fn holdings(
    states: &[OlderState],
    configs: &[ServiceConfig],
    stores: &[ConfigurationKey],
) -> Holdings {
    let mut holdings: Holdings = states.iter().map(|_| BTreeMap::new()).collect();
    let of_hive: BTreeMap<(&str, &str), usize> = states
        .iter()
        .enumerate()
        .map(|(at, state)| ((state.label.as_str(), &*state.services.artifact), at))
        .collect();
    let configs = configs.iter().map(|config| (&config.epoch, &config.name, &config.citation));
    let stores = stores.iter().map(|key| (&key.epoch, &key.name, &key.citation));
    for (epoch, name, citation) in configs.chain(stores) {
        let Epoch::History(label) = epoch else { continue };
        let at = of_hive.get(&(label.as_str(), &*citation.artifact));
        if let Some(held) = at.and_then(|at| holdings.get_mut(*at)) {
            held.entry(text::fold(name)).or_insert_with(|| citation.clone());
        }
    }
    holdings
}

/// Tells every service in which older states it has a key, and when that came and went.
pub(super) fn place(host: &mut Host, holdings: &Holdings) {
    let states: Vec<usize> = (0..)
        .zip(&host.older_states)
        .filter(|(_, state)| state.is_comparable())
        .map(|(at, _)| at)
        .collect();
    let stores: Vec<String> =
        host.configuration_keys.iter().map(|key| text::fold(&key.name)).collect();
    for service in &mut host.services {
        let name = text::fold(&service.name);
        let key = |state: usize| holdings.get(state).and_then(|held| held.get(&name)).cloned();
        let presence: Vec<Presence> =
            states.iter().map(|state| Presence { state: *state, key: key(*state) }).collect();
        let was_there = presence.iter().any(|one| one.key.is_some());
        if !was_there && service.config.is_none() {
            continue;
        }
        let is_store = stores.binary_search(&name).is_ok();
        let now = now(service, is_store, host.services_key.as_ref());
        service.passages = passages(&presence, now, &host.older_states);
        service.presence = if was_there { presence } else { Vec::new() };
    }
}

/// The current end of a service's story: its key or the key it is missing from; absent where nothing can be said.
fn now(service: &Service, is_store: bool, services: Option<&Citation>) -> Option<(bool, Citation)> {
    match &service.config {
        Some(config) => Some((true, config.citation.clone())),
        // A key that lost its type is there all the same.
        None if is_store => None,
        None => services.map(|services| (false, services.clone())),
    }
}

fn passages(
    presence: &[Presence],
    now: Option<(bool, Citation)>,
    states: &[OlderState],
) -> Vec<Passage> {
    let ends = presence.iter().filter_map(|one| {
        let services = || states.get(one.state).map(|state| state.services.clone());
        let place = one.key.clone().or_else(services)?;
        Some((Some(one.state), one.key.is_some(), place))
    });
    let ends: Vec<(Option<usize>, bool, Citation)> =
        ends.chain(now.map(|(is_there, place)| (None, is_there, place))).collect();
    ends.windows(2)
        .filter_map(|pair| {
            let [(after, was_there, left), (before, is_there, right)] = pair else { return None };
            (was_there != is_there).then_some(Passage {
                came: *is_there,
                after: (*after)?,
                before: *before,
                citations: [left.clone(), right.clone()],
            })
        })
        .collect()
}
