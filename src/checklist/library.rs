//! Question 2: the DLLs a service makes Windows load (P).

use super::basis::{COMMAND, HIVE, MEASURED};
use super::knowledge::libraries;
use super::knowledge::stock::Comparison;
use super::known_good::{compared, is_as_shipped, is_laid_down};
use super::place::{Class, class_of};
use super::staging::{half_read, no, unknown, yes};
use super::story::clip;
use super::subject::{Part, Runs, image, is_per_user, runs};
use super::{Family, Hit, Indicator, Question, Scene, Scope, known_good, technique};
use crate::host::ImagePath;
use crate::host::config::{Data, LoadPoint};

const VERIFY_DLL: &str =
    r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /v ServiceDll";
const VERIFY_FILE: &str =
    "Get the DLL from the image: signature, ServiceMain export, times in the $MFT";

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] =
    &[OUTSIDE_SYSTEM32, CHANGED_DLL, NEW_MEMBER, LOAD_POINT, MESSAGE_FILE];

fn dll<'a>(scope: &Scope<'a>) -> Option<Runs<'a>> {
    runs(scope).into_iter().find(|one| one.part == Part::Dll)
}

const OUTSIDE_SYSTEM32: Indicator = Indicator {
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
    check: |scope| {
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

const CHANGED_DLL: Indicator = Indicator {
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
    check: |scope| {
        let stock = known_good::stock(scope)?;
        let one = dll(scope)?;
        let inside =
            matches!(class_of(one.path), Class::System | Class::BelowWindows | Class::Drivers);
        let grade = match stock.compare_dll(one.path) {
            Comparison::Same | Comparison::Unknown => return None,
            Comparison::Moved if inside => 8,
            _ if inside => 12,
            _ => 32,
        };
        let expected = stock.dlls().next().map_or("", |path| path.expanded.as_str());
        let (weight, remark) = compared(scope, grade);
        let what = format!("where Windows has \"{}\"{remark}", clip(expected));
        Some(one.hit(&what).weighing(weight))
    },
    examples: &[
        yes("a DLL in a profile", || {
            Scene::hosted("TermService")
                .windows("Windows 10 Pro", "18363.1")
                .text("Parameters\\ServiceDll", r"C:\Users\victim\AtomicTest.dll")
        }),
        no("the one Windows installs", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"%SystemRoot%\System32\termsrv.dll")
        }),
        no("a service that Windows does not bring", || Scene::hosted("Contoso")),
    ],
};

const NEW_MEMBER: Indicator = Indicator {
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
    check: |scope| {
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

const LOAD_POINT: Indicator = Indicator {
    id: "P30",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does a value below the key make Windows load a library that is not Windows' own?",
    why: "Performance counters, network providers, time providers and their kin are loaded by lsass, winlogon, WMI \
          or svchost; the service itself need not even start.",
    innocent: "Database, mail and virtualisation products bring performance counters; VPN and storage products bring \
               network providers, from their own folder in Program Files.",
    verify: &[
        "Get the library from the image: signature, version resource, times",
        r"RECmd --kn ControlSet001\Services\<name> --recover false: last-write time of the sub-key",
    ],
    attack: &[
        technique("T1574.011"),
        technique("T1547.003"),
        technique("T1547.008"),
        technique("T1556.008"),
    ],
    weight: 30,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Measured: 31 default performance libraries in six hives, all in System32 or bare",
        "SigmaHQ b3503044-60ce-4bf4-bbcb-e3db98788823, 0442defa-b4a2-41c9-ae2c-ea7042fc4701, \
         e88a6ddc-74f7-463b-9b26-f69fc0d2ce85",
    ],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let stock = known_good::stock(scope).is_some();
        let judged = config.load_points.iter().filter_map(|point| {
            let (what, weight) = judge_load_point(point, stock)?;
            let because = format!("{} names \"{}\", {what}.", point.value, clip(&point.path));
            Some((weight, Hit::new(because, point.citation.clone()).weighing(weight)))
        });
        judged.max_by_key(|(weight, _)| *weight).map(|(_, hit)| hit)
    },
    examples: &[
        yes("a performance library in a temporary folder", || {
            Scene::hosted("Dnscache").text("Performance\\Library", r"C:\Windows\Temp\p.dll")
        }),
        yes("a network provider in System32 that Windows does not bring", || {
            Scene::driver("NPPSpy")
                .text("NetworkProvider\\ProviderPath", r"%SystemRoot%\System32\NPPSpy.dll")
        }),
        yes("a time provider in a public folder", || {
            Scene::hosted("W32Time")
                .text("TimeProviders\\NtpServer\\DllName", r"C:\Users\Public\AtomicTest.dll")
        }),
        no("the counters of the remote access service", || {
            Scene::hosted("RasMan").text("Performance\\Library", "rasctrs.dll")
        }),
        no("a driver of Windows names its helper", || {
            Scene::driver("Tcpip")
                .text("Parameters\\Winsock\\HelperDllName", r"%SystemRoot%\System32\wshtcpip.dll")
        }),
    ],
};

