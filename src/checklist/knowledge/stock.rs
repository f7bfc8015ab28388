//! The services that Windows itself brings, and what their keys say in the versions that were measured.
//!
//! Comparisons are tolerant of versions: the file name counts, not the build. What is not known here may be
//! from a Windows that was not measured; [`measured`] says whether a build was.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::{Row, rows};
use crate::host::ImagePath;
use crate::host::config::{ServiceType, Start};
use crate::text;

/// The services measured value by value.
const MEASURED: &str = include_str!("stock.tsv");
/// The services of other versions: names, and paths where known.
const NAMES: &str = include_str!("stock_names.tsv");

/// What the key of a stock service says in one or several versions of Windows.
#[derive(Debug, Clone)]
pub struct Variant {
    /// Build numbers: `7601`, `18362`.
    pub builds: Vec<u32>,
    /// `ImagePath`, parsed; for a driver without one the implied path. Absent where not known.
    pub image: Option<ImagePath>,
    /// `ServiceDll`, parsed.
    pub dll: Option<ImagePath>,
    /// `Type`.
    pub kind: Option<ServiceType>,
    /// `Start` as installed or as found: a hint, many start types are changed by ordinary use.
    pub start: Option<Start>,
    /// `ObjectName` as stored; empty for drivers and per-user services.
    pub account: &'static str,
    /// `ErrorControl`.
    pub error_control: Option<u32>,
    /// `LaunchProtected`.
    pub launch_protected: Option<u32>,
    /// `DisplayName` as stored, often an indirect string.
    pub display: &'static str,
    /// `FailureCommand`.
    pub failure_command: &'static str,
}

/// A service that Windows brings.
#[derive(Debug, Clone)]
pub struct Stock {
    /// The key's name.
    pub name: &'static str,
    /// What is known of it, oldest version first. Never empty.
    pub variants: Vec<Variant>,
    /// Whether its values were measured; else only the name and perhaps a path are known.
    pub measured: bool,
}

/// How a path compares with what Windows ships.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Nothing is known to compare with.
    Unknown,
    /// The same file in the same folder in some version (version folders aside).
    Same,
    /// The same file name in another folder.
    Moved,
    /// Another file name.
    Other,
}

impl Stock {
    /// Whether it is a driver, in any version.
    pub fn is_driver(&self) -> bool {
        self.kinds().any(ServiceType::is_driver)
    }

    /// Whether it is a process, in any version.
    pub fn is_win32(&self) -> bool {
        self.kinds().any(ServiceType::is_win32)
    }

    /// Whether svchost hosts it, in any version.
    pub fn is_hosted(&self) -> bool {
        self.images().any(|image| image.leaf() == "svchost.exe")
    }

    fn kinds(&self) -> impl Iterator<Item = ServiceType> {
        self.variants.iter().filter_map(|variant| variant.kind)
    }

    /// The programs it runs in the versions known.
    pub fn images(&self) -> impl Iterator<Item = &ImagePath> {
        self.variants.iter().filter_map(|variant| variant.image.as_ref())
    }

    /// The service DLLs it has in the versions known.
    pub fn dlls(&self) -> impl Iterator<Item = &ImagePath> {
        self.variants.iter().filter_map(|variant| variant.dll.as_ref())
    }

    /// Compares a program with what it runs.
    pub fn compare_image(&self, image: &ImagePath) -> Comparison {
        compare(self.images(), image)
    }

    /// Compares a service DLL with its own.
    pub fn compare_dll(&self, dll: &ImagePath) -> Comparison {
        compare(self.dlls(), dll)
    }

    /// The svchost groups it runs in, lower case.
    pub fn groups(&self) -> BTreeSet<String> {
        self.images().filter_map(ImagePath::svchost_group).collect()
    }

    /// Its accounts, in the form of [`account`]. Empty where nothing is known.
    pub fn accounts(&self) -> BTreeSet<String> {
        self.variants
            .iter()
            .filter(|variant| !variant.account.is_empty())
            .map(|variant| account(variant.account))
            .collect()
    }

    /// Its start types in the versions known.
    pub fn starts(&self) -> BTreeSet<Start> {
        self.variants.iter().filter_map(|variant| variant.start).collect()
    }

    /// Its `LaunchProtected` levels in the versions known; empty where it never has any.
    pub fn launch_protected(&self) -> BTreeSet<u32> {
        self.variants.iter().filter_map(|variant| variant.launch_protected).collect()
    }

