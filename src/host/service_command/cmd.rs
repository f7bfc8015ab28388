//! The command interpreter: what `cmd /c` runs.

use super::variables::Variables;

/// One command of a line, and whether it reads otherwise than it was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// The command, escapes removed.
    pub(super) text: String,
    /// Whether escapes before letters were removed: nobody types those.
    pub(super) decoded: bool,
}

/// How many commands of one line are looked at.
const MOST: usize = 256;

/// What follows `/c`, `/k` or `/r` among the interpreter's options, without the quotes that it takes away ("cmd",
/// Microsoft Learn: the first and last, unless there are exactly two around a program's name).
pub(super) fn after_switch(options: &str) -> Option<&str> {
    let mut rest = options.trim_start_matches([' ', '\t', ',', ';', '=']);
    while let Some(option) = rest.strip_prefix(['/', '-']) {
        let option = option.trim_start_matches('^');
        let letter = option.chars().next()?;
        let after = option.get(letter.len_utf8()..)?;
        if matches!(letter.to_ascii_lowercase(), 'c' | 'k' | 'r') {
            return Some(unquoted(after.trim()));
        }
        let end = after.find([' ', '\t', '/', ',', ';'])?;
        rest = after.get(end..)?.trim_start_matches([' ', '\t', ',', ';']);
    }
    None
}

fn unquoted(text: &str) -> &str {
    let Some(inner) = text.strip_prefix('"') else { return text };
    let Some(last) = inner.rfind('"') else { return inner };
    let program = inner.get(..last).unwrap_or_default();
    let after = inner.get(last.saturating_add(1)..).unwrap_or_default();
    let two = !program.contains('"');
    if two
        && !after.trim().is_empty()
        && !program.contains(['&', '<', '>', '(', ')', '@', '^', '|'])
    {
        return text;
    }
    // What follows the last quote stays; where nothing does, the quotes alone go.
    if after.trim().is_empty() { program } else { inner }
}

/// The commands of a line: parted at `&`, `|` and line ends outside quotes, carets and redirections removed, variables
/// that the line itself sets replaced.
pub(super) fn segments(line: &str) -> Vec<Segment> {
    let mut variables = Variables::default();
    let mut out = Vec::new();
    for mut segment in split(line) {
        if out.len() >= MOST {
            break;
        }
        if variables.assign(&segment.text) {
            continue;
        }
        let Some(expanded) = variables.expand(&segment.text) else {
            out.push(segment);
            continue;
        };
        // What a variable holds may be several commands.
        for part in split(&expanded) {
            segment = Segment { decoded: true, ..part };
            if !variables.assign(&segment.text) {
                out.push(segment);
            }
        }
    }
    out
}

fn split(line: &str) -> Vec<Segment> {
    let mut out = Vec::new();
    let mut current = Segment { text: String::new(), decoded: false };
    let mut quoted = false;
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                quoted = !quoted;
                current.text.push(c);
            }
            '\n' | '\r' => finish(&mut current, &mut out),
            _ if quoted => current.text.push(c),
            '^' => {
                if let Some(next) = chars.next() {
                    current.decoded |= next.is_alphanumeric();
                    current.text.push(next);
                }
            }
            '&' | '|' => finish(&mut current, &mut out),
            '>' | '<' => {
                drop_handle(&mut current.text);
                while chars.next_if(|next| matches!(next, '>' | '&' | ' ')).is_some() {}
                skip_target(&mut chars);
                current.text.push(' ');
            }
            c => current.text.push(c),
        }
    }
    finish(&mut current, &mut out);
    out
}

/// `2>`: the number belongs to the redirection.
fn drop_handle(text: &mut String) {
    let mut end = text.chars().rev();
    let digit = end.next().is_some_and(|c| c.is_ascii_digit());
    if digit && end.next().is_none_or(char::is_whitespace) {
        text.pop();
    }
}

fn skip_target(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    let mut quoted = false;
    while let Some(c) =
        chars.next_if(|c| quoted || !matches!(c, ' ' | '&' | '|' | ')' | '\n' | '\r'))
    {
        quoted ^= c == '"';
    }
}

fn finish(segment: &mut Segment, out: &mut Vec<Segment>) {
    let text = segment.text.trim_start_matches(['@', '(', ' ', '\t', ',', ';', '=']).trim_end();
    let text = if text.matches('(').count() < text.matches(')').count() {
        text.trim_end_matches([')', ' '])
    } else {
        text
    };
    if !text.is_empty() {
        out.push(Segment { text: text.to_owned(), decoded: segment.decoded });
    }
    *segment = Segment { text: String::new(), decoded: false };
}

/// The line with commas and semicolons outside quotes as spaces: the interpreter takes them for separators.
pub(super) fn without_separators(line: &str) -> String {
    let mut quoted = false;
    line.chars()
        .map(|c| {
            quoted ^= c == '"';
            if !quoted && matches!(c, ',' | ';') { ' ' } else { c }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_switch_ends_the_options() {
        for (options, expected) in [
            ("/c sc stop x", Some("sc stop x")),
            ("/v:on /q /d /c\"sc stop x\"", Some("sc stop x")),
            ("/Q /C \"\"C:\\a b\\x.exe\" /y\"", Some("\"C:\\a b\\x.exe\" /y")),
            ("/c \"C:\\a b\\x.exe\" /y", Some("\"C:\\a b\\x.exe\" /y")),
            (",/c,sc", Some(",sc")),
            ("/k", Some("")),
            ("echo", None),
            ("/", None),
        ] {
            assert_eq!(after_switch(options), expected, "{options}");
        }
    }

    #[test]
    fn lines_fall_into_commands() {
        for (line, expected) in [
            ("a & b&&c || d", vec!["a", "b", "c", "d"]),
            (r#"echo "a & b""#, vec![r#"echo "a & b""#]),
            ("s^c st^op x", vec!["sc stop x"]),
            ("sc stop x >nul 2>&1 & b", vec!["sc stop x", "b"]),
            ("(sc stop x)", vec!["sc stop x"]),
            ("set a=sc&&call %a% stop x", vec!["call sc stop x"]),
            ("@,;sc,stop", vec!["sc,stop"]),
            ("", vec![]),
            ("&&&^", vec![]),
        ] {
            let found: Vec<String> = segments(line).into_iter().map(|one| one.text).collect();
            assert_eq!(found, expected, "{line}");
        }
    }
}
