//! A row for each host, so that two runs can be compared by a program.

use super::judged::{Told, View};
use super::study::{Condition, JudgedHost, Study};

impl Study {
    /// The hosts as CSV: what they are, the best place in each order, the best planted service, benign services at review
    /// or above.
    ///
    /// # Errors
    /// None in practice: it is written to memory.
    pub fn csv(&self) -> Result<Vec<u8>, csv::Error> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let fixed = ["condition", "base", "number", "attack", "family", "services"];
        let columns = fixed.map(str::to_owned).into_iter().chain(View::all().map(View::label));
        let last = ["score", "verdict", "findings", "review", "escalate", "alarms", "decoys"];
        writer.write_record(columns.chain(last.map(str::to_owned)))?;
        for host in &self.hosts {
            writer.write_record(self.record(host))?;
        }
        writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))
    }

    fn record(&self, host: &JudgedHost) -> Vec<String> {
        let condition = match host.condition {
            Condition::Whole => "whole",
            Condition::Registry => "registry",
        };
        let base = self.bases.get(host.base).map_or("", |base| base.name.as_str());
        let mut record = vec![
            condition.to_owned(),
            base.to_owned(),
            host.number.to_string(),
            host.attack.map(|plant| plant.id.clone()).unwrap_or_default(),
            host.attack.map(|plant| plant.family.clone()).unwrap_or_default(),
            host.services.to_string(),
        ];
        record.extend(View::all().map(|view| {
            let best = host.case(view).and_then(|case| case.best());
            best.map(|place| place.to_string()).unwrap_or_default()
        }));
        let best = host.told.iter().find(|one| one.planted.is_some());
        record.push(best.map(|one| one.score.to_string()).unwrap_or_default());
        record.push(best.map(|one| one.verdict.label().to_owned()).unwrap_or_default());
        record.push(best.map(|one| one.findings.join(" ")).unwrap_or_default());
        let outcome = host.outcome(View::Shipped);
        record.push(outcome.map_or(0, |one| one.review).to_string());
        record.push(outcome.map_or(0, |one| one.escalate).to_string());
        let loud =
            |one: &&Told| one.planted.is_none() && one.verdict >= crate::rank::Verdict::Review;
        let told = |one: &Told| format!("{} {} {}", one.name, one.score, one.findings.join(" "));
        let alarms: Vec<String> = host.told.iter().filter(loud).map(told).collect();
        record.push(alarms.join("; "));
        let decoys: Vec<&str> = host.decoys.iter().map(|plant| plant.id.as_str()).collect();
        record.push(decoys.join(" "));
        record
    }
}
