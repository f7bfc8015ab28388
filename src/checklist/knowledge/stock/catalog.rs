//! The catalog of stock services: the one that is shipped, and what is left of it without a version of Windows.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::super::{Row, groups, rows};
use super::{Stock, Variant, template};
use crate::host::config::{ServiceType, Start};
use crate::host::{Host, ImagePath};
use crate::text;

/// The services measured value by value.
pub(super) const MEASURED: &str = include_str!("../stock.tsv");
/// The services of other versions: names, and paths where known; build for build what was listed.
pub(super) const NAMES: &str = include_str!("../stock_names.tsv");
/// English display names, display name first: hives since Windows Vista hold indirect strings only.
pub(super) const ENGLISH: &str = include_str!("../display_names.tsv");

/// What is known of the services of Windows: all of it, or all but one version.
#[derive(Debug, Clone)]
pub struct Catalog {
    by_name: BTreeMap<String, Stock>,
    by_display: BTreeMap<String, Vec<&'static str>>,
    groups: BTreeSet<&'static str>,
    leaves: BTreeSet<String>,
    programs: Vec<(String, &'static str)>,
    left_out: Option<(u32, u32)>,
}

/// What is known of a version of Windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Names of some of its services at most.
    Nothing,
    /// The names of its services and the programs they run, but hardly the DLLs.
    Programs,
    /// Names, programs and DLLs.
    Files,
    /// Every value that matters.
    Values,
}

/// Whether a host can be compared with what its Windows brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It was measured.
    Known,
    /// The evidence does not say which build it is.
    NoBuild,
    /// Nobody measured that build.
    NotMeasured,
    /// A server, where only workstations of the build were measured.
    Server,
}

/// Builds that one measurement stands for, first and last: servicing gives them the same services.
const MEASURED_BUILDS: [(u32, u32, Extent); 8] = [
    (1_381, 1_381, Extent::Values),
    (3_790, 3_790, Extent::Values),
    (7_600, 7_602, Extent::Values),
    (9_600, 9_600, Extent::Values),
    (16_299, 16_299, Extent::Values),
    (18_362, 18_363, Extent::Values),
    (19_041, 19_045, Extent::Files),
    (26_100, 26_200, Extent::Programs),
];

/// The measured builds that a build belongs to.
fn measurement(build: u32) -> Option<(u32, u32, Extent)> {
    MEASURED_BUILDS.into_iter().find(|(first, last, _)| (*first..=*last).contains(&build))
}

