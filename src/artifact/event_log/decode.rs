//! From the JSON that `evtx` renders to a [`Record`].
//!
//! JSON rather than XML because it keeps control characters, which XML has no way to write. Its shapes vary with the log:
//! `EventID` is a number, a string (forwarded logs) or an object with `#text`; a repeated name is an array; an element
//! with attributes is an object.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};

use super::record::{Record, RecordState};

/// Where the record was found, as its header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) chunk: u64,
    pub(super) offset: u32,
    pub(super) record_id: u64,
    pub(super) time: Timestamp,
    pub(super) state: RecordState,
}

/// Why a rendered record is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Malformed {
    /// The text is not JSON: names with control characters, or too deep.
    Text,
    /// There is no `Event/System/EventID` with a number of 16 bits.
    EventId,
}

/// A value of rendered JSON, in the order of the text and with repeated names kept.
///
/// `serde_json::Value` would cost several times as much and merge repeated names.
#[derive(Debug)]
enum Node<'a> {
    Null,
    Text(Cow<'a, str>),
    List(Vec<Node<'a>>),
    Map(Vec<(Cow<'a, str>, Node<'a>)>),
}

/// The member that holds an element's attributes.
const ATTRIBUTES: &str = "#attributes";

/// Reads a rendered record; what its `System` element leaves out comes from the header.
pub(super) fn decode(json: &[u8], place: &Place) -> Result<Record, Malformed> {
    let root: Node<'_> = serde_json::from_slice(json).map_err(|_| Malformed::Text)?;
    let event = root.take("Event").ok_or(Malformed::EventId)?;
    let system = event.child("System").ok_or(Malformed::EventId)?;
    let event_id = system.child("EventID").ok_or(Malformed::EventId)?;
    let execution = system.child("Execution");
    let text = |name: &str| system.child(name).and_then(Node::text).unwrap_or_default().to_owned();
    let attribute = |element: &str, name| system.child(element)?.attribute(name);
    let mut record = Record {
        channel: text("Channel"),
        provider: attribute("Provider", "Name")
            .or_else(|| attribute("Provider", "EventSourceName"))
            .unwrap_or_default()
            .to_owned(),
        event_id: event_id.number().ok_or(Malformed::EventId)?,
        qualifiers: event_id.attribute("Qualifiers").and_then(parse),
        record_id: system.child("EventRecordID").and_then(Node::number).unwrap_or(place.record_id),
        file_record_id: place.record_id,
        time: attribute("TimeCreated", "SystemTime")
            .and_then(|time| time.trim().parse().ok())
            .unwrap_or(place.time),
        computer: text("Computer"),
        user_sid: attribute("Security", "UserID").map(str::to_owned),
        process_id: execution.and_then(|at| at.attribute("ProcessID")).and_then(parse),
        thread_id: execution.and_then(|at| at.attribute("ThreadID")).and_then(parse),
        level: system.child("Level").and_then(Node::number),
        keywords: system.child("Keywords").and_then(Node::number),
        data: Vec::new(),
        params: Vec::new(),
        binary: None,
        state: place.state,
        chunk: place.chunk,
        offset: place.offset,
    };
    if let Node::Map(members) = event {
        for (name, content) in members {
            if !matches!(&*name, "System" | "RenderingInfo" | ATTRIBUTES) {
                collect(name, content, &mut record);
            }
        }
    }
    Ok(record)
}

/// Adds an element's text under its own name, and what is below it likewise.
fn collect(name: Cow<'_, str>, node: Node<'_>, record: &mut Record) {
    match node {
        Node::Null => {}
        Node::Text(text) => push(name, text, record),
        Node::List(items) => {
            for item in items {
                collect(Cow::Borrowed(&*name), item, record);
            }
        }
        Node::Map(members) => {
            for (member, content) in members {
                match &*member {
                    ATTRIBUTES => {}
                    "#text" => collect(Cow::Borrowed(&*name), content, record),
                    _ => collect(member, content, record),
                }
            }
        }
    }
}

/// Adds one value under its name.
pub(super) fn push(name: Cow<'_, str>, text: Cow<'_, str>, record: &mut Record) {
    if name == "Data" {
        record.params.push(text.into_owned());
        return;
    }
    if name == "Binary"
        && record.binary.is_none()
        && let Some(bytes) = from_hexadecimal(&text)
    {
        record.binary = Some(bytes);
        return;
    }
    record.data.push((name.into_owned(), text.into_owned()));
}

fn from_hexadecimal(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    if text.len() % 2 == 1 {
        return None;
    }
    text.as_bytes()
        .chunks_exact(2)
        .map(|pair| match pair {
            [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
            _ => None,
        })
        .collect()
}

/// A number in decimal or, with `0x`, in hexadecimal.
pub(super) fn parse<N: TryFrom<u64>>(text: &str) -> Option<N> {
    let text = text.trim();
    let digits = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match digits {
        Some(digits) => u64::from_str_radix(digits, 16).ok()?,
        None => text.parse().ok()?,
    };
    N::try_from(number).ok()
}

impl<'a> Node<'a> {
    fn take(self, name: &str) -> Option<Node<'a>> {
        let Node::Map(members) = self else { return None };
        members.into_iter().find(|(key, _)| key == name).map(|(_, node)| node)
    }

    fn children(&self) -> impl Iterator<Item = (&str, &Node<'a>)> {
        let members = match self {
            Node::Map(members) => members.as_slice(),
            _ => &[],
        };
        members
            .iter()
            .map(|(name, node)| (&**name, node))
            .filter(|(name, _)| *name != "#attributes")
    }

    fn child(&self, name: &str) -> Option<&Node<'a>> {
        self.children().find(|(key, _)| *key == name).map(|(_, node)| node)
    }

    fn attribute(&self, name: &str) -> Option<&str> {
        let Node::Map(members) = self else { return None };
        let (_, attributes) = members.iter().find(|(key, _)| key == ATTRIBUTES)?;
        attributes.child(name)?.text()
    }

    fn text(&self) -> Option<&str> {
        match self {
            Node::Text(text) => Some(text),
            Node::Map(_) => match self.child("#text")? {
                Node::Text(text) => Some(text),
                _ => None,
            },
            Node::Null | Node::List(_) => None,
        }
    }

    fn number<N: TryFrom<u64>>(&self) -> Option<N> {
        self.text().and_then(parse)
    }
}

