//! Remote management and remote access products.

use super::{matches, rows};

const LIST: &str = include_str!("rmm.tsv");

/// The product whose service has this key name, display name or program file name.
pub fn product(name: &str, display: Option<&str>, leaf: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let display = display.map(str::to_lowercase);
    let row = rows(LIST).find(|row| match row.field(1) {
        "file" => matches(row.field(0), leaf),
        _ => {
            matches(row.field(0), &name)
                || display.as_deref().is_some_and(|display| matches(row.field(0), display))
        }
    })?;
    Some(row.field(2))
}

#[cfg(test)]
mod tests {
    use super::super::stock::Catalog;
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 3, 2);
        for row in rows(LIST) {
            assert!(matches!(row.field(1), "name" | "file"), "{:?}", row.0);
            assert_eq!(row.field(0), row.field(0).to_lowercase());
            assert!(!row.field(2).is_empty(), "{:?}: which product?", row.0);
        }
    }

    #[test]
    fn no_stock_service_is_a_remote_access_product() {
        for stock in Catalog::shipped().services() {
            for image in stock.images() {
                assert_eq!(product(stock.name, None, image.leaf()), None, "{}", stock.name);
            }
        }
    }

    #[test]
    fn products_are_known_by_any_of_their_names() {
        assert_eq!(product("AnyDesk", None, ""), Some("AnyDesk"));
        assert_eq!(product("x", Some("AnyDesk Service"), ""), Some("AnyDesk"));
        assert_eq!(product("x", None, "teamviewer_service.exe"), Some("TeamViewer"));
        assert_eq!(product("ScreenConnect Client (a1b2c3)", None, ""), Some("ScreenConnect"));
        assert_eq!(product("Contoso", Some("Contoso Agent"), "contoso.exe"), None);
    }
}
