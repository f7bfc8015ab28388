//! Drivers that are malicious, or vulnerable and brought along to break into the kernel, by file name.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::rows;

const LIST: &str = include_str!("drivers.tsv");

/// Why a driver is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DriverKind {
    /// Made for attacks.
    Malicious,
    /// A product's driver with a hole; the name says nothing about the version.
    Vulnerable,
}

/// What the driver of that file name (lower case) is known for.
pub fn known(leaf: &str) -> Option<DriverKind> {
    static TABLE: OnceLock<BTreeMap<&'static str, DriverKind>> = OnceLock::new();
    let table = TABLE.get_or_init(|| {
        let kind = |text| match text {
            "malicious" => DriverKind::Malicious,
            _ => DriverKind::Vulnerable,
        };
        rows(LIST).map(|row| (row.field(0), kind(row.field(1)))).collect()
    });
    table.get(leaf).copied()
}

#[cfg(test)]
mod tests {
    use super::super::stock::Catalog;
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 2, 1);
        for row in rows(LIST) {
            assert!(matches!(row.field(1), "malicious" | "vulnerable"), "{:?}", row.0);
            assert_eq!(row.field(0).rsplit('.').next(), Some("sys"), "{:?}", row.0);
        }
    }

    #[test]
    fn no_driver_of_windows_is_listed() {
        // Windows' own since 2025, while older copies are brought along.
        let vulnerable = ["KslD"];
        let services = Catalog::shipped().services();
        for stock in services.filter(|stock| !vulnerable.contains(&stock.name)) {
            for image in stock.images() {
                assert_eq!(known(image.leaf()), None, "{}", stock.name);
            }
        }
        assert_eq!(known("rtcore64.sys"), Some(DriverKind::Vulnerable));
        assert_eq!(known("mimidrv.sys"), Some(DriverKind::Malicious));
    }
}
