//! The actions of scenarios leave in hives and logs what Windows leaves, read by independent readers.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests fail loudly")]

use std::collections::BTreeMap;

use serde_json::Value as Json;
use svctriage::lab::scenario::Scenario;

const HOST: &str = r#"
    title = "a host to which one thing happens"
    seed = 11
    [host]
    name = "LAB-PC-060"
    address = "10.40.1.60"
    imaged = "2019-03-19T04:52:11Z"
    installed = "2022-01-10T09:00:00Z"
    shut-down = "2023-05-02T16:40:00Z"
    sysmon = true
    [host.windows]
    product = "Windows Server 2019"
    edition = "ServerStandard"
    server = true
    build = 17763
    revision = 4252
    release = "1809"
    [host.time-zone]
    key = "UTC"
    bias = 0
    active-bias = 0
    [[user]]
    name = "ops"
    domain = "LAB"
    sid = "S-1-5-21-2958103341-1180672544-3302719586-1104"
"#;

/// What the host leaves after these actions, one after the other.
struct Left {
    files: BTreeMap<String, Vec<u8>>,
}

fn left(actions: &[&str]) -> Left {
    let steps: Vec<String> = actions
        .iter()
        .zip(0..)
        .map(|(action, minute)| {
            format!("[[action]]\nat = \"2023-05-03T08:{minute:02}:00Z\"\n{action}")
        })
        .collect();
    let text = format!("{HOST}\n{}", steps.join("\n"));
    let files = Scenario::parse(&text).unwrap().evidence().unwrap();
    Left { files: files.into_iter().map(|file| (file.path, file.bytes)).collect() }
}

impl Left {
    /// The events of a log with this id, their data by name.
    fn events(&self, log: &str, id: u64) -> Vec<Json> {
        let path = format!("Windows/System32/winevt/Logs/{log}.evtx");
        let mut parser = evtx::EvtxParser::from_buffer(self.files[&path].clone()).unwrap();
        let records = parser.records_json_value().map(|record| record.unwrap().data);
        records
            .filter(|event| {
                let own = &event["Event"]["System"]["EventID"];
                own.get("#text").unwrap_or(own).as_u64() == Some(id)
            })
            .map(|mut event| event["Event"]["EventData"].take())
            .collect()
    }

    /// The data of a value, as bytes.
    fn value(&self, hive: &str, key: &str, name: &str) -> Option<Vec<u8>> {
        let bytes = &self.files[&format!("Windows/System32/config/{hive}")];
        let hive = nt_hive::Hive::new(bytes.as_slice()).unwrap();
        let key = hive.root_key_node().unwrap().subpath(key)?.unwrap();
        Some(key.value(name)?.unwrap().data().unwrap().into_vec().unwrap())
    }

