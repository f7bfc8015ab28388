//! The certificate table of a PE image: `WIN_CERTIFICATE` entries (Microsoft PE/COFF specification, "The Attribute
//! Certificate Table").

use super::asn1::Value;
use crate::bytes::{slice_at, u16_at, u32_at};

/// How many entries are looked at: real tables have one, rarely two.
const MOST_ENTRIES: usize = 8;
/// The size of an entry's header in bytes.
const HEADER: usize = 8;
/// `WIN_CERT_TYPE_PKCS_SIGNED_DATA`.
const SIGNED_DATA: u16 = 2;

/// What a table holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Table<'a> {
    /// The signed messages in it.
    pub(super) messages: Vec<Value<'a>>,
    /// What is odd about it, in words.
    pub(super) remarks: Vec<String>,
}

/// Reads a table.
pub(super) fn read(table: &[u8]) -> Table<'_> {
    let mut read = Table::default();
    let mut at = 0_usize;
    for _ in 0..MOST_ENTRIES {
        let left = table.len().saturating_sub(at);
        if left == 0 {
            return read;
        }
        let header = (
            u32_at(table, at),
            u16_at(table, at.saturating_add(4)),
            u16_at(table, at.saturating_add(6)),
        );
        let (Some(length), Some(revision), Some(kind)) = header else {
            read.trailing(table.get(at..).unwrap_or_default());
            return read;
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length == 0 {
            read.trailing(table.get(at..).unwrap_or_default());
            return read;
        }
        if length < HEADER || length > left {
            read.remarks
                .push("the certificate table holds an entry that does not fit in it".to_owned());
            return read;
        }
        let content = slice_at(table, at.saturating_add(HEADER), length.saturating_sub(HEADER));
        read.entry(content.unwrap_or_default(), revision, kind);
        // Entries begin at multiples of eight bytes.
        let end = at.saturating_add(length);
        let next = end.checked_next_multiple_of(8).unwrap_or(usize::MAX).min(table.len());
        read.trailing(table.get(end..next).unwrap_or_default());
        at = next;
    }
    read.remarks.push("the certificate table holds more entries than are looked at".to_owned());
    read
}

impl<'a> Table<'a> {
    fn entry(&mut self, content: &'a [u8], revision: u16, kind: u16) {
        if kind != SIGNED_DATA || !matches!(revision, 0x100 | 0x200) {
            let what = format!(
                "the certificate table holds an entry of type {kind}, revision {revision:#x}, which is not read"
            );
            return self.remarks.push(what);
        }
        match Value::first(content) {
            Ok((message, rest)) => {
                self.messages.push(message);
                self.trailing(rest);
            }
            Err(refusal) => {
                self.remarks.push(format!("the certificate table holds no signature: {refusal}"));
            }
        }
    }

    /// Bytes behind a signature are in no digest: whoever has the file may put there what he likes (MS13-098).
    fn trailing(&mut self, bytes: &[u8]) {
        if bytes.iter().any(|byte| *byte != 0) {
            self.remarks.push(format!(
                "{} bytes lie behind the signature, where no digest covers them",
                bytes.len()
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(content: &[u8]) -> Vec<u8> {
        let length = u32::try_from(content.len().strict_add(8)).unwrap();
        [&length.to_le_bytes()[..], &[0, 2, 2, 0], content].concat()
    }

    #[test]
    fn entries_are_aligned_and_bounded() {
        let message = [0x30, 3, 1, 2, 3];
        let one = entry(&message);
        let two = [&one[..], &[0; 3], &entry(&[0x30, 0])].concat();
        let cases: [(&[u8], usize, usize); 8] = [
            (&[], 0, 0),
            (&one, 1, 0),
            (&two, 2, 0),
            (&[&one[..], &[0; 3]].concat(), 1, 0),
            (&[&one[..], &[0, 0, 7]].concat(), 1, 1),
            (&entry(&[&message[..], &[9; 100]].concat()), 1, 1),
            (&[0xff; 64], 0, 1),
            (&entry(b"junk"), 0, 1),
        ];
        for (table, messages, remarks) in cases {
            let read = read(table);
            assert_eq!((read.messages.len(), read.remarks.len()), (messages, remarks), "{table:?}");
        }
        let many = entry(&[0x30, 0]).iter().copied().chain([0; 6]).collect::<Vec<_>>().repeat(100);
        assert_eq!(read(&many).messages.len(), MOST_ENTRIES);
    }
}
