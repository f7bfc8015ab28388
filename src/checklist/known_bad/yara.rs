//! Files that a YARA rule of the analyst's matches.
//!
//! A rule is a stranger's word, and sets hold rules of every kind, from one family's code to "has a URL". Two things tell
//! them apart without a judge: what their author says of them, and whether they match parts of Windows as well.

use std::collections::BTreeSet;

use crate::checklist::staging::{no, unknown, yes};
use crate::checklist::story::clip;
use crate::checklist::{Family, Hit, Indicator, Need, Question, Scene, Scope, technique};
use crate::host::program_file::{ProgramFile, Purpose, RuleMatch};
use crate::host::{Origin, State};

/// Metadata that is shown.
const SHOWN: [&str; 4] = ["author", "description", "license", "reference"];
/// A rule that matches more files of one host than this names no rarity.
const MOST_FILES: usize = 5;
/// What a match weighs whose rule says nothing of itself.
const UNGRADED: i16 = 8;

pub(super) const MATCHED: Indicator = Indicator {
    id: "K02",
    family: Family::K,
    checklist: Question::Runs,
    question: "Does a YARA rule that you gave match a file of it?",
    why: "The rule's author saw these bytes in something that he wanted to find again. Graded by what the rule says of itself \
          (score, severity, threat level), and nothing where it matches a part of Windows on this host too.",
    innocent: "Many rules find capabilities or packers rather than one family, and match installers and security products.",
    verify: &[
        "Read the rule: is it of a family, of a tool or of a habit? Are the strings at these offsets really its subject?",
        "svctriage file EVIDENCE PATH --bytes, and look at the offsets in a hex viewer",
    ],
    attack: &[technique("T1543.003"), technique("T1569.002")],
    weight: 20,
    hard: false,
    needs: &[Need::Listed(Origin::YaraRules)],
    sources: &[
        "Weights as those of Sigma levels (X02 to X04): docs/yara.md",
        "Metadata conventions of Neo23x0/signature-base (score) and elastic/protections-artifacts (severity)",
    ],
    since: "0.1.0",
    check: &|scope| {
        let matches = scope.files().flat_map(|(purpose, file)| {
            file.rule_matches.iter().map(move |rule| (purpose, file, rule))
        });
        let weighed = matches.filter_map(|(purpose, file, rule)| {
            let weight = weight(scope, rule)?;
            Some((weight, purpose, file, rule))
        });
        // Of equal ones the first, in the order of the rules.
        let (weight, purpose, file, rule) =
            weighed.reduce(|first, next| if next.0 > first.0 { next } else { first })?;
        let others: BTreeSet<&str> = scope
            .files()
            .flat_map(|(_, file)| &file.rule_matches)
            .map(|one| one.rule.as_str())
            .filter(|name| *name != rule.rule)
            .collect();
        let more = match others.len() {
            0 => String::new(),
            1 => "; 1 more rule matches".to_owned(),
            count => format!("; {count} more rules match"),
        };
        let because = format!("{}{more}.", sentence(purpose, file, rule));
        Some(Hit::new(because, file.citation.clone()).weighing(weight))
    },
    examples: &[
        yes("a rule whose author rates it high", || {
            given().program(|file| file.rule_matches.push(rule(&[("score", "80")])))
        }),
        yes("a rule that says nothing of itself: less", || {
            given().program(|file| file.rule_matches.push(rule(&[])))
        }),
        no("the file is a part of Windows", || {
            given().program(|file| {
                file.signature.is_windows = true;
                file.rule_matches.push(rule(&[("severity", "100")]));
            })
        }),
        no("a rule for information", || {
            given().program(|file| file.rule_matches.push(rule(&[("severity", "info")])))
        }),
        no("no rule matches", || given().program(|_| {})),
        unknown("its program was not read", || given().program(|file| file.content = None)),
    ],
};

fn given() -> Scene {
    Scene::service("Agent").covered(Origin::YaraRules, State::Complete)
}

/// A rule that matches.
fn rule(meta: &[(&str, &str)]) -> RuleMatch {
    let meta = meta.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    RuleMatch {
        rule: "Loader".to_owned(),
        source: "rules.yar".to_owned(),
        tags: Vec::new(),
        meta: meta.collect(),
        strings: vec![("$a".to_owned(), 0x1000)],
    }
}

/// What a match weighs; nothing where the rule tells nothing.
fn weight(scope: &Scope<'_>, rule: &RuleMatch) -> Option<i16> {
    let (files, of_windows) = scope.overview.matched(rule);
    if of_windows {
        return None;
    }
    let said = graded(rule).unwrap_or(UNGRADED);
    let weight = if files > MOST_FILES { said.min(3) } else { said };
    (weight > 0).then_some(weight)
}

/// What the rule's author says, by the first of the names in use.
fn graded(rule: &RuleMatch) -> Option<i16> {
    let value = |name: &str| {
        let found = rule.meta.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.trim().to_ascii_lowercase())
    };
    let said = ["score", "severity", "threat_level", "level"].into_iter().find_map(value)?;
    match said.parse::<u32>() {
        Ok(75..) => Some(20),
        Ok(60..) => Some(15),
        Ok(40..) => Some(8),
        // Ten and less is another scale, which nobody agreed on.
        Ok(11..) => Some(3),
        Ok(_) => None,
        Err(_) => match said.as_str() {
            "critical" | "high" | "severe" => Some(20),
            "medium" | "moderate" => Some(8),
            "low" => Some(3),
            "info" | "informational" | "none" => Some(0),
            _ => None,
        },
    }
}

fn sentence(purpose: &Purpose, file: &ProgramFile, rule: &RuleMatch) -> String {
    let said =
        rule.meta.iter().filter(|(name, _)| SHOWN.contains(&name.to_ascii_lowercase().as_str()));
    let said: Vec<String> =
        said.map(|(name, value)| format!("{} {}; ", clip(name), clip(value))).collect();
    let place = rule.strings.first().map(|(name, at)| format!(" at {at:#x} ({})", clip(name)));
    format!(
        "The YARA rule \u{201c}{}\u{201d} ({}{}) matches its {} \"{}\"{}",
        clip(&rule.rule),
        said.concat(),
        clip(&rule.source),
        purpose.label(),
        clip(&file.path),
        place.unwrap_or_default()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_weighs_what_its_author_says() {
        for (meta, expected) in [
            (vec![("score", "100")], Some(20)),
            (vec![("Score", "60")], Some(15)),
            (vec![("severity", "50")], Some(8)),
            (vec![("severity", "Low")], Some(3)),
            (vec![("severity", "critical")], Some(20)),
            (vec![("threat_level", "5")], None),
            (vec![("level", "informational")], Some(0)),
            (vec![("score", "-5")], None),
            (vec![("author", "x")], None),
        ] {
            assert_eq!(graded(&rule(&meta)), expected, "{meta:?}");
        }
    }
}
