//! Failure commands (F): what the service control manager runs when a service fails.
//!
//! A command is armed only if an action of type 3 (run a program) refers to it; without one it is inert, as
//! Windows' own `customScript.cmd` is. Offsets and types: MS-SCMR 2.2.37 to 2.2.41.

use super::basis::{CHANGE_LOGS, HIVE};
use super::knowledge::failure::default_command;
use super::staging::{command, crashed, no, set, started, unknown, yes};
use super::story::{clip, commands, follows, line, sets, writes};
use super::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::config::{FailureActions, ServiceConfig};
use crate::host::event::Action;
use crate::host::{ImagePath, Origin, Role};
use crate::time::format_short;

const MS_SCMR: &str = "MS-SCMR 2.2.37 SERVICE_FAILURE_ACTIONS, 2.2.41 SC_ACTION_TYPE";
const MEASURED: &str =
    "3,202 services of six hives: six default failure commands, any other is one in 3,202";
const SIGMA: &str =
    "SigmaHQ 38879043-7e1e-47a9-8d46-6bec88e201df, 8f02c935-effe-45b3-8fc9-ef8696a9e41d";

/// The indicators of this family.
pub(super) const INDICATORS: &[Indicator] =
    &[ARMED, RUN_ACTION, ON_NON_CRASH, RAN, DORMANT, SET_BY_COMMAND];

const ARMED: Indicator = Indicator {
    id: "F01",
    family: Family::F,
    checklist: Question::Runs,
    question: "Does a failure action run a command that neither Windows nor a known vendor sets?",
    why: "Whoever makes the service fail gets the command run as LocalSystem, while ImagePath, which \
          everybody looks at, stays untouched.",
    innocent: "Backup and monitoring agents restart themselves or report through a script of their own; the \
               script then lies in the product's folder.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v FailureCommand",
        "sc qfailure <name> (live): look for RUN PROCESS among the actions",
        "Read the program or script it names, and when it was written.",
    ],
    attack: &[technique("T1543.003")],
    weight: 35,
    hard: true,
    needs: &[HIVE],
    sources: &[MS_SCMR, MEASURED, SIGMA],
    since: "0.1.0",
    check: |scope| {
        let (config, command) = own_command(scope)?;
        let (position, count, delay) = run_action(config)?;
        Some(
            Hit::new(
                format!(
                    "Failure command `{}` is armed: action {position} of {count} runs it {} s after a failure.",
                    clip(command),
                    delay / 1000
                ),
                config.cite("FailureCommand"),
            )
            .and(config.cite("FailureActions")),
        )
    },
    examples: &[
        yes("a script in ProgramData, first action", || {
            Scene::service("Spooler")
                .text("FailureCommand", r"cmd.exe /c C:\ProgramData\s.bat")
                .failure_actions(&[3, 1])
        }),
        no("the same command, but every action restarts the service", || {
            Scene::service("Agent").text("FailureCommand", r"C:\x.bat").failure_actions(&[1, 1, 0])
        }),
        no("Defender's own command, armed by default", || {
            Scene::service("WinDefend")
                .text(
                    "FailureCommand",
                    r#"C:\Windows\system32\mrt.exe /EHB /ServiceFailure "CAMP=4.12.1" /StartService /Defender /q"#,
                )
                .failure_actions(&[1, 1, 3])
        }),
        no("NVIDIA's recovery script", || {
            Scene::service("NVDisplay.ContainerLocalSystem")
                .text(
                    "FailureCommand",
                    r"cmd.exe /C %windir%\NvContainerRecovery.bat NVDisplay.ContainerLocalSystem C:\ProgramData\NVIDIA\NvContainerRecoveryNVDisplay.ContainerLocalSystem.log",
                )
                .failure_actions(&[1, 3, 3])
        }),
        no("restart actions alone", || Scene::service("Agent").failure_actions(&[1, 1, 1])),
    ],
};

const DORMANT: Indicator = Indicator {
    id: "F05",
    family: Family::F,
    checklist: Question::Runs,
    question: "Is there a failure command of its own that no action runs (inert)?",
    why: "One write to FailureActions arms it; a half-finished setup and a command whose actions were reset look \
          alike.",
    innocent: "Administrators leave a command behind when they choose another recovery option; Windows itself \
               ships three such commands, which are known.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v FailureActions",
        "Compare with ControlSet002 and with RegBack: was an action of type 3 there?",
    ],
    attack: &[technique("T1543.003")],
    weight: 14,
    hard: false,
    needs: &[HIVE],
    sources: &[MS_SCMR, MEASURED],
    since: "0.1.0",
    check: |scope| {
        let (config, command) = own_command(scope)?;
        if run_action(config).is_some() {
            return None;
        }
        Some(Hit::new(
            format!(
                "Failure command `{}` is set but inert: no failure action runs a program.",
                clip(command)
            ),
            config.cite("FailureCommand"),
        ))
    },
    examples: &[
        yes("a command without any actions", || {
            Scene::service("Agent").text("FailureCommand", r"C:\ProgramData\x.exe")
        }),
        yes("a command beside restart actions", || {
            Scene::service("Agent")
                .text("FailureCommand", r"C:\Tools\notify.cmd")
                .failure_actions(&[1, 1, 0])
        }),
        no("iSCSI's default", || {
            Scene::hosted("MSiSCSI")
                .text("FailureCommand", "customScript.cmd")
                .failure_actions(&[1, 1, 0])
        }),
        no("the embedded keyboard host's default", || {
            Scene::hosted("WEPHOSTSVC").text("FailureCommand", "not used").failure_actions(&[1])
        }),
        no("an empty command", || Scene::service("Agent").text("FailureCommand", " ")),
    ],
};

