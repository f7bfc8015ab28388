//! The services of two hosts, one by one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::fields::{Field, Item, key};
use super::{Change, FieldDiff, ServiceDiff};
use crate::text;

/// What came of comparing two sets of services.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Those that are not the same, worst first.
    pub(super) services: Vec<ServiceDiff>,
    /// How many are the same.
    pub(super) same: usize,
}

/// Several services of one name and one set: a baseline's variants, the instances for several users.
type Groups = BTreeMap<(String, bool), (Vec<Item>, Vec<Item>)>;

/// Compares the services of two states.
pub(super) fn services(before: Vec<Item>, after: Vec<Item>) -> Compared {
    let mut groups = Groups::new();
    for item in before {
        groups.entry(key(&item)).or_default().0.push(item);
    }
    for item in after {
        groups.entry(key(&item)).or_default().1.push(item);
    }
    let mut compared = Compared::default();
    for (before, after) in groups.values() {
        group(before, after, &mut compared);
    }
    let kept = |one: &ServiceDiff| (Reverse(one.verdict()), one.change, text::fold(&one.name));
    compared.services.sort_by_cached_key(kept);
    compared
}

fn group(before: &[Item], after: &[Item], compared: &mut Compared) {
    match (before.first(), after.first()) {
        (None, Some(item)) => compared.services.push(alone(item, Change::Added)),
        (Some(item), None) => compared.services.push(alone(item, Change::Removed)),
        (Some(_), Some(_)) => {
            let mut changed: Vec<ServiceDiff> = Vec::new();
            for item in after {
                let one = nearest(before, item);
                let is_told = |other: &ServiceDiff| {
                    one.as_ref().is_some_and(|one| one.fields == other.fields)
                };
                if !changed.iter().any(is_told) {
                    changed.extend(one);
                }
            }
            if changed.is_empty() {
                compared.same = compared.same.saturating_add(1);
            }
            compared.services.append(&mut changed);
        }
        (None, None) => {}
    }
}

/// A service that only one state has.
fn alone(item: &Item, change: Change) -> ServiceDiff {
    let state = Some(item.state.clone());
    let (before, after) = match change {
        Change::Removed => (state, None),
        Change::Added | Change::Changed => (None, state),
    };
    ServiceDiff {
        name: item.name.clone(),
        instance: item.is_instance,
        change,
        before,
        after,
        fields: Vec::new(),
    }
}

/// How a service differs from that of the state before that is most like it; absent where one is the same.
fn nearest(before: &[Item], after: &Item) -> Option<ServiceDiff> {
    let mut best: Option<(Vec<FieldDiff>, &Item)> = None;
    for item in before {
        let fields = differences(item, after);
        if fields.is_empty() {
            return None;
        }
        if best.as_ref().is_none_or(|(least, _)| fields.len() < least.len()) {
            best = Some((fields, item));
        }
    }
    let (fields, item) = best?;
    Some(ServiceDiff {
        name: after.name.clone(),
        instance: after.is_instance,
        change: Change::Changed,
        before: Some(item.state.clone()),
        after: Some(after.state.clone()),
        fields,
    })
}

/// The values that differ, in the order of the fields, and the verdict.
fn differences(before: &Item, after: &Item) -> Vec<FieldDiff> {
    let find = |fields: &[Field], name: &str| fields.iter().find(|one| one.name == name).cloned();
    let mut found = Vec::new();
    let mut names: Vec<&'static str> = after.fields.iter().map(|one| one.name).collect();
    names.extend(before.fields.iter().map(|one| one.name).filter(|one| {
        // A service without a key has fewer fields.
        !after.fields.iter().any(|other| other.name == *one)
    }));
    for name in names {
        let (Some(old), Some(new)) = (find(&before.fields, name), find(&after.fields, name)) else {
            continue;
        };
        if old.is_known && new.is_known && old.value != new.value {
            found.push(FieldDiff { field: name.to_owned(), before: old.value, after: new.value });
        }
    }
    let verdict = |item: &Item| item.state.verdict.map(|verdict| verdict.label().to_owned());
    let (old, new) = (verdict(before), verdict(after));
    if old.is_some() && new.is_some() && old != new {
        found.push(FieldDiff { field: "verdict".to_owned(), before: old, after: new });
    }
    found
}

/// A value that differs, where it does.
pub(super) fn fact(field: &str, before: Option<&str>, after: Option<&str>) -> Option<FieldDiff> {
    (before != after).then(|| FieldDiff {
        field: field.to_owned(),
        before: before.map(str::to_owned),
        after: after.map(str::to_owned),
    })
}
