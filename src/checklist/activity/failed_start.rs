//! Starts that failed soon after the installation.

use jiff::SignedDuration;

use crate::checklist::overview::preceded_by;
use crate::checklist::staging::{failed, installed, no, unknown, yes};
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::{Event, Origin, Role};
use crate::time::format_short;

pub(super) const NO_SERVICE: Indicator = Indicator {
    id: "E01",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did it fail to answer the service control manager within a minute of its installation?",
    why: "cmd, PowerShell and most payloads are no service programs: the command runs, then 7009 and 7000 (1053) \
          report that no service answered.",
    innocent: "A broken installation, or a slow program on a slow machine.",
    verify: &["EvtxECmd -f System.evtx --inc 7045,7009,7000: the same service, seconds apart"],
    attack: &[technique("T1569.002")],
    weight: 15,
    hard: false,
    needs: &[Need::Part(Origin::SystemLog)],
    sources: &[
        "Measured: 244 of 244 services of one remote execution tool; too few benign installs are labelled to compare",
    ],
    since: "0.1.0",
    check: &|scope| {
        let limit = SignedDuration::from_mins(1);
        let installs: Vec<&Event> = scope.events(Role::Install).collect();
        scope.events(Role::Failure).find_map(|event| {
            let Action::Failed { event_id: event_id @ (7000 | 7009), error, .. } = &event.action
            else {
                return None;
            };
            let unanswered =
                *event_id == 7009 || error.as_deref().is_some_and(|error| error.contains("1053"));
            let install = preceded_by(&installs, event.time, limit).filter(|_| unanswered)?;
            let because = format!(
                "Installed at {}, no answer by {} ({event_id}).",
                format_short(install.time),
                format_short(event.time)
            );
            Some(Hit::new(because, event.citation.clone()).and(install.citation.clone()))
        })
    },
    examples: &[
        yes("7009 thirty seconds after 7045", || {
            Scene::ghost("seg1")
                .event(0, installed("seg1", "cmd.exe /c echo x"))
                .event(30, failed("seg1", 7009, "30000"))
        }),
        no("a failure months later", || {
            Scene::service("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(86_400 * 20, failed("Agent", 7000, "%%1053"))
        }),
        no("a file that was not found", || {
            Scene::service("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(10, failed("Agent", 7000, "%%2"))
        }),
        unknown("no System log", || Scene::service("Agent")),
    ],
};

pub(super) const NO_MODULE: Indicator = Indicator {
    id: "E10",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did it end because its module was not found, soon after its installation?",
    why: "A service DLL registered before, or without, its file is the mark of a setup by hand.",
    innocent: "An installer that failed half-way.",
    verify: &[
        "EvtxECmd -f System.evtx --inc 7023: the error code",
        "Does the ServiceDll exist in the image?",
    ],
    attack: &[technique("T1543.003")],
    weight: 10,
    hard: false,
    needs: &[Need::Part(Origin::SystemLog)],
    sources: &[
        "Atomic Red Team T1543.003-4 run on Windows 11",
        "ERROR_MOD_NOT_FOUND is 126 (winerror.h)",
    ],
    since: "0.1.0",
    check: &|scope| {
        let installs: Vec<&Event> = scope.events(Role::Install).collect();
        scope.events(Role::Failure).find_map(|event| {
            let Action::Failed { event_id: 7023, error: Some(error), .. } = &event.action else {
                return None;
            };
            let missing =
                error.contains("126") || error.to_lowercase().contains("module could not be found");
            let install = preceded_by(&installs, event.time, scope.host.window);
            let install = install.filter(|_| missing)?;
            let because = format!(
                "Installed at {}, ended at {} because its module was not found.",
                format_short(install.time),
                format_short(event.time)
            );
            Some(Hit::new(because, event.citation.clone()).and(install.citation.clone()))
        })
    },
    examples: &[
        yes("7023 with error 126", || {
            Scene::hosted("W64Time")
                .event(0, installed("W64Time", r"C:\Windows\System32\svchost.exe -k TimeService"))
                .event(5, failed("W64Time", 7023, "%%126"))
        }),
        no("another error", || {
            Scene::service("Agent")
                .event(0, installed("Agent", r"C:\x.exe"))
                .event(5, failed("Agent", 7023, "%%5"))
        }),
        no("a broken service, installed long ago", || {
            Scene::service("Agent").event(5, failed("Agent", 7023, "%%126"))
        }),
        unknown("no System log", || Scene::service("Agent")),
    ],
};
