//! Destinations that other hosts of the site talk to, as the analyst lists them.
//!
//! The file format is in `docs/known-destinations.md`. An entry says that somebody else goes there as well, not that it
//! is good: an intruder on two hosts is known to both.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufRead, Read as _};
use std::net::IpAddr;

use super::network::{Destination, name, reach};
use crate::text;

/// The longest line, in bytes.
const LONGEST_LINE: u64 = 4_096;
/// The most entries that are read.
const MOST_ENTRIES: usize = 5_000_000;

/// Destinations that other hosts talk to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KnownDestinations {
    addresses: BTreeMap<IpAddr, Hosts>,
    /// Length of the prefix and the masked address.
    networks: BTreeMap<(u8, IpAddr), Hosts>,
    /// The lengths in use, so that a look-up tries no others.
    lengths: BTreeSet<u8>,
    names: BTreeMap<String, Hosts>,
    /// `*.domain`: the domain.
    domains: BTreeMap<String, Hosts>,
    count: usize,
}

/// Who talks to a destination.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Hosts {
    /// Whether a line names no host.
    unnamed: bool,
    /// Folded names up to the first dot.
    named: BTreeSet<String>,
}

impl Hosts {
    fn add(&mut self, host: &str) {
        if host.trim().is_empty() {
            self.unnamed = true;
        } else {
            self.named.insert(short(host));
        }
    }

    /// Whether a host other than this one is among them.
    fn others(&self, own: Option<&str>) -> bool {
        self.unnamed || self.named.iter().any(|host| Some(host.as_str()) != own)
    }
}

fn short(host: &str) -> String {
    text::fold(host.trim().split('.').next().unwrap_or_default())
}

impl KnownDestinations {
    /// Reads a list line by line: comments (`#`), a header (optional), and entries, alone or first in a row of CSV.
    ///
    /// # Errors
    /// A sentence with the line: what is no address, network or name, a list that knows everything, too long a line, too
    /// many entries, a failed read.
    pub fn read(input: impl BufRead) -> Result<Self, String> {
        let mut known = Self::default();
        let mut lines = Lines { input, number: 0 };
        let mut columns: Option<Columns> = None;
        while let Some(line) = lines.next_line()? {
            let line = line.trim_start_matches('\u{feff}').trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let at = |problem: String| format!("line {}: {problem}", lines.number);
            let fields = fields(line).map_err(at)?;
            if let Some(columns) = &columns {
                known.add(columns, &fields).map_err(at)?;
                continue;
            }
            let header = Columns::of_header(&fields).map_err(at)?;
            if header.is_none() {
                let plain = Columns { destination: 0, host: None, width: None };
                known.add(&plain, &fields).map_err(at)?;
                columns = Some(plain);
            } else {
                columns = header;
            }
        }
        Ok(known)
    }

    fn add(&mut self, columns: &Columns, fields: &[String]) -> Result<(), String> {
        if columns.width.is_some_and(|width| fields.len() > width) {
            return Err("more fields than columns".to_owned());
        }
        let entry = fields.get(columns.destination).map(String::as_str).unwrap_or_default();
        let host = columns.host.and_then(|at| fields.get(at)).map(String::as_str);
        if self.count >= MOST_ENTRIES {
            return Err(format!("more than {MOST_ENTRIES} entries"));
        }
        self.slot(entry)?.add(host.unwrap_or_default());
        self.count = self.count.saturating_add(1);
        Ok(())
    }

    /// Where an entry is kept.
    fn slot(&mut self, entry: &str) -> Result<&mut Hosts, String> {
        let no = || format!("`{entry}` is no address, network (10.0.0.0/8), name or *.domain");
        if let Some(address) = reach::parse(entry) {
            return Ok(self.addresses.entry(address).or_default());
        }
        if let Some((address, length)) = entry.split_once('/') {
            let address: IpAddr = address.trim().parse().map_err(|_| no())?;
            let length: u8 = length.trim().parse().map_err(|_| no())?;
            if length == 0 {
                return Err(format!("`{entry}` would know every destination"));
            }
            let network = masked(address, length).ok_or_else(no)?;
            self.lengths.insert(length);
            return Ok(self.networks.entry((length, network)).or_default());
        }
        let folded = name::fold(entry);
        if folded == "*" || folded == "*." {
            return Err(format!("`{entry}` would know every destination"));
        }
        if let Some(domain) = folded.strip_prefix("*.") {
            if is_name(domain) {
                return Ok(self.domains.entry(domain.to_owned()).or_default());
            }
            return Err(no());
        }
        if is_name(&folded) {
            return Ok(self.names.entry(folded).or_default());
        }
        Err(no())
    }