const RUN_ACTION: Indicator = Indicator {
    id: "F02",
    family: Family::F,
    checklist: Question::Runs,
    question: "Do its failure actions run a program where the default ones do not?",
    why: "Six of 3,202 services have such an action, and all six are defaults of Windows (5) or NVIDIA (1).",
    innocent: "The recovery tab of services.msc offers it to every administrator.",
    verify: &[
        "Decode FailureActions: from offset 20, pairs of type and delay; type 3 runs the failure command.",
        "Ask whoever runs the service for the recovery settings in its documentation.",
    ],
    attack: &[technique("T1543.003")],
    weight: 10,
    hard: false,
    needs: &[HIVE],
    sources: &[MS_SCMR, MEASURED],
    since: "0.1.0",
    check: |scope| {
        let config = scope.config()?;
        let (position, count, _) = run_action(config)?;
        let command = config.failure_command.as_deref().unwrap_or_default().trim();
        if default_command(&scope.service.name, command).is_some_and(|known| known.armed) {
            return None;
        }
        let (what, weight) = if command.is_empty() {
            (", though there is no failure command yet", 5)
        } else {
            ("", RUN_ACTION.weight)
        };
        let because =
            format!("Failure action {position} of {count} is of type 3 (run a program){what}.");
        Some(Hit::new(because, config.cite("FailureActions")).weighing(weight))
    },
    examples: &[
        yes("the second action runs a program", || {
            Scene::service("Agent").text("FailureCommand", r"C:\x.exe").failure_actions(&[1, 3])
        }),
        no("Spectrum's default", || {
            Scene::service("spectrum")
                .text("FailureCommand", r#""C:\Windows\System32\Spectrum.exe" -safemode"#)
                .failure_actions(&[1, 3])
        }),
        no("the task scheduler's own restart (type 4)", || {
            Scene::hosted("Schedule").failure_actions(&[4, 1])
        }),
    ],
};

const ON_NON_CRASH: Indicator = Indicator {
    id: "F03",
    family: Family::F,
    checklist: Question::Runs,
    question: "Is an armed failure command also run when the service merely stops with an error?",
    why: "A service that ends itself with an error code then runs the command: no crash is needed.",
    innocent: "Services that report errors by their exit code set the flag so that they are restarted.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v FailureActionsOnNonCrashFailures",
        "sc qfailureflag <name> (live)",
    ],
    attack: &[technique("T1543.003")],
    weight: 5,
    hard: false,
    needs: &[HIVE],
    sources: &["MS-SCMR 2.2.42 SERVICE_FAILURE_ACTIONS_FLAG"],
    since: "0.1.0",
    check: |scope| {
        let (config, _) = own_command(scope)?;
        run_action(config)?;
        (config.failure_actions_on_non_crash == Some(true)).then(|| {
            Hit::new(
                "FailureActionsOnNonCrashFailures is 1: stopping with an error is enough.",
                config.cite("FailureActionsOnNonCrashFailures"),
            )
        })
    },
    examples: &[
        yes("armed, and the flag set", || {
            Scene::service("Agent")
                .text("FailureCommand", r"C:\x.exe")
                .failure_actions(&[3])
                .number("FailureActionsOnNonCrashFailures", 1)
        }),
        no("the flag beside restart actions", || {
            Scene::service("Agent")
                .failure_actions(&[1, 1])
                .number("FailureActionsOnNonCrashFailures", 1)
        }),
    ],
};

