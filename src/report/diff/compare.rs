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
    /// What differs in the same way on many services, told once.
    pub(super) everywhere: Vec<FieldDiff>,
}

/// From so many services on, one and the same change of who may write their keys is an act of Windows on all of them.
const EVERYWHERE: usize = 20;
/// The value that such acts change.
const KEY_SECURITY: &str = "key_security";

/// Takes out of the services what differs in the same way on many of them: upgrades give every key new access rules.
fn everywhere(compared: &mut Compared) -> Vec<FieldDiff> {
    let mut counts: BTreeMap<(Option<String>, Option<String>), usize> = BTreeMap::new();
    let fields = compared.services.iter().flat_map(|service| &service.fields);
    for field in fields.filter(|field| field.field == KEY_SECURITY) {
        let count = counts.entry((field.before.clone(), field.after.clone())).or_default();
        *count = count.saturating_add(1);
    }
    counts.retain(|_, count| *count >= EVERYWHERE);
    let is_common = |field: &FieldDiff| {
        field.field == KEY_SECURITY
            && counts.contains_key(&(field.before.clone(), field.after.clone()))
    };
    for service in &mut compared.services {
        service.fields.retain(|field| !is_common(field));
    }
    let before = compared.services.len();
    compared.services.retain(|one| one.change != Change::Changed || !one.fields.is_empty());
    let gone = before.saturating_sub(compared.services.len());
    compared.same = compared.same.saturating_add(gone);
    let told = |((before, after), count)| FieldDiff {
        field: format!("{KEY_SECURITY} of {count} services"),
        before,
        after,
    };
    counts.into_iter().map(told).collect()
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
    compared.everywhere = everywhere(&mut compared);
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

#[cfg(test)]
mod tests {
    use super::super::ServiceState;
    use super::*;

    fn item(name: &str, values: &[(&'static str, &str)]) -> Item {
        let field = |(name, value): &(&'static str, &str)| Field {
            name,
            value: Some((*value).to_owned()),
            is_known: !value.is_empty(),
        };
        Item {
            name: name.to_owned(),
            is_instance: false,
            fields: values.iter().map(field).collect(),
            state: ServiceState::default(),
        }
    }

    #[test]
    fn the_nearest_variant_is_compared_and_the_unknown_is_no_difference() {
        let before = vec![
            item("a", &[("image", "x"), ("start", "auto"), ("sha256", "")]),
            item("A", &[("image", "y"), ("start", "auto"), ("sha256", "1")]),
        ];
        let same = services(
            before.clone(),
            vec![item("a", &[("image", "x"), ("start", "auto"), ("sha256", "2")])],
        );
        assert_eq!((same.services.len(), same.same), (0, 1));
        let other = services(
            before,
            vec![item("a", &[("image", "y"), ("start", "demand"), ("sha256", "1")])],
        );
        let [one] = other.services.as_slice() else { unreachable!("one service") };
        assert_eq!(
            one.fields.iter().map(|field| field.field.as_str()).collect::<Vec<_>>(),
            ["start"]
        );
    }

    #[test]
    fn what_changed_on_all_keys_is_told_once() {
        let all = |security: &str, start: &str| -> Vec<Item> {
            let names = (0..EVERYWHERE).map(|number| format!("s{number:02}"));
            let of = |name: String| {
                let start = if name == "s00" { start } else { "auto" };
                item(&name, &[(KEY_SECURITY, security), ("start", start)])
            };
            names.map(of).collect()
        };
        let compared = services(all("D:a", "auto"), all("D:b", "demand"));
        assert_eq!((compared.services.len(), compared.same), (1, EVERYWHERE - 1));
        assert_eq!(compared.everywhere[0].field, format!("key_security of {EVERYWHERE} services"));
    }
}
