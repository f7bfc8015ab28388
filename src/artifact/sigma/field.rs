//! A record as rules see it: every field under the names that rules give it.
//!
//! The same fact has other names in Sysmon's events and in audit events (`Image` and `NewProcessName`). Rules are never
//! rewritten; instead a record answers to both names. Source of the pairs: Sigma taxonomy and
//! pySigma-pipeline-windows 2.0.1; formats of Sysmon and of audit events: their documentation.

use std::borrow::Cow;
use std::collections::BTreeMap;

use rsigma_eval::{Event, EventValue};

use crate::artifact::event_log::Record;
use crate::text::same_name;

/// What a record says, by folded field name. The record's own fields go before derived ones.
pub(super) struct Fields<'r> {
    fields: BTreeMap<Cow<'r, str>, Vec<Cow<'r, str>>>,
    /// Absent where it is no record.
    event_id: Option<i64>,
}

/// Another name of a field, in lower case, and the name under which the record has it.
type Alias = (&'static str, &'static str);
/// A field made from others.
type Derived = (&'static str, fn(&Record) -> Option<String>);

/// What else one kind of event answers to.
struct Names {
    channel: &'static str,
    ids: &'static [u16],
    aliases: &'static [Alias],
    derived: &'static [Derived],
}

const SYSMON: &str = "Microsoft-Windows-Sysmon/Operational";

const NAMES: &[Names] = &[
    Names {
        channel: "Security",
        ids: &[4688, 4689],
        aliases: &[
            ("image", "NewProcessName"),
            ("image", "ProcessName"),
            ("parentimage", "ParentProcessName"),
            ("commandline", "ProcessCommandLine"),
            ("processcommandline", "CommandLine"),
            ("parentprocessid", "ProcessId"),
            ("logonid", "SubjectLogonId"),
        ],
        derived: &[("user", user), ("integritylevel", integrity)],
    },
    Names {
        channel: SYSMON,
        ids: &[1, 5],
        aliases: &[
            ("newprocessname", "Image"),
            ("parentprocessname", "ParentImage"),
            ("processcommandline", "CommandLine"),
            ("newprocessid", "ProcessId"),
        ],
        derived: &[],
    },
    Names {
        channel: "Security",
        ids: &[4657],
        aliases: &[("image", "ProcessName"), ("logonid", "SubjectLogonId")],
        derived: &[
            ("targetobject", registry_path),
            ("details", registry_data),
            ("eventtype", registry_operation),
            ("user", user),
        ],
    },
    Names {
        channel: SYSMON,
        ids: &[12, 13, 14],
        aliases: &[
            ("processname", "Image"),
            ("newvalue", "Details"),
            ("objectname", "TargetObject"),
        ],
        derived: &[("objectvaluename", value_name)],
    },
    Names {
        channel: "Security",
        ids: &[5156, 5157, 5158],
        aliases: &[
            ("image", "Application"),
            ("destinationip", "DestAddress"),
            ("destinationport", "DestPort"),
            ("sourceip", "SourceAddress"),
        ],
        derived: &[("initiated", initiated)],
    },
    Names {
        channel: SYSMON,
        ids: &[3],
        aliases: &[
            ("application", "Image"),
            ("destaddress", "DestinationIp"),
            ("destport", "DestinationPort"),
            ("sourceaddress", "SourceIp"),
        ],
        derived: &[],
    },
    Names {
        channel: "System",
        ids: &[7045],
        aliases: &[("servicefilename", "ImagePath"), ("serviceaccount", "AccountName")],
        derived: &[],
    },
    Names {
        channel: "Security",
        ids: &[4697],
        aliases: &[("imagepath", "ServiceFileName"), ("accountname", "ServiceAccount")],
        derived: &[("user", user)],
    },
    Names {
        channel: "Windows PowerShell",
        ids: &[400, 403, 600, 800],
        aliases: &[],
        derived: &[
            ("hostapplication", |record| classic(record, "HostApplication=")),
            ("hostname", |record| classic(record, "HostName=")),
            ("hostversion", |record| classic(record, "HostVersion=")),
            ("engineversion", |record| classic(record, "EngineVersion=")),
            ("scriptname", |record| classic(record, "ScriptName=")),
            ("commandline", |record| classic(record, "CommandLine=")),
        ],
    },
];

/// What every record answers to, in lower case.
pub(super) const ENVELOPE: &[&str] = &[
    "channel",
    "computer",
    "computername",
    "data",
    "eventid",
    "eventlog",
    "eventrecordid",
    "keywords",
    "level",
    "provider_name",
    "providername",
    "source",
    "userid",
];

impl<'r> Fields<'r> {
    /// The fields of a record.
    pub(super) fn of(record: &'r Record) -> Self {
        let event_id = Some(i64::from(record.event_id));
        let mut fields = Self { fields: BTreeMap::new(), event_id };
        for (name, value) in &record.data {
            fields.add(lower(name), Cow::Borrowed(value));
        }
        fields.envelope(record);
        for names in NAMES {
            if !names.ids.contains(&record.event_id) || !same_name(names.channel, &record.channel) {
                continue;
            }
            for (name, stored) in names.aliases {
                if let Some(value) = record.get(stored)
                    && !fields.fields.contains_key(*name)
                {
                    fields.add(Cow::Borrowed(*name), Cow::Borrowed(value));
                }
            }
            for (name, make) in names.derived {
                if !fields.fields.contains_key(*name)
                    && let Some(value) = make(record)
                {
                    fields.add(Cow::Borrowed(*name), Cow::Owned(value));
                }
            }
        }
        fields.hashes(record);
        fields
    }

    /// Fields that are not those of a record, under names in lower case.
    pub(super) fn made(said: impl Iterator<Item = (&'r str, Cow<'r, str>)>) -> Self {
        let mut fields = Self { fields: BTreeMap::new(), event_id: None };
        for (name, value) in said {
            fields.add(Cow::Borrowed(name), value);
        }
        fields
    }

    fn add(&mut self, name: Cow<'r, str>, value: Cow<'r, str>) {
        self.fields.entry(name).or_default().push(value);
    }

    /// Where a record has a field of that name itself, that one counts.
    fn add_new(&mut self, name: &'static str, value: Cow<'r, str>) {
        self.fields.entry(Cow::Borrowed(name)).or_insert_with(|| vec![value]);
    }

    fn envelope(&mut self, record: &'r Record) {
        for value in &record.params {
            self.add(Cow::Borrowed("data"), Cow::Borrowed(value));
        }
        for name in ["channel", "eventlog"] {
            self.add_new(name, Cow::Borrowed(&record.channel));
        }
        for name in ["provider_name", "providername", "source"] {
            self.add_new(name, Cow::Borrowed(&record.provider));
        }
        for name in ["computer", "computername"] {
            self.add_new(name, Cow::Borrowed(&record.computer));
        }
        self.add_new("eventrecordid", Cow::Owned(record.record_id.to_string()));
        if let Some(level) = record.level {
            self.add_new("level", Cow::Owned(level.to_string()));
        }
        if let Some(keywords) = record.keywords {
            self.add_new("keywords", Cow::Owned(format!("0x{keywords:x}")));
        }
        if let Some(sid) = &record.user_sid {
            self.add_new("userid", Cow::Borrowed(sid));
        }
    }

    /// Sysmon's `MD5=…,SHA256=…,IMPHASH=…`, each under its own name as well.
    fn hashes(&mut self, record: &'r Record) {
        let Some(hashes) = record.get("Hashes").or_else(|| record.get("Hash")) else { return };
        for (name, value) in hashes.split(',').filter_map(|part| part.split_once('=')) {
            let known = ["md5", "sha1", "sha256", "imphash"];
            if let Some(known) = known.iter().find(|known| known.eq_ignore_ascii_case(name.trim()))
            {
                self.add_new(known, Cow::Borrowed(value.trim()));
            }
        }
    }

    /// Whether a field says one of these, without case.
    pub(super) fn says(&self, name: &str, values: &[&str]) -> bool {
        let said = self.fields.get(name).into_iter().flatten();
        said.into_iter().any(|said| values.iter().any(|value| value.eq_ignore_ascii_case(said)))
    }

    /// The first value of a field, for correlations to group and count by.
    pub(super) fn text(&self, name: &str) -> Option<String> {
        const LONGEST: usize = 2_000;
        if let (Some(event_id), "eventid") = (self.event_id, name) {
            return Some(event_id.to_string());
        }
        let value = self.fields.get(name)?.first()?;
        Some(value.chars().take(LONGEST).collect())
    }
}

fn lower(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}

impl Event for Fields<'_> {
    fn get_field(&self, path: &str) -> Option<EventValue<'_>> {
        let name = lower(path);
        if let (Some(event_id), "eventid") = (self.event_id, name.as_ref()) {
            return Some(EventValue::Int(event_id));
        }
        match self.fields.get(name.as_ref())?.as_slice() {
            [one] => Some(EventValue::Str(Cow::Borrowed(one))),
            several => {
                let one = |value| EventValue::Str(Cow::Borrowed(AsRef::<str>::as_ref(value)));
                Some(EventValue::Array(several.iter().map(one).collect()))
            }
        }
    }

    fn any_string_value(&self, pred: &dyn Fn(&str) -> bool) -> bool {
        self.fields.values().flatten().any(|value| pred(value))
    }

    fn all_string_values(&self) -> Vec<Cow<'_, str>> {
        self.fields.values().flatten().map(|value| Cow::Borrowed(value.as_ref())).collect()
    }

    fn visit_string_values(&self, visit: &mut dyn FnMut(&str)) {
        for value in self.fields.values().flatten() {
            visit(value);
        }
    }

    /// Asked for only where a rule wants the whole event in its result, which none gets here.
    fn to_json(&self) -> serde_json::Value {
        serde_json::Value::Null
    }

    fn field_keys(&self) -> Vec<Cow<'_, str>> {
        self.fields.keys().map(|name| Cow::Borrowed(name.as_ref())).collect()
    }

    fn top_level_keys(&self) -> Option<Vec<Cow<'_, str>>> {
        let mut keys = self.field_keys();
        keys.extend(self.event_id.map(|_| Cow::Borrowed("eventid")));
        Some(keys)
    }

    fn visit_top_level_keys(&self, visit: &mut dyn FnMut(&str)) -> bool {
        for name in self.fields.keys() {
            visit(name);
        }
        if self.event_id.is_some() {
            visit("eventid");
        }
        true
    }
}

