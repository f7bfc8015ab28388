//! The svchost groups of Windows.

use super::rows;

const LIST: &str = include_str!("groups.tsv");

/// Whether Windows brings a svchost group of that name (lower case).
pub fn is_known(group: &str) -> bool {
    rows(LIST).any(|row| row.field(0) == group)
}

#[cfg(test)]
mod tests {
    use super::super::stock;
    use super::*;

    #[test]
    fn list_is_well_formed_and_holds_every_stock_group() {
        super::super::tests::assert_well_formed(LIST, 1, 1);
        for stock in stock::all() {
            for group in stock.groups() {
                assert!(is_known(&group), "{}: {group}", stock.name);
            }
        }
        assert!(!is_known("timeservice"));
    }
}
