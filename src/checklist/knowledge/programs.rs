//! Programs whose presence as a service means something: interpreters, tools of Windows that run other
//! people's code, Windows' own processes, wrappers, tunnels.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{List, rows};

const LIST: &str = include_str!("programs.tsv");
const FOLDERS: &str = include_str!("folders.tsv");
static ODD: List = List::new(FOLDERS);

/// What is special about a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProgramKind {
    /// A shell or script interpreter: no service program.
    Interpreter,
    /// A tool of Windows that runs other code or has no business as a service.
    Lolbin,
    /// A process of Windows that disguises borrow the name of.
    System,
    /// Runs another program as a service.
    Wrapper,
    /// Carries traffic in or out.
    Tunnel,
}

/// Whether the program of that file name (lower case; `.exe` may be missing) is of that kind.
pub fn is(leaf: &str, kind: ProgramKind) -> bool {
    let kinds = |leaf: &str| table().get(leaf).is_some_and(|kinds| kinds.contains(&kind));
    kinds(leaf) || !leaf.contains('.') && kinds(&format!("{leaf}.exe"))
}

/// The folder below the Windows folder (lower case, `tasks`) in which this normalised path lies, and
/// whether ordinary users or services can write there, if it is one from which no service of Windows runs.
pub fn odd_windows_folder(normalized: &str) -> Option<(&'static str, bool)> {
    let rest = normalized.strip_prefix(r"c:\windows\")?;
    ODD.rows()
        .find(|row| rest.strip_prefix(row.field(0)).is_some_and(|rest| rest.starts_with('\\')))
        .map(|row| (row.field(0), row.field(1) == "yes"))
}

fn table() -> &'static BTreeMap<&'static str, Vec<ProgramKind>> {
    static TABLE: OnceLock<BTreeMap<&'static str, Vec<ProgramKind>>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut table: BTreeMap<&'static str, Vec<ProgramKind>> = BTreeMap::new();
        for row in rows(LIST) {
            let kind = match row.field(1) {
                "interpreter" => ProgramKind::Interpreter,
                "lolbin" => ProgramKind::Lolbin,
                "wrapper" => ProgramKind::Wrapper,
                "tunnel" => ProgramKind::Tunnel,
                _ => ProgramKind::System,
            };
            table.entry(row.field(0)).or_default().push(kind);
        }
        table
    })
}

#[cfg(test)]
mod tests {
    use super::super::{stock::Catalog, tests::assert_well_formed};
    use super::*;

    #[test]
    fn lists_are_well_formed() {
        assert_well_formed(LIST, 2, 2);
        assert_well_formed(FOLDERS, 2, 1);
        for row in rows(LIST) {
            let known = ["interpreter", "lolbin", "system", "wrapper", "tunnel"];
            assert!(known.contains(&row.field(1)), "{:?}", row.0);
            assert_eq!(row.field(0).rsplit('.').next(), Some("exe"), "{:?}", row.0);
        }
    }

    #[test]
    fn no_stock_service_runs_from_an_odd_folder() {
        for stock in Catalog::shipped().services() {
            for path in stock.images().chain(stock.dlls()) {
                assert_eq!(odd_windows_folder(&path.normalized), None, "{}", stock.name);
            }
        }
        assert_eq!(odd_windows_folder(r"c:\windows\tasks\x.exe"), Some(("tasks", true)));
        assert_eq!(odd_windows_folder(r"c:\windows\fonts\a\x.exe"), Some(("fonts", false)));
        assert_eq!(odd_windows_folder(r"c:\windows\tasksx\x.exe"), None);
    }

    #[test]
    fn programs_have_kinds() {
        assert!(is("cmd.exe", ProgramKind::Interpreter) && is("cmd", ProgramKind::Interpreter));
        assert!(is("rundll32.exe", ProgramKind::Lolbin) && is("rundll32.exe", ProgramKind::System));
        assert!(
            !is("contoso.exe", ProgramKind::Lolbin) && !is("cmd.dat", ProgramKind::Interpreter)
        );
    }
}
