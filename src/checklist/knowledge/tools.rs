//! Names that tools of intruders give to services and pipes.

use std::sync::LazyLock;

use super::{List, matches, rows};

const SERVICES: &str = include_str!("tools.tsv");
const PIPES: &str = include_str!("pipes.tsv");

/// A tool known by the name of its service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tool {
    /// The tool.
    pub name: &'static str,
    /// How much the name says, in decibans: tools that administrators use as well weigh less.
    pub decibans: i16,
}

impl Tool {
    /// Whether administrators use it as much as intruders do.
    pub fn is_dual_use(&self) -> bool {
        self.decibans < 15
    }
}

/// The tool that gives services this key or display name.
pub fn by_service_name(name: &str) -> Option<Tool> {
    static TABLE: LazyLock<Vec<(String, Tool)>> = LazyLock::new(|| {
        let tool = |row: super::Row| {
            let decibans = row.field(1).parse().ok()?;
            Some((row.field(0).to_lowercase(), Tool { name: row.field(2), decibans }))
        };
        rows(SERVICES).filter_map(tool).collect()
    });
    let name = name.trim().to_lowercase();
    TABLE.iter().find(|(pattern, _)| matches(pattern, &name)).map(|(_, tool)| *tool)
}

/// The tool that makes pipes of this name (with its leading backslash).
pub fn by_pipe(name: &str) -> Option<&'static str> {
    static LIST: List = List::new(PIPES);
    let name = name.to_lowercase();
    LIST.rows().find(|row| matches(row.field(0), &name)).map(|row| row.field(1))
}

#[cfg(test)]
mod tests {
    use super::super::{stock::Catalog, tests::assert_well_formed};
    use super::*;

    #[test]
    fn lists_are_well_formed() {
        assert_well_formed(SERVICES, 3, 1);
        assert_well_formed(PIPES, 2, 1);
        for row in rows(SERVICES) {
            assert!(row.number(1).is_some_and(|decibans| decibans <= 30), "{:?}", row.0);
        }
        for row in rows(PIPES) {
            assert!(row.field(0).starts_with('\\'), "{:?}", row.0);
        }
    }

    #[test]
    fn no_stock_service_is_named_like_a_tool() {
        for stock in Catalog::shipped().services() {
            let displays = stock.variants().map(|variant| variant.display);
            for name in displays.chain([stock.name]) {
                assert_eq!(by_service_name(name), None, "{name}");
            }
        }
    }

    #[test]
    fn tools_are_known_by_name() {
        let of = |name| by_service_name(name).map(|tool| (tool.name, tool.decibans));
        assert_eq!(of("psexesvc"), Some(("PsExec", 14)));
        assert_eq!(of("PAExec-4711-WS01"), Some(("PAExec", 14)));
        assert_eq!(of("mimikatz driver (mimidrv)"), Some(("mimikatz", 30)));
        assert_eq!(of("Contoso"), None);
        assert_eq!(by_pipe(r"\PSEXESVC-WS01-4711-stdin"), Some("PsExec"));
        assert_eq!(by_pipe(r"\svcctl"), None);
    }
}
