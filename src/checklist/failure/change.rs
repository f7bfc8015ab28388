//! Events in which a failure command was set.

use super::SIGMA;
use super::product::is_of_product;
use crate::checklist::basis::CHANGE_LOGS;
use crate::checklist::knowledge::failure::default_command;
use crate::checklist::staging::{command, no, set, unknown, yes};
use crate::checklist::story::{clip, commands, line, remarks, sets, writes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::time::format_short;

pub(super) const SET_BY_COMMAND: Indicator = Indicator {
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
    check: &|scope| {
        let foreign = |command: &str| {
            !command.trim().is_empty() && default_command(&scope.service.name, command).is_none()
        };
        let by_command = commands(scope).find_map(|(event, command)| {
            let set = command.change("FailureCommand").filter(|set| foreign(set))?;
            let because = format!(
                "At {} `{}`{} set the failure command `{}`.",
                format_short(event.time),
                line(event),
                remarks(scope, command),
                clip(set)
            );
            let hit = Hit::new(because, event.citation.clone());
            Some(hit.weighing(weight(scope, set)))
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
                let hit = Hit::new(because, event.citation.clone());
                Some(hit.weighing(weight(scope, set)))
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

/// A command of the product's own folder is what its setup leaves.
fn weight(scope: &Scope<'_>, command: &str) -> i16 {
    const OF_PRODUCT: i16 = 8;
    if is_of_product(scope, command) { OF_PRODUCT } else { SET_BY_COMMAND.weight }
}
