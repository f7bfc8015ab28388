//! The DLL that svchost.exe loads for it (`ServiceDll`).

use crate::checklist::basis::{COMMAND, HIVE, MEASURED};
use crate::checklist::knowledge::stock::{Comparison, Extent};
use crate::checklist::known_good::{self, Maker, compared, compared_with, is_laid_down};
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{Part, Runs, image, is_per_user, runs};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::program_file::{Purpose, SignatureStatus};

const VERIFY_DLL: &str =
    r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /v ServiceDll";

const VERIFY_FILE: &str =
    "Get the DLL from the image: signature, ServiceMain export, times in the $MFT";

fn dll<'a>(scope: &Scope<'a>) -> Option<Runs<'a>> {
    runs(scope).into_iter().find(|one| one.part == Part::Dll)
}

pub(super) const OUTSIDE_SYSTEM32: Indicator = Indicator {
    id: "P15",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the service DLL lie outside System32?",
    why: "Since Windows 8.1 every service DLL of Windows lies in System32; svchost runs whatever the value names, \
          with its own rights and under its own name.",
    innocent: "PrintNotify, Winmgmt and a few roles have theirs in a sub-folder (known); rare vendors host a DLL in \
               svchost from Program Files.",
    verify: &[VERIFY_DLL, VERIFY_FILE],
    attack: &[technique("T1543.003"), technique("T1574.011")],
    weight: 15,
    hard: false,
    needs: &[HIVE],
    sources: &[MEASURED, "SigmaHQ 612e47e9-8a59-43a6-b404-f48683f45bd6"],
    since: "0.1.0",
    check: &|scope| {
        let one = dll(scope)?;
        let known = known_good::stock(scope)
            .is_some_and(|stock| stock.compare_dll(one.path) == Comparison::Same);
        if known {
            return None;
        }
        match class_of(one.path) {
            Class::System => None,
            Class::BelowWindows => Some(one.hit("in a sub-folder of Windows").weighing(6)),
            Class::Bare | Class::Relative => Some(one.hit("without a full path").weighing(20)),
            _ => Some(one.hit("outside System32")),
        }
    },
    examples: &[
        yes("a DLL in Program Files", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"C:\Program Files\RDP Wrapper\rdpwrap.dll")
        }),
        yes("a bare name", || Scene::hosted("x").text("Parameters\\ServiceDll", "x.dll")),
        no("Winmgmt's own sub-folder", || {
            Scene::hosted("Winmgmt")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\system32\wbem\WMIsvc.dll")
        }),
        no("PrintNotify's printer driver folder", || {
            Scene::hosted("PrintNotify").text(
                "Parameters\\ServiceDll",
                r"C:\Windows\system32\spool\drivers\x64\3\PrintConfig.dll",
            )
        }),
    ],
};

