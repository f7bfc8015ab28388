//! A definition as a list of steps: which value of an instance becomes which field of a record.
//!
//! The steps say what decoding the rendered record would say, for the shapes that templates have in practice: `System` with
//! one value per field, data as named or unnamed leaves, one nested template. Other shapes have no program.

use std::collections::BTreeSet;

use super::definition::{Content, Definition, Element, ascii};
use super::tokens::is;

/// A field of `System` that a record keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Field {
    ProviderName,
    EventSourceName,
    EventId,
    Qualifiers,
    Level,
    Keywords,
    Time,
    RecordId,
    ProcessId,
    ThreadId,
    Channel,
    Computer,
    UserSid,
    /// Not kept, but its value has to be one that can be rendered.
    Ignored,
}

/// Where a field's text comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    Text(Box<str>),
    Slot(u16),
}

/// What to do with the values of an instance, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// An element that depends on a value: without it, the next `steps` are left out.
    Depends { slot: u16, steps: usize },
    /// A field of `System`.
    System { field: Field, source: Source },
    /// An element with one value; what is empty is left out. With `nests`, the value may be a nested template.
    Leaf { name: Box<str>, slot: u16, nests: bool },
    /// A `Data` element with a name; what is empty stays, as an empty text.
    Named { name: Box<str>, slot: u16 },
    /// A `Data` element without a name; the only one of its kind may hold a list.
    Unnamed { slot: u16, only: bool },
    /// Literal text under a name.
    Text { name: Box<str>, text: Box<str> },
    /// A nested template among other elements; it may not have the name of one of them.
    Nested { slot: u16, siblings: Box<[Box<str>]> },
}

/// The steps of one definition.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Program {
    pub(super) root: Box<str>,
    pub(super) steps: Vec<Step>,
    /// How many values an instance must have.
    pub(super) slots: usize,
}

/// What cannot be said in steps.
struct Unusual;

impl Program {
    /// The program of a record's own template: an `Event` with its `System`.
    pub(super) fn of_event(definition: &Definition<'_>) -> Option<Self> {
        let root = definition.root().filter(|root| is(root.name, "Event"))?;
        Compiler::new(definition).compile(root, |compiler| compiler.event(root))
    }

    /// The program of a template nested in an event.
    pub(super) fn of_data(definition: &Definition<'_>) -> Option<Self> {
        let root = definition.root()?;
        // "Data" would count among its neighbours; the others mean something at the place where it goes.
        let special = ["Event", "System", "RenderingInfo", "Data"];
        if special.iter().any(|name| is(root.name, name)) {
            return None;
        }
        Compiler::new(definition).compile(root, |compiler| compiler.element(root))
    }
}

struct Compiler<'d, 'c> {
    definition: &'d Definition<'c>,
    steps: Vec<Step>,
    used: BTreeSet<u16>,
    slots: usize,
}

impl<'d, 'c> Compiler<'d, 'c> {
    fn new(definition: &'d Definition<'c>) -> Self {
        Self { definition, steps: Vec::new(), used: BTreeSet::new(), slots: 0 }
    }

    fn compile(
        mut self,
        root: &Element<'c>,
        steps: impl FnOnce(&mut Self) -> Result<(), Unusual>,
    ) -> Option<Program> {
        steps(&mut self).ok()?;
        Some(Program { root: ascii(root.name).into(), steps: self.steps, slots: self.slots })
    }

    fn event(&mut self, root: &'d Element<'c>) -> Result<(), Unusual> {
        self.attributes(root)?;
        // What a root says it depends on has no effect.
        let siblings = self.distinct_names(root)?;
        for child in self.definition.children(root) {
            if is(child.name, "System") {
                self.system(child)?;
            } else if is(child.name, "RenderingInfo") {
                return Err(Unusual);
            } else {
                self.guarded(child, Self::element)?;
            }
        }
        self.nested(root, siblings)
    }

