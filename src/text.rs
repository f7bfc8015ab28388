//! Text from evidence: comparing it as Windows does, decoding it, and showing it without letting it act.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Folds a registry or file name for comparison: Windows compares names without case.
///
/// Upper-cases by the simple (one-to-one) mapping, as the kernel's upcase table does; characters whose
/// upper-case form is longer than one character (`ß`) stay as they are.
pub fn fold(name: &str) -> String {
    name.chars().map(fold_char).collect()
}

fn fold_char(c: char) -> char {
    if c.is_ascii() {
        return c.to_ascii_uppercase();
    }
    let mut upper = c.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) => single,
        _ => c,
    }
}

/// Whether two names are equal to Windows.
pub fn same_name(left: &str, right: &str) -> bool {
    // Most names that are compared differ in their first letter.
    if let (Some(one), Some(other)) = (left.bytes().next(), right.bytes().next())
        && one.is_ascii()
        && other.is_ascii()
        && !one.eq_ignore_ascii_case(&other)
    {
        return false;
    }
    left.len() == right.len() && left.eq_ignore_ascii_case(right)
        || left.chars().map(fold_char).eq(right.chars().map(fold_char))
}

/// How many characters must be added, removed, replaced or swapped with their neighbor to make one short text of another; texts
/// longer than 64 characters are as far apart as they are long.
pub fn edits(left: &str, right: &str) -> usize {
    const LONGEST: usize = 64;
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let longest = left.len().max(right.len());
    if longest > LONGEST {
        return longest;
    }
    let (mut before, mut last): (Vec<usize>, Vec<usize>) =
        (Vec::new(), (0..=right.len()).collect());
    for (row, one) in left.iter().enumerate() {
        let mut now = vec![row.saturating_add(1)];
        for (column, other) in right.iter().enumerate() {
            let cell = |cells: &[usize], at: usize| cells.get(at).copied().unwrap_or(usize::MAX);
            let replaced = cell(&last, column).saturating_add(usize::from(one != other));
            let next = column.saturating_add(1);
            let moved = cell(&last, next).min(cell(&now, column)).saturating_add(1);
            let is_swap = row > 0
                && column > 0
                && left.get(row.saturating_sub(1)) == Some(other)
                && right.get(column.saturating_sub(1)) == Some(one);
            let swapped = if is_swap {
                cell(&before, column.saturating_sub(1)).saturating_add(1)
            } else {
                usize::MAX
            };
            now.push(replaced.min(moved).min(swapped));
        }
        before = std::mem::replace(&mut last, now);
    }
    last.last().copied().unwrap_or(longest)
}

/// The order of two names, the second of which is folded: that of what [`fold`] makes of them.
pub fn compare(name: &str, folded: &str) -> std::cmp::Ordering {
    name.chars().map(fold_char).cmp(folded.chars())
}

/// Bytes as hexadecimal digits in lower case.
pub fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(bytes.len().saturating_mul(2));
    for byte in bytes {
        // Writing to a string cannot fail.
        let _infallible = write!(digits, "{byte:02x}");
    }
    digits
}

/// Decodes UTF-16LE up to the first NUL or the end; unpaired surrogates become U+FFFD, an odd last byte is dropped.
pub fn utf16le_until_nul(bytes: &[u8]) -> String {
    decode_utf16(utf16_units(bytes).take_while(|unit| *unit != 0))
}

/// Decodes UTF-16LE including embedded NULs; unpaired surrogates become U+FFFD, an odd last byte is dropped.
pub fn utf16le(bytes: &[u8]) -> String {
    decode_utf16(utf16_units(bytes))
}

fn utf16_units(bytes: &[u8]) -> impl Iterator<Item = u16> + '_ {
    bytes.chunks_exact(2).map(|pair| match pair {
        [low, high] => u16::from_le_bytes([*low, *high]),
        _ => 0,
    })
}

fn decode_utf16(units: impl Iterator<Item = u16>) -> String {
    char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Whether a character acts on a terminal or deceives the reader instead of being read.
///
/// C0, DEL, C1, bidirectional controls, zero-width characters, line and paragraph separators, variation
/// selectors, tags and the byte-order mark.
pub fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}'
        | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}')
}

/// The sink for everything that goes to a terminal or into plain text: deceptive characters become `\u{…}`.
pub fn terminal_safe(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len().saturating_add(8));
    for c in text.chars() {
        if is_deceptive(c) {
            let _infallible = write!(safe, "\\u{{{:x}}}", u32::from(c));
        } else {
            safe.push(c);
        }
    }
    Cow::Owned(safe)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_compare_as_in_windows() {
        for (left, right, same) in [
            ("WinDefend", "WINDEFEND", true),
            ("\u{e9}t\u{e9}", "\u{c9}T\u{c9}", true),
            ("stra\u{df}e", "STRASSE", false),
            ("a", "ab", false),
        ] {
            assert_eq!(same_name(left, right), same, "{left} {right}");
            assert_eq!(fold(left) == fold(right), same, "{left} {right}");
        }
    }

    #[test]
    fn edits_are_counted() {
        for (left, right, expected) in [
            ("", "", 0),
            ("P06", "P06", 0),
            ("P06", "P60", 1),
            ("P06", "P0", 1),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ca", "abc", 3),
        ] {
            assert_eq!(edits(left, right), expected, "{left} {right}");
            assert_eq!(edits(right, left), expected, "{right} {left}");
        }
        assert_eq!(edits(&"a".repeat(100), "b"), 100);
    }

    #[test]
    fn escapes_are_shown_not_obeyed() {
        assert_eq!(terminal_safe("plain \u{fc} name"), "plain \u{fc} name");
        assert_eq!(terminal_safe("a\u{1b}[31mb\nc\u{202e}d"), "a\\u{1b}[31mb\\u{a}c\\u{202e}d");
    }

    #[test]
    fn utf16_survives_odd_lengths_and_lone_surrogates() {
        assert_eq!(utf16le_until_nul(&[0x41, 0, 0, 0, 0x42, 0]), "A");
        assert_eq!(utf16le(&[0x41, 0, 0x00, 0xd8, 0x42]), "A\u{fffd}");
    }
}
