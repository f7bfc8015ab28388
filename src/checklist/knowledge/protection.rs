//! Services that start as protected processes.

use super::List;
use crate::text;

const LIST: &str = include_str!("protected.tsv");
static ROWS: List = List::new(LIST);

/// The protection a service is installed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected {
    /// `LaunchProtected`: 1 Windows, 2 Windows light, 3 antimalware light.
    pub level: u32,
    /// The first build of Windows that was measured to have it; before, its absence means nothing.
    pub since: u32,
}

/// The protection expected of the service of that key name, without case.
pub fn expected(name: &str) -> Option<Expected> {
    let row = ROWS.rows().find(|row| text::same_name(row.field(0), name))?;
    Some(Expected { level: row.number(1)?, since: row.number(2)? })
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::super::stock::Catalog;
    use super::*;

    #[test]
    fn list_is_well_formed_and_agrees_with_the_stock() {
        super::super::tests::assert_well_formed(LIST, 3, 1);
        for row in rows(LIST) {
            let expected = expected(row.field(0)).unwrap();
            assert!((1..=3).contains(&expected.level), "{:?}", row.0);
            let stock = Catalog::shipped().service(row.field(0)).unwrap();
            assert!(stock.launch_protected().contains(&expected.level), "{}", stock.name);
        }
        assert_eq!(expected("windefend"), Some(Expected { level: 3, since: 9600 }));
        assert_eq!(expected("Spooler"), None);
    }
}
