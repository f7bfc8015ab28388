//! Figures of a study: qualities over chosen hosts, false alarms, and what the targets ask.

use std::collections::BTreeMap;

use super::judged::{Outcome, View};
use super::metrics::{BINS, Bin, Case, Quality, float};
use super::study::{Condition, JudgedHost, Study};

/// Benign services that somebody would look at, per host.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Alarms {
    /// Hosts.
    pub hosts: usize,
    /// Benign services at `review`.
    pub review: usize,
    /// Benign services at `escalate`.
    pub escalate: usize,
}

impl Alarms {
    /// At `review` or above, per host.
    pub fn per_host(&self) -> f64 {
        if self.hosts == 0 {
            return 0.0;
        }
        float(self.review.saturating_add(self.escalate)) / float(self.hosts)
    }
}

/// What is asked of the tool, and what came out.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// What is asked.
    pub what: &'static str,
    /// The least, or the most where [`Target::is_most`].
    pub bound: f64,
    /// Whether the bound is the most that is allowed.
    pub is_most: bool,
    /// What came out where only what knows the tool is left out.
    pub new_tool: f64,
    /// What came out where what was measured on the host's own Windows is left out too.
    pub new_both: f64,
}

impl Target {
    /// Whether a figure meets it.
    pub fn is_met(&self, figure: f64) -> bool {
        if self.is_most { figure <= self.bound } else { figure >= self.bound }
    }
}

impl JudgedHost {
    /// What an order makes of it.
    pub fn outcome(&self, view: View) -> Option<&Outcome> {
        self.outcomes.get(&view)
    }

    /// The host as a case; absent for a clean one.
    pub fn case(&self, view: View) -> Option<Case> {
        let attack = self.attack?;
        let places = self.outcome(view)?.places.clone();
        Some(Case { places, relevance: if attack.dual_use { 0.5 } else { 1.0 } })
    }

    /// Whether anything of what was done can be seen in it.
    pub fn has_trace(&self) -> bool {
        self.outcome(View::Shipped).is_some_and(|one| one.places.iter().any(Option::is_some))
    }
}

impl Study {
    /// The quality of an order over the attacked hosts that hold a trace of the attack and are chosen.
    pub fn quality(
        &self,
        condition: Condition,
        view: View,
        is_chosen: &dyn Fn(&JudgedHost) -> bool,
    ) -> Quality {
        let hosts = self.under(condition).filter(|host| host.has_trace() && is_chosen(host));
        let cases: Vec<Case> = hosts.filter_map(|host| host.case(view)).collect();
        Quality::of(&cases)
    }

    /// The false alarms on clean hosts, or on all.
    pub fn alarms(&self, condition: Condition, view: View, only_clean: bool) -> Alarms {
        let mut alarms = Alarms::default();
        for host in self.under(condition).filter(|host| host.attack.is_none() || !only_clean) {
            alarms.hosts = alarms.hosts.saturating_add(1);
            if let Some(outcome) = host.outcome(view) {
                alarms.review = alarms.review.saturating_add(outcome.review);
                alarms.escalate = alarms.escalate.saturating_add(outcome.escalate);
            }
        }
        alarms
    }

    /// The targets with what came out.
    pub fn targets(&self) -> Vec<Target> {
        let quality = |view| self.quality(Condition::Whole, view, &|_| true);
        let (tool, both) = (quality(View::NewTool), quality(View::NewBoth));
        let least = |what, bound, of: &dyn Fn(&Quality) -> f64| Target {
            what,
            bound,
            is_most: false,
            new_tool: of(&tool),
            new_both: of(&both),
        };
        let mut targets = vec![
            least("mean reciprocal rank, hive and logs", 0.95, &|quality| quality.mrr),
            least("recall@3, hive and logs", 0.98, &|quality| quality.recall[1]),
            least("recall@10, hive and logs", 1.0, &|quality| quality.recall[3]),
        ];
        let alarms = [
            (Condition::Whole, "benign services at review or above per clean host, hive and logs"),
            (Condition::Registry, "the same, registry alone"),
        ];
        for (condition, what) in alarms {
            let per_host = |view| self.alarms(condition, view, true).per_host();
            let (new_tool, new_both) = (per_host(View::NewTool), per_host(View::NewBoth));
            targets.push(Target { what, bound: 0.5, is_most: true, new_tool, new_both });
        }
        let alarms = [
            (Condition::Whole, "benign services at escalate on clean hosts, hive and logs"),
            (Condition::Registry, "the same, registry alone"),
        ];
        for (condition, what) in alarms {
            let number = |view| float(self.alarms(condition, view, true).escalate);
            let (new_tool, new_both) = (number(View::NewTool), number(View::NewBoth));
            targets.push(Target { what, bound: 0.0, is_most: true, new_tool, new_both });
        }
        targets
    }

    /// The families of tools with their attacked hosts under a condition.
    pub fn families(&self, condition: Condition) -> BTreeMap<&'static str, Vec<&JudgedHost>> {
        let mut families: BTreeMap<&'static str, Vec<&JudgedHost>> = BTreeMap::new();
        for host in self.under(condition) {
            if let Some(attack) = host.attack {
                families.entry(attack.family.as_str()).or_default().push(host);
            }
        }
        families
    }

    /// The services of all hosts under a condition, by score.
    pub fn bins(&self, condition: Condition) -> [Bin; BINS.len() + 1] {
        let mut bins = [Bin::default(); BINS.len() + 1];
        for host in self.under(condition) {
            for (bin, more) in bins.iter_mut().zip(&host.bins) {
                bin.join(more);
            }
        }
        bins
    }
}
