//! Malicious and vulnerable drivers, by hash and by file name.

use super::listed::first;
use crate::artifact::hash_list::{loldrivers, of_logged};
use crate::checklist::basis::COMMAND;
use crate::checklist::driver::foreign_driver;
use crate::checklist::knowledge::drivers::{self, DriverKind};
use crate::checklist::known_good::{agent, is_as_shipped};
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::own_config;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::Action;
use crate::host::program_file::{KnownList, ListMatch, Purpose};
use crate::host::{Origin, Role};

/// The service's file, or a driver whose load was logged, that the list of drivers has as that.
fn by_hash(scope: &Scope<'_>, list: KnownList) -> Option<Hit> {
    let words = |listed: &ListMatch| {
        let kind = match listed.list {
            KnownList::MaliciousDriver => "malicious",
            _ => "vulnerable",
        };
        format!(
            "is the {kind} driver \"{}\" by {} ({})",
            clip(&listed.remark),
            listed.by,
            listed.source
        )
    };
    if let Some((purpose, file, listed)) = first(scope, list) {
        let because =
            format!("Its {} \"{}\" {}.", purpose.label(), clip(&file.path), words(listed));
        return Some(Hit::new(because, file.citation.clone()));
    }
    scope.events(Role::DriverLoad).find_map(|event| {
        let Action::DriverLoaded { image, hashes, .. } = &event.action else { return None };
        let listed = loldrivers::look_up(&of_logged(hashes)).filter(|one| one.list == list)?;
        let because = format!("It loaded \"{}\", which {}.", clip(image), words(&listed));
        Some(Hit::new(because, event.citation.clone()))
    })
}

const HASHES: &[Need] = &[Need::FileContentsOr(Origin::SysmonLog)];
const LIST: &str = "magicsword-io/LOLDrivers 5554706 (2026-08-12)";

pub(super) const MALICIOUS_HASH: Indicator = Indicator {
    id: "P28",
    family: Family::K,
    checklist: Question::Runs,
    question: "Is its driver a known malicious one by hash?",
    why: "Drivers made for attacks end protection, hide files and read any memory; the list has samples that were seen in use.",
    innocent: "The list has had products' drivers among the malicious ones: read its entry, and who signed the file.",
    verify: &[
        "Look the SHA-256 up in LOLDrivers (loldrivers.io) by the id that is named.",
        "7045 or Sysmon 6: who loaded it, and what ended soon after?",
    ],
    attack: &[technique("T1068"), technique("T1014"), technique("T1543.003")],
    weight: 35,
    hard: true,
    needs: HASHES,
    sources: &[LIST, "SigmaHQ 05296024-fe8a-4baf-8f3d-9a5f5624ceb2"],
    since: "0.1.0",
    check: &|scope| by_hash(scope, KnownList::MaliciousDriver),
    examples: &[
        yes("a driver of the list", || {
            Scene::driver("x").program(|file| file.listed.push(sample(KnownList::MaliciousDriver)))
        }),
        yes("Sysmon logged the load of one", || {
            Scene::driver("rwtkrl").event(0, loaded("rwtkrl", MALICIOUS))
        }),
        no("a vulnerable one", || {
            Scene::driver("x").program(|file| file.listed.push(sample(KnownList::VulnerableDriver)))
        }),
        no("an ordinary driver", || Scene::driver("x").program(|_| {})),
        unknown("neither file nor log", || Scene::driver("x")),
    ],
};

pub(super) const VULNERABLE_HASH: Indicator = Indicator {
    id: "P34",
    family: Family::K,
    checklist: Question::Runs,
    question: "Is its driver a known vulnerable one by hash?",
    why: "Intruders bring signed drivers with holes to end protection from the kernel; this file is one of them, whatever its name.",
    innocent: "Products ship these drivers: fan control, overclocking, firmware updates, processor identification. Installed by \
               a setup file or in the product's folder it is a hole to be closed rather than an attack, and weighs less.",
    verify: &[
        "Look the hash up in LOLDrivers (loldrivers.io): which versions, used by whom?",
        "Is the product installed? Who registered the driver, when, and did it run from a user's folder?",
    ],
    attack: &[technique("T1068"), technique("T1543.003")],
    weight: 28,
    hard: false,
    needs: HASHES,
    sources: &[LIST, "SigmaHQ 7aaaf4b8-e47c-4295-92ee-6ed40a6f60c8"],
    since: "0.1.0",
    check: &|scope| {
        let mut hit = by_hash(scope, KnownList::VulnerableDriver)?;
        let (weight, remark) = grade(scope);
        if !remark.is_empty() {
            hit.because = format!("{}; {remark}.", hit.because.trim_end_matches('.'));
        }
        Some(hit.weighing(weight))
    },
    examples: &[
        yes("in a user's folder", || {
            Scene::driver("RTCore64")
                .image(r"\??\C:\Users\a\RTCore64.sys")
                .program(|file| file.listed.push(sample(KnownList::VulnerableDriver)))
        }),
        yes("installed by a setup file: less", || {
            Scene::driver("AsrDrv")
                .program(|file| file.listed.push(sample(KnownList::VulnerableDriver)))
        }),
        yes("Sysmon logged the load of one", || {
            Scene::driver("iobios64").event(0, loaded("iobios64", VULNERABLE))
        }),
        no("an ordinary driver", || Scene::driver("x").program(|_| {})),
        unknown("neither file nor log", || Scene::driver("x")),
    ],
};

