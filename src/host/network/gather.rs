//! Gathers what services did on the network from the events of a host.

use std::collections::{BTreeMap, BTreeSet};

use super::answers::{self, Answers};
use super::contact::{self, Records};
use super::owner::{Owners, Ownership};
use super::rhythm::Rhythm;
use super::talk::Talk;
use super::{
    Beat, BeatSource, Destination, FirstContact, Lookup, Name, NameSource, Network, OpenPort,
    Others, Reach, Seen, name, reach,
};
use crate::host::Volumes;
use crate::host::event::{Action, Connection, Event, PortOpening};
use crate::host::process::{Doer, ServiceProcess};
use crate::host::service::Service;

/// Gives every service its [`Network`]. Events are in order of time; services have their links and processes.
pub(in crate::host) fn gather(
    services: &mut [Service],
    events: &[Event],
    (processes, doers): (&[ServiceProcess], &[Doer]),
    volumes: &Volumes,
) {
    if !events.iter().any(is_network) {
        return;
    }
    let mut ownership = Ownership::new(services, processes, doers, volumes);
    let mut records = Records::default();
    let mut talk = Talk::default();
    let mut drafts: BTreeMap<usize, Draft<'_>> = BTreeMap::new();
    for (at, event) in events.iter().enumerate() {
        if !is_network(event) {
            continue;
        }
        let Some((program, owners)) = ownership.actor(at, event) else { continue };
        let indices = owners.as_ref().map_or(&[] as &[usize], |owners| owners.services.as_slice());
        note_talk(&mut talk, event, program, indices);
        let repeats = match &event.action {
            Action::Connected(connection) => records.repeats(event, connection),
            _ => false,
        };
        let Some(owners) = &owners else { continue };
        for index in indices {
            let draft = drafts.entry(*index).or_default();
            draft.note(&Act { at, event, program, owners, repeats });
        }
    }
    let answers = Answers::of(events);
    for (index, draft) in drafts {
        if let Some(service) = services.get_mut(index) {
            service.network = draft.finish(index, events, &answers, &talk);
        }
    }
}

const fn is_network(event: &Event) -> bool {
    matches!(event.action, Action::Connected(_) | Action::DnsQueried { .. } | Action::PortOpened(_))
}

fn note_talk(talk: &mut Talk, event: &Event, program: &str, services: &[usize]) {
    match &event.action {
        Action::Connected(connection) => {
            talk.note(&contact::address(&connection.destination), program, services);
        }
        Action::DnsQueried { query, .. } => talk.note(&name::fold(query), program, services),
        _ => {}
    }
}

/// One act of one of a service's processes.
struct Act<'a, 'b> {
    at: usize,
    event: &'a Event,
    program: &'b str,
    owners: &'b Owners,
    repeats: bool,
}

impl Act<'_, '_> {
    fn seen(&self) -> Seen {
        Seen { time: self.event.time, citation: self.event.citation.clone() }
    }
}

/// Direction, address, port and protocol: what makes a destination one.
type Key = (bool, String, Option<u16>, String);

/// A destination with the records it comes from.
struct Peer<'a> {
    destination: Destination,
    /// Who connected, by computer and process id.
    processes: BTreeSet<(&'a str, Option<u32>)>,
    /// Names that the log gives with the connection.
    reverse: BTreeSet<String>,
    /// The connections' events.
    events: Vec<usize>,
}

/// One service's network in the making.
#[derive(Default)]
struct Draft<'a> {
    peers: Vec<Peer<'a>>,
    by_key: BTreeMap<Key, usize>,
    lookups: Vec<(Lookup, Vec<usize>)>,
    by_name: BTreeMap<String, usize>,
    ports: Vec<OpenPort>,
    by_port: BTreeMap<(String, u16, String, bool), usize>,
    programs: BTreeSet<String>,
    first_contact: Option<FirstContact>,
}

impl<'a> Draft<'a> {
    fn note(&mut self, act: &Act<'a, '_>) {
        self.programs.insert(act.program.to_owned());
        match &act.event.action {
            Action::Connected(connection) => self.connected(act, connection),
            Action::DnsQueried { query, answers, .. } => self.looked_up(act, query, answers),
            Action::PortOpened(opening) => self.opened(act, opening),
            _ => {}
        }
    }

