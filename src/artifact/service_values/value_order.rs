//! How a key came about, told by the order of its values.
//!
//! A hive keeps the values of a key in the order in which they were first written; overwriting one does not
//! move it. Measured on six real hives: `CreateService` writes `Type, Start, ErrorControl, ImagePath`, then
//! the rest; Windows images and servicing lay keys down alphabetically, except that `Start` may come first and
//! that some values (`Description`, `ObjectName`, `DisplayName`) may follow in a second pass; INF files write
//! `ImagePath, Type, Start, ErrorControl`, in Windows 7 `Start, Type, ErrorControl, ImagePath`, in Server 2003
//! `Type, Start, ErrorControl, DisplayName, ImagePath`.

use crate::host::config::{RawValue, ValueOrder};
use crate::text::same_name;

const NAMES: [&str; 5] = ["Type", "Start", "ErrorControl", "ImagePath", "DisplayName"];

const CREATE_SERVICE: [&str; 4] = ["Type", "Start", "ErrorControl", "ImagePath"];
const INF: [[&str; 4]; 2] = [
    ["ImagePath", "Type", "Start", "ErrorControl"],
    ["Start", "Type", "ErrorControl", "ImagePath"],
];
/// The same four as [`CREATE_SERVICE`], and the display name among them.
const INF_WITH_NAME: [&str; 5] = ["Type", "Start", "ErrorControl", "DisplayName", "ImagePath"];
/// `Start` is left out: it is what gets written before the rest of the key is laid down.
const ALPHABETICAL: [&str; 3] = ["ErrorControl", "ImagePath", "Type"];
/// Boot drivers of text-mode setup: the hive comes without image paths, they are added later.
const ALPHABETICAL_DRIVER: [&str; 3] = ["ErrorControl", "Start", "Type"];

/// Classifies the order of a service key's own values; those of its sub-keys do not count.
pub fn value_order(values: &[RawValue]) -> ValueOrder {
    let order: Vec<&str> = values
        .iter()
        .filter_map(|value| NAMES.into_iter().find(|name| same_name(name, &value.name)))
        .collect();
    let four = among(&order, &CREATE_SERVICE);
    if four == CREATE_SERVICE {
        if order == INF_WITH_NAME { ValueOrder::Inf } else { ValueOrder::CreateService }
    } else if INF.iter().any(|inf| four == inf) {
        ValueOrder::Inf
    } else if among(&order, &ALPHABETICAL) == ALPHABETICAL || four.starts_with(&ALPHABETICAL_DRIVER)
    {
        ValueOrder::Alphabetical
    } else if four.len() < CREATE_SERVICE.len() {
        ValueOrder::TooFew
    } else {
        ValueOrder::Other
    }
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
            (
                "Start DisplayName ErrorControl Group ImagePath Type Description ObjectName",
                ValueOrder::Alphabetical,
            ),
            ("ErrorControl ImagePath Start Type DisplayName", ValueOrder::Alphabetical),
            ("Type Start ErrorControl ImagePath ObjectName DisplayName", ValueOrder::CreateService),
            ("DisplayName WOW64 Type Start ErrorControl ImagePath", ValueOrder::CreateService),
            ("Type Start Group ErrorControl DisplayName ImagePath Tag", ValueOrder::Inf),
            ("ErrorControl Group Start Tag Type DisplayName ImagePath", ValueOrder::Alphabetical),
            ("ImagePath DisplayName ErrorControl Start Type", ValueOrder::Other),
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
