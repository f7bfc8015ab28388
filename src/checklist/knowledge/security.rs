//! Services that protect, log or restore: those an intruder wants silent.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::rows;
use crate::host::config::Start;
use crate::text;

const LIST: &str = include_str!("security.tsv");

/// What kind of protection a service gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// Windows' own protection and logging, and Sysmon.
    Core,
    /// Antivirus, EDR and log collection by others.
    Vendor,
    /// Backup and shadow copies.
    Backup,
}

/// A service that protects.
#[derive(Debug, Clone)]
pub struct Guard {
    /// The key's name.
    pub name: &'static str,
    /// What kind of protection.
    pub protection: Protection,
    /// The start types it is installed with; empty where they are not known. `Disabled` is never among them.
    pub starts: Vec<Start>,
    /// The product.
    pub product: &'static str,
    /// Whether it is the engine of an antivirus that takes Microsoft Defender's place.
    pub antivirus: bool,
}

/// The guard of that key name, without case.
pub fn guard(name: &str) -> Option<&'static Guard> {
    table().get(&text::fold(name))
}

/// The engines of antivirus products that take Microsoft Defender's place, sorted by folded name.
pub fn antivirus() -> impl Iterator<Item = &'static Guard> {
    all().filter(|guard| guard.antivirus)
}

/// Every guard, sorted by folded name.
pub fn all() -> impl Iterator<Item = &'static Guard> {
    table().values()
}

fn table() -> &'static BTreeMap<String, Guard> {
    static TABLE: OnceLock<BTreeMap<String, Guard>> = OnceLock::new();
    TABLE.get_or_init(|| {
        rows(LIST)
            .map(|row| {
                let protection = match row.field(1) {
                    "core" => Protection::Core,
                    "backup" => Protection::Backup,
                    _ => Protection::Vendor,
                };
                let starts = row.numbers(2).into_iter().map(Start::from).collect();
                let (name, product) = (row.field(0), row.field(3));
                let antivirus = row.field(4) == "antivirus";
                (text::fold(name), Guard { name, protection, starts, product, antivirus })
            })
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn list_is_well_formed() {
        super::super::tests::assert_well_formed(LIST, 5, 1);
        for row in rows(LIST) {
            assert!(matches!(row.field(1), "core" | "vendor" | "backup"), "{:?}", row.0);
            assert!(!row.field(3).is_empty(), "{:?}: which product?", row.0);
        }
        for guard in all() {
            assert!(!guard.starts.contains(&Start::Disabled), "{}", guard.name);
            assert_eq!(guard.starts.is_empty(), guard.protection != Protection::Core);
            assert!(!guard.antivirus || guard.protection == Protection::Vendor, "{}", guard.name);
        }
    }

    #[test]
    fn guards_are_found_by_key_name() {
        let defender = guard("windefend").unwrap();
        assert_eq!(defender.protection, Protection::Core);
        assert_eq!(defender.starts, [Start::Auto, Start::Demand]);
        assert!(guard("SentinelAgent").is_some_and(|it| it.protection == Protection::Vendor));
        assert!(guard("RemoteRegistry").is_none());
    }
}
