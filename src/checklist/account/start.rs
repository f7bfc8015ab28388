//! When it starts: with the system, or by a trigger.

use crate::checklist::basis::HIVE;
use crate::checklist::knowledge::stock;
use crate::checklist::known_good::{agent, is_new_program};
use crate::checklist::staging::{no, yes};
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::host::config::{Data, Start};

pub(super) const TRIGGER: Indicator = Indicator {
    id: "A09",
    family: Family::Q4,
    checklist: Question::Started,
    question: "Is it a service not of Windows that an event of the system starts (TriggerInfo)?",
    why: "A demand-start service with a trigger survives every search for automatic services: a packet, an ETW \
          event or a policy refresh starts it.",
    innocent: "Drivers' companions start with their device.",
    verify: &[
        r"reg query HKLM\SYSTEM\CurrentControlSet\Services\<name>\TriggerInfo /s",
        "sc qtriggerinfo <name> (live)",
    ],
    attack: &[technique("T1546"), technique("T1543.003")],
    weight: 12,
    hard: false,
    needs: &[HIVE],
    sources: &[
        "Measured: 381 of 3,202 services have triggers, all Windows' own",
        "winsvc.h: SERVICE_TRIGGER_TYPE_*",
    ],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        if !is_new_program(scope) || agent(scope).is_some() {
            return None;
        }
        let trigger = config.triggers.iter().filter(|trigger| trigger.action == 1);
        let trigger = trigger.max_by_key(|trigger| trigger_weight(trigger.kind))?;
        let because = format!("{} starts it.", trigger_label(trigger.kind));
        let hit = Hit::new(because, config.citation.clone());
        Some(hit.weighing(trigger_weight(trigger.kind)))
    },
    examples: &[
        yes("an ETW event starts it", || Scene::service("Agent").number("Start", 3).trigger(20)),
        yes("a device starts it, a smaller matter", || Scene::service("Agent").trigger(1)),
        no("a stock service", || {
            Scene::hosted("W32Time")
                .image(r"%SystemRoot%\system32\svchost.exe -k LocalService")
                .trigger(3)
        }),
        no("a service of a later Windows", || Scene::hosted("NewInboxSvc").trigger(7)),
        no("no trigger", || Scene::service("Agent")),
    ],
};

fn trigger_weight(kind: u32) -> i16 {
    match kind {
        1 | 3 | 5 => 5,
        _ => TRIGGER.weight,
    }
}

fn trigger_label(kind: u32) -> String {
    let label = match kind {
        1 => "The arrival of a device",
        2 => "The first IP address",
        3 => "Joining or leaving a domain",
        4 => "The opening of a firewall port",
        5 => "A change of group policy",
        6 => "A packet or request at a network endpoint",
        7 => "A state change of the system (WNF)",
        20 => "An event of a trace provider (ETW)",
        30 => "A combination of triggers",
        other => return format!("A trigger of type {other}"),
    };
    label.to_owned()
}

pub(super) const AUTOMATIC: Indicator = Indicator {
    id: "A10",
    family: Family::Q4,
    checklist: Question::Started,
    question: "Is it a new service of LocalSystem that starts at boot and depends on nothing?",
    why: "That is what `sc create start= auto` makes, and all that persistence needs.",
    innocent: "Most small vendors' services look like that.",
    verify: &["When was it created, and by whom? See question 3."],
    attack: &[technique("T1543.003")],
    weight: 3,
    hard: false,
    needs: &[HIVE],
    sources: &["A weight by judgement: it only supports other findings"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let system =
            config.object_name.as_deref().is_none_or(|name| stock::account(name) == "localsystem");
        let fits = config.start.is_some_and(Start::is_automatic)
            && system
            && config.depend_on_service.is_empty()
            && config.depend_on_group.is_empty()
            && is_new_program(scope)
            && agent(scope).is_none();
        fits.then(|| {
            Hit::new("Starts at boot as LocalSystem and depends on nothing.", config.cite("Start"))
        })
    },
    examples: &[
        yes("what sc create makes", || Scene::service("Agent")),
        no("on demand", || Scene::service("Agent").number("Start", 3)),
        no("a stock service", || {
            Scene::service("Spooler").image(r"%SystemRoot%\System32\spoolsv.exe")
        }),
        no("it depends on another", || {
            Scene::service("Agent").value(
                "DependOnService",
                7,
                Data::Texts(vec!["RpcSs".to_owned()]),
            )
        }),
    ],
};
