//! Programs that pass for a part of Windows by name or by place.

use super::{VERIFY_FILE, first};
use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::knowledge::programs::{self, ProgramKind};
use crate::checklist::known_good::{self, Maker, compared};
use crate::checklist::place::Class;
use crate::checklist::program::is_lolbin;
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::subject::{Part, is_win32};
use crate::checklist::{Family, Indicator, Question, Scene, technique};
use crate::host::ImagePath;
use crate::host::program_file::Purpose;

pub(super) const MISPLACED: Indicator = Indicator {
    id: "P13",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run a file named like a process of Windows that lies elsewhere?",
    why: "A second svchost.exe or lsass.exe hides in every process list; Windows has each in one place.",
    innocent: "A vendor's own program of that name, signed by him. A true copy of Windows' file weighs less, but is no service in any \
               version: libraries put beside it run in its name.",
    verify: &[
        VERIFY_FILE,
        "Compare size, version resource and signature with the file of that name in System32",
    ],
    attack: &[technique("T1036.005")],
    weight: 30,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ e4a6b256-3e47-40fc-89d2-7a477edd6915"],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| {
            let leaf = one.path.leaf();
            let named = one.part != Part::Dll && programs::is(leaf, ProgramKind::System);
            let (weight, maker) = match Maker::of(scope.file(purpose_of(one.part))) {
                Maker::Windows => (20, "; it is a true copy of it by its signature"),
                Maker::Other => (18, "; it is signed, but not as a part of Windows"),
                Maker::Nobody => (30, "; nobody known signed it"),
                Maker::Unknown => (30, ""),
            };
            let what = format!("named like a process of Windows, which lies elsewhere{maker}");
            (named && !is_home_of(leaf, one.path, class)).then_some((what, weight))
        })
    },
    examples: &[
        yes("svchost in the Windows folder", || {
            Scene::service("WindowsHostSvc").image(r"C:\Windows\svchost.exe -k netsvcs")
        }),
        yes("lsass from SysWOW64", || {
            Scene::service("LsaHost").image(r"C:\Windows\SysWOW64\lsass.exe")
        }),
        yes("a copy of Windows' own file: less", || {
            Scene::service("WindowsHostSvc")
                .image(r"C:\ProgramData\x\svchost.exe")
                .program(|file| file.signature.is_windows = true)
        }),
        no("the spooler in its place", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
        no("a bare name, which says nothing about its place", || {
            Scene::service("x").image("svchost.exe -k netsvcs")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const fn purpose_of(part: Part) -> &'static Purpose {
    match part {
        Part::Image => &Purpose::Image,
        Part::Dll => &Purpose::ServiceDll,
        Part::Wrapped => &Purpose::Wrapped,
    }
}

/// Whether Windows keeps the process of that name there.
fn is_home_of(leaf: &str, path: &ImagePath, class: Class) -> bool {
    const ONLY_64: [&str; 9] = [
        "lsass.exe",
        "services.exe",
        "csrss.exe",
        "smss.exe",
        "wininit.exe",
        "winlogon.exe",
        "spoolsv.exe",
        "lsm.exe",
        "lsaiso.exe",
    ];
    match class {
        Class::System => !ONLY_64.contains(&leaf) || path.folder() == r"c:\windows\system32",
        Class::WindowsRoot => leaf == "explorer.exe",
        Class::BelowWindows => {
            matches!(path.folder(), r"c:\windows\system32\wbem" | r"c:\windows\syswow64\wbem")
                || path.folder() == r"c:\windows\sysnative"
        }
        // A device path or a bare name does not say where the file lies; other checks speak about those.
        // A copy in the servicing folders is Windows' own file in a wrong place: P25.
        Class::Bare | Class::Device | Class::Relative | Class::Servicing(_) => true,
        _ => false,
    }
}

pub(super) const NOT_OF_WINDOWS: Indicator = Indicator {
    id: "P24",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the program in System32 one that Windows does not ship as a service?",
    why: "A program of one's own in System32 passes for a part of Windows at a glance.",
    innocent: "Graphics, audio and virtualisation drivers put helper services there (igfx, RtkBtManServ, VBoxService).",
    verify: &[
        VERIFY_FILE,
        "Is the file signed by Microsoft, or by the vendor of a device in this host?",
    ],
    attack: &[technique("T1036.005")],
    weight: 10,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        if !is_win32(scope) || known_good::stock(scope).is_some() {
            return None;
        }
        let (weight, remark) = compared(scope, 10);
        first(scope, |one, class| {
            let foreign = class == Class::System
                && one.part == Part::Image
                && !scope.windows().runs(one.path.leaf())
                // An interpreter is another matter: P05.
                && !is_lolbin(one.path);
            let what = format!("in System32, though Windows ships no such service program{remark}");
            foreign.then_some((what, weight))
        })
    },
    examples: &[
        yes("a program of unknown origin", || {
            Scene::service("OTR")
                .windows("Windows 10 Pro", "18363.1")
                .image(r"C:\Windows\System32\GruntHTTP2.exe")
        }),
        no("the spooler", || Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")),
        no("a service of one's own in svchost", || Scene::hosted("Contoso")),
        no("VirtualBox's guest service", || {
            Scene::service("VBoxService").image(r"C:\Windows\System32\VBoxService.exe")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};
