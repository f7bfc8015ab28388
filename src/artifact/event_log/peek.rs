//! A look at a record's values before their text is made, to leave out what says nothing.
//!
//! Every question is answered "maybe" unless the answer is certainly no: letters outside ASCII may fold into ASCII ones, and
//! a value may be of a type that only rendering knows.

/// Decides by its values whether a record can be of interest; true where it may be.
pub type Worth = fn(&Peek<'_>) -> bool;

/// A value before its text is made.
#[derive(Debug, Clone, Copy)]
pub enum Seen<'v> {
    /// A string, as UTF-16LE up to its first NUL.
    Utf16(&'v [u8]),
    /// A string that is text already.
    Text(&'v str),
    /// Absent, or not a string.
    Unknown,
}

/// The values of one record, by name.
pub struct Peek<'v> {
    value: &'v dyn Fn(&str) -> Seen<'v>,
}

impl<'v> Peek<'v> {
    /// Looks at values through a function that finds them by name.
    pub fn new(value: &'v dyn Fn(&str) -> Seen<'v>) -> Self {
        Self { value }
    }

    /// Whether the value of that name may contain one of these parts (lower-case ASCII), compared without case.
    pub fn may_contain(&self, name: &str, parts: &[&str]) -> bool {
        self.may(name, |text| parts.iter().any(|part| text.contains(part)))
    }

    /// Whether the value of that name, without spaces around it, may be one of these texts (lower-case ASCII), compared
    /// without case.
    pub fn may_be(&self, name: &str, texts: &[&str]) -> bool {
        self.may(name, |text| texts.contains(&text.trim()))
    }

    /// Whether the value of that name may end with one of these texts (lower-case ASCII), compared without case.
    pub fn may_end_with(&self, name: &str, ends: &[&str]) -> bool {
        self.may(name, |text| ends.iter().any(|end| text.ends_with(end)))
    }

    /// Whether the value of that name certainly is this text (ASCII), case and spaces included.
    pub fn is(&self, name: &str, text: &str) -> bool {
        match (self.value)(name) {
            Seen::Unknown => false,
            Seen::Text(value) => value == text,
            Seen::Utf16(utf16) => super::tokens::is(utf16, text),
        }
    }

    fn may(&self, name: &str, says: impl FnOnce(&str) -> bool) -> bool {
        let folded = match (self.value)(name) {
            Seen::Unknown => None,
            Seen::Text(text) => text.is_ascii().then(|| text.to_ascii_lowercase()),
            Seen::Utf16(utf16) => folded(utf16),
        };
        folded.is_none_or(|text| says(&text))
    }
}

/// The text in lower case; `None` where it is not all ASCII.
fn folded(utf16: &[u8]) -> Option<String> {
    let units = utf16.as_chunks::<2>().0;
    if units.iter().fold(0, |sum, unit| sum | unit[1] | unit[0] & 0x80) != 0 {
        return None;
    }
    String::from_utf8(units.iter().map(|unit| unit[0].to_ascii_lowercase()).collect()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_certainty_says_no() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        for (text, expected) in [
            ("HKLM\\System\\CurrentControlSet\\SERVICES\\x", [true, false, false]),
            (" Key ", [false, true, false]),
            ("C:\\Windows\\SvcHost.exe", [false, false, true]),
            ("HKLM\\\u{17f}ervices", [true, true, true]),
            ("", [false, false, false]),
        ] {
            let bytes = utf16(text);
            for seen in [Seen::Utf16(&bytes), Seen::Text(text)] {
                let value = |_: &str| seen;
                let peek = Peek::new(&value);
                let answers = [
                    peek.may_contain("x", &["\\services", "\\winevt\\"]),
                    peek.may_be("x", &["service object", "key"]),
                    peek.may_end_with("x", &["svchost.exe"]),
                ];
                assert_eq!(answers, expected, "{seen:?}");
            }
        }
        let unknown = Peek::new(&|_| Seen::Unknown);
        assert!(unknown.may_be("x", &[]) && !unknown.is("x", ""));
        let key = utf16("Key");
        for seen in [Seen::Utf16(&key), Seen::Text("Key")] {
            let value = |_: &str| seen;
            let peek = Peek::new(&value);
            assert!(peek.is("x", "Key") && !peek.is("x", "key") && !peek.is("x", "Key "));
        }
    }
}