/// `DOMAIN\name` as Sysmon writes it: of the new process where 4688 names it, else of its creator.
fn user(record: &Record) -> Option<String> {
    let account = |domain: &str, name: &str| {
        let name = record.get(name).filter(|name| !matches!(*name, "" | "-"))?;
        let domain = record.get(domain).filter(|domain| !matches!(*domain, "" | "-"));
        Some(domain.map_or_else(|| name.to_owned(), |domain| format!("{domain}\\{name}")))
    };
    account("TargetDomainName", "TargetUserName")
        .or_else(|| account("SubjectDomainName", "SubjectUserName"))
}

/// 4688 gives the label's SID, Sysmon its name (`MS-DTYP` 2.4.2.4).
fn integrity(record: &Record) -> Option<String> {
    let name = match record.get("MandatoryLabel")? {
        "S-1-16-0" => "Untrusted",
        "S-1-16-4096" => "Low",
        "S-1-16-8192" => "Medium",
        "S-1-16-12288" => "High",
        "S-1-16-16384" => "System",
        _ => return None,
    };
    Some(name.to_owned())
}

/// Sysmon abbreviates hives and calls the control set in use `CurrentControlSet`.
fn registry_path(record: &Record) -> Option<String> {
    let object = record.get("ObjectName")?;
    let path = match strip(object, r"\REGISTRY\MACHINE\") {
        Some(rest) => format!(r"HKLM\{rest}"),
        None => match strip(object, r"\REGISTRY\USER\") {
            Some(rest) => format!(r"HKU\{rest}"),
            None => object.to_owned(),
        },
    };
    let path = match strip(&path, r"HKLM\SYSTEM\ControlSet") {
        Some(rest) if rest.bytes().take_while(u8::is_ascii_digit).count() == 3 => {
            let rest = rest.get(3..).unwrap_or_default();
            format!(r"HKLM\System\CurrentControlSet{rest}")
        }
        _ => path,
    };
    Some(match record.get("ObjectValueName").filter(|name| !matches!(*name, "" | "-")) {
        Some(name) => format!(r"{path}\{name}"),
        None => path,
    })
}

