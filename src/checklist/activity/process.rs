//! Processes that services.exe started for it, and their children.

use jiff::SignedDuration;

use super::agent_running;
use crate::checklist::knowledge::failure::default_command;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::staging::{child, no, started, unknown, yes};
use crate::checklist::story::{follows, line};
use crate::checklist::trust::is_approved_tool;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::{Action, Event, ProcessStart};
use crate::host::image_path::leaf;
use crate::host::shell::is_shell;
use crate::host::{ImagePath, Origin, Role};
use crate::time::format_short;

const PROCESSES: &[Need] = &[Need::Part(Origin::ProcessEvents)];

pub(super) const SHELL_STARTED: Indicator = Indicator {
    id: "E02",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did services.exe start a shell or script host for it?",
    why: "Services are programs of their own; in 187 recorded attack runs every cmd, powershell or rundll32 below \
          services.exe was the attack.",
    innocent: "A failure command of a vendor, or an agent written in a scripting language.",
    verify: &[
        "EvtxECmd -f Security.evtx --inc 4688 (or Sysmon 1): parent services.exe, the whole command line",
    ],
    attack: &[technique("T1569.002"), technique("T1059")],
    weight: 25,
    hard: false,
    needs: PROCESSES,
    sources: &[
        "OTRF Security-Datasets: 187 captures",
        "elastic/detection-rules 0022d47d-39c7-4f69-a232-4fe9dc7a3acd",
    ],
    since: "0.1.0",
    check: &|scope| {
        scope.events(Role::Process).find_map(|event| {
            let process = process(event)?;
            if !is_shell(&process.image) || is_default_failure(scope, process) || is_stock(scope) {
                return None;
            }
            let because =
                format!("At {} services.exe ran `{}`.", format_short(event.time), line(event));
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("the command interpreter as a service", || {
            let command = r"C:\Windows\System32\cmd.exe /c echo x > C:\t.txt";
            Scene::service("Agent")
                .image(command)
                .event(0, started(r"C:\Windows\System32\cmd.exe", command))
        }),
        no("an ordinary service", || {
            Scene::service("Agent").event(
                0,
                started(
                    r"C:\Program Files\Contoso\Agent.exe",
                    r#""C:\Program Files\Contoso\Agent.exe""#,
                ),
            )
        }),
        no("a task that Windows 7 runs below services.exe", || {
            Scene::service("Agent").event(
                0,
                started(r"C:\Windows\System32\cmd.exe", "cmd.exe /c C:\\tasks\\nightly.bat"),
            )
        }),
        unknown("processes are not logged", || Scene::service("Agent")),
    ],
};

pub(super) const INTERCEPTED: Indicator = Indicator {
    id: "E03",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did another program than the configured one start with its command line?",
    why: "An unquoted path with spaces lets Windows start a shorter name first: somebody put a program there.",
    innocent: "A program of that name that belongs there, which would be a rare accident.",
    verify: &[
        "Look at the program that started: its signature, and when it was written.",
        "Quote the path of the service.",
    ],
    attack: &[technique("T1574.009")],
    weight: 30,
    hard: false,
    needs: PROCESSES,
    sources: &["Microsoft Learn: CreateProcess, lpApplicationName", "Atomic Red Team T1574.009-1"],
    since: "0.1.0",
    check: &|scope| {
        let image = scope.service.image.as_ref().filter(|image| !image.quoted)?;
        scope.events(Role::Process).find_map(|event| {
            let process = process(event)?;
            let ran = ImagePath::of_file(&process.image).normalized;
            let stem = ran.strip_suffix(".exe")?;
            let rest = image.normalized.strip_prefix(stem)?;
            if ran == image.normalized || !rest.starts_with(' ') {
                return None;
            }
            let because = format!(
                "At {} {} ran in place of `{}`.",
                format_short(event.time),
                process.image,
                image.program
            );
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("C:\\Program.exe in place of the service", || {
            let command = r"C:\Program Files\Contoso\Agent.exe -run";
            Scene::service("Agent").image(command).event(0, started(r"C:\Program.exe", command))
        }),
        no("the service itself", || {
            let command = r"C:\Program Files\Contoso\Agent.exe -run";
            Scene::service("Agent")
                .image(command)
                .event(0, started(r"C:\Program Files\Contoso\Agent.exe", command))
        }),
        unknown("processes are not logged", || Scene::service("Agent")),
    ],
};

pub(super) const SHELL_FOLLOWED: Indicator = Indicator {
    id: "E04",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did its process start a shell or script host?",
    why: "A service that gives commands is a remote control: PsExec, agents of frameworks and web shells do this.",
    innocent: "Management and monitoring agents run scripts; the known ones are left out.",
    verify: &[
        "Follow ProcessId and ParentProcessId in 4688 or Sysmon 1 below the service's process.",
    ],
    attack: &[technique("T1059")],
    weight: 20,
    hard: false,
    needs: PROCESSES,
    sources: &[
        "OTRF Security-Datasets: 187 captures",
        "elastic/detection-rules aa9a274d-6b53-424d-ac5e-cb8ca4251650",
    ],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() || is_stock(scope) || is_approved_tool(scope) {
            return None;
        }
        scope.events(Role::ChildProcess).find_map(|event| {
            let process = process(event).filter(|process| is_shell(&process.image))?;
            let limit = SignedDuration::from_mins(5);
            let soon = scope.events(Role::Process).any(|own| follows(own.time, event.time, limit));
            let weight = if soon { SHELL_FOLLOWED.weight } else { 12 };
            let parent = process.parent_image.as_deref().map_or("its process", leaf);
            let because =
                format!("At {} {parent} ran `{}`.", format_short(event.time), line(event));
            Some(Hit::new(because, event.citation.clone()).weighing(weight))
        })
    },
    examples: &[
        yes("a shell below the service", || {
            agent_running().event(20, child(r"C:\Windows\System32\cmd.exe", "cmd /c whoami /all"))
        }),
        no("a helper of the product", || {
            agent_running().event(20, child(r"C:\Program Files\Contoso\helper.exe", "helper.exe"))
        }),
        unknown("processes are not logged", || Scene::service("Agent")),
    ],
};

fn process(event: &Event) -> Option<&ProcessStart> {
    match &event.action {
        Action::ProcessStarted(process) => Some(process),
        _ => None,
    }
}

/// Whether the process is the failure command that belongs to the service (NVIDIA's runs in cmd.exe).
fn is_default_failure(scope: &Scope<'_>, process: &ProcessStart) -> bool {
    scope.service.failure_command.as_ref().is_some_and(|command| {
        command.leaf() == leaf(&process.image).to_lowercase()
            && default_command(&scope.service.name, &command.raw).is_some()
    })
}
