//! What every page for people must keep to, whatever the evidence says.

#![expect(clippy::indexing_slicing, reason = "a test may stop at a surprise")]

use svctriage::text;

/// Nothing in it acts on a terminal or deceives the reader.
pub(crate) fn assert_harmless(page: &str) {
    let bad = page.char_indices().find(|(_, c)| *c != '\n' && text::is_deceptive(*c));
    let around = bad.and_then(|(at, _)| page.get(at.saturating_sub(200)..)).unwrap_or(page);
    assert_eq!(bad, None, "{around:.400}");
}

/// Outside of code spans there is nothing that Markdown or an auto-linker acts on.
pub(crate) fn assert_inert(page: &str) {
    for line in page.lines() {
        let prose = without_code(line).replace("<br>", "");
        for active in ["<", "](", "://", "www.", "@"] {
            assert!(!prose.contains(active), "{active} in {line}");
        }
    }
}

/// A line without its code spans and escaped characters. A code span reaches from a run of backticks to the
/// next run of the same length (the rule of `CommonMark`).
fn without_code(line: &str) -> String {
    let chars: Vec<char> = line.chars().collect();
    let run = |at: usize| chars[at..].iter().take_while(|c| **c == '`').count();
    let mut prose = String::new();
    let mut at = 0;
    while at < chars.len() {
        match (chars[at], run(at)) {
            ('\\', _) => at += 2,
            ('`', length) => {
                at += length;
                while run(at) != length {
                    assert!(at < chars.len(), "a code span never ends: {line}");
                    at += run(at).max(1);
                }
                at += length;
            }
            (other, _) => {
                prose.push(other);
                at += 1;
            }
        }
    }
    prose
}