    fn connected(&mut self, act: &Act<'a, '_>, connection: &Connection) {
        let outbound = connection.outbound != Some(false);
        let port = if outbound { connection.destination_port } else { connection.source_port };
        let address = contact::address(&connection.destination);
        let protocol = connection.protocol.to_lowercase();
        let key = (outbound, address.clone(), port, protocol.clone());
        let at = *self.by_key.entry(key).or_insert(self.peers.len());
        if at == self.peers.len() {
            self.peers.push(Peer {
                destination: Destination {
                    reach: Reach::of_text(&address),
                    address,
                    port,
                    protocol,
                    outbound: connection.outbound,
                    names: Vec::new(),
                    looked_up: None,
                    count: 0,
                    first: act.seen(),
                    last: act.seen(),
                    programs: BTreeSet::new(),
                    known_by: act.owners.known_by,
                    others: Others::default(),
                },
                processes: BTreeSet::new(),
                reverse: BTreeSet::new(),
                events: Vec::new(),
            });
        }
        let Some(peer) = self.peers.get_mut(at) else { return };
        peer.reverse.extend(connection.destination_name.as_deref().map(name::fold));
        peer.processes.insert((act.event.computer.as_str(), connection.process_id));
        peer.destination.programs.insert(act.program.to_owned());
        peer.destination.known_by = peer.destination.known_by.min(act.owners.known_by);
        if act.repeats {
            return;
        }
        peer.destination.count = peer.destination.count.saturating_add(1);
        peer.destination.last = act.seen();
        peer.events.push(act.at);
        let reach = peer.destination.reach;
        if self.first_contact.is_none()
            && outbound
            && (reach.is_outside() || reach.is_inside())
            && let Some(started) = act.owners.started
        {
            self.first_contact = Some(FirstContact {
                started,
                delay: act.event.time.duration_since(started),
                address: contact::address(&connection.destination),
                port,
                citation: act.event.citation.clone(),
            });
        }
    }

    fn looked_up(&mut self, act: &Act<'a, '_>, query: &str, results: &str) {
        let name = name::fold(query);
        let at = *self.by_name.entry(name.clone()).or_insert(self.lookups.len());
        if at == self.lookups.len() {
            let lookup = Lookup {
                name,
                addresses: BTreeSet::new(),
                count: 0,
                first: act.seen(),
                last: act.seen(),
                known_by: act.owners.known_by,
                connected: false,
                others: Others::default(),
            };
            self.lookups.push((lookup, Vec::new()));
        }
        let Some((lookup, events)) = self.lookups.get_mut(at) else { return };
        lookup.addresses.extend(answers::addresses(results).map(|address| address.to_string()));
        lookup.count = lookup.count.saturating_add(1);
        lookup.last = act.seen();
        lookup.known_by = lookup.known_by.min(act.owners.known_by);
        events.push(act.at);
    }

    fn opened(&mut self, act: &Act<'a, '_>, opening: &PortOpening) {
        let address = contact::address(&opening.address);
        let PortOpening { protocol, port, listening, .. } = opening;
        let key = (address.clone(), *port, protocol.clone(), *listening);
        let at = *self.by_port.entry(key).or_insert(self.ports.len());
        if at == self.ports.len() {
            self.ports.push(OpenPort {
                address,
                port: *port,
                protocol: protocol.clone(),
                listening: *listening,
                count: 0,
                first: act.seen(),
                known_by: act.owners.known_by,
            });
        }
        let Some(open) = self.ports.get_mut(at) else { return };
        open.count = open.count.saturating_add(1);
        open.known_by = open.known_by.min(act.owners.known_by);
    }

