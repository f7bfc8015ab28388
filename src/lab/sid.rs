//! Security identifiers, from their text to their bytes.

use super::bytes::Buffer;

/// A security identifier in its binary form ([MS-DTYP] 2.4.2.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sid {
    text: String,
    bytes: Vec<u8>,
}

impl Sid {
    /// Parses `S-1-…`; `None` if it is not one.
    pub fn parse(text: &str) -> Option<Sid> {
        let mut parts = text.strip_prefix("S-1-")?.split('-');
        let authority: u64 = parts.next()?.parse().ok()?;
        let subs: Vec<u32> = parts.map(str::parse).collect::<Result<_, _>>().ok()?;
        let mut bytes =
            Buffer::with(&[1, u8::try_from(subs.len()).ok().filter(|count| *count <= 15)?]);
        bytes.bytes(authority.to_be_bytes().get(2..)?);
        for sub in subs {
            bytes.u32(sub);
        }
        Some(Sid { text: text.to_owned(), bytes: bytes.into_vec() })
    }

    /// `S-1-5-18`: the system itself.
    pub fn system() -> Sid {
        Sid::well_known("S-1-5-18", 5, 18)
    }

    /// `S-1-0-0`: nobody.
    pub(super) fn nobody() -> Sid {
        Sid::well_known("S-1-0-0", 0, 0)
    }

    /// `S-1-5-19`.
    pub(super) fn local_service() -> Sid {
        Sid::well_known("S-1-5-19", 5, 19)
    }

    /// `S-1-5-20`.
    pub(super) fn network_service() -> Sid {
        Sid::well_known("S-1-5-20", 5, 20)
    }

    /// `S-1-16-…`: a mandatory label.
    pub(super) fn label(level: u32) -> Sid {
        Sid::well_known(&format!("S-1-16-{level}"), 16, level)
    }

    fn well_known(text: &str, authority: u8, sub: u32) -> Sid {
        let mut bytes = Buffer::with(&[1, 1, 0, 0, 0, 0, 0, authority]);
        bytes.u32(sub);
        Sid { text: text.to_owned(), bytes: bytes.into_vec() }
    }

    /// The textual form.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The binary form.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_bytes_agree() {
        for sid in [Sid::system(), Sid::nobody(), Sid::network_service(), Sid::label(16384)] {
            assert_eq!(Sid::parse(sid.text()), Some(sid));
        }
        assert_eq!(
            Sid::parse("S-1-5-32-544").unwrap().bytes(),
            [1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0]
        );
        for wrong in ["", "S-1", "S-1-x", "S-2-5-18", "S-1-5-18-", "everyone"] {
            assert_eq!(Sid::parse(wrong), None, "{wrong}");
        }
    }
}