/// What is odd about a library that a load point names, and how much.
fn judge_load_point(point: &LoadPoint, stock: bool) -> Option<(&'static str, i16)> {
    let bare = point.path.trim().trim_matches('"');
    let path = ImagePath::parse(&format!("\"{bare}\""));
    let default = libraries::is_default(path.leaf());
    let provider = point.value.to_lowercase().starts_with("networkprovider");
    match class_of(&path) {
        Class::System | Class::BelowWindows | Class::Bare if default || stock => None,
        Class::System if provider => Some(("a network provider that Windows does not bring", 20)),
        Class::System | Class::BelowWindows | Class::Drivers => {
            Some(("which Windows does not bring", 8))
        }
        Class::Bare => Some(("a name without a folder", 12)),
        Class::ProgramFiles if provider => Some(("a product's network provider", 10)),
        Class::ProgramFiles if default => None,
        Class::ProgramFiles => Some(("a product's library", 6)),
        _ => Some(("outside the folders for programs", 30)),
    }
}

const MESSAGE_FILE: Indicator = Indicator {
    id: "P31",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does its event source point to a message file outside its own folder?",
    why: "An event source is written when a program of that name logs for the first time; one that points elsewhere \
          tells which framework or which other program is behind the service.",
    innocent: "Programs on .NET use the framework's EventLogMessages.dll, and many share one of their vendor's.",
    verify: &[r"ControlSet001\Services\EventLog\Application\<name> in Registry Explorer"],
    attack: &[technique("T1112")],
    weight: 4,
    hard: false,
    needs: &[HIVE],
    sources: &["Registry traces of atomic-red-team T1543.003 test 2"],
    since: "0.1.0",
    check: |scope| {
        let one = image(scope)?;
        if is_as_shipped(scope) || one.path.folder().is_empty() {
            return None;
        }
        let log = scope.host.service("EventLog")?.config.as_ref()?;
        let value = log.value(&format!("Application\\{}\\EventMessageFile", scope.service.name))?;
        let Data::Text(files) = &value.data else { return None };
        let elsewhere = files
            .split(';')
            .map(|file| ImagePath::parse(&format!("\"{}\"", file.trim())))
            .find(|file| {
                file.folder() != one.path.folder()
                    && !file.is_below(r"c:\windows\system32")
                    && !file.is_below(r"c:\windows\microsoft.net")
            })?;
        let because = format!("Its event source names \"{}\".", clip(&elsewhere.expanded));
        Some(Hit::new(because, log.cite(&value.name)))
    },
    examples: &[
        yes("the messages come from a profile", || {
            Scene::service("Agent").beside(
                Scene::hosted("EventLog")
                    .text("Application\\Agent\\EventMessageFile", r"C:\Users\Public\other.exe"),
            )
        }),
        no("the framework's messages", || {
            Scene::service("Agent").beside(Scene::hosted("EventLog").text(
                "Application\\Agent\\EventMessageFile",
                r"C:\Windows\Microsoft.NET\Framework64\v4.0.30319\EventLogMessages.dll",
            ))
        }),
    ],
};
