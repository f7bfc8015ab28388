use std::sync::Arc;

use super::*;
use crate::host::citation::{Citation, Place, Provenance};
use crate::host::config::{Data, Epoch, RawValue, Trigger};

fn config(name: &str, values: Vec<(&str, Data)>) -> (ServiceConfig, Vec<String>) {
    let path = format!("ControlSet001\\Services\\{name}");
    let citation = Citation {
        artifact: Arc::from("SYSTEM"),
        place: Place::Key { path, value: None, offset: 4096 },
        provenance: Provenance::Live,
    };
    let mut config = ServiceConfig::new(name, Epoch::Current, citation);
    config.values = values
        .into_iter()
        .map(|(name, data)| RawValue {
            name: name.into(),
            kind: 3,
            data,
            offset: 1,
            provenance: Provenance::Live,
        })
        .collect();
    let problems = decode(&mut config);
    (config, problems)
}

fn text(text: &str) -> Data {
    Data::Text(text.into())
}

fn texts(texts: &[&str]) -> Data {
    Data::Texts(texts.iter().map(|&text| text.into()).collect())
}

#[test]
fn names_have_no_case_and_text_any_string_type() {
    let (config, problems) = config(
        "Beep",
        vec![
            ("TYPE", Data::Number(0x110)),
            ("start", Data::Number(7)),
            ("imagepath", texts(&["C:\\a.exe -k"])),
            ("DisplayName", texts(&[])),
            ("DelayedAutoStart", Data::Number(1)),
            ("DependOnService", texts(&["RpcSs", "", "Tcpip"])),
            ("DependOnGroup", text("")),
            ("RequiredPrivileges", texts(&[])),
            ("parameters\\servicedll", text("C:\\x.dll")),
            ("ServiceDll", text("C:\\y.dll")),
            ("ServiceMain", text("Main")),
        ],
    );
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(config.service_type, Some(ServiceType(0x110)));
    assert_eq!(config.start, Some(Start::Other(7)));
    assert_eq!(config.image_path.as_deref(), Some("C:\\a.exe -k"));
    assert_eq!(config.display_name.as_deref(), Some(""));
    assert_eq!(config.delayed_auto_start, Some(true));
    assert_eq!(config.depend_on_service, ["RpcSs", "Tcpip"]);
    assert!(config.depend_on_group.is_empty());
    assert_eq!(config.required_privileges, Some(Vec::new()));
    let dll = ("parameters\\servicedll".to_owned(), "C:\\x.dll".to_owned());
    assert_eq!(config.service_dll, Some(dll));
    assert_eq!(config.service_main.as_deref(), Some("Main"));
    assert_eq!(config.values.len(), 11);
}

#[test]
fn odd_data_costs_that_value_and_is_told() {
    let (config, problems) = config(
        "Odd",
        vec![
            ("Type", text("16")),
            ("Start", Data::Number(1 << 40)),
            ("ImagePath", Data::Bytes(vec![1, 2])),
            ("ObjectName", texts(&["LocalSystem", "Other"])),
            ("Owners", Data::Number(1)),
            ("FailureActions", Data::Bytes(vec![0x3a, 0, 0, 0])),
            ("Description", text("kept")),
        ],
    );
    assert_eq!(
        problems,
        [
            "Type is text where a number belongs",
            "Start is larger than 32 bits",
            "ImagePath is 2 bytes of registry type 3 where text belongs",
            "ObjectName holds 2 strings; the first is used",
            "FailureActions has 4 bytes, fewer than its header of 20",
            "Owners is a number where a list of strings belongs",
        ]
    );
    assert_eq!((config.service_type, config.start), (None, None));
    assert_eq!(config.object_name.as_deref(), Some("LocalSystem"));
    assert_eq!(config.failure_actions, None);
    assert_eq!(config.description.as_deref(), Some("kept"));
}

