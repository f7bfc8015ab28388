//! The registry of indicators: what must hold for all of them, and every example executed.

use std::collections::BTreeSet;

use svctriage::checklist::{Answer, Expected, Family, Need, indicators};
use svctriage::host::Origin;

#[test]
fn every_example_answers_as_written() {
    let mut wrong = Vec::new();
    for indicator in indicators() {
        for example in indicator.examples {
            let answer = (example.given)().ask(|scope| indicator.answer(scope));
            let matches = match (&answer, example.answer) {
                (Some(Answer::Yes(hit)), Expected::Yes) => {
                    assert!(!hit.citations.is_empty(), "{}: a yes without citation", indicator.id);
                    true
                }
                (Some(Answer::No), Expected::No)
                | (Some(Answer::Unknown(_)), Expected::Unknown) => true,
                _ => false,
            };
            if !matches {
                wrong.push(format!("{} {}: {answer:?}", indicator.id, example.title));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_indicator_is_complete() {
    let mut ids = BTreeSet::new();
    for indicator in indicators() {
        let id = indicator.id;
        assert!(ids.insert(id), "{id} is used twice");
        assert!(indicator.question.ends_with('?'), "{id}: a question ends with a question mark");
        for (field, text) in [("why", indicator.why), ("innocent", indicator.innocent)] {
            assert!(text.len() > 20 && text.ends_with('.'), "{id}: {field} is no sentence");
        }
        assert!(!indicator.verify.is_empty(), "{id}: nobody can check it by hand");
        assert!(!indicator.sources.is_empty(), "{id}: where does it come from?");
        assert_eq!(indicator.family == Family::B, indicator.weight < 0, "{id}: trust is negative");
        assert!(
            // The techniques of a Sigma rule are in its tags.
            matches!(indicator.family, Family::B | Family::R) || !indicator.attack.is_empty(),
            "{id}: no technique"
        );
        for technique in indicator.attack {
            for number in [technique.v18, technique.v19] {
                let digits = number.strip_prefix('T').unwrap_or_default().replace('.', "");
                assert!(matches!(digits.len(), 4 | 7), "{id}: {number} is no technique");
                assert!(digits.bytes().all(|byte| byte.is_ascii_digit()), "{id}: {number}");
            }
        }
        let answers: Vec<Expected> =
            indicator.examples.iter().map(|example| example.answer).collect();
        assert!(answers.contains(&Expected::Yes), "{id}: no example of a yes");
        assert!(answers.contains(&Expected::No), "{id}: no example of a no");
        let beyond_hive = indicator.needs.iter().any(|need| {
            !matches!(need, Need::Part(Origin::SystemHive) | Need::Whole(Origin::SystemHive))
        });
        assert!(
            !beyond_hive || answers.contains(&Expected::Unknown),
            "{id}: no example of an unknown"
        );
    }
}