    /// How many entries were read.
    pub const fn len(&self) -> usize {
        self.count
    }

    /// Whether the list is empty.
    pub const fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Whether another host than `own` talks to that destination: by its address, or by a name that was looked up.
    /// Names that an address claims for itself do not count: its owner chooses them.
    pub fn knows(&self, destination: &Destination, own: Option<&str>) -> bool {
        reach::parse(&destination.address).is_some_and(|address| self.knows_address(address, own))
            || destination.names_looked_up().any(|name| self.knows_name(name, own))
    }

    /// Whether another host than `own` talks to that address.
    pub fn knows_address(&self, address: IpAddr, own: Option<&str>) -> bool {
        let own = own.map(short);
        let own = own.as_deref();
        let address = address.to_canonical();
        self.addresses.get(&address).is_some_and(|hosts| hosts.others(own))
            || self.lengths.iter().any(|length| {
                masked(address, *length)
                    .and_then(|network| self.networks.get(&(*length, network)))
                    .is_some_and(|hosts| hosts.others(own))
            })
    }

    /// Whether another host than `own` talks to that name.
    pub fn knows_name(&self, name: &str, own: Option<&str>) -> bool {
        let own = own.map(short);
        let own = own.as_deref();
        let name = name::fold(name);
        if self.names.get(&name).is_some_and(|hosts| hosts.others(own)) {
            return true;
        }
        let mut rest = name.as_str();
        while let Some((_, domain)) = rest.split_once('.') {
            if self.domains.get(domain).is_some_and(|hosts| hosts.others(own)) {
                return true;
            }
            rest = domain;
        }
        false
    }
}

/// The network of an address; `None` where the prefix is longer than the address.
fn masked(address: IpAddr, length: u8) -> Option<IpAddr> {
    let cut = |bits: u128, width: u32| {
        let shift = width.checked_sub(length.into())?;
        Some(bits.checked_shr(shift).unwrap_or(0).checked_shl(shift).unwrap_or(0))
    };
    match address {
        IpAddr::V4(four) => {
            let bits = cut(u32::from(four).into(), 32)?;
            u32::try_from(bits).ok().map(|bits| IpAddr::V4(bits.into()))
        }
        IpAddr::V6(six) => cut(six.into(), 128).map(|bits| IpAddr::V6(bits.into())),
    }
}

/// Letters, digits, hyphens, underscores and dots, no empty label: what a name in a log can be.
fn is_name(name: &str) -> bool {
    let of_name = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    name.split('.').all(|label| !label.is_empty() && label.chars().all(of_name))
        && !name.chars().all(|c| c.is_ascii_digit() || c == '.')
}

/// The columns that a header may name.
const COLUMNS: [&str; 3] = ["destination", "host", "note"];

/// Which field is which.
struct Columns {
    destination: usize,
    host: Option<usize>,
    /// How many there are, where a header says so.
    width: Option<usize>,
}

impl Columns {
    /// The columns, if the first row is a header.
    fn of_header(fields: &[String]) -> Result<Option<Self>, String> {
        let names: Vec<String> = fields.iter().map(|field| field.to_lowercase()).collect();
        let Some(destination) = names.iter().position(|name| name == "destination") else {
            return Ok(None);
        };
        if let Some(unknown) = names.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
            return Err(format!("unknown column `{unknown}`; known are {}", COLUMNS.join(", ")));
        }
        let host = names.iter().position(|name| name == "host");
        Ok(Some(Self { destination, host, width: Some(names.len()) }))
    }
}