    /// The builds it was seen in.
    pub fn builds(&self) -> BTreeSet<u32> {
        self.variants.iter().flat_map(|variant| variant.builds.iter().copied()).collect()
    }
}

/// The stock service of that key name, without case. A per-user instance (`CDPUserSvc_3a1f2`) finds its
/// template.
pub fn service(name: &str) -> Option<&'static Stock> {
    let by_name = &tables().by_name;
    by_name.get(&text::fold(name)).or_else(|| by_name.get(&text::fold(template(name)?)))
}

/// Every stock service, sorted by folded name.
pub fn all() -> impl Iterator<Item = &'static Stock> {
    tables().by_name.values()
}

/// The stock services that carry this display name (as stored, or in English), without case.
pub fn by_display(display: &str) -> &'static [&'static str] {
    tables().by_display.get(&text::fold(display.trim())).map_or(&[], Vec::as_slice)
}

/// The name without the suffix `_<hex>` of a per-user instance.
pub fn template(name: &str) -> Option<&str> {
    let (template, suffix) = name.rsplit_once('_')?;
    let hex = (3..=16).contains(&suffix.len()) && suffix.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && !template.is_empty()).then_some(template)
}

/// Whether what Windows of this build brings was measured: the build itself, or a servicing sibling.
pub fn measured(build: u32) -> bool {
    matches!(build, 1381 | 3790 | 7600..=7602 | 9600 | 16299 | 18362..=18363 | 19041..=19045)
}

/// An account name as `ObjectName` spells it, reduced to one spelling: `localsystem`, `localservice`,
/// `networkservice`, else lower case.
pub fn account(name: &str) -> String {
    let lower = name.trim().to_lowercase();
    let bare = lower
        .strip_prefix("nt authority\\")
        .or_else(|| lower.strip_prefix(".\\"))
        .unwrap_or(&lower)
        .replace(' ', "");
    match bare.as_str() {
        "system" | "localsystem" => "localsystem".to_owned(),
        "localservice" | "networkservice" => bare,
        _ => lower,
    }
}

/// A normalised path with the parts that differ between hosts of one kind replaced: version folders, the
/// hash of a driver package, GUIDs.
pub fn versionless(normalized: &str) -> String {
    let components = normalized.split('\\').map(|component| {
        if is_version(component) {
            return "<version>".to_owned();
        }
        if component.len() == 38 && component.starts_with('{') && component.ends_with('}') {
            return "{*}".to_owned();
        }
        match component.rsplit_once('_') {
            Some((package, hash))
                if package.contains(".inf_")
                    && hash.len() == 16
                    && hash.bytes().all(|byte| byte.is_ascii_hexdigit()) =>
            {
                format!("{package}_*")
            }
            _ => component.to_owned(),
        }
    });
    components.collect::<Vec<_>>().join("\\")
}

/// `4.18.1904.1-0`, `v4.0.30319`, `109.0.1518.61`: digits and dots, at least two dots.
fn is_version(component: &str) -> bool {
    let digits = component.strip_prefix('v').unwrap_or(component);
    digits.bytes().filter(|byte| *byte == b'.').count() >= 2
        && digits.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-'))
}

fn compare<'a>(known: impl Iterator<Item = &'a ImagePath>, path: &ImagePath) -> Comparison {
    let wanted = versionless(&path.normalized);
    let mut result = Comparison::Unknown;
    for one in known {
        if versionless(&one.normalized) == wanted {
            return Comparison::Same;
        }
        result = match result {
            Comparison::Moved => Comparison::Moved,
            _ if one.leaf() == path.leaf() => Comparison::Moved,
            _ => Comparison::Other,
        };
    }
    result
}

struct Tables {
    by_name: BTreeMap<String, Stock>,
    by_display: BTreeMap<String, Vec<&'static str>>,
}

