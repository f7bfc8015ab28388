//! Security identifiers (SIDs): who owns, who may, who did.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A security identifier, `S-1-5-21-…-1001`.
///
/// Layout: MS-DTYP 2.4.2.2. Ordered and compared as its parts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Sid {
    authority: u64,
    sub_authorities: Vec<u32>,
}

/// Text that is no SID.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a security identifier")]
pub struct SidError;

/// A SID has at most this many sub-authorities (MS-DTYP 2.4.2.2).
const MAX_SUB_AUTHORITIES: usize = 15;
/// The identifier authority has 48 bits.
const MAX_AUTHORITY: u64 = 0xffff_ffff_ffff;

impl Sid {
    /// Reads a binary SID from the start of a buffer.
    ///
    /// `None` when it is cut off, has another revision than 1 or more than 15 sub-authorities.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let ([1, count, a0, a1, a2, a3, a4, a5], rest) = bytes.split_first_chunk::<8>()? else {
            return None;
        };
        let count = usize::from(*count);
        if count > MAX_SUB_AUTHORITIES {
            return None;
        }
        let words = rest.get(..count.checked_mul(4)?)?.chunks_exact(4);
        let sub_authorities = words.filter_map(|word| word.first_chunk().copied());
        Some(Self {
            authority: u64::from_be_bytes([0, 0, *a0, *a1, *a2, *a3, *a4, *a5]),
            sub_authorities: sub_authorities.map(u32::from_le_bytes).collect(),
        })
    }

    /// Bytes the SID takes in its binary form.
    pub fn binary_length(&self) -> usize {
        self.sub_authorities.len().saturating_mul(4).saturating_add(8)
    }

    /// The relative identifier: the last part, which tells accounts of one machine or domain apart.
    pub fn relative_id(&self) -> Option<u32> {
        self.sub_authorities.last().copied()
    }

    /// Whether it names an account or group of one machine or domain (`S-1-5-21-…`).
    pub fn is_domain_account(&self) -> bool {
        self.authority == 5 && self.sub_authorities.first() == Some(&21)
    }

    /// Whether it is derived from a service's name (`NT SERVICE\…`, `S-1-5-80-…`).
    pub fn is_service(&self) -> bool {
        self.authority == 5 && self.sub_authorities.first() == Some(&80)
    }

    /// The name Windows shows for a SID that means the same on every machine.
    pub fn well_known_name(&self) -> Option<&'static str> {
        self.lookup().map(|(_, _, name)| *name)
    }

    /// The two letters that stand for it in SDDL, where they mean the same on every machine.
    pub fn sddl_alias(&self) -> Option<&'static str> {
        self.lookup().map(|(_, alias, _)| *alias).filter(|alias| !alias.is_empty())
    }

    fn lookup(&self) -> Option<&'static (&'static str, &'static str, &'static str)> {
        let text = self.to_string();
        WELL_KNOWN.iter().find(|(sid, _, _)| *sid == text)
    }
}

impl fmt::Display for Sid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.authority > u64::from(u32::MAX) {
            write!(formatter, "S-1-{:#014x}", self.authority)?;
        } else {
            write!(formatter, "S-1-{}", self.authority)?;
        }
        self.sub_authorities.iter().try_for_each(|part| write!(formatter, "-{part}"))
    }
}

impl FromStr for Sid {
    type Err = SidError;

    fn from_str(text: &str) -> Result<Self, SidError> {
        let mut parts = text.split('-');
        if !parts.next().is_some_and(|part| part.eq_ignore_ascii_case("S"))
            || parts.next() != Some("1")
        {
            return Err(SidError);
        }
        let authority = parts.next().ok_or(SidError)?;
        let authority = match authority.strip_prefix("0x") {
            Some(digits) => u64::from_str_radix(digits, 16),
            None => authority.parse(),
        };
        let authority = authority.ok().filter(|value| *value <= MAX_AUTHORITY).ok_or(SidError)?;
        let sub_authorities: Vec<u32> =
            parts.map(str::parse).collect::<Result<_, _>>().map_err(|_| SidError)?;
        if sub_authorities.len() > MAX_SUB_AUTHORITIES {
            return Err(SidError);
        }
        Ok(Self { authority, sub_authorities })
    }
}

