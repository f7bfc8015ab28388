//! Commands that name it, and events that show its program being exchanged.

use crate::checklist::basis::{CHANGE_LOGS, COMMAND_LOGS};
use crate::checklist::knowledge::stock::Comparison;
use crate::checklist::known_good::{self, agent};
use crate::checklist::place::is_in_trusted_folder;
use crate::checklist::staging::{command, installed, no, set, unknown, yes};
use crate::checklist::story::{clip, commands, created_near, line, remarks, sets, writes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::ImagePath;
use crate::host::event::{Action, Event};
use crate::host::image_path::leaf;
use crate::host::service_command::{ServiceCommand, Verb};
use crate::time::format_short;

const CMD: &str = r"C:\Windows\System32\cmd.exe";
const SC: &str = r"C:\Windows\System32\sc.exe";

pub(super) const BY_COMMAND: Indicator = Indicator {
    id: "W06",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was it created or reconfigured by a command or script?",
    why: "Installers call the service API themselves; sc, reg, wmic and PowerShell are what a person, or a person's \
          script, uses.",
    innocent: "Administrators' scripts, configuration management and some installers call sc.exe.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 4688 and Sysmon 1, 4104: the command, its parent and its user",
        "What else did the same session run in these minutes?",
    ],
    attack: &[technique("T1543.003"), technique("T1059")],
    weight: 10,
    hard: false,
    needs: &[COMMAND_LOGS],
    sources: &[
        "elastic/detection-rules and SigmaHQ: service changes by sc.exe, reg.exe, PowerShell",
        "Microsoft Learn: sc.exe",
    ],
    since: "0.1.0",
    check: &|scope| {
        let (event, command) = commands(scope).find(|(_, command)| {
            command.remote.is_none() && matches!(command.verb, Verb::Create | Verb::Configure)
        })?;
        let parent = odd_parent(event);
        let because = format!(
            "At {} `{}`{} was run{}.",
            format_short(event.time),
            line(event),
            remarks(scope, command),
            parent.map(|parent| format!(" under {parent}")).unwrap_or_default()
        );
        let weight = if parent.is_some() { 15 } else { BY_COMMAND.weight };
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("sc create in a shell", || {
            Scene::ghost("Agent").event(0, command(SC, r"sc  create Agent binPath= C:\x.exe", CMD))
        }),
        yes("New-Service in a script", || {
            let text = r"New-Service -Name Agent -BinaryPathName C:\x.exe".to_owned();
            Scene::ghost("Agent")
                .event(0, Action::Script { text, host_application: None, block: None })
        }),
        no("it was only queried and started", || {
            Scene::service("Agent")
                .event(0, command(SC, "sc query Agent", CMD))
                .event(1, command(SC, "sc start Agent", CMD))
        }),
        unknown("no log records commands", || {
            Scene::service("Agent").event(0, installed("Agent", r"C:\x.exe"))
        }),
    ],
};

