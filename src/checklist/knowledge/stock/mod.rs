//! The services that Windows itself brings, and what their keys say in the versions that were measured.
//!
//! Comparisons are tolerant of versions: the file name counts, not the build. What is not known here may be
//! from a Windows that was not measured; [`Catalog::measured`] says whether a build was.

use std::collections::BTreeSet;

use crate::host::ImagePath;
use crate::host::config::{ServiceType, Start};

mod catalog;
mod path;

pub use catalog::{Catalog, Extent, Standing};
use path::Paths;
pub use path::{Comparison, versionless};

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
    /// Whether its values were measured; else only the name and perhaps a path are known.
    pub measured: bool,
    variants: Vec<Variant>,
    images: Paths,
    dlls: Paths,
}

impl Stock {
    fn new(name: &'static str, measured: bool) -> Self {
        let (images, dlls) = (Paths::default(), Paths::default());
        Self { name, measured, variants: Vec::new(), images, dlls }
    }

    fn push(&mut self, variant: Variant) {
        if let Some(image) = &variant.image {
            self.images.push(image.clone());
        }
        if let Some(dll) = &variant.dll {
            self.dlls.push(dll.clone());
        }
        self.variants.push(variant);
    }

    /// What is known of it, oldest version first. Never empty.
    pub fn variants(&self) -> impl Iterator<Item = &Variant> {
        self.variants.iter()
    }

