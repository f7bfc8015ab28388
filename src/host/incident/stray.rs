//! Shells that services.exe started for no service the evidence names.
//!
//! A service that was pointed at a command, started and pointed back (`SCShell`, `sc config` twice) leaves no install and
//! no changed key; one that was made and deleted between two looks at the registry leaves no key. The process stays.

use std::collections::BTreeSet;

use super::{Gravity, Incident, IncidentKind, cited, groups, plural, quote};
use crate::host::event::{Action, Event};
use crate::host::image_path::leaf;
use crate::host::shell::is_shell;
use crate::host::{Host, Place, Role};
use crate::time::format_short;

/// Commands that vendors let services.exe run on a failure (measured: NVIDIA's display container).
const OF_VENDORS: [&str; 1] = ["nvcontainerrecovery.bat"];
/// Commands quoted in the sentence.
const QUOTED: usize = 2;

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let claimed: BTreeSet<usize> = host
        .services
        .iter()
        .flat_map(|service| &service.links)
        .filter(|link| matches!(link.role, Role::Process | Role::ChildProcess))
        .map(|link| link.event)
        .collect();
    let modern = host.build_number().is_some_and(|build| build >= 9_200);
    let strays = groups(host, |event| is_stray(event, modern).then(|| event.computer.clone()));
    let mut incidents = Vec::new();
    for group in strays.into_values().flatten() {
        let group: Vec<&Event> = group
            .iter()
            .filter(|at| !claimed.contains(at))
            .filter_map(|at| host.events.get(*at))
            .collect();
        incidents.extend(incident(&group));
    }
    incidents
}

fn incident(group: &[&Event]) -> Option<Incident> {
    let (first, last) = (group.first()?, group.last()?);
    let mut lines: Vec<String> = group.iter().filter_map(|event| line(event)).map(quote).collect();
    lines.dedup();
    let more = lines.len().saturating_sub(QUOTED);
    lines.truncate(QUOTED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let sentence = format!(
        "services.exe started {} that no service of the evidence names: {}{more} at {}",
        plural(group.len(), "shell"),
        lines.join(", "),
        format_short(first.time)
    );
    Some(Incident {
        kind: IncidentKind::StrayProcess,
        gravity: Gravity::Suspicious,
        from: first.time,
        to: last.time,
        actor: None,
        address: None,
        count: group.len(),
        services: Vec::new(),
        sentence,
        citations: cited(group.iter().map(|event| event.citation.clone())),
    })
}

fn line(event: &Event) -> Option<&str> {
    let Action::ProcessStarted(process) = &event.action else { return None };
    Some(process.command_line.as_deref().unwrap_or(&process.image))
}

/// Windows 7 runs scheduled tasks below services.exe: only where the host is known to be younger does a shell there
/// mean a service. 4688 names the parent's program since Windows 10.
fn is_stray(event: &Event, modern: bool) -> bool {
    let Action::ProcessStarted(process) = &event.action else { return false };
    let parent = process
        .parent_image
        .as_deref()
        .is_some_and(|parent| leaf(parent).eq_ignore_ascii_case("services.exe"));
    let tells = modern || matches!(event.citation.place, Place::Record { event_id: 4688, .. });
    let line = process.command_line.as_deref().unwrap_or_default().to_lowercase();
    parent
        && tells
        && is_shell(&process.image)
        && !OF_VENDORS.iter().any(|vendor| line.contains(vendor))
}
