//! Lines that fit a terminal. Widths are columns, not characters: CJK takes two, combining marks none.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use crate::text;

/// Columns a text takes.
pub(super) fn columns(text: &str) -> usize {
    text.width()
}

/// Evidence made safe and cut to that many columns, with `…` where something was cut.
pub(super) fn fit(evidence: &str, width: usize) -> String {
    let safe = text::terminal_safe(evidence);
    if columns(&safe) <= width && safe.chars().count() <= width.saturating_mul(2) {
        return safe.into_owned();
    }
    let room = width.saturating_sub(1);
    let mut kept = String::new();
    let mut used = 0_usize;
    for c in safe.chars().take(width.saturating_mul(2)) {
        used = used.saturating_add(c.width().unwrap_or(0));
        if used > room {
            break;
        }
        kept.push(c);
    }
    kept.push('…');
    kept
}

/// Breaks safe text at spaces into lines of at most `width` columns; `first` and `indent` start them.
///
/// Words longer than a line are cut, so that no line is ever longer than `width` (or than its indent and
/// one character).
pub(super) fn wrap(text: &str, width: usize, first: &str, indent: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut fresh = true;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let mut word = word;
        loop {
            let gap = usize::from(!fresh);
            let room = width.saturating_sub(columns(&line)).saturating_sub(gap);
            if columns(word) <= room {
                line.push_str(if fresh { "" } else { " " });
                line.push_str(word);
                fresh = false;
                break;
            }
            if !fresh {
                lines.push(std::mem::replace(&mut line, indent.to_owned()));
                fresh = true;
                continue;
            }
            let (head, tail) = split(word, room.max(1));
            line.push_str(head);
            lines.push(std::mem::replace(&mut line, indent.to_owned()));
            word = tail;
        }
    }
    if !fresh || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Splits a word after as many characters as fit, at least one.
fn split(word: &str, room: usize) -> (&str, &str) {
    let mut used = 0_usize;
    for (index, c) in word.char_indices() {
        used = used.saturating_add(c.width().unwrap_or(0));
        if used > room && index > 0 {
            return word.split_at_checked(index).unwrap_or((word, ""));
        }
    }
    (word, "")
}

/// `1 driver`, `2 drivers`, `2 losses`.
pub(super) fn plural(count: usize, noun: &str) -> String {
    match count {
        1 => format!("1 {noun}"),
        _ if noun.ends_with('s') => format!("{count} {noun}es"),
        _ => format!("{count} {noun}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_is_wider_than_asked() {
        for (text, width, lines) in [
            ("aa bb cc", 5, vec!["aa bb", " cc"]),
            ("aaaaaaaaa", 4, vec!["aaaa", " aaa", " aa"]),
            ("", 4, vec![""]),
            ("日本語 x", 4, vec!["日本", " 語", " x"]),
        ] {
            assert_eq!(wrap(text, width, "", " "), lines, "{text}");
        }
    }

    #[test]
    fn cut_text_says_so() {
        assert_eq!(fit("abcdef", 6), "abcdef");
        assert_eq!(fit("abcdefg", 6), "abcde…");
        assert_eq!(fit("日本語", 5), "日本…");
        assert_eq!(fit("a\u{1b}[31m", 20), "a\\u{1b}[31m");
        assert!(fit(&"\u{300}".repeat(10_000), 10).chars().count() < 30);
    }
}
