//! Places that ordinary users can write to: profiles, temporary folders, `ProgramData`.

use super::{VERIFY_FILE, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::place::Class;
use crate::checklist::staging::{ghost, half_read, no, unknown, yes};
use crate::checklist::{Family, Indicator, Question, Scene, technique};

pub(super) const USER_WRITABLE: Indicator = Indicator {
    id: "P01",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run from a user's profile, a temporary folder or another place ordinary users can write to?",
    why: "Services run with high rights; installers put their files where only administrators can write, intruders \
          put theirs where they can.",
    innocent: "A few installers run a short-lived helper service from a temporary folder (Zoom, Malwarebytes, Avast), \
               and scanners such as THOR are started that way.",
    verify: &[
        VERIFY_FILE,
        r"icacls <folder> (or $Secure of the image): can Users or Authenticated Users write there?",
    ],
    attack: &[technique("T1543.003")],
    weight: 25,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        MEASURED,
        "SigmaHQ 5e993621-67d4-488a-b9ae-b420d08b96cb, 1d61f71d-59d2-479e-9562-4ff5f4ead16b",
        "elastic/detection-rules da87eee1-129c-4661-a7aa-57d0b9645fad",
    ],
    since: "0.1.0",
    check: &|scope| {
        first(scope, |_, class| match class {
            Class::UserWritable(what) => Some((what.to_owned(), 25)),
            _ => None,
        })
    },
    examples: &[
        yes("a program in the public profile", || {
            Scene::service("Updater").image(r"C:\Users\Public\w.exe -k")
        }),
        yes("a service DLL in a profile", || {
            Scene::hosted("TermService")
                .text("Parameters\\ServiceDll", r"C:\Users\victim\AtomicTest.dll")
        }),
        yes("nssm starts a program from a temporary folder", || {
            Scene::service("sysmgmt")
                .image(r"C:\Program Files\nssm\nssm.exe")
                .text("Parameters\\Application", r"%TEMP%\agent.exe")
        }),
        yes("known from its install event only", || ghost("Gone", r"C:\Windows\Temp\gone.exe")),
        no("a vendor's service in Program Files", || Scene::service("Agent")),
        no("Zoom's service names a profile in its arguments only", || {
            Scene::service("ZoomCptService").image(
                r#""C:\Program Files\Common Files\Zoom\Support\CptService.exe" -user_path "C:\Users\a\AppData\Roaming\Zoom""#,
            )
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

pub(super) const PROGRAM_DATA: Indicator = Indicator {
    id: "P02",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run from ProgramData?",
    why: "ProgramData is for data; every user may create folders there, and it is where much malware settles.",
    innocent: "Some products do run from there: Defender's engine (known), McAfee and Dell agents, Teramind, AnyDesk.",
    verify: &[
        VERIFY_FILE,
        "Is the folder named after the product, and is the product in Uninstall?",
    ],
    attack: &[technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 1b2ae822-6fe1-43ba-aa7c-d1a3b3d1d5f2"],
    since: "0.1.0",
    check: &|scope| {
        first(scope, |_, class| match class {
            Class::ProgramData => Some(("a folder for data".to_owned(), 12)),
            Class::ProgramDataRoot => Some(("directly in ProgramData".to_owned(), 18)),
            _ => None,
        })
    },
    examples: &[
        yes("a program directly in ProgramData", || {
            Scene::service("WinSvcUpdate").image(r"C:\ProgramData\svchost.exe")
        }),
        no("Defender's platform folder", || {
            Scene::service("WinDefend").image(
                r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe""#,
            )
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