fn strip<'t>(text: &'t str, start: &str) -> Option<&'t str> {
    let head = text.get(..start.len())?;
    head.eq_ignore_ascii_case(start).then(|| text.get(start.len()..)).flatten()
}

/// Sysmon writes numbers as `DWORD (0x00000004)`; 4657 tells the type by a message id that counts from %%1872
/// (`REG_NONE`) in the order of the registry's types.
fn registry_data(record: &Record) -> Option<String> {
    let value = record.get("NewValue")?;
    let number = value.trim().parse::<u64>().ok();
    Some(match (record.get("NewValueType"), number) {
        (Some("%%1876"), Some(number)) => format!("DWORD (0x{number:08x})"),
        (Some("%%1883"), Some(number)) => {
            let (high, low) = (number >> 32, number & u64::from(u32::MAX));
            format!("QWORD (0x{high:08x}-0x{low:08x})")
        }
        _ => value.to_owned(),
    })
}

fn registry_operation(record: &Record) -> Option<String> {
    let operation = match record.get("OperationType")? {
        "%%1904" | "%%1905" => "SetValue",
        "%%1906" => "DeleteValue",
        _ => return None,
    };
    Some(operation.to_owned())
}

/// The last part of Sysmon's `TargetObject`, which for a value is its name.
fn value_name(record: &Record) -> Option<String> {
    let target = record.get("TargetObject")?;
    target.rsplit_once('\\').map(|(_, name)| name.to_owned())
}

