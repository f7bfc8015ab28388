//! What a service's processes did on the network, in the report.

use serde::{Deserialize, Serialize};

use super::{Stamp, layout};
use crate::checklist::knowledge::network::{odd_port, passing_name, usual_ports};
use crate::host::image_path::leaf;
use crate::host::network::name::{self, Rarity};
use crate::host::network::rhythm::seconds;
use crate::host::network::{
    self, Beat, BeatSource, Destination, KnownBy, Lookup, NameSource, OpenPort, Others, Reach, Seen,
};
use crate::host::{Citation, Host, Service};

/// What one service's processes did on the network, as long as they lived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NetworkReport {
    /// Whom they talked to, in order of the first time.
    pub destinations: Vec<DestinationReport>,
    /// Which names they looked up, in order of the first time.
    pub lookups: Vec<LookupReport>,
    /// Which ports they opened, in order of the first time.
    pub ports: Vec<PortReport>,
    /// The first connection to another host after a start that a log shows.
    pub first_contact: Option<FirstContactReport>,
    /// How regular contacts are, where there are enough of them.
    pub rhythms: Vec<RhythmReport>,
}

/// One address and port.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DestinationReport {
    /// The other side's address.
    pub address: String,
    /// What kind of address it is.
    pub reach: Reach,
    /// The other side's port; for accepted connections, the service's own.
    pub port: Option<u16>,
    /// `tcp`, `udp` or a protocol number.
    pub protocol: String,
    /// Whether the service connected; null where no log says.
    pub outbound: Option<bool>,
    /// Names of the address.
    pub names: Vec<NameReport>,
    /// Whether a recorded look-up of the host gave this address; null where that cannot be said.
    pub looked_up: Option<bool>,
    /// Connections.
    pub count: usize,
    /// The first one.
    pub first: Stamp,
    /// The last one.
    pub last: Stamp,
    /// The service's programs that connected.
    pub programs: Vec<String>,
    /// How those processes are known to be the service's.
    pub known_by: KnownByReport,
    /// Other programs of the host that talked to it.
    pub others: OthersReport,
    /// Whether other hosts are known to talk to it; null without a list.
    pub known_elsewhere: Option<bool>,
    /// What is unusual about its port and names.
    pub remarks: Vec<String>,
    /// The records of the first and the last connection.
    pub citations: Vec<Citation>,
}

/// A name of an address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameReport {
    /// The name.
    pub name: String,
    /// Where it comes from.
    pub source: NameSourceReport,
}

/// Where a name comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NameSourceReport {
    /// The service's processes looked it up.
    OwnLookup,
    /// Another process of the host looked it up.
    HostLookup,
    /// The address claims it for itself.
    Reverse,
}

/// How processes are known to be the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KnownByReport {
    /// A log shows their start.
    Process,
    /// By their program alone.
    Program,
}

/// Other programs of the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OthersReport {
    /// How many.
    pub count: usize,
    /// The first eight.
    pub programs: Vec<String>,
}

/// One name that was looked up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LookupReport {
    /// The name.
    pub name: String,
    /// The addresses it got.
    pub addresses: Vec<String>,
    /// Look-ups.
    pub count: usize,
    /// The first one.
    pub first: Stamp,
    /// The last one.
    pub last: Stamp,
    /// How those processes are known to be the service's.
    pub known_by: KnownByReport,
    /// Whether they connected to one of the addresses.
    pub connected: bool,
    /// Other programs of the host that looked it up.
    pub others: OthersReport,
    /// Whether other hosts are known to talk to it; null without a list.
    pub known_elsewhere: Option<bool>,
    /// What is unusual about it.
    pub remarks: Vec<String>,
    /// The records of the first and the last look-up.
    pub citations: Vec<Citation>,
}

/// One port that was opened.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortReport {
    /// The local address; `0.0.0.0` and `::` mean all.
    pub address: String,
    /// The port.
    pub port: u16,
    /// `tcp`, `udp` or a protocol number.
    pub protocol: String,
    /// Whether they listened (5154) rather than only bound it (5158).
    pub listening: bool,
    /// How often.
    pub count: usize,
    /// The first time.
    pub first: Stamp,
    /// How those processes are known to be the service's.
    pub known_by: KnownByReport,
    /// The record of the first time.
    pub citations: Vec<Citation>,
}

/// The first connection to another host after a start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FirstContactReport {
    /// When the process was started.
    pub started: Stamp,
    /// How long after that it connected, in milliseconds.
    pub delay_ms: i64,
    /// The other side.
    pub address: String,
    /// Its port.
    pub port: Option<u16>,
    /// The record.
    pub citations: Vec<Citation>,
}

/// How regular the contacts with one destination are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RhythmReport {
    /// The name that was looked up, else the address.
    pub peer: String,
    /// The port, of connections.
    pub port: Option<u16>,
    /// What was measured.
    pub source: RhythmSource,
    /// The sample size.
    pub intervals: usize,
    /// The median interval, in milliseconds.
    pub median_ms: i64,
    /// The median absolute deviation of the intervals, in thousandths of the median.
    pub dispersion_permille: u32,
    /// Whether that counts as regular.
    pub regular: bool,
    /// The first contact.
    pub from: Stamp,
    /// The last contact.
    pub to: Stamp,
    /// The records of both.
    pub citations: Vec<Citation>,
}

