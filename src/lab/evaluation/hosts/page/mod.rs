//! The part of docs/evaluation.md about hosts made to order.

mod lists;
mod tables;

use super::judged::KNOW_TOOLS;
use super::study::{Condition, Study};

impl Study {
    /// The page, in Markdown, without an end of line at its end.
    pub fn markdown(&self) -> String {
        let mut lines = vec!["## Hosts made to order".to_owned()];
        self.method(&mut lines);
        tables::targets(self, &mut lines);
        tables::totals(self, &mut lines);
        tables::families(self, &mut lines);
        tables::ablation(self, &mut lines);
        tables::calibration(self, &mut lines);
        lists::misses(self, &mut lines);
        lists::registry_misses(self, &mut lines);
        lists::alarms(self, &mut lines);
        lists::untold(self, &mut lines);
        lines.join("\n")
    }

    fn method(&self, lines: &mut Vec<String>) {
        let attacked =
            |condition| self.under(condition).filter(|host| host.attack.is_some()).count();
        let whole = self.under(Condition::Whole).count();
        let registry = self.under(Condition::Registry).count();
        let families = self.families(Condition::Registry).len();
        let mut definitions: Vec<&str> =
            self.hosts.iter().filter_map(|host| Some(host.attack?.id.as_str())).collect();
        definitions.sort_unstable();
        definitions.dedup();
        lines.extend([
            String::new(),
            format!(
                "{} definitions of attacks in {families} families of tools (`src/lab/evaluation/plants`) on {} bases: {registry} hosts, \
                 {} of them attacked, the others clean. A host lives some months: it boots, starts services, gets about half of \
                 the harmless plants (updaters, agents, drivers, services made by hand), some as new as the attack. One in three \
                 records what Windows records by itself, one also processes and installs, one has Sysmon. Everything follows from \
                 the tables and from seeds.",
                definitions.len(),
                self.bases.len(),
                attacked(Condition::Registry),
            ),
            String::new(),
            "| base | what it is | services that look odd and count as benign |".to_owned(),
            "|---|---|---|".to_owned(),
        ]);
        lines.extend(self.bases.iter().map(|base| {
            let odd: Vec<String> =
                base.odd.iter().map(|(name, why)| format!("`{name}`: {why}")).collect();
            format!("| {} | {} | {} |", base.name, base.about, odd.join("; "))
        }));
        lines.extend([
            String::new(),
            format!(
                "Each host is read twice: with hives, logs and the files that a plant leaves ({whole} hosts; what is not listed \
                 there keeps no such logs), and by SYSTEM and SOFTWARE alone. It is judged by the program's own pipeline; the \
                 orders below differ in what may count:"
            ),
            String::new(),
            "- **shipped**: everything.".to_owned(),
            format!(
                "- **new tool** (leave one family of tools out): nothing that knows a tool by name, hash, pipe, port or by the \
                 shape of what it makes up says anything about the planted services ({}, and all of family K); about the others it \
                 does.",
                KNOW_TOOLS.join(" ")
            ),
            "- **new Windows** (leave one host out): what was measured on the host's own build of Windows is not known.".to_owned(),
            "- **new both**: both.".to_owned(),
            String::new(),
            "Places are counted among all services of the host. Of several planted services the best counts, for the mean \
             reciprocal rank (MRR) and for recall; average precision (AP) asks for all of them, and weighs attacks that \
             administrators' tools leave as well (dual use) half. Hosts that hold no trace of the attack are counted apart."
                .to_owned(),
            String::new(),
            "What this cannot show: definitions and indicators were written by the same people from the same public \
             sources, and the harmless plants are what these people thought of. The lab leaves the traces it was taught. A family \
             that is held out still shaped the weights of what is common to all; the row with weights estimated anew shows how \
             much hangs on that."
                .to_owned(),
        ]);
    }
}
