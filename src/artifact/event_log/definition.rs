//! A template definition as a small tree: which element holds which value, and on what it depends.
//!
//! Only what the direct path understands exactly becomes a tree; for anything else there is none, and the records of that
//! template are rendered instead. (BinXML tokens: libyal, "Windows XML Event Log (EVTX) format", and \[MS-EVEN6\] 2.2.12.)

use super::bytes::{offset_at, u16_at};
use super::tokens::{DEFINITION_HEADER_SIZE, Tokens};

/// Elements of one definition; real ones have a few dozen.
const MOST_ELEMENTS: usize = 512;
/// Elements inside each other; real ones go five deep.
const DEEPEST: usize = 8;
const TYPE_STRING: u8 = 0x01;
/// An element that depends on no value.
const NO_DEPENDENCY: u16 = 0xffff;

/// What an attribute or an element without children holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Content<'c> {
    #[default]
    Nothing,
    /// Literal text: UTF-16LE, printable ASCII only.
    Text(&'c [u8]),
    /// The value of that number.
    Slot(u16),
}

/// One element; names are UTF-16LE of plain ASCII.
#[derive(Debug)]
pub(super) struct Element<'c> {
    pub(super) name: &'c [u8],
    /// The value whose absence leaves the element out.
    pub(super) depends_on: Option<u16>,
    pub(super) attributes: Vec<(&'c [u8], Content<'c>)>,
    pub(super) content: Content<'c>,
    /// Positions of the child elements in [`Definition::elements`].
    pub(super) children: Vec<usize>,
}

/// A definition: elements in the order in which they start, the root first.
#[derive(Debug)]
pub(super) struct Definition<'c> {
    pub(super) elements: Vec<Element<'c>>,
}

impl<'c> Definition<'c> {
    /// Reads the definition at that offset of a chunk; `None` for anything unusual.
    pub(super) fn read(data: &'c [u8], offset: usize) -> Option<Self> {
        let size = offset_at(data, offset.checked_add(20)?)?;
        let start = offset.checked_add(DEFINITION_HEADER_SIZE)?;
        let body = data.get(..start.checked_add(size)?)?;
        let tokens = Tokens::new(data, body, start);
        let builder = Builder { tokens, elements: Vec::new(), open: Vec::new() };
        builder.read().map(|elements| Self { elements })
    }

    pub(super) fn root(&self) -> Option<&Element<'c>> {
        self.elements.first()
    }

    /// The child elements of an element.
    pub(super) fn children(&self, element: &Element<'c>) -> impl Iterator<Item = &Element<'c>> {
        element.children.iter().filter_map(|at| self.elements.get(*at))
    }
}

struct Builder<'c> {
    /// Up to the end of the definition.
    tokens: Tokens<'c>,
    elements: Vec<Element<'c>>,
    /// Elements that are open, outermost first.
    open: Vec<usize>,
}

/// Where the next value or text belongs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In the start tag, before any attribute.
    Start,
    Attribute,
    Inside,
}

impl<'c> Builder<'c> {
    fn read(mut self) -> Option<Vec<Element<'c>>> {
        let mut place = Place::Inside;
        while !self.tokens.is_at_end() {
            match *self.tokens.take(1)?.first()? {
                0x00 => break,
                token @ (0x01 | 0x41) if place == Place::Inside => {
                    self.open(token == 0x41)?;
                    place = Place::Start;
                }
                0x02 if place != Place::Inside => place = Place::Inside,
                0x03 if place != Place::Inside => {
                    self.open.pop()?;
                    place = Place::Inside;
                }
                0x04 if place == Place::Inside => {
                    self.open.pop()?;
                }
                0x05 | 0x45 => {
                    let text = self.text()?;
                    if !text.is_empty() {
                        self.fill(place, Content::Text(text))?;
                    }
                }
                0x06 | 0x46 if place != Place::Inside => {
                    let name = self.name()?;
                    self.current()?.attributes.push((name, Content::Nothing));
                    place = Place::Attribute;
                }
                0x0d | 0x0e => {
                    let slot = self.substitution()?;
                    self.fill(place, Content::Slot(slot))?;
                }
                0x0f if place == Place::Inside => {
                    self.tokens.take(3)?;
                }
                _ => return None,
            }
        }
        (self.open.is_empty() && place == Place::Inside).then_some(self.elements)
    }

    fn open(&mut self, has_attributes: bool) -> Option<()> {
        let depends_on =
            Some(u16_at(self.tokens.take(2)?, 0)?).filter(|slot| *slot != NO_DEPENDENCY);
        // The element's size.
        self.tokens.take(4)?;
        let name = self.name()?;
        if has_attributes {
            self.tokens.take(4)?;
        }
        let this = self.elements.len();
        let parent = self.open.last().copied();
        let is_second_root = parent.is_none() && this > 0;
        if this >= MOST_ELEMENTS || self.open.len() >= DEEPEST || is_second_root {
            return None;
        }
        if let Some(parent) = parent {
            let parent = self.elements.get_mut(parent)?;
            // A value or text before an element.
            if parent.content != Content::Nothing {
                return None;
            }
            parent.children.push(this);
        }
        self.open.push(this);
        self.elements.push(Element {
            name,
            depends_on,
            attributes: Vec::new(),
            content: Content::Nothing,
            children: Vec::new(),
        });
        Some(())
    }

    fn current(&mut self) -> Option<&mut Element<'c>> {
        let at = *self.open.last()?;
        self.elements.get_mut(at)
    }

    /// Gives an attribute or element its one value.
    fn fill(&mut self, place: Place, content: Content<'c>) -> Option<()> {
        let element = self.current()?;
        let target = match place {
            Place::Start => return None,
            Place::Attribute => &mut element.attributes.last_mut()?.1,
            Place::Inside => {
                // Text between elements.
                if matches!(content, Content::Text(_)) && !element.children.is_empty() {
                    return None;
                }
                &mut element.content
            }
        };
        if *target != Content::Nothing {
            return None;
        }
        *target = content;
        Some(())
    }

    /// A name that is plain.
    fn name(&mut self) -> Option<&'c [u8]> {
        let name = self.tokens.name()?;
        let is_plain = |unit: &[u8; 2]| {
            unit[1] == 0 && (unit[0].is_ascii_alphanumeric() || b"_.:-".contains(&unit[0]))
        };
        let (units, rest) = name.as_chunks::<2>();
        (!units.is_empty() && rest.is_empty() && units.iter().all(is_plain)).then_some(name)
    }

    fn text(&mut self) -> Option<&'c [u8]> {
        if *self.tokens.take(1)?.first()? != TYPE_STRING {
            return None;
        }
        let text = self.tokens.text()?;
        let (units, rest) = text.as_chunks::<2>();
        let is_plain = |unit: &[u8; 2]| unit[1] == 0 && (b' '..=b'~').contains(&unit[0]);
        (rest.is_empty() && units.iter().all(is_plain)).then_some(text)
    }

    fn substitution(&mut self) -> Option<u16> {
        let descriptor = self.tokens.take(3)?;
        let is_type = matches!(descriptor.get(2)?, 0x00..=0x15 | 0x21 | 0x81..=0x95);
        u16_at(descriptor, 0).filter(|_| is_type)
    }
}

/// Plain ASCII in UTF-16LE, as text.
pub(super) fn ascii(utf16: &[u8]) -> String {
    utf16.as_chunks::<2>().0.iter().map(|unit| char::from(unit[0])).collect()
}