/// What a rhythm was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RhythmSource {
    /// Connections.
    Connections,
    /// Look-ups.
    Lookups,
}

impl NetworkReport {
    /// The network of a service, where anything is known of it.
    pub(super) fn new(host: &Host, service: &Service) -> Option<Self> {
        let network = &service.network;
        if network.is_empty() {
            return None;
        }
        let destination = |one| DestinationReport::new(host, one);
        let lookup = |one| LookupReport::new(host, one);
        Some(Self {
            destinations: network.destinations.iter().map(destination).collect(),
            lookups: network.lookups.iter().map(lookup).collect(),
            ports: network.ports.iter().map(PortReport::new).collect(),
            first_contact: network.first_contact.as_ref().map(|first| FirstContactReport {
                started: Stamp(first.started),
                delay_ms: milliseconds(first.delay),
                address: first.address.clone(),
                port: first.port,
                citations: vec![first.citation.clone()],
            }),
            rhythms: network.beats.iter().map(RhythmReport::new).collect(),
        })
    }

    /// What matters to people: a sentence each, with its records; what lies outside the site and what is unusual first.
    pub(super) fn sentences(&self) -> Vec<(String, &[Citation])> {
        let mut sentences: Vec<(String, &[Citation])> = Vec::new();
        if let Some(first) = &self.first_contact {
            let delay = jiff::SignedDuration::from_millis(first.delay_ms);
            let to = network::endpoint(&first.address, first.port);
            let text = format!("first connection {} after its start, to {to}", seconds(delay));
            sentences.push((text, &first.citations));
        }
        let regular = self.rhythms.iter().filter(|rhythm| rhythm.regular);
        sentences.extend(regular.map(|rhythm| (rhythm.sentence(), &*rhythm.citations)));
        let mut destinations: Vec<&DestinationReport> = self.destinations.iter().collect();
        destinations
            .sort_by_key(|one| (!one.reach.is_outside(), one.remarks.is_empty(), one.first));
        sentences.extend(destinations.into_iter().map(|one| (one.sentence(), &*one.citations)));
        let unconnected = self.lookups.iter().filter(|lookup| !lookup.connected);
        sentences.extend(unconnected.map(|lookup| (lookup.sentence(), &*lookup.citations)));
        sentences.extend(self.ports.iter().map(|port| (port.sentence(), &*port.citations)));
        sentences
    }
}

fn milliseconds(duration: jiff::SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

fn ends(first: &Seen, last: &Seen) -> Vec<Citation> {
    let mut citations = vec![first.citation.clone()];
    if last.citation != first.citation {
        citations.push(last.citation.clone());
    }
    citations
}

impl From<KnownBy> for KnownByReport {
    fn from(known_by: KnownBy) -> Self {
        match known_by {
            KnownBy::Process => Self::Process,
            KnownBy::Program => Self::Program,
        }
    }
}

impl From<&Others> for OthersReport {
    fn from(others: &Others) -> Self {
        Self { count: others.count, programs: others.programs.clone() }
    }
}

impl OthersReport {
    fn words(&self) -> String {
        match self.count {
            0 => "no other program of the host".to_owned(),
            count => layout::plural(count, "other program"),
        }
    }
}

impl DestinationReport {
    fn new(host: &Host, destination: &Destination) -> Self {
        let own = host.identity.name.as_deref();
        let known = host.known_destinations.as_ref();
        let name = |name: &network::Name| NameReport {
            name: name.name.clone(),
            source: match name.source {
                NameSource::OwnLookup => NameSourceReport::OwnLookup,
                NameSource::HostLookup => NameSourceReport::HostLookup,
                NameSource::Reverse => NameSourceReport::Reverse,
            },
        };
        Self {
            address: destination.address.clone(),
            reach: destination.reach,
            port: destination.port,
            protocol: destination.protocol.clone(),
            outbound: destination.outbound,
            names: destination.names.iter().map(name).collect(),
            looked_up: destination.looked_up,
            count: destination.count,
            first: Stamp(destination.first.time),
            last: Stamp(destination.last.time),
            programs: destination.programs.iter().cloned().collect(),
            known_by: destination.known_by.into(),
            others: OthersReport::from(&destination.others),
            known_elsewhere: known.map(|known| known.knows(destination, own)),
            remarks: remarks(destination),
            citations: ends(&destination.first, &destination.last),
        }
    }

    /// The destination in one sentence without a full stop.
    pub(super) fn sentence(&self) -> String {
        let what = match self.outbound {
            Some(true) | None => "to",
            Some(false) => "accepted from",
        };
        let own = match (self.outbound, self.port) {
            (Some(false), Some(port)) => format!("{} on port {port}", self.address),
            _ => network::endpoint(&self.address, self.port),
        };
        let names: Vec<&str> = self.names.iter().map(|name| name.name.as_str()).take(3).collect();
        let names =
            if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) };
        let mut parts = vec![
            format!("{what} {own}{names}, {}", self.reach.label()),
            format!("{}, first {}", layout::plural(self.count, "connection"), self.first.short()),
        ];
        if self.count > 1 {
            parts.push(format!("last {}", self.last.short()));
        }
        if self.outbound != Some(false) {
            parts.push(format!("{} talked to it", self.others.words()));
        }
        if self.looked_up == Some(false) {
            parts.push("no look-up gave that address".to_owned());
        }
        match self.known_elsewhere {
            Some(true) => parts.push("known to other hosts".to_owned()),
            Some(false) => parts.push("known to no other host".to_owned()),
            None => {}
        }
        if self.known_by == KnownByReport::Program {
            parts.push("known by its program".to_owned());
        }
        parts.extend(self.remarks.iter().cloned());
        parts.join("; ")
    }
}

