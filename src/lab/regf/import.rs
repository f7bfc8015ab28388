//! Keys of a hive that was read, copied into one that is written.

use jiff::Timestamp;

use super::{Data, Hive, KeyId};
use crate::artifact::hive::{Key, Value, ValueKind};

/// Levels of keys that are copied; Windows allows 512, a SYSTEM hive has a dozen.
const DEEPEST: usize = 32;

impl Hive {
    /// Copies what stands in a key that was read, with everything below it but keys at these paths below it (in any
    /// case): values in their order with their types, classes, descriptors and times of last write. What is damaged there
    /// is not here.
    pub fn copy(&mut self, to: KeyId, from: &Key<'_>, without: &[&str]) {
        let left_out = |path: &str| without.iter().any(|out| path.eq_ignore_ascii_case(out));
        self.copy_below(to, from, &left_out, "", DEEPEST);
    }

    fn copy_below(
        &mut self,
        to: KeyId,
        from: &Key<'_>,
        left_out: &dyn Fn(&str) -> bool,
        path: &str,
        levels: usize,
    ) {
        let at = from.last_write().unwrap_or(Timestamp::UNIX_EPOCH);
        for value in from.values().items {
            self.set(to, &value.name, &data(&value), at);
        }
        if let Some(class) = from.class_name() {
            self.set_class(to, &class);
        }
        if let Some(descriptor) = from.security() {
            self.set_security(to, &descriptor);
        }
        if levels > 0 {
            for key in from.subkeys().items {
                let path = if path.is_empty() {
                    key.name().to_owned()
                } else {
                    format!(r"{path}\{}", key.name())
                };
                if !left_out(&path) {
                    let child = self.create_child(to, key.name(), at);
                    self.copy_below(child, &key, left_out, &path, levels.saturating_sub(1));
                }
            }
        }
        // Creating keys below wrote to this one.
        self.set_last_write(to, at);
    }
}

/// The data in the form that says most and still gives the same bytes.
fn data(value: &Value) -> Data {
    let kind = number(value.kind);
    let said = match value.kind {
        ValueKind::Sz => value.text().map(Data::Text),
        ValueKind::ExpandSz => value.text().map(Data::ExpandText),
        ValueKind::MultiSz => value.texts().map(Data::Texts),
        ValueKind::Dword => value.dword().map(Data::Dword),
        ValueKind::Qword => value.qword().map(Data::Qword),
        ValueKind::Binary => Some(Data::Binary(value.data.clone())),
        _ => None,
    };
    let exact = said.filter(|said| said.kind() == kind && said.bytes() == value.data);
    exact.unwrap_or_else(|| Data::Raw(kind, value.data.clone()))
}

/// The number of a type (winnt.h).
const fn number(kind: ValueKind) -> u32 {
    match kind {
        ValueKind::None => 0,
        ValueKind::Sz => 1,
        ValueKind::ExpandSz => 2,
        ValueKind::Binary => 3,
        ValueKind::Dword => 4,
        ValueKind::DwordBigEndian => 5,
        ValueKind::Link => 6,
        ValueKind::MultiSz => 7,
        ValueKind::ResourceList => 8,
        ValueKind::FullResourceDescriptor => 9,
        ValueKind::ResourceRequirementsList => 10,
        ValueKind::Qword => 11,
        ValueKind::Other(number) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::super::BaseBlock;
    use super::*;
    use crate::artifact::hive::{self, replay};
    use crate::lab::security_descriptor;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_600_000_000 + second).unwrap()
    }

    fn original() -> Hive {
        let users = security_descriptor("O:BAG:SYD:(A;CI;KR;;;BU)").unwrap();
        let mut hive = Hive::new("ROOT", &users, at(0));
        let key = hive.create(r"A\Tool", at(1));
        hive.set(key, "Type", &Data::Dword(16), at(2));
        hive.set(key, "Image", &Data::ExpandText("%windir%\\x".to_owned()), at(2));
        hive.set(key, "List", &Data::Texts(vec!["b".to_owned(), "a".to_owned()]), at(2));
        hive.set(key, "Odd", &Data::Raw(1, b"a\0b".to_vec()), at(3));
        hive.set_class(key, "class");
        hive.set_security(key, &security_descriptor("O:SYG:SYD:(A;;KA;;;SY)").unwrap());
        hive.create(r"A\Heavy\Below", at(4));
        hive
    }

    #[test]
    fn a_copy_says_what_the_original_said() {
        let replayed = replay(original().to_bytes(&BaseBlock::clean("ROOT", 1)), &[]);
        let read = hive::Hive::open(&replayed).unwrap();
        let mut copy = Hive::new("ROOT", &[], at(9));
        let root = copy.root();
        copy.copy(root, &read.root().unwrap(), &[r"a\heavy"]);
        let again = replay(copy.to_bytes(&BaseBlock::clean("ROOT", 1)), &[]);
        let again = hive::Hive::open(&again).unwrap();
        let key = |hive: &hive::Hive<'_>| {
            let key = hive.root().unwrap().subkey(r"A\Tool").unwrap().unwrap();
            let told = |value: Value| (value.name, value.kind, value.data);
            let values: Vec<_> = key.values().items.into_iter().map(told).collect();
            (values, key.class_name(), key.security(), key.last_write())
        };
        assert_eq!(key(&read), key(&again));
        assert_eq!(key(&read).0.len(), 4);
        assert_eq!(key(&read).3, Some(at(3)));
        assert!(again.root().unwrap().subkey(r"A\Heavy").unwrap().is_none());
        let of = |hive: &hive::Hive<'_>, path: &str| {
            hive.root().unwrap().subkey(path).unwrap().unwrap().last_write()
        };
        assert_eq!(of(&read, "A"), of(&again, "A"));
    }
}
