//! How a key came about, told by the order of its values.
//!
//! A hive keeps the values of a key in the order in which they were first written; overwriting one does not
//! move it. Measured on six real hives: `CreateService` writes `Type, Start, ErrorControl, ImagePath`, then
//! `DisplayName` and `ObjectName`; Windows images and servicing lay keys down alphabetically; INF files write
//! `ImagePath, Type, Start, ErrorControl` or (Windows 7) `Start, Type, ErrorControl, ImagePath`.

use crate::host::config::{RawValue, ValueOrder};
use crate::text::same_name;

const NAMES: [&str; 6] =
    ["Type", "Start", "ErrorControl", "ImagePath", "DisplayName", "ObjectName"];
/// With fewer of the six names than this, different histories leave the same order.
const ENOUGH: usize = 4;

const CREATE_SERVICE: [&str; 6] = NAMES;
const ALPHABETICAL: [&str; 6] =
    ["DisplayName", "ErrorControl", "ImagePath", "ObjectName", "Start", "Type"];
const INF: [[&str; 4]; 2] = [
    ["ImagePath", "Type", "Start", "ErrorControl"],
    ["Start", "Type", "ErrorControl", "ImagePath"],
];

/// Classifies the order of a service key's own values; those of its sub-keys do not count.
pub fn value_order(values: &[RawValue]) -> ValueOrder {
    let order: Vec<&str> = values
        .iter()
        .filter_map(|value| NAMES.into_iter().find(|name| same_name(name, &value.name)))
        .collect();
    if order.len() < ENOUGH {
        return ValueOrder::TooFew;
    }
    if keeps(&order, &ALPHABETICAL) {
        ValueOrder::Alphabetical
    } else if !order.contains(&"ImagePath") {
        ValueOrder::TooFew
    } else if keeps(&order, &CREATE_SERVICE) {
        ValueOrder::CreateService
    } else if INF.iter().any(|inf| keeps(&among(&order, inf), inf)) {
        ValueOrder::Inf
    } else {
        ValueOrder::Other
    }
}

/// Whether names stand in the order of `pattern`, which may have more of them.
fn keeps(order: &[&str], pattern: &[&str]) -> bool {
    let mut rest = pattern.iter();
    order.iter().all(|name| rest.any(|expected| expected == name))
}

/// The names that `pattern` speaks of, in the order of the key.
fn among<'n>(order: &[&'n str], pattern: &[&str]) -> Vec<&'n str> {
    order.iter().copied().filter(|name| pattern.contains(name)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::citation::Provenance;
    use crate::host::config::Data;

    fn order(names: &str) -> ValueOrder {
        let values: Vec<RawValue> = names
            .split(' ')
            .map(|name| RawValue {
                name: name.into(),
                kind: 4,
                data: Data::Number(0),
                offset: 0,
                provenance: Provenance::Live,
            })
            .collect();
        value_order(&values)
    }

    #[test]
    fn orders_seen_on_real_hosts() {
        for (names, expected) in [
            (
                "Type Start ErrorControl ImagePath DisplayName WOW64 ObjectName Description",
                ValueOrder::CreateService,
            ),
            ("type start errorcontrol imagepath ObjectName", ValueOrder::CreateService),
            (
                "Description DisplayName ErrorControl ImagePath ObjectName Start Type",
                ValueOrder::Alphabetical,
            ),
            ("DisplayName ErrorControl Start Type", ValueOrder::Alphabetical),
            ("ImagePath Type Start ErrorControl DisplayName", ValueOrder::Inf),
            ("Start Type ErrorControl ImagePath Group", ValueOrder::Inf),
            ("DisplayName ImagePath Type Start ErrorControl", ValueOrder::Inf),
            ("ImagePath Start Type ErrorControl", ValueOrder::Other),
            ("Type Start ImagePath ErrorControl ObjectName", ValueOrder::Other),
            ("Type Start ErrorControl DisplayName", ValueOrder::TooFew),
            ("Type Start ErrorControl Parameters\\ImagePath", ValueOrder::TooFew),
            ("Type Start", ValueOrder::TooFew),
        ] {
            assert_eq!(order(names), expected, "{names}");
        }
    }
}