    /// The names of an element's children, each of which must be there once.
    fn distinct_names(&self, element: &Element<'c>) -> Result<Box<[Box<str>]>, Unusual> {
        let names = self.definition.children(element).map(|child| child.name);
        let distinct: BTreeSet<&[u8]> = names.collect();
        if distinct.len() != element.children.len() {
            return Err(Unusual);
        }
        Ok(distinct.into_iter().map(|name| ascii(name).into()).collect())
    }

    /// The value after an element's children, if there is one.
    fn nested(&mut self, element: &Element<'c>, siblings: Box<[Box<str>]>) -> Result<(), Unusual> {
        match element.content {
            Content::Nothing => Ok(()),
            Content::Text(_) => Err(Unusual),
            Content::Slot(slot) => {
                self.claim(slot)?;
                self.steps.push(Step::Nested { slot, siblings });
                Ok(())
            }
        }
    }

    /// Steps that an absent value leaves out.
    fn guarded(
        &mut self,
        element: &'d Element<'c>,
        steps: impl FnOnce(&mut Self, &'d Element<'c>) -> Result<(), Unusual>,
    ) -> Result<(), Unusual> {
        let Some(slot) = element.depends_on else { return steps(self, element) };
        self.reach(slot);
        let guard = self.steps.len();
        self.steps.push(Step::Depends { slot, steps: 0 });
        steps(self, element)?;
        let inside = self.steps.len().saturating_sub(guard).saturating_sub(1);
        if let Some(step) = self.steps.get_mut(guard) {
            *step = Step::Depends { slot, steps: inside };
        }
        Ok(())
    }

    fn system(&mut self, system: &'d Element<'c>) -> Result<(), Unusual> {
        if !system.attributes.is_empty()
            || system.depends_on.is_some()
            || system.content != Content::Nothing
        {
            return Err(Unusual);
        }
        self.distinct_names(system)?;
        for child in self.definition.children(system) {
            self.guarded(child, Self::system_field)?;
        }
        Ok(())
    }

    fn system_field(&mut self, element: &'d Element<'c>) -> Result<(), Unusual> {
        if !element.children.is_empty() {
            return Err(Unusual);
        }
        Self::distinct_attributes(element)?;
        for (name, content) in &element.attributes {
            let field = system_attribute(element.name, name);
            self.system_step(field, *content)?;
        }
        self.system_step(system_content(element.name), element.content)
    }

    fn system_step(&mut self, field: Field, content: Content<'c>) -> Result<(), Unusual> {
        let source = match content {
            Content::Nothing => return Ok(()),
            Content::Text(_) if field == Field::Ignored => return Ok(()),
            Content::Text(text) => Source::Text(ascii(text).into()),
            Content::Slot(slot) => {
                self.claim(slot)?;
                Source::Slot(slot)
            }
        };
        self.steps.push(Step::System { field, source });
        Ok(())
    }

    /// An element outside `System`: its own value, or those below it.
    fn element(&mut self, element: &'d Element<'c>) -> Result<(), Unusual> {
        self.attributes(element)?;
        if element.children.is_empty() {
            return self.leaf(element);
        }
        let is_container = is(element.name, "EventData") || is(element.name, "UserData");
        let is_data = |child: &&Element<'c>| is_container && is(child.name, "Data");
        let data = self.definition.children(element).filter(is_data).count();
        let siblings = if data == 0 { self.distinct_names(element)? } else { Box::default() };
        if data > 0 {
            self.data_is_plain(element, data)?;
        }
        for child in self.definition.children(element) {
            if is_data(&child) {
                self.guarded(child, |compiler, child| compiler.data(child, data == 1))?;
            } else {
                self.guarded(child, Self::element)?;
            }
        }
        if data > 0 && element.content != Content::Nothing {
            return Err(Unusual);
        }
        self.nested(element, siblings)
    }

