//! Other weights: estimated anew from the hosts of the other families, to see how much hangs on the shipped ones.

use std::collections::BTreeMap;

use super::judged::{Row, View, Yes, weighed};
use super::metrics::{Case, Quality, float};
use super::study::{Condition, JudgedHost, Study};

/// As many finds as this weigh as much as the shipped weight.
const SHRINKAGE: f64 = 20.0;
/// Added to counts, so that what never happened is not impossible.
const SMOOTHING: f64 = 0.5;

/// How often an indicator says yes to planted and to other services.
#[derive(Debug, Clone, Copy, Default)]
struct Count {
    planted: usize,
    other: usize,
}

/// Counts over some hosts.
#[derive(Default)]
struct Counts {
    indicators: BTreeMap<&'static str, Count>,
    planted: usize,
    other: usize,
}

impl Counts {
    fn add(&mut self, row: &Row) {
        let planted = row.planted.is_some();
        let total = if planted { &mut self.planted } else { &mut self.other };
        *total = total.saturating_add(1);
        for yes in row.yes(View::NewTool) {
            let count = self.indicators.entry(yes.indicator.id).or_default();
            let one = if planted { &mut count.planted } else { &mut count.other };
            *one = one.saturating_add(1);
        }
    }

    /// The smoothed likelihood ratio in decibans, drawn towards the shipped weight the more the fewer finds there are.
    fn weight(&self, yes: Yes, less: &Counts) -> i16 {
        let id = yes.indicator.id;
        let of = |counts: &Counts| counts.indicators.get(id).copied().unwrap_or_default();
        let (all, out) = (of(self), of(less));
        let minus = |all: usize, out: usize| float(all.saturating_sub(out));
        let (planted, other) = (minus(all.planted, out.planted), minus(all.other, out.other));
        let rate = |hits: f64, of: f64| (hits + SMOOTHING) / (of + 2.0 * SMOOTHING);
        let ratio = rate(planted, minus(self.planted, less.planted))
            / rate(other, minus(self.other, less.other));
        let estimate = 10.0 * ratio.log10();
        let finds = planted + other;
        let shipped = f64::from(yes.weight);
        let drawn = (estimate * finds + shipped * SHRINKAGE) / (finds + SHRINKAGE);
        let whole = drawn.clamp(-30.0, 40.0).round();
        // An indicator keeps its direction: estimates may weaken it, not turn it around.
        let whole = if yes.weight < 0 { whole.min(0.0) } else { whole.max(0.0) };
        #[expect(clippy::cast_possible_truncation, reason = "between -30 and 40, and whole")]
        let whole = whole as i16;
        whole
    }
}

impl Study {
    /// The quality of the order by weights estimated from the hosts of the other families, what knows tools left out,
    /// and how many other services of the attacked hosts are at `review` or above with them.
    pub fn reestimated(&self) -> (Quality, f64) {
        let mut all = Counts::default();
        let mut families: BTreeMap<&str, Counts> = BTreeMap::new();
        for host in self.under(Condition::Whole) {
            let of_family = host.attack.map(|plant| plant.family.as_str());
            for row in &host.rows {
                all.add(row);
                if let Some(family) = of_family {
                    families.entry(family).or_default().add(row);
                }
            }
        }
        let attacked: Vec<&JudgedHost> =
            self.under(Condition::Whole).filter(|host| host.has_trace()).collect();
        let mut alarms = 0_usize;
        let mut cases = Vec::new();
        for host in &attacked {
            let Some(attack) = host.attack else { continue };
            let Some(out) = families.get(attack.family.as_str()) else { continue };
            let weight = |yes: Yes| all.weight(yes, out);
            let outcome = weighed(&host.rows, attack.services.len(), View::NewTool, &weight);
            alarms = alarms.saturating_add(outcome.review).saturating_add(outcome.escalate);
            let relevance = if attack.dual_use { 0.5 } else { 1.0 };
            cases.push(Case { places: outcome.places, relevance });
        }
        (Quality::of(&cases), float(alarms) / float(cases.len().max(1)))
    }
}
