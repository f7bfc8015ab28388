//! Question 2: where the program, the DLL or the wrapped program lies (P).

use super::basis::{COMMAND, MEASURED};
use super::knowledge::programs::{self, ProgramKind};
use super::knowledge::{agents, stock};
use super::known_good::{agent, compared, is_as_shipped};
use super::place::{Class, class_of};
use super::program::is_lolbin;
use super::staging::{ghost, half_read, no, unknown, yes};
use super::subject::{Part, Runs, is_win32, runs};
use super::{Family, Hit, Indicator, Question, Scene, Scope, known_good, technique};
use crate::host::ImagePath;
use crate::host::image_path::{Naming, Prefix};

/// The files of a service that are neither what Windows ships nor a known agent.
fn foreign<'a>(scope: &Scope<'a>) -> Vec<Runs<'a>> {
    if is_as_shipped(scope) {
        return runs(scope).into_iter().filter(|one| one.part == Part::Wrapped).collect();
    }
    let name = &scope.service.name;
    runs(scope).into_iter().filter(|one| agents::agent(name, one.path).is_none()).collect()
}

/// The first foreign file for which `judge` has a verdict: what to say, and its weight.
fn first(
    scope: &Scope<'_>,
    judge: impl Fn(&Runs<'_>, Class) -> Option<(String, i16)>,
) -> Option<Hit> {
    let judged = foreign(scope).into_iter().filter_map(|one| {
        let (what, weight) = judge(&one, class_of(one.path))?;
        Some((weight, one.hit(&what).weighing(weight)))
    });
    judged.max_by_key(|(weight, _)| *weight).map(|(_, hit)| hit)
}

const VERIFY_FILE: &str = "Get the file from the image or host; check its signature and hash, and who wrote it when \
     ($MFT, Sysmon 11)";
const VERIFY_KEY: &str = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /s";

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    USER_WRITABLE,
    PROGRAM_DATA,
    WINDOWS_ROOT,
    DRIVE_ROOT,
    UNC,
    BARE,
    VARIABLE,
    MISPLACED,
    STREAM,
    DEVICE,
    SHORT_NAME,
    NOT_OF_WINDOWS,
    SERVICING,
];

