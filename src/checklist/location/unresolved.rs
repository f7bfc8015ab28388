//! Paths that do not say which folder is meant: bare names and variables of a user's environment.

use super::{VERIFY_KEY, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::place::Class;
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::subject::{Part, is_win32};
use crate::checklist::{Family, Indicator, Question, Scene, technique};

pub(super) const BARE: Indicator = Indicator {
    id: "P09",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the program named without a folder?",
    why: "The service control manager then looks through its search path; who types a command by hand writes it so, \
          installers write full paths.",
    innocent: "A few old tools (F-Response) were installed that way.",
    verify: &[
        VERIFY_KEY,
        "Search System32, the Windows folder and the folders of the system PATH for the file",
    ],
    attack: &[technique("T1543.003"), technique("T1574.007")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| {
            (class == Class::Bare && one.part != Part::Dll && !one.path.normalized.is_empty())
                .then(|| ("a name without a folder".to_owned(), 15))
        })
    },
    examples: &[
        yes("a quoted bare name", || Scene::service("hackervirus").image(r#""virus.exe""#)),
        no("a driver path relative to the Windows folder", || {
            Scene::driver("afd").image(r"system32\drivers\afd.sys")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

pub(super) const VARIABLE: Indicator = Indicator {
    id: "P12",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the path contain a user's variable or PowerShell's $env:?",
    why: "Services have no user environment: %APPDATA% and %TEMP% come from scripts written for a user, and a \
          literal $env: from a PowerShell command run through cmd.",
    innocent: "A faulty installation script; the service then does not start at all.",
    verify: &[
        VERIFY_KEY,
        "Search 4688 and 4104 for the sc.exe or New-Service command that wrote it",
    ],
    attack: &[technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "atomic-red-team T1569.002 test 6"],
    since: "0.1.0",
    check: &|scope| {
        const OF_USERS: [&str; 7] =
            ["temp", "tmp", "appdata", "localappdata", "userprofile", "homepath", "onedrive"];
        first(scope, |one, _| {
            if one.path.program.to_lowercase().contains("$env:") {
                return Some(("which holds a PowerShell variable".to_owned(), 20));
            }
            let variable = one.path.variables.iter().find(|it| OF_USERS.contains(&it.as_str()))?;
            Some((format!("from the variable %{variable}% of a user's environment"), 20))
        })
    },
    examples: &[
        yes("PowerShell's variable left as it is", || {
            Scene::service("WerFaultSvc").image(r"$env:windir\WinSxS\x86_a_1\WerFault.exe")
        }),
        yes("a profile's variable", || Scene::service("Sync").image(r"%APPDATA%\sync.exe")),
        no("the variable of the Windows folder", || Scene::hosted("Themes")),
        no("the variable of Program Files", || {
            Scene::service("A").image(r#""%ProgramFiles%\A\a.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