#[test]
fn a_wrapper_shows_what_it_really_runs() {
    let (config, _) = config(
        "nssm",
        vec![
            ("Parameters\\Application", text("C:\\tools\\chisel.exe")),
            ("Parameters\\AppParameters", text("client 203.0.113.7:443 R:socks")),
            ("Parameters\\AppEnvironmentExtra", texts(&["A=1", "B=2"])),
        ],
    );
    let target = config.wrapper.unwrap();
    assert_eq!(target.application, "C:\\tools\\chisel.exe");
    assert_eq!(target.parameters.as_deref(), Some("client 203.0.113.7:443 R:socks"));
    assert_eq!(target.directory, None);
    assert_eq!(target.environment, ["A=1", "B=2"]);
}

#[test]
fn triggers_read_with_either_spelling_of_guid() {
    let guid = vec![
        0x67, 0xd1, 0x90, 0xbc, 0x70, 0x94, 0x39, 0x41, 0xa9, 0xba, 0xbe, 0x0b, 0xbb, 0xf5, 0xb7,
        0x4d,
    ];
    let pipe: Vec<u8> = "a\0b\0\0".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (config, problems) = config(
        "Trig",
        vec![
            ("TriggerInfo\\10\\Type", Data::Number(20)),
            ("TriggerInfo\\10\\Action", Data::Number(2)),
            ("TriggerInfo\\2\\Type", Data::Number(6)),
            ("TriggerInfo\\2\\Action", Data::Number(1)),
            ("TriggerInfo\\2\\Guid", Data::Bytes(guid)),
            ("TriggerInfo\\2\\DataType0", Data::Number(2)),
            ("TriggerInfo\\2\\Data0", Data::Bytes(pipe)),
            ("TriggerInfo\\2\\DataType1", Data::Number(1)),
            ("TriggerInfo\\2\\Data1", Data::Bytes(vec![0xab, 1])),
            ("TriggerInfo\\2\\DataType2", Data::Number(5)),
            ("TriggerInfo\\2\\Data2", Data::Bytes(vec![1, 0, 0, 0, 0, 0, 0, 0x80])),
            ("TriggerInfo\\x\\Type", text("1")),
            ("TriggerInfo\\x\\Action", Data::Number(1)),
            ("TriggerInfo\\x\\GUID", Data::Bytes(vec![1])),
        ],
    );
    assert_eq!(
        problems,
        [
            "TriggerInfo\\X\\Type is not there or not a number",
            "TriggerInfo\\X\\GUID has 1 bytes, not 16",
        ]
    );
    assert_eq!(
        config.triggers,
        [
            Trigger {
                kind: 6,
                action: 1,
                guid: Some("{bc90d167-9470-4139-a9ba-be0bbbf5b74d}".into()),
                data: vec!["a; b".into(), "ab01".into(), "0x8000000000000001".into()],
            },
            Trigger { kind: 20, action: 2, guid: None, data: vec![] },
            Trigger { kind: 0, action: 1, guid: None, data: vec![] },
        ]
    );
}

#[test]
fn load_points_belong_to_their_service() {
    for (service, value, expected) in [
        ("Anything", "performance\\library", 1),
        ("Anything", "Performance\\Library\\Deeper", 0),
        ("Anything", "NetworkProvider\\ProviderPath", 1),
        ("w32time", "TimeProviders\\NtpClient\\DllName", 1),
        ("Other", "TimeProviders\\NtpClient\\DllName", 0),
        ("WinSock2", "Parameters\\AutodialDLL", 1),
        ("NTDS", "LsaDbExtPt", 1),
        ("NTDS", "Parameters\\LsaDbExtPt", 0),
        ("DNS", "Parameters\\ServerLevelPluginDll", 1),
        ("RemoteAccess", "RouterManagers\\Ip\\DllPath", 1),
    ] {
        let (config, _) = config(service, vec![(value, text("C:\\x.dll"))]);
        assert_eq!(config.load_points.len(), expected, "{service} {value}");
        for point in &config.load_points {
            assert_eq!((point.value.as_str(), point.path.as_str()), (value, "C:\\x.dll"));
            let (subkey, leaf) = value.rsplit_once('\\').unwrap_or(("", value));
            let cited = point.citation.to_string();
            assert!(
                cited.contains(subkey) && cited.contains(&format!("-> {leaf} @0x1")),
                "{cited}"
            );
        }
    }
}