impl<'de> Deserialize<'de> for Node<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Nodes)
    }
}

struct Nodes;

/// A name or a text, borrowed from the rendered bytes where it has no escapes.
struct Words<'de>(Cow<'de, str>);

impl<'de> Deserialize<'de> for Words<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl<'de> Visitor<'de> for Reader {
            type Value = Words<'de>;
            fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
                to.write_str("a name")
            }
            fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Words<'de>, E> {
                Ok(Words(Cow::Borrowed(text)))
            }
            fn visit_str<E>(self, text: &str) -> Result<Words<'de>, E> {
                Ok(Words(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

impl<'de> Visitor<'de> for Nodes {
    type Value = Node<'de>;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("a rendered record")
    }

    fn visit_unit<E>(self) -> Result<Node<'de>, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(if value { "true" } else { "false" })))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_string())))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_string())))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(value.to_string())))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Node<'de>, E> {
        Ok(Node::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node<'de>, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Node::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node<'de>, A::Error> {
        let mut map = Vec::with_capacity(8);
        while let Some(name) = members.next_key::<Words<'de>>()? {
            map.push((name.0, members.next_value()?));
        }
        Ok(Node::Map(map))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place {
        chunk: 3,
        offset: 512,
        record_id: 9,
        time: Timestamp::UNIX_EPOCH,
        state: RecordState::Live,
    };

    fn read(json: &str) -> Record {
        decode(json.as_bytes(), &PLACE).unwrap()
    }

    fn pairs(record: &Record) -> Vec<(&str, &str)> {
        record.data.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    #[test]
    fn a_classic_record() {
        let record = read(
            r##"{"Event":{"#attributes":{"xmlns":"x"},"System":{"Provider":{"#attributes":{"Name":
            "Service Control Manager","EventSourceName":"SCM"}},"EventID":{"#attributes":{"Qualifiers":16384},"#text":7036},
            "Version":0,"Level":4,"Keywords":"0x8080000000000000","TimeCreated":{"#attributes":{"SystemTime":
            "2021-04-21T09:27:56.1021847Z"}},"EventRecordID":471481,"Execution":{"#attributes":{"ProcessID":708,"ThreadID":5480}},
            "Channel":"System","Computer":"jump01","Security":{"#attributes":{"UserID":"S-1-5-18"}}},
            "EventData":{"param1":"A","param2":"running","Binary":"41002F00"}}}"##,
        );
        assert_eq!(record.provider, "Service Control Manager");
        assert_eq!((record.event_id, record.qualifiers), (7036, Some(16384)));
        assert_eq!((record.record_id, record.level), (471_481, Some(4)));
        assert_eq!(crate::time::format(record.time), "2021-04-21T09:27:56.1021847Z");
        assert_eq!((record.process_id, record.thread_id), (Some(708), Some(5480)));
        assert_eq!(record.keywords, Some(0x8080_0000_0000_0000));
        assert_eq!(record.user_sid.as_deref(), Some("S-1-5-18"));
        assert_eq!(pairs(&record), [("param1", "A"), ("param2", "running")]);
        assert_eq!(record.binary.as_deref(), Some(&b"A\0/\0"[..]));
        assert_eq!((record.chunk, record.offset), (3, 512));
    }

    #[test]
    fn a_forwarded_record_has_strings_everywhere() {
        let record = read(
            r##"{"Event":{"System":{"Provider":{"#attributes":{"Name":"P"}},"EventID":"4622","Level":"0",
            "TimeCreated":{"#attributes":{"SystemTime":"2021-05-10T06:22:54.633626900Z"}},"EventRecordID":"1814868",
            "Execution":{"#attributes":{"ProcessID":"564","ThreadID":"568"}},"Channel":"Security","Security":null},
            "EventData":{"Name":"v"},"RenderingInfo":{"Message":"localised"}}}"##,
        );
        assert_eq!((record.event_id, record.record_id), (4622, 1_814_868));
        assert_eq!(crate::time::format(record.time), "2021-05-10T06:22:54.6336269Z");
        assert_eq!((record.process_id, record.user_sid.as_deref()), (Some(564), None));
        assert_eq!((&*record.computer, pairs(&record)), ("", vec![("Name", "v")]));
    }

    #[test]
    fn unnamed_repeated_and_nested_data() {
        let record = read(
            r##"{"Event":{"System":{"EventID":800},"EventData":{"Data":{"#text":["one","\u001btwo"]},"Twice":["a","b"],
            "Binary":"not hex","Nothing":null,"Number":5},"UserData":{"LogFileCleared":{"#attributes":{"xmlns":"x"},
            "SubjectUserName":"bob","Inner":{"Deep":"d"}}}}}"##,
        );
        assert_eq!(record.params, ["one", "\u{1b}two"]);
        assert_eq!(
            pairs(&record),
            [
                ("Twice", "a"),
                ("Twice", "b"),
                ("Binary", "not hex"),
                ("Number", "5"),
                ("SubjectUserName", "bob"),
                ("Deep", "d")
            ]
        );
        assert_eq!((record.record_id, record.time), (9, Timestamp::UNIX_EPOCH));
    }

    #[test]
    fn what_is_not_a_record_is_refused() {
        for (json, expected) in [
            ("{", Malformed::Text),
            ("{\"Event\":{\"Sys\u{1}tem\":{}}}", Malformed::Text),
            ("{\"Event\":{\"System\":{}}}", Malformed::EventId),
            ("{\"Event\":{\"System\":{\"EventID\":70000}}}", Malformed::EventId),
            ("{\"Event\":{\"System\":{\"EventID\":null}}}", Malformed::EventId),
            ("[]", Malformed::EventId),
        ] {
            assert_eq!(decode(json.as_bytes(), &PLACE).err(), Some(expected), "{json}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(decode(deep.as_bytes(), &PLACE).err(), Some(Malformed::Text));
    }
}