const USER_WRITABLE: Indicator = Indicator {
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
    check: |scope| {
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

const PROGRAM_DATA: Indicator = Indicator {
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
    check: |scope| {
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

const WINDOWS_ROOT: Indicator = Indicator {
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
    check: |scope| {
        if !is_win32(scope) || agent(scope).is_some() {
            return None;
        }
        first(scope, |_, class| match class {
            Class::WindowsRoot => Some(("directly in the Windows folder".to_owned(), 15)),
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
        yes("a program among the fonts", || {
            Scene::service("FontSvc").image(r"C:\Windows\Fonts\fsvc.exe")
        }),
        no("the modules installer in its folder", || {
            Scene::service("TrustedInstaller").image(r"%SystemRoot%\servicing\TrustedInstaller.exe")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const DRIVE_ROOT: Indicator = Indicator {
    id: "P04",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run from the root of a drive or from a folder outside those for programs?",
    why: "Folders made in the root of a drive are writable for every user unless somebody changed that, and setup \
          programs do not choose them.",
    innocent: "In-house software is often kept in C:\\<something>; database and backup servers use other drives.",
    verify: &[VERIFY_FILE, "Ask the owner of the host for the application behind the folder"],
    attack: &[technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 1b2ae822-6fe1-43ba-aa7c-d1a3b3d1d5f2"],
    since: "0.1.0",
    check: |scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| match class {
            Class::DriveRoot => Some(("in the root of a drive".to_owned(), 18)),
            Class::OwnFolder if is_short(one.path) => {
                Some(("a short name in a folder of its own".to_owned(), 12))
            }
            Class::OwnFolder => Some(("outside the folders for programs".to_owned(), 10)),
            _ => None,
        })
    },
    examples: &[
        yes("a program in the root of the drive", || Scene::service("x").image(r"C:\x.exe")),
        yes("the path is a drive and nothing else", || Scene::service("hacker23").image(r"c:\")),
        yes("a test program on another drive", || {
            Scene::service("WCESERVICE").image(r"D:\Service\test.exe")
        }),
        no("a vendor's service in Program Files on another drive", || {
            Scene::service("Agent").image(r#""D:\Program Files\Contoso\Agent.exe""#)
        }),
        no("the Azure guest agent's own folder", || {
            Scene::service("WindowsAzureGuestAgent").image(
                r"C:\WindowsAzure\GuestAgent_2.7.41491.1\GuestAgent\WindowsAzureGuestAgent.exe",
            )
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// One folder below the root, and a file name of at most nine characters.
fn is_short(path: &ImagePath) -> bool {
    let stem = path.leaf().rsplit_once('.').map_or(path.leaf(), |(stem, _)| stem);
    path.normalized.matches('\\').count() == 2 && stem.chars().count() <= 9
}

const UNC: Indicator = Indicator {
    id: "P08",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run a file from the network?",
    why: "A service whose program lies on a share or on an administrative share of this host runs what somebody \
          elsewhere put there; Cobalt Strike and Havoc keep the share in ImagePath.",
    innocent: "Rare products are started from a file server.",
    verify: &[
        "Security 5145 and 4624 type 3 from the host named in the path, in the minutes before the install",
        VERIFY_FILE,
    ],
    attack: &[technique("T1021.002"), technique("T1569.002")],
    weight: 30,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 5a105d34-05fc-401e-8553-272b45c1522d"],
    since: "0.1.0",
    check: |scope| {
        first(scope, |one, class| {
            let admin = one.path.normalized.split('\\').nth(3).is_some_and(|it| it.ends_with('$'));
            let what = if admin { "an administrative share" } else { "a network path" };
            (class == Class::Unc).then(|| (what.to_owned(), 30))
        })
    },
    examples: &[
        yes("Cobalt Strike's jump psexec", || ghost("a1b2c3d", r"\\10.0.0.9\ADMIN$\a1b2c3d.exe")),
        no("a share is named in the arguments only", || {
            Scene::service("Backup").image(r#""C:\Program Files\B\b.exe" \\nas\backup"#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const BARE: Indicator = Indicator {
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
    check: |scope| {
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

const VARIABLE: Indicator = Indicator {
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
    check: |scope| {
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

const MISPLACED: Indicator = Indicator {
    id: "P13",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does it run a file named like a process of Windows that lies elsewhere?",
    why: "A second svchost.exe or lsass.exe hides in every process list; Windows has each in one place.",
    innocent: "None is known; a copy made by a troubleshooter would not be a service.",
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
    check: |scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| {
            let leaf = one.path.leaf();
            let named = one.part != Part::Dll && programs::is(leaf, ProgramKind::System);
            let what = "named like a process of Windows, which lies elsewhere";
            (named && !is_home_of(leaf, one.path, class)).then(|| (what.to_owned(), 30))
        })
    },
    examples: &[
        yes("svchost in the Windows folder", || {
            Scene::service("WindowsHostSvc").image(r"C:\Windows\svchost.exe -k netsvcs")
        }),
        yes("lsass from SysWOW64", || {
            Scene::service("LsaHost").image(r"C:\Windows\SysWOW64\lsass.exe")
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

const STREAM: Indicator = Indicator {
    id: "P19",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the path name an alternate data stream, or turn its text around?",
    why: "A program in a stream of another file is invisible in Explorer and dir; a right-to-left override makes \
          exe.txt out of txt.exe on the screen. Nothing legitimate does either.",
    innocent: "None is known: no installer has a reason to do either.",
    verify: &["dir /r <folder>, or the $DATA attributes of the file in the $MFT", VERIFY_KEY],
    attack: &[technique("T1564.004"), technique("T1036.002")],
    weight: 35,
    hard: true,
    needs: &[COMMAND],
    sources: &[MEASURED, "ATT&CK T1564.004, T1036.002"],
    since: "0.1.0",
    check: |scope| {
        runs(scope).into_iter().find_map(|one| {
            let beyond_drive = one.path.normalized.get(2..).unwrap_or_default();
            let stream = one.path.naming != Naming::Device && beyond_drive.contains(':');
            let turned = one
                .path
                .raw
                .chars()
                .any(|c| matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'));
            match (stream && !one.path.program.to_lowercase().contains("$env:"), turned) {
                (true, _) => Some(one.hit("an alternate data stream of another file")),
                (_, true) => Some(one.hit("with a character that turns the text around")),
                _ => None,
            }
        })
    },
    examples: &[
        yes("a stream of a text file", || {
            Scene::service("AdsSvc").image(r"C:\Windows\Temp\log.txt:payload.exe")
        }),
        yes("a right-to-left override", || {
            Scene::service("x").image("C:\\Program Files\\a\u{202e}txt.exe")
        }),
        no("a colon after the drive only", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const DEVICE: Indicator = Indicator {
    id: "P20",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the program of a process named through a device or the object namespace?",
    why: "Such a path reaches volumes without a drive letter, shadow copies among them, and slips past rules that \
          look for C:\\.",
    innocent: "CreateService stores \\??\\ for drivers, not for processes; a few old installers wrote it for both.",
    verify: &[VERIFY_KEY, "mountvol and vssadmin list shadows: which volume is it?"],
    attack: &[technique("T1564"), technique("T1006")],
    weight: 20,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        if !is_win32(scope) {
            return None;
        }
        first(scope, |one, class| match (class, one.path.prefix) {
            (Class::Device, _) => Some(("a device path".to_owned(), 20)),
            (_, Prefix::Win32Namespace) => Some(("behind a namespace prefix".to_owned(), 20)),
            (_, Prefix::NtObject) => Some((r"behind \??\".to_owned(), 6)),
            _ => None,
        })
    },
    examples: &[
        yes("a program in a shadow copy", || {
            Scene::service("x")
                .image(r"\\?\GLOBALROOT\Device\HarddiskVolumeShadowCopy1\Windows\x.exe")
        }),
        no("a driver given by its DOS path", || Scene::driver("d").image(r"\??\C:\Tools\d.sys")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const SHORT_NAME: Indicator = Indicator {
    id: "P21",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the path contain a short (8.3) name?",
    why: "PROGRA~1 hides a folder's real name from people and from rules that compare paths.",
    innocent: "Installers of the nineties and their descendants write short names to avoid spaces.",
    verify: &["dir /x of the parent folder, or the $FILE_NAME attributes: which folder is it?"],
    attack: &[technique("T1564")],
    weight: 4,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        first(scope, |one, _| {
            let short =
                one.path.normalized.split('\\').find(|component| is_short_name(component))?;
            Some((format!("whose component {short} is a short name"), 4))
        })
    },
    examples: &[
        yes("Program Files by its short name", || {
            Scene::service("Agent").image(r"C:\PROGRA~1\Contoso\agent.exe")
        }),
        no("a tilde that is no short name", || {
            Scene::service("Agent").image(r#""C:\Program Files\Contoso~beta\agent.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// `progra~1`, `a~12.exe`: a tilde and digits at the end of the name part of at most eight characters.
fn is_short_name(component: &str) -> bool {
    let stem = component.split('.').next().unwrap_or_default();
    stem.len() <= 8
        && stem.rsplit_once('~').is_some_and(|(name, number)| {
            !name.is_empty() && !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit())
        })
}

const NOT_OF_WINDOWS: Indicator = Indicator {
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
    check: |scope| {
        if !is_win32(scope) || known_good::stock(scope).is_some() {
            return None;
        }
        let (weight, remark) = compared(scope, 10);
        first(scope, |one, class| {
            let foreign = class == Class::System
                && one.part == Part::Image
                && !is_stock_leaf(one.path.leaf())
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

/// Whether a service of Windows runs a program of that file name.
fn is_stock_leaf(leaf: &str) -> bool {
    static LEAVES: std::sync::OnceLock<std::collections::BTreeSet<&'static str>> =
        std::sync::OnceLock::new();
    let leaves = LEAVES.get_or_init(|| {
        stock::all()
            .filter(|stock| !stock.is_driver())
            .flat_map(stock::Stock::images)
            .map(ImagePath::leaf)
            .collect()
    });
    leaves.contains(leaf)
}

const SERVICING: Indicator = Indicator {
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
    check: |scope| {
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
