//! Question 5: did it start, and what followed?

use super::{ChecklistAnswer, Draft, window};
use crate::checklist::Question;
use crate::host::coverage::Origin;
use crate::host::event::{Action, Event};
use crate::host::{Host, Role, Service};
use crate::report::event_summary;
use crate::time;

/// Events of one role told one by one; further ones are counted, and all stand among the service's events.
const EVENTS_SHOWN: usize = 3;

/// The roles that tell of running and of what followed, in the order of the story.
const STORY: [(Role, &str); 9] = [
    (Role::Process, "starts of its program"),
    (Role::DriverLoad, "loads of its driver"),
    (Role::Failure, "failures"),
    (Role::Crash, "crashes"),
    (Role::ChildProcess, "processes started by it"),
    (Role::Connection, "connections"),
    (Role::DnsQuery, "name look-ups"),
    (Role::PortOpening, "opened ports"),
    (Role::FileCreation, "file creations"),
];

pub(super) fn answer(host: &Host, service: &Service) -> ChecklistAnswer {
    let mut draft = Draft::new(Question::Started);
    states(host, service, &mut draft);
    for (role, plural) in STORY {
        let events: Vec<&Event> = service.events(role, &host.events).collect();
        for event in events.iter().take(EVENTS_SHOWN) {
            let when = time::format_short(event.time);
            let text = format!("{when}: {}.", event_summary::summary(event));
            draft.fact(text, [event.citation.clone()]);
        }
        let more = events.len().saturating_sub(EVENTS_SHOWN);
        if more > 0 {
            draft.fact(format!("{more} further {plural} stand among its events."), None);
        }
    }
    let heard = draft.needs(host, Origin::SystemLog, "Starts and failures");
    draft.needs(host, Origin::ProcessEvents, "Its process and what that started");
    draft.needs(host, Origin::NetworkEvents, "Its network connections");
    if heard
        && draft.facts.is_empty()
        && let Some(window) = window(&host.coverage, Origin::SystemLog)
    {
        draft.fact(
            format!("The System log ({window}) records neither a start nor a failure of it."),
            None,
        );
        draft.missing("Starts without a record: Windows does not log every start");
    }
    draft.finish()
}

/// How often it entered the running state, and the first and last time.
fn states(host: &Host, service: &Service, draft: &mut Draft) {
    let running: Vec<&Event> = service
        .events(Role::StateChange, &host.events)
        .filter(|event| matches!(event.action, Action::StateChanged { state: Some(4), .. }))
        .collect();
    let (Some(first), Some(last)) = (running.first(), running.last()) else { return };
    let from = time::format_short(first.time);
    if running.len() == 1 {
        draft.fact(format!("It started {from}."), [first.citation.clone()]);
        return;
    }
    draft.fact(
        format!(
            "It started {} times, first {from}, last {}.",
            running.len(),
            time::format_short(last.time)
        ),
        [first.citation.clone(), last.citation.clone()],
    );
}
