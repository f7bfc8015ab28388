//! Lines and rows of a list that are none.

use std::fmt::Display;

/// Problems told one by one; of further ones only the number.
const MOST_TOLD: usize = 3;

/// What was wrong with a list.
#[derive(Debug, Default)]
pub(super) struct Problems {
    told: Vec<String>,
    count: u64,
}

impl Problems {
    /// Something is wrong with a line.
    pub(super) fn add(&mut self, line: u64, what: &str) {
        self.add_at(format_args!("line {line}"), what);
    }

    /// Something is wrong at that place.
    pub(super) fn add_at(&mut self, place: impl Display, what: &str) {
        self.count = self.count.saturating_add(1);
        if self.told.len() < MOST_TOLD {
            self.told.push(format!("{place}: {what}"));
        }
    }

    /// How many.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// In a sentence; nothing where nothing was wrong.
    pub(super) fn sentence(&self) -> Option<String> {
        let told = u64::try_from(self.told.len()).unwrap_or(u64::MAX);
        match self.count.saturating_sub(told) {
            _ if self.count == 0 => None,
            0 => Some(self.told.join("; ")),
            more => Some(format!("{}; and {more} more", self.told.join("; "))),
        }
    }
}
