//! The svchost groups of Windows.

use super::rows;

const LIST: &str = include_str!("groups.tsv");

/// The svchost groups that Windows brings, in lower case.
pub fn all() -> impl Iterator<Item = &'static str> {
    rows(LIST).map(|row| row.field(0))
}

#[cfg(test)]
mod tests {
    use super::super::stock::Catalog;
    use super::*;

    #[test]
    fn list_is_well_formed_and_holds_every_stock_group() {
        super::super::tests::assert_well_formed(LIST, 1, 1);
        let catalog = Catalog::shipped();
        for stock in catalog.services() {
            for group in stock.groups() {
                assert!(catalog.is_group(&group), "{}: {group}", stock.name);
            }
        }
        assert!(!catalog.is_group("timeservice"));
    }
}