impl From<Sid> for String {
    fn from(sid: Sid) -> Self {
        sid.to_string()
    }
}

impl TryFrom<String> for Sid {
    type Error = SidError;

    fn try_from(text: String) -> Result<Self, SidError> {
        text.parse()
    }
}

/// Groups in which those are who administer nothing: SID and a word for it.
const ORDINARY: [(&str, &str); 8] = [
    ("S-1-1-0", "everyone"),
    ("S-1-5-2", "network users"),
    ("S-1-5-4", "interactive users"),
    ("S-1-5-7", "anonymous users"),
    ("S-1-5-11", "authenticated users"),
    ("S-1-5-32-545", "users"),
    ("S-1-5-32-546", "guests"),
    ("S-1-15-2-1", "apps"),
];

/// What a group is called if ordinary users are in it who administer nothing; absent for other SIDs.
pub fn ordinary_users(sid: &str) -> Option<&'static str> {
    let known = ORDINARY.iter().find(|(known, _)| *known == sid).map(|(_, word)| *word);
    known.or_else(|| {
        let domain = sid.starts_with("S-1-5-21-");
        match sid.rsplit('-').next() {
            Some("513") if domain => Some("domain users"),
            Some("514") if domain => Some("domain guests"),
            _ => None,
        }
    })
}

/// SID, SDDL letters (empty: none), name. Source: MS-DTYP 2.4.2.4 and 2.5.1.1.
const WELL_KNOWN: &[(&str, &str, &str)] = &[
    ("S-1-0-0", "", "Nobody"),
    ("S-1-1-0", "WD", "Everyone"),
    ("S-1-2-0", "", "LOCAL"),
    ("S-1-2-1", "", "CONSOLE LOGON"),
    ("S-1-3-0", "CO", "CREATOR OWNER"),
    ("S-1-3-1", "CG", "CREATOR GROUP"),
    ("S-1-3-4", "OW", "OWNER RIGHTS"),
    ("S-1-5-1", "", "DIALUP"),
    ("S-1-5-2", "NU", "NETWORK"),
    ("S-1-5-3", "", "BATCH"),
    ("S-1-5-4", "IU", "INTERACTIVE"),
    ("S-1-5-6", "SU", "SERVICE"),
    ("S-1-5-7", "AN", "ANONYMOUS LOGON"),
    ("S-1-5-9", "ED", "ENTERPRISE DOMAIN CONTROLLERS"),
    ("S-1-5-10", "PS", "SELF"),
    ("S-1-5-11", "AU", "Authenticated Users"),
    ("S-1-5-12", "RC", "RESTRICTED"),
    ("S-1-5-13", "", "TERMINAL SERVER USER"),
    ("S-1-5-14", "", "REMOTE INTERACTIVE LOGON"),
    ("S-1-5-17", "", "IUSR"),
    ("S-1-5-18", "SY", "LocalSystem"),
    ("S-1-5-19", "LS", "LocalService"),
    ("S-1-5-20", "NS", "NetworkService"),
    ("S-1-5-33", "WR", "WRITE RESTRICTED"),
    ("S-1-5-32-544", "BA", "Administrators"),
    ("S-1-5-32-545", "BU", "Users"),
    ("S-1-5-32-546", "BG", "Guests"),
    ("S-1-5-32-547", "PU", "Power Users"),
    ("S-1-5-32-548", "AO", "Account Operators"),
    ("S-1-5-32-549", "SO", "Server Operators"),
    ("S-1-5-32-550", "PO", "Print Operators"),
    ("S-1-5-32-551", "BO", "Backup Operators"),
    ("S-1-5-32-552", "RE", "Replicator"),
    ("S-1-5-32-554", "RU", "Pre-Windows 2000 Compatible Access"),
    ("S-1-5-32-555", "RD", "Remote Desktop Users"),
    ("S-1-5-32-556", "NO", "Network Configuration Operators"),
    ("S-1-5-32-558", "MU", "Performance Monitor Users"),
    ("S-1-5-32-559", "LU", "Performance Log Users"),
    ("S-1-5-32-568", "IS", "IIS_IUSRS"),
    ("S-1-5-32-569", "CY", "Cryptographic Operators"),
    ("S-1-5-32-573", "ER", "Event Log Readers"),
    ("S-1-5-32-574", "CD", "Certificate Service DCOM Access"),
    ("S-1-5-32-575", "RA", "RDS Remote Access Servers"),
    ("S-1-5-32-576", "ES", "RDS Endpoint Servers"),
    ("S-1-5-32-577", "MS", "RDS Management Servers"),
    ("S-1-5-32-578", "HA", "Hyper-V Administrators"),
    ("S-1-5-32-579", "AA", "Access Control Assistance Operators"),
    ("S-1-5-32-580", "RM", "Remote Management Users"),
    ("S-1-5-80-0", "", "NT SERVICE\\ALL SERVICES"),
    (
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
        "",
        "NT SERVICE\\TrustedInstaller",
    ),
    ("S-1-5-84-0-0-0-0-0", "UD", "USER MODE DRIVERS"),
    ("S-1-5-113", "", "Local account"),
    ("S-1-5-114", "", "Local account and member of Administrators group"),
    ("S-1-15-2-1", "AC", "ALL APPLICATION PACKAGES"),
    ("S-1-15-2-2", "", "ALL RESTRICTED APPLICATION PACKAGES"),
    ("S-1-16-0", "", "Untrusted Mandatory Level"),
    ("S-1-16-4096", "LW", "Low Mandatory Level"),
    ("S-1-16-8192", "ME", "Medium Mandatory Level"),
    ("S-1-16-8448", "MP", "Medium Plus Mandatory Level"),
    ("S-1-16-12288", "HI", "High Mandatory Level"),
    ("S-1-16-16384", "SI", "System Mandatory Level"),
    ("S-1-18-1", "AS", "Authentication authority asserted identity"),
    ("S-1-18-2", "SS", "Service asserted identity"),
];