    fn service(&self, key: &str, name: &str) -> Option<Vec<u8>> {
        self.value("SYSTEM", &format!("ControlSet001\\Services\\{key}"), name)
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().chain([0]).flat_map(u16::to_le_bytes).collect()
}

#[test]
fn a_changed_service_is_written_by_services_and_logged_only_for_its_start() {
    let left = left(&[r#"
        do = "change-service"
        service = "Fax"
        image-path = 'C:\Windows\Temp\fax.exe'
        start = "auto"
        by = "ops"
        from = "10.40.1.9"
    "#]);
    assert_eq!(left.service("Fax", "ImagePath"), Some(utf16(r"C:\Windows\Temp\fax.exe")));
    assert_eq!(left.service("Fax", "Start"), Some(vec![2, 0, 0, 0]));
    for id in [7045, 4697] {
        let log = if id == 7045 { "System" } else { "Security" };
        assert_eq!(left.events(log, id).len(), 0, "{id}");
    }
    let changed = left.events("System", 7040);
    assert_eq!((changed.len(), changed[0]["param4"].as_str()), (1, Some("Fax")));
    assert_eq!(changed[0]["param2"].as_str(), Some("demand start"));
    assert_eq!(left.events("Security", 4624).len(), 1);
    assert_eq!(left.events("Security", 5145)[0]["RelativeTargetName"].as_str(), Some("svcctl"));
    let written = left.events("Microsoft-Windows-Sysmon%4Operational", 13);
    let of_fax = |value: &Json| value["TargetObject"].as_str().unwrap().contains(r"\Fax\");
    assert_eq!(written.iter().filter(|event| of_fax(event)).count(), 2);
    assert!(written.iter().all(|event| event["Image"].as_str().unwrap().ends_with("services.exe")));
}

#[test]
fn a_changed_program_alone_is_in_no_log_of_the_service_control_manager() {
    let left = left(&[r#"
        do = "change-service"
        service = "Fax"
        image-path = 'C:\Windows\System32\notepad.exe'
        by = "ops"
        command = 'sc  config Fax binPath= C:\Windows\System32\notepad.exe'
    "#]);
    for id in [7045, 7040] {
        assert_eq!(left.events("System", id).len(), 0, "{id}");
    }
    assert_eq!(left.events("Security", 4688).len(), 1);
}

#[test]
fn one_logon_serves_many_services() {
    let install = |name: &str| {
        format!(
            "do = \"install-service\"\nservice = \"{name}\"\nimage-path = 'cmd.exe /c echo'\nby = \"ops\"\nfrom = \"10.40.1.9\"\nsame-session = true"
        )
    };
    let logon =
        "do = \"logon\"\nuser = \"ops\"\nkind = 3\nfrom = \"10.40.1.9\"\nprotocol = \"kerberos\"";
    let left = left(&[logon, &install("one"), &install("two")]);
    let logons = left.events("Security", 4624);
    assert_eq!(logons.len(), 1);
    assert_eq!(logons[0]["AuthenticationPackageName"].as_str(), Some("Kerberos"));
    let installed = left.events("Security", 4697);
    assert_eq!(installed.len(), 2);
    for event in installed {
        assert_eq!(event["SubjectLogonId"], logons[0]["TargetLogonId"]);
    }
}

#[test]
fn a_start_fails_for_the_reason_given() {
    let install = "do = \"install-service\"\nservice = \"agent\"\nimage-path = 'C:\\agent.exe'";
    for (outcome, id, error) in [
        ("ended", 7000, "%%1053"),
        ("file-missing", 7000, "%%2"),
        ("access-denied", 7000, "%%5"),
        ("bad-signature", 7000, "%%577"),
        ("module-missing", 7023, "%%126"),
    ] {
        let start = format!("do = \"start-service\"\nservice = \"agent\"\noutcome = \"{outcome}\"");
        let left = left(&[install, &start]);
        let failed = left.events("System", id);
        assert_eq!(failed.len(), 1, "{outcome}");
        assert_eq!(failed[0]["param2"].as_str(), Some(error), "{outcome}");
        assert_eq!(left.events("System", 7009).len(), usize::from(outcome == "ended"));
        let ran = matches!(outcome, "ended" | "module-missing");
        let started = left.events("Security", 4688).len();
        assert_eq!(started, usize::from(ran), "{outcome}");
    }
}

#[test]
fn a_stopped_service_is_logged_on_servers() {
    let stop = "do = \"stop-service\"\nservice = \"Spooler\"\nby = \"ops\"\ncommand = \"net  stop Spooler\"";
    let states = left(&[stop]).events("System", 7036);
    assert_eq!((states.len(), states[0]["param2"].as_str()), (1, Some("stopped")));
}

#[test]
fn words_without_quotes_run_another_program_and_a_pipe_is_made() {
    let left = left(&[
        "do = \"install-service\"\nservice = \"vend\"\nimage-path = 'C:\\Program Files\\Vend Or\\v.exe'",
        "do = \"start-service\"\nservice = \"vend\"\nran = 'C:\\Program.exe'\npipe = \"vend\"",
    ]);
    let started = &left.events("Security", 4688)[0];
    assert_eq!(started["NewProcessName"].as_str(), Some(r"C:\Program.exe"));
    assert_eq!(started["CommandLine"].as_str(), Some(r"C:\Program Files\Vend Or\v.exe"));
    let pipes = left.events("Microsoft-Windows-Sysmon%4Operational", 17);
    assert_eq!(pipes[0]["PipeName"].as_str(), Some(r"\vend"));
}

#[test]
fn a_driver_is_given_by_a_path_of_its_drive_and_loaded_with_its_digest() {
    let left = left(&[
        "do = \"install-service\"\nservice = \"drv\"\nkind = \"kernel\"\nimage-path = '\\??\\C:\\drv.sys'\ngiven-path = 'C:\\drv.sys'",
        "do = \"start-service\"\nservice = \"drv\"\nhash = \"AB12\"\nsignature = \"Somebody\"",
    ]);
    assert_eq!(left.service("drv", "ImagePath"), Some(utf16(r"\??\C:\drv.sys")));
    assert_eq!(left.events("System", 7045)[0]["ImagePath"].as_str(), Some(r"C:\drv.sys"));
    let loaded = &left.events("Microsoft-Windows-Sysmon%4Operational", 6)[0];
    assert_eq!(loaded["Hashes"].as_str(), Some("SHA256=AB12"));
    assert_eq!(loaded["ImageLoaded"].as_str(), Some(r"C:\drv.sys"));
}

#[test]
fn a_filter_of_file_systems_has_its_altitude() {
    let left = left(&[r#"
        do = "install-driver"
        service = "scanflt"
        display-name = "scanflt"
        image-path = '\SystemRoot\system32\DRIVERS\scanflt.sys'
        inf = "oem9.inf"
        kind = "file-system"
        start = "boot"
        error-control = 3
        group = "FSFilter Anti-Virus"
        altitude = "328700"
    "#]);
    assert_eq!(left.service("scanflt", "Type"), Some(vec![2, 0, 0, 0]));
    assert_eq!(left.service("scanflt", "ErrorControl"), Some(vec![3, 0, 0, 0]));
    let instance = r"scanflt\Instances\scanflt Instance";
    assert_eq!(left.service(instance, "Altitude"), Some(utf16("328700")));
    let kind = left.events("System", 7045)[0]["ServiceType"].clone();
    assert_eq!(kind.as_str(), Some("file system driver"));
}

#[test]
fn a_file_comes_over_the_share_of_its_folder() {
    let left = left(&[
        "do = \"drop-file\"\npath = 'C:\\Windows\\a.exe'\nby = \"ops\"\nfrom = \"10.40.1.9\"",
    ]);
    let share = &left.events("Security", 5145)[0];
    assert_eq!(share["ShareName"].as_str(), Some(r"\\*\ADMIN$"));
    assert_eq!(share["RelativeTargetName"].as_str(), Some("a.exe"));
    let file = &left.events("Microsoft-Windows-Sysmon%4Operational", 11)[0];
    assert_eq!(file["Image"].as_str(), Some("System"));
}

#[test]
fn a_group_of_svchost_keeps_its_members() {
    let key = r"Microsoft\Windows NT\CurrentVersion\Svchost";
    let join = "do = \"join-group\"\ngroup = \"netsvcs\"\nservice = \"Newcomer\"\nby = \"ops\"\ncommand = \"reg  add\"";
    let before = left(&[]).value("SOFTWARE", key, "netsvcs").unwrap();
    let left = left(&[join]);
    let after = left.value("SOFTWARE", key, "netsvcs").unwrap();
    let mut expected = before[..before.len() - 2].to_vec();
    expected.extend(utf16("Newcomer"));
    expected.extend([0, 0]);
    assert_eq!(after, expected);
    assert_eq!(left.events("Microsoft-Windows-Sysmon%4Operational", 13).len(), 1);
}

#[test]
fn values_and_keys_go_and_are_written_by_other_programs() {
    let left = left(&[
        "do = \"delete-value\"\nkey = 'Services\\WinDefend'\nname = \"LaunchProtected\"\nby = \"ops\"\ncommand = \"reg  delete\"",
        "do = \"delete-key\"\nkey = 'Control\\SafeBoot\\Minimal\\CryptSvc'\nby = \"ops\"\ncommand = \"reg  delete\"",
        "do = \"set-value\"\nkey = 'Services\\Fax'\nvalue = { name = \"X\", data = \"1\" }\nprogram = 'C:\\setup.exe'",
        "do = \"write-service\"\nservice = \"raw\"\nvalues = [{ name = \"Type\", type = \"dword\", data = \"16\" }, { name = \"Start\", type = \"dword\", data = \"2\" }]\nby = \"ops\"\ncommand = \"setup.exe\"\nprogram = 'C:\\setup.exe'",
    ]);
    assert_eq!(left.service("WinDefend", "LaunchProtected"), None);
    assert!(left.service("WinDefend", "Start").is_some());
    assert_eq!(left.value("SYSTEM", r"ControlSet001\Control\SafeBoot\Minimal\CryptSvc", ""), None);
    let gone = left.events("Microsoft-Windows-Sysmon%4Operational", 12);
    let kinds: Vec<_> = gone.iter().map(|event| event["EventType"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["DeleteValue", "DeleteKey"]);
    let set = left.events("Microsoft-Windows-Sysmon%4Operational", 13);
    assert_eq!(set.len(), 3);
    assert!(set.iter().all(|event| event["Image"].as_str() == Some(r"C:\setup.exe")));
    assert_eq!(left.service("raw", "Start"), Some(vec![2, 0, 0, 0]));
    assert_eq!(
        left.events("Security", 4688).len(),
        3,
        "one command each, none for what ran already"
    );
}

#[test]
fn recovery_can_follow_an_ordinary_end() {
    let left = left(&[
        "do = \"set-recovery\"\nservice = \"Fax\"\nreset = 0\nactions = [[3, 1000]]\ncommand = 'C:\\x.exe'\non-exit = true\nby = \"ops\"",
    ]);
    assert_eq!(left.service("Fax", "FailureActionsOnNonCrashFailures"), Some(vec![1, 0, 0, 0]));
}

#[test]
fn a_tool_that_speaks_the_protocol_itself_leaves_no_mark_of_32_bits() {
    let left = left(&[
        "do = \"remote-execution\"\nservice = \"abcd\"\nimage-path = '%SystemRoot%\\x.exe'\nfile = \"x.exe\"\ncommand = \"cmd.exe\"\nby = \"ops\"\nfrom = \"10.40.1.9\"\nwow64 = false\nkeep = true\nerror-control = 1",
    ]);
    assert_eq!(left.service("abcd", "WOW64"), None);
    assert_eq!(left.service("abcd", "ErrorControl"), Some(vec![1, 0, 0, 0]));
}