/// The fields of a row of CSV.
fn fields(line: &str) -> Result<Vec<String>, String> {
    let delimiter = if line.contains(';') && !line.contains(',') { b';' } else { b',' };
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(line.as_bytes());
    let mut record = csv::StringRecord::new();
    reader.read_record(&mut record).map_err(|error| error.to_string())?;
    Ok(record.iter().map(str::to_owned).collect())
}

/// Lines of bounded length with their number.
struct Lines<R> {
    input: R,
    number: usize,
}

impl<R: BufRead> Lines<R> {
    fn next_line(&mut self) -> Result<Option<String>, String> {
        let mut line = Vec::new();
        self.number = self.number.saturating_add(1);
        let read = (&mut self.input)
            .take(LONGEST_LINE)
            .read_until(b'\n', &mut line)
            .map_err(|error: io::Error| format!("line {}: {error}", self.number))?;
        if read == 0 {
            return Ok(None);
        }
        if !line.ends_with(b"\n") && u64::try_from(read) == Ok(LONGEST_LINE) {
            return Err(format!("line {}: longer than {LONGEST_LINE} bytes", self.number));
        }
        match String::from_utf8(line) {
            Ok(line) => Ok(Some(line)),
            Err(_) => Err(format!("line {}: not in UTF-8", self.number)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<KnownDestinations, String> {
        KnownDestinations::read(text.as_bytes())
    }

    #[test]
    fn plain_lists_know_addresses_networks_names_and_domains() {
        let known = read(
            "\u{feff}# site list\n\n198.51.100.7\n10.0.0.0/8\n2001:db8::/32\r\nupdate.contoso.com.\n*.Fabrikam.com\n",
        )
        .unwrap();
        assert_eq!(known.len(), 5);
        for (address, expected) in [
            ("198.51.100.7", true),
            ("::ffff:198.51.100.7", true),
            ("198.51.100.8", false),
            ("10.255.0.1", true),
            ("11.0.0.1", false),
            ("2001:db8:1::1", true),
            ("2001:db9::1", false),
        ] {
            assert_eq!(known.knows_address(address.parse().unwrap(), None), expected, "{address}");
        }
        for (name, expected) in [
            ("UPDATE.contoso.com", true),
            ("x.update.contoso.com", false),
            ("a.b.fabrikam.com", true),
            ("fabrikam.com", false),
            ("evilfabrikam.com", false),
        ] {
            assert_eq!(known.knows_name(name, None), expected, "{name}");
        }
    }

    #[test]
    fn what_only_this_host_says_is_not_known_to_others() {
        let known = read(
            "host,destination,note\nWS01,a.example,\"x, y\"\nws02.corp.example,b.example,\n,c.example\n",
        )
        .unwrap();
        for (name, expected) in [("a.example", false), ("b.example", true), ("c.example", true)] {
            assert_eq!(known.knows_name(name, Some("ws01.corp.example")), expected, "{name}");
        }
        assert!(known.knows_name("a.example", None));
    }

    #[test]
    fn mistakes_name_their_line() {
        let long = format!("{}\n", "a".repeat(5_000));
        for (text, expected) in [
            ("a.example\n10.0.0.0/33\n", "line 2: `10.0.0.0/33` is no"),
            ("10.0.0.0/x\n", "line 1: `10.0.0.0/x` is no"),
            ("0.0.0.0/0\n", "line 1: `0.0.0.0/0` would know every destination"),
            ("# c\n*\n", "line 2: `*` would know every destination"),
            ("*.a b\n", "line 1: `*.a b` is no"),
            ("a..b\n", "line 1: `a..b` is no"),
            ("1.2.3\n", "line 1: `1.2.3` is no"),
            ("https://a.example/\n", "line 1: `https://a.example/` is no"),
            ("destination,port\n", "line 1: unknown column `port`"),
            ("destination\na.example,b\n", "line 2: more fields than columns"),
            ("host,destination\nWS01\n", "line 2: `` is no"),
            (long.as_str(), "line 1: longer than 4096 bytes"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.starts_with(expected), "{text:.40}: {error}");
        }
        let error = KnownDestinations::read(&b"a.example\n\xff\n"[..]).unwrap_err();
        assert_eq!(error, "line 2: not in UTF-8");
        assert!(read("# nothing\n").unwrap().is_empty());
    }
}
