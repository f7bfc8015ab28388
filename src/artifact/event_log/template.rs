//! Who wrote a record and what its event id is, read from the raw bytes without decoding the record.
//!
//! A record is an instance of a template: a definition, shared by the records of a chunk, and a list of values. The
//! definition's tokens say which value, or which literal text, stands in `Event/System/EventID` and its neighbours.
//! (BinXML tokens: libyal, "Windows XML Event Log (EVTX) format", and \[MS-EVEN6\] 2.2.12.) Records of forwarded
//! logs spell everything out instead. What has neither form is `None` here and has to be decoded.

use std::collections::BTreeMap;

use super::bytes::{offset_at, slice_at, u16_at, u32_at};
use super::chunk::{Entry, RECORD_HEADER_SIZE};
use super::tokens::{DEFINITION_HEADER_SIZE, Tokens, is};
use crate::text::utf16le_until_nul;

const FRAGMENT_HEADER: u8 = 0x0f;
const TEMPLATE_INSTANCE: u8 = 0x0c;
const TYPE_STRING: u8 = 0x01;
const TYPE_U16: u8 = 0x06;
/// What the raw bytes of a record say; each part is `None` where it takes decoding to know. Names are UTF-16LE.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Glimpse<'c> {
    pub(super) event_id: Option<u16>,
    pub(super) provider: Option<&'c [u8]>,
    pub(super) channel: Option<&'c [u8]>,
    pub(super) computer: Option<&'c [u8]>,
}

/// Looks at the records of one chunk.
pub(super) struct Scanner<'c> {
    data: &'c [u8],
    /// By offset of the definition.
    layouts: BTreeMap<usize, Layout<'c>>,
}

/// Where a field of `System` comes from.
#[derive(Debug, Clone, Copy, Default)]
enum Slot<'c> {
    #[default]
    Absent,
    Literal(&'c [u8]),
    Value(u16),
    /// Given twice or in pieces.
    Unclear,
}

#[derive(Debug, Clone, Copy, Default)]
struct Layout<'c> {
    event_id: Slot<'c>,
    provider: Slot<'c>,
    channel: Slot<'c>,
    computer: Slot<'c>,
}

impl<'c> Scanner<'c> {
    pub(super) fn new(data: &'c [u8]) -> Self {
        Self { data, layouts: BTreeMap::new() }
    }

    /// What the raw bytes of a record say.
    pub(super) fn glimpse(&mut self, entry: &Entry) -> Glimpse<'c> {
        self.instance(entry).unwrap_or_default()
    }

    fn instance(&mut self, entry: &Entry) -> Option<Glimpse<'c>> {
        let data = self.data;
        let mut at = entry.offset.checked_add(RECORD_HEADER_SIZE)?;
        if *data.get(at)? == FRAGMENT_HEADER {
            at = at.checked_add(4)?;
        }
        if *data.get(at)? != TEMPLATE_INSTANCE {
            return self.without_template(entry, at);
        }
        let definition = offset_at(data, at.checked_add(6)?)?;
        let body_size = offset_at(data, definition.checked_add(20)?)?;
        let mut values = at.checked_add(10)?;
        if definition == values {
            values = values.checked_add(DEFINITION_HEADER_SIZE)?.checked_add(body_size)?;
        }
        let layout = *self.layouts.entry(definition).or_insert_with(|| {
            let start = definition.saturating_add(DEFINITION_HEADER_SIZE);
            let body_end = start.saturating_add(body_size).min(data.len());
            Reader { tokens: Tokens::new(data, data, start), end: body_end }
                .layout()
                .unwrap_or_default()
        });
        let values = Values { data, at: values, count: u32_at(data, values)? };
        Some(values.glimpse(&layout))
    }

    /// Forwarded logs hold records that spell everything out.
    fn without_template(&self, entry: &Entry, at: usize) -> Option<Glimpse<'c>> {
        let data = self.data;
        let layout = Reader { tokens: Tokens::new(data, data, at), end: entry.end() }.layout()?;
        let values = Values { data, at: 0, count: 0 };
        Some(values.glimpse(&layout))
    }
}

/// The value list of a template instance: count `u32`, descriptors {size `u16`, type `u8`, 0}, then the values.
struct Values<'c> {
    data: &'c [u8],
    at: usize,
    count: u32,
}

impl<'c> Values<'c> {
    fn value(&self, index: u16) -> Option<(u8, &'c [u8])> {
        if u32::from(index) >= self.count {
            return None;
        }
        let descriptors = self.at.checked_add(4)?;
        let descriptor = |number: usize| descriptors.checked_add(number.checked_mul(4)?);
        let mut at = descriptor(usize::try_from(self.count).ok()?)?;
        for number in 0..usize::from(index) {
            at = at.checked_add(usize::from(u16_at(self.data, descriptor(number)?)?))?;
        }
        let this = descriptor(usize::from(index))?;
        let size = usize::from(u16_at(self.data, this)?);
        let kind = *self.data.get(this.checked_add(2)?)?;
        Some((kind, slice_at(self.data, at, size)?))
    }