    /// Whether it is a driver, in any version.
    pub fn is_driver(&self) -> bool {
        self.kinds().any(ServiceType::is_driver)
            || self.kinds().next().is_none()
                && self.images().any(|image| image.extension() == "sys")
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

    /// The programs it runs in the versions known, each spelling once.
    pub fn images(&self) -> impl Iterator<Item = &ImagePath> {
        self.images.iter()
    }

    /// The service DLLs it has in the versions known, each spelling once.
    pub fn dlls(&self) -> impl Iterator<Item = &ImagePath> {
        self.dlls.iter()
    }

    /// Compares a program with what it runs.
    pub fn compare_image(&self, image: &ImagePath) -> Comparison {
        self.images.compare(image)
    }

    /// Compares a service DLL with its own.
    pub fn compare_dll(&self, dll: &ImagePath) -> Comparison {
        self.dlls.compare(dll)
    }

    /// The svchost groups it runs in, lower case.
    pub fn groups(&self) -> BTreeSet<String> {
        self.images().filter_map(ImagePath::svchost_group).collect()
    }

    /// Its accounts, in the form of [`account`]. Empty where nothing is known.
    pub fn accounts(&self) -> BTreeSet<String> {
        self.accounts_of(|_| true)
    }

    /// Its accounts in the versions of which that is true of a build.
    pub fn accounts_of(&self, is_meant: impl Fn(u32) -> bool) -> BTreeSet<String> {
        self.variants
            .iter()
            .filter(|variant| variant.builds.iter().any(|build| is_meant(*build)))
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

/// The name without the suffix `_<hex>` of a per-user instance.
pub fn template(name: &str) -> Option<&str> {
    let (template, suffix) = name.rsplit_once('_')?;
    let hex = (3..=16).contains(&suffix.len()) && suffix.bytes().all(|b| b.is_ascii_hexdigit());
    (hex && !template.is_empty()).then_some(template)
}

/// An account name as `ObjectName` spells it, reduced to one spelling: `localsystem`, `localservice`,
/// `networkservice`, else lower case. Setups of products write the names of the system's language.
pub fn account(name: &str) -> String {
    const AUTHORITIES: [&str; 6] = [
        "nt authority\\",
        "nt-autorität\\",
        "autorite nt\\",
        "autorité nt\\",
        "autoridade nt\\",
        ".\\",
    ];
    let lower = name.trim().to_lowercase();
    let bare = AUTHORITIES
        .iter()
        .find_map(|authority| lower.strip_prefix(authority))
        .unwrap_or(&lower)
        .replace(' ', "");
    match bare.as_str() {
        "system" | "localsystem" | "système" | "sistema" => "localsystem".to_owned(),
        "localservice" | "lokalerdienst" | "servicelocal" | "serviciolocal" | "serviziolocale" => {
            "localservice".to_owned()
        }
        "networkservice" | "netzwerkdienst" | "serviceréseau" | "serviciodered" => {
            "networkservice".to_owned()
        }
        _ => lower,
    }
}

#[cfg(test)]
mod tests {
    use super::super::rows;
    use super::super::tests::assert_well_formed;
    use super::catalog::{ENGLISH, MEASURED, NAMES};
    use super::*;

    fn service(name: &str) -> Option<&'static Stock> {
        Catalog::shipped().service(name)
    }

    #[test]
    fn lists_are_well_formed() {
        assert_well_formed(NAMES, 5, 4);
        assert_well_formed(ENGLISH, 2, 2);
        assert_well_formed(MEASURED, 11, 11);
        for row in rows(MEASURED) {
            assert!(!row.numbers(1).is_empty(), "{}: no build", row.field(0));
            assert!(row.number(4).is_some(), "{:?}", row.0);
        }
        for row in rows(NAMES) {
            assert!(!row.numbers(1).is_empty(), "{}: no build", row.field(0));
            let sources: Vec<&str> = row.field(4).split(',').collect();
            let known = sources.iter().all(|one| ["b", "d", "m", "w", "x", "z"].contains(one));
            assert!(known, "{:?}: no source", row.0);
        }
        for row in rows(ENGLISH) {
            assert!(service(row.field(1)).is_some(), "{:?} is no stock service", row.0);
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
        assert_eq!(Catalog::shipped().by_display("windows time"), ["W32Time"]);
        // The same implied path in every version is one path.
        assert_eq!(service("Beep").unwrap().images().count(), 1);
    }

    #[test]
    fn a_version_can_be_left_out() {
        let shipped = Catalog::shipped();
        let without = Catalog::without(18_363);
        assert_eq!(shipped.extent(26_100), Extent::Programs);
        assert_eq!(shipped.extent(22_631), Extent::Nothing);
        for build in [1_381, 3_790, 7_601, 9_600, 16_299, 19_045, 26_200] {
            assert!(shipped.measured(build) && without.measured(build), "{build}");
        }
        for build in [18_362, 18_363] {
            assert!(shipped.measured(build) && !without.measured(build), "{build}");
        }
        let only_there: Vec<&Stock> = shipped
            .services()
            .filter(|stock| stock.builds().into_iter().all(|build| build == 18_362))
            .collect();
        assert!(only_there.len() > 20);
        for stock in only_there {
            assert!(without.service(stock.name).is_none(), "{}", stock.name);
        }
        let kept = without.services().flat_map(super::Stock::builds);
        assert!(kept.into_iter().all(|build| !(18_362..=18_363).contains(&build)));
        assert!(without.service("Spooler").is_some());
        // A build that nobody measured leaves nothing out.
        assert_eq!(Catalog::without(22_631).services().count(), shipped.services().count());
    }

    #[test]
    fn accounts_have_one_spelling() {
        for (raw, expected) in [
            ("LocalSystem", "localsystem"),
            (r".\LocalSystem", "localsystem"),
            (r"NT AUTHORITY\SYSTEM", "localsystem"),
            (r"NT Authority\LocalService", "localservice"),
            (r"NT AUTHORITY\Network Service", "networkservice"),
            (r"NT-AUTORITÄT\Lokaler Dienst", "localservice"),
            (r"NT-AUTORITÄT\Netzwerkdienst", "networkservice"),
            (r"AUTORITE NT\Service local", "localservice"),
            (r"CORP\svc-Backup", r"corp\svc-backup"),
        ] {
            assert_eq!(account(raw), expected);
        }
    }
}