    fn finish(
        mut self,
        service: usize,
        events: &'a [Event],
        answers: &Answers<'a>,
        talk: &Talk,
    ) -> Network {
        for peer in &mut self.peers {
            peer.name(answers);
            let destination = &peer.destination;
            let names = destination.names_looked_up();
            let peers = std::iter::once(destination.address.as_str()).chain(names);
            let others = talk.others(peers, service, &self.programs);
            peer.destination.others = others;
        }
        let reached: BTreeSet<&str> = self
            .peers
            .iter()
            .filter(|peer| peer.destination.is_outbound())
            .map(|peer| peer.destination.address.as_str())
            .collect();
        for (lookup, _) in &mut self.lookups {
            lookup.connected = lookup.addresses.iter().any(|one| reached.contains(one.as_str()));
            let name = std::iter::once(lookup.name.as_str());
            lookup.others = talk.others(name, service, &self.programs);
        }
        let beats = beats(&self.peers, &self.lookups, events);
        Network {
            destinations: self.peers.into_iter().map(|peer| peer.destination).collect(),
            lookups: self.lookups.into_iter().map(|(lookup, _)| lookup).collect(),
            ports: self.ports,
            first_contact: self.first_contact,
            beats,
        }
    }
}

impl<'a> Peer<'a> {
    /// Joins look-ups to the address.
    fn name(&mut self, answers: &Answers<'a>) {
        let destination = &mut self.destination;
        let mut names: BTreeMap<String, NameSource> = BTreeMap::new();
        for name in std::mem::take(&mut self.reverse) {
            names.insert(name, NameSource::Reverse);
        }
        if let Some(address) = reach::parse(&destination.address) {
            for (computer, process) in &self.processes {
                for (name, askers) in answers.names(computer, address) {
                    let source = if askers.contains(process) {
                        NameSource::OwnLookup
                    } else {
                        NameSource::HostLookup
                    };
                    let known = names.entry(name.clone()).or_insert(source);
                    *known = source.min(*known);
                }
                if destination.is_outbound() && destination.reach.is_outside() {
                    let found = answers.looked_up(computer, address, destination.first.time);
                    destination.looked_up = destination.looked_up.max(found);
                }
            }
        }
        destination.names = names.into_iter().map(|(name, source)| Name { name, source }).collect();
    }

    /// How the other side is called where its rhythm is measured: behind one name addresses may change.
    fn called(&self) -> &str {
        let own = self.destination.names.iter().find(|name| name.source == NameSource::OwnLookup);
        own.map_or(self.destination.address.as_str(), |name| name.name.as_str())
    }
}

/// Contacts with one peer.
#[derive(Default)]
struct Series {
    events: Vec<usize>,
    outside: bool,
}

impl Series {
    fn beat(
        mut self,
        peer: &str,
        port: Option<u16>,
        source: BeatSource,
        events: &[Event],
    ) -> Option<Beat> {
        self.events.sort_unstable();
        let contacts: Vec<&Event> = self.events.iter().filter_map(|at| events.get(*at)).collect();
        let times: Vec<_> = contacts.iter().map(|event| event.time).collect();
        let rhythm = Rhythm::of(&times)?;
        let ends = [contacts.first()?, contacts.last()?];
        Some(Beat {
            peer: peer.to_owned(),
            port,
            outside: self.outside,
            source,
            rhythm,
            citations: ends.iter().map(|event| event.citation.clone()).collect(),
        })
    }
}

/// The rhythm of connections with each peer and port; of look-ups of names whose connections are too few.
fn beats(peers: &[Peer<'_>], lookups: &[(Lookup, Vec<usize>)], events: &[Event]) -> Vec<Beat> {
    let mut connections: BTreeMap<(&str, Option<u16>), Series> = BTreeMap::new();
    for peer in peers {
        let Destination { reach, port, .. } = &peer.destination;
        if peer.destination.is_outbound() && (reach.is_outside() || reach.is_inside()) {
            let series = connections.entry((peer.called(), *port)).or_default();
            series.events.extend(&peer.events);
            series.outside |= reach.is_outside();
        }
    }
    let of_connections = connections.into_iter().filter_map(|((peer, port), series)| {
        series.beat(peer, port, BeatSource::Connections, events)
    });
    let mut beats: Vec<Beat> = of_connections.collect();
    let measured: BTreeSet<String> = beats.iter().map(|beat| beat.peer.clone()).collect();
    for (lookup, at) in lookups.iter().filter(|(lookup, _)| !measured.contains(&lookup.name)) {
        let outside = lookup.addresses.iter().any(|one| Reach::of_text(one).is_outside());
        let series = Series { events: at.clone(), outside };
        beats.extend(series.beat(&lookup.name, None, BeatSource::Lookups, events));
    }
    beats
}
