//! What is put on evaluation hosts: services that attackers and their tools leave, and ordinary ones that look odd.
//!
//! A definition says what happens in the actions of scenarios, so that hive and logs agree the way Windows makes them agree.

mod unroll;

use std::sync::LazyLock;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::lab::scenario::{Action, ProgramSpec, ScenarioError, Step, User};

/// Attacks, one definition each, sorted by id.
const ATTACKS: &[&str] =
    &[include_str!("attacks/observed.toml"), include_str!("attacks/published.toml")];
/// Ordinary services that look odd.
const DECOYS: &str = include_str!("decoys.toml");
/// The people that definitions speak of.
const CAST: &str = include_str!("cast.toml");

/// One thing that is put on a host.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Plant {
    /// `M10`: never reused.
    pub id: String,
    /// What leaves it: a tool or group of tools that share their traits (`impacket-smbexec`). Held out together.
    pub family: String,
    /// What it is, in a few words.
    pub title: String,
    /// Where the facts are from.
    pub source: String,
    /// Whether administrators leave the same traces: half as relevant as an attack.
    #[serde(default)]
    pub dual_use: bool,
    /// The services that are to be found (of a decoy: that are to stay low), by key name. In the tables
    /// `{n}` stands for the number of the turn of a plant that is repeated.
    pub services: Vec<String>,
    /// The list of approved changes that goes with it, in TOML.
    pub approved: Option<String>,
    /// What happens, in order.
    #[serde(rename = "step")]
    steps: Vec<Moment>,
    /// Files it leaves.
    #[serde(default, rename = "program")]
    pub programs: Vec<ProgramSpec>,
}

/// An action, some time after the plant's beginning.
#[derive(Debug, Clone, Deserialize)]
struct Moment {
    /// Seconds after the plant's own beginning; negative for what was there before, a month at most.
    after: i32,
    #[serde(flatten)]
    action: Action,
}

impl Plant {
    /// Its actions, beginning at that time.
    pub fn steps(&self, begin: Timestamp) -> impl Iterator<Item = Step> {
        self.steps.iter().map(move |moment| {
            let after = SignedDuration::from_secs(i64::from(moment.after));
            let at = begin.saturating_add(after).unwrap_or(begin);
            Step { at, action: moment.action.clone() }
        })
    }
}

/// The tables, read once.
struct Tables {
    attacks: Vec<Plant>,
    decoys: Vec<Plant>,
    cast: Vec<User>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Plants {
    plant: Vec<toml::Table>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cast {
    user: Vec<User>,
}

fn read() -> Result<Tables, ScenarioError> {
    let mut attacks = Vec::new();
    for text in ATTACKS {
        attacks.extend(plants(text)?);
    }
    attacks.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(Tables { attacks, decoys: plants(DECOYS)?, cast: toml::from_str::<Cast>(CAST)?.user })
}

/// The plants of a table, with every turn of a repeated one written out.
fn plants(text: &str) -> Result<Vec<Plant>, ScenarioError> {
    let plants = toml::from_str::<Plants>(text)?.plant.into_iter();
    plants.map(|plant| Ok(unroll::unroll(plant).try_into()?)).collect()
}

fn tables() -> Option<&'static Tables> {
    // The tables are part of the program; a test reads them and says what is wrong.
    static TABLES: LazyLock<Option<Tables>> = LazyLock::new(|| read().ok());
    TABLES.as_ref()
}

/// Every attack, sorted by id.
pub fn attacks() -> &'static [Plant] {
    tables().map_or(&[], |tables| tables.attacks.as_slice())
}

/// Every decoy, in the order of the file.
pub fn decoys() -> &'static [Plant] {
    tables().map_or(&[], |tables| tables.decoys.as_slice())
}

/// The people that plants speak of.
pub fn cast() -> &'static [User] {
    tables().map_or(&[], |tables| tables.cast.as_slice())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_table_is_read_and_every_id_is_one_plant() {
        let tables = read().unwrap();
        assert!(!tables.cast.is_empty());
        let plants = || tables.attacks.iter().chain(&tables.decoys);
        let ids: BTreeSet<&str> = plants().map(|plant| plant.id.as_str()).collect();
        assert_eq!(ids.len(), plants().count());
        for plant in plants() {
            assert!(!plant.services.is_empty() && !plant.steps.is_empty(), "{}", plant.id);
        }
    }
}
