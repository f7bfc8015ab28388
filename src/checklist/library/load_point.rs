//! Libraries that others load on its behalf: counters, providers, helpers, message files.

use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::libraries;
use crate::checklist::known_good::{self, is_as_shipped};
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{no, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::image;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::ImagePath;
use crate::host::config::{Data, LoadPoint};

pub(super) const LOAD_POINT: Indicator = Indicator {
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
    check: &|scope| {
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
    let path = ImagePath::of_file(bare);
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

pub(super) const MESSAGE_FILE: Indicator = Indicator {
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
    check: &|scope| {
        let one = image(scope)?;
        if is_as_shipped(scope) || one.path.folder().is_empty() {
            return None;
        }
        let log = scope.host.service("EventLog")?.config.as_ref()?;
        let value = log.value(&format!("Application\\{}\\EventMessageFile", scope.service.name))?;
        let Data::Text(files) = &value.data else { return None };
        let elsewhere =
            files.split(';').map(|file| ImagePath::of_file(file.trim())).find(|file| {
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
