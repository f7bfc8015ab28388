//! Events in which protection, logging or backup was switched off.

use super::{IMPAIR, LOGGING, defender, essential};
use crate::checklist::knowledge::security::{Protection, guard};
use crate::checklist::staging::{command, no, set, start_type, unknown, yes};
use crate::checklist::story::{commands, line, nearest, sets, writes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope};
use crate::host::config::Start;
use crate::host::event::{Action, Event, RegistryOperation};
use crate::host::service_command::Verb;
use crate::host::{Origin, Role};
use crate::time::{distance, format_short};

pub(super) const SWITCHED_OFF: Indicator = Indicator {
    id: "D06",
    family: Family::D,
    checklist: Question::WhoWhen,
    question: "Do events show this service of protection, logging or backup being switched off, even if it is on again?",
    why: "Switching it off for some minutes is enough to run what it would have stopped or recorded.",
    innocent: "Servicing, updates of the product, and administrators in search of a fault.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7040,7036: UserId and the minutes between off and on",
        "What ran in that gap?",
    ],
    attack: &[IMPAIR, LOGGING],
    weight: 15,
    hard: false,
    needs: &[Need::AnyPart(&[
        Origin::SystemLog,
        Origin::ProcessEvents,
        Origin::RegistryEvents,
        Origin::PowerShellLog,
    ])],
    sources: &[
        "SigmaHQ ce72ef99-22f1-43d4-8695-419dcb5d9330",
        "OTRF Security-Datasets: EventLog Start 2 to 4 by reg.exe, services.exe, payload.exe",
    ],
    since: "0.1.0",
    check: &|scope| {
        let guard = guard(&scope.service.name)?;
        let (event, what, full) = switched_off(scope)?;
        let weight = match guard.protection {
            Protection::Core if essential(scope).is_none() => 6,
            _ if full => SWITCHED_OFF.weight,
            _ => 10,
        };
        let because = format!("{} at {}: {what}.", guard.product, format_short(event.time));
        Some(Hit::new(because, event.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("7040 to disabled, later restored", || {
            Scene::hosted("EventLog")
                .event(0, start_type("EventLog", "auto start", "disabled", Start::Disabled))
                .event(600, start_type("EventLog", "disabled", "auto start", Start::Auto))
        }),
        yes("sc config start= disabled", || {
            defender().event(
                0,
                command(
                    r"C:\Windows\System32\sc.exe",
                    "sc  config WinDefend start= disabled",
                    r"C:\Windows\System32\cmd.exe",
                ),
            )
        }),
        no("the routine of network inspection", || {
            Scene::driver("WdNisDrv").event(
                0,
                set("WdNisDrv", "Start", "DWORD (0x00000003)", r"C:\Windows\System32\services.exe"),
            )
        }),
        no("the noise of a quiet system", || {
            Scene::hosted("BITS")
                .event(0, start_type("BITS", "auto start", "demand start", Start::Demand))
        }),
        no("a deletion writes Start 4 too", || {
            let services = r"C:\Windows\System32\services.exe";
            Scene::ghost("SentinelAgent")
                .event(0, set("SentinelAgent", "DeleteFlag", "DWORD (0x00000001)", services))
                .event(0, set("SentinelAgent", "Start", "DWORD (0x00000004)", services))
        }),
        unknown("no logs", defender),
    ],
};

/// The first event that disables (true) or merely stops (false) it.
fn switched_off<'a>(scope: &Scope<'a>) -> Option<(&'a Event, String, bool)> {
    let by_manager = scope.events(Role::StartTypeChange).find_map(|event| match &event.action {
        Action::StartTypeChanged { old, start: Some(Start::Disabled), .. } => {
            let by = event.user_sid.as_deref().unwrap_or("somebody");
            Some((event, format!("start type changed from `{old}` to disabled by {by}"), true))
        }
        _ => None,
    });
    let by_write = || {
        writes(scope).find_map(|(event, change)| {
            let off = sets(change, "Start").is_some_and(is_disabled) && !in_deletion(scope, event);
            off.then(|| (event, format!("Start set to 4 by {}", change.image), true))
        })
    };
    let by_command = || {
        commands(scope).find_map(|(event, command)| {
            let disables = command.change("Start").is_some_and(is_disabled);
            let full = disables || command.verb == Verb::Delete;
            (full || command.verb == Verb::Stop)
                .then(|| (event, format!("`{}`", line(event)), full))
        })
    };
    by_manager.or_else(by_write).or_else(by_command)
}

/// `DeleteService` writes `DeleteFlag` and `Start` 4 together, before the key goes.
fn in_deletion(scope: &Scope<'_>, event: &Event) -> bool {
    let deletions = scope.memory.deletions.get_or_init(|| {
        let gone = writes(scope).filter(|(_, change)| {
            let key = change.operation == RegistryOperation::KeyDeleted && change.target.is_empty();
            key || sets(change, "DeleteFlag").is_some()
        });
        gone.map(|(event, _)| event.time).collect()
    });
    nearest(deletions, event.time)
        .is_some_and(|time| distance(time, event.time) <= jiff::SignedDuration::from_secs(5))
}

/// `disabled`, `4`, `DWORD (0x00000004)`.
fn is_disabled(data: &str) -> bool {
    let data = data.trim();
    data.eq_ignore_ascii_case("disabled")
        || data == "4"
        || data.contains("0x00000004")
        || data == "0x4"
}
