//! Acts on services by one actor and session, or from one address, within ten minutes: one incident.
//!
//! What one intruder, one setup or one administrator did at one time is one thing to read, however many services it
//! was done to. An incident is as bad as its services; only services that come and go in numbers are bad in themselves.

mod act;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use super::{Gravity, Incident, IncidentKind, TOGETHER, agreed, cited};
use crate::host::Host;
use crate::host::bursts::comes_in_waves;
use crate::text::fold;
use act::{Act, Deed};

/// Groups of one account that a further act is held against, the newest first.
const RECENT: usize = 8;
/// So many services made and deleted again at once are bad in themselves.
const COME_AND_GONE: usize = 5;

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let mut groups = Groups::default();
    for act in act::acts(host) {
        groups.add(host, act);
    }
    groups.all.iter().filter_map(|group| incident(host, group)).collect()
}

/// Acts that belong together.
#[derive(Default)]
struct Group {
    acts: Vec<Act>,
    sessions: BTreeSet<u64>,
    addresses: BTreeSet<String>,
}

impl Group {
    /// Whether an act of the same account can be of the same session: nothing says that it is not, or both came from
    /// one address.
    fn is_session_of(&self, act: &Act) -> bool {
        let session = act
            .by
            .logon_id
            .is_none_or(|id| self.sessions.is_empty() || self.sessions.contains(&id));
        session || act.address.as_ref().is_some_and(|address| self.addresses.contains(address))
    }

    fn is_open(&self, act: &Act) -> bool {
        self.acts.first().is_some_and(|first| act.time.duration_since(first.time) <= TOGETHER)
    }

    fn is_alone(&self) -> bool {
        let mut services = self.acts.iter().map(|act| act.service);
        let first = services.next();
        services.all(|service| Some(service) == first)
    }
}

/// By which an act finds its group: a computer, and an account or an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Account(String, String),
    Address(String, String),
}

/// Groups in the making. Acts come in order of time.
#[derive(Default)]
struct Groups {
    all: Vec<Group>,
    by_key: BTreeMap<Key, Vec<usize>>,
}

impl Groups {
    fn add(&mut self, host: &Host, act: Act) {
        let event = act.events.first().and_then(|at| host.events.get(*at));
        let Some(computer) = event.map(|event| fold(&event.computer)) else { return };
        let account = act.by.sid.as_ref().or(act.by.name.as_ref());
        let account = account.map(|account| Key::Account(computer.clone(), fold(account)));
        let address = act.address.as_ref().filter(|address| is_elsewhere(address));
        let address = address.map(|address| Key::Address(computer, fold(address)));
        let index = self.of_account(account.as_ref(), &act);
        let index = index.or_else(|| self.of_address(address.as_ref(), &act));
        let index = index.unwrap_or(self.all.len());
        if index == self.all.len() {
            self.all.push(Group::default());
        }
        for key in [account, address].into_iter().flatten() {
            let known = self.by_key.entry(key).or_default();
            if known.last() != Some(&index) {
                known.push(index);
            }
        }
        let Some(group) = self.all.get_mut(index) else { return };
        group.sessions.extend(act.by.logon_id);
        group.addresses.extend(act.address.clone());
        group.acts.push(act);
    }

    fn recent<'a>(
        &'a self,
        key: Option<&Key>,
    ) -> impl Iterator<Item = (usize, &'a Group)> + use<'a> {
        let known = key.and_then(|key| self.by_key.get(key)).into_iter().flatten();
        known.rev().take(RECENT).filter_map(|index| Some((*index, self.all.get(*index)?)))
    }

    fn of_account(&self, key: Option<&Key>, act: &Act) -> Option<usize> {
        let fits = |group: &Group| group.is_open(act) && group.is_session_of(act);
        self.recent(key).find(|(_, group)| fits(group)).map(|(index, _)| index)
    }

    fn of_address(&self, key: Option<&Key>, act: &Act) -> Option<usize> {
        self.recent(key).find(|(_, group)| group.is_open(act)).map(|(index, _)| index)
    }
}

/// Whether an address tells two clients apart: not those that every host has.
fn is_elsewhere(address: &str) -> bool {
    !address.is_empty() && !matches!(address, "-" | "127.0.0.1" | "::1" | "0.0.0.0" | "LOCAL")
}

fn incident(host: &Host, group: &Group) -> Option<Incident> {
    if group.is_alone() {
        return None;
    }
    let (first, last) = (group.acts.first()?, group.acts.last()?);
    let actor = agreed(group.acts.iter().map(|act| &act.by));
    let mut addresses = group.addresses.iter();
    let address = match (addresses.next(), addresses.next()) {
        (Some(only), None) => Some(only.clone()),
        _ => None,
    };
    let names: BTreeSet<&str> = group
        .acts
        .iter()
        .filter_map(|act| Some(host.services.get(act.service)?.name.as_str()))
        .collect();
    let records = group.acts.iter().flat_map(|act| &act.events);
    let citations = cited(records.filter_map(|at| Some(host.events.get(*at)?.citation.clone())));
    (!citations.is_empty()).then(|| Incident {
        kind: IncidentKind::ServiceActs,
        gravity: gravity(host, group),
        from: first.time,
        to: last.time,
        sentence: shape::sentence(host, &group.acts, actor.as_ref(), address.as_deref()),
        actor,
        address,
        count: group.acts.len(),
        services: names.into_iter().map(str::to_owned).collect(),
        citations,
    })
}

/// How bad it is by itself. Drivers and products come and go with their setup.
fn gravity(host: &Host, group: &Group) -> Gravity {
    let of = |deed: Deed| -> BTreeSet<usize> {
        let done = group.acts.iter().filter(|act| act.deed == deed);
        done.map(|act| act.service).collect()
    };
    let (made, deleted) = (of(Deed::Installed), of(Deed::Deleted));
    let own =
        |index: &&usize| host.services.get(**index).is_some_and(|service| !comes_in_waves(service));
    let gone = made.intersection(&deleted).filter(own).count();
    if gone >= COME_AND_GONE { Gravity::Suspicious } else { Gravity::Theirs }
}
