//! `TriggerInfo`: what makes Windows start or stop a service besides its start type.
//!
//! One sub-key per trigger with `Type`, `Action`, `GUID` and items `Data0`, `DataType0`, … (winsvc.h,
//! `SERVICE_TRIGGER`, `SERVICE_TRIGGER_SPECIFIC_DATA_ITEM`).

use std::collections::BTreeMap;

use crate::host::config::{Data, RawValue, Trigger};
use crate::text::{self, same_name};

/// Data items of one trigger that are looked at; real triggers have at most a few.
const MAX_ITEMS: u32 = 64;

/// The triggers in the order of their sub-keys, and what is odd about them.
pub(super) fn triggers(values: &[RawValue]) -> (Vec<Trigger>, Vec<String>) {
    let mut keys: BTreeMap<(u32, String), Vec<(&str, &Data)>> = BTreeMap::new();
    for value in values {
        let mut path = value.name.splitn(3, '\\');
        let (Some(first), Some(key), Some(name)) = (path.next(), path.next(), path.next()) else {
            continue;
        };
        if same_name(first, "TriggerInfo") && !name.contains('\\') {
            let number = key.parse().unwrap_or(u32::MAX);
            keys.entry((number, text::fold(key))).or_default().push((name, &value.data));
        }
    }
    let mut problems = Vec::new();
    let triggers =
        keys.iter().map(|((_, key), values)| trigger(key, values, &mut problems)).collect();
    (triggers, problems)
}

fn trigger(key: &str, values: &[(&str, &Data)], problems: &mut Vec<String>) -> Trigger {
    let mut number = |name: &str| {
        let Some(Data::Number(number)) = find(values, name) else {
            problems.push(format!("TriggerInfo\\{key}\\{name} is not there or not a number"));
            return 0;
        };
        u32::try_from(*number).unwrap_or(u32::MAX)
    };
    let (kind, action) = (number("Type"), number("Action"));
    let guid = match find(values, "GUID") {
        Some(Data::Bytes(bytes)) => {
            let guid = guid_text(bytes);
            if guid.is_none() {
                let length = bytes.len();
                problems.push(format!("TriggerInfo\\{key}\\GUID has {length} bytes, not 16"));
            }
            guid
        }
        Some(Data::Text(text)) => Some(text.clone()),
        _ => None,
    };
    let data = (0..MAX_ITEMS)
        .map_while(|item| {
            let data = find(values, &format!("Data{item}"))?;
            let kind = match find(values, &format!("DataType{item}")) {
                Some(Data::Number(kind)) => *kind,
                _ => 0,
            };
            Some(item_text(kind, data))
        })
        .collect();
    Trigger { kind, action, guid, data }
}

fn find<'d>(values: &[(&str, &'d Data)], name: &str) -> Option<&'d Data> {
    values.iter().find(|(found, _)| same_name(found, name)).map(|(_, data)| *data)
}

/// `SERVICE_TRIGGER_DATA_TYPE_*`: 2 string (a list ends with two NULs), 3 level, 4 and 5 keywords; else hex.
fn item_text(kind: u64, data: &Data) -> String {
    let bytes = match data {
        Data::Text(text) => return text.clone(),
        Data::Texts(texts) => return texts.join("; "),
        Data::Number(number) => return number.to_string(),
        Data::Bytes(bytes) => bytes,
    };
    match kind {
        2 => {
            let all = text::utf16le(bytes);
            let texts: Vec<&str> = all.split('\0').filter(|text| !text.is_empty()).collect();
            texts.join("; ")
        }
        3 if bytes.len() == 1 => bytes.first().map_or_else(String::new, ToString::to_string),
        4 | 5 => match <[u8; 8]>::try_from(bytes.as_slice()) {
            Ok(number) => format!("0x{:x}", u64::from_le_bytes(number)),
            Err(_) => text::hex(bytes),
        },
        _ => text::hex(bytes),
    }
}

/// The text form of a GUID: the first three fields are stored little-endian.
fn guid_text(bytes: &[u8]) -> Option<String> {
    let (first, rest) = bytes.split_first_chunk::<4>()?;
    let (second, rest) = rest.split_first_chunk::<2>()?;
    let (third, rest) = rest.split_first_chunk::<2>()?;
    let (fourth, node) = rest.split_first_chunk::<2>()?;
    if node.len() != 6 {
        return None;
    }
    let first = u32::from_le_bytes(*first);
    let (second, third) = (u16::from_le_bytes(*second), u16::from_le_bytes(*third));
    let (fourth, node) = (text::hex(fourth), text::hex(node));
    Some(format!("{{{first:08x}-{second:04x}-{third:04x}-{fourth}-{node}}}"))
}
