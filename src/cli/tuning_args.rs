//! What the analyst changes about the judging: weights, indicators that are not asked.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::{judging, rule_files};
use crate::checklist::own::{self, Own};
use crate::checklist::{self, Indicator, Suppression};
use crate::error::Error;
use crate::rank::Tuning;
use crate::rank::tuning::{self, Weight};
use crate::report::SuppressionList;

/// What the analyst changes about the judging.
#[derive(Debug, Clone, Default, Args)]
pub struct TuningArgs {
    /// Indicators of your own: a file, or a folder with .toml files; may be repeated (see docs/rules.md).
    #[arg(long, value_name = "DIR|FILE")]
    pub rules: Vec<PathBuf>,
    /// Weights by indicator (TOML; `svctriage checklist --toml` prints a file to start from; see docs/weights.md).
    #[arg(long, value_name = "FILE")]
    pub weights: Option<PathBuf>,
    /// Replaces an indicator's weight, in decibans, whatever --weights says: --weight P06=0.
    #[arg(long = "weight", value_name = "ID=DB", value_parser = weight)]
    pub weight: Vec<(String, i64)>,
    /// Findings that are listed and not counted (TOML or CSV; see docs/suppressions.md); may be repeated.
    #[arg(long, value_name = "FILE")]
    pub suppress: Vec<PathBuf>,
    /// Does not ask these indicators: --ignore P06,N04; may be repeated.
    #[arg(long = "ignore", value_name = "ID", value_delimiter = ',')]
    pub ignored: Vec<String>,
}

/// Reads the analyst's own indicators, in the order of the files.
///
/// # Errors
/// What is not there or does not hold, with the file and the line; an id that comes twice.
pub(super) fn own_indicators(paths: &[PathBuf]) -> Result<Vec<Own>, Error> {
    let mut all: Vec<Own> = Vec::new();
    for (file, text) in rule_files::read(paths, &rule_files::OWN)? {
        let wrong = |message: String| Error::Settings { path: PathBuf::from(&file), message };
        let read = own::read(&file, &text.map_err(wrong)?).map_err(|one| wrong(one.to_string()))?;
        for one in read {
            let id = one.indicator.id;
            if let Some(first) = all.iter().find(|other| other.indicator.id == id) {
                let (line, other) = (one.line, &first.file);
                return Err(wrong(format!(
                    "line {line}: {id} is the id of a rule in {other}, line {}: give one of them another",
                    first.line
                )));
            }
            all.push(one);
        }
        if all.len() > own::MOST_RULES {
            return Err(wrong(format!("more than {} rules", own::MOST_RULES)));
        }
    }
    Ok(all)
}

/// Every indicator that is asked, the analyst's own ones last.
pub(super) fn all_indicators(own: &[Own]) -> Vec<&'static Indicator> {
    checklist::indicators().chain(own.iter().map(|one| one.indicator)).collect()
}

/// Weights and indicators the analyst changed, and what his file says of them.
#[derive(Debug, Default)]
pub(super) struct Tuned {
    pub(super) tuning: Tuning,
    /// Reasons by indicator, of the weights that count.
    pub(super) reasons: BTreeMap<String, String>,
}

impl TuningArgs {
    /// Reads what was changed; `known` are the indicators that are asked.
    ///
    /// # Errors
    /// A file that cannot be read, and weights and ids that mean nothing: with the file and the line, or the option.
    pub(super) fn tuned(&self, known: &[&'static Indicator]) -> Result<Tuned, Error> {
        let mut tuned = Tuned::default();
        if let Some(path) = &self.weights {
            let text = judging::text_of(path)?;
            let read = tuning::read_weights(&text, known)
                .map_err(|message| Error::Settings { path: path.clone(), message })?;
            for (id, Weight { decibans, reason }) in read {
                tuned.reasons.extend(reason.map(|reason| (id.clone(), reason)));
                tuned.tuning.weights.insert(id, decibans);
            }
        }
        for (id, decibans) in &self.weight {
            let wrong = |message| Error::Settings { path: "--weight".into(), message };
            let indicator = checklist::lookup(id, known).map_err(wrong)?;
            let decibans = tuning::weight(indicator, *decibans).map_err(wrong)?;
            tuned.reasons.remove(indicator.id);
            tuned.tuning.weights.insert(indicator.id.to_owned(), decibans);
        }
        for id in &self.ignored {
            let wrong = |message| Error::Settings { path: "--ignore".into(), message };
            let indicator = checklist::lookup(id, known).map_err(wrong)?;
            tuned.tuning.ignored.insert(indicator.id.to_owned());
        }
        Ok(tuned)
    }
}

impl TuningArgs {
    /// Reads the lists of suppressions, in their order.
    ///
    /// # Errors
    /// A file that cannot be read, and entries that mean nothing: with the file and the line.
    pub(super) fn suppressions(
        &self,
        known: &[&'static Indicator],
    ) -> Result<(Vec<Suppression>, Vec<SuppressionList>), Error> {
        let (mut all, mut lists) = (Vec::new(), Vec::new());
        for path in &self.suppress {
            let text = judging::text_of(path)?;
            let file = path.to_string_lossy().into_owned();
            let entries = if judging::is_csv(path) {
                Suppression::parse_csv(&text, &file, known)
            } else {
                Suppression::parse_toml(&text, &file, known)
            };
            let entries =
                entries.map_err(|message| Error::Settings { path: path.clone(), message })?;
            lists.push(SuppressionList { file, entries: entries.len() });
            all.extend(entries);
        }
        Ok((all, lists))
    }
}

/// Whether there is such an indicator is known when the analyst's own ones are read.
fn weight(text: &str) -> Result<(String, i64), String> {
    let (id, decibans) =
        text.split_once('=').ok_or("write it as ID=DECIBANS, for example P06=0")?;
    let decibans = decibans.parse().map_err(|_| format!("{decibans} is no number of decibans"))?;
    Ok((id.to_owned(), decibans))
}