impl Catalog {
    /// All that is known, parsed once.
    pub fn shipped() -> &'static Self {
        static SHIPPED: LazyLock<Catalog> = LazyLock::new(|| Catalog::read(None));
        &SHIPPED
    }

    /// What is known without the measurement that this build belongs to: how a host is judged whose Windows
    /// nobody measured. A service that was measured there only is not known any more.
    pub fn without(build: u32) -> Self {
        let range = measurement(build).map(|(first, last, _)| (first, last));
        Self::read(Some(range.unwrap_or((build, build))))
    }

    fn read(left_out: Option<(u32, u32)>) -> Self {
        let mut by_name: BTreeMap<String, Stock> = BTreeMap::new();
        for (list, measured) in [(MEASURED, true), (NAMES, false)] {
            for row in rows(list) {
                let mut variant = variant(&row);
                if let Some((first, last)) = left_out {
                    variant.builds.retain(|build| !(first..=last).contains(build));
                }
                if variant.builds.is_empty() {
                    continue;
                }
                let name = row.field(0);
                by_name
                    .entry(text::fold(name))
                    .or_insert_with(|| Stock::new(name, measured))
                    .push(variant);
            }
        }
        let by_display = displays(&by_name);
        let programs = by_name.iter().filter(|(_, stock)| !stock.is_driver());
        let leaves = programs
            .clone()
            .flat_map(|(_, stock)| stock.images())
            .map(|image| image.leaf().to_owned())
            .collect();
        let programs = programs.map(|(folded, stock)| (folded.clone(), stock.name)).collect();
        let groups = known_groups(&by_name, left_out.is_some());
        Self { by_name, by_display, groups, leaves, programs, left_out }
    }

    /// The stock service of that key name, without case. A per-user instance (`CDPUserSvc_3a1f2`) finds its
    /// template.
    pub fn service(&self, name: &str) -> Option<&Stock> {
        let by_name = |name: &str| self.by_name.get(&text::fold(name));
        by_name(name).or_else(|| by_name(template(name)?))
    }

    /// Every stock service, sorted by folded name.
    pub fn services(&self) -> impl Iterator<Item = &Stock> {
        self.by_name.values()
    }

    /// The names of those that are no drivers, folded and as they are, sorted.
    pub fn programs(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.programs.iter().map(|(folded, name)| (folded.as_str(), *name))
    }

    /// The stock services that carry this display name (as stored, or in English), without case.
    pub fn by_display(&self, display: &str) -> &[&'static str] {
        self.by_display.get(&text::fold(display.trim())).map_or(&[], Vec::as_slice)
    }

    /// Whether Windows brings a svchost group of that name (lower case).
    pub fn is_group(&self, group: &str) -> bool {
        self.groups.contains(group)
    }

    /// Whether a service of Windows runs a program of that file name (lower case).
    pub fn runs(&self, leaf: &str) -> bool {
        self.leaves.contains(leaf)
    }

    /// What is known of Windows of this build: of the build itself, or a servicing sibling.
    pub fn extent(&self, build: u32) -> Extent {
        if self.left_out.is_some_and(|(first, last)| (first..=last).contains(&build)) {
            return Extent::Nothing;
        }
        measurement(build).map_or(Extent::Nothing, |(_, _, extent)| extent)
    }

    /// How well a host's own Windows is known for comparing it.
    pub fn standing(&self, host: &Host, needed: Extent) -> Standing {
        let Some(build) = host.build_number() else { return Standing::NoBuild };
        if self.extent(build) < needed {
            return Standing::NotMeasured;
        }
        // But for 2003 the measured hosts were workstations; roles of servers bring services of their own.
        if host.is_server() && build > 3_790 {
            return Standing::Server;
        }
        Standing::Known
    }

    /// Whether this very service was measured, value by value, on the host's own build.
    pub fn is_measured_on(&self, stock: &Stock, host: &Host) -> bool {
        let own = host.build_number().and_then(measurement);
        own.is_some_and(|(first, last, extent)| {
            let mut builds = stock.builds().into_iter();
            extent == Extent::Values && builds.any(|build| (first..=last).contains(&build))
        })
    }

    /// Whether the names and programs of the services of this build were measured.
    pub fn measured(&self, build: u32) -> bool {
        self.extent(build) > Extent::Nothing
    }
}

/// The stock services by their display names, as stored and in English.
fn displays(by_name: &BTreeMap<String, Stock>) -> BTreeMap<String, Vec<&'static str>> {
    let mut by_display: BTreeMap<String, Vec<&'static str>> = BTreeMap::new();
    let stored = by_name
        .values()
        .flat_map(|stock| stock.variants().map(|variant| (variant.display, stock.name)));
    let english = rows(ENGLISH)
        .map(|row| (row.field(0), row.field(1)))
        .filter(|(_, name)| by_name.contains_key(&text::fold(name)));
    for (display, name) in stored.chain(english) {
        let names = by_display.entry(text::fold(display)).or_default();
        if !display.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    by_display.remove("");
    by_display
}

/// The groups of svchost. Where a version is left out, those that none of the other versions' services use are
/// left out with it; but groups of no listed service are roles', known from documentation.
fn known_groups(by_name: &BTreeMap<String, Stock>, masked: bool) -> BTreeSet<&'static str> {
    if !masked {
        return groups::all().collect();
    }
    let used = |services: &BTreeMap<String, Stock>| -> BTreeSet<String> {
        services.values().flat_map(Stock::groups).collect()
    };
    let (shipped, kept) = (used(&Catalog::shipped().by_name), used(by_name));
    groups::all().filter(|group| kept.contains(*group) || !shipped.contains(*group)).collect()
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
