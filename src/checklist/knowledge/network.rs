//! Names and ports on the network: what anybody can get at once, and what seldom belongs to a service.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use super::{List, rows};

const NAMES: &str = include_str!("passing_names.tsv");
const PORTS: &str = include_str!("ports.tsv");
const PROGRAM_PORTS: &str = include_str!("program_ports.tsv");
static PORT_ROWS: List = List::new(PORTS);
static PROGRAM_ROWS: List = List::new(PROGRAM_PORTS);

/// Why anybody can have such a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PassingKind {
    /// Dynamic DNS: a name for an address that changes.
    Dynamic,
    /// A relay: a name for a port of somebody's own machine.
    Tunnel,
}

impl PassingKind {
    /// What people call it.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dynamic => "dynamic DNS",
            Self::Tunnel => "a tunnel's relay",
        }
    }
}

/// A domain below which anybody gets a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PassingName {
    /// The domain.
    pub domain: &'static str,
    /// Why.
    pub kind: PassingKind,
    /// The provider, where the list names it.
    pub provider: Option<&'static str>,
}

/// The domain that such a name belongs to, where it is one anybody can get a name below.
pub fn passing_name(name: &str) -> Option<PassingName> {
    let name = name.trim().trim_end_matches('.').to_lowercase();
    let mut rest = name.as_str();
    loop {
        if let Some(found) = names().get(rest) {
            return Some(*found);
        }
        rest = rest.split_once('.')?.1;
    }
}

fn names() -> &'static BTreeMap<&'static str, PassingName> {
    static TABLE: OnceLock<BTreeMap<&'static str, PassingName>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let row = |row: super::Row| {
            let kind = match row.field(1) {
                "tunnel" => PassingKind::Tunnel,
                _ => PassingKind::Dynamic,
            };
            let provider = Some(row.field(2)).filter(|provider| !provider.is_empty());
            (row.field(0), PassingName { domain: row.field(0), kind, provider })
        };
        rows(NAMES).map(row).collect()
    })
}

/// What a port is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PortKind {
    /// Administration and file sharing, which belong inside a site.
    Remote,
    /// Proxies and anonymity.
    Relay,
    /// Chat.
    Chat,
    /// The default of an attack tool.
    Tool,
}

/// A port that a service seldom has a reason to reach on the Internet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OddPort {
    /// What it is for.
    pub kind: PortKind,
    /// What uses it.
    pub used_by: &'static str,
}

/// What is odd about a remote port.
pub fn odd_port(port: u16) -> Option<OddPort> {
    let row = PORT_ROWS.rows().find(|row| row.number(0) == Some(port.into()))?;
    let kind = match row.field(1) {
        "relay" => PortKind::Relay,
        "chat" => PortKind::Chat,
        "tool" => PortKind::Tool,
        _ => PortKind::Remote,
    };
    Some(OddPort { kind, used_by: row.field(2) })
}

/// What a program of Windows does on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UsualPorts {
    /// The remote ports it uses outside the site.
    pub ports: Vec<u32>,
    /// Why.
    pub why: &'static str,
}

/// The usual ports of the program of that file name (lower case), where it is listed.
pub fn usual_ports(leaf: &str) -> Option<UsualPorts> {
    let row = PROGRAM_ROWS.rows().find(|row| row.field(0) == leaf)?;
    Some(UsualPorts { ports: row.numbers(1), why: row.field(2) })
}

#[cfg(test)]
mod tests {
    use super::super::tests::assert_well_formed;
    use super::*;

    #[test]
    fn lists_are_well_formed() {
        assert_well_formed(NAMES, 3, 1);
        assert_well_formed(PORTS, 3, 1);
        assert_well_formed(PROGRAM_PORTS, 3, 1);
        for row in rows(NAMES) {
            assert!(matches!(row.field(1), "dynamic" | "tunnel"), "{:?}", row.0);
            assert!(row.field(0).contains('.'), "{:?}", row.0);
        }
        for row in rows(PORTS) {
            assert!(row.number(0).is_some_and(|port| u16::try_from(port).is_ok()), "{:?}", row.0);
            let known = ["remote", "relay", "chat", "tool"].contains(&row.field(1));
            assert!(known && !row.field(2).is_empty(), "{:?}", row.0);
        }
        for row in rows(PROGRAM_PORTS) {
            let ports = row.numbers(1);
            assert!(ports.is_sorted(), "{:?}", row.0);
            let given = row.field(1).split(',').filter(|port| !port.is_empty()).count();
            assert!(given == ports.len() && !row.field(2).is_empty(), "{:?}", row.0);
        }
    }

    #[test]
    fn names_belong_to_a_domain_anybody_can_use() {
        for (name, expected) in [
            ("evil.duckdns.org", Some(("duckdns.org", PassingKind::Dynamic))),
            ("a.b.DDNS.net.", Some(("ddns.net", PassingKind::Dynamic))),
            ("x.trycloudflare.com", Some(("trycloudflare.com", PassingKind::Tunnel))),
            ("0.tcp.eu.ngrok.io", Some(("ngrok.io", PassingKind::Tunnel))),
            ("notduckdns.org", None),
            ("www.microsoft.com", None),
            ("", None),
        ] {
            let found = passing_name(name).map(|found| (found.domain, found.kind));
            assert_eq!(found, expected, "{name}");
        }
        assert_eq!(passing_name("x.duckdns.org").unwrap().provider, Some("DuckDNS"));
    }

    #[test]
    fn ports_are_known() {
        assert_eq!(odd_port(4444).map(|port| port.kind), Some(PortKind::Tool));
        assert_eq!(odd_port(443), None);
        assert!(usual_ports("svchost.exe").unwrap().ports.contains(&443));
        assert!(usual_ports("notepad.exe").unwrap().ports.is_empty());
        assert_eq!(usual_ports("agent.exe"), None);
    }
}
