//! Programs that services.exe started for nobody while a service of Windows gave no answer.

use jiff::SignedDuration;

use crate::checklist::known_good;
use crate::checklist::staging::{failed, no, process, started, unknown, yes};
use crate::checklist::story::line;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, technique};
use crate::host::event::Action;
use crate::host::{Origin, Role};
use crate::time::format_short;

/// Seconds that the service control manager waits for an answer (30), and some more.
const WAIT: SignedDuration = SignedDuration::from_secs(35);

pub(super) const STRAY: Indicator = Indicator {
    id: "E31",
    family: Family::Q5,
    checklist: Question::Started,
    question: "Did this service of Windows give no answer just when services.exe ran a program that is no service's?",
    why: "Whoever borrows a service exchanges its program, starts it and puts it back: the hive is as before, but the \
          service control manager waited for an answer from a program that no service has.",
    innocent: "A slow start of the real service while an unrelated, unregistered program is run; before Windows 8 \
               services.exe runs scheduled tasks as well.",
    verify: &[
        "4688 or Sysmon 1: parent services.exe, seconds before 7009 or 7000 (1053) for this service",
        "5145 for svcctl and the logon of type 3 before it: who asked, and from where?",
    ],
    attack: &[technique("T1569.002"), technique("T1543.003")],
    weight: 30,
    hard: false,
    needs: &[Need::Part(Origin::SystemLog), Need::Part(Origin::ProcessEvents)],
    sources: &["SCShell: ChangeServiceConfigA, StartService, ChangeServiceConfigA"],
    since: "0.1.0",
    check: &|scope| {
        known_good::stock(scope)?;
        scope.events(Role::Failure).find_map(|event| {
            let Action::Failed { event_id: event_id @ (7000 | 7009), error, .. } = &event.action
            else {
                return None;
            };
            let unanswered =
                *event_id == 7009 || error.as_deref().is_some_and(|error| error.contains("1053"));
            let stray =
                scope.overview.stray_before(event.time, WAIT).filter(|_| unanswered)?;
            let because = format!(
                "At {} services.exe ran `{}`, which is no service's; at {} this one had not answered ({event_id}).",
                format_short(stray.time),
                line(stray),
                format_short(event.time)
            );
            Some(Hit::new(because, event.citation.clone()).and(stray.citation.clone()))
        })
    },
    examples: &[
        yes("a borrowed service", || {
            Scene::hosted("XblAuthManager")
                .event(
                    0,
                    started(r"C:\Windows\System32\cmd.exe", "cmd.exe /c C:\\Windows\\Temp\\a.exe"),
                )
                .event(1, failed("XblAuthManager", 7009, "30000"))
        }),
        no("a slow start beside a program of Windows", || {
            Scene::hosted("XblAuthManager")
                .event(
                    0,
                    started(r"C:\Windows\System32\sppsvc.exe", r"C:\Windows\System32\sppsvc.exe"),
                )
                .event(30, failed("XblAuthManager", 7009, "30000"))
        }),
        no("a shell that somebody else started", || {
            let explorer = r"C:\Windows\explorer.exe";
            Scene::hosted("XblAuthManager")
                .event(0, process(60, r"C:\Windows\System32\cmd.exe", "cmd.exe", 40, explorer))
                .event(30, failed("XblAuthManager", 7009, "30000"))
        }),
        unknown("processes are not logged", || {
            Scene::hosted("XblAuthManager").event(30, failed("XblAuthManager", 7009, "30000"))
        }),
    ],
};
