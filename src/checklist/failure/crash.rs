//! Crashes after which the failure command ran.

use crate::checklist::knowledge::failure::default_command;
use crate::checklist::staging::{crashed, no, started, unknown, yes};
use crate::checklist::story::{follows, line};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::event::Action;
use crate::host::image_path::leaf;
use crate::host::{Event, ImagePath, Origin, Role};
use crate::time::format_short;

pub(super) const RAN: Indicator = Indicator {
    id: "F04",
    family: Family::F,
    checklist: Question::Started,
    question: "Did the service control manager run a failure command of its own after a crash?",
    why: "Event 7031 with action 3 says that the command was due; a child of services.exe running it says that it \
          was run.",
    innocent: "A recovery script of the product did its work.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7031: param4 is the action, 3 runs a program",
        "Look for the command's process within the delay after 7031 (4688, Sysmon 1, Prefetch).",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 20,
    hard: false,
    needs: &[Need::AnyPart(&[Origin::SystemLog, Origin::ProcessEvents])],
    sources: &["Event 7031 parameters: services.exe message table"],
    since: "0.1.0",
    check: &|scope| {
        let command = scope.service.failure_command.as_ref();
        if command.is_some_and(|it| default_command(&scope.service.name, &it.raw).is_some()) {
            return None;
        }
        after_crash(scope, command).or_else(|| seen_running(scope, command?))
    },
    examples: &[
        yes("a crash, then the command", || {
            Scene::service("Agent")
                .text("FailureCommand", r"C:\ProgramData\s.exe -x")
                .failure_actions(&[3])
                .event(0, crashed("Agent", 3))
                .event(60, started(r"C:\ProgramData\s.exe", r"C:\ProgramData\s.exe -x"))
        }),
        yes("a crash; processes are not logged", || {
            Scene::service("Agent")
                .text("FailureCommand", r"C:\ProgramData\s.exe -x")
                .event(0, crashed("Agent", 3))
        }),
        yes("the command ran; the crash is logged under a localised name", || {
            Scene::service("Agent")
                .text("FailureCommand", r"C:\ProgramData\s.exe -x")
                .failure_actions(&[3])
                .event(60, started(r"C:\ProgramData\s.exe", r"C:\ProgramData\s.exe -x"))
        }),
        no("a crash and an ordinary restart", || {
            Scene::service("Agent").event(0, crashed("Agent", 1))
        }),
        unknown("no System log", || {
            Scene::service("Agent").text("FailureCommand", r"C:\ProgramData\s.exe -x")
        }),
    ],
};

/// A crash whose recovery is the failure command, and the command's process where processes are logged.
fn after_crash(scope: &Scope<'_>, command: Option<&ImagePath>) -> Option<Hit> {
    scope.events(Role::Crash).find_map(|crash| {
        let Action::Crashed { recovery: Some(3), delay_ms, .. } = &crash.action else {
            return None;
        };
        let when = format_short(crash.time);
        let wait = jiff::SignedDuration::from_millis(i64::from(delay_ms.unwrap_or(0)));
        let limit = wait.saturating_add(jiff::SignedDuration::from_mins(1));
        let ran = scope.events(Role::Process).find(|event| {
            follows(crash.time, event.time, limit)
                && command.is_some_and(|command| runs(event, command))
        });
        Some(match ran {
            Some(event) => Hit::new(
                format!(
                    "After the crash at {when} services.exe ran `{}` at {}.",
                    line(event),
                    format_short(event.time)
                ),
                crash.citation.clone(),
            )
            .and(event.citation.clone()),
            None => Hit::new(
                format!("After the crash at {when} the action due was to run the failure command."),
                crash.citation.clone(),
            )
            .weighing(12),
        })
    })
}

/// The command's process as a child of services.exe, where the crash itself is not known: 7031 names the
/// service by a display name that may be a localised resource.
fn seen_running(scope: &Scope<'_>, command: &ImagePath) -> Option<Hit> {
    let own = scope.service.image.as_ref().map(ImagePath::leaf);
    if own == Some(command.leaf()) {
        return None;
    }
    let event = scope.events(Role::Process).find(|event| runs(event, command))?;
    let because = format!(
        "At {} services.exe ran the failure command: `{}`.",
        format_short(event.time),
        line(event)
    );
    Some(Hit::new(because, event.citation.clone()))
}

/// Whether a process is that command's program.
fn runs(event: &Event, command: &ImagePath) -> bool {
    let Action::ProcessStarted(process) = &event.action else { return false };
    let leaf = leaf(&process.image).to_lowercase();
    leaf == command.leaf() || leaf.strip_suffix(".exe") == Some(command.leaf())
}
