//! Failure actions and when they apply.

use super::{MEASURED, MS_SCMR, own_command, run_action};
use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::failure::default_command;
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};

pub(super) const RUN_ACTION: Indicator = Indicator {
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
    check: &|scope| {
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

pub(super) const ON_NON_CRASH: Indicator = Indicator {
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
    check: &|scope| {
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
