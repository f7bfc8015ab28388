//! The elements of a template: names, attributes, literal texts and the places values go.

use super::chunk::Chunk;
use super::value::FRAGMENT;
use crate::lab::bytes::{length, short, utf16};

/// "Depends on no value" in an element's header.
const INDEPENDENT: u16 = u16::MAX;

/// A part of a template's content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Element(Element),
    Text(String),
    /// The place of a value: its position and the type it usually has.
    Place(u16, u8),
    /// A place that vanishes with its value.
    Optional(u16, u8),
}

/// An element of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    name: String,
    /// The value without which readers leave the element out.
    depends_on: u16,
    attributes: Vec<(String, Node)>,
    content: Vec<Node>,
}

impl Element {
    pub(super) fn new(name: &str) -> Element {
        Element {
            name: name.to_owned(),
            depends_on: INDEPENDENT,
            attributes: Vec::new(),
            content: Vec::new(),
        }
    }

    pub(super) fn depending_on(mut self, value: u16) -> Element {
        self.depends_on = value;
        self
    }

    pub(super) fn attribute(mut self, name: &str, node: Node) -> Element {
        self.attributes.push((name.to_owned(), node));
        self
    }

    pub(super) fn with(mut self, node: Node) -> Element {
        self.content.push(node);
        self
    }

    pub(super) fn child(self, element: Element) -> Element {
        self.with(Node::Element(element))
    }

    /// An element that is nothing but a value, and absent without it.
    pub(super) fn value(name: &str, value: u16, kind: u8) -> Element {
        Element::new(name).depending_on(value).with(Node::Optional(value, kind))
    }

    pub(super) fn write(&self, chunk: &mut Chunk) {
        let has_attributes = !self.attributes.is_empty();
        chunk.out.u8(if has_attributes { 0x41 } else { 0x01 }).u16(self.depends_on);
        let size = Size::reserve(chunk);
        chunk.name(&self.name);
        if has_attributes {
            let size = Size::reserve(chunk);
            for (position, (name, node)) in self.attributes.iter().enumerate() {
                let last = position.saturating_add(1) == self.attributes.len();
                chunk.out.u8(if last { 0x06 } else { 0x46 });
                chunk.name(name);
                node.write(chunk);
            }
            size.fill(chunk);
        }
        if self.content.is_empty() {
            chunk.out.u8(0x03);
        } else {
            chunk.out.u8(0x02);
            for node in &self.content {
                node.write(chunk);
            }
            chunk.out.u8(0x04);
        }
        size.fill(chunk);
    }
}

impl Node {
    pub(super) fn text(text: &str) -> Node {
        Node::Text(text.to_owned())
    }

    /// The place of a nested fragment of binary XML.
    pub(super) fn fragment(value: u16) -> Node {
        Node::Optional(value, FRAGMENT)
    }

    fn write(&self, chunk: &mut Chunk) {
        match self {
            Node::Element(element) => element.write(chunk),
            Node::Text(text) => {
                let text = utf16(text);
                chunk.out.u8(0x05).u8(0x01).u16(short(text.len() / 2)).bytes(&text);
            }
            Node::Place(value, kind) => {
                chunk.out.u8(0x0d).u16(*value).u8(*kind);
            }
            Node::Optional(value, kind) => {
                chunk.out.u8(0x0e).u16(*value).u8(*kind);
            }
        }
    }
}

/// A 32-bit size that stands before what it measures.
struct Size(usize);

impl Size {
    fn reserve(chunk: &mut Chunk) -> Size {
        let at = chunk.out.len();
        chunk.out.u32(0);
        Size(at)
    }

    fn fill(&self, chunk: &mut Chunk) {
        let size = chunk.out.len().saturating_sub(self.0).saturating_sub(4);
        chunk.out.patch(self.0, &length(size).to_le_bytes());
    }
}