    /// `Data` elements are named, each differently, or none is; their neighbours have names of their own.
    fn data_is_plain(&self, element: &Element<'c>, data: usize) -> Result<(), Unusual> {
        let mut names = BTreeSet::new();
        let mut others = BTreeSet::new();
        let mut other_count = 0_usize;
        for child in self.definition.children(element) {
            if !is(child.name, "Data") {
                other_count = other_count.saturating_add(1);
                others.insert(child.name);
                continue;
            }
            match child.attributes.as_slice() {
                [] => {}
                [(name, Content::Text(text))] if is(name, "Name") && !text.starts_with(b"#") => {
                    names.insert(*text);
                }
                _ => return Err(Unusual),
            }
        }
        if (names.is_empty() || names.len() == data) && others.len() == other_count {
            Ok(())
        } else {
            Err(Unusual)
        }
    }

    fn data(&mut self, element: &Element<'c>, only: bool) -> Result<(), Unusual> {
        if !element.children.is_empty() {
            return Err(Unusual);
        }
        let name = element.attributes.first().and_then(|(_, content)| match content {
            Content::Text(name) => Some(ascii(name)),
            _ => None,
        });
        let step = match (element.content, name) {
            (Content::Nothing, _) => return Err(Unusual),
            (Content::Text(text), name) => {
                let name = name.unwrap_or_else(|| "Data".to_owned());
                Step::Text { name: name.into(), text: ascii(text).into() }
            }
            (Content::Slot(slot), Some(name)) => {
                self.claim(slot)?;
                Step::Named { name: name.into(), slot }
            }
            (Content::Slot(slot), None) => {
                self.claim(slot)?;
                Step::Unnamed { slot, only }
            }
        };
        self.steps.push(step);
        Ok(())
    }

    fn leaf(&mut self, element: &Element<'c>) -> Result<(), Unusual> {
        let name = || ascii(element.name).into();
        let step = match element.content {
            Content::Nothing => return Ok(()),
            Content::Text(text) => Step::Text { name: name(), text: ascii(text).into() },
            Content::Slot(slot) => {
                self.claim(slot)?;
                Step::Leaf { name: name(), slot, nests: element.attributes.is_empty() }
            }
        };
        self.steps.push(step);
        Ok(())
    }

    /// Attributes outside `System` are not kept, but their values have to be such that they can be rendered.
    fn attributes(&mut self, element: &Element<'c>) -> Result<(), Unusual> {
        Self::distinct_attributes(element)?;
        for (_, content) in &element.attributes {
            self.system_step(Field::Ignored, *content)?;
        }
        Ok(())
    }

    fn distinct_attributes(element: &Element<'c>) -> Result<(), Unusual> {
        let names: BTreeSet<&[u8]> = element.attributes.iter().map(|(name, _)| *name).collect();
        if names.len() == element.attributes.len() { Ok(()) } else { Err(Unusual) }
    }

    /// Takes a value for one place; a template that uses it twice is unusual.
    fn claim(&mut self, slot: u16) -> Result<(), Unusual> {
        self.reach(slot);
        if self.used.insert(slot) { Ok(()) } else { Err(Unusual) }
    }

    fn reach(&mut self, slot: u16) {
        self.slots = self.slots.max(usize::from(slot).saturating_add(1));
    }
}

fn system_attribute(element: &[u8], attribute: &[u8]) -> Field {
    let at = |of: &str, name: &str| is(element, of) && is(attribute, name);
    match () {
        () if at("Provider", "Name") => Field::ProviderName,
        () if at("Provider", "EventSourceName") => Field::EventSourceName,
        () if at("EventID", "Qualifiers") => Field::Qualifiers,
        () if at("TimeCreated", "SystemTime") => Field::Time,
        () if at("Execution", "ProcessID") => Field::ProcessId,
        () if at("Execution", "ThreadID") => Field::ThreadId,
        () if at("Security", "UserID") => Field::UserSid,
        () => Field::Ignored,
    }
}

fn system_content(element: &[u8]) -> Field {
    match () {
        () if is(element, "EventID") => Field::EventId,
        () if is(element, "Level") => Field::Level,
        () if is(element, "Keywords") => Field::Keywords,
        () if is(element, "EventRecordID") => Field::RecordId,
        () if is(element, "Channel") => Field::Channel,
        () if is(element, "Computer") => Field::Computer,
        () => Field::Ignored,
    }
}