#[cfg(test)]
mod tests {
    use super::*;

    const ADMINISTRATOR: [u8; 28] =
        [1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0xf4, 1, 0, 0];

    #[test]
    fn binary_and_text_are_the_same_sid() {
        let sid = Sid::parse(&ADMINISTRATOR).unwrap();
        assert_eq!(sid.to_string(), "S-1-5-21-1-2-3-500");
        assert_eq!("S-1-5-21-1-2-3-500".parse(), Ok(sid.clone()));
        assert_eq!((sid.relative_id(), sid.binary_length()), (Some(500), 28));
        assert!(sid.is_domain_account() && !sid.is_service());
        assert_eq!(serde_json::to_string(&sid).unwrap(), "\"S-1-5-21-1-2-3-500\"");
    }

    #[test]
    fn cut_or_foreign_bytes_are_no_sid() {
        for length in 0..ADMINISTRATOR.len() {
            assert_eq!(Sid::parse(&ADMINISTRATOR[..length]), None, "{length} bytes");
        }
        assert_eq!(Sid::parse(&[2, 0, 0, 0, 0, 0, 0, 5]), None);
        assert_eq!(Sid::parse(&[1, 16, 0, 0, 0, 0, 0, 5]), None);
        for text in ["", "S-1", "S-2-5-18", "S-1-5-x", "S-1-5-4294967296", "S-1-281474976710656"] {
            assert_eq!(text.parse::<Sid>(), Err(SidError), "{text}");
        }
    }

    #[test]
    fn well_known_sids_are_sids_and_listed_once() {
        for (index, (text, alias, name)) in WELL_KNOWN.iter().enumerate() {
            let sid: Sid = text.parse().unwrap();
            assert_eq!(sid.to_string(), *text);
            assert_eq!(sid.well_known_name(), Some(*name));
            let twin = |other: &&(&str, &str, &str)| other.1 == *alias && !alias.is_empty();
            assert!(!WELL_KNOWN[index + 1..].iter().any(|other| twin(&other)), "{alias} twice");
        }
        assert_eq!("S-1-5-18".parse::<Sid>().unwrap().sddl_alias(), Some("SY"));
        assert_eq!("S-1-5-80-0".parse::<Sid>().unwrap().sddl_alias(), None);
    }
}
