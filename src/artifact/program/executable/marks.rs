//! Marks that languages and packers of scripts leave in the bytes of a program, looked for while the file is read once.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::bytes::Regex;

use crate::host::program_file::Hint;

/// No mark is longer, in bytes: so much of what came before is looked at again with the next part.
pub(in crate::artifact::program) const LONGEST: usize = 64;

/// Each mark with its name as a group:
/// Go's build id and build information (`debug/buildinfo`), the paths that rustc writes into panics, Nim's names of its own
/// sources, the head of an `AutoIt` script, the cookie of `PyInstaller`'s archive, the place in `apphost` of .NET for its
/// bundle (SHA-256 of ".net core bundle\n"), and the name of the function that connects a service to its manager.
const MARKS: &str = concat!(
    r"(?s-u)(?P<go>\xff Go build(?:inf:| ID: )|Go build ID: \x22)",
    r"|(?P<rust>/rustc/[0-9a-f]{40}[/\\])",
    r"|(?P<nim>(?:fatal|iterators|system)\.nim\x00|NimMainModule)",
    r"|(?P<autoit>AU3!EA0[56])",
    r"|(?P<python>MEI\x0c\x0b\x0a\x0b\x0e|NUITKA_ONEFILE_PARENT|zipimporter\x00__main__)",
    r"|(?P<dotnet>\x8b\x12\x02\xb9\x6a\x61\x20\x38\x72\x7b\x93\x02\x14\xd7\xa0\x32)",
    r"|(?P<dispatcher>StartServiceCtrlDispatcher)"
);

static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(MARKS).ok());

/// Looks for marks in a file that comes in parts.
#[derive(Debug, Default)]
pub(in crate::artifact::program) struct Marks {
    /// What was found.
    pub(super) hints: BTreeSet<Hint>,
    /// Whether the name of the service dispatcher is in the file.
    pub(super) names_dispatcher: bool,
}

impl Marks {
    /// Looks at a part, which begins with the last [`LONGEST`] bytes of the part before.
    pub(in crate::artifact::program) fn look(&mut self, part: &[u8]) {
        let Some(pattern) = PATTERN.as_ref() else { return };
        for found in pattern.find_iter(part) {
            match found.as_bytes() {
                [0xff, ..] | [b'G', b'o', ..] => self.add(Hint::Go),
                [b'/', ..] => self.add(Hint::Rust),
                [b'A', ..] => self.add(Hint::AutoIt),
                [0x8b, ..] => self.add(Hint::DotNet),
                [b'S', ..] => self.names_dispatcher = true,
                [b'M' | b'z', ..] | [b'N', b'U', ..] => self.add(Hint::Python),
                _ => self.add(Hint::Nim),
            }
        }
    }

    fn add(&mut self, hint: Hint) {
        self.hints.insert(hint);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_mark_is_known() {
        let rust = b"/rustc/0123456789abcdef0123456789abcdef01234567/library/core";
        let bundle = b"\x8b\x12\x02\xb9\x6a\x61\x20\x38\x72\x7b\x93\x02\x14\xd7\xa0\x32\x13\xf5";
        let marks: [(&[u8], Option<Hint>); 9] = [
            (b"\xff Go buildinf:\x08\x02", Some(Hint::Go)),
            (b"Go build ID: \"abc", Some(Hint::Go)),
            (rust, Some(Hint::Rust)),
            (b"fatal.nim\0", Some(Hint::Nim)),
            (b"AU3!EA06", Some(Hint::AutoIt)),
            (b"MEI\x0c\x0b\x0a\x0b\x0e", Some(Hint::Python)),
            (bundle, Some(Hint::DotNet)),
            (b"/rustc/ is not a path of rustc", None),
            (b"StartServiceCtrl", None),
        ];
        for (bytes, expected) in marks {
            let mut found = Marks::default();
            found.look(&[b"before ", bytes, b" after"].concat());
            assert_eq!(found.hints.into_iter().next(), expected, "{bytes:?}");
            assert!(!found.names_dispatcher);
        }
        let mut found = Marks::default();
        found.look(b"advapi32.dll\0StartServiceCtrlDispatcherW\0");
        assert!(found.names_dispatcher && found.hints.is_empty());
    }
}
