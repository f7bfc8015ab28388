//! What its processes did on the network.
//!
//! Updaters, cloud agents and remote management do all of it. So weights are small, a third of them for a program in
//! Program Files and for destinations that other hosts talk to, and nothing is asked of stock services and known agents
//! but what is odd even for those.

use super::agent_elsewhere;
use crate::checklist::known_good::{agent, is_stock};
use crate::checklist::place::is_in_program_files;
use crate::checklist::story::clip;
use crate::checklist::{Hit, Scope};
use crate::host::network::{Destination, KnownBy, NameSource};

pub(super) mod beacon;
pub(super) mod connection;
pub(super) mod elsewhere;
pub(super) mod host_name;
pub(super) mod lateral;
pub(super) mod port;

/// Whether it is neither Windows' own nor a known agent, so that what it reaches is worth a question.
fn is_of_interest(scope: &Scope<'_>) -> bool {
    agent(scope).is_none() && !is_stock(scope)
}

/// The destinations outside the site that its processes reached for.
fn outside<'a>(scope: &Scope<'a>) -> impl Iterator<Item = &'a Destination> + use<'a> {
    scope
        .service
        .network
        .destinations
        .iter()
        .filter(|destination| destination.is_outbound() && destination.reach.is_outside())
}

/// Whether the analyst's list says that other hosts talk to it; `None` without a list.
fn known_elsewhere(scope: &Scope<'_>, destination: &Destination) -> Option<bool> {
    let known = scope.host.known_destinations.as_ref()?;
    Some(known.knows(destination, scope.host.identity.name.as_deref()))
}

/// The weight of a finding about the network: a third for a program that an installer put into Program Files, and for
/// what other hosts talk to as well.
fn weight(scope: &Scope<'_>, full: i16, known_elsewhere: Option<bool>) -> i16 {
    let vendor = scope.service.image.as_ref().is_some_and(is_in_program_files);
    if vendor || known_elsewhere == Some(true) { full / 3 } else { full }
}

/// A hit about a destination: its sentence, the first and the last connection, its weight.
fn hit(scope: &Scope<'_>, because: &str, destination: &Destination, full: i16) -> Hit {
    let known = known_elsewhere(scope, destination);
    let remark = if known == Some(true) { " Other hosts talk to it as well." } else { "" };
    Hit::new(format!("{because}{remark}"), destination.first.citation.clone())
        .and(destination.last.citation.clone())
        .weighing(weight(scope, full, known))
}

/// Address, port and name of a destination.
fn told(destination: &Destination) -> String {
    let best = destination.names.iter().min_by_key(|name| (name.source, &name.name));
    let name = best.map(|name| match name.source {
        NameSource::Reverse => format!(" (calls itself {})", clip(&name.name)),
        NameSource::OwnLookup | NameSource::HostLookup => format!(" ({})", clip(&name.name)),
    });
    format!("{}{}", destination.endpoint(), name.unwrap_or_default())
}

/// Who acted: a process without a recorded start is known by its program only.
const fn actor(known_by: KnownBy) -> &'static str {
    match known_by {
        KnownBy::Process => "its process",
        KnownBy::Program => "its program (no log shows that process start)",
    }
}
