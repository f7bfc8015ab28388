//! Patterns of a policy: `*` and `?` over names and paths, compared as Windows compares them.

use crate::text;

/// A pattern: `*` stands for any run of characters, `?` for one; case and the direction of slashes do not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    raw: String,
    folded: Vec<char>,
}

impl Pattern {
    /// Reads a pattern. Every text is one.
    pub fn new(raw: &str) -> Self {
        Self { raw: raw.to_owned(), folded: fold(raw) }
    }

    /// The pattern as the analyst wrote it.
    pub fn as_str(&self) -> &str {
        &self.raw
    }

    /// Whether it constrains nothing: empty, or stars alone.
    pub fn matches_everything(&self) -> bool {
        self.folded.iter().all(|c| *c == '*')
    }

    /// Whether the whole text matches. Takes at most `pattern × text` steps: a star that fits too little is
    /// lengthened, and only the last star is ever reconsidered.
    pub fn matches(&self, text: &str) -> bool {
        let text = fold(text);
        let (mut at, mut star) = (0_usize, None);
        let mut here = 0_usize;
        while let Some(c) = text.get(here) {
            match self.folded.get(at) {
                Some('*') => {
                    star = Some((at, here));
                    at = at.saturating_add(1);
                    continue;
                }
                Some(wanted) if *wanted == '?' || wanted == c => {
                    at = at.saturating_add(1);
                    here = here.saturating_add(1);
                    continue;
                }
                _ => {}
            }
            let Some((star_at, taken)) = star else { return false };
            at = star_at.saturating_add(1);
            here = taken.saturating_add(1);
            star = Some((star_at, here));
        }
        self.folded.iter().skip(at).all(|c| *c == '*')
    }
}

fn fold(text: &str) -> Vec<char> {
    text::fold(text.trim()).chars().map(|c| if c == '/' { '\\' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_windows() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("*", "anything", true),
            ("Contoso*", "contosoAgent", true),
            ("Contoso*", "aContoso", false),
            ("*agent", "ContosoAgent", true),
            ("*agent", "ContosoAgents", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("??", "ab", true),
            ("??", "abc", false),
            (r"C:\Program Files\*\x.exe", r"c:/program files/contoso/X.EXE", true),
            (r"C:\Program Files\*\x.exe", r"c:\users\x.exe", false),
            ("\u{e9}t\u{e9}*", "\u{c9}T\u{c9} 1", true),
        ] {
            assert_eq!(Pattern::new(pattern).matches(text), expected, "{pattern} {text}");
        }
        let hostile = "a".repeat(20_000);
        assert!(!Pattern::new("*a*a*a*a*a*a*b").matches(&hostile));
    }

    #[test]
    fn stars_alone_constrain_nothing() {
        assert!(Pattern::new("**").matches_everything());
        assert!(!Pattern::new("?*").matches_everything());
    }
}
