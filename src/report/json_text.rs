//! JSON that may be looked at: serde escapes what JSON must escape, this the rest that acts on a terminal or
//! deceives a reader. Parsers give back the same text.

use std::io;

use crate::text;

/// A writer of JSON that writes deceptive characters as `\uXXXX`.
pub(super) struct JsonText<'w>(pub(super) &'w mut dyn io::Write);

impl io::Write for JsonText<'_> {
    fn write(&mut self, json: &[u8]) -> io::Result<usize> {
        let text = std::str::from_utf8(json).map_err(io::Error::other)?;
        for piece in text.split_inclusive(is_escaped) {
            let Some(last) = piece.chars().next_back().filter(|last| is_escaped(*last)) else {
                self.0.write_all(piece.as_bytes())?;
                continue;
            };
            self.0.write_all(piece.trim_end_matches(last).as_bytes())?;
            for unit in last.encode_utf16(&mut [0; 2]) {
                write!(self.0, "\\u{unit:04x}")?;
            }
        }
        Ok(json.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// Line breaks of JSON itself stay; inside of strings serde has escaped them already.
fn is_escaped(c: char) -> bool {
    c >= ' ' && text::is_deceptive(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_deceives_is_escaped_and_stays_the_same_text() {
        for (name, expected) in [
            ("plain \u{fc} \u{1f600}", "\"plain \u{fc} \u{1f600}\""),
            ("a\u{9b}\u{9b}b\u{7f}", r#""a\u009b\u009bb\u007f""#),
            ("\u{202e}exe.gpj", r#""\u202eexe.gpj""#),
            ("tag\u{e0041}", r#""tag\udb40\udc41""#),
            ("line\nbreak", r#""line\nbreak""#),
        ] {
            let mut json = Vec::new();
            serde_json::to_writer(JsonText(&mut json), name).unwrap();
            assert_eq!(String::from_utf8(json).unwrap(), expected);
            assert_eq!(serde_json::from_str::<String>(expected).unwrap(), name);
        }
    }
}