pub(super) const COMMAND_CHANGED: Indicator = Indicator {
    id: "W23",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Do events show the program or DLL of the existing service being exchanged?",
    why: "Another program in a trusted service's place inherits its account, its start type and its good name; \
          no 7045, 7040 or 4697 is logged for it.",
    innocent: "Updates move a service to the folder of the new version.",
    verify: &[
        "Sysmon 13, 4657: TargetObject …\\ImagePath or …\\Parameters\\ServiceDll, old and new data, Image",
        "Compare the value with ControlSet002, RegBack and a shadow copy.",
    ],
    attack: &[technique("T1574.011"), technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &[
        "SigmaHQ 9b0b7ac3-6223-47aa-a3fd-e8f211e637db, 138d3531-8793-4f50-a2cd-f291b2863d78",
        "elastic/detection-rules b66b7e2b-d50a-49b9-a6fc-3a383baedc6b",
    ],
    since: "0.1.0",
    check: &|scope| {
        let by_command = commands(scope).filter(|(_, command)| command.verb == Verb::Configure);
        let by_command = by_command.filter_map(|(event, command)| {
            let (value, new) =
                VALUES.iter().find_map(|value| Some((*value, command.change(value)?)))?;
            Some((event, value, new, By::Command(command)))
        });
        let by_write = writes(scope).filter_map(|(event, change)| {
            let (value, new) =
                VALUES.iter().find_map(|value| Some((*value, sets(change, value)?)))?;
            Some((event, value, new, By::Program(&change.image)))
        });
        let (weight, (event, value, new, by)) = by_command
            .chain(by_write)
            .filter(|(event, _, new, _)| !new.is_empty() && !created_near(scope, event.time))
            .filter_map(|one| Some((change_weight(scope, one.1, one.2)?, one)))
            .max_by_key(|(weight, _)| *weight)?;
        let by = match by {
            By::Command(command) => format!("`{}`{}", line(event), remarks(scope, command)),
            By::Program(image) => format!("`{image}`"),
        };
        let because =
            format!("At {} {value} was set to `{}` by {by}.", format_short(event.time), clip(new));
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("sc config binPath of a stock service", || {
            Scene::hosted("Fax").event(
                0,
                command(SC, r#"sc config Fax binPath= "C:\Windows\System32\cmd.exe /c x""#, CMD),
            )
        }),
        yes("reg.exe exchanges the DLL", || {
            let new = r"C:\Users\Public\t.dll";
            Scene::hosted("TermService").event(
                0,
                set("TermService", r"Parameters\ServiceDll", new, r"C:\Windows\System32\reg.exe"),
            )
        }),
        yes("remote desktop is given a wrapper's DLL", || {
            let new = r"%ProgramFiles%\RDP Wrapper\rdpwrap.dll";
            let setup = r"C:\Users\anna\Desktop\RDPWInst.exe";
            Scene::hosted("TermService")
                .event(0, set("TermService", r"Parameters\ServiceDll", new, setup))
        }),
        no("the writes of a creation", || {
            let services = r"C:\Windows\System32\services.exe";
            Scene::ghost("Agent")
                .event(0, set("Agent", "Type", "DWORD (0x00000010)", services))
                .event(0, set("Agent", "ErrorControl", "DWORD (0x00000001)", services))
                .event(0, set("Agent", "ImagePath", r"C:\Tools\x.exe", services))
        }),
        no("an updater moves to its new version folder", || {
            Scene::ghost("gupdate").event(
                0,
                set(
                    "gupdate",
                    "ImagePath",
                    r#""C:\Program Files (x86)\Google\Update\GoogleUpdate.exe" /svc"#,
                    r"C:\Windows\System32\services.exe",
                ),
            )
        }),
        unknown("nothing records commands or registry writes", || Scene::service("Agent")),
    ],
};

/// By what a value was set.
#[derive(Clone, Copy)]
enum By<'a> {
    Command(&'a ServiceCommand),
    /// The program that wrote.
    Program(&'a str),
}

const VALUES: [&str; 3] = ["ImagePath", r"Parameters\ServiceDll", "ServiceDll"];

/// An update within the trusted folders is ordinary; anything else is not. An interpreter in System32 is no
/// update: `None`.
fn change_weight(scope: &Scope<'_>, value: &str, new: &str) -> Option<i16> {
    let new = ImagePath::parse(new);
    // Nobody but Windows updates Windows: another file of its own service is no update, wherever it lies.
    let compared = known_good::stock(scope).map(|stock| match value {
        "ImagePath" => stock.compare_image(&new),
        _ => stock.compare_dll(&new),
    });
    if compared == Some(Comparison::Other) {
        return Some(COMMAND_CHANGED.weight);
    }
    if !is_in_trusted_folder(&new) || SHELLS.contains(&new.leaf()) {
        return Some(COMMAND_CHANGED.weight);
    }
    let same_file = scope.config().is_some()
        && scope.service.image.as_ref().is_some_and(|image| image.leaf() == new.leaf());
    (!same_file && agent(scope).is_none()).then_some(8)
}

pub(super) const ELSEWHERE: Indicator = Indicator {
    id: "W25",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was a service of another computer created, changed or stopped from here?",
    why: "A command given on this host reached for another host's services: this is where lateral movement \
          started, and the other host is where to look next.",
    innocent: "Administrators manage servers from their own machine.",
    verify: &[
        "Who ran it, and is this an administrator's computer?",
        "Collect the named host: its 7045, 4697 and 4624 at the same time show what arrived.",
    ],
    attack: &[technique("T1569.002"), technique("T1021.002")],
    weight: 15,
    hard: false,
    needs: &[COMMAND_LOGS],
    sources: &["Microsoft Learn: sc.exe \\\\server, New-Service, wmic /node"],
    since: "0.1.0",
    check: &|scope| {
        let host = scope.service.elsewhere.as_deref()?;
        let (event, command) = commands(scope)
            .filter(|(_, command)| command.verb != Verb::Start)
            .min_by_key(|(_, command)| command.verb)
            .or_else(|| commands(scope).next())?;
        let weight = match command.verb {
            Verb::Create | Verb::Configure => ELSEWHERE.weight,
            Verb::Delete | Verb::Start | Verb::Stop | Verb::Control => 10,
        };
        let because = format!(
            "At {} `{}`{} reached for {host}.",
            format_short(event.time),
            line(event),
            remarks(scope, command)
        );
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("sc with a computer's name", || {
            Scene::ghost(r"\\SRV1\Updater")
                .event(0, command(SC, r"sc \\SRV1 create Updater binPath= C:\Windows\u.exe", CMD))
        }),
        no("a service of this computer", || {
            Scene::ghost("Updater")
                .event(0, command(SC, r"sc create Updater binPath= C:\Windows\u.exe", CMD))
        }),
        unknown("no log records commands", || Scene::service("Agent")),
    ],
};

/// Programs that open documents or run scripts: services are not their business.
const ODD_PARENTS: [&str; 11] = [
    "winword.exe",
    "excel.exe",
    "powerpnt.exe",
    "outlook.exe",
    "wmiprvse.exe",
    "wsmprovhost.exe",
    "mshta.exe",
    "wscript.exe",
    "cscript.exe",
    "w3wp.exe",
    "sqlservr.exe",
];
const SHELLS: [&str; 6] =
    ["cmd.exe", "powershell.exe", "rundll32.exe", "regsvr32.exe", "mshta.exe", "wscript.exe"];

fn odd_parent(event: &Event) -> Option<&str> {
    let Action::ProcessStarted(process) = &event.action else { return None };
    process
        .parent_image
        .as_deref()
        .map(leaf)
        .filter(|parent| ODD_PARENTS.iter().any(|odd| odd.eq_ignore_ascii_case(parent)))
}
