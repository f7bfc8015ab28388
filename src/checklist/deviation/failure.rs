//! A failure command that the baseline does not have.

use super::{BASELINE, SOURCE, VERIFY_DIFF, VERIFY_LINE, compared};
use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::failure::default_command;
use crate::checklist::staging::{GOLD_BUILD, gold, no, on_gold_build, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};

pub(super) const OTHER_COMMAND: Indicator = Indicator {
    id: "G03",
    family: Family::F,
    checklist: Question::Runs,
    question: "Has it a failure command that your baseline does not have?",
    why: "A command for the next failure runs as LocalSystem and leaves everything that a comparison of programs looks at as \
          it was.",
    innocent: "A monitoring product that was rolled out after the baseline was made.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name> /v FailureCommand",
        VERIFY_DIFF,
        VERIFY_LINE,
    ],
    attack: &[technique("T1543.003")],
    weight: 20,
    hard: false,
    needs: &[HIVE, BASELINE],
    sources: &[SOURCE],
    since: "0.1.0",
    check: &|scope| {
        let (here, rows) = compared(scope)?;
        let command = here.failure_command.as_deref()?;
        let config = scope.config()?;
        let stored = config.failure_command.as_deref()?;
        let is_known = rows.iter().any(|place| {
            place.row.failure_command.as_deref() == Some(command)
                && (place.row.failure_armed || !here.failure_armed)
        });
        if is_known || default_command(&here.name, stored).is_some() {
            return None;
        }
        let (state, weight) =
            if here.failure_armed { ("armed", 20) } else { ("inert: no action runs it", 6) };
        let place = rows.first()?.label();
        let because = format!(
            "Failure command `{}` ({state}); on the baseline it has none like it ({place}).",
            clip(stored)
        );
        Some(Hit::new(because, config.cite("FailureCommand")).weighing(weight))
    },
    examples: &[
        yes("a script", || {
            on_gold_build(
                Scene::service("Agent")
                    .text("FailureCommand", r"cmd.exe /c C:\ProgramData\s.bat")
                    .failure_actions(&[3]),
            )
            .baseline(gold(vec![Scene::service("Agent")], 0))
        }),
        yes("the baseline has it without an action that runs it", || {
            let agent = || Scene::service("Agent").text("FailureCommand", r"C:\x.bat");
            on_gold_build(agent().failure_actions(&[3])).baseline(gold(vec![agent()], 0))
        }),
        no("the baseline has it, too", || {
            let agent = || {
                Scene::service("Agent").text("FailureCommand", r"C:\x.bat").failure_actions(&[3])
            };
            on_gold_build(agent()).baseline(gold(vec![agent()], 0))
        }),
        unknown("no baseline was given", || {
            Scene::service("Agent").windows("Windows 10 Pro", GOLD_BUILD)
        }),
    ],
};