const RAN: Indicator = Indicator {
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
    needs: &[Need::Part(Origin::SystemLog)],
    sources: &["Event 7031 parameters: services.exe message table"],
    since: "0.1.0",
    check: |scope| {
        let command = scope.service.failure_command.as_ref();
        if command.is_some_and(|it| default_command(&scope.service.name, &it.raw).is_some()) {
            return None;
        }
        scope.events(Role::Crash).find_map(|crash| {
            let Action::Crashed { recovery: Some(3), delay_ms, .. } = &crash.action else {
                return None;
            };
            let when = format_short(crash.time);
            let wait = jiff::SignedDuration::from_millis(i64::from(delay_ms.unwrap_or(0)));
            let limit = wait.saturating_add(jiff::SignedDuration::from_mins(1));
            let ran = scope.events(Role::Process).find(|event| {
                let Action::ProcessStarted(process) = &event.action else { return false };
                follows(crash.time, event.time, limit)
                    && command.is_some_and(|command| {
                        ImagePath::parse(&format!("\"{}\"", process.image)).leaf() == command.leaf()
                    })
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
                    format!(
                        "After the crash at {when} the action due was to run the failure command."
                    ),
                    crash.citation.clone(),
                )
                .weighing(12),
            })
        })
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
        no("a crash and an ordinary restart", || {
            Scene::service("Agent").event(0, crashed("Agent", 1))
        }),
        unknown("no System log", || {
            Scene::service("Agent").text("FailureCommand", r"C:\ProgramData\s.exe -x")
        }),
    ],
};

const SET_BY_COMMAND: Indicator = Indicator {
    id: "F06",
    family: Family::F,
    checklist: Question::WhoWhen,
    question: "Do events show a failure command being set?",
    why: "`sc failure` and writes to FailureCommand leave no event of their own; where a command line or a registry \
          event shows one, somebody set it by hand, even if it was removed since.",
    innocent: "Installers and administrators' scripts set recovery options of their products.",
    verify: &[
        "Search 4688 and Sysmon 1 for `sc failure`, Sysmon 13 and 4657 for FailureCommand, 4104 for FailureCommand.",
        "Compare with the hive: is the command still there, and armed?",
    ],
    attack: &[technique("T1543.003")],
    weight: 25,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &[SIGMA, "SigmaHQ d937b75f-a665-4480-88a5-2f20e9f9b22a"],
    since: "0.1.0",
    check: |scope| {
        let foreign = |command: &str| {
            !command.trim().is_empty() && default_command(&scope.service.name, command).is_none()
        };
        let by_command = commands(scope).find_map(|(event, command)| {
            let set = command.change("FailureCommand").filter(|set| foreign(set))?;
            let because = format!(
                "At {} `{}` set the failure command `{}`.",
                format_short(event.time),
                line(event),
                clip(set)
            );
            Some(Hit::new(because, event.citation.clone()))
        });
        by_command.or_else(|| {
            writes(scope).find_map(|(event, change)| {
                let set = sets(change, "FailureCommand").filter(|set| foreign(set))?;
                let because = format!(
                    "At {} {} wrote the failure command `{}`.",
                    format_short(event.time),
                    change.image,
                    clip(set)
                );
                Some(Hit::new(because, event.citation.clone()))
            })
        })
    },
    examples: &[
        yes("sc failure", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    r#"sc  failure Agent command= "C:\ProgramData\s.exe" actions= run/1000 reset= 0"#,
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        yes("reg.exe writes the value", || {
            Scene::service("Agent").event(
                0,
                set("Agent", "FailureCommand", r"C:\x.exe", r"C:\Windows\System32\reg.exe"),
            )
        }),
        no("sc failure with restart actions alone", || {
            Scene::service("Agent").event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc failure Agent reset= 86400 actions= restart/60000",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        unknown("nothing records commands or registry writes", || Scene::service("Agent")),
    ],
};

/// The failure command, where it is not one that belongs to the service.
fn own_command<'a>(scope: &Scope<'a>) -> Option<(&'a ServiceConfig, &'a str)> {
    let config = scope.config()?;
    let command = config.failure_command.as_deref().filter(|command| !command.trim().is_empty())?;
    default_command(&scope.service.name, command).is_none().then_some((config, command))
}

/// Position (from 1), number of actions and delay in milliseconds of the first action that runs a program.
fn run_action(config: &ServiceConfig) -> Option<(usize, usize, u32)> {
    let FailureActions { actions, .. } = config.failure_actions.as_ref()?;
    let (at, action) = actions.iter().enumerate().find(|(_, action)| action.kind == 3)?;
    Some((at.saturating_add(1), actions.len(), action.delay_ms))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checklist::Answer;
    use crate::host::config::Data;

    #[test]
    fn only_an_armed_command_is_hard() {
        let scene = || Scene::service("Agent").text("FailureCommand", r"C:\x.exe -a");
        let ask = |scene: Scene, indicator: &Indicator| {
            scene.ask(|scope| indicator.answer(scope)).unwrap() != Answer::No
        };
        assert!(ask(scene().failure_actions(&[3]), &ARMED));
        assert!(!ask(scene().failure_actions(&[3]), &DORMANT));
        assert!(!ask(scene(), &ARMED) && ask(scene(), &DORMANT));
        assert_eq!((ARMED.hard, DORMANT.hard), (true, false));
        let odd = scene().value("FailureActions", 3, Data::Bytes(vec![1, 2, 3]));
        assert!(ask(odd, &DORMANT), "a damaged FailureActions arms nothing");
    }
}
