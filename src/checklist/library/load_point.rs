//! Libraries that others load on its behalf: counters, providers, helpers, message files.

use crate::artifact::service_values::is_load_point;
use crate::checklist::basis::{CHANGE_LOGS, HIVE};
use crate::checklist::knowledge::libraries;
use crate::checklist::known_good::{self, is_as_shipped};
use crate::checklist::place::{Class, class_of};
use crate::checklist::staging::{no, set, unknown, yes};
use crate::checklist::story::{clip, commands, line, remarks, writes};
use crate::checklist::subject::image;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::ImagePath;
use crate::host::config::Data;
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
            let (what, weight) = judge(&point.value, &point.path, stock)?;
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
fn judge(value: &str, path: &str, stock: bool) -> Option<(&'static str, i16)> {
    let bare = path.trim().trim_matches('"');
    let path = ImagePath::of_file(bare);
    let default = libraries::is_default(path.leaf());
    let provider = value.to_lowercase().starts_with("networkprovider");
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

pub(super) const SET: Indicator = Indicator {
    id: "P40",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Do events show a value being set that makes Windows load a library not its own?",
    why: "Whoever sets such a value once and takes it back later has had his library loaded by lsass, winlogon or WMI; the \
          hive shows nothing any more.",
    innocent: "Setup programs of databases, mail servers and VPN clients register counters and providers this way.",
    verify: &[
        "Sysmon 13, 4657: TargetObject, Details, Image; Sysmon 7 of lsass.exe and svchost.exe in the minutes after",
        "Get the library from the image, or from the server it was loaded from.",
    ],
    attack: &[
        technique("T1574.011"),
        technique("T1547.003"),
        technique("T1547.008"),
        technique("T1556.008"),
    ],
    weight: 30,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &[
        "sbousseaden/EVTX-ATTACK-SAMPLES: DirectoryServiceExtPt set from afar, lsass loading over SMB",
        "SigmaHQ b3503044-60ce-4bf4-bbcb-e3db98788823, e88a6ddc-74f7-463b-9b26-f69fc0d2ce85",
    ],
    since: "0.1.0",
    check: &|scope| {
        let service = scope.service.name.as_str();
        let stock = known_good::stock(scope).is_some();
        let written = writes(scope).filter_map(|(event, change)| {
            let new = change.new.as_deref()?;
            let is_set = change.operation == RegistryOperation::ValueSet;
            let told = (is_set && is_load_point(service, &change.target)).then_some(new)?;
            Some((event, change.target.as_str(), told, format!("`{}`", change.image)))
        });
        let commanded = commands(scope).filter(|(_, command)| command.remote.is_none()).flat_map(
            |(event, command)| {
                let changes = command.changes.iter();
                changes.filter(|change| is_load_point(service, &change.value)).map(move |change| {
                    let by = format!("`{}`{}", line(event), remarks(scope, command));
                    (event, change.value.as_str(), change.data.as_str(), by)
                })
            },
        );
        let judged = written.chain(commanded).filter(|(_, _, new, _)| !new.trim().is_empty());
        let judged = judged.filter_map(|(event, value, new, by)| {
            let (what, weight) = judge(value, new, stock)?;
            let at = format_short(event.time);
            let because = format!("At {at} {value} was set to \"{}\", {what}, by {by}.", clip(new));
            Some((weight, Hit::new(because, event.citation.clone()).weighing(weight)))
        });
        judged.max_by_key(|(weight, _)| *weight).map(|(_, hit)| hit)
    },
    examples: &[
        yes("lsass is told to load a library from the network", || {
            Scene::ghost("NTDS").event(
                0,
                set(
                    "NTDS",
                    "DirectoryServiceExtPt",
                    r"\\172.16.66.254\shared\lsadb.dll",
                    r"C:\Windows\System32\svchost.exe",
                ),
            )
        }),
        no("the counters of the remote access service", || {
            Scene::hosted("RasMan").event(
                0,
                set(
                    "RasMan",
                    "Performance\\Library",
                    "rasctrs.dll",
                    r"C:\Windows\System32\lodctr.exe",
                ),
            )
        }),
        no("a value that loads nothing", || {
            Scene::service("Agent").event(
                0,
                set("Agent", "Parameters\\Log", r"C:\x.dll", r"C:\Windows\System32\reg.exe"),
            )
        }),
        unknown("nothing records commands or registry writes", || Scene::service("Agent")),
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
