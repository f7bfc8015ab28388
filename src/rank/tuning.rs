//! Weights and indicators the analyst changed: given one by one, or as a file.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use crate::checklist::{self, Family, Indicator};
use crate::text;

/// Weights and indicators the analyst changed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Tuning {
    /// Decibans by indicator id, replacing [`Indicator::weight`] and its grades.
    pub weights: BTreeMap<String, i16>,
    /// Indicators not asked.
    pub ignored: BTreeSet<String>,
}

/// The largest weight that can be given, in decibans: ten times that of the heaviest indicator's odds.
pub const MOST: i16 = 50;

/// A weight of a file, with what the file says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weight {
    /// Decibans.
    pub decibans: i16,
    /// Why, where the file says so.
    pub reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    weights: BTreeMap<Spanned<String>, Spanned<Entry>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Entry {
    Decibans(i64),
    Told(Told),
    Other(IgnoredAny),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Told {
    db: i64,
    reason: Option<String>,
}

/// Reads a file of weights: `[weights]` with one line an indicator, `P06 = 0` or `P06 = { db = 0, reason = "…" }`. `known` are
/// the indicators that are asked.
///
/// # Errors
/// One sentence with the line: an unknown id (and the one that may be meant), a weight that is none, one out of range.
pub fn read_weights(
    text: &str,
    known: &[&'static Indicator],
) -> Result<BTreeMap<String, Weight>, String> {
    let line_of = |offset: usize| {
        let before = text.get(..offset).unwrap_or(text);
        before.bytes().filter(|byte| *byte == b'\n').count().saturating_add(1)
    };
    let file: File = toml::from_str(text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(span.start));
        format!("line {line}: {}", error.message())
    })?;
    let mut weights = BTreeMap::new();
    for (id, entry) in file.weights {
        let line = line_of(id.span().start);
        let at = |problem: String| format!("line {line}: {problem}");
        let indicator = checklist::lookup(id.get_ref(), known).map_err(at)?;
        let (decibans, reason) = match entry.into_inner() {
            Entry::Decibans(decibans) => (decibans, None),
            Entry::Told(told) => (told.db, told.reason),
            Entry::Other(_) => {
                return Err(at(format!(
                    "`{}` is no weight: write {} = 0 or {} = {{ db = 0, reason = \"why\" }}",
                    id.get_ref(),
                    indicator.id,
                    indicator.id
                )));
            }
        };
        let decibans = weight(indicator, decibans).map_err(at)?;
        if weights.insert(indicator.id.to_owned(), Weight { decibans, reason }).is_some() {
            return Err(at(format!("{} has a weight already", indicator.id)));
        }
    }
    Ok(weights)
}

/// A weight that such an indicator can have: 0 takes it out of the score, and none turns suspicion into trust.
///
/// # Errors
/// A sentence with the range.
pub fn weight(indicator: &Indicator, decibans: i64) -> Result<i16, String> {
    let (least, most) = if indicator.family == Family::B { (-MOST, 0) } else { (0, MOST) };
    match i16::try_from(decibans) {
        Ok(decibans) if (least..=most).contains(&decibans) => Ok(decibans),
        _ => Err(format!(
            "{decibans} is out of range: {} weighs between {least} and {most} decibans",
            indicator.id
        )),
    }
}

/// A file of weights with every indicator that is asked, all of them commented out: what `svctriage checklist --toml` prints.
pub fn template(known: &[&'static Indicator]) -> String {
    use std::fmt::Write as _;
    let mut page = format!(
        "# Weights of svctriage {} in decibans, for --weights FILE (docs/weights.md).\n\
         # Every line is commented out, so that this file changes nothing until you take away a '#'. A weight\n\
         # given here also replaces the grades of an indicator that has some.\n\n[weights]\n",
        env!("CARGO_PKG_VERSION")
    );
    let mut family = None;
    for one in known {
        if family != Some(one.family) {
            family = Some(one.family);
            let _infallible = writeln!(page, "\n# Family {:?}", one.family);
        }
        let question = text::terminal_safe(one.question);
        let _infallible = writeln!(page, "# {} = {} # {question}", one.id, one.weight);
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Vec<&'static Indicator> {
        checklist::indicators().collect()
    }

    #[test]
    fn weights_are_read_with_their_reasons() {
        let text =
            "[weights]\np06 = 0\nN04 = { db = 4, reason = \"our own software\" }\nB01 = -5\n";
        let weights = read_weights(text, &known()).unwrap();
        let of = |id: &str| weights.get(id).map(|one| (one.decibans, one.reason.as_deref()));
        assert_eq!(of("P06"), Some((0, None)));
        assert_eq!(of("N04"), Some((4, Some("our own software"))));
        assert_eq!(of("B01"), Some((-5, None)));
        assert_eq!(weights.len(), 3);
        assert_eq!(read_weights("", &known()), Ok(BTreeMap::new()));
    }

    #[test]
    fn the_documented_example_is_read() {
        let text = include_str!("../../docs/weights.example.toml");
        assert_eq!(read_weights(text, &known()).unwrap().len(), 3);
    }

    #[test]
    fn mistakes_are_refused_with_their_line() {
        for (text, expected) in [
            ("[weights]\nP06 = 0\nP0l = 0", "line 3: no indicator is called P0l; did you mean P0"),
            ("[weights]\nNOPE = 0", "line 2: no indicator is called NOPE (`svctriage checklist`"),
            ("[weights]\nP06 = 51", "line 2: 51 is out of range: P06 weighs between 0 and 50"),
            ("[weights]\nP06 = -1", "line 2: -1 is out of range"),
            ("[weights]\nB01 = 5", "line 2: 5 is out of range: B01 weighs between -50 and 0"),
            ("[weights]\nP06 = 99999999999", "line 2: 99999999999 is out of range"),
            ("[weights]\nP06 = 'heavy'", "line 2: `P06` is no weight: write P06 = 0 or"),
            ("[weights]\nP06 = { db = 1, why = 'x' }", "line 2: `P06` is no weight"),
            ("[weights]\nP06 = 1\np06 = 2", "line 3: P06 has a weight already"),
            ("[weights]\nP06 = 1\nP06 = 2", "line 3: duplicate key"),
            ("[weight]\nP06 = 1", "line 1: unknown field `weight`"),
            ("nonsense", "line 1: "),
        ] {
            let problem = read_weights(text, &known()).unwrap_err();
            assert!(problem.starts_with(expected), "{problem} / {expected}");
        }
    }

    #[test]
    fn the_template_changes_nothing_until_a_line_is_taken() {
        let page = template(&known());
        assert_eq!(read_weights(&page, &known()), Ok(BTreeMap::new()));
        let uncommented: String = page
            .lines()
            .map(|line| match line.strip_prefix("# ") {
                Some(rest) if rest.contains(" = ") => format!("{rest}\n"),
                _ => format!("{line}\n"),
            })
            .collect();
        let weights = read_weights(&uncommented, &known()).unwrap();
        assert_eq!(weights.len(), known().len());
        for one in known() {
            assert_eq!(
                weights.get(one.id).map(|given| given.decibans),
                Some(one.weight),
                "{}",
                one.id
            );
        }
    }
}
