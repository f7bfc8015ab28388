//! Characters that deceive: mixed scripts, invisible ones, blanks at the edge.

use crate::checklist::basis::{COMMAND, MEASURED};
use crate::checklist::staging::{half_read, no, unknown, yes};
use crate::checklist::subject::name_citation;
use crate::checklist::{Family, Hit, Indicator, Question, Scene, technique};
use crate::text;

pub(super) const DECEPTIVE: Indicator = Indicator {
    id: "N09",
    family: Family::Q1,
    checklist: Question::What,
    question: "Does a name hold characters that deceive: mixed scripts, invisible ones, blanks at the end?",
    why: "A Cyrillic letter, a zero-width space or a blank at the end makes a second key that looks like the first \
          and that tools fail to open.",
    innocent: "Display names in other languages are ordinary and not counted; keys are in Latin letters everywhere.",
    verify: &[
        "Export the key and read its name in hexadecimal digits (Registry Explorer shows them)",
    ],
    attack: &[technique("T1036.002"), technique("T1036.004")],
    weight: 20,
    hard: false,
    needs: &[COMMAND],
    sources: &[MEASURED],
    since: "0.1.0",
    check: &|scope| {
        let service = scope.service;
        let name = service.name.as_str();
        let display = service.display_name.as_deref().unwrap_or_default();
        let turned = |text: &str| text.chars().any(|c| matches!(c, '\u{202a}'..='\u{202e}'));
        let (what, weight) = if turned(name) || turned(display) {
            ("a character that turns the text around", 35)
        } else if name.chars().chain(display.chars()).any(is_invisible) {
            ("an invisible character", 20)
        } else if name != name.trim() {
            ("a blank at its edge", 20)
        } else if is_mixed_script(name) {
            ("letters of several scripts", 20)
        } else {
            return None;
        };
        let shown =
            if turned(display) || display.chars().any(is_invisible) { display } else { name };
        let because = format!("\"{}\" holds {what}.", text::terminal_safe(&clip_raw(shown)));
        Some(Hit::new(because, name_citation(scope)?).weighing(weight))
    },
    examples: &[
        yes("a Cyrillic o", || Scene::service("Sp\u{43e}oler")),
        yes("a blank at the end", || Scene::service("Spooler ")),
        yes("a right-to-left override", || {
            Scene::service("x").text("DisplayName", "Agent\u{202e}exe")
        }),
        no("a display name in Russian", || {
            Scene::service("Agent")
                .text("DisplayName", "\u{421}\u{43b}\u{443}\u{436}\u{431}\u{430}")
        }),
        unknown("part of the hive is unreadable", half_read),
    ],
};

/// Cut without trimming: a blank at the edge is what the sentence is about.
fn clip_raw(name: &str) -> String {
    name.chars().take(160).collect()
}

fn is_invisible(c: char) -> bool {
    text::is_deceptive(c) && !matches!(c, '\r' | '\n' | '\t' | '\0')
}

/// Latin letters beside letters that look like them.
fn is_mixed_script(name: &str) -> bool {
    let latin = name.chars().any(|c| c.is_ascii_alphabetic());
    let twin = name.chars().any(
        |c| matches!(c, '\u{370}'..='\u{52f}' | '\u{13a0}'..='\u{13ff}' | '\u{ff21}'..='\u{ff5a}'),
    );
    latin && twin
}
