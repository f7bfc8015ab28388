//! What else happened around it, and what did not.

use jiff::SignedDuration;

use crate::checklist::basis::INSTALL_LOGS;
use crate::checklist::known_good::{agent, is_new_program, is_stock};
use crate::checklist::staging::{SYSTEM, USER, installed, no, set, start_type, unknown, yes};
use crate::checklist::story::{commands, installs, nearest, writes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, renumbered, technique};
use crate::host::config::{Start, ValueOrder};
use crate::host::event::{Action, Event, Subject};
use crate::host::{Origin, Role, State};
use crate::time::{distance, format_short};

/// How far other keys' last writes must be for one to stand alone.
const ALONE: SignedDuration = SignedDuration::from_hours(12);
/// What an event and the write it caused may differ by.
const SAME_MOMENT: SignedDuration = SignedDuration::from_mins(5);

pub(super) const ISOLATED: Indicator = Indicator {
    id: "W08",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was its key last written when no other service's key was?",
    why: "Windows writes keys in lumps: at setup, at updates, at boot. A key written alone was written for a reason \
          of its own.",
    innocent: "A product that was installed or updated by itself, on a quiet machine.",
    verify: &[
        "RECmd or Registry Explorer: sort ControlSet001\\Services by last-write time",
        "Compare with 7045, 7040 and the program's own file times.",
    ],
    attack: &[technique("T1543.003")],
    weight: 6,
    hard: false,
    needs: &[Need::Whole(Origin::SystemHive)],
    sources: &["Measured: 14 of 3,202 services of six hives were the only ones written that day"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let written = config.last_write?;
        if !is_new_program(scope) || agent(scope).is_some() {
            return None;
        }
        (scope.host.bursts.written_around(written, ALONE) == 1).then(|| {
            Hit::new(
                format!(
                    "The key was last written at {}, more than 12 hours from any other service's.",
                    format_short(written)
                ),
                config.citation.clone(),
            )
        })
    },
    examples: &[
        yes("the only key of its day", || {
            Scene::service("Agent").beside(long_before(Scene::service("Spooler")))
        }),
        no("written together with another", || {
            Scene::service("Agent").beside(Scene::service("Other"))
        }),
        no("a stock service", || {
            Scene::hosted("Schedule").beside(long_before(Scene::service("X")))
        }),
    ],
};

fn long_before(scene: Scene) -> Scene {
    let earlier = Scene::noon().checked_sub(SignedDuration::from_hours(5000)).ok();
    scene.configure(|config| config.last_write = earlier)
}

pub(super) const SILENT: Indicator = Indicator {
    id: "W10",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was its key written while the System log was recording, with no event that says why?",
    why: "CreateService logs 7045 and start-type changes 7040. A key that changed without either was written \
          directly, or the record was removed.",
    innocent: "ChangeServiceConfig logs nothing when an updater changes a path or a description.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7040,7045 around the key's last-write time; look for gaps in record ids",
        "Sysmon 13 or 4657 for the same key and time, where recorded.",
    ],
    attack: &[technique("T1112")],
    weight: 6,
    hard: false,
    needs: &[
        Need::Whole(Origin::SystemHive),
        Need::Whole(Origin::SystemLog),
        Need::WhenWritten(Origin::SystemLog),
    ],
    sources: &["Microsoft Learn: ChangeServiceConfig, events 7040 and 7045"],
    since: "0.1.0",
    check: &|scope| {
        let config = scope.config()?;
        let written = config.last_write?;
        let by_hand = matches!(config.value_order, ValueOrder::CreateService | ValueOrder::Other);
        if !by_hand || !is_new_program(scope) || agent(scope).is_some() {
            return None;
        }
        // Updates write many keys at once and log none of it.
        let around = scope.host.bursts.written_around(written, SignedDuration::from_hours(1));
        if around > 2 || !scope.host.coverage.reaches_back_to(Origin::SystemLog, written) {
            return None;
        }
        let near = |event: &Event| distance(event.time, written) <= SAME_MOMENT;
        let explained = [Role::Install, Role::StartTypeChange, Role::RegistryChange, Role::Command]
            .into_iter()
            .any(|role| scope.events(role).any(near));
        (!explained).then(|| {
            Hit::new(
                format!(
                    "The key was written at {}; the System log covers that time and has no 7045 or 7040 for it.",
                    format_short(written)
                ),
                config.citation.clone(),
            )
        })
    },
    examples: &[
        yes("the log covers the write and is silent", || {
            Scene::service("Agent").covered(Origin::SystemLog, State::Complete)
        }),
        no("7045 at the same time", || {
            Scene::service("Agent").event_by(2, Some(USER), installed("Agent", r"C:\x.exe"))
        }),
        no("a feature update rewrote all keys", || {
            Scene::service("Agent")
                .beside(Scene::service("B"))
                .beside(Scene::service("C"))
                .covered(Origin::SystemLog, State::Complete)
        }),
        unknown("the System log has losses", || {
            Scene::service("Agent").covered(Origin::SystemLog, State::Partial)
        }),
        unknown("records of that time are missing in the System log", || {
            Scene::service("Agent").covered(Origin::SystemLog, State::Complete).gap(
                Origin::SystemLog,
                -60,
                60,
            )
        }),
    ],
};