/// What is unusual about a destination's port and names.
fn remarks(destination: &Destination) -> Vec<String> {
    let mut remarks = Vec::new();
    if destination.is_outbound()
        && destination.reach.is_outside()
        && let Some(port) = destination.port
    {
        remarks.extend(odd_port(port).map(|odd| format!("port {port}: {}", odd.used_by)));
        for program in &destination.programs {
            let usual = usual_ports(leaf(program));
            let usual = usual.filter(|usual| !usual.ports.contains(&port.into()));
            let leaf = leaf(program);
            remarks.extend(usual.map(|_| format!("port {port} is none that {leaf} uses")));
        }
    }
    for name in destination.names_looked_up() {
        remarks.extend(remarks_on(name));
    }
    remarks
}

/// What is unusual about a name.
fn remarks_on(name: &str) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(passing) = passing_name(name) {
        let provider = passing.provider.unwrap_or(passing.domain);
        remarks.push(format!("{name}: {} ({provider})", passing.kind.label()));
    }
    match name::rarity(name) {
        Some(Rarity::Punycode) => remarks.push(format!("{name}: letters beyond ASCII (punycode)")),
        Some(Rarity::Random { .. }) => remarks.push(format!("{name}: looks made by a machine")),
        None => {}
    }
    remarks
}

impl LookupReport {
    fn new(host: &Host, lookup: &Lookup) -> Self {
        let own = host.identity.name.as_deref();
        let known = host.known_destinations.as_ref();
        Self {
            name: lookup.name.clone(),
            addresses: lookup.addresses.iter().cloned().collect(),
            count: lookup.count,
            first: Stamp(lookup.first.time),
            last: Stamp(lookup.last.time),
            known_by: lookup.known_by.into(),
            connected: lookup.connected,
            others: OthersReport::from(&lookup.others),
            known_elsewhere: known.map(|known| known.knows_name(&lookup.name, own)),
            remarks: remarks_on(&lookup.name),
            citations: ends(&lookup.first, &lookup.last),
        }
    }

    fn sentence(&self) -> String {
        let count = layout::plural(self.count, "look-up");
        let mut parts = vec![
            format!("looked up {}, {count}, first {}", self.name, self.first.short()),
            match self.addresses.len() {
                0 => "no address came back".to_owned(),
                number => format!("{} came back", layout::plural(number, "address")),
            },
        ];
        parts.extend(self.remarks.iter().cloned());
        parts.join("; ")
    }
}

impl PortReport {
    fn new(port: &OpenPort) -> Self {
        Self {
            address: port.address.clone(),
            port: port.port,
            protocol: port.protocol.clone(),
            listening: port.listening,
            count: port.count,
            first: Stamp(port.first.time),
            known_by: port.known_by.into(),
            citations: vec![port.first.citation.clone()],
        }
    }

    fn sentence(&self) -> String {
        let what = if self.listening { "listened on" } else { "bound" };
        let at = network::endpoint(&self.address, Some(self.port));
        format!("{what} {at} over {}, first {}", self.protocol, self.first.short())
    }
}

impl RhythmReport {
    fn new(beat: &Beat) -> Self {
        Self {
            peer: beat.peer.clone(),
            port: beat.port,
            source: match beat.source {
                BeatSource::Connections => RhythmSource::Connections,
                BeatSource::Lookups => RhythmSource::Lookups,
            },
            intervals: beat.rhythm.intervals,
            median_ms: milliseconds(beat.rhythm.median),
            dispersion_permille: beat.rhythm.dispersion,
            regular: beat.rhythm.is_regular(),
            from: Stamp(beat.rhythm.from),
            to: Stamp(beat.rhythm.to),
            citations: beat.citations.clone(),
        }
    }

    fn sentence(&self) -> String {
        let what = match self.source {
            RhythmSource::Connections => "connections to",
            RhythmSource::Lookups => "look-ups of",
        };
        format!(
            "{what} {} come like a clock: {} intervals, median {}, dispersion {}.{:03}",
            network::endpoint(&self.peer, self.port),
            self.intervals,
            seconds(jiff::SignedDuration::from_millis(self.median_ms)),
            self.dispersion_permille / 1_000,
            self.dispersion_permille % 1_000
        )
    }
}
