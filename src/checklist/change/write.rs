//! Who wrote the key, and whether it still says what was installed.

use jiff::SignedDuration;

use crate::checklist::basis::{HIVE, INSTALL_LOGS};
use crate::checklist::knowledge::stock;
use crate::checklist::known_good::agent;
use crate::checklist::place::is_in_trusted_folder;
use crate::checklist::staging::{
    ADMINISTRATORS, SYSTEM, USER, installed, no, rules, set, unknown, yes,
};
use crate::checklist::story::{clip, installs, sets, writes};
use crate::checklist::ticket::is_user;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::image_path::leaf;
use crate::host::{ImagePath, Origin};
use crate::time::format_short;

pub(super) const DIFFERS_FROM_INSTALL: Indicator = Indicator {
    id: "W09",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Does its key name another program or account than its install event did?",
    why: "It was installed as one thing and changed into another; the change itself leaves no event.",
    innocent: "An update moved it to a new folder, or an administrator gave it another account.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7045: ImagePath and AccountName beside the values of the key",
        "Sysmon 13 or 4657 between the two times.",
    ],
    attack: &[technique("T1574.011")],
    weight: 15,
    hard: false,
    needs: &[HIVE, INSTALL_LOGS],
    sources: &["Atomic Red Team T1574.011: reg add ImagePath after sc create"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let last = installs(scope).last()?;
        let written = config.last_write?;
        if written.duration_since(last.event.time) < SignedDuration::from_hours(1) {
            return None;
        }
        let (then, now) = (
            ImagePath::parse(&last.install.image_path),
            ImagePath::parse(config.image_path.as_deref()?),
        );
        let same = stock::versionless(&then.normalized) == stock::versionless(&now.normalized);
        // Within the folders of installers a moved file of the same name is an update.
        let update = then.leaf() == now.leaf() && is_in_trusted_folder(&now);
        if same || update || agent(scope).is_some() {
            return None;
        }
        let because = format!(
            "Installed at {} as `{}`; the key, last written {}, says `{}`.",
            format_short(last.event.time),
            clip(&last.install.image_path),
            format_short(written),
            clip(&now.raw)
        );
        Some(Hit::new(because, last.event.citation.clone()).and(config.cite("ImagePath")))
    },
    examples: &[
        yes("reg add ImagePath a day after sc create", || {
            Scene::service("calcservice")
                .image(r"C:\Windows\system32\cmd.exe")
                .event(-86_400, installed("calcservice", r"%windir%\system32\win32calc.exe"))
        }),
        no("unchanged", || {
            Scene::service("Agent")
                .event(-86_400, installed("Agent", r#""C:\Program Files\Contoso\Agent.exe""#))
        }),
        no("moved to the folder of its new version", || {
            Scene::service("Agent")
                .image(r#""C:\Program Files\Contoso\2.1\Agent.exe""#)
                .event(-86_400, installed("Agent", r#""C:\Program Files\Contoso\2.0\Agent.exe""#))
        }),
        no("only its spelling differs", || {
            Scene::service("Agent")
                .image(r"%SystemRoot%\Tools\Agent.exe")
                .event(-86_400, installed("Agent", r"C:\WINDOWS\tools\agent.exe"))
        }),
        unknown("no log of installs", || Scene::service("Agent")),
    ],
};

pub(super) const KEY_OWNER: Indicator = Indicator {
    id: "W15",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Does a user own its registry key?",
    why: "The service control manager creates keys as SYSTEM, and reg.exe of an administrator as Administrators; \
          a user's own SID means that the key was made, or taken over, in another way.",
    innocent: "Ownership taken by hand during a repair.",
    verify: &[
        "Registry Explorer: the key's security descriptor, owner",
        "Get-Acl HKLM:\\SYSTEM\\CurrentControlSet\\Services\\<name> (live)",
    ],
    attack: &[technique("T1112")],
    weight: 15,
    hard: false,
    needs: &[HIVE],
    sources: &["Measured: the owner was SYSTEM or Administrators on 3,495 of 3,495 keys"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let owner = config.key_security.as_ref()?.owner.as_deref()?;
        // Windows XP made the administrator who creates a key its owner, service packs included.
        if scope.host.is_before_vista() {
            return None;
        }
        let low = matches!(owner, "S-1-1-0" | "S-1-5-11" | "S-1-5-32-545" | "S-1-5-4");
        (low || is_user(owner))
            .then(|| Hit::new(format!("The key is owned by {owner}."), config.citation.clone()))
    },
    examples: &[
        yes("a domain user", || {
            Scene::service("Agent")
                .configure(|config| config.key_security = Some(rules(USER, true, SYSTEM, 0xf003f)))
        }),
        no("Windows XP, where whoever ran the service pack owns its keys", || {
            Scene::hosted("EapHost")
                .windows("Microsoft Windows XP", "2600.5512")
                .configure(|config| config.key_security = Some(rules(USER, true, SYSTEM, 0xf003f)))
        }),
        no("Administrators", || {
            Scene::service("Agent").configure(|config| {
                config.key_security = Some(rules(ADMINISTRATORS, true, SYSTEM, 0xf003f));
            })
        }),
        no("TrustedInstaller", || {
            Scene::hosted("WinDefend").configure(|config| {
                let installer = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464";
                config.key_security = Some(rules(installer, true, SYSTEM, 0xf003f));
            })
        }),
    ],
};

pub(super) const FOREIGN_WRITER: Indicator = Indicator {
    id: "W16",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Did a program other than Windows' own write its configuration directly?",
    why: "Going past the service control manager avoids its access rules and its events.",
    innocent: "RDP wrappers and some agents and installers write their keys themselves.",
    verify: &[
        "Sysmon 13: Image, User and the value; 4657: ProcessName, SubjectUserName",
        "Where does that program lie, and who started it?",
    ],
    attack: &[technique("T1112"), technique("T1574.011")],
    weight: 12,
    hard: false,
    needs: &[Need::Part(Origin::RegistryEvents)],
    sources: &[
        "elastic/detection-rules 403ef0d3-8259-40c9-a5b6-d48354712e49: ordinary writers",
        "Measured: 188 benign writes by services.exe, svchost.exe, System, wmiadap.exe, csrss.exe",
    ],
    since: "0.1.0",
    check: &|scope| {
        writes(scope).find_map(|(event, change)| {
            let (value, new) = CORE.iter().find_map(|core| Some((*core, sets(change, core)?)))?;
            if is_usual_writer(&change.image) {
                return None;
            }
            let because = format!(
                "At {} {} wrote {value} = `{}`.",
                format_short(event.time),
                change.image,
                clip(new)
            );
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("reg.exe writes Start", || {
            Scene::hosted("EventLog").event(
                0,
                set("EventLog", "Start", "DWORD (0x00000004)", r"C:\Windows\System32\reg.exe"),
            )
        }),
        no("the service control manager", || {
            Scene::service("Agent").event(
                0,
                set("Agent", "Start", "DWORD (0x00000003)", r"C:\Windows\system32\services.exe"),
            )
        }),
        no("a parameter, not the configuration", || {
            Scene::hosted("Tcpip")
                .event(0, set("Tcpip", r"Parameters\Hostname", "ws01", r"C:\Users\a\setup.exe"))
        }),
        unknown("registry writes are not recorded", || Scene::service("Agent")),
    ],
};

/// The values that decide what runs, when and as whom.
const CORE: [&str; 10] = [
    "ImagePath",
    r"Parameters\ServiceDll",
    "ServiceDll",
    "ObjectName",
    "Start",
    "Type",
    "FailureCommand",
    "FailureActions",
    "RequiredPrivileges",
    r"Security\Security",
];

/// Programs that write service keys as part of their work: Windows' own, and installers in Program Files.
fn is_usual_writer(image: &str) -> bool {
    const WINDOWS: [&str; 16] = [
        "services.exe",
        "svchost.exe",
        "tiworker.exe",
        "trustedinstaller.exe",
        "drvinst.exe",
        "msiexec.exe",
        "waasmedicagent.exe",
        "wmiadap.exe",
        "csrss.exe",
        "lsass.exe",
        "setuphost.exe",
        "poqexec.exe",
        "dism.exe",
        "dismhost.exe",
        "spoolsv.exe",
        "winlogon.exe",
    ];
    let name = leaf(image).to_lowercase();
    if name == "system" || image.trim().is_empty() {
        return true;
    }
    let path = ImagePath::of_file(image);
    path.is_below(r"c:\program files")
        || path.is_below(r"c:\program files (x86)")
        || path.is_below(r"c:\programdata\microsoft\windows defender")
        || path.is_below(r"c:\windows") && WINDOWS.contains(&name.as_str())
}
