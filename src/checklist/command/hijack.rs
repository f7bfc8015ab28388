//! Ways to have another program run in place of the service's own (T1574).

use super::VERIFY_KEY;
use crate::checklist::basis::{COMMAND, HIVE, MEASURED};
use crate::checklist::knowledge::stock::Comparison;
use crate::checklist::known_good::{self, Maker, compared};
use crate::checklist::place::{Class, class_of};
use crate::checklist::program::is_lolbin;
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::subject::{image, is_win32, own_config};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::program_file::{Purpose, SignatureStatus};

pub(super) const UNQUOTED: Indicator = Indicator {
    id: "P06",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is a path with spaces left without quotes?",
    why: "For C:\\Program Files\\A B\\x.exe Windows first tries C:\\Program.exe and C:\\Program Files\\A.exe: whoever \
          can write there runs as the service.",
    innocent: "Very common carelessness of vendors, harmless where ordinary users cannot write to the folders.",
    verify: &[
        "Look for the shorter file names (C:\\Program.exe and so on) in the image",
        "icacls of each parent folder: who may create files there?",
    ],
    attack: &[technique("T1574.009")],
    weight: 8,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "elastic/detection-rules 12de29d4-bbb0-4eef-b687-857e8a163870"],
    since: "0.1.0",
    check: &|scope| {
        let one = image(scope)?;
        let path = one.path;
        let open = !path.quoted && path.program.contains(' ') && path.program.contains('\\');
        (open && is_win32(scope)).then(|| one.hit("a path with spaces that is not quoted"))
    },
    examples: &[
        yes("Program Files without quotes", || {
            Scene::service("Example Service").image(r"C:\Program Files\windows_service.exe")
        }),
        no("the same with quotes", || {
            Scene::service("Example").image(r#""C:\Program Files\windows_service.exe""#)
        }),
        no("spaces in the arguments only", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

pub(super) const CHANGED_IMAGE: Indicator = Indicator {
    id: "P17",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does a service of Windows run another program than Windows installs for it?",
    why: "Pointing an existing service at another program needs no install event: sc config, reg add and remote \
          tools such as SCShell do exactly that.",
    innocent: "Updates move programs between versions of Windows, and some products take over a service's key.",
    verify: &[
        VERIFY_KEY,
        "Compare with ControlSet002, RegBack and a host of the same build",
        "Sysmon 13 or 4657 on ImagePath; 4688 for `sc config` and `reg add`",
    ],
    attack: &[technique("T1574.011"), technique("T1543.003")],
    weight: 30,
    hard: false,
    needs: &[HIVE],
    sources: &[
        MEASURED,
        "SigmaHQ 138d3531-8793-4f50-a2cd-f291b2863d78, 9b0b7ac3-6223-47aa-a3fd-e8f211e637db",
    ],
    since: "0.1.0",
    check: &|scope| {
        let stock = known_good::stock(scope)?;
        let one = image(scope)?;
        own_config(scope)?;
        let comparison = stock.compare_image(one.path);
        let class = class_of(one.path);
        let inside = matches!(class, Class::System | Class::Drivers | Class::BelowWindows);
        let file = scope.file(&Purpose::Image);
        let maker = Maker::of(file);
        let (grade, made) = match comparison {
            Comparison::Same | Comparison::Unknown => return None,
            // The same file name in another folder of Windows is a matter of versions.
            Comparison::Moved if inside && maker != Maker::Nobody => return None,
            Comparison::Moved if inside => (20, "; nobody known signed it"),
            // Windows signs its interpreters as well.
            _ if is_lolbin(one.path) => (30, ""),
            _ if maker == Maker::Nobody => (30, "; nobody known signed it"),
            _ if maker == Maker::Windows && inside => {
                (4, "; it is signed as a part of Windows: likely of another version")
            }
            _ if maker == Maker::Windows => (15, "; it is signed as a part of Windows"),
            _ if inside => (12, ""),
            _ => (30, ""),
        };
        let expected = stock.images().next().map_or("", |path| path.expanded.as_str());
        // Whatever the build: Windows signs what it brings.
        let (weight, remark) = match made {
            "" => compared(scope, grade),
            _ => (grade, ""),
        };
        let what = format!("where Windows has \"{}\"{remark}{made}", clip(expected));
        let hit = one.hit(&what).weighing(weight);
        let seen = file.filter(|_| !made.is_empty()).map(|file| file.citation.clone());
        Some(seen.into_iter().fold(hit, Hit::and))
    },
    examples: &[
        yes("the fax service runs PowerShell", || {
            Scene::service("Fax").windows("Windows 10 Pro", "18363.1").image(
                r#"C:\windows\system32\WindowsPowerShell\v1.0\powershell.exe -noexit -c "write-host 1""#,
            )
        }),
        yes("a driver's key runs a program", || {
            Scene::driver("xboxgip").image(r"C:\tmp\pentestlab.exe")
        }),
        yes("an unsigned program in System32: as much", || {
            Scene::service("Fax").image(r"C:\Windows\System32\fxsvc32.exe").program(|file| {
                file.signature.status = SignatureStatus::Unsigned;
            })
        }),
        yes("a program of another version of Windows: little", || {
            Scene::service("Fax")
                .image(r"C:\Windows\System32\fxsvc32.exe")
                .program(|file| file.signature.is_windows = true)
        }),
        no("Defender's engine in a newer folder", || {
            Scene::service("WinDefend").image(
                r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe""#,
            )
        }),
        no("a vendor's service, which Windows does not bring", || Scene::service("Agent")),
    ],
};
