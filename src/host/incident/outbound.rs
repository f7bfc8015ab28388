//! What was done to services of other hosts, one incident a host and means.

use std::collections::{BTreeMap, BTreeSet};

use super::{Gravity, Incident, IncidentKind, TOGETHER, agreed, cited, plural, quote, who};
use crate::host::Host;
use crate::host::outbound::Outbound;
use crate::host::service_command::Verb;
use crate::text::fold;
use crate::time::format_short;

pub(super) fn incidents(host: &Host) -> Vec<Incident> {
    let mut groups: BTreeMap<(String, &str), Vec<Vec<&Outbound>>> = BTreeMap::new();
    for act in &host.outbound {
        let other = act.host.as_deref().map(fold).unwrap_or_default();
        let of_key = groups.entry((other, act.means)).or_default();
        let open = of_key.last_mut().filter(|group| {
            group.first().is_some_and(|first| act.time.duration_since(first.time) <= TOGETHER)
        });
        match open {
            Some(group) => group.push(act),
            None => of_key.push(vec![act]),
        }
    }
    let rows = rows(host);
    groups.into_values().flatten().filter_map(|group| incident(&rows, &group)).collect()
}

fn incident(rows: &Rows<'_>, group: &[&Outbound]) -> Option<Incident> {
    let (first, last) = (group.first()?, group.last()?);
    let actor = agreed(group.iter().map(|act| &act.subject));
    let changes = group.iter().any(|act| changes(act));
    let names: BTreeSet<&str> = group.iter().filter_map(|act| act.service.as_deref()).collect();
    let what = match names.len() {
        0 => "services".to_owned(),
        1 => format!("service {}", names.first().map(|name| quote(name)).unwrap_or_default()),
        many => plural(many, "service"),
    };
    let listed: BTreeSet<&str> =
        names.iter().filter_map(|name| rows.get(&fold(name))).flatten().copied().collect();
    let sentence = format!(
        "{what} of {} {} from here by {} with {} at {}: {}",
        first.host.as_deref().map_or_else(|| "another host".to_owned(), quote),
        if changes { "created or changed" } else { "used" },
        actor.as_ref().map_or_else(|| "an account the logs do not name".to_owned(), who),
        first.means,
        format_short(first.time),
        quote(&first.line)
    );
    Some(Incident {
        kind: IncidentKind::Outbound,
        gravity: if changes { Gravity::Suspicious } else { Gravity::Unusual },
        from: first.time,
        to: last.time,
        actor,
        address: None,
        count: group.len(),
        services: listed.into_iter().map(str::to_owned).collect(),
        sentence,
        citations: cited(group.iter().flat_map(|act| act.citations.iter().cloned())),
    })
}

/// Whether something was installed or reconfigured there, and not only started, stopped or asked for.
fn changes(act: &Outbound) -> bool {
    matches!(act.verb, Verb::Create | Verb::Configure)
}

/// The rows under which the host lists services of others, by their folded names there.
type Rows<'a> = BTreeMap<String, Vec<&'a str>>;

fn rows(host: &Host) -> Rows<'_> {
    let mut rows = Rows::new();
    for service in host.services.iter().filter(|service| service.elsewhere.is_some()) {
        let own = service.name.rsplit('\\').next().unwrap_or_default();
        rows.entry(fold(own)).or_default().push(service.name.as_str());
    }
    rows
}
