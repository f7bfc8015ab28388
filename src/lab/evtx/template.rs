//! Templates: the constant part of an event, stored once per chunk and referred to by its records.

use super::chunk::Chunk;
use super::tree::Element;
use super::value::{FRAGMENT, Value};
use crate::lab::bytes::{length, short};

/// The head of every fragment of binary XML: version 1.1, no flags.
const FRAGMENT_HEADER: [u8; 4] = [0x0f, 1, 1, 0];

/// A template; equal templates of one chunk are stored once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template {
    /// What distinguishes this template; its GUID is derived from it.
    identity: String,
    root: Element,
}

/// A value of a template instance.
pub(super) enum Filling {
    Value(Value),
    /// A value of a manifest provider, whose strings end with a NUL.
    Terminated(Value),
    /// Nested binary XML: another template with its values. Manifest providers leave out the fragment header.
    Nested {
        instance: Instance,
        header: bool,
    },
}

/// A template with values for its places.
pub(super) struct Instance {
    pub(super) template: Template,
    pub(super) values: Vec<Filling>,
}

impl Template {
    pub(super) fn new(identity: String, root: Element) -> Template {
        Template { identity, root }
    }

    /// A GUID that depends on nothing but the identity (two FNV-1a hashes).
    fn guid(&self) -> [u8; 16] {
        let hash = |seed: u64| {
            self.identity
                .bytes()
                .fold(seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3))
        };
        let halves = [hash(0xCBF2_9CE4_8422_2325), hash(0x8422_2325_CBF2_9CE4)];
        (u128::from(halves[0]) << 64 | u128::from(halves[1])).to_le_bytes()
    }
}

impl Instance {
    /// Writes a fragment header and the instance at the chunk's end.
    pub(super) fn write_fragment(&self, chunk: &mut Chunk) {
        chunk.out.bytes(&FRAGMENT_HEADER);
        self.write(chunk);
    }

    fn write(&self, chunk: &mut Chunk) {
        self.write_reference(chunk);
        chunk.out.u32(length(self.values.len()));
        let descriptors = chunk.out.len();
        chunk.out.zeros(self.values.len().saturating_mul(4));
        for (position, value) in self.values.iter().enumerate() {
            let start = chunk.out.len();
            let kind = match value {
                Filling::Value(value) => {
                    chunk.out.bytes(&value.bytes(false));
                    value.kind()
                }
                Filling::Terminated(value) => {
                    chunk.out.bytes(&value.bytes(true));
                    value.kind()
                }
                Filling::Nested { instance, header } => {
                    if *header {
                        chunk.out.bytes(&FRAGMENT_HEADER);
                    }
                    instance.write(chunk);
                    chunk.out.u8(0);
                    FRAGMENT
                }
            };
            let [low, high] = short(chunk.out.len().saturating_sub(start)).to_le_bytes();
            let at = descriptors.saturating_add(position.saturating_mul(4));
            chunk.out.patch(at, &[low, high, kind, 0]);
        }
    }

    /// The token, the template's id and offset, and at its first use the definition itself.
    fn write_reference(&self, chunk: &mut Chunk) {
        let guid = self.template.guid();
        let id = guid.first_chunk().map_or(0, |head| u32::from_le_bytes(*head));
        chunk.out.u8(0x0c).u8(1).u32(id);
        let here = chunk.out.position().saturating_add(4);
        let (offset, next) = chunk.template(guid, here);
        chunk.out.u32(offset);
        let Some(next) = next else { return };
        chunk.out.u32(next).bytes(&guid);
        let size = chunk.out.len();
        chunk.out.u32(0).bytes(&FRAGMENT_HEADER);
        self.template.root.write(chunk);
        chunk.out.u8(0);
        let len = chunk.out.len().saturating_sub(size).saturating_sub(4);
        chunk.out.patch(size, &length(len).to_le_bytes());
    }
}