    fn glimpse(&self, layout: &Layout<'c>) -> Glimpse<'c> {
        Glimpse {
            event_id: self.number(layout.event_id),
            provider: self.text(layout.provider),
            channel: self.text(layout.channel),
            computer: self.text(layout.computer),
        }
    }

    fn number(&self, slot: Slot<'c>) -> Option<u16> {
        match slot {
            Slot::Literal(text) => utf16le_until_nul(text).trim().parse().ok(),
            Slot::Value(index) => match self.value(index)? {
                (TYPE_U16, bytes) => u16_at(bytes, 0),
                (TYPE_STRING, bytes) => utf16le_until_nul(bytes).trim().parse().ok(),
                _ => None,
            },
            Slot::Absent | Slot::Unclear => None,
        }
    }

    fn text(&self, slot: Slot<'c>) -> Option<&'c [u8]> {
        match slot {
            Slot::Literal(text) => Some(text),
            Slot::Value(index) => match self.value(index)? {
                (TYPE_STRING, bytes) => Some(bytes),
                _ => None,
            },
            Slot::Absent | Slot::Unclear => None,
        }
    }
}

/// The element or attribute whose content is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    EventId,
    Provider,
    ProviderName,
    Channel,
    Computer,
    Other,
}

/// Walks the tokens of a template definition.
struct Reader<'c> {
    tokens: Tokens<'c>,
    /// No token starts here or later.
    end: usize,
}

/// How far inside the document the reader is; only `Event/System/*` matters.
#[derive(Default)]
struct Place {
    depth: usize,
    in_event: bool,
    in_system: bool,
    element: Option<Field>,
    attribute: Option<Field>,
}

impl<'c> Reader<'c> {
    /// `None` for anything that is not understood.
    fn layout(mut self) -> Option<Layout<'c>> {
        let mut layout = Layout::default();
        let mut place = Place::default();
        while self.tokens.at() < self.end {
            match self.tokens.take(1)?.first()? {
                0x00 => return Some(layout),
                0x01 => self.open(&mut place, false)?,
                0x41 => self.open(&mut place, true)?,
                0x02 => place.attribute = None,
                0x03 | 0x04 => {
                    if place.close() {
                        return Some(layout);
                    }
                }
                0x05 | 0x45 => {
                    self.tokens.take(1)?;
                    let text = self.tokens.text()?;
                    layout.fill(place.field(), Slot::Literal(text));
                }
                0x06 | 0x46 => {
                    let name = self.tokens.name()?;
                    place.attribute = Some(match place.element {
                        Some(Field::Provider) if is(name, "Name") => Field::ProviderName,
                        _ => Field::Other,
                    });
                }
                0x0d | 0x0e => {
                    let index = u16_at(self.tokens.take(3)?, 0)?;
                    layout.fill(place.field(), Slot::Value(index));
                }
                0x0f => {
                    self.tokens.take(3)?;
                }
                _ => return None,
            }
        }
        None
    }

    fn open(&mut self, place: &mut Place, has_attributes: bool) -> Option<()> {
        // Dependency id and element size.
        self.tokens.take(6)?;
        let name = self.tokens.name()?;
        if has_attributes {
            self.tokens.take(4)?;
        }
        place.open(name);
        Some(())
    }
}

impl Place {
    fn open(&mut self, name: &[u8]) {
        self.depth = self.depth.saturating_add(1);
        self.attribute = None;
        match self.depth {
            1 => self.in_event = is(name, "Event"),
            2 => self.in_system = self.in_event && is(name, "System"),
            3 if self.in_system => {
                self.element = Some(match () {
                    () if is(name, "EventID") => Field::EventId,
                    () if is(name, "Provider") => Field::Provider,
                    () if is(name, "Channel") => Field::Channel,
                    () if is(name, "Computer") => Field::Computer,
                    () => Field::Other,
                });
            }
            _ => self.element = None,
        }
    }

    /// True once `System` is over.
    fn close(&mut self) -> bool {
        let system_is_over = self.depth == 2 && self.in_system;
        self.depth = self.depth.saturating_sub(1);
        self.element = None;
        self.attribute = None;
        system_is_over
    }

    fn field(&self) -> Field {
        self.attribute.or(self.element).unwrap_or(Field::Other)
    }
}

impl<'c> Layout<'c> {
    fn fill(&mut self, field: Field, slot: Slot<'c>) {
        let place = match field {
            Field::EventId => &mut self.event_id,
            Field::ProviderName => &mut self.provider,
            Field::Channel => &mut self.channel,
            Field::Computer => &mut self.computer,
            Field::Provider | Field::Other => return,
        };
        *place = if matches!(place, Slot::Absent) { slot } else { Slot::Unclear };
    }
}
