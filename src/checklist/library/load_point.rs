//! Libraries that others load on its behalf: counters, providers, helpers, message files.

use crate::artifact::service_values::is_load_point;
use crate::checklist::basis::{CHANGE_LOGS, HIVE};
use crate::checklist::knowledge::libraries;
use crate::checklist::known_good::{self, is_as_shipped};
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{command, no, set, unknown, yes};
use crate::checklist::story::{clip, commands, line, writes};
use crate::checklist::subject::image;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::ImagePath;
use crate::host::config::{Data, LoadPoint};
use crate::host::event::RegistryOperation;
use crate::time::format_short;

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
        yes("the counters of a service of Windows come from a new file in System32", || {
            Scene::hosted("Dnscache").text("Performance\\Library", r"%SystemRoot%\System32\p.dll")
        }),
        yes("a time provider in System32 that Windows does not bring", || {
            Scene::hosted("W32Time")
                .text("TimeProviders\\Gps\\DllName", r"%SystemRoot%\System32\gpstime.dll")
        }),
        no("the time provider of virtual machines", || {
            Scene::hosted("W32Time").text(
                "TimeProviders\\VMICTimeProvider\\DllName",
                r"%SystemRoot%\System32\vmictimeprovider.dll",
            )
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

/// Values that hold the same few libraries, or none, in every measured Windows.
const FIXED: [&str; 5] = [
    "timeproviders\\",
    "directoryserviceextpt",
    "lsadbextpt",
    r"parameters\serverlevelplugindll",
    r"parameters\autodialdll",
];

/// What is odd about a library that a load point names, and how much.
fn judge_load_point(point: &LoadPoint, stock: bool) -> Option<(&'static str, i16)> {
    judge_file(&point.value, &point.path, stock)
}

/// The same for the value's name and text.
fn judge_file(value: &str, path: &str, stock: bool) -> Option<(&'static str, i16)> {
    let bare = path.trim().trim_matches('"');
    let path = ImagePath::of_file(bare);
    let default = libraries::is_default(path.leaf());
    let value = value.to_lowercase();
    let provider = value.starts_with("networkprovider");
    match class_of(&path) {
        Class::System | Class::BelowWindows | Class::Bare if default => None,
        Class::System | Class::BelowWindows | Class::Bare
            if FIXED.iter().any(|fixed| value.starts_with(fixed)) =>
        {
            Some(("where Windows has no other than its own", 20))
        }
        // A newer Windows may bring more of them.
        Class::System | Class::BelowWindows | Class::Bare if stock => {
            Some(("which no measured Windows has there", if provider { 12 } else { 8 }))
        }
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

pub(super) const LOAD_POINT_SET: Indicator = Indicator {
    id: "P35",
    family: Family::Q2,
    checklist: Question::WhoWhen,
    question: "Do events show a value being set below the key that makes Windows load a foreign library?",
    why: "The value may be back by the time the hive is taken: the library was loaded by lsass, winlogon, WMI or every \
          reader of counters in between.",
    innocent: "Setups of databases, VPN and storage products register their counters and providers, from Program Files.",
    verify: &[
        "Sysmon 13 or 4657 for the value: Image, User, data; Sysmon 7: who loaded the library?",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /s, and get the library from the image",
    ],
    attack: &[
        technique("T1574.011"),
        technique("T1547.003"),
        technique("T1547.008"),
        technique("T1112"),
    ],
    weight: 25,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &[
        "SigmaHQ b3503044-60ce-4bf4-bbcb-e3db98788823, e6fe26ee-d063-4f5b-b007-39e90aaf50e3, \
         0442defa-b4a2-41c9-ae2c-ea7042fc4701, e88a6ddc-74f7-463b-9b26-f69fc0d2ce85",
        "atomic-red-team T1546, T1547.003, T1547.008",
    ],
    since: "0.1.0",
    check: &|scope| {
        let name = &scope.service.name;
        let stock = known_good::stock(scope).is_some();
        let judge = |value: &str, path: &str| judge_file(value, path, stock);
        let written = writes(scope).filter_map(|(event, change)| {
            let set = change.operation == RegistryOperation::ValueSet;
            let path =
                change.new.as_deref().filter(|_| set && is_load_point(name, &change.target))?;
            let (what, weight) = judge(&change.target, path)?;
            let by = format!("{} wrote {} = \"{}\"", change.image, change.target, clip(path));
            Some((weight, event, by, what))
        });
        let ordered = commands(scope).filter_map(|(event, command)| {
            let mut points = command.changes.iter().filter(|one| is_load_point(name, &one.value));
            let point = points.find(|one| !one.data.is_empty())?;
            let (what, weight) = judge(&point.value, &point.data)?;
            Some((weight, event, format!("`{}`", line(event)), what))
        });
        let worst = written.chain(ordered).max_by_key(|(weight, ..)| *weight)?;
        let (weight, event, by, what) = worst;
        let because = format!("At {} {by}: {what}.", format_short(event.time));
        let hit = Hit::new(because, event.citation.clone());
        Some(hit.weighing(weight.min(LOAD_POINT_SET.weight)))
    },
    examples: &[
        yes("reg add a time provider", || {
            let line = r"reg add HKLM\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders\NtpServer /v DllName /t REG_SZ /d C:\Users\Public\AtomicTest.dll /f";
            Scene::hosted("W32Time").event(
                0,
                command(r"C:\Windows\System32\reg.exe", line, r"C:\Windows\System32\cmd.exe"),
            )
        }),
        yes("Sysmon saw the counters of the resolver being replaced", || {
            let image = r"C:\Users\a\perfusion.exe";
            Scene::hosted("Dnscache")
                .event(0, set("Dnscache", r"Performance\Library", r"C:\Users\a\p.dll", image))
        }),
        no("the counters of Windows Management", || {
            let image = r"C:\Windows\System32\wbem\wmiadap.exe";
            Scene::hosted("RasMan")
                .event(0, set("RasMan", r"Performance\Library", "rasctrs.dll", image))
        }),
        no("another value", || {
            let image = r"C:\Windows\System32\services.exe";
            Scene::hosted("Dnscache").event(0, set("Dnscache", r"Parameters\x", "p.dll", image))
        }),
        unknown("nothing records commands or registry writes", || Scene::hosted("Dnscache")),
    ],
};

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
