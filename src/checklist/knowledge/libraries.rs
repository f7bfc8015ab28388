//! Libraries that Windows loads because of values below service keys.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use super::{matches, rows};

const LIST: &str = include_str!("libraries.tsv");

/// Whether Windows or a well-known product names the library of that file name (lower case) in such a value.
pub fn is_default(leaf: &str) -> bool {
    static NAMES: LazyLock<BTreeSet<&str>> =
        LazyLock::new(|| rows(LIST).map(|row| row.field(0)).collect());
    // SQL Server puts the counters of each instance into System32 under the instance's name.
    NAMES.contains(leaf)
        || matches("perf-*sqlctr*.dll", leaf)
        || matches("perf-*sqlagtctr*.dll", leaf)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 1, 1);
        assert!(is_default("rasctrs.dll") && !is_default("nppspy.dll"));
    }
}
