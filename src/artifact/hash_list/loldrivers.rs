//! Malicious and vulnerable drivers by the digests of their files.

use std::sync::OnceLock;

use super::digest::{Digest, DigestKind};
use crate::host::program_file::{KnownList, ListMatch};

const LIST: &str = include_str!("loldrivers.tsv");

/// What the list is called where it is cited.
pub const NAME: &str = "LOLDrivers 2026-08-12";

/// A sample of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Driver {
    /// The id of the driver's page on loldrivers.io.
    pub id: &'static str,
    /// Whether it was made for attacks; else it is a product's driver with a hole.
    pub is_malicious: bool,
    /// The file name under which it is known.
    pub name: &'static str,
}

struct Index {
    drivers: Vec<Driver>,
    /// Each digest with the drivers that have it, sorted.
    digests: Vec<(Digest, usize)>,
}

fn index() -> &'static Index {
    static INDEX: OnceLock<Index> = OnceLock::new();
    INDEX.get_or_init(|| {
        let mut drivers = Vec::new();
        let mut digests = Vec::new();
        for row in LIST.lines().filter(|line| !line.starts_with('#')) {
            let mut fields = row.split('\t');
            let mut next = || fields.next().unwrap_or_default();
            let (id, is_malicious, name) = (next(), next() == "malicious", next());
            for (kind, digits) in DigestKind::ALL.into_iter().zip(fields) {
                let digest = Digest::of_hex(kind, digits.as_bytes());
                digests.extend(digest.map(|digest| (digest, drivers.len())));
            }
            drivers.push(Driver { id, is_malicious, name });
        }
        digests.sort_unstable();
        Index { drivers, digests }
    })
}

/// The driver with that digest. One that the list calls vulnerable as well as malicious counts as vulnerable: the same
/// code is in a product, and whoever has that is no intruder.
pub fn known(digest: &Digest) -> Option<Driver> {
    let index = index();
    let from = index.digests.partition_point(|(one, _)| one < digest);
    let same = index.digests.get(from..)?.iter().take_while(|(one, _)| one == digest);
    let drivers = same.filter_map(|(_, at)| index.drivers.get(*at).copied());
    drivers.min_by_key(|driver| (driver.is_malicious, *driver))
}

/// What the list knows of a file with these digests (strongest first), by the strongest that it has.
pub fn look_up(digests: &[Digest]) -> Option<ListMatch> {
    let (driver, digest) = digests.iter().find_map(|digest| Some((known(digest)?, digest)))?;
    Some(ListMatch {
        list: if driver.is_malicious {
            KnownList::MaliciousDriver
        } else {
            KnownList::VulnerableDriver
        },
        source: format!("{NAME}, id {}", driver.id),
        by: digest.kind.label().to_owned(),
        remark: driver.name.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    #[test]
    fn every_row_is_well_formed_sorted_and_found() {
        assert!(
            LIST.starts_with('#') && LIST.contains("# source: ") && LIST.contains("Apache-2.0")
        );
        assert!(LIST.contains(NAME.rsplit(' ').next().unwrap()));
        let rows: Vec<&str> = LIST.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(rows.is_sorted() && rows.iter().collect::<BTreeSet<_>>().len() == rows.len());
        assert_eq!(rows.len(), 2_180);
        let mut same: BTreeMap<(usize, &str), Vec<&str>> = BTreeMap::new();
        for row in &rows {
            for (column, digits) in row.split('\t').enumerate().skip(3) {
                same.entry((column, digits)).or_default().push(row);
            }
        }
        let (mut digests, mut malicious) = (0, 0);
        for row in &rows {
            let fields: Vec<&str> = row.split('\t').collect();
            let [id, category, name, given @ ..] = fields.as_slice() else { panic!("{row}") };
            assert!(id.len() == 36 && matches!(*category, "malicious" | "vulnerable"), "{row}");
            assert!(!name.is_empty() && given.len() <= 5, "{row}");
            assert!(given.iter().any(|digits| !digits.is_empty()), "{row}");
            malicious += usize::from(*category == "malicious");
            for ((column, kind), digits) in (3..).zip(DigestKind::ALL).zip(given) {
                if digits.is_empty() {
                    continue;
                }
                let digest = Digest::of_hex(kind, digits.as_bytes()).expect(row);
                let found = known(&digest).expect(row);
                let same = &same[&(column, *digits)];
                assert!(same.iter().any(|other| other.starts_with(found.id)), "{row}");
                let harmless = same.iter().any(|other| other.contains("\tvulnerable\t"));
                assert_eq!(found.is_malicious, !harmless, "{row}");
                digests += 1;
            }
        }
        assert_eq!((digests, malicious), (10_574, 331));
        assert_eq!(index().digests.len(), 10_574);
    }

    #[test]
    fn the_strongest_agreement_is_told() {
        let of = |kind, digits: &str| Digest::of_hex(kind, digits.as_bytes()).unwrap();
        let sha1 = of(DigestKind::Sha1, "e9bca8f4b8c60688eacc7d18c6ba7777c181bb84");
        let unknown = of(DigestKind::Sha256, &"00".repeat(32));
        let found = look_up(&[unknown, sha1]).unwrap();
        assert_eq!(
            (found.list, found.by.as_str(), found.remark.as_str()),
            (KnownList::MaliciousDriver, "sha1", "rwtkrl.sys")
        );
        assert_eq!(look_up(&[unknown]), None);
        // CrowdStrike's driver stands in both parts of the list with the same code.
        let shared = LIST.lines().find(|row| row.contains("\tcsagent.sys\t6a2a0f9c")).unwrap();
        let digits = shared.split('\t').nth(6).unwrap();
        let both = known(&of(DigestKind::AuthentihashSha256, digits)).unwrap();
        assert!(!both.is_malicious);
    }
}
