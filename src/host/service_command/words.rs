//! Words of a command line, as a Windows program receives them.

/// One argument and where it stands in the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// The argument without the quotes around it.
    pub(super) text: String,
    /// Byte offset in the line of what follows it.
    pub(super) end: usize,
}

/// Splits a line into arguments by the rules of the Microsoft C runtime ("Parsing C command-line arguments", Microsoft
/// Learn): white space parts them outside double quotes, `\"` is a quote, `""` inside quotes is one.
pub(super) fn split(line: &str) -> Vec<Word> {
    let mut words = Vec::new();
    let mut word = String::new();
    let (mut quoted, mut started) = (false, false);
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => {
                started = true;
                let mut slashes = 1_usize;
                while chars.next_if(|(_, next)| *next == '\\').is_some() {
                    slashes = slashes.saturating_add(1);
                }
                let before_quote = chars.peek().is_some_and(|(_, next)| *next == '"');
                let kept = if before_quote { slashes / 2 } else { slashes };
                word.extend(std::iter::repeat_n('\\', kept));
                if before_quote && slashes % 2 == 1 {
                    word.push('"');
                    chars.next();
                }
            }
            '"' => {
                started = true;
                if quoted && chars.next_if(|(_, next)| *next == '"').is_some() {
                    word.push('"');
                } else {
                    quoted = !quoted;
                }
            }
            c if c.is_whitespace() && !quoted => {
                if started {
                    words.push(Word { text: std::mem::take(&mut word), end: at });
                    started = false;
                }
            }
            c => {
                word.push(c);
                started = true;
            }
        }
    }
    if started {
        words.push(Word { text: word, end: line.len() });
    }
    words
}

/// The texts of the words.
#[cfg(test)]
fn texts(line: &str) -> Vec<String> {
    split(line).into_iter().map(|word| word.text).collect()
}

/// The text cut to at most that many bytes, at a character's boundary.
pub(super) fn clip(text: &str, longest: usize) -> &str {
    let mut end = text.len().min(longest);
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_parted_as_programs_receive_them() {
        for (line, expected) in [
            ("", vec![]),
            ("  a  b ", vec!["a", "b"]),
            (r#""a b" c"#, vec!["a b", "c"]),
            (r#"x= "\"c:\a b.exe\"" y"#, vec!["x=", r#""c:\a b.exe""#, "y"]),
            (r#"a\\b "c:\d\\" e"#, vec![r"a\\b", r"c:\d\", "e"]),
            (r#""a""b" c"#, vec![r#"a"b"#, "c"]),
            (r#""never closed  x"#, vec!["never closed  x"]),
            (r#""" x"#, vec!["", "x"]),
        ] {
            assert_eq!(texts(line), expected, "{line}");
        }
    }
}
