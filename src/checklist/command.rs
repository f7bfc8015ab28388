//! Question 2: what the command does (P): interpreters, shells, hidden scripts, quoting, wrappers, svchost.

use std::sync::LazyLock;

use regex::Regex;

use super::basis::{COMMAND, HIVE, MEASURED};
use super::knowledge::programs::ProgramKind;
use super::knowledge::stock::Comparison;
use super::knowledge::{groups, programs};
use super::known_good::{compared, is_as_shipped};
use super::place::{Class, class_of};
use super::program::{is_lolbin, plain, plain_leaf};
use super::staging::{ghost, half_read, no, unknown, yes};
use super::story::clip;
use super::subject::{Part, Runs, image, is_win32, own_config, runs};
use super::{Family, Hit, Indicator, Need, Question, Scene, Scope, known_good, technique};
use crate::host::config::ServiceType;
use crate::host::{ImagePath, Origin};
use crate::text;

const VERIFY_KEY: &str = r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v ImagePath";
const VERIFY_INSTALL: &str =
    "EvtxECmd -f System.evtx --inc 7045 and Security.evtx --inc 4697: who installed it, and when";

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] = &[
    LOLBIN,
    UNQUOTED,
    SHELL_SYNTAX,
    HIDDEN_SCRIPT,
    SVCHOST,
    NOT_IN_GROUP,
    CHANGED_IMAGE,
    ODD_EXTENSION,
    WRAPPER,
];

