//! Worked examples of a rule: a service and its events as their fields, executed when the rule is read.

use std::collections::BTreeMap;

use super::rule::View;
use super::service_field::Told;
use crate::host::Origin;

/// The fields of an example, in lower case.
pub(super) type Fields = BTreeMap<String, Vec<String>>;

/// A service of an example. What it does not say is not there: an example is evidence that was read completely.
pub(super) struct Example {
    pub(super) service: Fields,
    pub(super) events: Vec<Fields>,
}

impl View for Example {
    fn tell(&self, field: &str) -> Told {
        Told::Is(self.service.get(field).cloned().unwrap_or_default())
    }

    fn events(&self) -> usize {
        self.events.len()
    }

    fn of_event(&self, at: usize, field: &str) -> Vec<String> {
        let event = self.events.get(at);
        event.and_then(|event| event.get(field)).cloned().unwrap_or_default()
    }

    fn hears(&self, _: &[Origin]) -> bool {
        true
    }
}

/// The values of a field as an example writes them: a text, a number, yes or no, or a list of such.
pub(super) fn values(value: &serde_json::Value) -> Option<Vec<String>> {
    let one = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => Some(text.clone()),
        serde_json::Value::Number(number) => Some(number.to_string()),
        serde_json::Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    };
    match value {
        serde_json::Value::Array(list) => list.iter().map(one).collect(),
        other => one(other).map(|value| vec![value]),
    }
}
