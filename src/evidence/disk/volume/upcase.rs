//! The volume's own table of upper-case letters, by which it compares names.

use super::bytes::units;

const LETTERS: usize = 0x1_0000;

/// What each UTF-16 code unit becomes in upper case.
pub(super) struct Upcase(Vec<u16>);

impl Upcase {
    /// The table in `$UpCase`; absent where it cannot be one.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        let table = units(bytes);
        let is_sane = |(letter, upper): (u16, &u16)| match letter {
            0x61..=0x7a => *upper == letter & !0x20,
            0..0x80 => *upper == letter,
            _ => true,
        };
        let is_sane = table.len() == LETTERS && (0..0x80).zip(&table).all(is_sane);
        is_sane.then_some(Self(table))
    }

    /// Unicode's simple upper case, which differs from Windows' tables in few letters.
    pub(super) fn unicode() -> Self {
        let upper = |unit: u16| {
            let mut upper = char::from_u32(unit.into())?.to_uppercase();
            let first = upper.next().filter(|_| upper.next().is_none())?;
            u16::try_from(u32::from(first)).ok()
        };
        Self((0..=u16::MAX).map(|unit| upper(unit).unwrap_or(unit)).collect())
    }

    fn upper(&self, unit: u16) -> u16 {
        self.0.get(usize::from(unit)).copied().unwrap_or(unit)
    }

    /// A name in upper case.
    pub(super) fn fold(&self, name: impl IntoIterator<Item = u16>) -> Vec<u16> {
        name.into_iter().map(|unit| self.upper(unit)).collect()
    }

    /// Whether two names are the same but for case.
    pub(super) fn same(&self, left: &[u16], right: &[u16]) -> bool {
        left.len() == right.len()
            && left.iter().zip(right).all(|(l, r)| l == r || self.upper(*l) == self.upper(*r))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_checked() {
        let good = Upcase::unicode();
        let bytes: Vec<u8> = good.0.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let parsed = Upcase::parse(&bytes).unwrap();
        let name = |text: &str| text.encode_utf16().collect::<Vec<_>>();
        assert!(parsed.same(&name("ünïcødé ж.dll"), &name("ÜNÏCØDÉ Ж.DLL")));
        assert!(!parsed.same(&name("straße"), &name("strasse")));
        let mut wrong = bytes.clone();
        wrong[2 * 0x61] = 0x61;
        assert!(Upcase::parse(&wrong).is_none());
        assert!(Upcase::parse(&bytes[2..]).is_none());
    }
}