fn tables() -> &'static Tables {
    static TABLES: OnceLock<Tables> = OnceLock::new();
    TABLES.get_or_init(|| {
        let mut by_name: BTreeMap<String, Stock> = BTreeMap::new();
        for (list, measured) in [(MEASURED, true), (NAMES, false)] {
            for row in rows(list) {
                let name = row.field(0);
                by_name
                    .entry(text::fold(name))
                    .or_insert_with(|| Stock { name, variants: Vec::new(), measured })
                    .variants
                    .push(variant(&row));
            }
        }
        let mut by_display: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
        let stored = by_name
            .values()
            .flat_map(|stock| stock.variants.iter().map(|variant| (variant.display, stock.name)));
        for (display, name) in stored.chain(english_displays()) {
            let names = by_display.entry(text::fold(display)).or_default();
            if !display.is_empty() && !names.contains(&name) {
                names.push(name);
            }
        }
        by_display.remove("");
        Tables { by_name, by_display }
    })
}

fn variant(row: &Row) -> Variant {
    let parse = |index| match row.field(index) {
        "" => None,
        path => Some(ImagePath::parse(path)),
    };
    let kind = row.number(4).map(ServiceType);
    let image = parse(2).or_else(|| {
        kind.filter(|kind| kind.is_driver() && kind.0 != 4)
            .map(|_| ImagePath::implied_driver(row.field(0)))
    });
    Variant {
        builds: row.numbers(1),
        image,
        dll: parse(3),
        kind,
        start: row.number(5).map(Start::from),
        account: row.field(6),
        error_control: row.number(7),
        launch_protected: row.number(8),
        display: row.field(9),
        failure_command: row.field(10),
    }
}

/// English display names, display name first: hives since Windows Vista hold indirect strings only.
const ENGLISH: &str = include_str!("display_names.tsv");

fn english_displays() -> impl Iterator<Item = (&'static str, &'static str)> {
    rows(ENGLISH).map(|row| (row.field(0), row.field(1)))
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_well_formed;
    use super::*;

    #[test]
    fn lists_are_well_formed() {
        assert_well_formed(NAMES, 4, 1);
        assert_well_formed(ENGLISH, 2, 2);
        assert_well_formed(MEASURED, 11, 11);
        for row in rows(MEASURED) {
            assert!(!row.numbers(1).is_empty(), "{}: no build", row.field(0));
            assert!(row.number(4).is_some(), "{:?}", row.0);
        }
        for row in rows(NAMES) {
            assert!(
                !tables().by_name[&text::fold(row.field(0))].measured,
                "{} is measured and need not be listed",
                row.field(0)
            );
        }
        for (display, name) in english_displays() {
            assert!(service(name).is_some(), "{display}: {name} is no stock service");
        }
    }

    #[test]
    fn stock_services_are_found_and_compared() {
        let spooler = service("SPOOLER").unwrap();
        assert!(spooler.measured && spooler.is_win32() && !spooler.is_driver());
        assert_eq!(spooler.accounts().into_iter().collect::<Vec<_>>(), ["localsystem"]);
        let compare = |raw| spooler.compare_image(&ImagePath::parse(raw));
        assert_eq!(compare(r"%windir%\SYSTEM32\spoolsv.exe"), Comparison::Same);
        assert_eq!(compare(r"C:\Users\spoolsv.exe"), Comparison::Moved);
        assert_eq!(compare(r"C:\Windows\System32\cmd.exe"), Comparison::Other);
        let defender = service("WinDefend").unwrap();
        assert_eq!(
            defender.compare_image(&ImagePath::parse(
                r"C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe"
            )),
            Comparison::Same
        );
        assert!(defender.launch_protected().contains(&3));
        assert!(service("CDPUserSvc_3a1f2").is_some_and(|stock| stock.name == "CDPUserSvc"));
        assert!(service("Contoso").is_none());
        assert!(service("WifiCx").is_some_and(|stock| !stock.measured));
        assert_eq!(by_display("windows time"), ["W32Time"]);
        assert_eq!(service("Beep").unwrap().images().count(), 6 - missing("Beep"));
    }

    /// In how many versions a driver is not there.
    fn missing(name: &str) -> usize {
        6_usize.saturating_sub(service(name).unwrap().variants.len())
    }

    #[test]
    fn accounts_have_one_spelling() {
        for (raw, expected) in [
            ("LocalSystem", "localsystem"),
            (r".\LocalSystem", "localsystem"),
            (r"NT AUTHORITY\SYSTEM", "localsystem"),
            (r"NT Authority\LocalService", "localservice"),
            (r"NT AUTHORITY\Network Service", "networkservice"),
            (r"CORP\svc-Backup", r"corp\svc-backup"),
        ] {
            assert_eq!(account(raw), expected);
        }
    }
}
