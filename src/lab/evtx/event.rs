//! Events and the templates they are stored with.

use jiff::Timestamp;

use super::template::{Filling, Instance, Template};
use super::tree::{Element, Node};
use super::value::Value;
use crate::lab::Sid;

const EVENT_SCHEMA: &str = "http://schemas.microsoft.com/win/2004/08/events/event";

/// Who writes an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Provider {
    /// A classic provider without a manifest: a name and nothing else (`EventLog`, `PowerShell`).
    Classic(&'static str),
    /// A provider whose manifest took over a classic source (`Service Control Manager`): name and GUID as text.
    Source(&'static str, &'static str),
    /// A provider of the event log service itself: name and GUID as text, no classic source.
    Service(&'static str, &'static str),
    /// A manifest provider (`Microsoft-Windows-Security-Auditing`): name and binary GUID are values.
    Manifest(&'static str, [u8; 16]),
}

/// What an event says beyond its `System` part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// `EventData` with named values, and `Binary` where the provider adds it.
    Named(Vec<(&'static str, Value)>, Option<Vec<u8>>),
    /// `EventData` of classic providers: unnamed strings.
    Unnamed(Vec<String>, Option<Vec<u8>>),
    /// `UserData`: an element with its namespace and named values.
    User {
        /// Name of the element.
        element: &'static str,
        /// Its `xmlns`.
        namespace: &'static str,
        /// Its children, by name.
        values: Vec<(&'static str, Value)>,
    },
}

/// One event, everything but its record id and its computer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Who writes it.
    pub provider: Provider,
    /// The event id.
    pub id: u16,
    /// The upper half of a classic event identifier; classic and source providers only.
    pub qualifiers: Option<u16>,
    /// Version of the event.
    pub version: u8,
    /// 0 always, 2 error, 3 warning, 4 information.
    pub level: u8,
    /// Task category.
    pub task: u16,
    /// Operation code.
    pub opcode: u8,
    /// Keywords as a bit mask.
    pub keywords: u64,
    /// When it happened.
    pub time: Timestamp,
    /// Process and thread that wrote it.
    pub execution: (u32, u32),
    /// Whose token wrote it.
    pub user: Option<Sid>,
    /// The activity it belongs to.
    pub activity: Option<[u8; 16]>,
    /// What it says.
    pub payload: Payload,
}

/// Positions of values in the `System` template.
mod place {
    pub(super) const LEVEL: u16 = 0;
    pub(super) const OPCODE: u16 = 1;
    pub(super) const TASK: u16 = 2;
    pub(super) const ID: u16 = 3;
    pub(super) const QUALIFIERS: u16 = 4;
    pub(super) const KEYWORDS: u16 = 5;
    pub(super) const TIME: u16 = 6;
    pub(super) const ACTIVITY: u16 = 7;
    pub(super) const PROCESS: u16 = 8;
    pub(super) const THREAD: u16 = 9;
    pub(super) const RECORD: u16 = 10;
    pub(super) const VERSION: u16 = 11;
    pub(super) const USER: u16 = 12;
    /// Manifest providers: related activity, provider name, GUID, channel, payload.
    pub(super) const RELATED: u16 = 13;
    pub(super) const PROVIDER: u16 = 14;
    pub(super) const GUID: u16 = 15;
    pub(super) const CHANNEL: u16 = 16;
    pub(super) const PAYLOAD: u16 = 17;
    /// All others: related activity and payload.
    pub(super) const TEXT_RELATED: u16 = 18;
    pub(super) const TEXT_PAYLOAD: u16 = 19;
}

impl Event {
    /// The record body: the `System` template with its values, the payload nested in it.
    pub(super) fn instance(&self, record: u64, channel: &str, computer: &str) -> Instance {
        let manifest = matches!(self.provider, Provider::Manifest(..));
        let mut values = self.system_values(record);
        if let Provider::Manifest(name, guid) = self.provider {
            values.push(Value::Null);
            values.extend([Value::text(name), Value::Guid(guid), Value::text(channel)]);
        } else {
            values.resize(usize::from(place::TEXT_PAYLOAD), Value::Null);
        }
        let mut values: Vec<Filling> = values.into_iter().map(Filling::Value).collect();
        values.push(Filling::Nested { instance: self.payload.instance(self), header: !manifest });
        Instance { template: self.system_template(channel, computer), values }
    }

    fn system_values(&self, record: u64) -> Vec<Value> {
        let (process, thread) = self.execution;
        vec![
            Value::Byte(self.level),
            Value::Byte(self.opcode),
            Value::Word(self.task),
            Value::Word(self.id),
            self.qualifiers.map_or(Value::Null, Value::Word),
            Value::Hex64(self.keywords),
            Value::Time(self.time),
            self.activity.map_or(Value::Null, Value::Guid),
            Value::Dword(process),
            Value::Dword(thread),
            Value::Qword(record),
            Value::Byte(self.version),
            self.user.clone().map_or(Value::Null, Value::Sid),
        ]
    }

    fn system_template(&self, channel: &str, computer: &str) -> Template {
        let manifest = matches!(self.provider, Provider::Manifest(..));
        let (related, payload) = if manifest {
            (place::RELATED, place::PAYLOAD)
        } else {
            (place::TEXT_RELATED, place::TEXT_PAYLOAD)
        };
        let channel_element = if manifest {
            Element::value("Channel", place::CHANNEL, 0x01)
        } else {
            Element::new("Channel").with(Node::text(channel))
        };
        let system = Element::new("System")
            .child(self.provider.element())
            .child(
                Element::value("EventID", place::ID, 0x06)
                    .attribute("Qualifiers", Node::Optional(place::QUALIFIERS, 0x06)),
            )
            .child(Element::value("Version", place::VERSION, 0x04))
            .child(Element::value("Level", place::LEVEL, 0x04))
            .child(Element::value("Task", place::TASK, 0x06))
            .child(Element::value("Opcode", place::OPCODE, 0x04))
            .child(Element::value("Keywords", place::KEYWORDS, 0x15))
            .child(
                Element::new("TimeCreated")
                    .attribute("SystemTime", Node::Optional(place::TIME, 0x11)),
            )
            .child(Element::value("EventRecordID", place::RECORD, 0x0a))
            .child(
                Element::new("Correlation")
                    .attribute("ActivityID", Node::Optional(place::ACTIVITY, 0x0f))
                    .attribute("RelatedActivityID", Node::Optional(related, 0x0f)),
            )
            .child(
                Element::new("Execution")
                    .attribute("ProcessID", Node::Optional(place::PROCESS, 0x08))
                    .attribute("ThreadID", Node::Optional(place::THREAD, 0x08)),
            )
            .child(channel_element)
            .child(Element::new("Computer").with(Node::text(computer)))
            .child(Element::new("Security").attribute("UserID", Node::Optional(place::USER, 0x13)));
        let user_data = matches!(self.payload, Payload::User { .. });
        let event =
            Element::new("Event").attribute("xmlns", Node::text(EVENT_SCHEMA)).child(system);
        let event = if user_data {
            event
                .child(Element::new("UserData").depending_on(payload).with(Node::fragment(payload)))
        } else {
            event.depending_on(payload).with(Node::fragment(payload))
        };
        let provider = if manifest { None } else { Some(self.provider) };
        Template::new(format!("system {provider:?} {user_data} {channel} {computer}"), event)
    }
}

impl Provider {
    fn element(self) -> Element {
        let element = Element::new("Provider");
        match self {
            Provider::Classic(name) => element.attribute("Name", Node::text(name)),
            Provider::Service(name, guid) => {
                element.attribute("Name", Node::text(name)).attribute("Guid", Node::text(guid))
            }
            Provider::Source(name, guid) => element
                .attribute("Name", Node::text(name))
                .attribute("Guid", Node::text(guid))
                .attribute("EventSourceName", Node::text(name)),
            Provider::Manifest(..) => element
                .attribute("Name", Node::Optional(place::PROVIDER, 0x01))
                .attribute("Guid", Node::Optional(place::GUID, 0x0f)),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Provider::Classic(name)
            | Provider::Source(name, _)
            | Provider::Service(name, _)
            | Provider::Manifest(name, _) => name,
        }
    }
}

impl Payload {
    fn instance(&self, event: &Event) -> Instance {
        let (root, values) = match self {
            Payload::Named(values, binary) => named(values, binary.as_deref()),
            Payload::Unnamed(texts, binary) => unnamed(texts, binary.as_deref()),
            Payload::User { element, namespace, values } => user(element, namespace, values),
        };
        let (provider, id, version) = (event.provider.name(), event.id, event.version);
        let identity = format!("payload {provider} {id} {version} {root:?}");
        let filling = match event.provider {
            Provider::Manifest(..) => Filling::Terminated,
            _ => Filling::Value,
        };
        let values = values.into_iter().map(filling).collect();
        Instance { template: Template::new(identity, root), values }
    }
}

fn named(values: &[(&str, Value)], binary: Option<&[u8]>) -> (Element, Vec<Value>) {
    let mut root = Element::new("EventData");
    let mut filling = Vec::new();
    for ((name, value), position) in values.iter().zip(0_u16..) {
        let place = Node::Place(position, value.kind());
        root = root.child(Element::new("Data").attribute("Name", Node::text(name)).with(place));
        filling.push(value.clone());
    }
    if let Some(binary) = binary {
        let position = u16::try_from(filling.len()).unwrap_or(u16::MAX);
        root = root.child(Element::value("Binary", position, 0x0e));
        filling.push(Value::Binary(binary.to_vec()));
    }
    (root, filling)
}

fn unnamed(texts: &[String], binary: Option<&[u8]>) -> (Element, Vec<Value>) {
    let root = Element::new("EventData")
        .child(Element::value("Data", 0, 0x81))
        .child(Element::value("Binary", 2, 0x0e));
    let len = u32::try_from(binary.map_or(0, <[u8]>::len)).unwrap_or(0);
    let binary = binary.map_or(Value::Null, |bytes| Value::Binary(bytes.to_vec()));
    (root, vec![Value::Texts(texts.to_vec()), Value::Dword(len), binary])
}

fn user(name: &str, namespace: &str, values: &[(&str, Value)]) -> (Element, Vec<Value>) {
    let mut root = Element::new(name).attribute("xmlns", Node::text(namespace));
    for ((name, value), position) in values.iter().zip(0_u16..) {
        root = root.child(Element::new(name).with(Node::Place(position, value.kind())));
    }
    (root, values.iter().map(|(_, value)| value.clone()).collect())
}
