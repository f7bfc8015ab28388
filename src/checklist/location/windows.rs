//! Folders of Windows from which it runs no services: its root, Fonts, Tasks, the servicing folders.

use super::{VERIFY_FILE, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::known_bad::is_administrators_tool;
use crate::checklist::known_good::agent;
use crate::checklist::place::Class;
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::subject::is_win32;
use crate::checklist::{Family, Indicator, Question, Scene, Scope, technique};

pub(super) const WINDOWS_ROOT: Indicator = Indicator {
    id: "P03",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run from the Windows folder itself, or from a folder of it that holds no services?",
    why: "Remote execution tools copy their program through ADMIN$, which is the Windows folder; Fonts, Tasks and \
          their like are places where nobody looks for programs.",
    innocent: "Old drivers' helper services (audio, modem) and some agents of management products lie there.",
    verify: &[
        VERIFY_FILE,
        "Security 5145 for ADMIN$ and Sysmon 11 written by System, just before the install",
    ],
    attack: &[technique("T1569.002"), technique("T1036.005")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        MEASURED,
        "SigmaHQ 5e993621-67d4-488a-b9ae-b420d08b96cb",
        "elastic/detection-rules 78ef0c95-9dc2-40ac-a8da-5deb6293a14e",
    ],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) || agent(scope).is_some() {
            return None;
        }
        let weight = in_windows_root(scope);
        first(scope, |_, class| match class {
            Class::WindowsRoot => Some(("directly in the Windows folder".to_owned(), weight)),
            Class::OddWindows(folder, true) => {
                Some((format!("in Windows\\{folder}, where more than administrators write"), 20))
            }
            Class::OddWindows(folder, false) => {
                Some((format!("in Windows\\{folder}, where no service of Windows lies"), 15))
            }
            _ => None,
        })
    },
    examples: &[
        yes("a remote execution tool's program", || {
            ghost("PSEXESVC", r"%SystemRoot%\PSEXESVC.exe")
        }),
        yes("a maker's helper, described: less", || {
            Scene::service("ModemSvc").image(r"C:\Windows\ModemSvc.exe")
        }),
        yes("a program among the fonts", || {
            Scene::service("FontSvc").image(r"C:\Windows\Fonts\fsvc.exe")
        }),
        no("the modules installer in its folder", || {
            Scene::service("TrustedInstaller").image(r"%SystemRoot%\servicing\TrustedInstaller.exe")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// What a program directly in the Windows folder weighs: makers of computers describe their helpers, tools of intruders do not;
/// a tool that is known by its name lies there as a rule, and its name has been weighed.
fn in_windows_root(scope: &Scope<'_>) -> i16 {
    let described = scope.config().and_then(|config| config.description.as_deref());
    if is_administrators_tool(scope) {
        4
    } else if described.is_some_and(|text| !text.trim().is_empty()) {
        12
    } else {
        WINDOWS_ROOT.weight
    }
}

pub(super) const SERVICING: Indicator = Indicator {
    id: "P25",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run from a servicing or installer folder?",
    why: "WinSxS, Installer and the setup folders hold copies for servicing; a service that runs from there uses an \
          old or planted file where nobody expects one (Snake did).",
    innocent: "A setup that was interrupted can leave such a service behind.",
    verify: &[
        VERIFY_FILE,
        "Is the component folder one that DISM knows, and is the file in it signed?",
    ],
    attack: &[technique("T1036.005"), technique("T1569.002")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ b2e60816-96b2-45bd-ba91-b63578c03ef6"],
    since: "0.1.0",
    check: &|scope| {
        first(scope, |one, class| {
            let literal = one.path.program.to_lowercase();
            match class {
                Class::Servicing(name) => Some((format!("in {name}"), 15)),
                // PowerShell's variable is not expanded; what follows still shows the folder.
                Class::Relative if literal.contains(r"\winsxs\") => {
                    Some(("in WinSxS".to_owned(), 15))
                }
                _ => None,
            }
        })
    },
    examples: &[
        yes("error reporting from the component store", || {
            Scene::service("WerFaultSvc").image(
                r"C:\Windows\WinSxS\x86_microsoft-windows-errorreportingfaults_31bf3856ad364e35_4.0.9600.16384_none_a13f7e283339a050\WerFault.exe",
            )
        }),
        no("the modules installer in its folder", || {
            Scene::service("TrustedInstaller").image(r"%SystemRoot%\servicing\TrustedInstaller.exe")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
