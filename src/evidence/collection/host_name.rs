//! What a collection's name says about the host it is of.

use crate::evidence::HostName;

/// Who says so, where it is the name of the folder or archive.
const SOURCE: &str = "the name of the collection";

/// A host's name by the name of its collection.
pub(super) fn by_name(name: &str) -> Option<HostName> {
    (!name.is_empty()).then(|| HostName { name: name.to_owned(), source: SOURCE.into() })
}

/// `Collection-HOST-2026-01-02T03_04_05Z`, as Velociraptor names what it collects offline, and
/// `HOST-C.1234567890abcdef`, as it names a host's folder in the export of a hunt.
pub(super) fn of_velociraptor(name: &str) -> Option<HostName> {
    if let Some((host, id)) = name.rsplit_once("-C.")
        && !id.is_empty()
        && id.chars().all(|c| c.is_ascii_alphanumeric())
    {
        return by_name(host);
    }
    let rest = name.strip_prefix("Collection-")?;
    let starts = rest.char_indices().filter(|(_, c)| *c == '-');
    let (mut host, mut found) = (rest, false);
    for (at, _) in starts {
        let (before, after) = rest.split_at_checked(at)?;
        if is_date(after.get(1..).unwrap_or_default()) {
            (host, found) = (before, true);
            break;
        }
    }
    found.then(|| by_name(host)).flatten()
}

/// `HOST_20260102030405`, as acquire names what it collects.
pub(super) fn of_acquire(name: &str) -> Option<HostName> {
    let (host, time) = name.rsplit_once('_')?;
    let is_time = time.len() == 14 && time.bytes().all(|digit| digit.is_ascii_digit());
    is_time.then(|| by_name(host)).flatten()
}

/// `2026-01-02T03-04-05-HOST` or `20260102030405-HOST`, as Tanium names what it collects.
pub(super) fn of_tanium(name: &str) -> Option<HostName> {
    let is_time = |c: char| c.is_ascii_digit() || matches!(c, '-' | 'T' | 'Z' | ':' | '_' | '.');
    let digits = name.chars().take_while(|c| is_time(*c)).filter(char::is_ascii_digit).count();
    let (time, host) = name.split_at_checked(name.find(|c| !is_time(c))?)?;
    // A host's name may begin with a `T` or a digit; the last `-` ends the time.
    let host = time.rsplit_once('-').map(|(_, start)| format!("{start}{host}"))?;
    (digits >= 8).then(|| by_name(&host)).flatten()
}

/// `DFIR-ORC_{type of system}_{full name of the computer}_{what}`, as DFIR-ORC names its archives.
pub(super) fn of_orc(name: &str) -> Option<HostName> {
    let rest = name.strip_prefix("DFIR-ORC_").or_else(|| name.strip_prefix("ORC_"))?;
    let (_, rest) = rest.split_once('_')?;
    by_name(rest.rsplit_once('_').map_or(rest, |(host, _)| host))
}

fn is_date(text: &str) -> bool {
    let mut bytes = text.bytes();
    let shape = "dddd-dd-ddT".bytes();
    shape.into_iter().all(|wanted| match (wanted, bytes.next()) {
        (b'd', Some(byte)) => byte.is_ascii_digit(),
        (wanted, Some(byte)) => wanted == byte,
        (_, None) => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_collections_name_their_hosts() {
        type Of = fn(&str) -> Option<HostName>;
        for (of, name, expected) in [
            (
                of_velociraptor as Of,
                "Collection-WS-01.corp-2026-01-02T03_04_05Z",
                Some("WS-01.corp"),
            ),
            (of_velociraptor, "Collection-WS-01", None),
            (of_velociraptor, "WS-01-C.0a1b2c3d4e5f6071", Some("WS-01")),
            (of_velociraptor, "WS-01", None),
            (of_acquire, "WS_01_20260102030405", Some("WS_01")),
            (of_acquire, "WS_01", None),
            (of_tanium, "2026-01-02T03-04-05-TS01", Some("TS01")),
            (of_tanium, "20260102030405-WS01", Some("WS01")),
            (of_tanium, "WS01", None),
            (of_orc, "DFIR-ORC_WorkStation_WS01.corp.example_General", Some("WS01.corp.example")),
            (of_orc, "General", None),
        ] {
            assert_eq!(of(name).map(|host| host.name).as_deref(), expected, "{name}");
        }
    }
}