/// 5156: `Direction`, %%14592 inbound, %%14593 outbound.
fn initiated(record: &Record) -> Option<String> {
    match record.get("Direction")? {
        "%%14593" => Some("true".to_owned()),
        "%%14592" => Some("false".to_owned()),
        _ => None,
    }
}

/// A line `\tHostApplication=…` of a classic PowerShell event.
fn classic(record: &Record, start: &str) -> Option<String> {
    let values = record.params.iter().map(String::as_str);
    let values = values.chain(record.data.iter().map(|(_, value)| value.as_str()));
    let mut lines = values.flat_map(str::lines).map(str::trim);
    lines.find_map(|line| line.strip_prefix(start)).map(|value| value.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::event_kind::testing::record;

    fn made(channel: &str, id: u16, data: &[(&str, &str)]) -> Record {
        Record { channel: channel.to_owned(), ..record("p", id, data) }
    }

    fn said(record: &Record, name: &str) -> Option<String> {
        Fields::of(record).get_field(name).and_then(|value| value.as_str().map(Cow::into_owned))
    }

    #[test]
    fn a_record_answers_to_both_names() {
        let audit = made(
            "Security",
            4688,
            &[
                ("NewProcessName", r"C:\a.exe"),
                ("CommandLine", "a -b"),
                ("ParentProcessName", r"C:\p.exe"),
                ("SubjectUserName", "bob"),
                ("SubjectDomainName", "CORP"),
                ("TargetUserName", "-"),
                ("MandatoryLabel", "S-1-16-12288"),
                ("ProcessId", "0x4d2"),
            ],
        );
        let sysmon = made(SYSMON, 1, &[("Image", r"C:\a.exe"), ("Hashes", "MD5=AB,IMPHASH=CD")]);
        let key = made(
            "Security",
            4657,
            &[
                ("ObjectName", r"\REGISTRY\MACHINE\SYSTEM\ControlSet001\Services\x"),
                ("ObjectValueName", "Start"),
                ("OperationType", "%%1905"),
                ("NewValueType", "%%1876"),
                ("NewValue", "4"),
            ],
        );
        let mut classic = made("Windows PowerShell", 400, &[]);
        classic.params =
            vec!["Available".into(), "\tHostApplication=powershell -nop\n\tX=1".into()];
        for (record, name, expected) in [
            (&audit, "Image", Some(r"C:\a.exe")),
            (&audit, "image", Some(r"C:\a.exe")),
            (&audit, "NewProcessName", Some(r"C:\a.exe")),
            (&audit, "ParentImage", Some(r"C:\p.exe")),
            (&audit, "ProcessCommandLine", Some("a -b")),
            (&audit, "User", Some(r"CORP\bob")),
            (&audit, "IntegrityLevel", Some("High")),
            (&audit, "ParentProcessId", Some("0x4d2")),
            (&audit, "EventID", Some("4688")),
            (&audit, "Provider_Name", Some("p")),
            (&audit, "OriginalFileName", None),
            (&sysmon, "NewProcessName", Some(r"C:\a.exe")),
            (&sysmon, "Imphash", Some("CD")),
            (&sysmon, "md5", Some("AB")),
            (&key, "TargetObject", Some(r"HKLM\System\CurrentControlSet\Services\x\Start")),
            (&key, "Details", Some("DWORD (0x00000004)")),
            (&key, "EventType", Some("SetValue")),
            (&classic, "HostApplication", Some("powershell -nop")),
        ] {
            assert_eq!(said(record, name).as_deref(), expected, "{name}");
        }
        let fields = Fields::of(&classic);
        assert!(
            matches!(fields.get_field("Data"), Some(EventValue::Array(values)) if values.len() == 2)
        );
    }

    #[test]
    fn a_repeated_field_is_a_list_and_an_unnamed_channel_has_no_aliases() {
        let twice = made("X", 9, &[("A", "1"), ("a", "2")]);
        let fields = Fields::of(&twice);
        assert!(
            matches!(fields.get_field("A"), Some(EventValue::Array(values)) if values.len() == 2)
        );
        assert_eq!(said(&made("X", 4688, &[("NewProcessName", "a")]), "Image"), None);
    }
}