/// What a vulnerable driver weighs where it is, and why it weighs less.
fn grade(scope: &Scope<'_>) -> (i16, &'static str) {
    if is_as_shipped(scope) {
        return (4, "Windows brings it: an update is missing");
    }
    if agent(scope).is_some() {
        return (10, "a known product has it there");
    }
    let is_set_up = own_config(scope)
        .is_some_and(|config| !config.owners.is_empty() || config.driver_package_id.is_some());
    match scope.service.image.as_ref().map(class_of) {
        Some(Class::Drivers) if is_set_up => (10, "installed by a setup file, as a product does"),
        Some(Class::ProgramFiles) => (14, "in the folder of a product"),
        Some(Class::Drivers) => (20, "in the folder for drivers, registered by a program"),
        _ => (28, ""),
    }
}

const MALICIOUS: &str = "090d409f86430e078694e621ad0bd5e458d32aa727f0eb99bda3961577df8d49";
const VULNERABLE: &str = "314a51fcf6e37eb8550a826df085d5c88c43eb1438682f3a6c33632d36956136";

/// Sysmon 6 of a driver with that SHA-256.
fn loaded(name: &str, sha256: &str) -> Action {
    Action::DriverLoaded {
        image: format!(r"C:\Windows\System32\drivers\{name}.sys"),
        hashes: format!("SHA256={},IMPHASH={}", sha256.to_uppercase(), "0".repeat(32)),
        signed: Some(true),
        signature: Some("Contoso Ltd".to_owned()),
    }
}

/// A row of the list of drivers.
fn sample(list: KnownList) -> ListMatch {
    ListMatch {
        list,
        source: format!("{}, id 00000000", loldrivers::NAME),
        by: "sha256".to_owned(),
        remark: "x.sys".to_owned(),
    }
}

pub(super) const DRIVER_NAME: Indicator = Indicator {
    id: "P29",
    family: Family::K,
    checklist: Question::Runs,
    question: "Does the driver have the file name of a malicious or vulnerable driver?",
    why: "Intruders bring signed drivers with holes to end protection from the kernel; the file name is the first \
          hint, the hash decides.",
    innocent: "Hardware monitors, mainboard tools and VirtualBox ship these drivers; only some versions are \
               vulnerable. Where the file was read and its hash is not listed, the name weighs less.",
    verify: &[
        "Hash the file and look it up in LOLDrivers (loldrivers.io): version and verdict",
        "7045 or Sysmon 6: was it loaded from a user's folder, just before protection ended?",
    ],
    attack: &[technique("T1068"), technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        "magicsword-io/LOLDrivers 5554706",
        "SigmaHQ 72cd00d6-490c-4650-86ff-1d11f491daa1, 91c49341-e2ef-40c0-ac45-49ec5c3fe26c",
    ],
    since: "0.1.0",
    check: &|scope| {
        let one = foreign_driver(scope)?;
        let kind = drivers::known(one.path.leaf())?;
        let file = scope.file(&Purpose::Image).filter(|file| file.content.is_some());
        let lists = [KnownList::MaliciousDriver, KnownList::VulnerableDriver];
        // The hash says it better: P28, P34.
        if lists.into_iter().any(|list| by_hash(scope, list).is_some()) {
            return None;
        }
        let (what, weight) = match (kind, file) {
            (DriverKind::Malicious, None) => ("a name that malicious drivers have", 20),
            (DriverKind::Malicious, Some(_)) => (
                "a name that malicious drivers have; its hash is not one that is known of them",
                12,
            ),
            (DriverKind::Vulnerable, None) => {
                ("a name that vulnerable drivers have (LOLDrivers)", 12)
            }
            (DriverKind::Vulnerable, Some(_)) => {
                ("a name that vulnerable drivers have; its hash is none of theirs", 4)
            }
        };
        Some(one.hit(what).weighing(weight))
    },
    examples: &[
        yes("a driver of an overclocking tool", || {
            Scene::driver("RTCore64").image(r"\??\C:\Users\a\RTCore64.sys")
        }),
        yes("a driver made for attacks", || Scene::driver("poortry")),
        yes("the name alone: the file has another hash", || {
            Scene::driver("RTCore64").image(r"\??\C:\Users\a\RTCore64.sys").program(|_| {})
        }),
        no("its hash says more", || {
            Scene::driver("poortry")
                .program(|file| file.listed.push(sample(KnownList::MaliciousDriver)))
        }),
        no("a driver of Windows", || Scene::driver("afd")),
        no("a program of that name is no driver", || {
            Scene::service("x").image(r"C:\Program Files\x\rtcore64.sys")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
