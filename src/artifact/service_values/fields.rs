//! Looking up values by name and type, and saying what did not fit.

use crate::host::config::{Data, RawValue};
use crate::text::same_name;

/// The values of one key and what was odd about those asked for.
pub(super) struct Fields<'v> {
    values: &'v [RawValue],
    problems: Vec<String>,
}

impl<'v> Fields<'v> {
    pub(super) fn new(values: &'v [RawValue]) -> Self {
        Self { values, problems: Vec::new() }
    }

    pub(super) fn into_problems(self) -> Vec<String> {
        self.problems
    }

    pub(super) fn problem(&mut self, problem: Option<String>) {
        self.problems.extend(problem);
    }

    /// The first value of that name: a damaged key can hold several, and Windows stops at the first.
    fn find(&self, name: &str) -> Option<&'v RawValue> {
        self.values.iter().find(|value| same_name(&value.name, name))
    }

    /// The name as the hive spells it.
    pub(super) fn spelling(&self, name: &str) -> String {
        self.find(name).map_or_else(|| name.to_owned(), |value| value.name.clone())
    }

    pub(super) fn number(&mut self, name: &str) -> Option<u32> {
        let value = self.find(name)?;
        let Data::Number(number) = &value.data else {
            self.misfit(value, "a number");
            return None;
        };
        let number = u32::try_from(*number).ok();
        if number.is_none() {
            self.problems.push(format!("{} is larger than 32 bits", value.name));
        }
        number
    }

    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        self.number(name).map(|number| number != 0)
    }

    /// Text of any string type; of several strings the first, as a reader of one string sees it.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.find(name)?;
        match &value.data {
            Data::Text(text) => Some(text.clone()),
            Data::Texts(texts) => {
                if texts.len() > 1 {
                    let name = &value.name;
                    let count = texts.len();
                    self.problems.push(format!("{name} holds {count} strings; the first is used"));
                }
                Some(texts.first().cloned().unwrap_or_default())
            }
            Data::Number(_) | Data::Bytes(_) => {
                self.misfit(value, "text");
                None
            }
        }
    }

    /// Strings, without empty ones.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.find(name)?;
        let mut texts = match &value.data {
            Data::Text(text) => vec![text.clone()],
            Data::Texts(texts) => texts.clone(),
            Data::Number(_) | Data::Bytes(_) => {
                self.misfit(value, "a list of strings");
                return None;
            }
        };
        texts.retain(|text| !text.is_empty());
        Some(texts)
    }

    pub(super) fn bytes(&mut self, name: &str) -> Option<&'v [u8]> {
        let value = self.find(name)?;
        let Data::Bytes(bytes) = &value.data else {
            self.misfit(value, "binary data");
            return None;
        };
        Some(bytes)
    }

    fn misfit(&mut self, value: &RawValue, wanted: &str) {
        let found = match &value.data {
            Data::Number(_) => "a number".to_owned(),
            Data::Text(_) => "text".to_owned(),
            Data::Texts(_) => "a list of strings".to_owned(),
            Data::Bytes(bytes) => format!("{} bytes of registry type {}", bytes.len(), value.kind),
        };
        self.problems.push(format!("{} is {found} where {wanted} belongs", value.name));
    }
}