pub(super) const BURST: Indicator = Indicator {
    id: "W11",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Is it one of at least five services that one account installed within ten minutes?",
    why: "Remote execution tools make one service per command; payloads were even carried over in pieces, one \
          service name a piece.",
    innocent: "A suite that installs its services outside Program Files; drivers and Program Files are not counted.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7045: group by UserId and minute",
        "Do the commands of the group read as one script?",
    ],
    attack: &[technique("T1569.002")],
    weight: 20,
    hard: false,
    needs: &[INSTALL_LOGS],
    sources: &[
        "Measured: 244 installs in 6 minutes by one tool; leaving Program Files and drivers out is a judgement",
    ],
    since: "0.1.0",
    check: &|scope| {
        if agent(scope).is_some() {
            return None;
        }
        installs(scope).find_map(|one| {
            let sid = one.actor?.subject.sid.as_deref()?;
            let burst = scope.host.bursts.install(sid, one.event.time)?;
            let because = format!(
                "One of {} services that {} installed from {} to {}.",
                burst.installs,
                one.who(),
                format_short(burst.from),
                format_short(burst.to)
            );
            Some(Hit::new(because, one.event.citation.clone()))
        })
    },
    examples: &[
        yes("one service per command", || {
            (0..5).fold(Scene::ghost("BTOBTO"), |scene, minute| {
                scene.event_by(
                    minute * 60,
                    Some(USER),
                    installed("BTOBTO", r"%COMSPEC% /Q /c echo x"),
                )
            })
        }),
        no("four", || {
            (0..4).fold(Scene::ghost("BTOBTO"), |scene, minute| {
                scene.event_by(
                    minute * 60,
                    Some(USER),
                    installed("BTOBTO", r"%COMSPEC% /Q /c echo x"),
                )
            })
        }),
        no("a suite in Program Files", || {
            (0..9).fold(Scene::ghost("S0"), |scene, number| {
                let path = format!(r"C:\Program Files\Suite\s{number}.exe");
                scene.event_by(number, Some(USER), installed(&format!("S{number}"), &path))
            })
        }),
        no("a wave of drivers at an update", || {
            (0..9).fold(Scene::ghost("d0"), |scene, number| {
                let path = format!(r"\SystemRoot\System32\drivers\d{number}.sys");
                scene.event_by(number, Some(SYSTEM), installed(&format!("d{number}"), &path))
            })
        }),
        unknown("no log of installs", || Scene::service("Agent")),
    ],
};

pub(super) const LOG_CLEARED: Indicator = Indicator {
    id: "W17",
    family: Family::Q3,
    checklist: Question::WhoWhen,
    question: "Was a log cleared within a quarter of an hour of its creation or change?",
    why: "Clearing the System or Security log is how the record of a service is removed.",
    innocent: "Images and lab machines are cleared before they are used; the clearing then stands alone.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 104 and Security.evtx --inc 1102: who, when, which log",
        "What other logs (PowerShell, Sysmon, Task Scheduler) still cover that time?",
    ],
    attack: &[renumbered("T1070.001", "T1685.005")],
    weight: 15,
    hard: false,
    needs: &[INSTALL_LOGS],
    sources: &[
        "Microsoft Learn: 1102, 104",
        "The quarter of an hour is a judgement: authors of labelled logs clear them before they record",
    ],
    since: "0.1.0",
    check: &|scope| {
        let limit = SignedDuration::from_mins(15);
        if agent(scope).is_some() || is_stock(scope) && installs(scope).next().is_none() {
            return None;
        }
        let mut moments: Vec<jiff::Timestamp> = scope.install_times().collect();
        moments.extend(writes(scope).map(|(event, _)| event.time));
        moments.extend(commands(scope).map(|(event, _)| event.time));
        moments.sort_unstable();
        scope.events(Role::LogCleared).find_map(|event| {
            let Action::LogCleared { channel, subject } = &event.action else { return None };
            let near = nearest(&moments, event.time)?;
            if distance(near, event.time) > limit {
                return None;
            }
            let by = subject.name.as_deref().or(subject.sid.as_deref());
            let because = format!(
                "The {channel} log was cleared at {}{}, {} min from what was done to the service.",
                format_short(event.time),
                by.map(|by| format!(" by {by}")).unwrap_or_default(),
                distance(near, event.time).as_secs() / 60
            );
            Some(Hit::new(because, event.citation.clone()))
        })
    },
    examples: &[
        yes("cleared five minutes after", || {
            Scene::ghost("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(300, cleared("System"))
        }),
        no("cleared a day later", || {
            Scene::ghost("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(86_400, cleared("System"))
        }),
        no("an ordinary shutdown of the log", || {
            Scene::ghost("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(300, Action::LoggingStopped)
        }),
        no("a stock service's start type", || {
            Scene::hosted("BITS")
                .event(0, start_type("BITS", "auto start", "demand start", Start::Demand))
                .event(
                    1,
                    set("BITS", "Start", "DWORD (0x00000003)", r"C:\Windows\System32\services.exe"),
                )
                .event(60, cleared("System"))
        }),
        unknown("no log", || Scene::service("Agent")),
    ],
};

fn cleared(channel: &str) -> Action {
    Action::LogCleared { channel: channel.to_owned(), subject: Subject::default() }
}