const LOLBIN: Indicator = Indicator {
    id: "P05",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the service program an interpreter or a tool of Windows that runs other code?",
    why: "cmd, PowerShell, rundll32 and their kin do not answer the service control manager: as a service they run \
          a command once, as SYSTEM.",
    innocent: "Some products run under a bundled interpreter (perl, python, java, node) in their own folder; Windows \
               itself has dllhost /Processid and msiexec /V, which are known.",
    verify: &[
        VERIFY_KEY,
        "Decode the arguments: CyberChef for Base64 and compressed PowerShell",
        VERIFY_INSTALL,
    ],
    attack: &[technique("T1543.003"), technique("T1569.002"), technique("T1059")],
    weight: 30,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        MEASURED,
        "SigmaHQ 70f00d10-60b2-4f34-b9a0-dc3df3fe762a, 26481afe-db26-4228-b264-25a29fe6efc7",
        "elastic/detection-rules 36a8e048-d888-4f61-a8b9-0f9e2e40f317",
    ],
    since: "0.1.0",
    check: |scope| {
        let one = image(scope)?;
        if !is_win32(scope) || !is_lolbin(one.path) || is_as_shipped(scope) {
            return None;
        }
        let bundled = class_of(one.path) == Class::ProgramFiles;
        let because = format!(
            "ImagePath runs {} as a service: `{}`.",
            plain_leaf(one.path),
            clip(&one.path.raw)
        );
        let hit = Hit::new(because, one.citation);
        Some(if bundled { hit.weighing(10) } else { hit })
    },
    examples: &[
        yes("cmd by its variable", || {
            Scene::service("ARTService").image(r"%COMSPEC% /c whoami > C:\out.txt")
        }),
        yes("cmd behind carets", || {
            Scene::service("x").image(r"C:\Windows\System32\c^md.exe /c x")
        }),
        yes("the calculator", || {
            Scene::service("AtomicService").image(r"C:\Windows\System32\calc.exe")
        }),
        yes("rundll32, known from the log only", || {
            ghost("tbbd05", r"rundll32.exe C:\Users\a\AppData\Local\Temp\x.dll,a /p:tbbd05")
        }),
        no("Windows Installer", || {
            Scene::service("msiserver").image(r"%systemroot%\system32\msiexec.exe /V")
        }),
        no("the COM+ system application", || {
            Scene::service("COMSysApp").image(
                r"%SystemRoot%\system32\dllhost.exe /Processid:{02D4B3F1-FD88-11D1-960D-00805FC79235}",
            )
        }),
        no("a vendor's own control.exe", || {
            Scene::service("Ctl").image(r#""C:\Program Files\Contoso\control.exe""#)
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const UNQUOTED: Indicator = Indicator {
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
    check: |scope| {
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

static SHELL: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?i)\becho\s|2>&1|\s&&\s|\s>>?\s|\\{2}\.\\pipe\\|\s\|\s").ok());

const SHELL_SYNTAX: Indicator = Indicator {
    id: "P10",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the command use a shell's redirection, chaining or a named pipe?",
    why: "Redirected output and chained commands belong to an operator at a prompt; echo to a named pipe is how \
          getsystem of Meterpreter and Cobalt Strike becomes SYSTEM.",
    innocent: "Home-made services that start a batch through cmd and redirect its output to a log.",
    verify: &[
        VERIFY_KEY,
        "Sysmon 17 and 18 for the pipe; 7009 and 7000 within a minute of the install",
    ],
    attack: &[technique("T1134.001"), technique("T1059.003"), technique("T1569.002")],
    weight: 25,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "SigmaHQ 843544a7-56e0-4dcc-a44f-5cc266dd97d6"],
    since: "0.1.0",
    check: |scope| {
        let (one, command) = script(scope)?;
        let found = SHELL.as_ref()?.find(&command)?;
        let because =
            format!("The command contains `{}`: `{}`.", found.as_str().trim(), clip(&one.path.raw));
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("echo into a pipe", || ghost("hgabms", r"cmd.exe /c echo hgabms > \\.\pipe\hgabms")),
        no("an ampersand in a web address", || {
            Scene::service("ScreenConnect Client (1a2b)").image(
                r#""C:\Program Files (x86)\ScreenConnect Client (1a2b)\ScreenConnect.ClientService.exe" "?e=Access&y=Guest&h=x.example&p=443""#,
            )
        }),
        no("an ordinary service", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

static HIDDEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?ix)
        \s[-/]e(?:nc?|nco\w*|c)?\s+[a-z0-9+/=]{16,}
        | \s[-/]w(?:in\w*)?\s+(?:hidden|1\b)
        | \s[-/]nop(?:r\w*)?\b
        | frombase64string
        | download(?:string|file|data)
        | \biex\b | invoke-(?:expression|webrequest|restmethod) | \biwr\b
        | start-bitstransfer | net\.webclient
        | -urlcache | javascript: | vbscript:
        | \btscon(?:\.exe)?\b .* /dest:
        ",
    )
    .ok()
});

const HIDDEN_SCRIPT: Indicator = Indicator {
    id: "P11",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the command hide, decode or download a script, or take over a session?",
    why: "-nop -w hidden -enc, FromBase64String, DownloadString and IEX are the vocabulary of payloads; tscon as \
          SYSTEM takes over somebody's desktop without a password.",
    innocent: "A few management products start PowerShell with a hidden window or an encoded command.",
    verify: &[
        VERIFY_KEY,
        "PowerShell 4104 and 400 in the minutes after the install; decode what is encoded",
        VERIFY_INSTALL,
    ],
    attack: &[technique("T1059.001"), technique("T1027"), technique("T1563.002")],
    weight: 25,
    hard: false,
    needs: &[COMMAND],
    sources: &[
        MEASURED,
        "SigmaHQ a2e5019d-a658-4c6a-92bf-7197b54e2cae",
        "atomic-red-team T1563.002",
    ],
    since: "0.1.0",
    check: |scope| {
        let (one, command) = script(scope)?;
        let found = HIDDEN.as_ref()?.find(&command)?;
        let because =
            format!("The command contains `{}`: `{}`.", clip(found.as_str()), clip(&one.path.raw));
        Some(Hit::new(because, one.citation))
    },
    examples: &[
        yes("Metasploit's PowerShell", || {
            ghost(
                "iOWamcEn",
                "%COMSPEC% /b /c start /b /min powershell.exe -nop -w hidden -noni -c \"if([IntPtr]::Size -eq 4){}\"",
            )
        }),
        yes("a session taken over", || {
            Scene::service("sesshijack").image("cmd.exe /k tscon 1337 /dest:rdp-tcp#55")
        }),
        no("acpiex contains iex and is a driver of Windows", || {
            Scene::driver("acpiex").image(r"System32\Drivers\acpiex.sys")
        }),
        no("-k netsvcs -p", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// The first file of the service whose command matters to a shell, with the whole command as [`plain`] text.
fn script<'a>(scope: &Scope<'a>) -> Option<(Runs<'a>, String)> {
    if !is_win32(scope) || is_as_shipped(scope) && scope.service.wrapped.is_none() {
        return None;
    }
    let mut files = runs(scope);
    // A wrapper's own arguments are its name; what matters is the program behind it.
    files.sort_by_key(|one| one.part != Part::Wrapped);
    let one = files.into_iter().find(|one| one.part != Part::Dll)?;
    let whole = match one.part {
        Part::Wrapped => format!("{} {}", one.path.program, one.path.arguments),
        _ => one.path.raw.clone(),
    };
    let command = plain(&whole);
    Some((one, command))
}

const SVCHOST: Indicator = Indicator {
    id: "P14",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does svchost run without a group, or with a group that is not one of Windows?",
    why: "Every service of svchost belongs to a group; an implant that comes as a DLL brings a group of its own, \
          and a fake svchost needs none.",
    innocent: "Groups of newer versions and roles of Windows, and those of a few vendors who host their DLLs in \
               svchost.",
    verify: &[
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost: the group's value and its last-write time",
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /v ServiceDll",
    ],
    attack: &[technique("T1543.003"), technique("T1036.004")],
    weight: 15,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "52 groups in six hives; atomic-red-team T1543.003 test 4 (TinyTurla)"],
    since: "0.1.0",
    check: |scope| {
        let one = image(scope)?;
        if one.path.leaf() != "svchost.exe" || !is_win32(scope) || is_as_shipped(scope) {
            return None;
        }
        let Some(group) = one.path.svchost_group() else {
            return Some(one.hit("without a group (-k)").weighing(20));
        };
        if groups::is_known(&group) {
            return None;
        }
        let (weight, remark) = compared(scope, 15);
        let because = format!("svchost group \"{}\" is not one of Windows{remark}.", clip(&group));
        Some(Hit::new(because, one.citation).weighing(weight))
    },
    examples: &[
        yes("TinyTurla's group", || {
            Scene::hosted("W64Time")
                .windows("Windows 10 Pro", "18363.1")
                .image(r"c:\Windows\System32\svchost.exe -k TimeService")
        }),
        yes("no group at all", || {
            Scene::service("WinHost").image(r"C:\Windows\System32\svchost.exe")
        }),
        no("netsvcs", || Scene::hosted("Themes")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

const NOT_IN_GROUP: Indicator = Indicator {
    id: "P33",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is the service missing from its svchost group?",
    why: "svchost starts only services that the SOFTWARE hive lists for its group; a service that is not listed \
          cannot start that way, or the list was changed and changed back.",
    innocent: "Features that were removed leave services behind whose group is gone.",
    verify: &[
        r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\Svchost: is the service among the group's members?",
        "Compare with the SOFTWARE hive in RegBack or a shadow copy",
    ],
    attack: &[technique("T1543.003")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SystemHive), Need::Whole(Origin::SoftwareHive)],
    sources: &[MEASURED, "SigmaHQ 612e47e9-8a59-43a6-b404-f48683f45bd6"],
    since: "0.1.0",
    check: |scope| {
        let one = image(scope)?;
        let config = scope.config()?;
        let group = one.path.svchost_group()?;
        // Instances of per-user services are listed under their template's name; a disabled leftover is listed no more.
        let instance = config.service_type.is_some_and(ServiceType::is_user_instance);
        if instance || scope.host.svchost_groups.is_empty() || is_as_shipped(scope) {
            return None;
        }
        match scope.host.svchost_groups.get(&text::fold(&group)) {
            None => {
                let because = format!(
                    "svchost group \"{}\" does not exist in the SOFTWARE hive.",
                    clip(&group)
                );
                Some(Hit::new(because, one.citation))
            }
            Some(known) => {
                let listed =
                    known.members.iter().any(|name| text::same_name(name, &scope.service.name));
                let because =
                    format!("svchost group \"{}\" does not list this service.", clip(&group));
                (!listed).then(|| Hit::new(because, one.citation).and(known.citation.clone()))
            }
        }
    },
    examples: &[
        yes("not among the members", || {
            Scene::hosted("Nwsapagent").svchost_group("netsvcs", &["Themes", "Schedule"])
        }),
        yes("the group is gone", || {
            Scene::hosted("Contoso")
                .image(r"%SystemRoot%\System32\svchost.exe -k Other")
                .svchost_group("netsvcs", &["Themes"])
        }),
        no("listed", || Scene::hosted("Contoso").svchost_group("netsvcs", &["CONTOSO"])),
        unknown("no SOFTWARE hive", || Scene::hosted("Contoso")),
    ],
};

const CHANGED_IMAGE: Indicator = Indicator {
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
    check: |scope| {
        let stock = known_good::stock(scope)?;
        let one = image(scope)?;
        own_config(scope)?;
        let comparison = stock.compare_image(one.path);
        let class = class_of(one.path);
        let inside = matches!(class, Class::System | Class::Drivers | Class::BelowWindows);
        let grade = match comparison {
            Comparison::Same | Comparison::Unknown => return None,
            // The same file name in another folder of Windows is a matter of versions.
            Comparison::Moved if inside => return None,
            _ if inside && !is_lolbin(one.path) => 12,
            _ => 30,
        };
        let expected = stock.images().next().map_or("", |path| path.expanded.as_str());
        let (weight, remark) = compared(scope, grade);
        let what = format!("where Windows has \"{}\"{remark}", clip(expected));
        Some(one.hit(&what).weighing(weight))
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
        no("Defender's engine in a newer folder", || {
            Scene::service("WinDefend").image(
                r#""C:\ProgramData\Microsoft\Windows Defender\Platform\4.18.24090.11-0\MsMpEng.exe""#,
            )
        }),
        no("a vendor's service, which Windows does not bring", || Scene::service("Agent")),
    ],
};

const ODD_EXTENSION: Indicator = Indicator {
    id: "P22",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Does the file have an extension that does not belong to a program of its kind?",
    why: "Windows runs a program whatever its name ends in; a .dat, .tmp or .jpg passes where people and rules look \
          for .exe, and report.pdf.exe passes for a document.",
    innocent: "A few products start a script or rename a program while they update themselves.",
    verify: &["The first two bytes of the file: MZ makes it a program", VERIFY_KEY],
    attack: &[technique("T1036.008"), technique("T1036.007")],
    weight: 12,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: |scope| {
        if is_as_shipped(scope) {
            return None;
        }
        runs(scope).into_iter().find_map(|one| {
            let driver = scope.service.is_driver();
            let own = match (one.part, driver) {
                (Part::Dll, _) => "dll",
                (_, true) => "sys",
                (_, false) => "exe",
            };
            let extension = one.path.extension();
            let odd = extension != own && is_odd_extension(extension);
            let double = is_double_extension(one.path.leaf());
            let what = format!("whose name ends in \".{extension}\"");
            (odd || double).then(|| one.hit(&what))
        })
    },
    examples: &[
        yes("a program called .dat", || Scene::service("x").image(r"C:\Program Files\x\cache.dat")),
        yes("a document that is a program", || {
            Scene::service("x").image(r#""C:\Program Files\x\invoice.pdf.exe""#)
        }),
        no("a dotted program name", || {
            Scene::service("x").image(r#""C:\Program Files\Docker\com.docker.service""#)
        }),
        no("a driver", || Scene::driver("afd")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

fn is_odd_extension(extension: &str) -> bool {
    const ODD: [&str; 38] = [
        "bat", "bin", "bmp", "cfg", "chm", "cmd", "com", "cpl", "dat", "db", "dll", "doc", "docx",
        "exe", "gif", "hta", "ico", "ini", "jpeg", "jpg", "js", "jse", "log", "msi", "ocx", "pdf",
        "pif", "png", "ps1", "scr", "sys", "tmp", "txt", "vbe", "vbs", "wsf", "xls", "zip",
    ];
    ODD.contains(&extension)
}

fn is_double_extension(leaf: &str) -> bool {
    const DOCUMENTS: [&str; 12] = [
        ".doc.", ".docx.", ".gif.", ".htm.", ".jpg.", ".jpeg.", ".pdf.", ".png.", ".rtf.", ".txt.",
        ".xls.", ".xlsx.",
    ];
    DOCUMENTS.iter().any(|document| {
        leaf.rsplit_once(*document).is_some_and(|(_, rest)| matches!(rest, "exe" | "scr" | "com"))
    })
}

const WRAPPER: Indicator = Indicator {
    id: "P23",
    family: Family::Q2,
    checklist: Question::Runs,
    question: "Is a wrapper or a tunnel the program, and what does it run?",
    why: "nssm and srvany make a service of any program, so that ImagePath shows the wrapper and not what runs; \
          tunnels carry a way back in past the firewall.",
    innocent: "Wrappers are common for build agents, exporters and scripts of the house; cloudflared and plink are \
               used by administrators as well.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\Parameters /s (Application, AppParameters)",
        "WinSW: read the XML file beside the program",
    ],
    attack: &[technique("T1543.003"), technique("T1572")],
    weight: 6,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED, "nssm registry.h; SigmaHQ and LOLRMM lists of tunnel tools"],
    since: "0.1.0",
    check: |scope| {
        let one = image(scope)?;
        let is = |path: &ImagePath, kind| programs::is(&plain_leaf(path), kind);
        if is(one.path, ProgramKind::Tunnel) {
            let weight = if class_of(one.path) == Class::ProgramFiles { 15 } else { 25 };
            return Some(one.hit("a tunnel").weighing(weight));
        }
        let Some(target) = scope.service.wrapped.as_ref() else {
            return is(one.path, ProgramKind::Wrapper)
                .then(|| one.hit("a wrapper whose target the key does not name"));
        };
        let config = own_config(scope)?;
        let shell = ["cmd.exe", "powershell.exe", "pwsh.exe", "cmd", "powershell", "pwsh"];
        let (what, weight) = match class_of(target) {
            _ if is(target, ProgramKind::Tunnel) => ("a tunnel", 31),
            _ if shell.contains(&plain_leaf(target).as_str()) => ("a shell", 20),
            Class::UserWritable(_) | Class::Unc => ("in a folder others write to", 26),
            _ => ("as its target", 6),
        };
        let because = format!(
            "The wrapper {} runs \"{}\", {what}.",
            one.path.leaf(),
            clip(&format!("{} {}", target.expanded, target.arguments))
        );
        Some(Hit::new(because, config.cite("Parameters\\Application")).weighing(weight))
    },
    examples: &[
        yes("nssm runs a tunnel", || {
            Scene::service("sysmgmt")
                .image(r"C:\Tools\nssm.exe")
                .text("Parameters\\Application", r"C:\Users\Public\chisel.exe")
                .text("Parameters\\AppParameters", "client 203.0.113.9:443 R:socks")
        }),
        yes("nssm runs an exporter: worth six decibans", || {
            Scene::service("exporter")
                .image(r#""C:\Program Files\nssm\nssm.exe""#)
                .text("Parameters\\Application", r"C:\Program Files\exporter\exporter.exe")
        }),
        no("an ordinary service", || Scene::service("Agent")),
        unknown("part of the hive is unreadable", half_read),
    ],
};

#[cfg(test)]
mod tests {
    use super::super::knowledge::stock;
    use super::*;

    #[test]
    fn patterns_compile_and_leave_ordinary_commands_alone() {
        let shell = SHELL.as_ref().unwrap();
        let hidden = HIDDEN.as_ref().unwrap();
        for stock in stock::all() {
            for image in stock.images() {
                let command = plain(&image.raw);
                assert!(!shell.is_match(&command) && !hidden.is_match(&command), "{command}");
            }
        }
    }
}
