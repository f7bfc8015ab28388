//! Many hosts, made and judged: every attack on every base, and as many hosts without one.

use std::collections::BTreeMap;
use std::sync::Arc;

use rayon::prelude::*;

use super::super::plants::{self, Plant};
use super::base::Base;
use super::judged::{Outcome, Row, Standing, Told, View, outcome, rows, told};
use super::metrics::{BINS, Bin, bin};
use super::story::{Story, fits};
use crate::artifact::program::{FileOptions, Hashing};
use crate::checklist::knowledge::stock::Catalog;
use crate::checklist::{Given, Policy};
use crate::evidence::{self, Evidence};
use crate::host::Host;
use crate::lab::evidence::File;
use crate::rank;
use crate::scan::{self, Settings};

/// What of a host is there to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Condition {
    /// Its hives and logs, and the files that a plant leaves.
    Whole,
    /// SYSTEM and SOFTWARE.
    Registry,
}

/// A host of the study under one condition.
#[derive(Debug, Clone)]
pub struct JudgedHost {
    /// Index into [`Study::bases`].
    pub base: usize,
    /// Its number on that base.
    pub number: usize,
    /// What of it was read.
    pub condition: Condition,
    /// What was done to it; absent where nothing was.
    pub attack: Option<&'static Plant>,
    /// The odd but harmless plants on it.
    pub decoys: Vec<&'static Plant>,
    /// How many services it has.
    pub services: usize,
    /// What each way to order it gives.
    pub outcomes: BTreeMap<View, Outcome>,
    /// Services worth telling, as the tool orders them where what knows tools is left out.
    pub told: Vec<Told>,
    /// Its services by score: below 0, then from each of [`BINS`] on.
    pub bins: [Bin; BINS.len() + 1],
    /// Its rows, for orders by other weights.
    pub(super) rows: Vec<Row>,
}

/// Something that could not be put on a base.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Untold {
    /// The base.
    pub base: String,
    /// The plant's id.
    pub plant: String,
    /// Why.
    pub why: String,
}

/// Hosts with known truth, judged.
#[derive(Debug, Clone)]
pub struct Study {
    /// What they began as.
    pub bases: Vec<Base>,
    /// The hosts, by base and number, each under its conditions.
    pub hosts: Vec<JudgedHost>,
    /// What some bases cannot hold.
    pub untold: Vec<Untold>,
}

/// One host that is to be made.
struct Slot {
    base: usize,
    number: usize,
    attack: Option<&'static Plant>,
}

impl Study {
    /// Makes and judges the hosts of all attacks.
    ///
    /// # Errors
    /// Where a definition is wrong: its host cannot be made for another reason than what a base lacks, or be read.
    pub fn run(bases: Vec<Base>) -> Result<Self, String> {
        Self::of(bases, &plants::attacks().iter().collect::<Vec<_>>())
    }