pub(super) const CHANGED_DLL: Indicator = Indicator {
    id: "P16",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does a service of Windows load another DLL than Windows installs for it?",
    why: "Replacing the ServiceDll of a service that exists anyway leaves no install event and a command line that \
          looks right.",
    innocent: "Some DLLs were renamed between versions of Windows; RDP Wrapper replaces the one of TermService.",
    verify: &[
        VERIFY_DLL,
        VERIFY_FILE,
        "Compare with ControlSet002, RegBack and a host of the same build",
    ],
    attack: &[technique("T1574.011"), technique("T1505.005"), technique("T1543.003")],
    weight: 32,
    hard: false,
    needs: &[HIVE],
    sources: &[
        MEASURED,
        "SigmaHQ 612e47e9-8a59-43a6-b404-f48683f45bd6, 3f6b7b62-61aa-45db-96bd-9c31b36b653c",
        "atomic-red-team T1505.005 test 2",
    ],
    since: "0.1.0",
    check: &|scope| {
        let stock = known_good::stock(scope)?;
        let one = dll(scope)?;
        let inside =
            matches!(class_of(one.path), Class::System | Class::BelowWindows | Class::Drivers);
        let moved = match stock.compare_dll(one.path) {
            Comparison::Same | Comparison::Unknown => return None,
            Comparison::Moved => true,
            Comparison::Other => false,
        };
        let file = scope.file(&Purpose::ServiceDll);
        let (grade, maker) = match (Maker::of(file), inside) {
            (Maker::Windows, _) => {
                (4, "; it is signed as a part of Windows: likely of another version")
            }
            (Maker::Nobody, true) if moved => (20, "; nobody known signed it"),
            (Maker::Nobody, _) => (32, "; nobody known signed it"),
            (_, true) if moved => (8, ""),
            // Setup does not exchange the DLL of a service within one build.
            (_, true) if scope.windows().is_measured_on(stock, scope.host) => (25, ""),
            (_, true) => (12, ""),
            (_, false) => (32, ""),
        };
        let expected = stock.dlls().next().map_or("", |path| path.expanded.as_str());
        // Whatever the build: Windows signs what it brings.
        let (weight, remark) = match maker {
            "" => compared_with(scope, grade, Extent::Files),
            _ => (grade, ""),
        };
        let what = format!("where Windows has \"{}\"{remark}{maker}", clip(expected));
        let hit = one.hit(&what).weighing(weight);
        let seen = file.filter(|_| !maker.is_empty()).map(|file| file.citation.clone());
        Some(seen.into_iter().fold(hit, Hit::and))
    },
    examples: &[
        yes("a DLL in a profile", || {
            Scene::hosted("TermService")
                .windows("Windows 10 Pro", "18363.1")
                .text("Parameters\\ServiceDll", r"C:\Users\victim\AtomicTest.dll")
        }),
        yes("an unsigned one in System32: as much", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\System32\termsvc2.dll")
                .file(Purpose::ServiceDll, |file| {
                    file.signature.status = SignatureStatus::Unsigned;
                })
        }),
        yes("one of another version of Windows: little", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\System32\termsvc2.dll")
                .file(Purpose::ServiceDll, |file| file.signature.is_windows = true)
        }),
        no("the one Windows installs", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\System32\termsrv.dll")
        }),
        no("a service that Windows does not bring", || Scene::hosted("Contoso")),
    ],
};

pub(super) const NEW_MEMBER: Indicator = Indicator {
    id: "P18",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does svchost host a service that Windows does not bring?",
    why: "A DLL in svchost disappears among its siblings; names that old lists of netsvcs still hold (Nwsapagent) \
          need no change to the group.",
    innocent: "Newer versions of Windows, optional features and a few vendors add such services.",
    verify: &[
        VERIFY_DLL,
        VERIFY_FILE,
        "Is the name one of this build of Windows? Look on a clean host",
    ],
    attack: &[technique("T1543.003")],
    weight: 8,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "Ke3chang RoyalDNS (ATT&CK G0004)"],
    since: "0.1.0",
    check: &|scope| {
        let one = image(scope)?;
        let hosted = one.path.leaf() == "svchost.exe" && class_of(one.path) == Class::System;
        if !hosted || known_good::stock(scope).is_some() || is_per_user(scope) {
            return None;
        }
        let (weight, remark) = compared(scope, 8);
        // Windows lays its services down alphabetically: of a build not measured, this is likely one of them.
        let weight = if is_laid_down(scope) { weight / 2 } else { weight };
        let group = one.path.svchost_group().unwrap_or_default();
        let because = format!(
            "svchost group \"{}\" hosts {}, which no known Windows brings{remark}.",
            clip(&group),
            clip(&scope.service.name)
        );
        Some(Hit::new(because, one.citation).weighing(weight))
    },
    examples: &[
        yes("a name left in netsvcs", || {
            Scene::service("Nwsapagent").image(r"%SystemRoot%\System32\svchost.exe -k netsvcs")
        }),
        no("a service of Windows", || Scene::hosted("Themes")),
        no("a program of its own", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};
