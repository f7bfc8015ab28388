//! Programs that services.exe started in place of longer ones: the command line names a path with spaces and without quotes, the
//! program is a beginning of it.
//!
//! Where the service is known, this is its own finding; a log without its install and without a hive names no service.

use std::collections::BTreeSet;

use super::{Gravity, Incident, IncidentKind, cited, quote};
use crate::host::event::{Action, Event, ProcessStart};
use crate::host::image_path::{ImagePath, leaf};
use crate::host::{Host, Role};
use crate::time::format_short;

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let links = host.services.iter().flat_map(|service| &service.links);
    let processes = links.filter(|link| matches!(link.role, Role::Process | Role::ChildProcess));
    let claimed: BTreeSet<usize> = processes.map(|link| link.event).collect();
    let unclaimed = host.events.iter().enumerate().filter(|(at, _)| !claimed.contains(at));
    unclaimed.filter_map(|(_, event)| incident(event)).collect()
}

fn incident(event: &Event) -> Option<Incident> {
    let Action::ProcessStarted(process) = &event.action else { return None };
    let line = process.command_line.as_deref()?;
    if !is_of_manager(process) || !is_beginning(&process.image, line) {
        return None;
    }
    let sentence = format!(
        "services.exe started {} in place of {}, whose path has no quotes, at {}",
        quote(&process.image),
        quote(line),
        format_short(event.time)
    );
    Some(Incident {
        kind: IncidentKind::StrayProcess,
        gravity: Gravity::Suspicious,
        from: event.time,
        to: event.time,
        actor: None,
        address: None,
        count: 1,
        services: Vec::new(),
        sentence,
        citations: cited([event.citation.clone()]),
    })
}

fn is_of_manager(process: &ProcessStart) -> bool {
    let parent = process.parent_image.as_deref();
    parent.is_some_and(|parent| leaf(parent).eq_ignore_ascii_case("services.exe"))
}

/// Whether a program's path, without its extension, is what an unquoted command line has before one of its spaces.
fn is_beginning(image: &str, line: &str) -> bool {
    let ran = ImagePath::of_file(image).normalized;
    let named = ImagePath::parse(line);
    let Some(stem) = ran.strip_suffix(".exe") else { return false };
    let rest = named.normalized.strip_prefix(stem);
    !named.quoted && ran != named.normalized && rest.is_some_and(|rest| rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_a_beginning_of_an_unquoted_path() {
        for (image, line, expected) in [
            (r"C:\program.exe", r"c:\Program Files\vulnsvc\mmm.exe", true),
            (r"C:\program.exe", "\"c:\\Program Files\\vulnsvc\\mmm.exe\"", false),
            (r"C:\Program Files\Odd.exe", r"C:\Program Files\Odd Tool\agent.exe -x", true),
            (
                r"C:\Program Files\Odd Tool\agent.exe",
                r"C:\Program Files\Odd Tool\agent.exe -x",
                false,
            ),
            (
                r"C:\Windows\System32\svchost.exe",
                r"C:\Windows\System32\svchost.exe -k netsvcs",
                false,
            ),
            (r"C:\Tools\run.exe", r"C:\Tools\run --service", false),
        ] {
            assert_eq!(is_beginning(image, line), expected, "{image} {line}");
        }
    }
}
