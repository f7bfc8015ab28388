//! What a service's processes did on the network: destinations, look-ups, open ports, and the rhythm of contacts.
//!
//! Facts only: which of them are suspicious is the checklist's business.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};

use super::citation::Citation;

mod answers;
mod contact;
mod gather;
pub mod name;
mod owner;
pub mod reach;
pub mod rhythm;
mod talk;

pub(super) use gather::gather;
pub use reach::Reach;
pub use rhythm::Rhythm;

/// What one service's processes did on the network, as long as they lived.
///
/// Wider than the events linked to the service: a process whose start no log shows counts as the service's where its
/// program is the service's own (never svchost or a shared interpreter), whenever it acts, and is said to be known by its
/// program. A process is followed until it ends, its id is used again, or Windows starts anew.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Network {
    /// Whom they talked to, in order of the first time.
    pub destinations: Vec<Destination>,
    /// Which names they looked up, in order of the first time.
    pub lookups: Vec<Lookup>,
    /// Which ports they opened, in order of the first time.
    pub ports: Vec<OpenPort>,
    /// The first connection to another host after a start that a log shows.
    pub first_contact: Option<FirstContact>,
    /// How regular the contacts with each destination are, where there are enough of them.
    pub beats: Vec<Beat>,
}

impl Network {
    /// Whether nothing is known.
    pub const fn is_empty(&self) -> bool {
        self.destinations.is_empty() && self.lookups.is_empty() && self.ports.is_empty()
    }
}

/// When and where it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// When.
    pub time: Timestamp,
    /// The record.
    pub citation: Citation,
}

/// How a process is known to be the service's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum KnownBy {
    /// It was started by services.exe for the service, or descends from such a process.
    Process,
    /// No log shows its start; its program is the service's own.
    Program,
}

/// One address and port that a service's processes talked to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Destination {
    /// The other side's address; as logged where it is none.
    pub address: String,
    /// What kind of address it is.
    pub reach: Reach,
    /// The other side's port; for connections that were accepted, the service's own.
    pub port: Option<u16>,
    /// `tcp`, `udp` or a protocol number.
    pub protocol: String,
    /// Whether the service connected (else it accepted); absent where no log says.
    pub outbound: Option<bool>,
    /// Names of the address, sorted.
    pub names: Vec<Name>,
    /// Whether any process of the host looked up a name that gave this address: absent where no look-ups were recorded
    /// before the connection, and for what the service accepted.
    pub looked_up: Option<bool>,
    /// Connections; one that two logs recorded counts once.
    pub count: usize,
    /// The first one.
    pub first: Seen,
    /// The last one.
    pub last: Seen,
    /// The service's programs that connected, as they are compared.
    pub programs: BTreeSet<String>,
    /// How those processes are known to be the service's.
    pub known_by: KnownBy,
    /// Other programs of the host that talked to this address or to one of its names.
    pub others: Others,
}

impl Destination {
    /// Whether the service reached for it: where no log says who connected, it did.
    pub fn is_outbound(&self) -> bool {
        self.outbound != Some(false)
    }

    /// Address and port as people write them.
    pub fn endpoint(&self) -> String {
        endpoint(&self.address, self.port)
    }

    /// The names that were looked up, else those that a log gives from the address.
    pub fn names_looked_up(&self) -> impl Iterator<Item = &str> {
        let own = self.names.iter().filter(|name| name.source != NameSource::Reverse);
        own.map(|name| name.name.as_str())
    }
}

/// `10.0.0.1:443`, `[::1]:443`.
pub fn endpoint(address: &str, port: Option<u16>) -> String {
    match port {
        Some(port) if address.contains(':') => format!("[{address}]:{port}"),
        Some(port) => format!("{address}:{port}"),
        None => address.to_owned(),
    }
}

/// Where a name of an address comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum NameSource {
    /// The service's own processes looked it up and got this address.
    OwnLookup,
    /// Another process of the host looked it up and got this address.
    HostLookup,
    /// The log gives it with the connection: Sysmon asks for the address's name, which its owner chooses.
    Reverse,
}

/// A name of an address.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name {
    /// The name, lower case, without a final dot.
    pub name: String,
    /// Where it comes from.
    pub source: NameSource,
}

/// Other programs of the host.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Others {
    /// How many.
    pub count: usize,
    /// The first [`Others::NAMED`] of them, sorted.
    pub programs: Vec<String>,
}

impl Others {
    /// How many are named.
    pub const NAMED: usize = 8;
}

/// One name that a service's processes looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    /// The name, lower case, without a final dot.
    pub name: String,
    /// The addresses it got, sorted.
    pub addresses: BTreeSet<String>,
    /// Look-ups.
    pub count: usize,
    /// The first one.
    pub first: Seen,
    /// The last one.
    pub last: Seen,
    /// How those processes are known to be the service's.
    pub known_by: KnownBy,
    /// Whether they connected to one of the addresses.
    pub connected: bool,
    /// Other programs of the host that looked it up.
    pub others: Others,
}

/// One port that a service's processes opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenPort {
    /// The local address; `0.0.0.0` and `::` mean all of them.
    pub address: String,
    /// The port.
    pub port: u16,
    /// `tcp`, `udp` or a protocol number.
    pub protocol: String,
    /// Whether they listened (5154), rather than only bound it (5158).
    pub listening: bool,
    /// How often.
    pub count: usize,
    /// The first time.
    pub first: Seen,
    /// How those processes are known to be the service's.
    pub known_by: KnownBy,
}

/// The first connection to another host after a start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstContact {
    /// When the process was started.
    pub started: Timestamp,
    /// How long after its start.
    pub delay: SignedDuration,
    /// The other side.
    pub address: String,
    /// Its port.
    pub port: Option<u16>,
    /// The record of the connection.
    pub citation: Citation,
}

/// What a [`Beat`] was measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BeatSource {
    /// Connections.
    Connections,
    /// Look-ups of the name, where connections were too few.
    Lookups,
}

/// How regular the contacts with one destination are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Beat {
    /// The name that the service's processes looked up, else the address.
    pub peer: String,
    /// The port, of connections.
    pub port: Option<u16>,
    /// Whether one of its addresses lies outside the site.
    pub outside: bool,
    /// What was measured.
    pub source: BeatSource,
    /// The statistic.
    pub rhythm: Rhythm,
    /// The records of the first and the last contact.
    pub citations: Vec<Citation>,
}