    /// Makes and judges the hosts of these attacks.
    ///
    /// # Errors
    /// As [`Study::run`].
    pub fn of(bases: Vec<Base>, attacks: &[&'static Plant]) -> Result<Self, String> {
        let mut untold = Vec::new();
        let mut slots = Vec::new();
        let mut harmless: Vec<Vec<&'static Plant>> = Vec::new();
        for (number, base) in bases.iter().enumerate() {
            let decoys = plants::decoys().par_iter().filter(|plant| fits(base, plant));
            harmless.push(decoys.collect());
            let fit: Vec<bool> = attacks.par_iter().map(|plant| fits(base, plant)).collect();
            let mut done: Vec<Option<&'static Plant>> = Vec::new();
            for (plant, fits) in attacks.iter().zip(fit) {
                if fits {
                    done.extend([Some(*plant), None]);
                } else {
                    let why = "the base lacks a service of Windows that it changes".to_owned();
                    let plant = plant.id.clone();
                    untold.push(Untold { base: base.name.clone(), plant, why });
                }
            }
            let slot = |(at, attack)| Slot { base: number, number: at, attack };
            slots.extend(done.into_iter().enumerate().map(slot));
        }
        let masks: Vec<Arc<Catalog>> =
            bases.iter().map(|base| Arc::new(Catalog::without(base.windows.build))).collect();
        let judged = slots.par_iter().map(|slot| {
            let of_base = bases.get(slot.base).zip(harmless.get(slot.base));
            let (base, harmless) = of_base.ok_or("no such base")?;
            let mask = masks.get(slot.base).ok_or("no such base")?;
            judge(slot, base, harmless, mask)
        });
        let judged = judged.collect::<Result<Vec<_>, String>>()?;
        Ok(Self { hosts: judged.into_iter().flatten().collect(), bases, untold })
    }

    /// The hosts under one condition.
    pub fn under(&self, condition: Condition) -> impl Iterator<Item = &JudgedHost> {
        self.hosts.iter().filter(move |host| host.condition == condition)
    }
}

/// A seed that no other host has and that does not change when definitions are added.
fn seed(base: &Base, slot: &Slot) -> u64 {
    let of = slot.attack.map_or_else(|| format!("clean {}", slot.number), |plant| plant.id.clone());
    let text = format!("{} {of}", base.name);
    // FNV-1a.
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Makes a host and judges it under each condition.
fn judge(
    slot: &Slot,
    base: &Base,
    harmless: &[&'static Plant],
    mask: &Arc<Catalog>,
) -> Result<Vec<JudgedHost>, String> {
    let story = Story::new(base, slot.attack, harmless, seed(base, slot));
    let of = slot.attack.map_or("clean", |plant| plant.id.as_str());
    let wrong = |error: String| format!("{} {of}: {error}", base.name);
    let files = story.evidence(base).map_err(|error| wrong(error.to_string()))?;
    let given = given(&story).map_err(wrong)?;
    let files: Vec<(String, Arc<[u8]>)> =
        files.into_iter().map(|File { path, bytes }| (path, Arc::from(bytes))).collect();
    let mut conditions = vec![Condition::Registry];
    if base.keeps_logs {
        conditions.insert(0, Condition::Whole);
    }
    let judged = conditions.into_iter().map(|condition| {
        let there = files.iter().filter(|(path, _)| is_there(path, condition)).cloned();
        let evidence = evidence::open_files(&base.name, there).map_err(|e| wrong(e.to_string()))?;
        let evidence = evidence.ok_or_else(|| wrong("no host is in it".to_owned()))?;
        Ok(weigh(slot, &story, &given, (condition, evidence.as_ref(), mask)))
    });
    judged.collect()
}

/// What the analyst gives: what the plants say is approved.
fn given(story: &Story) -> Result<Given, String> {
    let policy = story.approved.as_deref().map(Policy::parse_toml).transpose()?;
    Ok(Given { policy, ..Given::default() })
}

fn is_there(path: &str, condition: Condition) -> bool {
    let hives = ["config/SYSTEM", "config/SOFTWARE", "config/SYSTEM.LOG1", "config/SYSTEM.LOG2"];
    condition == Condition::Whole || hives.iter().any(|hive| path.ends_with(hive))
}

fn weigh(
    slot: &Slot,
    story: &Story,
    given: &Given,
    (condition, evidence, mask): (Condition, &dyn Evidence, &Arc<Catalog>),
) -> JudgedHost {
    // Few files are there: to read all of them costs less than to judge the host once more for which to read.
    let files = FileOptions { hashing: Hashing::All, ..FileOptions::default() };
    let settings = Settings { given: given.clone(), files, ..Settings::default() };
    let host: Host = scan::examine(evidence, &settings, &()).host;
    let ranked = rank::rank(&host, given, &settings.tuning);
    let new = Given { windows: Some(Arc::clone(mask)), ..given.clone() };
    let masked = rank::rank(&host, &new, &settings.tuning);
    let rows = rows(&host, &ranked, Some(&masked), slot.attack);
    let plants = slot.attack.map_or(0, |plant| plant.services.len());
    let shipped: Vec<Standing> = rows.iter().map(Standing::shipped).collect();
    let outcomes = View::all().map(|view| (view, outcome(&rows, plants, view, &shipped)));
    let mut bins = [Bin::default(); BINS.len() + 1];
    for (one, row) in ranked.iter().zip(&rows) {
        if let Some(bin) = bins.get_mut(bin(one.score)) {
            bin.add(one.score, 1, usize::from(row.planted.is_some()));
        }
    }
    JudgedHost {
        base: slot.base,
        number: slot.number,
        condition,
        attack: slot.attack,
        decoys: story.decoys.clone(),
        services: rows.len(),
        outcomes: outcomes.collect(),
        told: told(&rows, View::NewTool),
        bins,
        rows,
    }
}
