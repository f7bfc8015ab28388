//! Remote management and remote access products.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::{matches, rows};

const LIST: &str = include_str!("rmm.tsv");

/// The list by what it knows products by: whole names, and patterns in the order of the list.
#[derive(Default)]
struct Names {
    whole: BTreeMap<&'static str, &'static str>,
    patterns: Vec<(&'static str, &'static str)>,
}

impl Names {
    fn of(kind: &str) -> Self {
        let mut names = Self::default();
        for row in rows(LIST).filter(|row| row.field(1) == kind) {
            let (name, product) = (row.field(0), row.field(2));
            if name.contains('*') {
                names.patterns.push((name, product));
            } else {
                names.whole.entry(name).or_insert(product);
            }
        }
        names
    }

    fn find(&self, name: &str) -> Option<&'static str> {
        let pattern = || self.patterns.iter().find(|(pattern, _)| matches(pattern, name));
        self.whole.get(name).copied().or_else(|| pattern().map(|(_, product)| *product))
    }
}

/// The product whose service has this key name, display name or program file name.
pub fn product(name: &str, display: Option<&str>, leaf: &str) -> Option<&'static str> {
    static FILES: LazyLock<Names> = LazyLock::new(|| Names::of("file"));
    static SERVICES: LazyLock<Names> = LazyLock::new(|| Names::of("name"));
    let service = |name: &str| SERVICES.find(&name.to_lowercase());
    service(name).or_else(|| service(display?)).or_else(|| FILES.find(leaf))
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
