//! Triggers that a service did not have before.

use crate::checklist::basis::{CHANGE_LOGS, HIVE};
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::staging::{command, no, set, unknown, yes};
use crate::checklist::story::{commands, line, writes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, Scope, technique};
use crate::host::OlderState;
use crate::host::config::{Epoch, ServiceConfig, Trigger};
use crate::host::event::RegistryOperation;
use crate::host::image_path::leaf;
use crate::time::format_short;

pub(super) const TRIGGER_ADDED: Indicator = Indicator {
    id: "A11",
    family: Family::Q4,
    checklist: Question::Started,
    question: "Was it given a trigger that starts it, which it did not have before?",
    why: "A service of Windows with a trigger of somebody else's starts at his signal (a packet, an ETW event, a policy \
          refresh), on demand in every list and without a change of its start type.",
    innocent: "Updates of Windows and of products change triggers; those are written by the setup, not by commands.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\TriggerInfo /s, here and in ControlSet002 or a shadow copy",
        "sc qtriggerinfo <name> (live), and on a host of the same build",
    ],
    attack: &[technique("T1546"), technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "gtworek/PSBits, Services/StartByEtw.c and StartByWNF.c; winsvc.h: SERVICE_TRIGGER",
        "A weight by judgement: no update of triggers was measured",
    ],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() {
            return None;
        }
        let config = scope.config()?;
        let earlier = scope.service.history.iter().find(|earlier| is_same_host(scope, earlier))?;
        let added = config.triggers.iter().find(|one| starts(one) && !has(earlier, one))?;
        // Updates of Windows change triggers of Windows' own services as well.
        let weight = if is_stock(scope) { 6 } else { TRIGGER_ADDED.weight };
        let because = format!(
            "A trigger of type {} starts it; in {} it did not have it.",
            added.kind,
            earlier.epoch.label()
        );
        let hit = Hit::new(because, config.citation.clone()).and(earlier.citation.clone());
        Some(hit.weighing(weight))
    },
    examples: &[
        yes("an ETW trigger since the last known good", || {
            Scene::service("Agent")
                .trigger(20)
                .before(Epoch::ControlSet(2), |config| config.triggers.clear())
        }),
        yes("one of a service of Windows: an update may have done it", || {
            Scene::hosted("W32Time")
                .trigger(20)
                .before(Epoch::ControlSet(2), |config| config.triggers.clear())
        }),
        no("it had it before", || {
            Scene::service("Agent").trigger(20).before(Epoch::ControlSet(2), |_| {})
        }),
        no("nothing to compare with", || Scene::service("Agent").trigger(20)),
    ],
};

/// Whether it is an earlier state of this installation that holds the service.
fn is_same_host(scope: &Scope<'_>, config: &ServiceConfig) -> bool {
    let of_this = match config.epoch {
        Epoch::ControlSet(_) => true,
        Epoch::History(_) => {
            scope.host.older_state(config).is_some_and(OlderState::is_of_this_installation)
        }
        Epoch::Current | Epoch::Deleted(_) => false,
    };
    of_this && config.service_type.is_some()
}

fn starts(trigger: &Trigger) -> bool {
    trigger.action == 1
}

fn has(config: &ServiceConfig, wanted: &Trigger) -> bool {
    config.triggers.contains(wanted)
}

pub(super) const TRIGGER_SET: Indicator = Indicator {
    id: "A12",
    family: Family::Q4,
    checklist: Question::WhoWhen,
    question: "Do events show a trigger being given to this service of Windows?",
    why: "Windows' own services get their triggers with the image and with updates; `sc triggerinfo` or a write below \
          TriggerInfo makes one of them start at somebody's signal.",
    innocent: "Instructions for tuning remove triggers; hardly any add one.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\TriggerInfo /s",
        "Who gave the command, and what did it change besides? 4688, Sysmon 1 and 13 around it",
    ],
    attack: &[technique("T1546"), technique("T1543.003"), technique("T1112")],
    weight: 12,
    hard: false,
    needs: &[CHANGE_LOGS],
    sources: &["winsvc.h: SERVICE_TRIGGER; Microsoft Learn: sc triggerinfo"],
    since: "0.1.0",
    check: &|scope| {
        if !is_stock(scope) {
            return None;
        }
        let by_command = commands(scope).find_map(|(event, command)| {
            let data = command.change("TriggerInfo")?.to_lowercase();
            data.contains("start").then(|| (event, format!("`{}`", line(event))))
        });
        let by_write = || {
            writes(scope).find_map(|(event, change)| {
                let target = change.target.to_lowercase();
                let below = target.starts_with("triggerinfo\\") && target.ends_with("\\type");
                let is_set = change.operation == RegistryOperation::ValueSet;
                let by = leaf(&change.image).to_lowercase();
                let setup =
                    ["tiworker.exe", "trustedinstaller.exe", "poqexec.exe", "setuphost.exe"];
                let ordinary = by.is_empty() || by == "system" || setup.contains(&by.as_str());
                (below && is_set && !ordinary)
                    .then(|| (event, format!("{} wrote {}", change.image, change.target)))
            })
        };
        let (event, what) = by_command.or_else(by_write)?;
        let because = format!("At {}: {what}.", format_short(event.time));
        Some(Hit::new(because, event.citation.clone()))
    },
    examples: &[
        yes("sc triggerinfo on the time service", || {
            let line =
                "sc triggerinfo W32Time start/strcustom/6ad52b32-d609-4be9-ae07-ce8dae937e39/x";
            Scene::hosted("W32Time").event(
                0,
                command(r"C:\Windows\System32\sc.exe", line, r"C:\Windows\System32\cmd.exe"),
            )
        }),
        yes("reg.exe writes below TriggerInfo", || {
            Scene::hosted("W32Time").event(
                0,
                set(
                    "W32Time",
                    r"TriggerInfo\5\Type",
                    "DWORD (0x00000014)",
                    r"C:\Windows\System32\reg.exe",
                ),
            )
        }),
        no("an update of Windows", || {
            let worker = r"C:\Windows\WinSxS\amd64_x\TiWorker.exe";
            Scene::hosted("W32Time")
                .event(0, set("W32Time", r"TriggerInfo\5\Type", "DWORD (0x00000014)", worker))
        }),
        no("a product's own service", || {
            let services = r"C:\Windows\System32\services.exe";
            Scene::service("Agent")
                .event(0, set("Agent", r"TriggerInfo\0\Type", "DWORD (0x00000001)", services))
        }),
        unknown("nothing records commands or registry writes", || Scene::hosted("W32Time")),
    ],
};
