//! A point in time as the contract writes it.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, Error as _};
use serde::ser::{Serialize, Serializer};

use crate::time;

/// UTC in RFC 3339 with exactly seven fractional digits: the evidence counts 100 ns ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp(pub Timestamp);

impl Stamp {
    /// For people, to the second.
    pub fn short(self) -> String {
        time::format_short(self.0)
    }
}

impl From<Timestamp> for Stamp {
    fn from(timestamp: Timestamp) -> Self {
        Self(timestamp)
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&time::format(self.0))
    }
}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map(Self).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_survive_the_round_trip() {
        for text in ["2026-11-03T14:02:11.1234567Z", "1601-01-01T00:00:00.0000001Z"] {
            let json = format!("\"{text}\"");
            let stamp: Stamp = serde_json::from_str(&json).unwrap();
            assert_eq!(serde_json::to_string(&stamp).unwrap(), json);
        }
        assert!(serde_json::from_str::<Stamp>("\"yesterday\"").is_err());
    }
}
