//! What a catalog lists: the members of a certificate trust list (Microsoft, `CTL_INFO`; `wincrypt.h`, `mscat.h`).

use super::super::Refusal;
use super::super::asn1::{Reader, Value, tag};
use super::super::oid;
use super::super::verdict::indirect_digest;
use crate::text;

/// How many members of a catalog are looked at: the largest of Windows have some ten thousand.
const MOST_MEMBERS: usize = 200_000;
/// How many attributes of a member are looked at.
const MOST_ATTRIBUTES: usize = 64;
/// The longest name of a file in bytes of UTF-16.
const LONGEST_NAME: usize = 1024;

/// One member.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Member<'a> {
    /// Its digests: the one it is filed under, and the one in its attributes where that is another.
    pub(super) digests: Vec<&'a [u8]>,
    /// The digest it is filed under, where that is text, as catalogs before Windows 8 have it.
    pub(super) tag: Option<Vec<u8>>,
    /// The name of the file, without a folder, in lower case.
    pub(super) name: Option<String>,
}

impl Member<'_> {
    /// Its digests, however they are written.
    pub(super) fn digests(&self) -> impl Iterator<Item = &[u8]> {
        self.digests.iter().copied().chain(self.tag.as_deref())
    }
}

/// Hands every member of a trust list to `each`; the content is that of the signed message.
pub(super) fn members<'a>(
    content: &'a [u8],
    mut each: impl FnMut(&Member<'a>),
) -> Result<(), Refusal> {
    let mut fields = Value { tag: tag::SEQUENCE, content, whole: content }.inside();
    while let Some(field) = fields.next()? {
        if field.tag != tag::SEQUENCE || !is_member_list(field) {
            continue;
        }
        let mut list = field.inside();
        let mut count = 0_usize;
        while let Some(entry) = list.next()? {
            count = count.saturating_add(1);
            if count > MOST_MEMBERS {
                return Err(Refusal::TooMuch("more members"));
            }
            each(&member(entry)?);
        }
        return Ok(());
    }
    Ok(())
}

/// The list of members is told by its first entry: a sequence that begins with an octet string. What stands before it are
/// sequences of identifiers.
fn is_member_list(field: Value<'_>) -> bool {
    let first = field.inside().next().ok().flatten().filter(|one| one.tag == tag::SEQUENCE);
    let first = first.and_then(|one| one.inside().next().ok().flatten());
    first.is_some_and(|one| one.tag == tag::OCTET_STRING)
}

fn member(entry: Value<'_>) -> Result<Member<'_>, Refusal> {
    let mut fields = entry.tagged(tag::SEQUENCE)?.inside();
    let filed = fields.expect(tag::OCTET_STRING)?.content;
    let mut member = Member::default();
    match filed.len() {
        20 | 32 => member.digests.push(filed),
        _ => member.tag = from_text(filed),
    }
    if let Some(attributes) = fields.optional(tag::SET)? {
        let mut list = attributes.inside();
        for _ in 0..MOST_ATTRIBUTES {
            let Some(one) = list.next()? else { break };
            attribute(one.tagged(tag::SEQUENCE)?.inside(), &mut member)?;
        }
    }
    Ok(member)
}

fn attribute<'a>(mut fields: Reader<'a>, member: &mut Member<'a>) -> Result<(), Refusal> {
    let kind = fields.expect(tag::OBJECT_IDENTIFIER)?.content;
    let mut values = fields.expect(tag::SET)?.inside();
    match kind {
        oid::INDIRECT_DATA => {
            let value = values.expect(tag::SEQUENCE)?;
            // A member whose digest is of a kind that is not known still has the one it is filed under.
            if let Ok((_, digest)) = indirect_digest(value.content)
                && !member.digests.contains(&digest)
            {
                member.digests.push(digest);
            }
        }
        oid::CATALOG_NAME_VALUE => {
            let mut fields = values.expect(tag::SEQUENCE)?.inside();
            let name = fields.any()?;
            fields.any()?;
            let value = fields.expect(tag::OCTET_STRING)?.content;
            // "File" and "Hint" in UTF-16, most significant byte first; a hint is a path below WinSxS.
            let is_file = [b"\0F\0i\0l\0e", b"\0H\0i\0n\0t"].iter().any(|one| name.content == *one);
            if is_file && value.len() <= LONGEST_NAME {
                let path = text::utf16le_until_nul(value).to_lowercase();
                let leaf = path.rsplit(['\\', '/']).next().unwrap_or_default();
                member.name = (!leaf.is_empty()).then(|| leaf.to_owned());
            }
        }
        _ => {}
    }
    Ok(())
}

/// A digest as hexadecimal digits in UTF-16.
fn from_text(filed: &[u8]) -> Option<Vec<u8>> {
    if !matches!(filed.len(), 80 | 82 | 128 | 130) {
        return None;
    }
    let digits = text::utf16le_until_nul(filed);
    let pairs = digits.as_bytes().as_chunks::<2>().0;
    pairs.iter().map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_in_text_are_read() {
        let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>();
        let digits = "0A".repeat(20);
        assert_eq!(from_text(&utf16(&digits)), Some(vec![10; 20]));
        assert_eq!(from_text(&utf16(&format!("{digits}\0"))), Some(vec![10; 20]));
        assert_eq!(from_text(&utf16(&"0b".repeat(32))), Some(vec![11; 32]));
        assert_eq!(from_text(&utf16(&"xy".repeat(20))), None);
        assert_eq!(from_text(b"{guid}"), None);
    }

    #[test]
    fn what_is_no_list_has_no_members() {
        for content in [&[][..], &[0x30, 0], &[0x04, 1, 2], &[0x30, 2, 0x30, 0]] {
            let mut count = 0;
            members(content, |_| count += 1).unwrap();
            assert_eq!(count, 0);
        }
        assert!(members(&[0x30, 9, 1], |_| {}).is_err());
    }
}
